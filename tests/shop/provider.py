#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A payment provider: another host with a page of its own, where customers of the shop pay. Standard library only.

    POST /payments {cart, amount, currency, digits}  the shop begins a payment → 201 {id, status}
    GET  /payments/ID                 the shop asks how it stands → {id, cart, amount, currency, status}
    GET  /pay/ID                      the page; POST /pay/ID {card, notify} → 302 back to the shop

A card that ends in 0002 is refused. The shop is told (POST /payment/notify: payment, cart, status, amount,
currency) as the form's `notify` says: "before" the customer is sent back, "after" that, or "none". Who never
sends the form has left at the payment page; who does not follow the redirect never returned.

    provider.py --port 9000 --notify-port 8080 --shop http://shop.example:8080
"""
import argparse
import http.client
import http.server
import json
import sys
import threading
import traceback
import urllib.parse
import uuid


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "parcours-provider", ""
    timeout = 75
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", kind="text/html; charset=utf-8", **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def json(self, status, value):
        self.answer(status, json.dumps(value).encode(), "application/json")

    def payment(self):
        return self.server.payments.get(urllib.parse.urlsplit(self.path).path.rsplit("/", 1)[1])

    def do_GET(self):
        payment = self.payment()
        if payment is None:
            return self.answer(404, b"no such payment\n", "text/plain")
        if self.path.startswith("/payments/"):
            return self.json(200, payment)
        return self.answer(200, b'<!doctype html><title>Pay</title><p>Please pay <b id="amount">%s</b> %s.</p>'
                           b'<form method="post"><input name="card"><input type="hidden" name="notify" value="before">'
                           b"<button>Pay</button></form>" % (decimal(payment).encode(), payment["currency"].encode()))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/payments":
            said = json.loads(body)
            payment = {"id": "pay_" + uuid.uuid4().hex[:16], "status": "open",
                       **{k: said[k] for k in ("cart", "amount", "currency", "digits")}}
            self.server.payments[payment["id"]] = payment
            return self.json(201, payment)
        payment, form = self.payment(), dict(urllib.parse.parse_qsl(body.decode()))
        if payment is None:
            return self.answer(404, b"no such payment\n", "text/plain")
        if payment["status"] != "paid":  # a second click
            payment["status"] = "refused" if form.get("card", "").endswith("0002") else "paid"
        notify = form.get("notify", "before")
        if notify == "before":
            self.server.notify(payment)
        self.answer(302, Location="%s/payment/return/%s" % (self.server.shop, payment["id"]))
        if notify == "after":
            threading.Timer(0.3, self.server.notify, (dict(payment),)).start()


def decimal(payment):
    whole, rest = divmod(payment["amount"], 10 ** payment["digits"])
    return "%d.%0*d" % (whole, payment["digits"], rest) if payment["digits"] else str(whole)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port, notify_port, shop):
        super().__init__(("127.0.0.1", port), Handler)
        self.payments, self.notify_port, self.shop = {}, notify_port, shop

    def notify(self, payment):
        """The provider's own call; a shop that does not answer is not told again."""
        connection = http.client.HTTPConnection("127.0.0.1", self.notify_port, timeout=10)
        try:
            connection.request("POST", "/payment/notify", urllib.parse.urlencode({
                "payment": payment["id"], "cart": payment["cart"], "status": payment["status"],
                "amount": decimal(payment), "currency": payment["currency"]}), {
                    "Host": urllib.parse.urlsplit(self.shop).netloc, "User-Agent": "parcours-provider/1",
                    "Content-Type": "application/x-www-form-urlencoded"})
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()

    def handle_error(self, request, client_address):
        """A customer who leaves in the middle is no error."""
        if not isinstance(sys.exc_info()[1], OSError):
            traceback.print_exc()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--notify-port", type=int, required=True)
    parser.add_argument("--shop", required=True)
    options = parser.parse_args()
    try:
        Server(options.port, options.notify_port, options.shop).serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
