#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Floods against a watched server: resets, more connections than are kept, requests a byte at a time, garbage,
processes that live for a moment, rings that overflow.

The truth is the server's own record. What could be seen is exact; what could not is counted; nothing is made up.
Over each flood the agent's own memory (of both processes, rings and files apart) stays within GROWTH, and no
exchange of the real clients breaks.
"""
import asyncio
import collections
import multiprocessing
import os
import random
import signal
import socket
import ssl
import struct
import threading
import time

from lib import compare, load, process, servers
from lib.agent import Agent, sources
from lib.programs import c_program
from lib.suite import Suite, check, equal

GROWTH = 64 << 10  # KiB: the bounds of the configuration (stream, transactions, export) with what they need beside
RING = 32 << 20
LINGER_RESET = struct.pack("ii", 1, 0)
HEAD = len("HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n")


class Memory:
    """Resident memory that is the agent's own, before, at its peak and after, in KiB."""

    def __init__(self, agent):
        self.pids, self.before, self.done = agent.pids(), None, threading.Event()
        self.before = self.peak = self.now()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def now(self):
        total = 0
        for pid in self.pids:
            for line in process.read("/proc/%d/status" % pid).splitlines():
                if line.startswith("RssAnon"):
                    total += int(line.split()[1])
        return total

    def watch(self):
        while not self.done.wait(0.1):
            self.peak = max(self.peak, self.now())

    def end(self):
        self.done.set()
        self.thread.join()
        after = self.now()
        check(self.peak - self.before < GROWTH, "memory grew from %d to %d KiB" % (self.before, self.peak))
        return "RSS %d, peak %d, after %d KiB" % (self.before, self.peak, after)


class Flood:
    """The server of apps/flood.c with its log."""

    def __init__(self, mode, *args):
        self.port, self.log = process.free_port(), os.path.join(process.folder("flood"), "log")
        self.program = c_program("flood")
        self.child = process.start([self.program, mode, str(self.port), *map(str, args)], log=self.log)
        process.wait_port(self.port, self.child)

    def clients(self, mode, count, *args, each=1, **kw):
        return [process.start([self.program, mode, str(self.port), str(count), str((i + 1) << 20), *map(str, args)],
                              log="%s.%d" % (self.log, i), **kw) for i in range(each)]

    def finish(self, clients, seconds=60):
        for i, child in enumerate(clients):
            equal(child.wait(seconds), 0, "client: " + process.read("%s.%d" % (self.log, i)))
        self.settle()

    def settle(self):
        """Until the log is quiet."""
        size = -1
        while os.path.getsize(self.log) != size:
            size = os.path.getsize(self.log)
            time.sleep(0.2)

    def truth(self):
        """{id: (sent, wanted, pid)}"""
        found = {}
        for words in map(str.split, process.read(self.log).splitlines()):
            if words[0] == "request":
                check(words[1] not in found, "the server's log repeats " + words[1])
                found[words[1]] = tuple(map(int, words[2:]))
        return found


def number(row):
    return row.get("url.query", "").partition("id=")[2].partition("&")[0]


def size_asked(row):
    return int(row["url.query"].partition("n=")[2].partition("&")[0])


def problem(row, sent, wanted):
    """What is wrong with the row of a request whose answer was to have `wanted` octets, of which the server's calls
    took `sent`; None: nothing."""
    size = size_asked(row)
    head = HEAD + len(str(size))
    whole = sent == wanted > 0
    want = {"outcome": "complete" if whole else "client_gone",
            "http.response.status_code": 200 if sent >= head else None}
    if whole:
        want["http.response.body.size"] = size
    wrong = {k: (row.get(k), v) for k, v in want.items() if row.get(k) != v}
    body = row.get("http.response.body.size")
    if body is not None and not whole and body != sent - head:
        wrong["http.response.body.size"] = (body, sent - head)
    return wrong or None


def judge(rows, truth, port, what):
    """Each request that the server read is one row and says what became of it; there are no others."""
    count = collections.Counter(map(number, rows))
    missing = [i for i in truth if i not in count]
    double = [i for i, n in count.items() if n > 1]
    phantom = [r for r in rows if number(r) not in truth]
    wrong = [(number(r), why) for r in rows if number(r) in truth
             for why in [problem(r, *truth[number(r)][:2])] if why]
    check(not (missing or double or phantom or wrong),
          "%s: of %d requests %d missing %s, %d double %s, %d phantom %s, %d wrong %s"
          % (what, len(truth), len(missing), missing[:3], len(double), double[:3], len(phantom), phantom[:2],
             len(wrong), wrong[:3]))
    equal({(r.get("server.port"), r.get("network.local.port")) for r in rows}, {(port, port)}, what + ": ports")


def resets(source):
    """Connections opened and reset: at once, in the request, before, in and after the answer."""
    flood = Flood("server", 4)
    agent = Agent("--pid", flood.child.pid, "--port", flood.port, "--ring-size", RING, source=source)
    memory = Memory(agent)
    flood.finish(flood.clients("reset", 9000, each=2))
    note = memory.end()
    agent.stop()
    truth, rows = flood.truth(), agent.rows()
    judge(rows, truth, flood.port, "resets")
    compare.nothing_lost(agent.stats(), "resets")
    cut = sum(1 for sent, wanted, _ in truth.values() if sent < wanted)
    check(cut > 500, "only %d answers were cut" % cut)
    return "%d requests, %d answers cut, %s" % (len(truth), cut, note)


class Nginx(servers.Nginx):
    """Holds what the floods hold open; its log has the requests, also of those who never sent one whole."""
    name, connections = "nginx-flood", 16000

    def scope(self):
        return [a for p in process.descendants(self.child.pid) for a in ("--pid", p)] + ["--port", self.port]


def plan(count, prefix="real"):
    return load.plan(count, ["/f1.bin", "/f777.bin", "/f5000.bin", "/none"], prefix=prefix, seed=len(prefix))


def real(server, requests, extra=()):
    """What the server logged: all that the real clients asked, and `extra` ids."""
    lines = server.wait_lines(len(requests) + len(extra))
    equal({m[1].rsplit("id=", 1)[1] for m in lines}, {r.id for r in requests} | set(extra), "ids in the server's log")
    return lines


def sizes(lines, drivers, size):
    """The log's lines with the octets of the body as the clients got it; `size` of those that are not theirs."""
    got = {name: seen.body for d in drivers for name, seen in d.seen.items()}
    return [(method, target, status, got.get(target.rsplit("id=", 1)[1], size)) for method, target, status, _ in lines]


def more_connections(source):
    """20,000 connections that stay open, each used now and then, while the agent keeps 4,096: real requests go on."""
    server, config = Nginx().start(), os.path.join(process.folder("config"), "parcours.yaml")
    process.write(config, "limits:\n  connections: 4096\n")
    agent = Agent("-c", config, *server.scope(), "--ring-size", RING, source=source)
    memory, requests = Memory(agent), plan(4000)
    run = load.Background(server.port, requests[:2000], 8)
    idle = [process.start([c_program("flood"), "idle", str(server.port), "10000", str((i + 1) << 20), "/f1.bin"],
                          stdin=-1, stdout=-1) for i in range(2)]
    for child in idle:
        equal(child.stdout.readline(), b"ready\n", "connections that stay open")
    first = run.wait()
    run = load.Background(server.port, requests[2000:], 8)
    for child in idle:
        child.stdin.write(b"again\n")
        child.stdin.flush()
    for child in idle:
        equal(child.stdout.readline(), b"ready\n", "the same connections again")
    second = run.wait()
    ids = [str((i + 1 << 20) + n) for i in range(2) for n in range(20000)]
    lines = sizes(real(server, requests, ids), (first, second), 1)
    note = memory.end()
    for child in idle:
        process.stop(child)
    time.sleep(0.5)
    agent.stop()
    stats = agent.stats()
    rows = agent.rows("server")
    seen = {compare.target(r) for r in rows}
    compare.exact(rows, [m for m in lines if m[1] in seen], "open connections")
    once = {m[1] for m in lines} - {"/f1.bin?id=%s" % i for i in ids if (int(i) & 0xfffff) >= 10000}
    check(once <= seen, "%d requests on connections that the agent knew are missing" % len(once - seen))
    missing, unseen = len(lines) - len(rows), compare.figure(stats, "connections.unseen")
    check(missing <= unseen, "%d requests on connections let go are missing, %d counted as unseen" % (missing, unseen))
    evicted = compare.figure(stats, "connections.evicted")
    check(evicted > 20000, "only %d connections were let go" % evicted)
    equal(compare.figure(stats, "connections.opened"),
          compare.figure(stats, "connections.closed") + compare.figure(stats, "connections.open"), "connections")
    compare.reconcile(stats, "open connections")
    return "%d requests, %d connections let go, %d then unseen, %s" % (len(lines), evicted, missing, note)


def heads(source):
    """Heads of up to 64 KiB, 10,000 requests in one go, an octet a call in both directions: all exact. Beyond 64 KiB a
    head is told as lost."""
    whole, bits = Flood("server", 2, 65536), Flood("server", 8, 1)
    agent = Agent("--pid", whole.child.pid, "--pid", bits.child.pid, "--ring-size", RING, source=source)
    memory = Memory(agent)
    large(whole, range(1, 9), 65536 - 8)
    large(whole, range(11, 13), 65537)
    pipeline(whole, range(100, 10100))
    slowly = [threading.Thread(target=octets, args=(bits, range(n * 50, n * 50 + 50))) for n in range(8)]
    for t in slowly:
        t.start()
    for t in slowly:
        t.join()
    whole.settle()
    bits.settle()
    note = memory.end()
    agent.stop()
    truth = whole.truth()
    equal(len(truth), 10010, "requests")
    beyond = [truth.pop(str(i)) for i in (11, 12)]
    rows = agent.rows()
    known = [r for r in rows if "url.query" in r]
    judge([r for r in known if r["server.port"] == whole.port], truth, whole.port, "large heads and pipelining")
    judge([r for r in known if r["server.port"] == bits.port], bits.truth(), bits.port, "an octet a call")
    stats = agent.stats()
    unknown = [r for r in rows if "url.query" not in r]
    check(all(r["outcome"] == "unobserved" for r in unknown) and len(unknown) <= len(beyond), "made up: %s" % unknown[:2])
    check(compare.figure(stats, "proto.loss.bytes", "head_too_large") >= 2 * 65537, "the heads beyond are not counted")
    compare.nothing_lost(stats, "heads")
    return "%d requests, %s" % (len(truth) + len(bits.truth()), note)


def connect(flood):
    s = socket.create_connection(("127.0.0.1", flood.port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.settimeout(30)
    return s


def take(s, count, size):
    """So many answers with `size` octets of content."""
    left = count * (HEAD + len(str(size)) + size)
    while left:
        part = s.recv(min(left, 1 << 16))
        check(part, "the server closed with %d octets of its answers to come" % left)
        left -= len(part)


def large(flood, ids, octets):
    with connect(flood) as s:
        for i in ids:
            begin, end = b"GET /f?id=%d&n=3 HTTP/1.1\r\nHost: a\r\nX: " % i, b"\r\n\r\n"
            s.sendall(begin + b"x" * (octets - len(begin) - len(end)) + end)
            take(s, 1, 3)


def pipeline(flood, ids):
    """All at once, on one connection; the answers are read meanwhile."""
    with connect(flood) as s:
        data = b"".join(b"GET /f?id=%d&n=20 HTTP/1.1\r\nHost: a\r\n\r\n" % i for i in ids)
        sender = threading.Thread(target=s.sendall, args=(data,))
        sender.start()
        take(s, len(ids), 20)
        sender.join()


def octets(flood, ids):
    with connect(flood) as s:
        for i in ids:
            for octet in b"GET /f?id=%d&n=5&w=1 HTTP/1.1\r\nHost: a\r\n\r\n" % i:
                s.send(bytes((octet,)))
            take(s, 1, 5)


def one_read(source):
    """10,000 requests of which one call reads more than is captured of a call: what lies behind is counted, not made
    up."""
    flood = Flood("server", 2)
    agent = Agent("--pid", flood.child.pid, "--ring-size", RING, source=source)
    pipeline(flood, range(10000))
    flood.settle()
    agent.stop()
    truth, rows, stats = flood.truth(), agent.rows(), agent.stats()
    equal(len(truth), 10000, "requests")
    named = [r for r in rows if "url.query" in r]
    seen = {number(r) for r in named}
    judge(named, {i: t for i, t in truth.items() if i in seen}, flood.port, "one read")
    rest = [r for r in rows if "url.query" not in r]
    equal(len(rest), len(truth) - len(named), "answers to requests that lay behind what was captured")
    equal({(r["outcome"], r["http.response.status_code"], r["parcours.unobserved.cause"]) for r in rest},
          {("unobserved", 200, "budget")}, "what is said of them")
    compare.nothing_lost(stats, "one read")
    return "%d whole, %d by their answers" % (len(named), len(rest))


HELLO = None


def hello():
    """What a TLS client says first."""
    global HELLO
    if not HELLO:
        out = ssl.MemoryBIO()
        tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="shop.example")
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            HELLO = out.read()
    return HELLO


def shout(port, count, seed):
    """Random octets, halves of TLS hellos, other protocols, requests with octets turned over; left in three ways."""
    rng, open_ones = random.Random(seed), collections.deque()
    good = b"GET /f1.bin?id=never HTTP/1.1\r\nHost: a\r\n\r\n"
    others = (b"\x00\x00\x00\x85\xffSMBr", b"SSH-2.0-x\r\n", b"*1\r\n$4\r\nPING\r\n", b"EHLO a\r\n", b"\r\n" * 2000,
              b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", b"GET " * 5000)
    for i in range(count):
        s = socket.create_connection(("127.0.0.1", port))
        torn = bytearray(good)
        torn[rng.randrange(4)] = rng.randrange(128, 256)
        data = (rng.randbytes(rng.randint(1, 3000)), hello()[:rng.randint(1, len(hello()) - 1)], rng.choice(others),
                bytes(torn))[i % 4]
        try:
            s.sendall(data)
        except OSError:
            pass
        if i % 3 == 0:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
        if i % 3 == 2:
            open_ones.append(s)
            s = open_ones.popleft() if len(open_ones) > 300 else None
        if s:
            s.close()
    for s in open_ones:
        s.close()


def garbage(source):
    """Random octets and half TLS hellos on the port, while real requests go on."""
    server = Nginx().start()
    agent = Agent(*server.scope(), "--ring-size", RING, source=source)
    memory, requests = Memory(agent), plan(3000)
    run = load.Background(server.port, requests, 8)
    shouting = [multiprocessing.Process(target=shout, args=(server.port, 4000, n)) for n in range(2)]
    for p in shouting:
        p.start()
    for p in shouting:
        p.join(60)
        equal(p.exitcode, 0, "a shouting client")
    driver = run.wait()
    lines = sizes(real(server, requests), (driver,), 0)
    note = memory.end()
    agent.stop()
    stats = agent.stats()
    rows = agent.rows("server")
    compare.exact([r for r in rows if "url.path" in r], lines, "garbage")
    refusals = {(r["outcome"], r["http.response.status_code"], r["parcours.unobserved.cause"]) for r in rows
                if "url.path" not in r}
    check(refusals <= {("unobserved", 400, "malformed"), ("unobserved", 414, "malformed")},
          "answers to what is no request: %s" % refusals)
    compare.nothing_lost(stats, "garbage")
    strange = compare.figure(stats, "connections.not_http")
    check(strange > 4000, "only %d connections were recognised as not HTTP" % strange)
    return "%d not HTTP, %s" % (strange, note)


async def drip(port, name, whole):
    """A request an octet at a time, over seconds; or only its beginning."""
    data = b"GET /f1.bin?id=%s HTTP/1.1\r\nHost: a\r\n\r\n" % name.encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for octet in data if whole else data[:-3]:
        writer.write(bytes((octet,)))
        await asyncio.sleep(0.05)
    if whole:
        check(await reader.readuntil(b"\r\n\r\n"), "no answer")
    writer.close()


def slow_heads(source):
    """700 clients that send a head an octet at a time, half of them never to its end, beside real requests."""
    server = Nginx().start()
    agent = Agent(*server.scope(), "--ring-size", RING, source=source)
    memory, requests = Memory(agent), plan(2000)
    run = load.Background(server.port, requests, 8)

    async def all_of_them():
        await asyncio.gather(*(drip(server.port, "slow%d" % i, i % 2) for i in range(700)))
    asyncio.run(asyncio.wait_for(all_of_them(), 60))
    driver = run.wait()
    note = memory.end()
    lines = sizes(real(server, requests, ["slow%d" % i for i in range(700)]), (driver,), 1)
    cut = [m for m in lines if m[2] == 400]  # nginx logs heads that never ended
    equal(len(cut), 350, "heads that never ended")
    lines = [m for m in lines if m[2] != 400]
    agent.stop()
    compare.exact(agent.rows("server"), lines, "slow heads")
    compare.nothing_lost(agent.stats(), "slow heads")
    return note


def visit(flood, ids):
    for i in ids:
        with connect(flood) as s:
            s.sendall(b"GET /f?id=%d&n=10 HTTP/1.1\r\nHost: a\r\n\r\n" % i)
            take(s, 1, 10)
            check(not s.recv(10), "more than an answer")


def forks(source):
    """Five processes a connection, each of which lives for a moment and holds it: who answered is said of each."""
    flood = Flood("forks")
    config = process.write(os.path.join(process.folder("config"), "parcours.yaml"), "limits:\n  processes: 256\n")
    agent = Agent("-c", config, "--pid", flood.child.pid, "--ring-size", RING, source=source)
    memory = Memory(agent)
    visitors = [threading.Thread(target=visit, args=(flood, range(n * 500, n * 500 + 500))) for n in range(4)]
    for t in visitors:
        t.start()
    for t in visitors:
        t.join()
    flood.settle()
    note = memory.end()
    agent.stop()
    truth, rows = flood.truth(), agent.rows()
    equal(len(truth), 2000, "requests")
    judge(rows, truth, flood.port, "forks")
    wrong = [(number(r), r.get("process.pid"), truth[number(r)][2]) for r in rows
             if r.get("process.pid") != truth[number(r)][2]]
    check(not wrong, "%d of %d have another owner: %s" % (len(wrong), len(rows), wrong[:3]))
    compare.nothing_lost(agent.stats(), "forks")
    return "%d processes answered, %s" % (len({pid for _, _, pid in truth.values()}), note)


def overflow(source):
    """Keep-alive at full speed and a flood of resets into a ring that is far too small: what was read by the server is
    told whole, told as unobserved, or lay in lost records; each octet is in a message or in a counted hole."""
    flood = Flood("server", 16)
    agent = Agent("--pid", flood.child.pid, "--port", flood.port, "--ring-size", 65536, source=source)
    memory, brain = Memory(agent), agent.brain()
    clients = flood.clients("reset", 6000)
    runs = [multiprocessing.Process(target=hurry, args=(flood, range(n << 26, (n << 26) + 8000))) for n in (1, 2)]
    for p in runs:
        p.start()
    for _ in range(5):  # a reader that is quick enough would lose nothing
        time.sleep(0.2)
        os.kill(brain, signal.SIGSTOP)
        time.sleep(0.1)
        os.kill(brain, signal.SIGCONT)
    for p in runs:
        p.join(60)
        equal(p.exitcode, 0, "a client in a hurry")
    flood.finish(clients)
    time.sleep(1.5)
    note = memory.end()
    agent.stop()
    truth, rows, stats = flood.truth(), agent.rows(), agent.stats()
    lost = compare.figure(stats, "events.lost", "data")
    check(lost > 0, "no event was lost: this run proves nothing")
    named = [r for r in rows if "url.query" in r]
    sure = [r for r in named if r["outcome"] != "unobserved"]
    judge(sure, {number(r): truth.get(number(r)) for r in sure if number(r) in truth}, flood.port, "overflow")
    count = collections.Counter(map(number, named))
    check(set(count) <= set(truth), "phantoms: %s" % list(set(count) - set(truth))[:3])
    check(max(count.values()) == 1, "double: %s" % [i for i, n in count.items() if n > 1][:3])
    missing = len(truth) - len(named)
    check(missing <= lost, "%d requests are missing, only %d records were lost" % (missing, lost))
    compare.reconcile(stats, "overflow")
    octets_of = [list(map(int, w[2:])) for w in map(str.split, process.read(flood.log).splitlines())
                 if w[0] == "connection"]
    for way, total in (("receive", sum(o[0] for o in octets_of)), ("transmit", sum(o[1] for o in octets_of))):
        equal(compare.figure(stats, "stream.bytes", way) + compare.figure(stats, "stream.ignored.bytes", way), total,
              "octets, " + way)
    return "%d requests, %d named, %d records lost, %s" % (len(truth), len(named), lost, note)


def hurry(flood, ids):
    """Requests as fast as they are answered, on four connections."""
    socks = [connect(flood) for _ in range(4)]
    for n, i in enumerate(ids):
        s = socks[n % 4]
        s.sendall(b"GET /f?id=%d&n=%d HTTP/1.1\r\nHost: a\r\n\r\n" % (i, (10, 900, 4000)[n % 3]))
        if n % 4 == 3:
            for k, each_one in enumerate(socks):
                take(each_one, 1, (10, 900, 4000)[(n - 3 + k) % 3])
    for s in socks:
        s.close()


def refused(source):
    """More connections than the table of the syscall source has room for: known ones stay exact, others are counted."""
    server = Nginx().start()
    config = process.write(os.path.join(process.folder("config"), "parcours.yaml"), "capture:\n  connections: 1024\n")
    agent = Agent("-c", config, *server.scope(), source=source)
    children = []
    for n in (500, 3000):
        children.append(process.start([c_program("flood"), "idle", str(server.port), str(n), str(n << 20), "/f1.bin"],
                                      stdin=-1, stdout=-1))
        equal(children[-1].stdout.readline(), b"ready\n", "connections that stay open")
    children[0].stdin.write(b"again\n")
    children[0].stdin.flush()
    equal(children[0].stdout.readline(), b"ready\n", "the known ones again")
    for child in children:
        process.stop(child)
    lines = server.wait_lines(4000)
    agent.stop()
    truth = {m[1]: m for m in lines}
    rows, stats = agent.rows("server"), agent.stats()
    first = {"/f1.bin?id=%d" % ((500 << 20) + i) for i in range(1000)}
    seen = {compare.target(r) for r in rows}
    check(first <= seen, "%d requests on known connections are missing" % len(first - seen))
    compare.exact(rows, [truth[t][:3] + (1,) for t in seen], "more than the table holds")
    least = len(lines) - len(rows)
    counted = compare.figure(stats, "capture.refused")
    check(counted >= least > 1000, "%d not seen, %d counted as refused" % (least, counted))
    return "%d seen, %d not, %d counted" % (len(rows), least, counted)


CASES = (resets, more_connections, heads, one_read, slow_heads, garbage, forks, overflow)
suite = Suite()
for each in sources():
    for body in CASES + ((refused,) if each == "syscall" else ()):
        suite.run("flood %s %s" % (body.__name__.replace("_", " "), each), body, each)
suite.done()
