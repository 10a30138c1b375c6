#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Lived time of pages against Chromium's load event, over lines with delay, rate and loss.

Four corners of the matrix, eight pages each of the sample shop and of WordPress: first pages of new
visitors, next ones, and pages that were seen before. `make bench` measures the whole matrix. Asked over
all: a median error of at most 10 %, and for nine of ten pages at most 25 %.
"""
import socket
import threading
import time

from lib import lived
from lib.agent import require
from lib.suite import Suite, check
from lib.wan import FAR, NEAR, Link

PAGES = 8
MEDIAN, MOST = 10, 25  # per cent


class Echo:
    """Datagrams: the far end sends, the near one notes when they came, and sends back what is small."""

    def __init__(self, link):
        with link.near():
            self.near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.near.bind((NEAR, 7))
        with link.far():
            self.far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.far.bind((FAR, 7))
            self.far.connect((NEAR, 7))
        self.far.settimeout(0.5)
        self.near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.came = []
        threading.Thread(target=self.answer, daemon=True).start()

    def answer(self):
        while True:
            data, address = self.near.recvfrom(2000)
            self.came.append(time.monotonic())
            if len(data) == 1:
                self.near.sendto(data, address)

    def round_trip(self):
        begin = time.monotonic()
        self.far.send(b"x")
        try:
            self.far.recv(10)
        except TimeoutError:
            return None
        return time.monotonic() - begin

    def send(self, count, pause):
        """Times at which so many datagrams of 1,000 octets (1,028 on the line) arrived."""
        self.came.clear()
        for _ in range(count):
            self.far.send(b"y" * 1000)
            time.sleep(pause)
        time.sleep(0.7)
        return self.came[:]


def link():
    """The line itself does what it says: delay, rate, loss."""
    said = []
    line = Link()
    try:
        line.become(*lived.CORNERS[0])
        echo = Echo(line)
        for one in lived.CORNERS:
            line.become(*one)
            trips = [t for t in (echo.round_trip() for _ in range(20)) if t]
            trip = min(trips)  # two wake-ups of this program are in it: up to a millisecond
            check(one.round_trip <= trip <= one.round_trip * 1.02 + 0.002, "round trip %.2f ms of %s" % (trip * 1e3, one))
            count = line.queue // 1028 - 1
            for _ in range(5):  # one late wake-up of the last datagram's reader is no fault of the line
                came = echo.send(count, 0)
                rate = (count - 1) * 1028 * 8 / (came[-1] - came[0])
                check(one.loss or len(came) == count, "%d of %d datagrams of %s" % (len(came), count, one))
                if abs(rate / one.rate - 1) < 0.03:
                    break
            check(abs(rate / one.rate - 1) < 0.03, "%.2f Mbit/s of %s" % (rate / 1e6, one))
            line.become(one.round_trip, lived.FAST, one.loss)
            lost = 1500 - len(echo.send(1500, 0.0005))
            check((3 <= lost <= 30) if one.loss else lost == 0, "%d of 1,500 lost, of %s" % (lost, one))
            said.append("%.1f ms %.2f Mbit/s %d lost" % (trip * 1e3, rate / 1e6, lost))
        return ", ".join(said)
    finally:
        line.end()


def table(found):
    """For people to read: where the error is."""
    for name, part in [(lived.title(line), lambda f, line=line: f.line == line) for line in lived.CORNERS] + [
            (kind, lambda f, kind=kind: f.kind == kind) for kind in lived.KINDS]:
        mine = [f for f in found if part(f)]
        print("  %-24s median %4.1f %%, nine of ten %5.1f %%: %s" % (name, *lived.errors(mine), "  ".join(
            "%.0f of %.0f" % (f.lived_ms, f.load_ms) for f in mine)), flush=True)


everything = []


def site(which):
    require()
    found = lived.measure(which, lived.CORNERS, PAGES)
    everything.extend(found)
    table(found)
    return "%d pages, median %.1f %%, nine of ten %.1f %%" % (len(found), *lived.errors(found))


def over_all():
    require()
    check(everything, "no page was measured")
    median, most = lived.errors(everything)
    said = "%d pages, median %.1f %%, nine of ten %.1f %%" % (len(everything), median, most)
    check(median <= MEDIAN and most <= MOST, "error of lived time: " + said)
    return said


suite = Suite(timed=True)
suite.run("the line is what it says", link)
for name in lived.SITES:
    suite.run("lived time of " + name, site, lived.SITES[name])
suite.run("lived time of all", over_all)
suite.done()
