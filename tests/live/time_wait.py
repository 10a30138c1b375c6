#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long a request waited in the socket before the application read it, against known waits.

The servers here are busy by sleeping; what they and the clients did is stamped with CLOCK_MONOTONIC in
the test, so each wait has a truth of its own. Wait needs the socket source; the syscall source has no
arrival and must name the value as unobserved. Runs alone on the machine (timed suite).
"""
import socket
import subprocess
import threading
import time

from lib import process
from lib.agent import Agent, sources
from lib.compare import target
from lib.suite import Suite, check

MS = 1_000_000
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

# argv: port, "serial" or "late", milliseconds. serial: one connection after the other, each request
# takes so long. late: waits so long before the first read, then answers at once.
SERVER = r"""
import socket, sys, time
port, mode, ms = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) / 1000
listener = socket.socket(); listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port)); listener.listen(16)
reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
while True:
    c, _ = listener.accept()
    if mode == "late":
        time.sleep(ms)
    data = b""
    while True:
        more = c.recv(65536)
        if not more:
            break
        print("read", time.monotonic_ns(), flush=True)
        data += more
        while b"\r\n\r\n" in data:
            head, data = data.split(b"\r\n\r\n", 1)
            if mode == "serial":
                time.sleep(ms)
            c.sendall(reply)
        if mode == "serial":
            break
    c.close()
"""


class Server:
    def __init__(self, mode, ms):
        self.port = process.free_port()
        self.child = process.start([process.PYTHON, "-c", SERVER, str(self.port), mode, str(ms)],
                                   stdout=subprocess.PIPE)
        process.wait_port(self.port, self.child)
        time.sleep(ms / 1000 + 0.1)  # the probe's connection is served too

    def reads(self):
        """Stops the server; the times of its reads."""
        self.child.terminate()
        return [int(line.split()[1]) for line in self.child.stdout.read().decode().splitlines()]


def request(name):
    return b"GET /w?id=%s HTTP/1.1\r\nHost: a\r\n\r\n" % name.encode()


def connect(port):
    s = socket.create_connection(("127.0.0.1", port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read_all(s, replies):
    data = b""
    while data.count(REPLY) < replies:
        more = s.recv(65536)
        check(more, "the server closed after %r" % data)
        data += more


def expect(agent, source, name, low_ns, high_ns):
    """wait_ns of one request lies in the range; the syscall source says that it cannot know."""
    rows = [r for r in agent.rows("server") if target(r) == "/w?id=" + name]
    check(len(rows) == 1, "%s: %d rows" % (name, len(rows)))
    row = rows[0]
    got = row.get("wait_ns")
    if got is None:
        check("wait_ns" in row.get("unobserved", []), "%s: no wait and not named: %s" % (name, row))
        check(source == "syscall", "%s: wait unobserved with the socket source" % name)
        return None
    check(low_ns <= got <= high_ns, "%s: wait %.3f ms, expected %.3f to %.3f" % (name, got / MS, low_ns / MS, high_ns / MS))
    return got


def parallel(source):
    """Two requests at once, 50 ms each, one thread: the second waits 50 ms ± 1, the first less than 1."""
    server = Server("serial", 50)
    agent = Agent("--port", server.port, source=source)
    first, second = connect(server.port), connect(server.port)
    first.sendall(request("first"))
    time.sleep(0.0005)
    sent = time.monotonic_ns()
    second.sendall(request("second"))
    threads = [threading.Thread(target=read_all, args=(s, 1)) for s in (first, second)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    reads = server.reads()
    agent.stop()
    true = reads[-1] - sent
    expect(agent, source, "first", 0, MS)
    got = expect(agent, source, "second", true - MS, true + MS)
    if got is None:
        return "unobserved"
    check(abs(got - 50 * MS) <= 1.5 * MS, "second: wait %.3f ms" % (got / MS))
    return "second waited %.3f ms, by the server's own clock %.3f" % (got / MS, true / MS)


def apart(source, pieces, waits):
    """A server that reads only after 100 ms; pieces of requests arrive at given times before."""
    server = Server("late", 100)
    agent = Agent("--port", server.port, source=source)
    s = connect(server.port)
    time.sleep(0.01)
    begin, sent = time.monotonic(), []
    for at, data in pieces:
        time.sleep(max(0, begin + at / 1000 - time.monotonic()))
        sent.append(time.monotonic_ns())
        s.sendall(data)
    read_all(s, len(waits))
    read = server.reads()[-1]
    agent.stop()
    said = []
    for name, piece in waits:
        true = read - sent[piece]
        got = expect(agent, source, name, true - MS, true + MS)
        said.append("unobserved" if got is None else "%.2f of %.2f ms" % (got / MS, true / MS))
    return ", ".join(said)


def pipelined(source):
    return apart(source, [(0, request("one")), (30, request("two"))], [("one", 0), ("two", 1)])


def joined(source):
    """The second piece ends the first request and holds the second; and the other way round."""
    one, two = request("one"), request("two")
    said = apart(source, [(0, one[:20]), (30, one[20:] + two)], [("one", 0), ("two", 1)])
    return said + "; " + apart(source, [(0, one + two[:20]), (30, two[20:])], [("one", 0), ("two", 0)])


suite = Suite(timed=True)
for each in sources():
    suite.run("two parallel requests of 50 ms " + each, parallel, each)
    suite.run("two pipelined requests 30 ms apart " + each, pipelined, each)
    suite.run("half a request joined to the previous one " + each, joined, each)
suite.done()
