#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One request through several servers of a host: counted at the edge, every inner hop under its own or none.

64 connections at once through a chain of servers. Each request comes by a connection of its own and has an
id in its body and in X-Truth, where no linker looks; the innermost application logs by which connection each id
came. So it is known which request at the edge an inner one belongs to, whatever its head says:

  told    the target is unique: every inner hop must be linked, where a hop says who asked
  named   all targets are equal, X-Request-Id is unique: likewise
  alike   all heads are equal and come from one address: links may be absent, but never wrong
"""
import collections
import concurrent.futures

from lib.agent import Agent, sources
from lib.edge import Chain, ask, edge_ids, judge
from lib.suite import Suite, check, equal

AT_ONCE, REQUESTS = 64, 1500


def run(source, hops, mode, linked):
    chain = Chain()
    for hop in reversed(hops):
        getattr(chain, hop)()
    ports = [x for p in chain.ports for x in ("--port", p)]
    agent = Agent(*ports, "--ring-size", "32MiB", source=source)
    made = collections.defaultdict(list)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda n: ask(chain.ports[0], n, mode, made), range(REQUESTS)))
    agent.stop()
    rows = agent.rows()
    for port in chain.ports:
        equal(sum(r["kind"] == "server" and r["server.port"] == port for r in rows), REQUESTS,
              "requests seen at hop %d" % chain.ports.index(port))
    edge = [r for r in rows if r.get("parcours.edge")]
    equal({r["server.port"] for r in edge}, {chain.ports[0]}, "where the edge is")
    equal(len(edge), REQUESTS, "requests at the edge")
    right, wrong, inner = judge(chain, rows, edge_ids(chain, rows, made))
    equal(wrong, 0, "wrong links")
    if linked:  # but for what was told too late to be, which is counted
        late = agent.stats().get("parcours.agent.calls.late", 0)
        check(right + late >= inner, "%d of %d inner hops are linked to the edge, %d late" % (right, inner, late))
    calls = sum(r["kind"] == "client" and "parent_span_id" in r for r in rows)
    return "%d of %d linked to the edge, %d calls with a parent" % (right, inner, calls)


CHAINS = (("nginx", "python"), ("nginx_anew", "python"), ("nginx", "gunicorn"), ("nginx", "tomcat"),
          ("haproxy", "nginx", "python"), ("nginx", "node", "python"), ("nginx", "go", "python"))


def main():
    suite = Suite()
    for source in sources():
        for hops in CHAINS:
            for mode in ("told", "named", "alike"):
                suite.run("%s, %s, %s" % (" → ".join(hops), mode, source), run, source, hops, mode, mode != "alike")
    suite.done()


main()
