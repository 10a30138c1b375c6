#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who owns a transaction, and what belongs to the scope: processes and kinds of sockets.

Prefork, connections inherited over fork, descriptors passed over a Unix socket, servers that live for
one connection, Unix sockets, IPv6, a scope by pid whose children come later.
"""
import os
import re
import socket
import time

from lib import compare, process
from lib.agent import Agent, sources
from lib.suite import Suite, check, equal

FAMILY = os.path.join(process.APPS, "family.py")
SCRIPT = os.path.join(process.APPS, "script_server.py")


def ask(sock, name):
    """One request; the body says which process answered."""
    sock.settimeout(10)
    sock.sendall(b"GET /who?id=%s HTTP/1.1\r\nHost: a\r\n\r\n" % name.encode())
    data = b""
    while True:
        part = sock.recv(4096)
        check(part or b"\r\n\r\n" in data, "no answer to " + name)
        data += part
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        if length and len(body) >= int(length.group(1)):
            return body.decode()


def owners(mode, source, scope_by_pid=False):
    port = process.free_port()
    child = process.start([process.PYTHON, FAMILY, str(port), mode])
    process.wait_port(port, child)
    time.sleep(0.2)
    agent = Agent(*(["--pid", child.pid] if scope_by_pid else ["--port", port]), source=source)
    truth = {}
    for c in range(20):
        with socket.create_connection(("127.0.0.1", port)) as s:
            for i in range(1 if mode == "spawned" else 3):
                name = "%d-%d" % (c, i)
                truth["/who?id=" + name] = ask(s, name)
    time.sleep(0.2)
    agent.stop()
    rows = agent.rows("server")
    compare.exact(rows, [("GET", t, 200, len(body)) for t, body in truth.items()], mode)
    wrong = [(compare.target(r), r.get("process.pid"), truth[compare.target(r)]) for r in rows
             if "pid %s" % r.get("process.pid") != truth[compare.target(r)]]
    check(not wrong, "%s: %d of %d have another owner: %s" % (mode, len(wrong), len(rows), wrong[:3]))
    compare.nothing_lost(agent.stats(), mode)
    return "%d by %d processes" % (len(rows), len(set(truth.values())))


def by_pid(source):
    """The scope names the parent alone; children forked later belong to it."""
    return owners("inherited", source, scope_by_pid=True)


def unix(source):
    """A Unix stream socket, by the server's pid; there is no exchange name, and the row says so."""
    path = os.path.join(process.folder("unix"), "socket")
    child = process.start([process.PYTHON, SCRIPT, "0", "unix:" + path])
    process.wait_for(lambda: os.path.exists(path), 5, "the socket")
    time.sleep(0.1)
    agent = Agent("--pid", child.pid, source=source)
    for c in range(5):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
            for i in range(10):
                s.sendall(b"GET /u?id=%d-%d HTTP/1.1\r\nHost: a\r\n\r\n" % (c, i))
                equal(s.recv(4096)[-2:], b"ok", "answer")
    time.sleep(0.3)
    agent.stop()
    rows = agent.rows("server")
    compare.exact(rows, [("GET", "/u?id=%d-%d" % (c, i), 200, 2) for c in range(5) for i in range(10)], "unix")
    for row in rows:
        equal(row.get("network.transport"), "unix", "transport")
        check(compare.EXCHANGE in row.get("unobserved", []), "the exchange name is neither there nor named")
    compare.nothing_lost(agent.stats(), "unix")


def inet6(source):
    port = process.free_port(socket.AF_INET6)
    child = process.start([process.PYTHON, SCRIPT, str(port), "inet6"])
    process.wait_port(port, child, host="::1")
    agent = Agent("--port", port, source=source)
    for c in range(5):
        with socket.create_connection(("::1", port)) as s:
            for i in range(10):
                s.sendall(b"GET /six?id=%d-%d HTTP/1.1\r\nHost: a\r\n\r\n" % (c, i))
                equal(s.recv(4096)[-2:], b"ok", "answer")
    agent.stop()
    truth = [("GET", "/six?id=%d-%d" % (c, i), 200, 2) for c in range(5) for i in range(10)]
    servers, clients = agent.rows("server"), agent.rows("client")
    compare.exact(servers, truth, "IPv6")
    compare.exact(clients, truth, "IPv6 as client")
    equal(compare.same_exchange(servers, clients, "IPv6"), 50, "exchanges with both ends")
    for row in servers:
        equal((row.get("network.peer.address"), row.get("network.type")), ("::1", "ipv6"), "peer")
        equal(row.get("server.port"), port, "port")


def not_ours(source):
    """A second server on another port, of another process: nothing of it appears."""
    ports = [process.free_port() for _ in range(2)]
    children = [process.start([process.PYTHON, SCRIPT, str(p)]) for p in ports]
    for port, child in zip(ports, children):
        process.wait_port(port, child)
    agent = Agent("--pid", children[0].pid, "--port", ports[0], source=source)
    for port in ports * 10:
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(b"GET /p%d HTTP/1.1\r\nHost: a\r\n\r\n" % port)
            s.recv(4096)
    agent.stop()
    rows = agent.rows()
    equal({(r["kind"], r["url.path"], r["process.pid"]) for r in rows},
          {("server", "/p%d" % ports[0], children[0].pid)}, "what was seen")
    equal(len(rows), 10, "rows")


suite = Suite()
for each in sources():
    for title in ("prefork", "inherited", "passed", "spawned"):
        suite.run("owner when %s %s" % (title, each), owners, title, each)
    suite.run("scope by pid with later children " + each, by_pid, each)
    suite.run("unix sockets " + each, unix, each)
    suite.run("IPv6 " + each, inet6, each)
    suite.run("only what is in scope " + each, not_ours, each)
suite.done()
