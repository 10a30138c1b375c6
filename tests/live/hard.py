#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The hard cases of HTTP/1 on a wire, each by name: what the agent must say is written beside it.

All cases run under one agent a source; each request carries ?case=NAME, and each case is judged by its
own rows. The server is apps/script_server.py, the client raw sockets of this process. Both ends are
watched; the judgement is of the server side, and the client side must agree on what it saw.
"""
import socket
import struct
import threading
import time

from lib import process
from lib.agent import Agent, sources
from lib.compare import EXCHANGE, target
from lib.suite import Suite, check, equal

H = b" HTTP/1.1\r\nHost: a\r\n"
CASES = []


class Row:
    """What is expected of one transaction; None = must be absent, ANY = not judged."""
    ANY = object()

    def __init__(self, method, path, status, body, outcome="complete", flags=(), side="server"):
        self.method, self.path, self.status, self.body = method, path, status, body
        self.outcome, self.flags, self.side = outcome, flags, side


def case(name, *expected):
    """Registers a case: the function acts, `expected` are its rows."""
    def register(action):
        CASES.append((name, action, expected))
        return action
    return register


class Wire:
    """What an action gets: the port, and sends that carry the case's name."""

    def __init__(self, name, port, early):
        self.name, self.port, self.early = name, port, early

    def connect(self, **options):
        s = socket.create_connection(("127.0.0.1", self.port))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def request(self, path, method="GET", fields=b"", body=b""):
        mark = ("&" if "?" in path else "?") + "case=" + self.name.replace(" ", "-")
        return ("%s %s%s" % (method, path, mark)).encode() + H + fields + b"\r\n" + body

    def say(self, data, wait=0.25, sock=None):
        """Sends, reads until it is quiet, closes what it opened."""
        s = sock or self.connect()
        s.sendall(data)
        got = drain(s, wait)
        if sock is None:
            s.close()
        return got


def drain(s, wait=0.25):
    s.settimeout(wait)
    got = b""
    try:
        while True:
            part = s.recv(1 << 20)
            if not part:
                return got
            got += part
    except OSError:
        return got


def get(*rows):
    return [Row("GET", path, status, body) for path, status, body in rows]


@case("pipelining 8 deep", *get(*[("/p%d" % i, 200, 2) for i in range(8)]))
def pipelining(w):
    w.say(b"".join(w.request("/p%d" % i) for i in range(8)))


@case("100-continue", Row("POST", "/cont", 200, 2))
def expect_continue(w):
    s = w.connect()
    s.sendall(w.request("/cont", "POST", b"Content-Length: 70000\r\nExpect: 100-continue\r\n"))
    time.sleep(0.05)
    w.say(b"z" * 70000, sock=s)
    s.close()


@case("status line in five writes", Row("GET", "/split", 201, 3))
def split_status(w):
    w.say(w.request("/split"))


@case("request cut after 5 bytes", Row("GET", "/cut", 200, 2), Row("POST", "/cut2", 200, 2))
def cut(w):
    s = w.connect()
    for data in (w.request("/cut"), w.request("/cut2", "POST", b"Content-Length: 6\r\n", b"abcdef")):
        s.sendall(data[:5])
        time.sleep(0.02)
        w.say(data[5:], sock=s)
    s.close()


@case("request byte by byte", Row("GET", "/bytes", 200, 2))
def bytewise(w):
    s = w.connect()
    for byte in w.request("/bytes"):
        s.sendall(bytes([byte]))
    drain(s)
    s.close()


@case("1 GiB by sendfile", Row("GET", "/sendfile/1073741824", 200, 1 << 30), Row("GET", "/after-big", 200, 2))
def big(w):
    s, size = w.connect(), 1 << 30
    s.settimeout(30)
    s.sendall(w.request("/sendfile/%d" % size))
    first = s.recv(65536)
    read, buffer = len(first) - first.index(b"\r\n\r\n") - 4, bytearray(1 << 20)
    s.sendall(w.request("/after-big"))
    while read < size:
        read += s.recv_into(buffer)
    drain(s)
    s.close()


@case("slow client", Row("GET", "/stream/2000000", 200, 2000000))
def slow(w):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
    s.connect(("127.0.0.1", w.port))
    s.sendall(w.request("/stream/2000000"))
    left = 2000000
    while left > 0:
        left -= len(s.recv(65536))
        time.sleep(0.005)
    s.close()


@case("client leaves half-way", Row("GET", "/stream/50000000", 200, Row.ANY, "client_gone"))
def leaves(w):
    s = w.connect()
    s.sendall(w.request("/stream/50000000"))
    s.recv(100000)
    s.close()
    time.sleep(0.1)


@case("client resets half-way", Row("GET", "/stream/50000001", 200, Row.ANY, "client_gone"))
def resets(w):
    s = w.connect()
    s.sendall(w.request("/stream/50000001"))
    s.recv(100000)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
    time.sleep(0.1)


@case("client leaves inside its request", Row("POST", "/half", None, None, "client_gone"))
def half_request(w):
    s = w.connect()
    s.sendall(w.request("/half", "POST", b"Content-Length: 1000\r\n", b"x" * 10))
    time.sleep(0.05)
    s.close()
    time.sleep(0.05)


@case("reset with unread data", Row("POST", "/reset-unread", 413, 3, Row.ANY))
def unread(w):
    w.say(w.request("/reset-unread", "POST", b"Content-Length: 300000\r\n", b"u" * 200000))


@case("server aborts its response", Row("GET", "/abort", 200, Row.ANY, "server_reset"))
def aborts(w):
    w.say(w.request("/abort"))


@case("answer before the request has ended", Row("POST", "/answer-first", 200, 2))
def answer_first(w):
    s = w.connect()
    s.sendall(w.request("/answer-first", "POST", b"Content-Length: 30000\r\n", b"a" * 10000))
    time.sleep(0.05)
    w.say(b"a" * 20000, sock=s)
    s.close()


@case("HEAD with a length", Row("HEAD", "/head", 200, 0), Row("GET", "/after-head", 200, 2))
def head(w):
    w.say(w.request("/head", "HEAD") + w.request("/after-head"))


@case("204 and 304", Row("GET", "/204", 204, 0), Row("GET", "/304", 304, 0), Row("GET", "/then", 200, 2))
def no_body(w):
    w.say(w.request("/204") + w.request("/304") + w.request("/then"))


@case("chunked with extension and trailer", Row("GET", "/chunk", 200, 11), Row("GET", "/after-chunk", 200, 2))
def chunk(w):
    w.say(w.request("/chunk") + w.request("/after-chunk"))


@case("chunked request", Row("POST", "/up", 200, 2))
def chunk_up(w):
    s = w.connect()
    s.sendall(w.request("/up", "POST", b"Transfer-Encoding: chunked\r\n", b"4;x=1\r\nabcd\r"))
    time.sleep(0.01)
    w.say(b"\n10\r\n0123456789abcdef\r\n0\r\n\r\n", sock=s)
    s.close()


@case("body until close", Row("GET", "/close", 200, 13))
def close(w):
    w.say(w.request("/close"))


@case("HTTP/1.0", Row("GET", "/old", 200, 2))
def old(w):
    w.say(w.request("/old").replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"Host: a\r\n", b""))


@case("interim 103", Row("GET", "/early", 206, 2))
def early(w):
    w.say(w.request("/early"))


@case("upgrade to a tunnel", Row("GET", "/upgrade", 101, Row.ANY, Row.ANY, ("upgraded",)))
def upgrade(w):
    s = w.connect()
    w.say(w.request("/upgrade", fields=b"Connection: Upgrade\r\nUpgrade: echo\r\n"), 0.1, s)
    for word in (b"GET /inside?case=upgrade-to-a-tunnel HTTP/1.1\r\nHost: a\r\n\r\n", b"bye"):
        w.say(word, 0.05, s)
    s.close()


@case("target of 60 KiB", Row("GET", "/" + "q" * 60000, 200, 2))
def long_target(w):
    w.say(w.request("/" + "q" * 60000))


@case("vectors", Row("GET", "/vectors", 200, 10))
def vectors(w):
    w.say(w.request("/vectors"))


@case("MSG_MORE", Row("GET", "/more", 200, 5))
def more(w):
    w.say(w.request("/more"))


@case("body by splice", Row("GET", "/spliced", 200, 40000), Row("GET", "/after-splice", 200, 2))
def spliced(w):
    w.say(w.request("/spliced") + w.request("/after-splice"), wait=2)  # a busy host may stop the server between head and body


@case("half-closed client", Row("GET", "/half-closed", 200, 2))
def half_closed(w):
    s = w.connect()
    s.sendall(w.request("/half-closed"))
    s.shutdown(socket.SHUT_WR)
    drain(s)
    s.close()


@case("connection opened before the agent", Row("GET", "/joined", 200, 2, flags=("joined",)))
def joined(w):
    w.say(w.request("/joined"), sock=w.early)


@case("reader and writer in different threads", *get(*[("/rw%d" % i, 200, 2) for i in range(50)]))
def threads(w):
    s = w.connect()
    reader = threading.Thread(target=drain, args=(s, 0.4))
    reader.start()
    for i in range(50):
        s.sendall(w.request("/rw%d" % i))
        time.sleep(0.001)
    reader.join()
    s.close()


@case("garbage")
def garbage(w):
    for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)), b"\x00" * 1000,
                 b"GET\r\n\r\n\r\n", b"SSH-2.0-x\r\n", bytes(range(255, -1, -1)) * 300):
        w.say(data, 0.05)


def judge_row(row, want, name):
    equal(row.get("http.request.method"), want.method, name + " method")
    for key, value in (("http.response.status_code", want.status), ("http.response.body.size", want.body)):
        if value is not Row.ANY:
            if value is None:
                check(key not in row, "%s: %s should be absent: %s" % (name, key, row.get(key)))
                check(key in row["unobserved"], "%s: %s is absent but not named" % (name, key))
            else:
                equal(row.get(key), value, name + " " + key)
    if want.outcome is not Row.ANY:
        equal(row.get("outcome"), want.outcome, name + " outcome")
    missing = set(want.flags) - set(row.get("parcours.flags", ()))
    check(not missing, "%s: flags %s missing in %s" % (name, missing, row.get("parcours.flags")))


def judge(rows, name, expected):
    mark = "case=" + name.replace(" ", "-")
    mine = [r for r in rows if r["kind"] == "server" and mark in target(r)]
    equal(sorted(r["url.path"][:30] for r in mine), sorted(e.path[:30] for e in expected), "rows")
    by_path = {r["url.path"]: r for r in mine}
    for want in expected:
        judge_row(by_path[want.path], want, want.path[:30])
    clients = {r[EXCHANGE]: r for r in rows if r["kind"] == "client" and mark in target(r) and EXCHANGE in r}
    for row in mine:
        if row["outcome"] == "complete":
            other = clients.get(row[EXCHANGE])
            check(other, "%s: nothing of that name at the client's end" % row["url.path"][:30])
            equal(other.get("url.path"), row["url.path"], "path at the other end")


def collect(source):
    """Acts all cases under one agent; returns its rows."""
    port, place = process.free_port(), process.folder("script")
    server = process.start([process.PYTHON, process.APPS + "/script_server.py", str(port)], cwd=place)
    process.wait_port(port, server)
    early = socket.create_connection(("127.0.0.1", port))
    early.sendall(b"GET /before HTTP/1.1\r\nHost: a\r\n\r\n")
    drain(early, 0.1)
    agent = Agent("--port", port, source=source)
    for name, action, _ in CASES:
        if suite.wanted(name):
            action(Wire(name, port, early))
    early.close()
    time.sleep(0.3)
    agent.stop()
    process.stop(server)
    return agent.rows()


def phantoms(rows):
    """Nothing but what the cases sent."""
    known = {e.path for _, _, expected in CASES for e in expected}
    strange = [(r["kind"], r.get("http.request.method"), target(r)[:60]) for r in rows
               if r.get("url.path") not in known]
    check(not strange, "%d: %s" % (len(strange), strange[:4]))
    twice = {}
    for r in rows:
        twice[(r["kind"], target(r))] = twice.get((r["kind"], target(r)), 0) + 1
    check(max(twice.values(), default=1) == 1, "double: %s" % [k for k, v in twice.items() if v > 1][:3])


suite = Suite()
for each in sources():
    found = []
    suite.run("all cases act under one agent " + each, lambda: found.extend(collect(each)), always=True)
    for title, _, rows_of in CASES:
        suite.run("%s %s" % (title, each), judge, found, title, rows_of)
    suite.run("no phantom, no double " + each, phantoms, found)
suite.done()
