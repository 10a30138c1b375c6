#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who could not be reached, and who was turned away: rows, counts and names against what clients met.

Of a server: a full accept queue and nobody who accepts, resets before an answer, a listener that closes on those
who wait, and clients that come after it. Of a client: refused, reset, a line into nowhere, a router that says
so, TLS that fails; and for which page a server tried in vain. Both sources.
"""
import collections
import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time

from lib import process, schema
from lib.agent import Agent, require, sources
from lib.reach import ask, server, visit
from lib.suite import Suite, check, equal
from lib.wan import FAR, Link

LATER = 2.5  # a look a second, half a second for a failure to wait, and the loop


def rows(agent, kind):
    found = [r for r in agent.all_rows() if r["type"] == kind]
    schema.validate_shapes(found)
    return found


def traces_refusals():
    """Resets for no socket are shown since 6.10."""
    release = os.uname().release.split(".")
    return (int(release[0]), int(release[1].split("-")[0])) >= (6, 10)


def tries(s):
    """SYNs that a socket has sent."""
    info = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return 1 + struct.unpack_from("I", info, 100)[0]


def begin(port, host="127.0.0.1"):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex((host, port))
    return s


def full_queue(source):
    """A backlog of 1 lets 2 in; of the others each try is dropped. Then it accepts, then it is killed."""
    child, port = server("hang", "1")
    agent = Agent("--pid", child.pid, source=source)
    queued = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
    time.sleep(0.1)
    outside = [begin(port) for _ in range(5)]
    time.sleep(LATER + 1)
    dropped = sum(map(tries, outside))
    for s in outside:
        s.close()
    time.sleep(LATER)
    told = rows(agent, "listener")
    equal(sum(r["overflowed"] for r in told), dropped, "SYNs that were dropped")
    equal({r["server.port"] for r in told}, {port}, "port")
    equal({r["process.pid"] for r in told}, {child.pid}, "process")
    check(all(r["waiting"] == 2 and r["backlog"] == 1 for r in told), "the queue: %r" % told[-1])
    check(told[-1].get("still_ns", 0) > 1e9, "nobody accepted: %r" % told[-1])
    child.stdin.write(b"accept\n")
    child.stdin.flush()
    time.sleep(LATER)
    last = rows(agent, "listener")[-1]
    check("still_ns" not in last and last["waiting"] == 0, "it moves again: %r" % last)
    agent.stop()
    equal(rows(agent, "connection_failure"), [], "failures")
    for s in queued:
        s.close()
    return "%d dropped" % dropped


def killed(source):
    """A server that nobody hears of any more: those who wait are reset, those who come are refused."""
    child, port = server("hang", "8")
    agent = Agent("--pid", child.pid, source=source)
    queued = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
    for s in queued[:3]:
        s.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    time.sleep(0.2)
    child.send_signal(signal.SIGKILL)
    child.wait()
    met = collections.Counter()
    for s in queued:
        try:
            s.recv(1)
        except ConnectionResetError:
            met["reset"] += 1
    for _ in range(7):
        try:
            socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            met["refused"] += 1
    time.sleep(LATER)
    again = socket.create_server(("127.0.0.1", port))  # by this process, which is not watched
    socket.create_connection(("127.0.0.1", port)).close()
    time.sleep(LATER)
    agent.stop()
    equal(met, {"reset": 5, "refused": 7}, "what the clients met")
    failures = rows(agent, "connection_failure")
    equal(collections.Counter((r["kind"], r["parcours.connection.phase"], r["error.type"], r["server.port"])
                              for r in failures), {("server", "accept", "unaccepted", port): 5}, "failures")
    equal({r["network.peer.port"] for r in failures}, {s.getsockname()[1] for s in queued}, "clients")
    again.close()
    if not traces_refusals():
        return "5 unaccepted; kernel does not show refusals"
    equal(sum(r["refused"] for r in rows(agent, "listener")), 7, "SYNs that were refused")
    return "5 unaccepted, 7 refused"


def unread(source):
    """A server that closes on its clients before it reads: with what they sent unread, and without."""
    child, port = server("unread")
    agent = Agent("--pid", child.pid, source=source)
    met = 0
    for i in range(10):
        with socket.create_connection(("127.0.0.1", port)) as c:
            if i % 2:
                c.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            try:
                c.recv(1)
            except ConnectionResetError:
                met += 1
    time.sleep(LATER)
    agent.stop()
    equal(met, 10, "resets that the clients met")
    equal(collections.Counter((r["kind"], r["parcours.connection.phase"], r["error.type"], r["server.port"])
                              for r in rows(agent, "connection_failure")),
          {("server", "answer", "reset", port): 10}, "failures")
    equal(agent.rows(), [], "transactions")


class Client:
    def __init__(self, before=()):
        self.child = process.start([*before, process.PYTHON, os.path.join(process.APPS, "reach_client.py")],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.child.pid

    def attempt(self, host, port, **what):
        self.child.stdin.write(json.dumps(dict(what, host=host, port=port)).encode() + b"\n")
        self.child.stdin.flush()
        return self.child.stdout.readline().decode().strip()


def failed(agent, count):
    """The rows of clients, once so many are there (at most as long as a row may take)."""
    end = time.monotonic() + LATER
    while len(rows(agent, "connection_failure")) < count and time.monotonic() < end:
        time.sleep(0.1)
    return sorted(rows(agent, "connection_failure"), key=lambda r: r["end_time_unix_nano"])


def outgoing(source):
    """Refused, reset as soon as it was let in, and a name known from before."""
    child, resets = server("unread")
    web, port = server("worker")
    client = Client()
    agent = Agent("--pid", client.pid, source=source)
    closed = process.free_port()
    met = [client.attempt("127.0.0.1", closed) for _ in range(12)]
    met += [client.attempt("127.0.0.1", resets) for _ in range(3)]
    met.append(client.attempt("127.0.0.1", port, plain=True))
    process.stop(web)
    met.append(client.attempt("127.0.0.1", port))
    equal(collections.Counter(met), {"ECONNREFUSED": 13, "ECONNRESET": 3, "ok": 1}, "what the client met")
    told = failed(agent, 16)
    agent.stop()
    equal([(r["error.type"], r["server.port"]) for r in told],
          [("ECONNREFUSED", closed)] * 12 + [("ECONNRESET", resets)] * 3 + [("ECONNREFUSED", port)], "failures")
    equal({(r["kind"], r["parcours.connection.phase"], r["process.pid"], r["thread.id"], r["network.peer.address"])
           for r in told}, {("client", "connect", client.pid, client.pid, "127.0.0.1")}, "whose they are")
    equal([r["server.address"] for r in told], ["127.0.0.1"] * 15 + ["h"], "names")
    check(all(0 <= r["end_time_unix_nano"] - r["start_time_unix_nano"] < 1e9 for r in told), "times")
    process.stop(child)


def nowhere(source):
    """A line where nobody is: the kernel's patience, the process' own; and a router that says so at once."""
    link = Link()
    try:
        link.become(0.01, 100_000_000, 0)
        near, far = (["ip", "-n", name] for name in link.names)
        process.run([*near, "route", "add", "default", "via", FAR])
        process.run([*far, "route", "add", "unreachable", "10.232.0.0/16"])
        process.run([*far, "route", "add", "blackhole", "10.233.0.0/16"])
        process.run([*link.inside(1), "sysctl", "-qw", "net.ipv4.ip_forward=1"])
        process.run([*link.inside(0), "sysctl", "-qw", "net.ipv4.tcp_syn_retries=1"])
        client = Client(link.inside(0))
        agent = Agent("--pid", client.pid, source=source)
        met = [client.attempt("10.233.0.1", 443), client.attempt("10.233.0.2", 443, timeout=1.5),
               client.attempt("10.233.0.3", 443, timeout=0.3), client.attempt("10.232.0.1", 443)]
        process.run([*link.inside(0), "sysctl", "-qw", "net.ipv4.ip_local_port_range=50000 50001"])
        with link.near():  # the two ports that there are
            taken = [begin(443, "10.233.0.4") for _ in range(2)]
        met.append(client.attempt("10.233.0.4", 443))
        equal(met, ["ETIMEDOUT", "timeout", "timeout", "EHOSTUNREACH", "EADDRNOTAVAIL"], "what the client met")
        told = failed(agent, 5)
        for s in taken:
            s.close()
        agent.stop()
    finally:
        link.end()
    equal([(r["server.address"], r["error.type"], r["parcours.connection.retransmissions"] > 0) for r in told],
          [("10.233.0.1", "ETIMEDOUT", True), ("10.233.0.2", "abandoned", True), ("10.233.0.3", "abandoned", False),
           ("10.232.0.1", "EHOSTUNREACH", False), ("10.233.0.4", "_OTHER", False)], "failures")
    took = [(r["end_time_unix_nano"] - r["start_time_unix_nano"]) / 1e9 for r in told]
    check(2.5 < took[0] < 10 and 1.4 < took[1] < 3 and 0.25 < took[2] < 2 and took[3] < 1, "times: %r" % took)


def tls(source):
    """Certificates that are not trusted, versions that do not meet, no TLS at all; and one that goes well."""
    place = process.folder("tls")
    key, certificate = os.path.join(place, "key"), os.path.join(place, "certificate")
    process.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                 "-subj", "/CN=payment.example", "-addext", "subjectAltName=DNS:payment.example", "-days", "2"])
    ports = {}
    for version in ("1.2", "1.3"):
        ports[version] = process.free_port()
        log = os.path.join(place, "log" + version)
        child = process.start(["openssl", "s_server", "-accept", "127.0.0.1:%d" % ports[version], "-key", key, "-cert",
                               certificate, "-www", "-tls" + version.replace(".", "_")], log)
        process.wait_port(ports[version], child, log)
    child, web = server("worker")
    client = Client()
    agent = Agent("--pid", client.pid, source=source)
    ask = dict(name="payment.example", timeout=10)
    met = [client.attempt("127.0.0.1", ports["1.2"], tls="1.2", **ask),
           client.attempt("127.0.0.1", ports["1.3"], tls="1.3", **ask),
           client.attempt("127.0.0.1", ports["1.3"], tls="1.2", **ask),
           client.attempt("127.0.0.1", web, tls="1.3", **dict(ask, timeout=1)),
           client.attempt("127.0.0.1", ports["1.2"], tls="1.2", trust=certificate, **ask),
           client.attempt("127.0.0.1", ports["1.3"], tls="1.3", trust=certificate, **ask)]
    equal(met[:2] + met[4:], ["CERTIFICATE_VERIFY_FAILED"] * 2 + ["ok"] * 2, "what the client met")
    told = failed(agent, 4)
    agent.stop()
    equal([(r["error.type"], r.get("parcours.connection.alert_received", False)) for r in told],
          [("unknown_ca", False), ("unknown_ca", False), ("protocol_version", True), ("abandoned", False)], "failures")
    equal({(r["parcours.connection.phase"], r["server.address"], r["process.pid"]) for r in told},
          {("tls", "payment.example", client.pid)}, "whose they are")
    process.stop(child)
    return "the client said %s" % met[2]


def page(source):
    """A worker's failed call belongs to the page that it worked on, once its process has shown that it serves one
    request at a time (trace/thread.h): others waited while it asked somebody. What nobody tried, to none."""
    closed = process.free_port()
    back, backend = server("worker")
    child, port = server("worker", "127.0.0.1:%d" % closed, str(backend))
    agent = Agent("--pid", child.pid, source=source)
    visitors = [threading.Thread(target=lambda: [ask(port, "/ask/%d" % i) for i in range(40)]) for _ in range(3)]
    for t in visitors:
        t.start()
    for t in visitors:
        t.join()
    paths = ["/call/%d" % i if i % 3 else "/quiet/%d" % i for i in range(12)]
    equal([visit(port, p) for p in paths], [502 if "call" in p else 200 for p in paths], "answers")
    time.sleep(LATER)
    agent.stop()
    told = rows(agent, "connection_failure")
    pages = {r["parcours.page_id"]: r for r in sorted(rows(agent, "page_view"), key=lambda r: r["revision"])
             if not r["url.path"].startswith("/ask/")}
    equal(sorted(p["url.path"] for p in pages.values()), sorted(paths), "pages")
    equal(sorted(pages[r["parcours.page_id"]]["url.path"] for r in told), sorted(p for p in paths if "call" in p),
          "pages of the failures")
    equal({p["url.path"]: p["failed_calls"] for p in pages.values()}, {p: int("call" in p) for p in paths}, "failed calls")
    spans = {r["span_id"]: r for r in agent.rows("server")}
    for r in told:
        equal((r["trace_id"], r["parcours.site"]), (spans[r["parent_span_id"]]["trace_id"], "shop.example"), "its trace")
        equal(spans[r["parent_span_id"]]["parcours.page_id"], r["parcours.page_id"], "its request")
    process.stop(back)


def event_loop(source):
    """Requests side by side on one thread: which of them made it connect is not known, so it is not said."""
    closed = process.free_port()
    child, port = server("loop", "127.0.0.1:%d" % closed)
    agent = Agent("--pid", child.pid, source=source)
    for _ in range(5):
        threads = [threading.Thread(target=visit, args=(port, "/call/%d" % i if i % 2 else "/quiet/%d" % i))
                   for i in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    told = failed(agent, 40)
    agent.stop()
    equal(len(told), 40, "failures")
    linked = [r for r in told if "trace_id" in r]
    equal(linked, [], "links of an event loop")
    equal(sum(r.get("failed_calls", 0) for r in rows(agent, "page_view")), 0, "failed calls of pages")


suite = Suite()
for each in sources():
    for body in (full_queue, killed, unread, outgoing, nowhere, tls, page, event_loop):
        require()
        suite.run("refused %s %s" % (body.__name__, each), body, each)
suite.done()
