# SPDX-License-Identifier: Apache-2.0
"""Accounts of customers, and the office of the shop. Both show orders again, and none of that is an order:
/account/orders, /account/orders/NUMBER, /office/orders, /office/orders/NUMBER, /office/export.csv.

Who works here is told by a cookie `role=staff`; nothing of this is a secret.
"""
import pages
from api import Api
from store import Refused


class Accounts(Api):
    def get_account(self):
        store, who = self.shop.store, self.shop.store.account(self.cookie)
        if self.at(1) == "logout":
            if self.cookie:
                store.log_out(self.cookie)
                self.given = "; Max-Age=0"
            return self.redirect("/")
        if self.at(1) == "orders" and who:
            return self.history("/account/orders", store.orders_of(who["id"]), self.at(2))
        return self.answer(200, pages.account(self.look, who))

    def post_account(self):
        """The session gets another name when somebody says who he is."""
        store, action = self.shop.store, self.at(1)
        try:
            if action not in ("login", "signup"):
                raise Refused(None, 404, "page", "There is no such page.")
            enter = store.log_in if action == "login" else store.sign_up
            self.give_cookie(enter(self.cookie, self.form.get("email", ""), self.form.get("password", "")))
        except Refused as why:
            return self.answer(why.status, pages.account(self.look, None, why.reason))
        return self.redirect("/account")

    def get_office(self):
        if "role=staff" not in self.headers.get("Cookie", ""):
            return self.answer(403, pages.page(self.look, "Office", "<p>For those who work here.</p>"))
        found = self.shop.store.all("SELECT * FROM placed ORDER BY at DESC LIMIT 500")
        if self.at(1) == "export.csv":
            return self.answer(200, pages.export(self.look, found), "text/csv; charset=" + self.look.charset)
        return self.history("/office/orders", found, self.at(2))

    def history(self, base, found, number):
        if not number:
            return self.answer(200, pages.orders(self.look, "Orders", base, found))
        order = next((o for o in found if o["number"] == number), None)
        if order is None:
            return self.answer(404, pages.page(self.look, "Not found", "<p>No such order.</p>"))
        return self.answer(200, pages.past_order(self.look, "Order " + number, order, self.shop.store.lines_of(order)))
