# SPDX-License-Identifier: Apache-2.0
"""Cart, checkout, payment and order as an old shop does it: forms that are answered 302, and the page after that
shows what came of them. The other way to the same cart is api.py."""
import time

import pages
from answers import Answers
from catalogue import BY_ID
from store import Refused


class CheckoutPages(Answers):
    """Actions of the handler."""

    # ---- cart ----

    def show_cart(self, status=200, problem=""):
        return self.answer(status, pages.cart(self.look, self.shop.store.cart(self.cookie), problem))

    def get_cart(self):
        self.show_cart()

    def product_of_form(self):
        number = self.form.get("product", "")
        product = BY_ID.get(int(number)) if number.isdigit() else None
        if product is None:
            raise Refused(None, 400, "product", "Unknown product.")
        return product

    def pieces_of_form(self):
        text = self.form.get("quantity") or "1"
        if not text.isdigit():
            raise Refused(None, 400, "quantity", "How many?")
        return int(text)

    def post_cart(self):
        store, action = self.shop.store, self.at(1)
        try:
            if action == "add":
                store.add(self.need_cookie(), self.product_of_form(), self.pieces_of_form())
            elif action == "update":
                store.put(self.need_cookie(), self.product_of_form(), self.pieces_of_form())
            elif action == "remove":
                store.put(self.need_cookie(), self.product_of_form(), 0)
            elif action == "coupon":
                store.redeem(self.need_cookie(), self.form.get("code", ""))
            else:
                return self.answer(404, pages.page(self.look, "Not found", "<p>There is no such page.</p>"))
        except Refused as why:
            return self.show_cart(why.status, why.reason)
        return self.redirect("/cart")

    # ---- checkout ----

    def get_checkout(self):
        step = self.at(1)
        if step and step not in pages.FIELDS:
            return self.answer(404, pages.page(self.look, "Not found", "<p>No such step.</p>"))
        if self.shop.store.cart(self.cookie) is None:
            return self.redirect("/cart")
        if not step:
            return self.redirect("/checkout/contact")
        cart = self.shop.store.complete(self.cookie, "checkout")
        problem = "The payment was refused." if "refused" in self.query else ""
        return self.answer(200, pages.checkout(self.look, step, cart, problem))

    def post_checkout(self):
        store, step, form = self.shop.store, self.at(1), self.form
        ways = {"contact": ("address", lambda: {"email": form.get("email")}),
                "address": ("shipping", lambda: {"street": form.get("street")}),
                "shipping": ("payment", lambda: {"way": form.get("method", "standard")})}
        if step == "payment":
            return self.pay()
        if step not in ways:
            return self.answer(404, pages.page(self.look, "Not found", "<p>No such step.</p>"))
        after, fields = ways[step]
        try:
            cart = store.complete(self.cookie, step, **fields())
        except Refused as why:
            return self.answer(why.status, pages.checkout(self.look, step, store.cart(self.cookie), why.reason))
        return self.redirect("/checkout/" + after if cart else "/cart")

    def pay(self):
        store, method = self.shop.store, self.form.get("method", "card")
        cart, order = store.to_pay(self.need_cookie(), self.form.get("cart"))
        if cart is None:
            return self.redirect("/cart")
        if order is None and method == "elsewhere":
            page = self.shop.payment_page(cart)
            if page is None:
                return self.answer(503, pages.checkout(self.look, "payment", cart, "The payment service does not answer."))
            return self.redirect(page)
        time.sleep(self.shop.bank / 1000)
        try:
            order = order or store.pay(self.cookie, method, self.form.get("card", ""), self.form.get("cart"))
        except Refused as why:
            return self.answer(why.status, pages.checkout(self.look, "payment", cart, why.reason))
        return self.redirect("/order/" + order["number"])

    # ---- the provider of payments ----

    def get_payment(self):
        """/payment/return/ID: the customer comes back from the payment page; what became of it, the shop asks."""
        if self.at(1) != "return":
            return self.answer(404, pages.page(self.look, "Not found", "<p>No such page.</p>"))
        state = self.shop.state_of_payment(self.at(2))
        order = self.shop.store.settled(self.at(2), state) if state else None
        if order:
            return self.redirect("/order/" + order["number"])
        return self.redirect("/checkout/payment" + ("?refused=1" if state == "refused" else ""))

    def post_payment(self):
        """/payment/notify: the provider tells by itself. Its answer is for a machine and no landing page."""
        if self.at(1) != "notify":
            return self.answer(404)
        order = self.shop.store.settled(self.form.get("payment", ""), self.form.get("status"))
        return self.json(200, {"accepted": True, "payment": self.form.get("payment"), "order": order and order["number"]})

    # ---- order ----

    def get_order(self):
        order = self.shop.store.order(self.at(1))
        if order is None:
            return self.answer(404, pages.page(self.look, "Not found", "<p>No such order.</p>"))
        return self.answer(200, pages.order(self.look, order, self.shop.store.lines_of(order)))
