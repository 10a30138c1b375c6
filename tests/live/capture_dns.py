#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Datagrams between a watched process and name servers, as records of capture_dump: one for each that was sent or
taken, with its octets, whatever the call; none of other datagrams, and none of a process that is not watched.
"""
import os
import socket
import subprocess
import threading

from lib import process
from lib.agent import require, sources
from lib.dump import Dump
from lib.suite import Suite, check, equal

# What the child does: each line is a message that comes back, or is cut there. s, t: connected, t by an IPv6 socket;
# u: not connected. `o` goes to another port.
CHILD = r'''
import os, socket, sys
v4, v6, other = sys.argv[1], sys.argv[2], int(sys.argv[3])
sys.stdin.readline()
def udp(family=socket.AF_INET): return socket.socket(family, socket.SOCK_DGRAM)
s, t, u, o = udp(), udp(socket.AF_INET6), udp(), udp()
s.connect((v4, 53)); t.connect((v6, 53)); o.connect((v4, other))
s.send(b"send"); s.recv(4096)
t.send(b"send6"); t.recv(4096)
os.write(s.fileno(), b"write"); os.read(s.fileno(), 4096)
os.writev(s.fileno(), [b"writev"]); os.readv(s.fileno(), [bytearray(4096)])
s.sendmsg([b"sendmsg"]); s.recvmsg(4096)
u.sendto(b"sendto", (v4, 53)); u.recvfrom(4096)
u.sendmsg([b"sendmsgto"], [], 0, (v4, 53)); u.recvmsg(4096)
s.send(b"s" * 600); s.recv(4096)
s.send(b"short"); s.recv(7)
s.send(b"peek"); s.recv(4096, socket.MSG_PEEK); s.recv(4096)
o.send(b"other"); o.recv(4096)
u.sendto(b"elsewhere", (v4, other)); u.recvfrom(4096)
'''
SENT = ["send", "send6", "write", "writev", "sendmsg", "sendto", "sendmsgto", "s" * 600, "short", "peek"]
ECHO = b"echo of "


def echo(address, port):
    """Answers each datagram with itself; returns the socket."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, port))

    def serve():
        while True:
            octets, who = s.recvfrom(4096)
            if not octets:
                return
            s.sendto(ECHO + octets, who)

    threading.Thread(target=serve, daemon=True).start()
    return s


def calls(source):
    v4 = "127.%d.%d.53" % (os.getpid() % 254 + 1, sources().index(source) + 7)  # what waits on a closed socket keeps it
    servers = [echo(v4, 53), echo(v4, 0)]
    start = lambda: process.start([process.PYTHON, "-c", CHILD, v4, "::ffff:" + v4, str(servers[1].getsockname()[1])],
                                  stdin=subprocess.PIPE)
    child, outside = start(), start()
    dump = Dump(source, "--pid", child.pid)
    for c in (child, outside):
        c.stdin.write(b"\n")
        c.stdin.flush()
    equal([c.wait(20) for c in (child, outside)], [0, 0], "the children")
    dump.so_far()
    records = [r for r in dump.end() if r["kind"] == "dns"]
    equal(sum(dump.stats["lost"]), 0, "lost")
    equal({r["tgid"] for r in records}, {child.pid}, "whose")
    text = lambda way: [bytes.fromhex(r["bytes"]).decode() for r in records if r["dir"] == way]
    equal(text("tx"), [m[:512] for m in SENT], "questions")
    wanted = [(ECHO.decode() + m)[:512] for m in SENT]
    wanted[SENT.index("short")] = wanted[SENT.index("short")][:7]
    # a socket that is not connected asked before: what it is sent from elsewhere cannot be told apart yet
    equal(text("rx"), wanted + [ECHO.decode() + "elsewhere"], "answers")
    for r in records:
        check(r["dir"] == "rx" or r["rport"] == 53, "port: %r" % r)
        check(not r["rport"] or r["rip"].endswith(socket.inet_aton(v4).hex()), "address: %r" % r)
        check(r["lport"] > 0 and r["captured"] <= 512, "ends: %r" % r)
    for s in servers:
        try:
            s.shutdown(socket.SHUT_RDWR)  # wakes who waits there
        except OSError:
            pass
        s.close()
    return "%d records" % len(records)


suite = Suite()
for each in sources():
    require()
    suite.run("capture_dns calls %s" % each, calls, each)
suite.done()
