#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each system call that moves bytes of a stream socket, as records: positions, bytes, causes.

The test's own process is both ends; capture_dump watches the port (or the process, for Unix
sockets). Needs no other part of the product than capture.
"""
import ctypes
import os
import socket
import threading
import time

from lib import process
from lib.agent import require, sources
from lib.dump import (BLOCKED, COUNTED, FIRST, JOINED, LAST, NEVER, PROVISIONAL, UNCERTAIN, Dump, conn_of,
                      covered, of, opens)
from lib.suite import Suite, check, equal

LIBC = ctypes.CDLL(None, use_errno=True)


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class Msghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint32), ("iov", ctypes.POINTER(Iovec)),
                ("iovlen", ctypes.c_size_t), ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


class Mmsghdr(ctypes.Structure):
    _fields_ = [("hdr", Msghdr), ("len", ctypes.c_uint)]


def mmsg(buffers):
    messages = (Mmsghdr * len(buffers))()
    keep = []
    for m, b in zip(messages, buffers):
        v = Iovec(ctypes.cast(b, ctypes.c_void_p), len(b))
        keep.append((v, b))
        m.hdr.iov, m.hdr.iovlen = ctypes.pointer(v), 1
    return messages, keep


def sendmmsg(s, *parts):
    messages, keep = mmsg([ctypes.create_string_buffer(p, len(p)) for p in parts])
    equal(LIBC.sendmmsg(s.fileno(), messages, len(parts), 0), len(parts), "sendmmsg")


def recvmmsg(s, *sizes):
    buffers = [ctypes.create_string_buffer(n) for n in sizes]
    messages, keep = mmsg(buffers)
    n = LIBC.recvmmsg(s.fileno(), messages, len(sizes), 0x10000, None)  # MSG_WAITFORONE
    return b"".join(b.raw[:m.len] for b, m in zip(buffers[:max(n, 0)], messages))


class Pair:
    """Both ends of one TCP connection, the port watched."""

    def __init__(self, source, *args, family=socket.AF_INET, before=False):
        host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        self.listener = socket.socket(family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, 0))
        self.listener.listen(8)
        self.address = self.listener.getsockname()[:2]
        self.port = self.address[1]
        if before:
            self.connect()
        self.dump = Dump(source, "--port", self.port, *args)
        if not before:
            self.connect()

    def connect(self):
        self.c = socket.create_connection(self.address)
        self.s, _ = self.listener.accept()
        for s in (self.c, self.s):
            s.settimeout(20)

    def end(self):
        for s in (self.c, self.s, self.listener):
            s.close()
        time.sleep(0.05)
        records = self.dump.end()
        equal(self.dump.stats["lost_bytes"], 0, "bytes lost")
        return records, conn_of(records, lport=self.c_port()), conn_of(records, lport=self.port)

    def c_port(self):
        return self.local

    def remember(self):
        self.local = self.c.getsockname()[1]
        return self


def text(n, seed=0):
    return bytes((i * 7 + i // 251 + seed) % 256 for i in range(n))


def read_all(s, n):
    out = b""
    while len(out) < n:
        part = s.recv(65536)
        check(part, "early end")
        out += part
    return out


def senders(source):
    """write, send, sendto, writev, sendmsg, sendmmsg of one, pwritev2; sendfile and splice by name."""
    p = Pair(source).remember()
    whole = b""
    for call in (lambda s, b: os.write(s.fileno(), b), lambda s, b: s.send(b), lambda s, b: s.sendto(b, p.address),
                 lambda s, b: os.writev(s.fileno(), [b[:3], b[3:3], b[3:50], b[50:]]), lambda s, b: s.sendmsg([b[:9], b[9:]]),
                 sendmmsg, lambda s, b: os.pwritev(s.fileno(), [b[:5], b[5:]], -1)):
        b = text(200 + len(whole) % 97, len(whole))
        call(p.c, b)
        whole += b
    records_at = len(whole)
    with open(process.write(os.path.join(process.folder(), "f"), text(9000)), "rb") as f:
        equal(os.sendfile(p.c.fileno(), f.fileno(), 0, 9000), 9000, "sendfile")
    whole += text(9000)
    r, w = os.pipe()
    os.write(w, b"x" * 1234)
    equal(os.splice(r, p.c.fileno(), 1234), 1234, "splice")
    whole += b"x" * 1234
    sendmmsg(p.c, b"one", b"two", b"three")
    whole += b"onetwothree"
    equal(read_all(p.s, len(whole)), whole, "what arrived")
    records, c, s = p.end()
    absent = covered(records, c, "tx", whole, why=("sendfile", "mmsg"))
    equal(absent, {"sendfile": 10234, "mmsg": 11}, "absent")
    check(all(r["captured"] == r["len"] for r in of(records, c, "data", "tx") if r["pos"] < records_at), "holes")
    covered(records, s, "rx", whole)


def receivers(source):
    """read, recv, recvfrom, readv, recvmsg, recvmmsg of one and of several, preadv2, MSG_WAITALL."""
    p = Pair(source).remember()
    whole = b""
    for call in (lambda s: os.read(s.fileno(), 500), lambda s: s.recv(500), lambda s: s.recvfrom(500)[0],
                 lambda s: s.recvmsg(500)[0], lambda s: recvmmsg(s, 500), lambda s: s.recv(203, socket.MSG_WAITALL)):
        b = text(203, len(whole))
        p.c.sendall(b)
        equal(call(p.s), b, "what was read")
        whole += b
    b = text(700)
    p.c.sendall(b)
    first, second, third = bytearray(100), bytearray(0), bytearray(300)
    equal(os.readv(p.s.fileno(), [first, second, third]), 400, "readv")
    equal(os.preadv(p.s.fileno(), [first, third], -1), 300, "preadv2")
    whole += b
    p.c.sendall(text(20))
    equal(recvmmsg(p.s, 5, 6, 400), text(20), "recvmmsg")
    whole += text(20)
    records, c, s = p.end()
    covered(records, c, "tx", whole)
    absent = covered(records, s, "rx", whole, why=("mmsg",))
    equal(absent, {"mmsg": 20}, "absent")
    ends = of(records, s, "end", "rx")
    check(not ends, "an end although nobody read one: %r" % ends)


def peek(source):
    """MSG_PEEK moves nothing; MSG_TRUNC takes bytes off the queue that nobody sees."""
    p = Pair(source).remember()
    p.c.sendall(text(300))
    for _ in range(3):
        equal(p.s.recv(100, socket.MSG_PEEK), text(300)[:100], "peek")
    buffer = ctypes.create_string_buffer(50)
    equal(LIBC.recv(p.s.fileno(), buffer, 50, socket.MSG_TRUNC), 50, "recv with MSG_TRUNC")
    equal(p.s.recv(1000), text(300)[50:], "the rest")
    records, c, s = p.end()
    equal(covered(records, s, "rx", text(300), why=("trunc",)), {"trunc": 50}, "absent")
    equal(len(of(records, s, "data", "rx")), 2, "records")


def splice_in(source):
    """Into a pipe: no buffer at all; what follows is where it belongs."""
    p = Pair(source).remember()
    r, w = os.pipe()
    p.c.sendall(text(100))
    equal(p.s.recv(100), text(100), "first")
    p.c.sendall(text(5000, 1))
    time.sleep(0.02)
    moved = 0
    while moved < 5000:
        moved += os.splice(p.s.fileno(), w, 5000 - moved)
    p.c.sendall(text(200, 2))
    equal(p.s.recv(1000), text(200, 2), "last")
    records, c, s = p.end()
    whole = text(100) + text(5000, 1) + text(200, 2)
    equal(covered(records, s, "rx", whole, why=("no_buffer",), uncertain=True), {"no_buffer": 5000}, "absent")


def urgent(source):
    """MSG_OOB: written, its byte is one like others; reading passes over it."""
    p = Pair(source).remember()
    p.c.sendall(b"before")
    equal(p.s.recv(100), b"before", "before")
    equal(p.c.send(b"abc!", socket.MSG_OOB), 4, "urgent")
    p.c.sendall(b"after")
    got = b""
    while not got.endswith(b"after"):
        got += p.s.recv(100)
    equal(got, b"abcafter", "the urgent byte is not among them")
    records, c, s = p.end()
    equal(covered(records, c, "tx", b"beforeabc!after"), {}, "absent")
    absent = covered(records, s, "rx", b"beforeabc!after", why=("no_buffer", "io_uring"), uncertain=True)
    equal(sum(absent.values()), 1, "one byte was passed over: %s" % absent)


def long_calls(source):
    """A thousand vectors in one call; a call longer than the budget: head, small vectors, tail."""
    p = Pair(source).remember()
    p.c.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    vectors = [text(1 + i % 60, i) for i in range(1024)]
    whole = b"".join(vectors)
    equal(os.writev(p.c.fileno(), vectors), len(whole), "writev of 1024")
    chunks = [b"H" * 300] + [part for i in range(20) for part in (b"1f40\r\n", text(8000, i), b"\r\n")] + [b"0\r\n\r\n"]
    got = threading.Thread(target=read_all, args=(p.s, len(whole) + len(b"".join(chunks)) + 300000))
    got.start()
    equal(p.c.sendmsg(chunks), len(b"".join(chunks)), "sendmsg")
    at = len(whole)
    whole += b"".join(chunks)
    p.c.sendall(text(300000))
    got.join()
    long_at = len(whole)
    whole += text(300000)
    records, c, s = p.end()
    covered(records, c, "tx", whole, why=("budget",))
    covered(records, s, "rx", whole, why=("budget",))
    there = set()
    for r in of(records, c, "data", "tx"):
        check(r["captured"] <= 4096, "a piece of %d bytes" % r["captured"])
        there.update(range(r["pos"], r["pos"] + r["captured"]))
    offset = at
    for part in chunks:
        small = len(part) <= 64
        if small or offset < at + 65536:
            check(all(offset + i in there for i in range(min(len(part), at + 65536 - offset if not small else 64))),
                  "vector of %d at %d is not there" % (len(part), offset))
        offset += len(part)
    check(long_at + 65535 in there and long_at + 65536 not in there, "the budget of a call")
    check(len(whole) - 1 in there and len(whole) - 64 in there and len(whole) - 65 not in there, "the tail of a call")
    flags = [r["flags"] & (FIRST | LAST) for r in of(records, c, "data", "tx") if r["pos"] >= long_at]
    check(flags[0] == FIRST and flags[-1] == LAST and not any(flags[1:-1]), "first and last piece: %r" % flags)


def directives(source):
    """Nothing before a position, a smaller budget from there on, nothing at all ever again."""
    p = Pair(source).remember()
    p.c.sendall(text(100))
    equal(read_all(p.s, 100), text(100), "first")
    s = conn_of(p.dump.so_far(), lport=p.port)
    p.dump.say("direct %d 5000 0 300 0" % s)
    whole = text(100)
    for part in (text(2000, 1), text(2000, 2), text(3000, 3)):
        p.c.sendall(part)
        equal(read_all(p.s, len(part)), part, "part")
        whole += part
    before = len([r for r in of(p.dump.so_far(), s, "data", "rx")])
    p.dump.say("direct %d %d %d 0 0" % (s, NEVER, NEVER))
    for i in range(5):
        p.c.sendall(b"never" * 10)
        read_all(p.s, 50)
    records, c, s = p.end()
    pieces = of(records, s, "data", "rx")
    equal(len(pieces), before, "records after NEVER")
    equal(pieces[1]["pos"], 100, "the skipped range begins where the brain left off")
    equal((pieces[1]["len"], pieces[1]["captured"], pieces[1]["why"]), (4900, 0, "directive"), "the skipped range")
    absent = covered(records, s, "rx", whole, why=("directive", "budget"))
    equal(absent, {"directive": 4900, "budget": 2100 - 300 - 64}, "absent")
    check(not of(records, s, "close"), "a connection that is not wanted was told closed")


def made_up_length(source):
    """Content that reads like a head: what stands behind it and within its length is told when the other
    side has spoken, and at the time at which it moved."""
    p = Pair(source).remember()
    parts = (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + text(8192), text(3000, 1))
    for part in parts:
        p.s.sendall(part)
        equal(read_all(p.c, len(part)), part, "part")
    moved = time.monotonic_ns()
    time.sleep(0.3)
    p.c.sendall(text(50))
    equal(read_all(p.s, 50), text(50), "the other side speaks")
    p.s.sendall(text(200))
    equal(read_all(p.c, 200), text(200), "behind it")
    whole = b"".join(parts) + text(200)
    records, c, s = p.end()
    absent = covered(records, s, "tx", whole, why=("directive", "budget"))
    equal(absent["directive"], 3000, "absent")
    for r in of(records, s, "data", "tx"):
        check((r["time"] <= moved) == (r["pos"] < len(whole) - 200), "the time of %d is wrong by %.3f s" % (
            r["pos"], (r["time"] - moved) / 1e9))


def partial(source):
    """Nonblocking: a part is taken, then EAGAIN; later the rest."""
    p = Pair(source).remember()
    p.c.setblocking(False)
    whole, again = b"", 0
    data = text(200000)
    reader = threading.Thread(target=lambda: (time.sleep(0.3), setattr(p, "got", read_all(p.s, 5000000))))
    reader.start()
    while len(whole) < 5000000:
        try:
            n = p.c.send(data[:5000000 - len(whole)])
            whole += data[:n]
        except BlockingIOError:
            again += 1
            time.sleep(0.005)
    reader.join()
    check(again > 0, "the buffer never filled: the test tests nothing")
    records, c, s = p.end()
    covered(records, c, "tx", whole, why=("budget",))
    covered(records, s, "rx", whole, why=("budget",))
    check(not any(r["flags"] & BLOCKED for r in of(records, c, "data", "tx")), "a nonblocking send is said to block")


def blocking(source):
    """6 MB in one call to a reader that starts 300 ms later: first byte right or absent, never wrong."""
    p = Pair(source).remember()
    p.c.settimeout(None)  # with a limit Python sets O_NONBLOCK and makes many calls
    times, data = [], b"6 MB.." * 1000000
    for _ in range(2):
        def slow():
            time.sleep(0.3)
            read_all(p.s, 6000000)
        reader = threading.Thread(target=slow)
        reader.start()
        begin = time.monotonic_ns()
        equal(p.c.send(data), 6000000, "one call")
        times.append((begin, time.monotonic_ns()))
        reader.join()
        time.sleep(1.3)  # the warden's tick attaches the stamp
    records, c, s = p.end()
    calls = [r for r in of(records, c, "data", "tx") if r["flags"] & FIRST]
    equal(len(calls), 2, "calls")
    for (begin, end), r in zip(times, calls):
        check(end - begin > 250e6, "the call did not block: the test tests nothing")
        if r["begin"]:
            check(begin <= r["begin"] <= begin + 50e6, "first byte %d ms after the call began" % ((r["begin"] - begin) / 1e6))
        else:
            check(r["flags"] & BLOCKED, "begin absent without a word")
        check(begin < r["time"] <= end, "time of the last byte")
    return "stamped %d of %d" % (sum(1 for r in calls if r["begin"]), len(calls))


def threads(source):
    """Two threads write, two read, on one connection: nothing twice, nothing lost, nothing invented."""
    p = Pair(source).remember()
    got, lock, turn = [0], threading.Lock(), threading.Lock()
    total = 2 * 3000 * 40

    def writer(letter):
        p.c.send(letter * 40)
        ready.wait()
        for _ in range(2999):
            p.c.send(letter * 40)

    def reader():
        with turn:  # each has used the socket before they race
            part = p.s.recv(40, socket.MSG_WAITALL)
        with lock:
            got[0] += len(part)
        ready.wait()
        while True:
            part = p.s.recv(100)
            with lock:
                got[0] += len(part)
            if not part:
                break
    ready = threading.Barrier(4)
    work = [threading.Thread(target=writer, args=(l,)) for l in (b"a", b"b")] + [threading.Thread(target=reader) for _ in range(2)]
    for t in work:
        t.start()
    for t in work[:2]:
        t.join()
    p.c.shutdown(socket.SHUT_WR)
    for t in work[2:]:
        t.join()
    equal(got[0], total, "bytes read")
    records, c, s = p.end()
    seen, absent = {}, 0
    for conn, d in ((c, "tx"), (s, "rx")):
        at, out = 0, []
        for r in sorted(of(records, conn, "data", d), key=lambda r: (r["pos"], r["captured"] == 0)):
            if r["captured"] < r["len"]:  # three calls deep: told absent, and it says uncertain
                check(r["flags"] & UNCERTAIN, "absent and certain: %r" % r)
                absent += r["len"]
                if r["pos"] < at:
                    continue  # it came after all
            check(r["pos"] == at, "%s: %d after %d" % (d, r["pos"], at))
            out += bytes.fromhex(r["bytes"]) or [None] * r["len"]
            at += r["len"]
        equal(at, total, d + " end")
        seen[d] = out
    wrong = sum(x != y for x, y in zip(seen["tx"], seen["rx"]) if x and y)
    uncertain = sum(1 for r in records if r["kind"] == "data" and r["flags"] & UNCERTAIN)
    check(wrong == 0 or uncertain, "%d bytes differ and nothing is uncertain" % wrong)
    check(absent <= total // 100, "%d of %d bytes told absent" % (absent, total))
    return "%d uncertain, %d bytes differ, %d absent" % (uncertain, wrong, absent)


def existing(source):
    """Connections open before us, used and unused, and one that waits in the accept queue."""
    p = Pair.__new__(Pair)
    p.listener = socket.create_server(("127.0.0.1", 0))
    p.address, p.port = p.listener.getsockname(), p.listener.getsockname()[1]
    p.connect()
    p.remember()
    p.c.sendall(text(1000))
    equal(read_all(p.s, 1000), text(1000), "before")
    p.s.sendall(text(77))
    read_all(p.c, 77)
    p.c.sendall(text(500, 3))  # stays in the queue
    waiting = socket.create_connection(p.address)
    waiting_port = waiting.getsockname()[1]
    p.dump = Dump(source, "--port", p.port)
    equal(read_all(p.s, 500), text(500, 3), "the queue")
    p.s.sendall(b"answer")
    read_all(p.c, 6)
    late, _ = p.listener.accept()
    waiting.sendall(b"hello")
    equal(late.recv(100), b"hello", "late")
    for s in (waiting, late, p.c, p.s, p.listener):
        s.close()
    time.sleep(0.05)
    records = p.dump.end()
    server = conn_of(records, lport=p.port, rport=p.local)
    client = conn_of(records, lport=p.local)
    o = opens(records, conn=server)[0]
    check(o["flags"] & JOINED and o["rx_pos"] == 1000 and o["tx_pos"] == 77, "joined: %r" % o)
    check(o["flags"] & 0x10 and opens(records, conn=client)[0]["flags"] & 0x8, "roles")
    equal((o["rx_isn"], o["tx_isn"]), tuple(opens(records, conn=client)[0][k] for k in ("tx_isn", "rx_isn")),
          "initial sequence numbers of both ends")
    covered(records, server, "rx", text(500, 3), start=1000)
    covered(records, server, "tx", b"answer", start=77)
    covered(records, client, "rx", b"answer", start=77)
    queued = conn_of(records, lport=p.port, rport=waiting_port)
    check(not opens(records, conn=queued)[0]["flags"] & JOINED, "nothing had moved yet")
    covered(records, queued, "rx", b"hello")


def unix(source):
    """Stream sockets of the Unix family, by byte counter; the end is told by reading it."""
    dump = Dump(source, "--pid", os.getpid())
    a, b = socket.socketpair()
    whole = b""
    for i in range(20):
        part = text(10 + 300 * i, i)
        a.sendmsg([part[:7], part[7:]])
        equal(read_all(b, len(part)), part, "part")
        whole += part
    b.sendall(b"back")
    equal(a.recv(10), b"back", "back")
    a.close()
    equal(b.recv(10), b"", "end")
    b.close()
    records = dump.end()
    found = [r["conn"] for r in opens(records, family=1) if of(records, r["conn"], "data", "tx") and
             sum(x["len"] for x in of(records, r["conn"], "data", "tx")) == len(whole)]
    equal(len(found), 1, "the sending end")
    covered(records, found[0], "tx", whole)
    covered(records, found[0], "rx", b"back")
    other = [r["conn"] for r in opens(records, family=1) if r["conn"] != found[0] and
             sum(x["len"] for x in of(records, r["conn"], "data", "rx")) == len(whole)]
    equal(len(other), 1, "the receiving end")
    covered(records, other[0], "rx", whole)
    check(all(r["flags"] & COUNTED for r in of(records, other[0])), "a counter, and it says so")
    equal([e["error"] for e in of(records, other[0], "end", "rx")], [0], "end of stream")


def ipv6(source):
    p = Pair(source, family=socket.AF_INET6).remember()
    p.c.sendall(text(500))
    read_all(p.s, 500)
    records, c, s = p.end()
    covered(records, c, "tx", text(500))
    covered(records, s, "rx", text(500))
    o = opens(records, conn=s)[0]
    equal((o["family"], o["lip"]), (10, "0" * 31 + "1"), "address")


suite = Suite()
for each in sources():
    for body in (senders, receivers, peek, splice_in, urgent, long_calls, directives, made_up_length, partial, blocking,
                 threads, existing, unix, ipv6):
        require()
        suite.run("capture %s %s" % (body.__name__, each), body, each)
suite.done()
