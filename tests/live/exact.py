#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Exactness with real servers: 10,000 mixed requests each, 64 at once, every one a transaction.

The truth is the server's access log, which is first checked against what the driver received. The
driver itself is watched too (the scope is a port, on either side), so each exchange is seen from both
ends: the CLIENT transaction must be equal and carry the same exchange name.

Arguments choose cases by part of their name: `exact.py nginx`, `exact.py 'tomcat sock'`.
"""
import os

from lib import compare, load, runtimes, servers
from lib.agent import Agent, sources
from lib.suite import Suite, check

COUNT = int(os.environ.get("REQUESTS", "10000"))
SERVERS = {
    "nginx": servers.Nginx, "apache-event": servers.Apache, "apache-prefork": servers.ApachePrefork,
    "lighttpd": servers.Lighttpd, "node": runtimes.Node, "gunicorn": runtimes.Gunicorn,
    "go": runtimes.Go, "tomcat": runtimes.Tomcat,
    "haproxy": lambda: servers.Haproxy(runtimes.Go().start()),
}


def truth_of(server, requests, seen):
    """The log's lines with the body octets as encoded; its size variable must agree."""
    lines = server.wait_lines(len(requests))
    by_id = {r.id: r for r in requests}
    check(len(lines) == len(requests), "%s logged %d of %d" % (server.name, len(lines), len(requests)))
    wrong = server.size_problems(lines, seen, by_id)
    check(not wrong, "%s: its log and the driver disagree on size: %s" % (server.name, wrong[:2]))
    return [(method, target, status, seen[target.rsplit("id=", 1)[1]].body)
            for method, target, status, _ in lines]


def one(name, source):
    server = SERVERS[name]().start()
    requests = load.plan(COUNT, server.paths, seed=len(name), largest=server.largest_upload)
    scope = ["--port", server.port]
    backend = getattr(server, "backend", None)
    if backend:
        scope += ["--port", backend.port]
    agent = Agent(*scope, source=source)
    seen = load.drive(server.port, requests)
    truth = truth_of(server, requests, seen)
    agent.stop()
    at_server, at_driver = agent.rows("server", server.port), agent.rows("client", server.port)
    compare.exact(at_server, truth, name)
    compare.exact(at_driver, truth, name + " as client")
    compare.request_sizes(at_server, requests, name)
    compare.times_sane(at_server + at_driver, name)
    pairs = compare.same_exchange(at_server, at_driver, name)
    check(pairs == len(truth), "%d of %d exchanges paired" % (pairs, len(truth)))
    if backend:
        behind = truth_of_backend(backend, seen)
        compare.exact(agent.rows("server", backend.port), behind, name + "'s backend")
        compare.exact(agent.rows("client", backend.port), behind, name + " as client of its backend")
        compare.same_exchange(agent.rows("server", backend.port), agent.rows("client", backend.port), name)
    compare.nothing_lost(agent.stats(), name)
    return "%d transactions" % len(truth)


def truth_of_backend(backend, seen):
    """What the backend logged; the proxy passes bodies through unchanged."""
    lines = backend.wait_lines(len(seen))
    return [(method, target, status, 0 if method == "HEAD" else size)
            for method, target, status, size in lines]


suite = Suite()
for each in SERVERS:
    for kind in sources():
        suite.run("exact %s %s" % (each, kind), one, each, kind)
suite.done()
