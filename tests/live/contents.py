#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Contents of messages are read to their end: a field that stands at the end of each tells a visitor.

`session.keys` names a field of JSON and a header. Each answer (and each upload) has an id of its own as its
last field, and a second request brings the same id in the header, with another User-Agent: only who read
the content to its end can see that both are one visitor. What was not read must be counted as a hole,
and nobody may be linked by anything else.

The server answers sooner than the agent can say what it wants, so the first answer of a connection shows
what the kernel keeps by itself; later ones what it was told to.
"""
import os
import secrets
import socket
import time

from lib import process, servers
from lib.agent import Agent, sources
from lib.compare import figure, labels
from lib.suite import Suite, check, equal

COUNT = int(os.environ.get("REQUESTS", "100"))
# The first answer of a connection is whole, each time: up to 256 KiB in one call.
ALWAYS = ("small", "one", "split", "gzip", "close", "big", "parts", "chunked")
LATER = ("small", "one", "split", "gzip", "big", "parts", "chunked", "huge")  # once the agent has spoken of the connection
PACE = 0.01  # between connections: contents at full speed would fill the ring, and be left out first
RING = 64 << 20  # what is left out for want of room is asked by flood.py


class Client:
    def __init__(self, port):
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.kept = b""

    def more(self):
        part = self.socket.recv(262144)
        self.kept += part
        return part

    def ask(self, path, key, agent, body=b"", fields=""):
        method = "POST" if body else "GET"
        self.socket.sendall(("%s /%s?k=%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: %s\r\nContent-Type: "
                             "application/json\r\n%sContent-Length: %d\r\n\r\n"
                             % (method, path, key, self.port, agent, fields, len(body))).encode() + body)
        while b"\r\n\r\n" not in self.kept:
            check(self.more(), "no answer")
        head, self.kept = self.kept.split(b"\r\n\r\n", 1)
        head = head.lower()
        if b"content-length:" in head:
            left = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            while len(self.kept) < left:
                check(self.more(), "an answer is cut")
            self.kept = self.kept[left:]
        elif b"chunked" in head:
            while not self.kept.endswith(b"0\r\n\r\n"):
                check(self.more(), "an answer is cut")
            self.kept = b""
        elif b" 204 " not in head.split(b"\r\n")[0]:
            while self.more():
                pass
            self.kept = b""


def config(place):
    return process.write(place + "/parcours.yaml", "session:\n  keys: [\"json:$.session.id\", \"header:X-Session\"]\n")


def once(port, path, pause=0.0, before=(), body=False):
    """One exchange on a connection of its own, after others on it; then the header alone, on another one."""
    key, mark = secrets.token_hex(16), secrets.token_hex(4)
    client = Client(port)
    for other in before:
        client.ask(other, secrets.token_hex(16), "before-" + secrets.token_hex(4))
        time.sleep(pause)
    upload = b""
    if body:
        upload = b'{"fill":"' + b"x" * 1_000_000 + b'","session":{"id":"' + key.encode() + b'"}}'
    client.ask(path, key, "first-" + mark, upload)
    client.socket.close()
    return key, mark


def linked(agent, marks):
    """How many were known to be one visitor; the others are two."""
    of = {}
    for row in agent.rows("server"):
        name = row.get("user_agent.original", "")
        if name.startswith(("first-", "second-")):
            of[name] = row.get("parcours.key")
    found = 0
    for mark in marks:
        first, second = of.get("first-" + mark), of.get("second-" + mark)
        check(second, "the second request of %s has no key" % mark)
        found += first == second
    keys = [of["second-" + m] for m in marks]
    equal(len(set(keys)), len(keys), "visitors")
    return found


def measure(port, scope, source, path, pause=0.0, before=(), body=False):
    agent = Agent(*scope, "-c", config(process.folder("config")), "--ring-size", RING, source=source)
    made = []
    for _ in range(COUNT if not body else COUNT // 5):
        made.append(once(port, path, pause, before, body))
        time.sleep(PACE)
    for key, mark in made:
        client = Client(port)
        client.ask("none", "", "second-" + mark, fields="X-Session: %s\r\n" % key)
        client.socket.close()
    agent.stop()
    found = linked(agent, [mark for _, mark in made])
    stats = agent.stats()
    opened, ended, dropped, still = (figure(stats, "bodies." + w) for w in ("opened", "ended", "dropped", "open"))
    equal(opened, ended + dropped + still, "bodies")
    flags = labels(stats, "bodies.flagged")
    lost = len(made) - found
    check(sum(flags.values()) >= lost, "%d were not read to the end, flagged: %s" % (lost, flags))
    return found, len(made), flags


def start():
    port = process.free_port()
    child = process.start([process.PYTHON, os.path.join(process.APPS, "contents.py"), str(port)])
    process.wait_port(port, child, None)
    return port, ["--pid", child.pid]


def first(source, path):
    found, made, flags = measure(*start(), source, path)
    check(path not in ALWAYS or found == made, "%d of %d were read, %s" % (found, made, flags))
    return "%d of %d read to the end %s" % (found, made, flags or "")


def later(source, path):
    """After another answer on the connection, and a moment for the agent to speak."""
    found, made, flags = measure(*start(), source, path, 0.05, ("small",))
    equal(found, made, "read to the end, %s" % flags)
    return "%d of %d" % (found, made)


def upload(source):
    found, made, flags = measure(*start(), source, "none", body=True)
    return "%d of %d of 1 MB read to the end %s" % (found, made, flags or "")


class Nginx(servers.Nginx):
    def __init__(self, backend, coding):
        super().__init__()
        self.location = "location ~ ^/[a-z]+$ { proxy_pass http://127.0.0.1:%d; proxy_buffering on; gzip %s; " \
                        "gzip_types application/json; gzip_proxied any; gzip_min_length 1; }" % (backend, coding)


def nginx(source, path, coding):
    server = Nginx(start()[0], coding).start()
    found, made, flags = measure(server.port, ["--port", server.port], source, path)
    check(path not in ALWAYS or found == made, "%d of %d were read, %s" % (found, made, flags))
    return "%d of %d read to the end %s" % (found, made, flags or "")


suite = Suite()
for kind in sources():
    for shape in ALWAYS + ("huge",):
        suite.run("first answer of a connection: %s, %s" % (shape, kind), first, kind, shape)
    for shape in LATER:
        suite.run("a later answer: %s, %s" % (shape, kind), later, kind, shape)
    suite.run("uploads, %s" % kind, upload, kind)
    for shape in ("small", "one", "big"):
        suite.run("nginx: %s, %s" % (shape, kind), nginx, kind, shape, "off")
    suite.run("nginx: big, gzip, %s" % kind, nginx, kind, "big", "on")
suite.done()
