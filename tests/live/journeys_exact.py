#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Journeys of the sample shop, each kind that tests/shop/journeys.py knows, by forms and by script: every order, every
cart that was left with its step, every piece that came and went, every view of a product, against the shop's own
database and the script's record. Direct and behind nginx, in several currencies, notations and charsets.
"""
import os
import sys
import time

from lib import journeys, process, schema
from lib.agent import Agent, sources
from lib.suite import Suite, check

sys.path.insert(0, journeys.SHOP)
from catalogue import PRODUCTS, STYLES  # noqa: E402

COUNT = int(os.environ.get("JOURNEYS", "160"))
TIMEOUT_S = 5
IDS = {p.slug: str(p.id) for p in PRODUCTS}
# How a shop looks, and whether a proxy stands before it.
SHOPS = {
    "plain": (["--style", "plain"], False),
    "plain behind nginx": (["--style", "plain"], True),
    "€1,234.50, packed": (["--style", "front", "--gzip"], True),
    "1 234,50 € in windows-1252, in chunks": (["--style", "euro", "--charset", "windows-1252", "--chunks"], False),
    "12.345,00 EUR without tax": (["--style", "dotted", "--tax", "excl"], True),
    "whole euros in ISO-8859-1, packed in chunks": (["--style", "whole", "--charset", "iso-8859-1", "--gzip", "--chunks"], False),
    "yen": (["--style", "yen"], True),
}


def rules_for(how):
    sign = STYLES[how[how.index("--style") + 1]].decimal
    return process.write(os.path.join(process.folder("rules"), "shop.yaml"), journeys.recipe(sign))


def exact(source, name):
    how, front = SHOPS[name]
    world = journeys.World(*how, front=front)
    agent = Agent(*world.ports(), "--rules", rules_for(how), "--session-timeout", "%ds" % TIMEOUT_S, source=source)
    truth = world.travel(COUNT, seed=len(name), gap=TIMEOUT_S + 2)
    time.sleep(TIMEOUT_S + 2)  # the last visit is over by then
    agent.stop()
    rows = agent.all_rows()
    schema.validate_shapes([r for r in rows if r["type"] == "event"])
    problems, what = journeys.everything(truth, rows, IDS)
    for problem in problems[:40]:
        print("  " + problem)
    check(not problems, "%d differences from the truth, the first: %s" % (len(problems), problems and problems[0]))
    return what


suite = Suite()
for each in sources():
    for shop in SHOPS:
        suite.run("%s %s" % (shop, each), exact, each, shop)
suite.done()
