#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Journeys in Vendure, unchanged, by its recipe: scripted customers of its shop API (lib/vendure_kinds.py), each with a
storefront, a session and a currency of its own, half of them behind nginx; every order, every cart that was left, every
piece that came and went, against Vendure's own database. Vendure is started once, and each source of capture looks on.
"""
import concurrent.futures
import os
import random
import shutil
import time
import traceback

from lib import journeys, schema, vendure, vendure_people
from lib.agent import Agent, sources
from lib.suite import Suite, check
from lib.vendure_kinds import KINDS

COUNT = int(os.environ.get("JOURNEYS", "2"))  # of each kind
TIMEOUT_S = 8
WAYS = ("cookie, direct", "bearer, nginx", "bearer, direct", "cookie, nginx")


class Same(dict):
    """Views are written down by the ids that are told."""

    def __missing__(self, key):
        return key


def journey(world, who, kind, style, way, currency):
    """The visits of one customer; what went wrong with him is no matter of the agent."""
    customer = vendure_people.Customer(world, who, kind, style, way, currency)
    try:
        KINDS[kind](customer)
        customer.leave()
    except Exception as why:
        traceback.print_exc()
        raise RuntimeError("%s (%s): %s" % (kind, customer.visit["way"], why)) from why
    return customer.visits


def travel(world, first, seed):
    rng = random.Random(seed)
    them = [(kind, n) for n in range(COUNT) for kind in KINDS]
    rng.shuffle(them)
    them.sort(key=lambda pair: pair[0] != "again")  # they wait for long
    turn = 0
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = []
        for who, (kind, n) in enumerate(them, first):
            turn = list(KINDS).index(kind) + n * 3 + seed
            found.append(pool.submit(journey, world, who, kind, vendure_people.STYLES[turn % len(vendure_people.STYLES)],
                                     WAYS[(turn + n) % 4], vendure_people.CURRENCIES[turn % 3]))
        return [visit for f in found for visit in f.result()]


def went_on(row, truth):
    """A visit that signs out has another cart then; what became of the one before is not known, and not said. Those that
    are left so here come back by signing in, and are ordered."""
    return row.get("event_name") == "parcours.cart_abandoned" and row["end_reason"] == "evicted" and \
        truth.orders.get(row["parcours.cart"]["id"], {"visit": {"kind": None}})["visit"]["kind"] == "member_with_two"


def watch(world, found):
    """{source: its agent}, and what happened while all of them looked on."""
    ports = [world.port, world.windows["cookie"]]
    agents = {source: Agent(*(part for port in ports for part in ("--port", port)), "--rules", vendure.RECIPE,
                            "--session-timeout", "%ds" % TIMEOUT_S, source=source) for source in found}
    world.gap = TIMEOUT_S + 3
    before = vendure_people.codes(world.database)
    visits = travel(world, 100, 1)
    time.sleep(TIMEOUT_S + 2)  # the last visit is over by then
    for agent in agents.values():
        agent.stop()
    return agents, vendure_people.Truth(world.database, visits, before)


def exact(agent, truth):
    if os.environ.get("KEEP"):
        shutil.copy(agent.path, os.environ["KEEP"])
    rows = agent.all_rows()
    schema.validate_shapes([r for r in rows if r["type"] == "event"])
    problems, what = journeys.everything(truth, [r for r in rows if not went_on(r, truth)], Same())
    for problem in problems[:60]:
        print("  " + problem)
    check(not problems, "%d differences from the truth, the first: %s" % (len(problems), problems and problems[0]))
    return what


suite = Suite()
begin = time.monotonic()
agents, truth = watch(vendure.Vendure().start(), sources())
print("  %d customers in %.1f s" % (len({v["who"] for v in truth.visits}), time.monotonic() - begin))
for source, agent in agents.items():
    suite.run("exact %s" % source, exact, agent, truth)
suite.done()
