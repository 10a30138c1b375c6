# SPDX-License-Identifier: Apache-2.0
"""The pages of the shop as HTML, and what they pull in: style, script, pictures. A Look says how amounts are
written; nothing here knows a request."""
import html
import json

from catalogue import CATEGORIES, DELIVERY, PRODUCTS

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


def page(look, title, body, head=""):
    links = "".join('<a href="/category/%s">%s</a>' % (c, c.title()) for c in CATEGORIES)
    return """<!doctype html><html lang="en"><head><meta charset="%s"><title>%s - Alder &amp; Ash</title>
<link rel="stylesheet" href="/static/style.css"><script src="/static/shop.js" defer></script>%s</head>
<body><nav><a href="/">Alder &amp; Ash</a>%s<a id="cart" href="/cart">Cart</a></nav><h1>%s</h1>%s</body></html>
""" % (look.charset, html.escape(title), head, links, html.escape(title), body)


def tiles(look, products):
    return '<div class="grid">%s</div>' % "".join(
        '<a href="/product/%s"><img src="/images/%s.svg" alt="">%s<br>%s</a>'
        % (p.slug, p.slug, html.escape(p.name), look.text(look.price(p))) for p in products)


def home(look):
    """In parts, as the server writes it."""
    text = page(look, "Things that last", tiles(look, PRODUCTS[::2]))
    cut = text.index("<nav>")
    return [text[:cut], text[cut:]]


def listing(look, title, products):
    return page(look, title, tiles(look, products) if products else "<p>Nothing found.</p>")


def product(look, p):
    """One main product, with others beside it that are not what the page shows."""
    price = look.price(p)
    data = {"@context": "https://schema.org", "@type": "Product", "sku": str(p.id), "name": p.name,
            "category": p.category, "offers": {"@type": "Offer", "price": look.decimal(price),
                                               "priceCurrency": look.currency, "availability":
                                               "https://schema.org/" + ("InStock" if p.stock else "OutOfStock")}}
    meta = {"og:type": "product", "og:title": p.name, "og:url": "/product/" + p.slug,
            "product:price:amount": look.decimal(price), "product:price:currency": look.currency,
            "product:retailer_item_id": str(p.id)}
    head = "".join('<meta property="%s" content="%s">' % (name, html.escape(text)) for name, text in meta.items())
    head += '<script type="application/ld+json">%s</script>' % json.dumps(data)
    others = [o for o in PRODUCTS if o.category == p.category and o is not p][:3]
    return page(look, p.name, """
<img src="/images/%s.svg" alt=""><p class="price">%s</p><form method="post" action="/cart/add">
<input type="hidden" name="product" value="%d"><input name="quantity" value="1" size="2">
<button>Add to cart</button></form>%s<h2>Others liked</h2>%s""" % (
        p.slug, look.text(price), p.id, "" if p.stock else "<p>Sold out</p>", tiles(look, others)), head)


# ---- cart and checkout ----

def lines(look, rows, change=False):
    """rows: [(product, quantity, price)]; `change`: with forms to do so."""
    return "".join("""<tr class="line" data-product="%d"><td class="name"><a href="/product/%s">%s</a></td>
<td class="quantity">%d</td><td class="price">%s</td><td class="sum">%s</td>%s</tr>
""" % (p.id, p.slug, html.escape(p.name), n, look.text(price), look.text(price * n), CHANGE % (p.id, n, p.id) if change else "")
                   for p, n, price in rows)


CHANGE = """
<td><form method="post" action="/cart/update"><input type="hidden" name="product" value="%d"><input name="quantity" value="%d" size="2">
<button>Change</button></form><form method="post" action="/cart/remove"><input type="hidden" name="product" value="%d">
<button>Take out</button></form></td>"""


def sums(look, totals, coupon, delivery, total):
    """What it comes to. The total of a cart is without shipping, that of an order is what is to be paid."""
    rows = [("goods", "Goods", totals.goods)]
    if totals.discount:
        rows.append(("discount", "Discount " + coupon, -totals.discount))
    if delivery:
        rows.append(("delivery", "Shipping", totals.delivery))
    rows.append(("tax", "Tax in it" if look.tax == "incl" else "Tax on top", totals.tax))
    rows.append(("total", "Total", total))
    return "<dl>%s</dl>" % "".join('<dt>%s</dt><dd id="%s">%s</dd>' % (html.escape(title), name, look.text(amount))
                                   for name, title, amount in rows)


def said(problem):
    return '<p id="problem">%s</p>' % html.escape(problem) if problem else ""


def cart(look, c, problem=""):
    if c is None:
        return page(look, "Your cart", said(problem) + '<p id="empty">Your cart is empty.</p>')
    return page(look, "Your cart", said(problem) + """<table id="basket" data-cart="%s" data-currency="%s">%s</table>%s
<p>In all <b id="value">%s</b> without shipping, <span id="pieces">%d</span> pieces</p>
<form method="post" action="/cart/coupon"><input name="code"><button>Use code</button></form>
<a href="/checkout">Check out</a>""" % (c.id, look.currency, lines(look, c.lines, True), sums(look, c.undelivered, c.coupon, False, c.undelivered.total),
                                        look.text(c.value), c.quantity))


FIELDS = {"contact": ("email",), "address": ("name", "street", "city"), "shipping": ("method",), "payment": ("card",)}


def checkout(look, step, c, problem=""):
    fields = "".join('<label>%s <input name="%s"></label> ' % (f.title(), f) for f in FIELDS[step])
    if step == "shipping":
        fields = "".join('<label><input type="radio" name="method" value="%s">%s %s</label> '
                         % (way, way.title(), look.text(look.of(cents))) for way, cents in DELIVERY.items())
    if step == "payment":
        fields += "".join('<label><input type="radio" name="method" value="%s">%s</label> ' % (m, m.title())
                          for m in ("card", "invoice", "elsewhere"))
        fields += '<input type="hidden" name="cart" value="%s">' % c.id
    return page(look, "Checkout: " + step, said(problem) +
                '<form id="checkout" data-cart="%s" method="post" action="/checkout/%s">%s<button>Go on</button></form>'
                '<p>To pay <b id="to-pay">%s</b></p>' % (c.id, step, fields, look.text(c.totals.total)))


def order(look, o, rows):
    """The landing page after an order; also what its reload shows."""
    return page(look, "Thank you", '<p id="thanks" data-order-id="%d" data-cart="%s">Your order <b id="order">%s</b> over '
                '<b id="to-pay">%s</b> is on its way. Payment: <i id="payment">%s</i></p><table id="ordered" data-currency="%s">'
                "%s</table>%s" % (o["id"], o["cart"], o["number"], look.text(o["total"]), o["payment_status"], look.currency,
                                  lines(look, rows), sums(look, totals_of(o), o["coupon"], True, o["total"])))


class totals_of:
    """Of an order as it was placed, whatever things cost now."""

    def __init__(self, o):
        self.goods, self.discount, self.delivery = o["goods"], o["discount"], o["delivery"]
        self.tax, self.total = o["tax"], o["total"]


# ---- account and office ----

def account(look, who, problem=""):
    if who is None:
        forms = "".join('<form method="post" action="/account/%s"><input name="email"><input name="password" type="password">'
                        "<button>%s</button></form>" % (path, text) for path, text in (("login", "Log in"), ("signup", "Sign up")))
        return page(look, "Your account", said(problem) + forms)
    return page(look, "Your account", '<p id="who">%s</p><a href="/account/orders">Your orders</a> <a href="/account/logout">Log out</a>'
                % html.escape(who["email"]))


def orders(look, title, base, found):
    return page(look, title, "<table>%s</table>" % "".join(
        '<tr class="past"><td><a href="%s/%s">%s</a></td><td>%s</td><td>%s</td></tr>'
        % (base, o["number"], o["number"], look.text(o["total"]), o["payment_status"]) for o in found))


def past_order(look, title, o, rows):
    """An order in the account or the office: it looks much like the landing page and is none."""
    return page(look, title, '<p>Order <b id="order">%s</b> over <b id="to-pay">%s</b>: <i id="payment">%s</i></p><table>%s</table>%s'
                % (o["number"], look.text(o["total"]), o["payment_status"], lines(look, rows),
                   sums(look, totals_of(o), o["coupon"], True, o["total"])))


def export(look, found):
    """All orders as a table of text, for the bookkeeper."""
    return "number;id;total;currency;payment\n" + "".join(
        "%s;%d;%s;%s;%s\n" % (o["number"], o["id"], look.decimal(o["total"]), look.currency, o["payment_status"]) for o in found)


def picture(p):
    """An SVG whose size differs by product."""
    hue = p.id * 47 % 360
    dots = "".join('<circle cx="%d" cy="%d" r="%d" fill="hsl(%d,60%%,%d%%)"/>'
                   % (i * 37 % 300, i * 53 % 200, 5 + i % 30, hue, 40 + i % 40) for i in range(40 + p.id % 97))
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200"><rect width="300" height="200" '
            'fill="hsl(%d,50%%,90%%)"/>%s</svg>' % (hue, dots)).encode()
