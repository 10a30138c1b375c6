#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What is told of connections and processes besides their bytes: opens, ends, resets, who used them,
when data arrived, what a small ring lost, what a new brain hears. As records of capture_dump.
"""
import array
import os
import signal
import socket
import struct
import subprocess
import time

from lib import process
from lib.agent import require, sources
from lib.dump import (ACTIVE, COUNTED, DATA, JOINED, PASSIVE, PROVISIONAL, REFUSED, RESET_IN, RESET_OUT, Dump, conn_of,
                      covered, of, opens)
from lib.suite import Skip, Suite, check, equal

LINGER_RESET = struct.pack("ii", 1, 0)


def listen(family=socket.AF_INET):
    return socket.create_server(("127.0.0.1", 0), family=family)


def connect(listener):
    c = socket.create_connection(listener.getsockname())
    s, _ = listener.accept()
    c.settimeout(10)
    s.settimeout(10)
    return c, s, c.getsockname()[1]


def port_of(listener):
    return listener.getsockname()[1]


def closes(records, conn):
    found = [r for r in records if r["kind"] == "close" and r["conn"] == conn]
    equal(len(found), 1, "CLOSE records")
    gone = [r for r in records if r["kind"] == "gone" and r["conn"] == conn]
    equal(len(gone), 1, "GONE records")
    check(records.index(found[0]) < records.index(gone[0]), "GONE before CLOSE")
    return found[0], gone[0]


def orderly(source):
    """Half-close: both ends are told once, with the position, then CLOSE and GONE, no reset."""
    l = listen()
    dump = Dump(source, "--port", port_of(l))
    c, s, local = connect(l)
    c.sendall(b"question")
    c.shutdown(socket.SHUT_WR)
    equal(s.recv(100), b"question", "question")
    equal(s.recv(100), b"", "end")
    s.sendall(b"the answer")
    s.close()
    equal(c.recv(100), b"the answer", "answer")
    equal(c.recv(100), b"", "end")
    equal(c.recv(100), b"", "end again")
    c.close()
    time.sleep(0.1)
    records = dump.end()
    client, server = conn_of(records, lport=local), conn_of(records, lport=port_of(l))
    for conn, rx, tx in ((client, 10, 8), (server, 8, 10)):
        ends = sorted((r["dir"], r["pos"], r["error"]) for r in of(records, conn, "end"))
        equal(ends, [("rx", rx, 0), ("tx", tx, 0)], "ends")
        close, gone = closes(records, conn)
        equal((gone["rx_pos"], gone["tx_pos"]), (rx, tx), "GONE")
        # whoever closed first is CLOSE as soon as the peer's FIN is in, before the last read
        equal(close["rx_pos"] + close["unread"], rx, "CLOSE")
        equal((close["tx_pos"], close["acked"]), (tx, tx), "CLOSE")
        for r in (close, gone):
            equal(r["flags"] & (RESET_IN | RESET_OUT | REFUSED), 0, "flags of " + r["kind"])
    o = opens(records, conn=server)[0]
    check(o["flags"] & PASSIVE and opens(records, conn=client)[0]["flags"] & ACTIVE, "roles")
    equal((o["rx_isn"], o["tx_isn"]), tuple(opens(records, conn=client)[0][k] for k in ("tx_isn", "rx_isn")),
          "initial sequence numbers of both ends")
    check(0 < opens(records, conn=client)[0]["handshake"] < 50e6, "handshake")


def resets(source):
    """Closed with unread data, and by SO_LINGER 0: who sent the reset, who got it, what was unread."""
    l = listen()
    dump = Dump(source, "--port", port_of(l))
    c, s, local = connect(l)
    c.sendall(b"x" * 1000)
    equal(s.recv(10), b"x" * 10, "first bytes")
    time.sleep(0.02)
    s.close()  # 990 bytes unread: the kernel resets
    time.sleep(0.02)
    try:
        c.recv(10)
        check(False, "no reset arrived: the test tests nothing")
    except ConnectionResetError:
        pass
    c.close()
    c2, s2, local2 = connect(l)
    c2.sendall(b"y")
    s2.recv(1)
    c2.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
    c2.close()
    time.sleep(0.02)
    s2.close()
    time.sleep(0.1)
    records = dump.end()
    client, server = conn_of(records, lport=local), conn_of(records, lport=port_of(l), rport=local)
    close, _ = closes(records, server)
    check(close["flags"] & RESET_OUT and not close["flags"] & RESET_IN, "server's CLOSE: %r" % close)
    equal((close["rx_pos"], close["unread"]), (10, 990), "read and unread")
    close, _ = closes(records, client)
    check(close["flags"] & RESET_IN and not close["flags"] & RESET_OUT, "client's CLOSE: %r" % close)
    check(104 in [e["error"] for e in of(records, client, "end", "rx")], "ECONNRESET of the read was not told")
    check(closes(records, conn_of(records, lport=local2))[0]["flags"] & RESET_OUT, "SO_LINGER 0")
    check(closes(records, conn_of(records, lport=port_of(l), rport=local2))[0]["flags"] & RESET_IN, "its peer")


def refused(source):
    """connect() that fails; the same socket then connects."""
    l = listen()
    port = port_of(l)
    dump = Dump(source, "--port", port, "--port", process.free_port())
    l.close()
    s = socket.socket()
    for _ in range(2):
        try:
            s.connect(("127.0.0.1", port))
            check(False, "somebody listens there")
        except ConnectionRefusedError:
            pass
    l = socket.create_server(("127.0.0.1", port))
    s.connect(("127.0.0.1", port))
    a, _ = l.accept()
    s.sendall(b"at last")
    equal(a.recv(10), b"at last", "bytes")
    local = s.getsockname()[1]
    s.close()
    a.close()
    time.sleep(0.1)
    records = dump.end()
    fails = [r for r in records if r["kind"] == "close" and r["flags"] & REFUSED]
    equal([r["error"] for r in fails], [111, 111], "errors of refused connections")
    client = conn_of(records, lport=local)
    covered(records, client, "tx", b"at last")
    last = [r for r in records if r.get("conn") == client and r["kind"] in ("open", "close", "gone")]
    check(last[-1]["kind"] == "gone" and last[-2]["kind"] == "close" and not last[-2]["flags"] & REFUSED, "its end")
    equal(last[-1]["tx_pos"], 7, "its position")


def arrivals(source):
    """When each byte reached the socket, however late it is read."""
    l = listen()
    dump = Dump(source, "--port", port_of(l))
    c, s, local = connect(l)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sent = []
    for part in (b"a" * 100, b"b" * 50, b"c" * 10):
        sent.append(time.monotonic_ns())
        c.sendall(part)
        time.sleep(0.03)
    equal(s.recv(120), b"a" * 100 + b"b" * 20, "one and a half")
    equal(s.recv(200), b"b" * 30 + b"c" * 10, "the rest")
    for i in range(8):
        c.sendall(b"%d" % i)
        time.sleep(0.002)
    equal(s.recv(100), b"01234567", "eight bursts")
    records = dump.end()
    server = conn_of(records, lport=port_of(l), rport=local)
    first, second, third = of(records, server, "data", "rx")
    equal([p for p, _ in first["arrivals"]], [100, 150], "arrivals of the first read")
    equal([p for p, _ in second["arrivals"]], [150, 160], "arrivals of the second read")
    for (_, at), want in zip(first["arrivals"] + second["arrivals"][1:], sent):
        check(want <= at < want + 5e6, "arrived %.1f ms after it was sent" % ((at - want) / 1e6))
    equal(len(third["arrivals"]), 4, "pairs kept")
    equal([p for p, _ in third["arrivals"]], [161, 162, 163, 164], "the first four bursts")


def in_child(body):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            body()
            code = 0
        finally:
            os._exit(code)
    return pid


def wait(pid):
    equal(os.waitpid(pid, 0)[1], 0, "exit of the child")


def forked(source):
    """A child answers on the connection that its parent accepted: the writer is the child."""
    l = listen()
    dump = Dump(source, "--pid", os.getpid())
    c, s, local = connect(l)
    c.sendall(b"question")
    equal(s.recv(100), b"question", "question")

    def answer():
        s.sendall(b"answer of the child")
    pid = in_child(answer)
    wait(pid)
    equal(c.recv(100), b"answer of the child", "answer")
    s.close()
    c.close()
    time.sleep(0.05)
    records = dump.end()
    server = conn_of(records, lport=port_of(l), rport=local)
    equal([r["tgid"] for r in of(records, server, "data", "rx")], [os.getpid()], "who read")
    equal([r["tgid"] for r in of(records, server, "data", "tx")], [pid], "who wrote")
    equal([(r["tgid"], r["parent"]) for r in records if r["kind"] == "fork" and r["tgid"] == pid],
          [(pid, os.getpid())], "FORK")
    equal([r["exit"] for r in records if r["kind"] == "exit" and r["tgid"] == pid], [0], "EXIT")


def passed(source):
    """A descriptor handed to another process by SCM_RIGHTS; only that process is watched."""
    l = listen()
    ours, theirs = socket.socketpair()
    c, s, local = connect(l)
    c.sendall(b"before")
    equal(s.recv(100), b"before", "before")

    def serve():
        _, more, _, _ = theirs.recvmsg(1, socket.CMSG_SPACE(4))
        got = socket.socket(fileno=array.array("i", more[0][2])[0])
        got.settimeout(10)
        got.sendall(b"for " + got.recv(100))
        got.close()
        theirs.recv(1)
    pid = in_child(serve)
    dump = Dump(source, "--pid", pid)
    ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [s.fileno()]))])
    s.close()
    c.sendall(b"you")
    equal(c.recv(100), b"for you", "answer")
    ours.sendall(b"x")
    wait(pid)
    c.close()
    time.sleep(0.05)
    records = dump.end()
    conn = conn_of(records, lport=port_of(l), rport=local)
    o = opens(records, conn=conn)[0]
    check(o["flags"] & JOINED and o["rx_pos"] == 6, "joined where the other left off: %r" % o)
    equal(o["tgid"], pid, "who uses it")
    covered(records, conn, "rx", b"you", start=6)
    covered(records, conn, "tx", b"for you")
    check(not opens(records, lport=local), "the other end is not in scope")


def short_lived(source):
    """Processes that live for milliseconds, in scope by exec: whole, and provisional until judged."""
    l = listen()
    dump = Dump(source, "--exec-asks", "--port", port_of(l))
    # the port keeps others' processes out; --exec-asks makes ours unknown when it execs
    script = "exec 3<>/dev/tcp/127.0.0.1/%d; printf 'hello from %%s' $$ >&3; read -r x <&3; echo \"$x\"" % port_of(l)
    truth = []
    for i in range(10):
        child = subprocess.Popen(["/bin/bash", "-c", script], stdout=subprocess.PIPE)
        s, _ = l.accept()
        got = b""
        while len(got) < 11 + len(str(child.pid)):
            got += s.recv(100)
        s.sendall(b"bye\n")
        equal(child.communicate(timeout=10)[0], b"bye\n", "answer")
        s.close()
        truth.append((child.pid, got))
    time.sleep(0.1)
    records = dump.end()
    for pid, sent in truth:
        mine = [r for r in opens(records, rport=port_of(l)) if r["tgid"] == pid]
        equal(len(mine), 1, "connections of %d" % pid)
        check(mine[0]["flags"] & PROVISIONAL, "nobody judged it, so it is provisional")
        covered(records, mine[0]["conn"], "tx", sent)
        covered(records, mine[0]["conn"], "rx", b"bye\n")
        exe = [r["file"] for r in records if r["kind"] == "exec" and r["tgid"] == pid]
        check(exe and exe[0].endswith("bash"), "EXEC of %d: %r" % (pid, exe))
        equal(len([r for r in records if r["kind"] == "exit" and r["tgid"] == pid]), 1, "EXIT of %d" % pid)


def judged(source):
    """Unknown: a small budget. NO ends it, YES lifts it."""
    l = listen()
    dump = Dump(source, "--pid", 1 << 21)
    dump.say("process %d 2" % os.getpid())
    c, s, local = connect(l)
    c.sendall(b"q" * 20000)
    got = 0
    while got < 20000:
        got += len(s.recv(30000))
    dump.say("process %d 1" % os.getpid())
    c.sendall(b"r" * 20000)
    while got < 40000:
        got += len(s.recv(30000))
    dump.say("process %d 0" % os.getpid())
    c2, s2, local2 = connect(l)
    c2.sendall(b"nobody is told")
    s2.recv(100)
    records = dump.end()
    client = conn_of(records, lport=local)
    absent = covered(records, client, "tx", b"q" * 20000 + b"r" * 20000, why=("budget",))
    equal(absent, {"budget": 20000 - 16384 - 64}, "absent")
    check(all(bool(r["flags"] & PROVISIONAL) == (r["pos"] < 20000) for r in of(records, client, "data", "tx")), "flag")
    equal(opens(records, lport=local2), [], "a process that is not ours")


def new_brain(source):
    """After a new brain every connection is told again, with the position it has by then."""
    l = listen()
    dump = Dump(source, "--port", port_of(l))
    c, s, local = connect(l)
    for part in (b"one", b"two!"):
        c.sendall(part)
        s.recv(100)
    dump.so_far()
    dump.say("begin")
    c.sendall(b"three")
    equal(s.recv(100), b"three", "bytes")
    c.close()
    s.close()
    time.sleep(0.05)
    records = dump.end()
    for conn, at in ((conn_of(records, lport=local), "tx_pos"), (conn_of(records, lport=port_of(l)), "rx_pos")):
        equal([r[at] for r in opens(records, conn=conn)], [0, 7], at + " of both OPENs")
        check(opens(records, conn=conn)[1]["flags"] & JOINED, "joined")
        check(opens(records, conn=conn)[1]["tx_isn"] == opens(records, conn=conn)[0]["tx_isn"], "same numbers")
        covered(records, conn, at[:2], b"onetwo!three")


def lost(source):
    """A ring made far too small, and nobody reads: every loss is counted, the positions show it."""
    l = listen()
    dump = Dump(source, "--port", port_of(l), "--ring", 65536)
    c, s, local = connect(l)
    c.sendall(b"0" * 100)
    s.recv(1000)
    dump.so_far()
    dump.say("stop")
    for i in range(400):
        c.sendall(b"%03d" % i * 300)
        got = 0
        while got < 900:
            got += len(s.recv(900 - got))
    dump.say("go")
    dump.so_far()
    c.sendall(b"end")
    s.recv(100)
    time.sleep(0.05)
    records = dump.end()
    stats = dump.stats
    check(stats["lost"][DATA] > 100, "nothing was lost: the test tests nothing")
    sent = b"0" * 100 + b"".join(b"%03d" % i * 300 for i in range(400)) + b"end"
    holes = 0
    for conn, d in ((conn_of(records, lport=local), "tx"), (conn_of(records, lport=port_of(l)), "rx")):
        at = 0
        for r in of(records, conn, "data", d):
            check(r["pos"] >= at, "%s goes back" % d)
            holes += r["pos"] - at
            equal(bytes.fromhex(r["bytes"]), sent[r["pos"]:r["pos"] + r["captured"]], d)
            check(r["captured"] == r["len"] or r["why"] == "budget", "absent because of %r" % r["why"])
            at = r["pos"] + r["len"]
        equal(at, len(sent), d + " end")
    equal(holes, stats["lost_bytes"], "bytes in holes")
    return "%d records, %d bytes lost" % (stats["lost"][DATA], holes)


def filling(source):
    """A ring that is three quarters full: what begins a message keeps its bytes, a piece of a body is told without."""
    l = listen()
    dump = Dump(source, "--port", port_of(l), "--ring", 65536)
    c, s, local = connect(l)
    sent = b""

    def move(data):
        nonlocal sent
        sent += data
        c.sendall(data)
        left = len(data)
        while left:
            left -= len(s.recv(left))
    move(b"whole " * 300)
    dump.so_far()
    dump.say("stop")
    while len(sent) < 1800 + 44 * 500:  # 580 octets of the ring each, at both ends
        move(b"few" * 166 + b"\r\n")
    head = b"GET /kept HTTP/1.1\r\nX: " + b"y" * 1500 + b"\r\n\r\n"
    move(head)
    move(b"body" * 400)
    move(head)
    dump.say("go")
    records = dump.end()
    equal(sum(dump.stats["lost"]), 0, "lost")
    for conn, d in ((conn_of(records, lport=local), "tx"), (conn_of(records, lport=port_of(l)), "rx")):
        equal(covered(records, conn, d, sent, why=("budget",)), {"budget": 1600}, "absent")
        equal([r["captured"] for r in of(records, conn, "data", d)][-3:], [len(head), 0, len(head)], "captured")


def mptcp(source):
    """Not plain TCP: by byte counter, and it says so."""
    try:
        l = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    except OSError:
        raise Skip("kernel has no MPTCP")
    l.bind(("127.0.0.1", 0))
    l.listen(5)
    dump = Dump(source, "--port", port_of(l))
    c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    c.connect(l.getsockname())
    s, _ = l.accept()
    for i in range(5):
        c.sendall(b"%d" % i * 500)
        equal(s.recv(1000), b"%d" % i * 500, "bytes")
    local = c.getsockname()[1]
    records = dump.end()
    client = conn_of(records, lport=local)
    covered(records, client, "tx", b"".join(b"%d" % i * 500 for i in range(5)))
    check(all(r["flags"] & COUNTED for r in of(records, client)), "a counter, and it says so")


suite = Suite()
require()
for each in sources():
    for body in (orderly, resets, refused, arrivals, forked, passed, short_lived, judged, new_brain, lost, filling,
                 mptcp):
        suite.run("capture %s %s" % (body.__name__, each), body, each)
suite.done()
