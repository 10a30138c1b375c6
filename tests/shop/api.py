# SPDX-License-Identifier: Apache-2.0
"""The shop as a JSON interface, for pages that are scripts: each change is answered with the cart as it is now.

    GET /api/products [/ID]   GET /api/stock   GET /api/cart   GET /api/checkout
    POST /api/cart/items {product, quantity}    PATCH, DELETE /api/cart/items/ID    POST /api/cart/coupon {code}
    POST /api/checkout/contact|address|shipping|payment    GET /api/orders/NUMBER (as the script shows it again)
"""
import time

from catalogue import BY_ID, PRODUCTS
from checkout import CheckoutPages
from store import Refused


class Api(CheckoutPages):
    def shown(self, cart):
        """`lines` is short, for counters; `items` is everything."""
        look = self.look
        if cart is None:
            return {"id": None, "lines": {}, "items": [], "quantity": 0, "value": look.decimal(0), "total": look.decimal(0),
                    "currency": look.currency}
        return {"id": cart.id, "lines": {str(p.id): n for p, n, _ in cart.lines},
                "items": [{"product": p.id, "slug": p.slug, "name": p.name, "quantity": n, "price": look.decimal(price),
                           "sum": look.decimal(price * n)} for p, n, price in cart.lines],
                "quantity": cart.quantity, "coupon": cart.coupon, "discount": look.decimal(cart.totals.discount),
                "value": look.decimal(cart.value), "total": look.decimal(cart.totals.total), "currency": look.currency}

    def ordered(self, order):
        look = self.look
        return {"number": order["number"], "id": order["id"], "cart": order["cart"], "currency": look.currency,
                "payment": {"status": order["payment_status"]},
                "items": [{"product": p.id, "name": p.name, "quantity": n, "price": look.decimal(price)}
                          for p, n, price in self.shop.store.lines_of(order)],
                **{name: look.decimal(order[name]) for name in ("goods", "discount", "delivery", "tax", "total")}}

    def get_api(self):
        what, store = self.at(1), self.shop.store
        if what == "products":
            found = BY_ID.get(int(self.at(2))) if self.at(2).isdigit() else None
            if len(self.part) == 2:
                return self.json(200, [p._asdict() for p in PRODUCTS])
            return self.json(200, found._asdict()) if found else self.json(404, {"error": "unknown product"})
        if what == "cart":
            if self.shop.cookies == "first":
                self.need_cookie()
            return self.json(200, self.shown(store.cart(self.cookie)))
        if what == "checkout":
            cart = store.complete(self.need_cookie(), "checkout")
            return self.json(200, {"cart": self.shown(cart)}) if cart else self.json(409, {"error": "The cart is empty."})
        if what == "orders":
            order = store.order(self.at(2))
            return self.json(200, {"order": self.ordered(order)}) if order else self.json(404, {"error": "unknown order"})
        if what == "stock":
            return self.json(200, {p.slug: p.stock for p in PRODUCTS})
        if what == "events":
            return self.events()
        return self.json(404, {"error": "unknown resource"})

    def events(self):
        """An event stream that says something every half second, until the visitor leaves."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.close_connection = True
        while True:
            self.wfile.write(b"data: %d\n\n" % time.monotonic_ns())
            time.sleep(0.5)

    def post_api(self):
        if self.at(1) == "beacon":
            return self.answer(204)
        try:
            if self.at(1) == "cart":
                return self.json(200, self.shown(self.change_of_cart()))
            if self.at(1) == "checkout":
                return self.step_of_checkout(self.at(2))
        except Refused as why:
            return self.json(why.status, {"error": why.reason, "code": why.what, "cart": self.shown(self.shop.store.cart(self.cookie))})
        return self.json(404, {"error": "unknown resource"})

    def change_of_cart(self):
        store = self.shop.store
        if self.command == "POST" and self.at(2) == "coupon":
            return store.redeem(self.need_cookie(), self.form.get("code", ""))
        if self.command == "POST" and self.at(2) == "items":
            return store.add(self.need_cookie(), self.product_of_form(), self.pieces_of_form())
        if self.command in ("PATCH", "DELETE") and self.at(2) == "items":
            self.form["product"] = self.at(3)
            return store.put(self.need_cookie(), self.product_of_form(), self.pieces_of_form() if self.command == "PATCH" else 0)
        raise Refused(None, 404, "resource", "unknown resource")

    def step_of_checkout(self, step):
        store, form = self.shop.store, self.form
        if step == "payment":
            return self.pay_by_api()
        fields = {"contact": {"email": form.get("email")}, "address": {"street": form.get("street")},
                  "shipping": {"way": form.get("method")}}
        if step not in fields:
            return self.json(404, {"error": "unknown step"})
        cart = store.complete(self.need_cookie(), step, **fields[step])
        return self.json(200, {"step": step, "cart": self.shown(cart)}) if cart else self.json(409, {"error": "The cart is empty."})

    def pay_by_api(self):
        store, method = self.shop.store, self.form.get("method", "card")
        cart, order = store.to_pay(self.need_cookie(), self.form.get("cart"))
        if cart is None:
            return self.json(409, {"error": "The cart is empty."})
        if order is None and method == "elsewhere":
            page = self.shop.payment_page(cart)
            if page is None:
                return self.json(503, {"error": "The payment service does not answer.", "code": "service"})
            return self.json(200, {"redirect": page, "cart": self.shown(cart)})
        again = order is not None
        order = order or store.pay(self.cookie, method, self.form.get("card", ""), self.form.get("cart"))
        return self.json(200 if again else 201, {"order": self.ordered(order)})
