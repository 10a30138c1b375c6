#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What only the syscall source has: a table of connections that can be full, names made by cookie or
by inode, sockets that the scan cannot find. The test's own process is both ends of all connections.
"""
import os
import socket
import time

from lib.agent import require, sources
from lib.dump import Dump, covered, of, opens
from lib.suite import Suite, check, equal

OWN_ID = 1 << 63  # a connection id that is no cookie


class Server:
    """A listener of the test and connections to it."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]

    def pair(self):
        client = socket.create_connection(("127.0.0.1", self.port))
        return client, self.listener.accept()[0]

    def close(self):
        self.listener.close()


def talk(pair, text):
    client, server = pair
    client.sendall(text)
    equal(server.recv(4096), text, "the test's own echo")
    server.sendall(text[::-1])
    equal(client.recv(4096), text[::-1], "the test's own echo")


def end(pair):
    pair[0].close()
    pair[1].recv(1)
    pair[1].close()


def check_told(records, text):
    """Every connection that was told of is whole."""
    for o in opens(records):
        direction = "rx" if o["flags"] & 0x10 else "tx"
        other = "tx" if direction == "rx" else "rx"
        covered(records, o["conn"], direction, text)
        covered(records, o["conn"], other, text[::-1])


def full():
    """Twelve connections (24 ends), room for six ends: those are exact, the others refused by count."""
    server, text = Server(), b"refused or whole"
    dump = Dump("syscall", "--port", server.port, "--connections", 6)
    pairs = [server.pair() for _ in range(12)]
    for pair in pairs:
        talk(pair, text)
    for pair in pairs:
        end(pair)
    time.sleep(0.1)
    again = server.pair()
    talk(again, text)
    mark = again[0].getsockname()[1]
    end(again)
    server.close()
    records = dump.end()
    before = [o for o in opens(records) if mark not in (o["lport"], o["rport"])]
    equal(len(before), 6, "ends told of while the table was full")
    check(dump.stats["refused"] >= 18, "refused: %d" % dump.stats["refused"])
    equal(len(opens(records)) - len(before), 2, "ends told of when there was room again")
    check_told(records, text)
    return "%d refusals" % dump.stats["refused"]


def room():
    """Many connections one after another: the table keeps the living only."""
    server, text = Server(), b"one after another"
    dump = Dump("syscall", "--port", server.port, "--connections", 16)
    for _ in range(200):
        pair = server.pair()
        talk(pair, text)
        end(pair)
    server.close()
    records = dump.end()
    equal(dump.stats["refused"], 0, "refused")
    equal(len(opens(records)), 400, "ends told of")
    equal(len({o["conn"] for o in opens(records)}), 400, "different ids")
    check_told(records, text)
    return "400 ends"


def queued():
    """Established before us, accepted after the scan: nothing had named that end of it."""
    server, text = Server(), b"GET /queued HTTP/1.1\r\n\r\n"
    client = socket.create_connection(("127.0.0.1", server.port))
    dump = Dump("syscall", "--port", server.port)
    pair = (client, server.listener.accept()[0])
    talk(pair, text)
    end(pair)
    server.close()
    records = dump.end()
    equal(len(opens(records)), 2, "ends told of")
    accepted = opens(records, lport=server.port)[0]
    check(accepted["conn"] and not accepted["conn"] & OWN_ID, "id of the accepted end: %x" % accepted["conn"])
    covered(records, accepted["conn"], "rx", text)
    covered(records, accepted["conn"], "tx", text[::-1])
    return "both ends"


def inodes():
    """Unix sockets have no cookie here: ids of their own, never used twice."""
    dump = Dump("syscall", "--pid", os.getpid())
    text, count = b"no cookie at hand", 50
    for _ in range(count):
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        talk(pair, text)
        end(pair)
    records = dump.end()
    unix = opens(records, family=int(socket.AF_UNIX))
    equal(len(unix), 2 * count, "ends told of")
    equal(len({o["conn"] for o in unix}), 2 * count, "different ids")
    check(all(o["conn"] & OWN_ID for o in unix), "an id that looks like a cookie")
    for o in unix:
        got = b"".join(bytes.fromhex(d["bytes"]) for d in of(records, o["conn"], "data", "rx"))
        check(got in (text, text[::-1]), "bytes of one Unix socket: %r" % got)
    named = {o["conn"] for o in unix}
    linked = [o for o in unix if o["peer"] in named]
    equal(len(linked), count, "ends that name their peer (the one used second)")
    return "%d ids" % len(named)


require()
suite = Suite()
if "syscall" in sources():
    for case in (full, room, queued, inodes):
        suite.run("syscall source " + case.__name__, case)
else:
    suite.skip("syscall source", "kernel cases narrowed by CAPTURE")
suite.done()
