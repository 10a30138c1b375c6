# SPDX-License-Identifier: Apache-2.0
"""A wide area network of two ends, which are network namespaces with a TUN each.

`Wan` moves the packets with a thread of its own, which delays every packet, drops those it is told to, and notes each segment with the time at which
it was given to the kernel of the other end: the truth about acknowledgements and retransmissions. `Link` moves
them with a program (apps/link.c) at a rate, with a queue and random loss, and keeps no record.

Sockets are made inside an end (`with wan.far():`) and belong to it from then on, whoever uses them;
a process is started there with `wan.inside(1) + command`.
"""
import collections
import contextlib
import ctypes
import fcntl
import heapq
import json
import os
import select
import struct
import subprocess
import threading
import time

from . import process
from .programs import c_program

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET, TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x40000000, 0x400454ca, 1, 0x1000
NEAR, FAR = "10.231.0.1", "10.231.0.2"
Segment = collections.namedtuple("Segment", "to_near sport dport seq ack flags length before after dropped")
SYN, RST = 2, 4


def namespace(fd):
    if LIBC.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


class Ends:
    def __init__(self):
        self.names = ["parcours-test-%d-%s" % (os.getpid(), end) for end in ("near", "far")]
        self.own = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.ns = []
        for name in self.names:
            process.run(["ip", "netns", "add", name])
            self.ns.append(os.open("/var/run/netns/" + name, os.O_RDONLY))

    def address(self):
        """Once each end has its wan0."""
        for name, address in zip(self.names, (NEAR, FAR)):
            for command in ("addr add %s/30 dev wan0" % address, "link set wan0 up", "link set lo up"):
                process.run(["ip", "-n", name, *command.split()])

    @contextlib.contextmanager
    def _inside(self, ns):
        namespace(ns)
        try:
            yield
        finally:
            namespace(self.own)

    def near(self):
        return self._inside(self.ns[0])

    def far(self):
        return self._inside(self.ns[1])

    def inside(self, end):
        """What stands before a command that runs at this end."""
        return ["ip", "netns", "exec", self.names[end]]

    def end(self):
        for fd in self.ns + [self.own]:
            os.close(fd)
        for name in self.names:
            process.run(["ip", "netns", "del", name])


class Link(Ends):
    """A line with a round trip (s), a rate (bits a second) and a loss (per mille), the same both ways."""

    def __init__(self):
        super().__init__()
        self.child = process.start([c_program("link"), *self.names], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.wait_for(lambda: "wan0" in process.run([*self.inside(1), "ip", "link"]), 10, "wan0")
        self.address()

    def become(self, round_trip, rate, loss, seed=1):
        """{direction: {what became of its packets: how many}} since the last time."""
        self.queue = max(65536, rate // 80)  # octets: 100 ms of it, as home routers have
        self.child.stdin.write(b"%d %d %d %d %d\n" % (round_trip * 5e5, rate, loss, self.queue, seed))
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def end(self):
        process.stop(self.child)
        super().end()


class Wan(Ends):
    def __init__(self, delay):
        super().__init__()
        self.delay, self.segments, self.drop = delay, [], None
        self.tun = [self._tun(ns) for ns in self.ns]
        self.address()
        self.queue, self.count, self.going = [], 0, True
        self.thread = threading.Thread(target=self._move, daemon=True)
        self.thread.start()

    def _tun(self, ns):
        with self._inside(ns):
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"wan0", IFF_TUN | IFF_NO_PI))
            return fd

    def _take(self, end):
        while True:
            try:
                packet = os.read(self.tun[end], 65536)
            except BlockingIOError:
                return
            if packet[0] >> 4 == 4 and packet[9] == 6:
                heapq.heappush(self.queue, (time.monotonic() + self.delay, self.count, 1 - end, packet))
                self.count += 1

    def _give(self, end, packet):
        at = (packet[0] & 15) * 4
        sport, dport, seq, ack, offset, flags = struct.unpack_from("!HHIIBB", packet, at)
        length = struct.unpack_from("!H", packet, 2)[0] - at - (offset >> 4) * 4
        s = Segment(end == 0, sport, dport, seq, ack, flags, length, time.monotonic_ns(), 0, False)
        if self.drop and self.drop(s):
            self.segments.append(s._replace(dropped=True))
            return
        os.write(self.tun[end], packet)
        self.segments.append(s._replace(after=time.monotonic_ns()))

    def _move(self):
        while self.going:
            wait = max(0, self.queue[0][0] - time.monotonic()) if self.queue else 0.1
            for fd in select.select(self.tun, [], [], min(wait, 0.1))[0]:
                self._take(self.tun.index(fd))
            while self.queue and self.queue[0][0] <= time.monotonic():
                _, _, end, packet = heapq.heappop(self.queue)
                self._give(end, packet)

    def end(self):
        self.going = False
        self.thread.join()
        for fd in self.tun:
            os.close(fd)
        super().end()

    # What the segments say of the connection from `port` at the far end to `server` at the near one.

    def first(self, server, port):
        """Sequence number of the server's first octet."""
        return [s.seq + 1 & 0xffffffff for s in self.segments
                if not s.to_near and s.flags & SYN and (s.sport, s.dport) == (server, port)][0]

    def acknowledged(self, server, port, octets):
        """The segment that first acknowledged so many octets of the server."""
        want = self.first(server, port) + octets & 0xffffffff
        for s in self.segments:
            if s.to_near and not s.dropped and (s.sport, s.dport) == (port, server) and \
                    not s.flags & (SYN | RST) and s.ack - want & 0xffffffff < 1 << 31:
                return s
        return None

    def again(self, server, port, begin, end):
        """Segments with octets of [begin, end) that came by a second time."""
        first, seen, count = self.first(server, port), set(), 0
        for s in self.segments:
            at = s.seq - first & 0xffffffff
            if s.to_near or not s.length or (s.sport, s.dport) != (server, port) or not begin <= at < end:
                continue
            count += at in seen
            seen.add(at)
        return count
