# SPDX-License-Identifier: Apache-2.0
"""How the shop reads a request and writes an answer: charset, cookies, forms, JSON, gzip, chunks.

A request is `self.part` (the path in its parts), `self.query`, `self.form` (of a form, or the members of a JSON
object) and `self.cookie`; actions are methods called get_NAME and post_NAME by the first part of the path.
"""
import gzip
import hashlib
import http.cookies
import http.server
import json
import secrets
import urllib.parse


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "parcours-shop", ""
    timeout = 75
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    @property
    def shop(self):
        return self.server.shop

    @property
    def look(self):
        return self.server.shop.look

    # ---- the request ----

    def read_request(self):
        self.given = None
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        self.part = [p for p in url.path.split("/") if p]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.form = {}
        if self.headers.get("Content-Type", "").startswith("application/json"):
            try:
                said = json.loads(body)
            except ValueError:
                said = None
            self.form = {k: str(v) for k, v in said.items()} if isinstance(said, dict) else {}
        else:  # a browser sends a form in the charset of its page
            self.form = dict(urllib.parse.parse_qsl(body.decode("ascii", "replace"), encoding=self.look.charset))
        jar = http.cookies.SimpleCookie(self.headers.get("Cookie", ""))
        self.cookie = jar["cart"].value if "cart" in jar else None

    def need_cookie(self):
        """The session, begun now where the request has none."""
        if self.cookie is None:
            self.give_cookie(secrets.token_hex(16))
        return self.cookie

    def give_cookie(self, value):
        self.cookie = self.given = value

    def at(self, place, default=""):
        return self.part[place] if len(self.part) > place else default

    # ---- answers ----

    def head(self, status, kind, **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        if self.given:
            self.send_header("Set-Cookie", "cart=%s; Path=/; HttpOnly; SameSite=Lax" % self.given)
        if status not in (204, 304):
            self.send_header("Content-Type", kind)

    def packs(self):
        return self.shop.gzip and "gzip" in self.headers.get("Accept-Encoding", "")

    def answer(self, status, body=b"", kind=None, **fields):
        """A text that says nothing of its kind is a page."""
        if kind is None:
            kind = "text/html; charset=" + self.look.charset
        if isinstance(body, str):
            body = self.look.encode(body)
        if self.shop.chunks and kind.startswith("text/html") and body:
            return self.chunked([body[i:i + 700] for i in range(0, len(body), 700)], status, **fields)
        if len(body) > 200 and self.packs():
            body, fields["Content_Encoding"] = gzip.compress(body, 6), "gzip"
        self.head(status, kind, **fields)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)

    def chunked(self, parts, status=200, **fields):
        """A page that is written as it is made."""
        parts = [self.look.encode(p) if isinstance(p, str) else p for p in parts]
        if self.packs():
            packed = gzip.compress(b"".join(parts), 6)
            parts, fields["Content_Encoding"] = [packed[:100], packed[100:]], "gzip"
        self.head(status, "text/html; charset=" + self.look.charset, Transfer_Encoding="chunked", **fields)
        self.end_headers()
        if self.command != "HEAD":
            for part in parts:
                if part:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")

    def json(self, status, value):
        self.answer(status, json.dumps(value).encode(), "application/json")

    def redirect(self, to):
        self.answer(302, Location=to)

    def fixed(self, body, kind):
        tag = '"%s"' % hashlib.sha256(body).hexdigest()[:16]
        if self.headers.get("If-None-Match") == tag:
            return self.answer(304, ETag=tag)
        return self.answer(200, body, kind, ETag=tag, Cache_Control="max-age=60")
