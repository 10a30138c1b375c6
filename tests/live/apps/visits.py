#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A small shop with sessions of several kinds, for tests/live/visits.py: `visits.py PORT`.

The first part of the path chooses how visitors are told apart: /named (a cookie that lists know),
/own (a cookie of the shop's own), /late (none before the basket, another name after it), /url (an id in
the URL), /none. A login gives another value, a logout takes it away.
"""
import http.server
import secrets
import sys

NAMES = {"named": "PHPSESSID", "own": "besucher", "late": "korb"}


class Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, *fields):
        body = b"<html>shop</html>" if status != 204 else b""
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        kind, _, page = self.path.split("?")[0].lstrip("/").partition("/")
        sent = self.headers.get("Cookie", "")
        name, fields = NAMES.get(kind), []
        if self.headers.get("Content-Length"):
            self.rfile.read(int(self.headers["Content-Length"]))
        if page == "logout" and name:
            fields = [("Set-Cookie", name + "=; Path=/; Max-Age=0")]
        elif name and (page == "login" or name + "=" not in sent) and (kind != "late" or page.startswith("basket")):
            fields = [("Set-Cookie", "%s=%s; Path=/; HttpOnly" % (name, secrets.token_hex(16)))]
            if kind == "late" and page == "basket":
                fields.append(("Set-Cookie", "kasse=%s; Path=/" % secrets.token_hex(16)))
        self.answer(302 if page in ("login", "logout") else 200, *fields)

    do_POST = do_HEAD = do_OPTIONS = do_GET

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
