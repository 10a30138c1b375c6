# SPDX-License-Identifier: Apache-2.0
"""What customers of Vendure do (vendure_people.py): one function a kind of journey. A visit that leaves a cart only ends;
`again` comes back when its visit is over.
"""
import time

TEAPOT, KETTLE, CUP, SAUCER, BOWL, POT, SMALL, MIDDLE, LARGE = range(1, 10)  # products.csv


def looks(c):
    c.search("tea")
    c.view("blend")
    c.view("kettle")
    c.view("blend")
    c.ask("query", "products", None, "{ items { id name variants { id } } }")


def some(c):
    c.view("teapot")
    c.add(TEAPOT)
    c.add(POT, 2)
    c.add(SMALL, 3)
    c.look()


def left_cart(c):
    some(c)
    c.adjust(POT, 5)
    c.remove(SMALL)


def left_checkout(c):
    some(c)
    c.begin()
    c.view("cup")


def left_contact(c):
    some(c)
    c.begin()
    c.contact()


def left_address(c):
    some(c)
    c.begin()
    c.contact()
    c.address()
    c.view("saucer")


def left_shipping(c):
    some(c)
    c.coupon("THIRD")
    c.checkout(2)
    c.look()


def left_refused(c):
    some(c)
    c.checkout()
    c.declined()


def left_in_part(c):
    """A gift card pays a part, and the rest is not paid."""
    some(c)
    c.checkout()
    c.change("addPaymentToOrder", c.payment("gift-card", {"worth": 1000}), "payment")


def orders(c):
    looks(c)
    some(c)
    c.checkout()
    c.look()
    c.pay()
    c.look()


def orders_with_coupons(c):
    c.add(LARGE, 7)
    c.add(CUP, 11)
    c.coupon("TEN")
    c.coupon("FIVE")
    c.coupon("NONE", fails="cart")
    c.checkout(2)
    c.pay()


def orders_without_shipping(c):
    c.add(MIDDLE, 3)
    c.coupon("SHIP")
    c.coupon("THIRD")
    c.uncoupon("THIRD")
    c.checkout()
    c.pay()


def orders_changed(c):
    some(c)
    c.adjust(POT, 9)
    c.adjust(POT, 4)
    c.adjust(SMALL, 0)
    c.add(SMALL, 1)
    c.remove(TEAPOT)
    c.add(TEAPOT, 2)
    c.checkout()
    c.pay()


def orders_many(c):
    for variant in (TEAPOT, KETTLE, CUP, SAUCER, POT, SMALL, MIDDLE, LARGE):
        c.add(variant, 1 + variant % 4)
    c.checkout()
    c.pay()


def orders_after_refusals(c):
    some(c)
    c.checkout()
    c.declined()
    c.declined("shouldError")
    c.arrange("AddingItems")
    c.add(KETTLE)
    c.arrange()
    c.pay()


def orders_by_two_clicks(c):
    some(c)
    c.checkout()
    body = c.front.request("mutation", "addPaymentToOrder", c.payment("standard-payment", {}),
                           c.front.selection(c.front.order(), "payment"))
    c.at_once([body] * 3)
    c.ordered()


def orders_by_invoice(c):
    some(c)
    c.checkout()
    code = c.code
    c.pay("invoice")
    c.history(code)
    c.history(code)
    c.look()


def orders_in_parts(c):
    some(c)
    c.checkout()
    c.change("addPaymentToOrder", c.payment("gift-card", {"worth": 700}), "payment")
    c.pay()


def orders_twice(c):
    some(c)
    c.checkout()
    c.pay()
    c.add(KETTLE, 2)
    c.checkout(2)
    c.pay("invoice")


def orders_and_leaves_another(c):
    some(c)
    c.checkout()
    c.pay()
    c.add(CUP, 6)
    c.look()


def empties(c):
    some(c)
    c.change("removeAllOrderLines")


def empties_by_numbers(c):
    c.add(CUP, 2)
    c.adjust(CUP, 0)


def empties_and_orders(c):
    c.add(CUP, 2)
    c.remove(CUP)
    c.add(SAUCER, 4)
    c.checkout()
    c.pay()


def wants_too_many(c):
    """There are only seven of them, and then no more than 40 of a kind."""
    shown = "" if c.style == "sparse" else "order { %s }" % c.front.order()
    c.add(CUP)
    c.add(BOWL, 20, fails="cart", more="... on InsufficientStockError { quantityAvailable %s }" % shown)
    c.add(CUP, 41, fails="cart")
    c.look()


def adds_at_once(c):
    c.add(CUP)
    body = [c.front.request("mutation", "addItemToOrder", {"productVariantId": ("ID!", str(v)), "quantity": ("Int!", n)},
                            c.front.selection(c.front.order())) for v, n in ((TEAPOT, 2), (TEAPOT, 2), (KETTLE, 1))]
    c.at_once(body)
    c.look()
    c.checkout()
    c.pay()


def member(c):
    name = "kundin.%d@example.org" % c.who
    c.sign_up(name)
    c.log_in(name, "falsch")
    c.log_in(name)
    some(c)
    c.checkout()
    code = c.code
    c.pay()
    c.history(code)


def member_with_a_cart(c):
    """Signs in with a cart, and leaves it."""
    name = "mitglied.%d@example.org" % c.who
    c.sign_up(name)
    some(c)
    c.log_in(name)
    c.look()
    c.begin()
    c.address()


def member_with_two(c):
    """The cart of the account and the one of before the login become one, of another number."""
    name = "zwei.%d@example.org" % c.who
    c.sign_up(name)
    c.log_in(name)
    c.add(KETTLE)
    c.ask("mutation", "logout", None, "{ success }")
    c.code, c.lines = None, {}
    c.visit["member"] = False
    c.add(CUP, 3)
    c.log_in(name)
    c.look()
    c.checkout()
    c.pay()


def again(c):
    """Leaves a cart, comes back when the visit is over, and orders."""
    some(c)
    c.leave()
    time.sleep(c.world.gap)
    c.comes()
    c.look()
    c.add(KETTLE)
    c.checkout()
    c.pay()


KINDS = {f.__name__: f for f in (
    looks, left_cart, left_checkout, left_contact, left_address, left_shipping, left_refused, left_in_part, orders,
    orders_with_coupons, orders_without_shipping, orders_changed, orders_many, orders_after_refusals, orders_by_two_clicks,
    orders_by_invoice, orders_in_parts, orders_twice, orders_and_leaves_another, empties, empties_by_numbers, empties_and_orders,
    wants_too_many, adds_at_once, member, member_with_a_cart, member_with_two, again)}
