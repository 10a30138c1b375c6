# SPDX-License-Identifier: Apache-2.0
"""Two hundred kinds of what must not leave a host, as requests and responses that carry them.

Everything is made up, from one seed, and different in each kind, so that what is found says where it came from.
A kind names its needles itself: whole values, and each part of them that would be a secret alone. `shown`: with
`--privacy none` some output has it, which proves that it came by the agent at all; what no mode exports has False.
A name of a person's own in a path (/users/john.smith) cannot be told from any other word and is no kind.
"""
import base64
import json
import random
import re
import urllib.parse

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
rng = random.Random(200)
HEX, LETTERS = "0123456789abcdef", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
made = {"word": 0, "v4": 0, "v6": 0}


def pick(letters, count):
    return "".join(rng.choice(letters) for _ in range(count))


def hexa(count=32):
    return pick(HEX, count)


def token(count=32):
    """As encoders make them: never a word by chance."""
    return pick(LETTERS, count - 4) + "7xK2"


def b64(text):
    return base64.b64encode(text.encode()).decode()


def jwt():
    part = lambda o: base64.urlsafe_b64encode(json.dumps(o).encode()).decode().rstrip("=")
    return ".".join((part({"kid": token(12), "alg": "HS256"}), part({"sub": token(12), "email": email()}), token(43)))


def word():
    """A password as people choose them."""
    made["word"] += 1
    return "%s%s%d" % (rng.choice(("gryphon", "lantern", "meadow", "thistle")), pick("bcdfghjklmnpqrstvwxz", 6), made["word"])


def email():
    return "%s.%s@post.example" % (rng.choice(("mara", "jonas", "amelie")), pick("bcdfghklmnprstvz", 9))


def card():
    """Sixteen digits that pass Luhn's check."""
    digits = "4" + pick("0123456789", 14)
    total = sum(sum(divmod(int(d) * (2 - i % 2), 10)) for i, d in enumerate(digits))
    return digits + str(-total % 10)


def fours(digits, between):
    return between.join(re.findall("....", digits))


def iban():
    return "DE" + pick("123456789", 20)


def phone():
    return "+49151" + pick("123456789", 8)


def uuid():
    return "-".join((hexa(8), hexa(4), "4" + hexa(3), "a" + hexa(3), hexa(12)))


def v4():
    made["v4"] += 1
    return "203.0.%d.%d" % (113 + made["v4"] // 200, 20 + made["v4"] % 200)


def v6():
    made["v6"] += 1
    return "2001:db8:7:%x:%s:%s:1:%x" % (0xbe00 + made["v6"], "c" + hexa(3), "b" + hexa(3), made["v6"])


class Kind:
    """One request, and what the application answers to it."""

    def __init__(self, name, *needles, target="/shop", method="GET", host="shop.example", fields=(), body="", status=200,
                 answer=(), text="<html><body>hello</body></html>", shown=False, extra="", agent=AGENT, version="1.1"):
        self.name, self.shown, self.status, self.answer, self.text = name, shown, status, list(answer), text
        self.method, self.target, self.host, self.fields = method, target, host, list(fields)
        self.body, self.extra, self.agent, self.version = body, extra, agent, version
        self.needles = {n.lower().encode() for n in needles}
        assert needles and all(len(n) >= 7 for n in needles), (name, needles)

    def request(self, number):
        body = self.body.encode()
        lines = ["%s %s HTTP/%s" % (self.method, self.target, self.version), "Host: " + self.host, "X-Case: %d" % number,
                 "Connection: close"]
        lines += ["%s: %s" % pair for pair in self.fields]
        names = {n.lower() for n, _ in self.fields}
        if "accept" not in names:
            lines.append("Accept: text/html")
        if self.agent and "user-agent" not in names:
            lines.append("User-Agent: " + self.agent)
        if body and "transfer-encoding" not in names:
            lines.append("Content-Length: %d" % len(body))
        return self.extra.encode() + "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def response(self):
        names = {n.lower() for n, _ in self.answer}
        fields = list(self.answer)
        if "content-type" not in names:
            fields.append(("Content-Type", "text/html; charset=utf-8"))
        body = self.text.encode() if self.status != 101 else b""
        if "transfer-encoding" not in names and self.status != 101:
            fields.append(("Content-Length", str(len(body))))
        reason = "OK" if isinstance(self.status, int) else self.status.split(" ", 1)[1]
        status = str(self.status).split(" ")[0]
        return ("HTTP/1.1 %s %s\r\n" % (status, reason) + "".join("%s: %s\r\n" % f for f in fields) + "Connection: close\r\n\r\n"
                ).encode() + body


def field(title, name, value, *needles, **more):
    return Kind(title, *(needles or (value,)), fields=[(name, value)], **more)


def authorizations():
    for scheme in ("Bearer", "Negotiate", "NTLM", "Token", "ApiKey", "DPoP", "GNAP", "SharedKey", "PrivateToken", "SCRAM-SHA-256"):
        yield field("Authorization " + scheme, "Authorization", scheme + " " + (value := token()), value)
    user, password = email(), word()
    yield field("Authorization Basic", "Authorization", "Basic " + b64(user + ":" + password), user, password, b64(user + ":" + password))
    user, answer, nonce = word(), hexa(), hexa()
    yield field("Authorization Digest", "Authorization", 'Digest username="%s", realm="shop", nonce="%s", uri="/shop", response="%s"'
                % (user, nonce, answer), user, answer, nonce)
    key, sign = "AKIA" + pick("ABCDEFGHIJKLMNOP", 16), hexa(64)
    yield field("Authorization AWS4", "Authorization", "AWS4-HMAC-SHA256 Credential=%s/20240101/eu-west-1/s3/aws4_request, "
                "SignedHeaders=host, Signature=%s" % (key, sign), key, sign)
    for scheme, form in (("Hawk", 'Hawk id="%s", mac="%s"'), ("OAuth", 'OAuth oauth_token="%s", oauth_signature="%s"'),
                         ("Signature", 'Signature keyId="%s",signature="%s"'), ("vapid", "vapid t=%s, k=%s"),
                         ("Mutual", 'Mutual sid="%s", vks="%s"'), ("HOBA", 'HOBA result="%s.%s"')):
        one, two = token(20), token(40)
        yield field("Authorization " + scheme, "Authorization", form % (one, two), one, two)
    yield field("Authorization without a scheme", "Authorization", value := token(), value)
    yield field("Authorization that is a word", "Authorization", value := word())
    yield field("Authorization JWT", "Authorization", "Bearer " + (value := jwt()), *value.split("."))
    yield Kind("Authorization twice", one := token(), two := token(),
               fields=[("Authorization", "Bearer " + one), ("authorization", "Basic " + two)])
    yield field("Proxy-Authorization", "Proxy-Authorization", "Basic " + (value := b64(word() + ":" + word())), value)
    yield Kind("WWW-Authenticate", value := token(), status=401, answer=[("WWW-Authenticate", 'Digest nonce="%s"' % value)])
    yield Kind("Authentication-Info", value := token(), answer=[("Authentication-Info", 'nextnonce="%s"' % value)])


COOKIES = """PHPSESSID JSESSIONID ASP.NET_SessionId .AspNetCore.Session connect.sid laravel_session sessionid SESSION _session_id
wp_woocommerce_session_9c6b PrestaShop-4f2a OCSESSID dwsid _shopify_y SHOP_SESSION_TOKEN osCsid zenid Nop.customer session-1 CFID
fe_typo_user SSESS4e1c SID wordpress_logged_in_77 _ga _pk_id.1 ajs_anonymous_id csrftoken XSRF-TOKEN AWSALB __cf_bm CookieConsent
remember_me access_token refresh_token cart visitor""".split()


def cookies():
    for name in COOKIES:
        value = token(26)
        yield Kind("cookie " + name, value, fields=[("Cookie", "theme=dark; %s=%s" % (name, value))])
    for name in ("PHPSESSID", "JSESSIONID", "connect.sid", "auth", "wordpress_logged_in_1"):
        value = token(26)
        yield Kind("Set-Cookie " + name, value, answer=[("Set-Cookie", "%s=%s; Path=/; HttpOnly" % (name, value))])
    value = token(26)
    yield Kind("cookie that is set and sent", value, fields=[("Cookie", "basket=" + value)], answer=[("Set-Cookie", "basket=" + value)])
    user, value = email(), token(20)
    yield Kind("Set-Cookie with a person", user, value, answer=[("Set-Cookie", "user=%s|%s; Domain=shop.example" % (user, value))])
    yield Kind("name of a cookie", value := token(24), fields=[("Cookie", value + "=1")])
    yield Kind("name of a cookie that is set", value := token(24), answer=[("Set-Cookie", value + "=1")])
    yield Kind("cookie JWT", *(value := jwt()).split("."), fields=[("Cookie", "id_token=" + value)])
    yield Kind("cookie in quotes", value := word(), fields=[("Cookie", 'pw="%s"' % value)])
    yield Kind("two lines of cookies", one := token(), two := token(), fields=[("Cookie", "a=" + one), ("Cookie", "b=" + two)])


KEYS = """X-Api-Key Api-Key X-Auth-Token X-Access-Token X-Token X-Password X-CSRF-Token X-Amz-Security-Token X-Goog-Api-Key
X-Shopify-Access-Token X-Vault-Token Private-Token X-Gitlab-Token X-Hub-Signature-256 X-Session-Id X-Authorization
Ocp-Apim-Subscription-Key Sec-WebSocket-Key Last-Event-ID If-None-Match Idempotency-Key X-Request-Id X-Correlation-Id X-Device-Id
X-Client-Cert DPoP Signature X-Magento-Vary X-Shopware-Context-Token Vendure-Auth-Token""".split()


def keys():
    for name in KEYS:
        yield field("field " + name, name, token())
    for name, value in (("X-User-Email", email()), ("From", email()), ("X-Forwarded-User", word()), ("X-MSISDN", phone()),
                        ("X-SSL-Client-S-DN", "CN=" + word()), ("X-Card", card()), ("Origin", "http://%s:x@shop.example" % word())):
        yield field("field " + name, name, value, re.sub(r"^CN=|^http://|:x@.*", "", value))
    yield field("name of a field", "X-" + (name := token(24)), "1", name)
    for name in ("X-Auth-Token", "ETag", "X-Request-Id", "Server", "Via", "X-User", "Vendure-Auth-Token"):
        value = token()
        yield Kind("field of a response " + name, value, answer=[(name, '"%s"' % value if name == "ETag" else value)])
    user = email()
    yield Kind("file in Content-Disposition", user, answer=[("Content-Disposition", 'inline; filename="%s.html"' % user)])


def in_queries():
    for name, value in (("password", word()), ("token", token()), ("code", token(12)), ("email", email()), ("phone", phone()),
                        ("card", card()), ("iban", iban()), ("q", word()), ("session_id", uuid()), ("gclid", token(60)),
                        ("utm_content", email()), ("user[name]", word()), ("ip", v4()), ("jwt", jwt()), ("PHPSESSID", token(26)),
                        ("cart", token(20)), ("state", b64(word()))):
        yield Kind("query %s" % name, value, target="/shop?page=2&%s=%s" % (name, value), shown=True)
    sign, key = hexa(64), "AKIA" + pick("ABCDEFGHIJKLMNOP", 16)
    yield Kind("signed URL of Amazon", sign, key, shown=True, target="/f?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%s%%2F20240101"
               "&X-Amz-Signature=%s" % (key, sign))
    sign = token(43) + "="
    yield Kind("signed URL of Azure", sign[:-1], target="/f?sv=2022-11-02&sp=r&sig=" + urllib.parse.quote(sign), shown=True)
    sign = hexa(256)
    yield Kind("signed URL of Google", sign, target="/f?X-Goog-Expires=900&X-Goog-Signature=" + sign, shown=True)
    one, two = token(60), token(20)
    yield Kind("signed URL of CloudFront", one, two, target="/f?Policy=%s&Key-Pair-Id=%s" % (one, two), shown=True)
    value = email()
    yield Kind("query, percent-encoded", value, target="/shop?m=" + urllib.parse.quote(value, safe=""), shown=True)
    value = email()
    yield Kind("query, encoded twice", value, target="/shop?m=" + urllib.parse.quote(urllib.parse.quote(value, safe="")), shown=True)
    value = word()
    yield Kind("query, every octet encoded", value, target="/shop?m=" + "".join("%%%02x" % ord(c) for c in value), shown=True)
    digits = card()
    yield Kind("card in a query, with plus signs", fours(digits, "+"), target="/shop?c=" + fours(digits, "+"), shown=True)
    yield Kind("query without a name", value := email(), target="/shop?" + value, shown=True)
    yield Kind("query that is a word", value := word(), target="/shop?" + value, shown=True)
    yield Kind("query whose name is a secret", value := token(), target="/shop?%s=1" % value, shown=True)
    yield Kind("query, name in capitals", value := word(), target="/shop?PASSWORD=" + value, shown=True)
    yield Kind("query, parted by semicolons", value := word(), target="/shop?a=1;password=" + value, shown=True)
    yield Kind("query, JSON", value := word(), target='/shop?v={"password":"%s"}' % value, shown=True)
    yield Kind("query with a second question mark", value := word(), target="/shop?a=1?pw=" + value, shown=True)
    yield Kind("URL in a query", value := word(), target="/shop?next=http://u:%s@shop.example/" % value, shown=True)
    yield Kind("fragment that was sent", value := word(), target="/shop#access_token=" + value, shown=True)
    yield Kind("query of a POST", value := word(), target="/shop?pw=" + value, method="POST", body="a=1", shown=True)


def in_paths():
    digits = card()
    for name, value in (
            ("JWT", jwt()), ("e-mail address", email()), ("card", card()), ("card with dashes", fours(digits, "-")), ("IBAN", iban()),
            ("telephone number", phone()), ("UUID", uuid()), ("hex 32", hexa()), ("hex 64", hexa(64)), ("token", token()),
            ("GitHub token", "ghp_" + token(36)), ("Slack token", "xoxb-%s-%s" % (pick("123456789", 12), token(24))),
            ("Stripe key", "sk_live_" + token(24)), ("AWS key", "AKIA" + pick("ABCDEFGHIJKLMNOP", 16)), ("ULID", "01" + pick("ABCDEFGHJKMNPQ0123456789", 24)),
            ("address", v4()), ("address, version 6", v6()), ("customer's number", "customer_" + pick("123456789", 8)),
            ("user-info", "%s:%s@shop" % (word(), word()))):
        parts = [p for p in re.split(r"[.:]", value) if len(p) > 8] if name in ("JWT", "user-info") else [value]
        yield Kind(name + " in a path", *parts, target="/account/%s/edit" % value, shown=True)
    value = email()
    yield Kind("e-mail address in a path, encoded", value, target="/u/" + urllib.parse.quote(value, safe=""), shown=True)
    value = email()
    yield Kind("e-mail address in a path, encoded twice", value, target="/u/" + urllib.parse.quote(urllib.parse.quote(value, safe="")), shown=True)
    value = email()
    yield Kind("e-mail address in a path, thrice", value, shown=True, target="/u/" + urllib.parse.quote(
        urllib.parse.quote(urllib.parse.quote(value, safe=""))))
    value = email()
    yield Kind("e-mail address in a path, every octet encoded", value, target="/u/" + "".join("%%%02X" % ord(c) for c in value), shown=True)
    for between, name in (("%20", "blanks"), ("%2D", "encoded dashes"), (".", "dots"), ("_", "underscores"), ("%2520", "blanks, encoded twice"), ("+", "plus signs")):
        value = fours(card(), between)
        yield Kind("card in a path with " + name, value, target="/pay/" + value, shown=True)
    one, two = token(), email()
    yield Kind("path with encoded slashes", one, two, target="/a%2F" + one + "%2F" + two, shown=True)
    yield Kind("session in a matrix parameter", value := token(), target="/shop/cart;jsessionid=" + value, shown=True)
    yield Kind("word in a matrix parameter", value := word(), target="/shop;user=%s/cart" % value, shown=True)
    yield Kind("token with an extension", value := hexa(40), target="/files/%s.html" % value, shown=True)
    yield Kind("token, encoded", value := token(), target="/reset/" + "".join("%%%02x" % ord(c) if c in "aeiouAEIOU147" else c for c in value), shown=True)
    yield Kind("token, encoded twice", value := token(), shown=True,
               target="/reset/" + "".join("%%25%02x" % ord(c) if c in "aeiouAEIOU147" else c for c in value))
    yield Kind("assignment in a path", value := token(), target="/shop/token=%s/x" % value, shown=True)
    yield Kind("path of an error page", value := email(), target="/order/" + value, status=500, shown=True)
    yield Kind("path that is not there", value := hexa(), target="/" + value, status=404, shown=True)
    yield Kind("target without a form", value := token(), target="x%s" % value, shown=True)


def in_urls():
    user, password = word(), word()
    yield Kind("user-info of an absolute target", user, password, target="http://%s:%s@shop.example/shop" % (user, password))
    yield Kind("absolute target", value := word(), target="http://shop.example/shop?pw=" + value, shown=True)
    yield Kind("absolute target, host a token", value := hexa(), target="http://%s.shop.example/shop" % value, shown=True)
    user, password = word(), word()
    yield Kind("user-info of a Host", user, password, host="%s:%s@shop.example" % (user, password))
    yield Kind("host that is a token", value := hexa(), host=value + ".users.example", shown=True)
    yield Kind("host with an e-mail address", value := email(), host=value.replace("@", "%40"), shown=True)
    yield Kind("host with a number", value := "customer-" + pick("123456789", 9), host=value + ".users.example", shown=True)
    yield Kind("host that is an address", value := v4(), host=value, shown=True)
    yield Kind("host that is an address, version 6", (value := v6())[10:], host="[%s]:8080" % value, shown=True)
    yield Kind("host of an error", value := hexa(), host=value + ".users.example", status=500, shown=True)
    for title, make in (("Referer", lambda url: {"fields": [("Referer", url)]}),
                        ("Location", lambda url: {"answer": [("Location", url)], "status": 302})):
        user, password = word(), word()
        yield Kind("user-info in " + title, user, password, **make("http://%s:%s@shop.example/" % (user, password)))
        for name, form, value in (("query", "http://shop.example/a?reset=%s", word()), ("path", "http://shop.example/reset/%s", token()),
                                  ("fragment", "http://shop.example/a#id_token=%s", word()), ("host", "http://%s.shop.example/", hexa()),
                                  ("address", "http://%s/a", v4()), ("e-mail address", "http://shop.example/u/%s", email()),
                                  ("reference", "/u/%s/x?y=1", token()), ("mailto", "mailto:%s", email()), ("no URL", "%s", token())):
            yield Kind("%s in %s" % (name, title), value, shown=True, **make(form % value))
    for name in ("Content-Location", "Refresh", "Link"):
        yield Kind(name, value := token(), answer=[(name, "http://shop.example/" + value)])


def in_bodies():
    form = "application/x-www-form-urlencoded"
    user, password, digits = email(), word(), card()
    yield Kind("password in a form", user, password, method="POST", fields=[("Content-Type", form)],
               body="email=%s&password=%s" % (urllib.parse.quote(user), password))
    for between in ("+", "-", ""):
        value = fours(digits, between)
        yield Kind("card in a form, %r between" % between, value, digits, method="POST", fields=[("Content-Type", form)], body="card=" + value)
    yield Kind("password in JSON", password := word(), method="POST", fields=[("Content-Type", "application/json")],
               body=json.dumps({"user": "x", "password": password}))
    yield Kind("variables of GraphQL", password := word(), method="POST", target="/graphql", fields=[("Content-Type", "application/json")],
               body=json.dumps({"query": "mutation { login }", "variables": {"password": password}}))
    user = email()
    yield Kind("multipart form", user, bound := token(), method="POST", fields=[("Content-Type", "multipart/form-data; boundary=" + bound)],
               shown=True, body="--%s\r\nContent-Disposition: form-data; name=\"m\"\r\n\r\n%s\r\n--%s--\r\n" % (bound, user, bound))
    yield Kind("XML", password := word(), method="POST", fields=[("Content-Type", "text/xml")], body="<soap><password>%s</password></soap>" % password)
    value = word()
    yield Kind("chunked form", value, method="POST", fields=[("Content-Type", form), ("Transfer-Encoding", "chunked")],
               body="%x;note=%s\r\npw=%s\r\n0\r\nX-Trailer: %s\r\n\r\n" % (len(value) + 3, value, value, value))
    yield Kind("page of a person", value := email(), text="<html><title>Hello %s</title></html>" % value)
    yield Kind("token in JSON of a response", value := token(), answer=[("Content-Type", "application/json")], text='{"access_token":"%s"}' % value)


CLIENT_FIELDS = ("X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "Fastly-Client-IP")  # client.address


def of_clients():
    for name, value in (("e-mail address", email()), ("token", token()), ("UUID", uuid())):
        yield field("User-Agent with " + name, "User-Agent", "ShopApp/3.1 (%s)" % value, value, shown=True)
    yield field("User-Agent that is a name", "User-Agent", value := word() + "-iPhone", value, shown=True)
    yield field("User-Agent of a robot of somebody", "User-Agent", "Mozilla/5.0 (bot by %s)" % (value := email()), value, shown=True)
    yield field("User-Agent that is a robot's and a token", "User-Agent", (value := token(24)) + "bot/1.0", value, shown=True)
    yield field("User-Agent whose product is a token", "User-Agent", (value := token(24)) + "/1.0", value, shown=True)
    for name in ("X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "Fastly-Client-IP", "X-Client-IP",
                 "X-Cluster-Client-IP", "X-Original-Forwarded-For", "Client-IP"):
        yield field(name, name, v4(), shown=name in CLIENT_FIELDS)
    yield field("X-Forwarded-For, version 6", "X-Forwarded-For", value := v6(), value[10:], shown=True)
    one, two = v4(), v4()
    yield field("X-Forwarded-For with several", "X-Forwarded-For", "%s, %s" % (one, two), one, two, shown=True)
    yield field("Forwarded", "Forwarded", "for=%s;host=shop.example" % (value := v4()), value, shown=True)
    yield field("X-Forwarded-Host", "X-Forwarded-Host", (value := hexa()) + ".users.example", value, shown=True)
    for name in ("Accept-Language", "Sec-CH-UA-Model", "Accept", "Sec-CH-UA"):
        yield field(name, name, '"%s"' % (value := word()), value)


def of_traces():
    yield field("tracestate", "tracestate", "vendor=" + (value := token()), value)
    value = word()
    yield Kind("tracestate with a user", value, fields=[("traceparent", "00-%s-%s-01" % (hexa(), hexa(16))),
                                                        ("tracestate", "dd=t.usr.id:%s,ot=th:8" % value)], shown=True)
    yield Kind("tracestate of ours with more", value := token(), fields=[("traceparent", "00-%s-%s-01" % (hexa(), hexa(16))),
                                                                         ("tracestate", "ot=th:8;user:%s" % value)], shown=True)
    yield field("baggage", "baggage", "user=%s,session=%s" % (one := email(), two := token()), one, two)
    yield field("traceparent that is none", "traceparent", value := token(55))
    for name in ("b3", "X-B3-TraceId", "uber-trace-id", "sentry-trace", "X-Amzn-Trace-Id"):
        yield field(name, name, token())


def in_names():
    value = pick("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 24)
    yield Kind("method", value, method=value, shown=True)
    yield Kind("method with a token", value := pick("ABCDEFGHIJKLMNOP", 20), method="GET-" + value, shown=True)
    yield Kind("scheme of a target", value := "x" + token(24), target=value + "://shop.example/", shown=True)
    yield Kind("reason phrase", value := word(), status="200 for " + value)
    yield Kind("parameter of a media type", value := email(), method="POST", body="x", shown=True,
               fields=[("Content-Type", 'text/plain; name="%s"' % value)])
    yield Kind("media type that is none", value := token(), method="POST", body="x", fields=[("Content-Type", value)], shown=True)
    yield Kind("media type that has a token", value := hexa(), method="POST", body="x", shown=True,
               fields=[("Content-Type", "application/vnd.user-%s+json" % value)])
    yield Kind("media type of a response", value := hexa(), answer=[("Content-Type", "text/%s" % value)], shown=True)
    yield Kind("protocol that is switched to", value := token(), fields=[("Upgrade", value), ("Connection", "Upgrade")], status=101,
               answer=[("Upgrade", value), ("Connection", "Upgrade")], shown=True)
    yield field("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol", "chat, " + (value := token()), value)
    yield Kind("PROXY protocol", value := v4(), extra="PROXY TCP4 %s 198.51.100.1 51000 80\r\n" % value, shown=True)


def all_kinds():
    found = [k for group in (authorizations, cookies, keys, in_queries, in_paths, in_urls, in_bodies, of_clients, of_traces, in_names)
             for k in group()]
    assert len({k.name for k in found}) == len(found) >= 200, len(found)
    return found
