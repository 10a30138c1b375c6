#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""When had the client's TCP the last octet of a response, and how many segments were sent again?

The truth is a relay between two network namespaces that notes every segment with the time at which it
gave it to the server's kernel. Both ends of each connection are this process; the port is watched.
"""
import socket
import sys
import threading
import time

from lib import compare, process
from lib.agent import Agent, require, sources
from lib.suite import Suite, check, equal
from lib.wan import NEAR, Wan

DELAY = 0.02  # one way
SLACK_NS = 300_000  # the relay is a thread of Python: its look at the clock is not the kernel's


def config(how):
    return process.write(process.folder("conf") + "/c.yaml", "capture:\n  acknowledged: %s\n" % how)


class Pair:
    def __init__(self, wan=None, rcvbuf=0):
        with wan.near() if wan else open("/dev/null"):
            self.listener = socket.create_server((NEAR if wan else "127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.port = self.address[1]
        self.wan, self.rcvbuf = wan, rcvbuf

    def connect(self):
        with self.wan.far() if self.wan else open("/dev/null"):
            self.c = socket.socket()
        if self.rcvbuf:
            self.c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.rcvbuf)
        self.c.connect(self.address)
        self.s, _ = self.listener.accept()
        for s in (self.c, self.s):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            s.settimeout(20)
        self.local, self.sent = self.c.getsockname()[1], 0
        return self

    def ask(self, name):
        self.c.sendall(b"GET /%s HTTP/1.1\r\nHost: h\r\n\r\n" % name.encode())
        check(self.s.recv(4096).endswith(b"\r\n\r\n"), "a request")

    def answer(self, body):
        """Returns where the response begins and ends."""
        whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % body + b"x" * body
        begin, self.sent = self.sent, self.sent + len(whole)
        self.s.sendall(whole)
        return begin, self.sent

    def take(self, begin, end):
        got = 0
        while got < end - begin:
            part = self.c.recv(65536)
            check(part, "the whole response")
            got += len(part)

    def exchange(self, name, body):
        self.ask(name)
        begin, end = self.answer(body)
        self.take(begin, end)
        return begin, end

    def close(self):
        for s in (self.c, self.s, self.listener):
            s.close()


def by_path(agent, port):
    return {r["url.path"]: r for r in agent.rows("server", port)}


def moment(row, key):
    """CLOCK_MONOTONIC of a time of the row."""
    return row["start_time_unix_nano"] - (time.time_ns() - time.monotonic_ns()) + row[key]


def warm(p):
    """The hook is attached when the first write to a distant peer was seen, within a second."""
    p.exchange("warm", 10)
    time.sleep(1.3)


def as_the_relay_saw(row, p, end):
    s = p.wan.acknowledged(p.port, p.local, end)
    at = moment(row, "time_to_acknowledged_ns")
    check(s.before - SLACK_NS <= at <= s.after + SLACK_NS,
          "%s: acknowledged at %d, the relay gave it to the kernel from %d to %d (%+d µs)"
          % (row["url.path"], at, s.before, s.after, (at - s.before) // 1000))
    return abs(at - s.before)


def distant(source):
    """Each response on a kept connection: short, in several segments, larger than the window."""
    wan = Wan(DELAY)
    try:
        p = Pair(wan)
        agent = Agent("--port", p.port, source=source)
        p.connect()
        warm(p)
        ends = {}
        for i, body in enumerate([10, 10, 5000, 40000, 10, 300000] * 3):
            ends["/r%d" % i] = p.exchange("r%d" % i, body)[1]
        time.sleep(0.3)
        p.close()
        time.sleep(0.3)
        agent.stop()
        rows = by_path(agent, p.port)
        worst = max(as_the_relay_saw(rows[path], p, end) for path, end in ends.items())
        for path in ends:
            equal(rows[path]["parcours.response.retransmissions"], p.wan.again(p.port, p.local, 0, 0), path)
        compare.nothing_lost(agent.stats(), "distant")
        return "worst error %d µs" % (worst // 1000)
    finally:
        wan.end()


def lossy(source):
    """The first segment, one in the middle, the last and only one: sent again, and counted where it belongs."""
    wan = Wan(DELAY)
    try:
        p = Pair(wan)
        agent = Agent("--port", p.port, source=source)
        p.connect()
        warm(p)
        places = {}
        for name, body, lost in (("whole", 10, None), ("only", 10, 0), ("clean", 10, None), ("first", 60000, 0),
                                 ("middle", 60000, 30000), ("after", 10, None), ("last", 20000, 19900)):
            left = [] if lost is None else [p.sent + lost]
            first = wan.first(p.port, p.local)

            def drop(s, left=left, first=first):
                at = s.seq - first & 0xffffffff
                if s.to_near or not s.length or not left or not at <= left[0] < at + s.length:
                    return False
                left.pop()
                return True

            wan.drop = drop
            places["/" + name] = p.exchange(name, body)
            wan.drop = None
            check(not left, "%s: nothing was dropped" % name)
            time.sleep(0.1)
        p.close()
        time.sleep(0.3)
        agent.stop()
        rows = by_path(agent, p.port)
        for path, (begin, end) in places.items():
            as_the_relay_saw(rows[path], p, end)
            equal(rows[path]["parcours.response.retransmissions"], wan.again(p.port, p.local, begin, end),
                  path + ": sent again")
        equal([rows["/" + n]["parcours.response.retransmissions"] for n in ("whole", "clean", "after")], [0, 0, 0],
              "of whose segments none was lost")
        return "%d sent again" % sum(r.get("parcours.response.retransmissions", 0) for r in rows.values())
    finally:
        wan.end()


def closing(source):
    """The server closes with its response: at the latest when its FIN was acknowledged."""
    wan = Wan(DELAY)
    try:
        p = Pair(wan)
        agent = Agent("--port", p.port, source=source)
        p.connect()
        warm(p)
        p.close()
        p = Pair(wan)
        agent.stop()
        agent = Agent("--port", p.port, source=source)
        p.connect()
        warm(p)
        p.ask("closed")
        begin, end = p.answer(10)
        p.s.close()
        p.take(begin, end)
        time.sleep(0.2)
        p.c.close()
        time.sleep(0.3)
        agent.stop()
        row = by_path(agent, p.port)["/closed"]
        check("time_to_acknowledged_ns" not in row and "time_to_acknowledged_ns" in row["unobserved"], "not exact")
        late = moment(row, "time_to_acknowledged_at_most_ns") - wan.acknowledged(p.port, p.local, end).before
        check(-SLACK_NS <= late <= 60_000_000, "at most: %d µs after it was" % (late // 1000))
        return "%d µs after it was" % (late // 1000)
    finally:
        wan.end()


def slow_reader(source):
    """A near client that does not read: the write returns at once, the last octet arrives much later."""
    p = Pair(rcvbuf=32768)
    p.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    agent = Agent("--port", p.port, source=source)
    for name in ("warm", "slow"):
        p.connect()
        p.ask(name)
        begin, end = p.answer(150000)
        written = time.monotonic_ns()
        time.sleep(0.4)
        p.take(begin, end)
        taken = time.monotonic_ns()
        time.sleep(1.3)
        p.c.close()
        p.s.close()
    p.close()
    time.sleep(0.3)
    agent.stop()
    row = by_path(agent, p.port)["/slow"]
    check(moment(row, "duration_ns") <= written + SLACK_NS, "the write did not wait")
    at = moment(row, "time_to_acknowledged_ns")
    check(written + 350_000_000 <= at <= taken + SLACK_NS, "acknowledged %d ms after it was written, read after %d ms"
          % ((at - written) // 10**6, (taken - written) // 10**6))


def modes(source):
    """A near client that reads: nobody waits but with `on`; with `off` nothing is known."""
    found = {}
    for how in ("auto", "on", "off"):
        p = Pair()
        agent = Agent("--port", p.port, "-c", config(how), source=source)
        p.connect()
        for i in range(20):
            p.exchange("r%d" % i, 10)
            time.sleep(0.01)
        p.close()
        time.sleep(0.3)
        agent.stop()
        rows = [r for r in agent.rows("server", p.port)]
        equal(len(rows), 20, "rows")
        found[how] = sum("time_to_acknowledged_ns" in r for r in rows)
        for r in rows:
            check(r.get("time_to_acknowledged_ns", 10**18) >= r["duration_ns"], "before it was written: %s" % r)
            check("time_to_acknowledged_ns" in r or "time_to_acknowledged_ns" in r["unobserved"], "named")
    equal(found["off"], 0, "off")
    check(found["on"] >= 15, "on: %s" % found)
    return str(found)


suite = Suite(timed=True)
for each in sources():
    for body in (distant, lossy, closing, slow_reader, modes):
        require()
        suite.run("acknowledged %s %s" % (body.__name__, each), body, each)
suite.done()
