#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Unix connections whose end nobody tells: they end, with the right outcome, and leave no state behind.

The server is a process of its own that answers nothing; its client is this test and is not watched.
"""
import os
import signal
import socket
import subprocess
import time

from lib import compare, process
from lib.agent import Agent, require, sources
from lib.suite import Suite, check, equal

BOUND = 17  # two looks, 5 s apart, the first up to 5 s after the end, and the second of a tick each
SERVER = """
import socket, sys, time
l = socket.socket(socket.AF_UNIX)
l.bind(sys.argv[1])
l.listen(8)
print("ready", flush=True)
held = []
while True:
    s, _ = l.accept()
    s.recv(4096)
    held.append(s)
    if len(held) == 1:
        s.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
        s.recv(4096)
"""


def start(source):
    path = os.path.join(process.folder("unix"), "socket")
    server = process.start([process.PYTHON, "-c", SERVER, path], stdout=subprocess.PIPE)
    check(server.stdout.readline() == b"ready\n", "the server")
    return server, path, Agent("--pid", server.pid, source=source)


def ask(path, name):
    c = socket.socket(socket.AF_UNIX)
    c.settimeout(5)
    c.connect(path)
    c.sendall(b"GET /%s HTTP/1.1\r\nHost: h\r\n\r\n" % name.encode())
    return c


def killed(source):
    """The server is killed with an answered and an unanswered request; both clients stay."""
    server, path, agent = start(source)
    first = ask(path, "first")
    first.recv(100)
    first.sendall(b"GET /second HTTP/1.1\r\nHost: h\r\n\r\n")
    third = ask(path, "third")
    time.sleep(0.5)
    server.send_signal(signal.SIGKILL)
    server.wait()
    begin = time.monotonic()
    rows = agent.wait_rows(3, "server", seconds=BOUND)
    took = time.monotonic() - begin
    equal({r["url.path"]: r["outcome"] for r in rows},
          {"/first": "complete", "/second": "server_reset", "/third": "server_reset"}, "outcomes")
    agent.stop()
    stats = agent.stats()
    equal(compare.figure(stats, "connections.evicted"), 0, "evicted")
    for c in (first, third):
        c.close()
    return "told %.1f s after the end" % took


def client_first(source):
    """The client leaves, the server does not look, then it is killed: the client was first."""
    server, path, agent = start(source)
    first = ask(path, "first")
    first.recv(100)
    first.sendall(b"GET /second HTTP/1.1\r\nHost: h\r\n\r\n")
    third = ask(path, "third")
    time.sleep(0.5)
    third.close()
    time.sleep(12)  # two looks
    equal(len(agent.rows("server")), 1, "nothing is over while the server holds it")
    server.send_signal(signal.SIGKILL)
    server.wait()
    rows = agent.wait_rows(3, "server", seconds=BOUND)
    equal({r["url.path"]: r["outcome"] for r in rows},
          {"/first": "complete", "/second": "server_reset", "/third": "client_gone"}, "outcomes")
    agent.stop()
    first.close()


def stays(source):
    """A connection that is only quiet is not ended."""
    server, path, agent = start(source)
    c = ask(path, "first")
    c.recv(100)
    time.sleep(22)
    c.sendall(b"GET /later HTTP/1.1\r\nHost: h\r\n\r\n")
    time.sleep(0.5)
    agent.stop()
    rows = {r["url.path"]: r for r in agent.rows("server")}
    equal(sorted(rows), ["/first", "/later"], "requests")
    equal(rows["/later"]["parcours.connection.id"], rows["/first"]["parcours.connection.id"], "one connection")
    equal(rows["/later"]["parcours.unobserved.cause"], "shutdown", "it was still open")
    check("joined" not in rows["/later"].get("parcours.flags", []), "known from its first octet")
    process.stop(server)
    c.close()


suite = Suite()
for each in sources():
    for body in (killed, client_first, stays):
        require()
        suite.run("vanished %s %s" % (body.__name__, each), body, each)
suite.done()
