# SPDX-License-Identifier: Apache-2.0
"""What the shop sells, and how it writes what that costs.

Prices are integers of the smallest amount that the shop shows: cents, whole euros, yen. A Look is the way of
one shop: its currency, how it writes an amount, its charset, and whether its prices have the tax in them.
"""
import collections

CURRENCY = "EUR"
Product = collections.namedtuple("Product", "id slug name category price stock")

_LINES = """
1001 trail-backpack Trail_backpack_28_l outdoor 8990 40
1002 down-jacket Down_jacket outdoor 17900 12
1003 head-torch Head_torch_400_lm outdoor 3495 80
1004 camp-stove Camp_stove outdoor 5950 25
1005 tent-two Tent_for_two outdoor 24900 6
2001 moka-pot Moka_pot_6_cups kitchen 2990 60
2002 chef-knife Chef's_knife_20_cm kitchen 7450 30
2003 cast-iron-pan Cast_iron_pan kitchen 5490 22
2004 tea-kettle Tea_kettle kitchen 4200 35
3001 desk-lamp Desk_lamp home 6900 18
3002 wool-blanket Wool_blanket home 9900 14
3003 oak-shelf Oak_shelf home 13900 0
3004 plant-pot Plant_pot home 1890 120
4001 city-bike City_bike bikes 64900 4
4002 bike-lock Bike_lock bikes 4990 50
4003 rain-cape Rain_cape bikes 3990 33
"""

PRODUCTS = [Product(int(p[0]), p[1], p[2].replace("_", " "), p[3], int(p[4]), int(p[5]))
            for p in (line.split() for line in _LINES.split("\n") if line)]
BY_SLUG = {p.slug: p for p in PRODUCTS}
BY_ID = {p.id: p for p in PRODUCTS}
CATEGORIES = sorted({p.category for p in PRODUCTS})

# What a way to send costs, in cents.
DELIVERY = {"pickup": 0, "standard": 490, "express": 990}
TAX_PER_CENT = 20


def money(minor):
    return "%d.%02d" % divmod(minor, 100)


def grouped(number, sign):
    return "{:,}".format(number).replace(",", sign)


NARROW, NO_BREAK = "\u202f", "\u00a0"
# name: currency, decimals that are shown, decimal sign, sign of thousands, what stands around the number
Style = collections.namedtuple("Style", "currency digits decimal thousands form")
STYLES = {
    "plain": Style("EUR", 2, ".", "", "%s EUR"),
    "front": Style("EUR", 2, ".", ",", "€%s"),
    "euro": Style("EUR", 2, ",", NARROW, "%s" + NO_BREAK + "€"),
    "dotted": Style("EUR", 2, ",", ".", "%s EUR"),
    "whole": Style("EUR", 0, ",", NO_BREAK, "%s" + NO_BREAK + "€"),
    "yen": Style("JPY", 0, ".", ",", "¥%s"),
}
CHARSETS = ("utf-8", "iso-8859-1", "windows-1252")


class Look:
    def __init__(self, style="plain", charset="utf-8", tax="incl"):
        self.style, self.charset, self.tax = STYLES[style], charset, tax
        self.currency, self.digits = self.style.currency, self.style.digits

    def of(self, cents):
        """A price of the catalogue in what this shop counts in: nothing costs less than it does elsewhere."""
        if self.currency == "JPY":
            return cents * 16 // 10
        return cents if self.digits == 2 else -(-cents // 100)

    def price(self, product):
        return self.of(product.price)

    def decimal(self, amount):
        """As programs write it: 1234.50, 1234."""
        whole, rest = divmod(abs(amount), 10 ** self.digits)
        text = "%d.%0*d" % (whole, self.digits, rest) if self.digits else "%d" % whole
        return ("-" if amount < 0 else "") + text

    def text(self, amount):
        """As people read it: 1 234,50 €."""
        whole, rest = divmod(abs(amount), 10 ** self.digits)
        number = grouped(whole, self.style.thousands)
        if self.digits:
            number += "%s%0*d" % (self.style.decimal, self.digits, rest)
        return ("-" if amount < 0 else "") + self.style.form % number

    def encode(self, text):
        """Octets of a page: what the charset does not have becomes a character reference, as browsers and old
        shops do (there is no euro sign in ISO-8859-1)."""
        return text.encode(self.charset, "xmlcharrefreplace")


# ---- what a cart comes to ----

Totals = collections.namedtuple("Totals", "goods discount delivery tax total")
# code: what it takes off, and from which goods on, in cents
COUPONS = {
    "SPRING10": ("per cent", 10, 0),
    "FIVE": ("amount", 500, 0),
    "OVER100": ("amount", 1500, 10000),
    "FREESHIP": ("delivery", 0, 0),
}


def share(amount, part, whole):
    """amount × part / whole, halves upwards."""
    return (2 * amount * part + whole) // (2 * whole)


def discount(look, goods, code):
    if code not in COUPONS:
        return 0
    kind, much, least = COUPONS[code]
    if goods < look.of(least):
        return 0
    return {"per cent": share(goods, much, 100), "amount": min(goods, look.of(much)), "delivery": 0}[kind]


def totals(look, lines, code=None, way=None):
    """lines: [(price, quantity)]. With tax "incl" it is in every amount, else it comes on top of all."""
    goods = sum(price * quantity for price, quantity in lines)
    off = discount(look, goods, code)
    delivery = 0 if way is None or code == "FREESHIP" else look.of(DELIVERY[way])
    before = goods - off + delivery
    if look.tax == "incl":
        return Totals(goods, off, delivery, share(before, TAX_PER_CENT, 100 + TAX_PER_CENT), before)
    tax = share(before, TAX_PER_CENT, 100)
    return Totals(goods, off, delivery, tax, before + tax)
