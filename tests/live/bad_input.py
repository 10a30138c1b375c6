#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input and bad surroundings: a clear message or a counted loss, never a crash, never an effect on
the watched process."""
import json
import os
import random
import socket
import subprocess
import time

from lib import compare, load, process, servers
from lib.agent import Agent, sources
from lib.suite import Skip, Suite, check, equal

SCRIPT = os.path.join(process.APPS, "script_server.py")


def rss(agent):
    """Resident kilobytes of both processes."""
    total = 0
    for pid in agent.pids():
        for line in process.read("/proc/%d/status" % pid).splitlines():
            if line.startswith("VmRSS"):
                total += int(line.split()[1])
    return total


def shout(port, data):
    try:
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.settimeout(0.02)
            s.sendall(data)
            s.recv(65536)
    except OSError:
        pass


def hostile(source):
    """Random, mutated and endless input on a watched port; exact requests in between."""
    port, rng = process.free_port(), random.Random(4)
    child = process.start([process.PYTHON, SCRIPT, str(port)])
    process.wait_port(port, child)
    agent = Agent("--port", port, source=source)
    good = b"POST /x?y=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"
    before = rss(agent)
    for i in range(600):
        data = bytearray(good * rng.randint(1, 3))
        for _ in range(rng.randint(1, 12)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        shout(port, bytes(data) if i % 3 else rng.randbytes(rng.randint(1, 5000)))
    for data in (b"GET /" + b"a" * 200000, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 60000,
                 b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 100000,
                 b"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", b"\r\n" * 100000):
        shout(port, data)
    with socket.create_connection(("127.0.0.1", port)) as s:
        for i in range(20):
            s.sendall(b"GET /sane?id=%d HTTP/1.1\r\nHost: a\r\n\r\n" % i)
            equal(s.recv(4096)[-2:], b"ok", "answer")
    grown = rss(agent) - before
    agent.stop()
    check(child.poll() is None, "the watched server died")
    sane = [r for r in agent.rows("server") if r.get("url.path") == "/sane"]
    compare.exact(sane, [("GET", "/sane?id=%d" % i, 200, 2) for i in range(20)], "sane requests")
    compare.reconcile(agent.stats(), "hostile")
    check(grown < 32768, "grew by %d KiB" % grown)
    return "grew by %d KiB" % grown


# Fields that the session stage reads, as nobody should send them. None is evidence of one visitor for another.
HOSTILE = [b"Cookie: PHPSESSID=" + b"a" * 60000, b"Cookie: " + b"; ".join(b"c%d=%032x" % (i, i * 7919) for i in range(1000)),
           b"Cookie: " + b"=;" * 20000, b"Cookie: PHPSESSID=\"\x01\xff\x80; sid", b"\r\n".join([b"Cookie: a=b"] * 1000),
           b"Authorization: Bearer " + b"e30." * 10000, b"Authorization: Bearer eyJhbGciOiJub25lIn0.!!!.", b"Authorization: Bearer ..",
           b"Authorization: Bearer eyJhbGciOiJIUzI1NiJ9." + b"W1tb" * 8000 + b".x", b"X-Forwarded-For: " + b"1.2.3.4, " * 6000,
           b"X-Forwarded-For: 999.1.1.1, ::::, [, 1.2.3.4:99999999, \xff, unknown, _hidden", b"X-Forwarded-For:" + b"," * 50000,
           b'Forwarded: for="[2001:db8::1', b'Forwarded: for=";for="' + b"\\\"" * 20000, b"X-Real-IP: ' OR 1=1", b"CF-Connecting-IP: \xc0\xaf",
           b"User-Agent: " + b"Mozilla/5.0 (" * 4000, b"User-Agent: Chrome/" + b"9" * 30000, b"Referer: http://" + b"a." * 20000 + b"/",
           b"Referer: //[::" + b":" * 10000, b"Sec-CH-UA: " + b'";v="' * 9000, b"Accept-Language: " + b"de;q=" * 9000, b"Origin: null\r\nOrigin: x"]


def hostile_fields(source):
    """No octet of a field costs a transaction or the agent; who asks well beside it has his visit and page."""
    port = process.free_port()
    child = process.start([process.PYTHON, SCRIPT, str(port)])
    process.wait_port(port, child)
    agent = Agent("--port", port, source=source)
    before, truth = rss(agent), []
    with socket.create_connection(("127.0.0.1", port)) as good:
        for i, field in enumerate(HOSTILE * 2):
            for s, name, own in ((None, "bad", field), (good, "good", b"Cookie: PHPSESSID=0123456789abcdef0123456789abcdef")):
                s = s or socket.create_connection(("127.0.0.1", port))
                s.settimeout(10)
                s.sendall(b"GET /%s?id=%d HTTP/1.1\r\nHost: shop.example\r\nAccept: text/html\r\n%s\r\n\r\n" % (name.encode(), i, own))
                equal(s.recv(4096)[-2:], b"ok", "answer")
                truth.append(("GET", "/%s?id=%d" % (name, i), 200, 2))
                if s is not good:
                    s.close()
    time.sleep(0.3)
    grown = rss(agent) - before
    agent.stop()
    rows = agent.rows("server")
    compare.exact(rows, truth, "hostile fields")
    compare.nothing_lost(agent.stats(), "hostile fields")
    ids = {r.get("session.id") for r in rows if r["url.path"] == "/good"}
    check(len(ids) == 1 and None not in ids, "visits of who asks well: %s" % ids)
    check(not ids & {r.get("session.id") for r in rows if r["url.path"] == "/bad"}, "a stranger is in that visit")
    check(grown < 32768, "grew by %d KiB" % grown)
    return "%d requests, grew by %d KiB" % (len(rows), grown)


def full_disk(source):
    """NDJSON on a file system of 1 MiB: rows are dropped and counted, the rest goes on."""
    place = process.folder("full")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", place], capture_output=True).returncode:
        raise Skip("machine cannot mount a tmpfs")
    try:
        server = servers.Nginx().start()
        agent = Agent("--port", server.port, "--ndjson", place + "/out", source=source, ndjson=False)
        requests = load.plan(5000, ["/f777.bin"], methods=("GET",))
        load.drive(server.port, requests)
        equal(len(server.wait_lines(5000)), 5000, "requests served")
        time.sleep(0.5)
        check(agent.child.poll() is None, "the agent died: " + agent.errors()[-300:])
        subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)  # room again
        agent.path = place + "/out"
        agent.stop()
        check("No space left" in agent.errors() or "ENOSPC" in agent.errors(),
              "nothing was said about the full disk: %s" % agent.errors()[-300:])
        stats = [row for row in lenient(agent.path) if row.get("type") == "stats"]
        check(stats, "no stats row after room was made: %r" % process.read(agent.path)[-300:])
        lost = compare.figure(stats[-1], "ndjson.dropped") + compare.figure(stats[-1], "ndjson.errors")
        check(lost > 0, "the loss was not counted: %s" % stats[-1])
        return "%d counted" % lost
    finally:
        process.stop_since(0)
        subprocess.run(["umount", place], check=True)


def lenient(path):
    """Rows of a file in which a line may be torn."""
    for line in process.read(path).splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def collector_down(source):
    """Nothing listens at the endpoint: rows are whole, drops are counted, the end is not delayed long."""
    server = servers.Nginx().start()
    endpoint = "http://127.0.0.1:%d" % process.free_port()
    agent = Agent("--port", server.port, "--otlp-endpoint", endpoint, source=source)
    requests = load.plan(3000, ["/f777.bin"], methods=("GET",))
    load.drive(server.port, requests)
    lines = server.wait_lines(3000)
    begin = time.monotonic()
    agent.stop()
    took = time.monotonic() - begin
    check(took < 15, "%.1f s to end with the collector down" % took)
    compare.exact(agent.rows("server"), lines, "collector down")
    check("127.0.0.1" in agent.errors() or "otlp" in agent.errors().lower(),
          "nothing was said about the collector: %s" % agent.errors()[-300:])
    dropped = compare.figure(agent.stats(), "spans.dropped")
    failures = compare.figure(agent.stats(), "export.failures") + compare.figure(agent.stats(), "export.retries")
    check(failures > 0, "no failed export counted")
    return "%d spans dropped, %d failures and retries, end in %.1f s" % (dropped, failures, took)


def refuses(what, command, *words, code=None):
    """A command that must fail soon, with a message that has one of the words."""
    def body():
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
        text = done.stdout + done.stderr
        check(done.returncode > 0, "exit code %d: %s" % (done.returncode, text[-300:]))
        check(code is None or done.returncode == code, "exit code %d, want %s: %s" % (done.returncode, code, text[-200:]))
        check(any(w.lower() in text.lower() for w in words), "message without %s: %r" % (words, text[-300:]))
        return text.strip().splitlines()[0][:100]
    suite.run(what, body)


def malformed_files():
    place = process.folder("files")
    os.chmod(place, 0o755)
    garbage = process.write(place + "/garbage.rec", random.Random(1).randbytes(100000))
    empty = process.write(place + "/empty.rec", b"")
    ten = process.write(place + "/ten.yaml", "".join("nonsense%d: [1,\n" % i if i == 9 else "nonsense%d: 1\n" % i
                                                     for i in range(10)))
    wrong = process.write(place + "/wrong.yaml", "".join("no_such_key_%d: %d\n" % (i, i) for i in range(10)))
    agent = process.PARCOURS
    refuses("replay of garbage", [agent, "replay", garbage], "record")
    refuses("replay of an empty file", [agent, "replay", empty], "record", "empty")
    refuses("replay of nothing", [agent, "replay", place + "/none.rec"], "No such file")
    refuses("configuration that is no YAML", [agent, "check", "-c", ten], "ten.yaml:")
    refuses("unknown option", [agent, "run", "--no-such-option"], "no-such-option")
    refuses("impossible port", [agent, "run", "--port", "99999999"], "port")
    refuses("two sources of one name", [agent, "run", "--port", "1", "--capture", "nonsense"], "nonsense")

    def ten_errors():
        done = subprocess.run([agent, "check", "-c", wrong], capture_output=True, text=True, timeout=30)
        text = done.stdout + done.stderr
        check(done.returncode > 0, "accepted: %s" % text)
        for line in range(1, 11):
            check("wrong.yaml:%d" % line in text, "line %d is not reported: %s" % (line, text[-400:]))
    suite.run("configuration with ten errors", ten_errors)


def surroundings():
    agent = process.PARCOURS
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    copy = process.folder("copy") + "/parcours"
    process.run(["cp", agent, copy])
    refuses("no root", [*nobody, copy, "run", "--port", "1"], "root", "privilege", "CAP_BPF", "capabilit")
    refuses("no BTF", ["unshare", "-m", "sh", "-c", "mount -t tmpfs none /sys/kernel/btf && exec %s run --port 1 --duration 2" % agent],
            "BTF")


suite = Suite()
for each in sources():
    suite.run("hostile bytes on a watched port " + each, hostile, each)
    suite.run("hostile fields " + each, hostile_fields, each)
    suite.run("full disk " + each, full_disk, each)
    suite.run("collector down " + each, collector_down, each)
malformed_files()
surroundings()
suite.done()
