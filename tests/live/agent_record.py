#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""record and replay: the same core, offline. The same transactions as live, the same text twice;
damaged files give what stands before the damage and a message with its place.
"""
import errno
import json
import os
import pty
import random
import re
import signal
import stat
import subprocess

from lib import compare, load, process, servers
from lib.agent import require, sources
from lib.suite import Skip, Suite, check, equal

AGENT = process.PARCOURS
COUNT = 3000
HEADER = 4096
# What only the live agent knows, or makes from its own secret.
LIVE_ONLY = ("trace_id", "span_id", "parent_span_id", "parcours.sampled")


def call(*args, timeout=120, **kw):
    done = subprocess.run([AGENT, *map(str, args)], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, **kw)
    return done.returncode, done.stdout, done.stderr


def transactions(path):
    rows = [json.loads(l) for l in process.read(path).splitlines()]
    return [r for r in rows if r["type"] == "transaction"]


def record(place, source, count=COUNT, name="/r.rec"):
    """A recording of mixed requests, and what the agent said live."""
    require()
    server = servers.Nginx().start()
    log = open(place + "/err", "wb")
    child = process.start([AGENT, "record", place + name, "--port", str(server.port), "--privacy", "none",
                           "--capture", source, "--state-directory", place + "/state", "--ndjson", place + "/live"],
                          stderr=log)
    process.wait_for(lambda: "ready" in process.read(place + "/err"), 20, "ready: " + process.read(place + "/err"))
    load.drive(server.port, load.plan(count, ["/f777.bin", "/f5000.bin", "/none"]), concurrency=16)
    lines = server.wait_lines(count)
    equal(process.stop(child, signal.SIGTERM), 0, "exit code of record: " + process.read(place + "/err"))
    return place + name, transactions(place + "/live"), lines


def same_as_live(source):
    place = process.folder("record")
    path, live, lines = record(place, source)
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "mode of the recording")
    with open(path, "rb") as f:
        page = f.read(HEADER)
    check(page.startswith(b"parcours recording\n") and b"raw traffic" in page and b"passwords" in page,
          "the header does not say what it is: %r" % page[:200])
    for name in ("one", "two"):
        code, _, err = call("replay", path, "--privacy", "none", "--state-directory", place + "/state", "--ndjson",
                            place + "/" + name)
        equal(code, 0, "exit code of replay: " + err)
    equal(process.read(place + "/one"), process.read(place + "/two"), "text of two replays")
    again = transactions(place + "/one")
    compare.exact([r for r in again if r["kind"] == "server"], lines, "replay")
    strip = lambda rows: sorted(json.dumps({k: v for k, v in r.items() if k not in LIVE_ONLY}, sort_keys=True) for r in rows)
    equal(len(again), len(live), "transactions")
    different = [(a, b) for a, b in zip(strip(live), strip(again)) if a != b]
    check(not different, "%d differ, e.g. %s" % (len(different), different[:1]))
    return "%d rows, %d bytes" % (len(again), os.path.getsize(path))


def not_over_a_file():
    require()
    place = process.folder("exists")
    path = process.write(place + "/r.rec", "precious")
    code, _, err = call("record", path, "--port", process.free_port(), "--duration", 0.1)
    check(code == 1 and "--force" in err, "%d %s" % (code, err))
    equal(process.read(path), "precious", "the file")
    code, _, err = call("record", path, "--force", "--port", process.free_port(), "--duration", 0.1)
    equal(code, 0, err)
    equal(call("replay", path)[0], 0, "replay of a recording without traffic")


def offsets(data):
    """Where records begin."""
    at = HEADER
    while at < len(data):
        yield at
        at += (int.from_bytes(data[at + 4:at + 8], "little") + 7) & ~7


def damaged():
    place = process.folder("damaged")
    path, _, lines = record(place, sources()[0], 300)
    with open(path, "rb") as f:
        data = f.read()
    starts = list(offsets(data))
    rng = random.Random(3)
    whole = len(transactions(place + "/live"))
    for case in range(12):
        at = rng.choice(starts[5:-1])
        cut = at + rng.choice((0, 3, 17))
        copy = process.write(place + "/cut.rec", data[:cut])
        out = place + "/cut%d" % case
        code, _, err = call("replay", copy, "--privacy", "none", "--ndjson", out)
        equal(code, 1, "exit code of a cut file: " + err)
        check("at byte %d, after %d records" % (at, starts.index(at)) in err, "cut at %d (%d): %s" % (cut, at, err))
        check(len(transactions(out)) <= whole, "more transactions than there were")
    impossible = bytearray(data)
    at = starts[len(starts) // 2]
    impossible[at + 4:at + 8] = b"\xff\xff\xff\xff"
    code, _, err = call("replay", process.write(place + "/bad.rec", bytes(impossible)), "--ndjson", place + "/bad")
    equal(code, 1, "exit code of a damaged file")
    check("at byte %d" % at in err and "impossible length" in err, err)
    for seed in range(15):
        changed = bytearray(data)
        rng = random.Random(seed)
        for _ in range(200):
            changed[rng.randrange(HEADER, len(changed))] = rng.randrange(256)
        code, _, err = call("replay", process.write(place + "/mad.rec", bytes(changed)), "--ndjson", place + "/mad%d" % seed)
        check(code in (0, 1), "exit code %d with seed %d: %s" % (code, seed, err))
    return "of %d records" % len(starts)


def other_user():
    """Anyone who may read the file may replay it; root's rights are given up before its bytes are read."""
    place = process.folder("user")
    path, live, _ = record(place, sources()[0], 50)
    copy = place + "/parcours"
    subprocess.run(["cp", AGENT, copy], check=True)
    os.chmod(path, 0o644)
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy, "replay", path, "--ndjson", "-"],
                          capture_output=True, text=True)
    equal(done.returncode, 0, done.stderr)
    equal(sum('"type":"transaction"' in l for l in done.stdout.splitlines()), len(live), "transactions")
    os.chmod(path, 0o600)
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy, "replay", path],
                          capture_output=True, text=True)
    check(done.returncode == 1 and "Permission denied" in done.stderr, done.stderr)
    # a pipe is a file too
    with open(path, "rb") as f:
        done = subprocess.run([AGENT, "replay", "-", "--ndjson", "-"], stdin=f, capture_output=True, text=True)
    equal(done.returncode, 0, done.stderr)
    equal(sum('"type":"transaction"' in l for l in done.stdout.splitlines()), len(live), "transactions from standard input")


def on_a_terminal(*command, until, seconds=30):
    """What a program writes to a terminal (standard error) until that is there; then it is asked to end."""
    master, slave = pty.openpty()
    child = process.start([AGENT, *command], stderr=slave, stdout=subprocess.DEVNULL)
    os.close(slave)
    os.set_blocking(master, False)
    text = ""

    def more():
        nonlocal text
        try:
            text += os.read(master, 65536).decode()
        except BlockingIOError:
            return False
        except OSError as e:
            if e.errno != errno.EIO:  # nobody has the other end open any more
                raise
            return True
        return until and re.search(until, text)

    process.wait_for(more, seconds, "on the terminal: %r" % text[-300:])
    code = process.stop(child, signal.SIGTERM) if until else child.wait(seconds)
    os.close(master)
    return code, text


def progress():
    """A person sees how far it is, and a file of messages has nothing of it."""
    require()
    place, port = process.folder("progress"), process.free_port()
    code, text = on_a_terminal("record", place + "/r.rec", "--port", str(port), "--state-directory", place + "/state",
                               until=r"\d+ records, \d+\.\d MB\r")
    equal(code, 0, "exit code of record: " + text)
    path, _, _ = record(place, sources()[0], 50, "/long.rec")
    with open(path, "rb") as f:
        data = f.read()
    starts = list(offsets(data))
    end = starts[-1]  # the mark of the end
    with open(path, "wb") as f:
        f.write(data[:end])
        for _ in range(30_000_000 // (end - HEADER)):
            f.write(data[HEADER:end])
        f.write(data[end:])
    code, text = on_a_terminal("replay", path, "--privacy", "none", "--state-directory", place + "/state", until=None)
    check(re.search(r"\r +\d+ %  \d+ records", text), "replay shows no progress: %r" % text[-300:])
    check("\r" not in process.read(place + "/err"), "progress in a file of messages")


def full_disk():
    """The recording ends, is told, and can be read; the agent goes on."""
    require()
    place = process.folder("full")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", place], capture_output=True).returncode:
        raise Skip("machine cannot mount a tmpfs")
    try:
        server = servers.Nginx().start()
        out = process.folder("out")
        child = process.start([AGENT, "record", place + "/r.rec", "--port", str(server.port), "--privacy", "none",
                               "--ndjson", out + "/live"], stderr=open(out + "/err", "wb"))
        process.wait_for(lambda: "ready" in process.read(out + "/err"), 20, "ready")
        load.drive(server.port, load.plan(2000, ["/f777.bin"], methods=("GET",)), concurrency=8)
        lines = server.wait_lines(2000)
        equal(process.stop(child, signal.SIGTERM), 1, "exit code")
        err = process.read(out + "/err")
        check("recording ended" in err and "No space left" in err, err)
        compare.exact([r for r in transactions(out + "/live") if r["kind"] == "server"], lines, "full disk")
        code, _, err = call("replay", place + "/r.rec", "--ndjson", out + "/replayed")
        check(code == 1 and "end mark is missing" in err, "%d %s" % (code, err))
        return "%d of %d replayed" % (len(transactions(out + "/replayed")), len(transactions(out + "/live")))
    finally:
        process.stop_since(0)
        subprocess.run(["umount", place], check=True)


suite = Suite()
for each in sources():
    suite.run("record, then replay twice " + each, same_as_live, each)
suite.run("an existing file", not_over_a_file)
suite.run("damaged recordings", damaged)
suite.run("replay by another user", other_user)
suite.run("progress on a terminal", progress)
suite.run("recording on a full disk", full_disk)
suite.done()
