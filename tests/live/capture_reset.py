#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Connections that end by a reset in the middle of a call, as records of capture_dump: each byte that a call
moved is told once, with its bytes, whatever the moment of the reset.

The truth is what the calls of the server returned. tests/live/flood.py asks the same of the agent.
"""
import collections
import os
import socket
import struct
import time

from lib import process
from lib.agent import require, sources
from lib.dump import RESET_IN, Dump, conn_of, covered, of, opens
from lib.programs import c_program
from lib.suite import Suite, check, equal

CONNECTIONS = 10000  # of each of two clients; one call of a hundred used to be told wrong
LINGER_RESET = struct.pack("ii", 1, 0)
RING = 16 << 20  # of each kind: all records of a flood, should the reader get no processor meanwhile


def told(records):
    """{(connection, direction): how far its records reach}; a range that is told twice or out of place, or absent for
    another cause than its length, is a failure."""
    end = collections.Counter()
    for r in records:
        if r["kind"] != "data":
            continue
        key = r["conn"], r["dir"]
        equal(r["pos"], end[key], "%s position of %r" % (r["dir"], {k: v for k, v in r.items() if k != "bytes"}))
        check(r["why"] in ("", "budget"), "%d bytes absent because of %r" % (r["len"], r["why"]))
        end[key] += r["len"]
    return end


def in_a_call(source, mode):
    """Two clients that end their connections at all moments; returns the records, judged, and how many connections."""
    flood, port, place = c_program("flood"), process.free_port(), process.folder("reset")
    log = os.path.join(place, "server")
    server = process.start([flood, "server", str(port), "4"], log=log)
    process.wait_port(port, server)
    dump = Dump(source, "--pid", server.pid, "--ring", RING, "--control-ring", RING)
    clients = [process.start([flood, mode, str(port), str(CONNECTIONS), str(i << 24)], log=log + str(i))
               for i in (1, 2)]
    for i, child in enumerate(clients, 1):
        equal(child.wait(60), 0, "client: " + process.read(log + str(i)))
    time.sleep(0.3)
    records = dump.end()
    equal(sum(dump.stats["lost"]), 0, "records without room: the ring is too small for this test")
    end = told(records)
    truth, seen = collections.defaultdict(list), collections.defaultdict(list)
    for words in map(str.split, process.read(log).splitlines()):
        if words[0] == "connection" and words[2:] != ["0", "0"]:
            truth[int(words[1])].append((int(words[2]), int(words[3])))
    names = {r["conn"]: r["rport"] for r in opens(records)}
    for conn, remote in names.items():
        if end[conn, "rx"] + end[conn, "tx"]:
            seen[remote].append((end[conn, "rx"], end[conn, "tx"]))
    wrong = [(p, truth[p], seen[p]) for p in set(truth) | set(seen) if sorted(truth[p]) != sorted(seen[p])]
    check(not wrong, "%d ports: octets read and written, as the server and as the records say: %s"
          % (len(wrong), wrong[:3]))
    gone = collections.Counter((r["conn"], r["rx_pos"], r["tx_pos"]) for r in records if r["kind"] == "gone")
    gone.subtract((conn, end[conn, "rx"], end[conn, "tx"]) for conn in names)
    check(not any(gone.values()), "GONE: (connection, read, written) too many or too few: %s"
          % [(k, n) for k, n in gone.items() if n][:4])
    return records, len(names)


def reset_in_a_call(source):
    records, count = in_a_call(source, "reset")
    cut = sum(1 for r in records if r["kind"] == "close" and r["flags"] & RESET_IN)
    check(cut > CONNECTIONS // 5, "only %d connections were reset while the server had them" % cut)
    return "%d connections, %d reset while the server had them" % (count, cut)


def end_in_a_call(source):
    """An end of stream that arrives while the numbers of a call are read must not be taken off what the call read."""
    records, count = in_a_call(source, "leave")
    ended = sum(1 for r in records if r["kind"] == "end" and r["dir"] == "rx" and not r["error"])
    check(ended > CONNECTIONS // 5, "only %d connections came to their end" % ended)
    return "%d connections, %d came to their end" % (count, ended)


def unseen_before_a_reset(source):
    """Bytes that no call told of (the socket source hears nothing of a splice into a pipe) have their own cause,
    also when a reset comes before the socket is closed."""
    l = socket.create_server(("127.0.0.1", 0))
    dump = Dump(source, "--port", l.getsockname()[1])
    c = socket.create_connection(l.getsockname())
    s, _ = l.accept()
    c.sendall(b"q" * 10)
    equal(s.recv(100), b"q" * 10, "read by a call")
    c.sendall(b"z" * 1000)
    out, into = os.pipe()
    time.sleep(0.02)
    equal(os.splice(s.fileno(), into, 1000), 1000, "spliced")
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
    local = c.getsockname()[1]
    c.close()
    time.sleep(0.3)
    s.close()
    os.close(out)
    os.close(into)
    time.sleep(0.1)
    records = dump.end()
    server = conn_of(records, rport=local)
    equal(covered(records, server, "rx", b"q" * 10 + b"z" * 1000, why=("no_buffer",)), {"no_buffer": 1000}, "absent")
    equal([r["rx_pos"] for r in records if r["kind"] == "gone" and r["conn"] == server], [1010], "GONE")


def skipped_before_a_reset(source):
    """What the brain did not want is told when the connection closes, with the time of the latest call, not with that
    of the close."""
    l = socket.create_server(("127.0.0.1", 0))
    dump = Dump(source, "--port", l.getsockname()[1])
    c = socket.create_connection(l.getsockname())
    s, _ = l.accept()
    c.sendall(b"q" * 10)
    s.recv(100)
    local = c.getsockname()[1]
    server = conn_of(dump.so_far(), rport=local)
    dump.say("direct %d 0 100000 0 0" % server)
    s.sendall(b"a" * 5000)
    after = time.monotonic_ns()
    time.sleep(0.1)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
    c.close()
    found = of(dump.so_far(), server, "data", "tx")
    s.close()
    equal([(r["pos"], r["len"], r["why"]) for r in found], [(0, 5000, "directive")], "told at the CLOSE")
    check(found[0]["time"] <= after, "told with a time %.1f ms after the call" % ((found[0]["time"] - after) / 1e6))
    equal(len(of(dump.end(), server, "data", "tx")), 1, "told once")


suite = Suite()
require()
for each in sources():
    for body in (reset_in_a_call, end_in_a_call, unseen_before_a_reset, skipped_before_a_reset):
        suite.run("capture %s %s" % (body.__name__.replace("_", " "), each), body, each)
suite.done()
