#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Which request made an application call another, where nothing that they say has anything in common.

An application is asked and calls a second one, which logs by which connection each id came. One request at a time,
a few, and 64. Whatever the application is, no link may be wrong. Where a thread serves one request at a time and had
to show it (thread.h), links must be made; where one thread, or none in particular, serves many, there are none.
"""
import collections
import concurrent.futures
import time

from lib.agent import Agent, sources
from lib.edge import Chain, ask, edge_ids, judge
from lib.suite import Suite, check, equal

# at once: requests, share of calls that must be linked: by threads that are many, by a single one
LOADS = {1: (300, 0, 0), 4: (1000, 0.3, 0), 64: (2500, 0.3, 0.5)}
MANY, SINGLE, LOOP = 1, 2, None
APPS = {"call_python": MANY, "call_python_background": MANY, "call_gthread": MANY, "call_tomcat": MANY,
        "call_gunicorn": SINGLE, "call_php": SINGLE, "call_node": LOOP, "call_node_background": LOOP,
        "call_node_after": LOOP, "call_go": LOOP, "call_tomcat_async": LOOP}


def figure(stats, name):
    return sum(v for k, v in stats.items() if k.split("{")[0] == "parcours.agent." + name)


def run(source, app, at_once):
    requests, *shares = LOADS[at_once]
    chain = Chain()
    chain.python()
    getattr(chain, app)()
    agent = Agent(*[x for p in chain.ports for x in ("--port", p)], "--ring-size", "32MiB", source=source)
    made = collections.defaultdict(list)
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda n: ask(chain.ports[0], n, "alike", made), range(requests)))
    time.sleep(0.6)  # what goes on in the background ends
    agent.stop()
    rows = agent.rows()
    ids = edge_ids(chain, rows, made)
    equal(len(ids), requests, "requests at the edge")
    right, wrong, inner = judge(chain, rows, ids)
    stats = agent.stats()
    told = "%d of %d linked; processes: %d believed, %s" % (
        right, inner, figure(stats, "threads.believed"),
        {k: v for k, v in stats.items() if "threads.disbelieved" in k} or "none disbelieved")
    equal(wrong, 0, "wrong links: " + told)
    kind = APPS[app]
    if kind is not None:
        check(right >= shares[kind - 1] * requests, told)
    return told


def main():
    suite = Suite()
    for source in sources():
        for app in APPS:
            for at_once in LOADS:
                suite.run("%s, %d at once, %s" % (app, at_once, source), run, source, app, at_once)
    suite.done()


main()
