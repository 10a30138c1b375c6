#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Which request made an application call another, where nothing that they say has anything in common.

An application is asked and calls a second one, which logs by which connection each id came. One request at a time,
a few, and 64. Whatever the application is, no link may be wrong. Where a thread serves one request at a time and had
to show it (thread.h), links must be made; where one thread, or none in particular, serves many, there are none.

The applications are started once. Each load has agents of its own, one with each source, which know nothing of any
process; so what is believed has been shown under that load. What mostly waits is asked beside others.
"""
import collections
import concurrent.futures
import os
import re
import time

from lib import process
from lib.agent import Agent, sources
from lib.edge import Chain, ask, edge_ids, judge
from lib.suite import Failure, Suite, check, equal

# at once: requests, share of calls that must be linked: by threads that are many, by a single one; applications
# that are asked side by side
LOADS = {1: (300, 0, 0, 11), 4: (1000, 0.3, 0, 4), 64: (2500, 0.3, 0.5, 2)}
MANY, SINGLE, LOOP = 1, 2, None
APPS = {"call_python": MANY, "call_python_background": MANY, "call_gthread": MANY, "call_tomcat": MANY,
        "call_gunicorn": SINGLE, "call_php": SINGLE, "call_node": LOOP, "call_node_background": LOOP,
        "call_node_after": LOOP, "call_go": LOOP, "call_tomcat_async": LOOP}


def tried(body, *args):
    """A future that is done: what went wrong is said where somebody asks for the result."""
    future = concurrent.futures.Future()
    try:
        future.set_result(body(*args))
    except Exception as error:
        future.set_exception(error)
    return future


def start(app):
    chain = Chain()
    chain.python()
    getattr(chain, app)()
    return chain


def load(chain, at_once):
    """The ids that were asked for, by the connection of each."""
    made = collections.defaultdict(list)
    chain.forget()
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda n: ask(chain.ports[0], n, "alike", made), range(LOADS[at_once][0])))
    return made


def watch(source, chains):
    ports = [x for chain in chains.values() for p in chain.ports for x in ("--port", p)]
    config = os.path.join(process.folder("config"), "parcours.yaml")
    process.write(config, "capture:\n  control_ring_size: 16MiB\n")  # thousands of connections a second
    return Agent("-c", config, *ports, "--ring-size", "32MiB", source=source)


def see(agent):
    agent.stop()
    return agent.rows(), agent.stats()


def watched(chains, at_once):
    """The same load on every chain, seen by an agent with each source: {app: its load}, {source: rows and stats}."""
    agents = {source: tried(watch, source, chains) for source in sources()}
    with concurrent.futures.ThreadPoolExecutor(LOADS[at_once][3]) as pool:
        loads = {app: pool.submit(load, chain, at_once) for app, chain in chains.items()}
    time.sleep(0.6)  # what goes on in the background ends
    return loads, {source: tried(lambda: see(agent.result())) for source, agent in agents.items()}


def figures(stats):
    return ", ".join("%s %d" % (k[len("parcours.agent."):], v) for k, v in sorted(stats.items())
                     if k.startswith(("parcours.agent.threads.", "parcours.agent.calls.")) and v)


def verdict(app, chain, loaded, seen, at_once):
    requests, *shares, _ = LOADS[at_once]
    chain = chain.result()
    rows, stats = seen.result()
    own = [r for r in rows
           if r.get("server.port" if r["kind"] == "server" else "network.peer.port") in chain.ports]
    ids = edge_ids(chain, own, loaded.result())
    equal(len(ids), requests, "requests at the edge")
    lost = {k: v for k, v in stats.items() if v and re.search(r"lost|unobserved|evicted|refused|dropped|not_http|unseen", k)}
    try:
        right, wrong, inner = judge(chain, own, ids)
    except Failure as e:
        raise Failure("%s; lost: %s" % (e, lost)) from None
    told = "%d of %d linked; of all processes: %s" % (right, inner, figures(stats) or "none believed")
    equal(wrong, 0, "wrong links: " + told)
    kind = APPS[app]
    if kind is not None:
        check(right >= shares[kind - 1] * requests, told)
    return told


def main():
    suite = Suite()
    name = "%s, %d at once, %s"
    wanted = {app: [n for n in LOADS if any(suite.wanted(name % (app, n, source)) for source in sources())]
              for app in APPS}
    chains = {app: tried(start, app) for app in APPS if wanted[app]}
    for at_once in LOADS:
        up = {app: chain.result() for app, chain in chains.items()
              if at_once in wanted[app] and not chain.exception()}
        loads, seen = watched(up, at_once) if up else ({}, {})
        for source in sources():
            for app, chain in chains.items():
                suite.run(name % (app, at_once, source), verdict, app, chain, loads.get(app), seen.get(source), at_once)
    suite.done()


main()
