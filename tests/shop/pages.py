# SPDX-License-Identifier: Apache-2.0
"""The pages of the shop as HTML, and what they pull in: style, script, pictures."""
import html
import json

from catalogue import BY_ID, CATEGORIES, CURRENCY, PRODUCTS, money

STYLE = b"""body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
nav a{margin-right:1rem}.grid{display:grid;grid-template-columns:repeat(4,1fr);gap:1rem}
.grid a{display:block;border:1px solid #ccc;padding:.5rem;text-decoration:none;color:inherit}
img{width:100%;height:auto}button{font:inherit;padding:.4rem 1rem}
"""
SCRIPT = b"""fetch('/api/cart').then(r => r.json()).then(cart => {
  const n = Object.values(cart.lines).reduce((a, b) => a + b, 0);
  document.querySelector('#cart').textContent = 'Cart (' + n + ')';
});
"""
STATIC = {"style.css": (STYLE, "text/css"), "shop.js": (SCRIPT, "text/javascript")}


def page(title, body):
    links = "".join('<a href="/category/%s">%s</a>' % (c, c.title()) for c in CATEGORIES)
    return """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>%s - Alder &amp; Ash</title>
<link rel="stylesheet" href="/static/style.css"><script src="/static/shop.js" defer></script></head>
<body><nav><a href="/">Alder &amp; Ash</a>%s<a id="cart" href="/cart">Cart</a></nav><h1>%s</h1>%s</body></html>
""" % (html.escape(title), links, html.escape(title), body)


def tiles(products):
    return '<div class="grid">%s</div>' % "".join(
        '<a href="/product/%s"><img src="/images/%s.svg" alt="">%s<br>%s %s</a>'
        % (p.slug, p.slug, html.escape(p.name), money(p.price), CURRENCY) for p in products)


def home():
    """In parts, as the server writes it."""
    text = page("Things that last", tiles(PRODUCTS[::2]))
    cut = text.index("<nav>")
    return [text[:cut], text[cut:]]


def listing(title, products):
    return page(title, tiles(products) if products else "<p>Nothing found.</p>")


def product(p):
    data = {"@context": "https://schema.org", "@type": "Product", "sku": str(p.id), "name": p.name,
            "category": p.category, "offers": {"@type": "Offer", "price": money(p.price), "priceCurrency": CURRENCY,
            "availability": "https://schema.org/" + ("InStock" if p.stock else "OutOfStock")}}
    return page(p.name, """<script type="application/ld+json">%s</script>
<img src="/images/%s.svg" alt=""><p>%s %s</p><form method="post" action="/cart/add">
<input type="hidden" name="product" value="%d"><input name="quantity" value="1" size="2">
<button>Add to cart</button></form>%s""" % (json.dumps(data), p.slug, money(p.price), CURRENCY, p.id,
                                         "" if p.stock else "<p>Sold out</p>"))


def cart(state, total):
    lines = "".join("<li>%d &times; %s: %s</li>" % (n, html.escape(BY_ID[i].name), money(BY_ID[i].price * n))
                    for i, n in state["lines"].items())
    if not lines:
        return page("Your cart", "<p>Your cart is empty.</p>")
    return page("Your cart", '<ul>%s</ul><p>Total %s %s</p><a href="/checkout/address">Check out</a>'
                % (lines, money(total), CURRENCY))


FIELDS = {"address": ("name", "street", "city"), "shipping": ("method",), "payment": ("card",)}


def checkout(step, total):
    fields = "".join('<label>%s <input name="%s"></label> ' % (f.title(), f) for f in FIELDS[step])
    return page("Checkout: " + step, '<form method="post" action="/checkout/%s">%s<button>Go on</button></form>'
                "<p>Total %s %s</p>" % (step, fields, money(total), CURRENCY))


def order(o):
    return page("Thank you", '<p>Your order <b id="order">%s</b> over <b id="total">%s</b> %s is on its way.</p>'
                % (o["order"], money(o["total"]), o["currency"]))


def picture(p):
    """An SVG whose size differs by product."""
    hue = p.id * 47 % 360
    dots = "".join('<circle cx="%d" cy="%d" r="%d" fill="hsl(%d,60%%,%d%%)"/>'
                   % (i * 37 % 300, i * 53 % 200, 5 + i % 30, hue, 40 + i % 40) for i in range(40 + p.id % 97))
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200"><rect width="300" height="200" '
            'fill="hsl(%d,50%%,90%%)"/>%s</svg>' % (hue, dots)).encode()
