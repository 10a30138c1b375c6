#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Large bodies at full speed, with the buffers that the agent has by default: nothing is lost.

A client in C keeps 8 or 64 connections and moves bodies of 64 KiB to 1 MiB both ways as fast as the
server can; both ends are watched. Copied whole these bodies fill any ring long before the agent gets its
turn on a busy machine, so what is proven here is bpf/lib/content.h: their content is hardly copied.
"""
import os

from lib import compare, process, programs, runtimes, servers
from lib.agent import Agent, sources
from lib.suite import Suite, check, equal

COUNT = int(os.environ.get("REQUESTS", "2000"))
SIZES = (65536, 100000, 262144, 700001, 1048576)  # tests/live/apps/bodies.c


def expected(prefix):
    """(method, target, status, octets of the answer) and octets of the request."""
    for i in range(COUNT):
        size, put = SIZES[i % 5], i % 3 == 0
        yield (("PUT", "/b/200/%d?id=%s%d" % (100, prefix, i), 200, 100), size) if put else \
              (("GET", "/b/200/%d?id=%s%d" % (size, prefix, i), 200, size), 0)


class Nginx(servers.Nginx):
    """A proxy that passes bodies on as they come: server and client in one process."""

    def __init__(self):
        super().__init__()
        self.backend = runtimes.Go().start()
        self.location = ("location /b/ { proxy_pass http://127.0.0.1:%d; proxy_http_version 1.1; "
                         "proxy_request_buffering off; proxy_max_temp_file_size 0; }" % self.backend.port)


def one(server, connections, source):
    client = programs.c_program("bodies")
    server = server().start()
    behind = getattr(server, "backend", None)
    scope = ["--port", server.port] + (["--port", behind.port] if behind else [])
    agent = Agent(*scope, source=source)
    process.run([client, str(server.port), str(COUNT), str(connections), "65536", "x"], timeout=240)
    agent.stop()
    truth = list(expected("x"))
    lines = server.wait_lines(COUNT)
    equal(sorted(lines), sorted(t for t, _ in truth), "the server's log")
    sent = {t[1]: octets for t, octets in truth}
    for side in ("server", "client"):
        for port in [server.port] + ([behind.port] if behind else []):
            rows, what = agent.rows(side, port), "%s of port %d" % (side, port)
            compare.exact(rows, lines, what)
            wrong = [r for r in rows if r.get("http.request.body.size") != sent[compare.target(r)]]
            check(not wrong, "%s: %d request sizes wrong: %s" % (what, len(wrong), wrong[:1]))
            compare.times_sane(rows, what)
    stats = agent.stats()
    compare.nothing_lost(stats, "bodies")
    moved = sum(compare.figure(stats, "stream.bytes", w) for w in ("receive", "transmit"))
    absent = sum(compare.labels(stats, "stream.hole.bytes").values())
    check(moved - absent < moved / 5, "%d of %d octets were copied" % (moved - absent, moved))
    return "%d exchanges, %.1f GB moved, %.1f GB of them copied" % (COUNT, moved / 1e9, (moved - absent) / 1e9)


suite = Suite()
for kind in sources():
    for name, server_of in (("Go", runtimes.Go), ("nginx before Go", Nginx)):
        for many in (8, 64):
            suite.run("bodies of 64 KiB to 1 MiB, %d connections, %s, %s" % (many, name, kind), one, server_of, many, kind)
suite.done()
