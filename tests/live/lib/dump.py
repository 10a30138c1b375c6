# SPDX-License-Identifier: Apache-2.0
"""Records of the capture programs, as tests/bpf/capture_dump prints them, checked against what the
test's own sockets did: every byte of a direction is there once, equal to what was sent, or absent by
name."""
import json
import os
import subprocess
import time

from . import process
from .suite import Failure, check, equal

UNCERTAIN, COUNTED, JOINED, ACTIVE, PASSIVE = 0x1, 0x2, 0x4, 0x8, 0x10
RESET_IN, RESET_OUT, REFUSED, PROVISIONAL = 0x20, 0x40, 0x80, 0x100
FIRST, LAST, BLOCKED = 0x200, 0x400, 0x800
NEVER = 2 ** 64 - 1
DATA = 1


def program():
    target = os.path.join(process.BUILD, "tests", "bpf", "capture_dump")
    process.run(["make", "-s", "-C", process.TOP, os.path.relpath(target, process.TOP)])
    return target


class Dump:
    def __init__(self, source, *args):
        self.place = process.folder("dump")
        self.path = os.path.join(self.place, "out")
        err = os.path.join(self.place, "err")
        self.child = process.start([program(), "--source", source, *[str(a) for a in args]],
                                   stdin=subprocess.PIPE, stdout=open(self.path, "wb"), stderr=open(err, "wb"))
        end = time.monotonic() + 20
        while "ready" not in process.read(err):
            if self.child.poll() is not None or time.monotonic() > end:
                raise Failure("capture_dump: " + process.read(err)[-400:])
            time.sleep(0.01)
        self.records = self.stats = None

    def say(self, line):
        """A command; returns when it was obeyed."""
        done = process.read(self.path).count('"done"')
        self.child.stdin.write((line + "\n").encode())
        self.child.stdin.flush()
        end = time.monotonic() + 10
        while process.read(self.path).count('"done"') == done:
            check(time.monotonic() < end, "capture_dump did not obey %r" % line)
            time.sleep(0.005)

    def so_far(self):
        """Records printed up to now (a drain takes at most 20 ms)."""
        time.sleep(0.08)
        lines = process.read(self.path).split("\n")[:-1]
        return [json.loads(l) for l in lines]

    def end(self):
        self.child.stdin.close()
        self.child.wait(20)
        records = [json.loads(l) for l in process.read(self.path).splitlines()]
        self.stats = records.pop()
        equal(self.stats["kind"], "stats", "last line")
        equal(self.stats["malformed"], 0, "malformed records")
        for kind in range(len(self.stats["read"])):
            equal(self.stats["read"][kind], self.stats["submitted"][kind], "records of kind %d read" % kind)
        check(not any(r.get("bad") for r in records), "a record's size is not the sum of its parts")
        self.records = records
        return records


def opens(records, **want):
    return [r for r in records if r["kind"] == "open" and all(r[k] == v for k, v in want.items())]


def conn_of(records, **want):
    found = {r["conn"] for r in opens(records, **want)}
    equal(len(found), 1, "connections with %r" % (want,))
    return found.pop()


def of(records, conn, kind="data", direction=None):
    return [r for r in records if r["kind"] == kind and r.get("conn") == conn and
            (direction is None or r["dir"] == direction)]


def covered(records, conn, direction, sent, start=0, why=(), uncertain=False):
    """The data records partition [start, start + len(sent)), bytes are right, absent ones have one of
    the causes in `why`. Returns how many bytes are absent by cause."""
    pieces = of(records, conn, "data", direction)
    absent, at = {}, start
    if uncertain:
        pieces = sorted(pieces, key=lambda r: r["pos"])
    for r in pieces:
        check(uncertain or not r["flags"] & UNCERTAIN, "uncertain: %r" % r)
        equal(r["pos"], at, "%s position after %d" % (direction, at))
        got = bytes.fromhex(r["bytes"])
        equal(len(got), r["captured"], "captured")
        want = sent[at - start:at - start + len(got)]
        check(got == want, "%s bytes at %d: %r is not %r" % (direction, at, got[:60], want[:60]))
        if r["len"] > r["captured"]:
            check(r["why"] in why, "%s at %d: %d bytes absent because of %r" %
                  (direction, at, r["len"] - r["captured"], r["why"]))
            absent[r["why"]] = absent.get(r["why"], 0) + r["len"] - r["captured"]
        at += r["len"]
    equal(at, start + len(sent), "%s end" % direction)
    return absent
