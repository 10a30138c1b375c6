#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""System calls in which an agent on the socket layer can stumble; the server is apps/odd.c.

Either the calls are followed and every transaction is whole, or their bytes are counted by cause and
nothing is invented: no row may say what was not sent, and the client's side stays exact.
"""
import socket
import time

from lib import compare, process, programs
from lib.agent import Agent, sources
from lib.suite import Skip, Suite, check, equal

REQUESTS = 20
# mode → (body of the requests, causes that may hide it; empty = must be whole)
MODES = {
    "plain": (30000, ()), "peek": (30000, ()), "recvmsg": (30000, ()), "readv": (30000, ()),
    "recvmmsg": (30000, ()), "threads": (30000, ()),
    "trunc": (4000, ()), "splice_in": (4000, ()),
    "sendmmsg": (30000, ("mmsg",)), "zerocopy": (30000, ("zerocopy",)),
    "compat": (3000, ("compat",)), "uring": (3000, ("io_uring",)), "uring_trap": (0, ("io_uring",)),
}
# Their cause must be counted although the transactions are whole: heads travel by ordinary calls. By calls
# of their own: what comes with a head of known length is not wanted, and then not asked how it moved; and short
# enough that the kernel is not told to leave it out.
COUNTED = {"trunc": "trunc", "splice_in": "no_buffer"}


def start(mode):
    port = process.free_port()
    child = process.start([programs.c_program("odd", "uring"), str(port), mode])
    try:
        process.wait_port(port, child)
    except RuntimeError:
        if child.poll() == 77:
            raise Skip("kernel refuses io_uring")
        raise
    time.sleep(0.05)
    return port


def drive(port, mode, body):
    """Requests one after another on two connections; each whole before the next."""
    count = 2 if mode == "uring_trap" else REQUESTS
    for half in range(2):
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.settimeout(10)
            for i in range(half * count // 2, (half + 1) * count // 2):
                time.sleep(0.05 if mode == "uring_trap" else 0)
                head = b"POST /odd?id=%d HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (i, body)
                if mode in COUNTED:
                    s.sendall(head)
                    time.sleep(0.002)
                    head = b""
                s.sendall(head + b"b" * body)
                got = b""
                while len(got) < 65:
                    part = s.recv(4096)
                    check(part, "%s: the server closed" % mode)
                    got += part
    return [("POST", "/odd?id=%d" % i, 200, 26) for i in range(count)]


def hidden(rows, truth, causes, stats, mode):
    """What may be absent is absent by name and counted; what is said is true."""
    known = {t[1]: t for t in truth}
    for row in rows:
        at = compare.target(row)
        named = row.get("unobserved", [])
        if row["outcome"] == "complete":
            check(at in known and compare.identity(row) == known[at], "%s: wrong row %s" % (mode, row))
            continue
        check(row["outcome"] == "unobserved" and named, "%s: neither complete nor named: %s" % (mode, row))
        check("url.path" in named or at in known, "%s: invented target %s" % (mode, at))
        check(row.get("http.response.status_code") in (None, 200), "%s: invented status %s" % (mode, row))
        check(row.get("parcours.unobserved.cause") in causes, "%s: cause %s" % (mode, row.get("parcours.unobserved.cause")))
    complete = sum(1 for r in rows if r["outcome"] == "complete")
    counted = sum(compare.figure(stats, "capture.absent.bytes", c) for c in causes)
    check(complete == len(truth) or counted > 0, "%s: %d of %d complete, yet nothing counted by %s"
          % (mode, complete, len(truth), causes))
    return "%d of %d complete, %d bytes counted as %s" % (complete, len(truth), counted, "/".join(causes))


def one(mode, source):
    body, causes = MODES[mode]
    port = start(mode)
    agent = Agent("--port", port, source=source)
    truth = drive(port, mode, body)
    time.sleep(0.2)
    agent.stop()
    stats = agent.stats()
    compare.exact(agent.rows("client"), truth, mode + ": client side")
    servers = agent.rows("server")
    compare.reconcile(stats, mode)
    if causes:
        return hidden(servers, truth, causes, stats, mode)
    compare.exact(servers, truth, mode)
    for row in servers:
        equal(row["http.request.body.size"], body, mode + " request body")
    if mode in COUNTED:
        counted = compare.figure(stats, "stream.hole.bytes", COUNTED[mode])
        check(counted > 0, "%s: no byte counted under that cause: %s" % (mode, compare.labels(stats, "stream.hole.bytes")))
    return "%d whole" % len(truth)


suite = Suite()
for title in MODES:
    for each in sources():
        suite.run("calls of %s %s" % (title, each), one, title, each)
suite.done()
