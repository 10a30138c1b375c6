# SPDX-License-Identifier: Apache-2.0
"""The showroom: pages of the shop with the weight and the habits of real ones, for tests with a real browser.

A page pulls in two style sheets, three scripts and 20 to 45 photographs; the script brings in more of them
once the document is there, asks for the cart, and after the load reports itself, listens to events and asks
for the stock again and again. Everything but the pages and the interface is a file: `write(folder)` lays
them out for a web server.

    /showroom  /showroom/category/NAME  /showroom/product/SLUG  /showroom/moved (to the first of them)
"""
import functools
import html
import os
import random
import struct
import zlib

from catalogue import BY_SLUG, CATEGORIES, CURRENCY, PRODUCTS, money

SHEETS, SCRIPTS = ("frame.css", "theme.css"), ("vendor.js", "widgets.js", "showroom.js")
LARGE, SMALL = 6, 4  # photographs of a product, in each size

BEHAVIOUR = """
document.addEventListener('DOMContentLoaded', () => {
  fetch('/api/cart').then(r => r.json()).then(cart => {
    document.querySelector('#cart').textContent = 'Cart (' + Object.keys(cart.lines).length + ')';
  });
  const more = document.querySelector('#more');
  for (const name of more.dataset.photos.split(' '))
    more.appendChild(Object.assign(new Image(240, 160), {src: '/photos/' + name + '.png'}));
});
addEventListener('load', () => {
  navigator.sendBeacon('/api/beacon', 'loaded');
  new EventSource('/api/events');
  setInterval(() => fetch('/api/stock'), 700);
});
"""


def photo(name, octets):
    """A PNG of about so many octets: rows of coloured noise, stored without compression."""
    rng = random.Random(name)
    width = 240
    height = max(1, octets // (width * 3))
    rows = b"".join(b"\0" + rng.randbytes(width * 3) for _ in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b""))


def names(product, size, count):
    return ["%s-%s-%d" % (product.slug, size, i) for i in range(count)]


def words(name, count, form):
    """Text that compresses about as well as what people write."""
    rng = random.Random(name)
    syllables = "ba be bi bo bu da de di ka ke ko la le lo ma mi mo na ne ra ri ro sa se ta ti to va ve vo".split()
    return "\n".join(form % {"name": "".join(rng.choices(syllables, k=4)), "i": i, "n": rng.randrange(1000)}
                     for i in range(count))


@functools.lru_cache(None)
def files():
    """{path: content} of everything that never changes."""
    found = {"assets/" + name: words(name, 700, ".%(name)s-%(i)d{margin:%(n)dpx;color:#%(n)03d}")
             for name in SHEETS}
    for name in SCRIPTS:
        found["assets/" + name] = words(name, 1100, "function %(name)s_%(i)d(a) { return a * %(n)d + %(i)d; }")
    found["assets/showroom.js"] += BEHAVIOUR
    found["assets/favicon-32.png"] = photo("icon", 4000)
    for p in PRODUCTS:
        rng = random.Random(p.slug)
        for name in names(p, "small", SMALL):
            found["photos/%s.png" % name] = photo(name, rng.randrange(10000, 30000))
        for name in names(p, "large", LARGE):
            found["photos/%s.png" % name] = photo(name, rng.randrange(50000, 200000))
    return found


def write(folder):
    for path, content in files().items():
        place = os.path.join(folder, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())


def image(name):
    return '<img src="/photos/%s.png" width="240" height="160" alt="">' % name


def page(title, products, pictures, more):
    head = "".join('<link rel="stylesheet" href="/assets/%s">' % s for s in SHEETS)
    head += '<link rel="icon" href="/assets/favicon-32.png">'
    head += "".join('<script src="/assets/%s" defer></script>' % s for s in SCRIPTS)
    links = "".join('<a href="/showroom/category/%s">%s</a> ' % (c, c) for c in CATEGORIES)
    text = words(title, 150, "<p>%(name)s %(n)d %(name)s of %(i)d pieces, made to last and to be mended</p>")
    tiles = "".join('<a href="/showroom/product/%s">%s %s %s</a> ' % (p.slug, html.escape(p.name), money(p.price), CURRENCY)
                    for p in products)
    return """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>%s</title>%s</head>
<body><nav>%s<a id="cart" href="/cart">Cart</a></nav><h1>%s</h1>%s<div>%s</div>%s<div id="more" data-photos="%s"></div>
</body></html>""" % (html.escape(title), head, links, html.escape(title), "".join(map(image, pictures)), tiles, text,
                     " ".join(more))


def home():
    pictures = names(PRODUCTS[0], "large", 1) + [n for p in PRODUCTS for n in names(p, "small", 2)]
    return page("Showroom", PRODUCTS, pictures, names(PRODUCTS[5], "small", SMALL))


def category(name):
    products = [p for p in PRODUCTS if p.category == name]
    return page(name, products, [n for p in products for n in names(p, "small", SMALL)],
                names(PRODUCTS[0], "small", SMALL))


def product(slug):
    p = BY_SLUG[slug]
    others = [o for o in PRODUCTS if o is not p and o.category == p.category]
    return page(p.name, [p], names(p, "large", LARGE) + [n for o in others for n in names(o, "small", 3)],
                names(p, "small", SMALL))
