#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whatever is lost, what is said is true. A run that was recorded whole is replayed with records left
out at random, told twice and out of order. Each value of each transaction must be that of the whole
recording or be absent; none may be invented or told twice; and the sums must add up.
"""
import json
import random
import signal
import struct

from lib import compare, load, process, servers
from lib.agent import require, sources
from lib.suite import Suite, check, equal

COUNT = 6000
HEADER, END = 4096, 0xffff
DATA, CONTROL = 1, (2, 3, 4, 5)  # include/parcours/abi.h
PATHS = ["/f1.bin", "/f777.bin", "/f5000.bin", "/none", "/no-content", "/moved", "/chunked", "/broken"]
VALUES = ("http.request.method", "url.path", "http.response.status_code", "http.request.body.size",
          "http.response.body.size", "start_time_unix_nano", "duration_ns", "time_to_first_byte_ns",
          "time_to_request_end_ns", "wait_ns", "process.pid", "parcours.exchange")
# Part of the DATA records lost (of the control records a tenth of it), of those told twice, and by how
# many records those of another CPU come late.
LOSSES = ((0.01, 0, 0), (0.05, 0.02, 10), (0.1, 0, 40), (0.3, 0.05, 30), (0.8, 0.1, 5), (0, 0.2, 100))


def records(data):
    at = HEADER
    while at + 16 <= len(data):
        kind, _, size, when = struct.unpack_from("<HHIQ", data, at)
        if kind == END:
            return
        end = at + (size + 7 & ~7)
        yield kind, when, data[at:end]
        at = end


def damaged(data, seed, lost, twice, late):
    dice, told = random.Random(seed), []
    for n, (kind, when, record) in enumerate(records(data)):
        if dice.random() < lost * (1 if kind == DATA else 0.1 if kind in CONTROL else 0):
            continue
        place = n + (dice.randrange(late) if late and kind == DATA and dice.random() < 0.3 else 0)
        told.append((place, n, record))
        if kind == DATA and dice.random() < twice:
            told.append((place + dice.randrange(1, 50), n, record))
    told.sort(key=lambda t: t[:2])
    body = b"".join(t[2] for t in told)
    return data[:HEADER] + body + struct.pack("<HHIQQQ", END, 0, 32, when, len(told), len(body))


def replay(path):
    process.run([process.PARCOURS, "replay", path, "--privacy", "none", "--ndjson", path + ".ndjson"])
    rows = [json.loads(line) for line in process.read(path + ".ndjson").splitlines()]
    return [r for r in rows if r["type"] == "transaction"], [r for r in rows if r["type"] == "stats"][-1]


def key(row):
    return row["kind"], row.get("url.query")


def sums(rows, stats):
    for d in ("receive", "transmit"):
        parts = sum(compare.figure(stats, "proto.%s.bytes" % p, d) for p in ("message", "tunnel", "preface", "lost"))
        equal(parts, compare.figure(stats, "stream.bytes", d), "octets of %s: accounted for, handed out" % d)
    closed = compare.figure(stats, "transactions.closed")
    equal(closed + compare.figure(stats, "transactions.open"), compare.figure(stats, "transactions.opened"), "transactions")
    equal(len(rows), closed, "rows")


def true_or_absent(rows, truth):
    seen = set()
    for row in rows:
        check(row["outcome"] in ("complete", "unobserved"), "an outcome that never was: %s" % row)
        if "url.query" not in row:
            continue
        check(key(row) in truth, "phantom: %s" % row)
        check(key(row) not in seen, "told twice: %s" % row)
        seen.add(key(row))
        for name in VALUES:
            check(name not in row or row[name] == truth[key(row)].get(name),
                  "%s is %r, was %r: %s" % (name, row.get(name), truth[key(row)].get(name), row))


def recording(source):
    require()
    place, server = process.folder("loss"), servers.Nginx().start()
    child = process.start([process.PARCOURS, "record", place + "/r.rec", "--port", str(server.port), "--capture",
                           source], stderr=open(place + "/err", "wb"))
    process.wait_for(lambda: "ready" in process.read(place + "/err"), 20, "ready")
    load.drive(server.port, load.plan(COUNT, PATHS, seed=5, methods=("GET", "HEAD", "POST")), 32)
    server.wait_lines(COUNT)
    server.stop()
    equal(process.stop(child, signal.SIGTERM), 0, "exit code of record: " + process.read(place + "/err"))
    return place


def lossy(source):
    place = recording(source)
    with open(place + "/r.rec", "rb") as f:
        whole = f.read()
    rows, stats = replay(place + "/r.rec")
    sums(rows, stats)
    truth = {key(r): r for r in rows}
    equal(len([r for r in rows if r["kind"] == "server" and r["outcome"] == "complete"]), COUNT, "the whole recording")
    complete = []
    for seed, loss in enumerate(LOSSES):
        path = "%s/%d.rec" % (place, seed)
        with open(path, "wb") as f:
            f.write(damaged(whole, seed, *loss))
        rows, stats = replay(path)
        sums(rows, stats)
        true_or_absent(rows, truth)
        complete.append(sum(r["outcome"] == "complete" for r in rows))
        if not loss[0]:
            equal(complete[-1], len(truth), "complete, nothing lost but the order")
    check(complete[0] > 0.9 * len(truth), "1 %% of the records lost, %d of %d complete" % (complete[0], len(truth)))
    return "complete of %d: %s" % (len(truth), " ".join(map(str, complete)))


suite = Suite()
for each in sources():
    suite.run("true or absent, " + each, lossy, each)
suite.done()
