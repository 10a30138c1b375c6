#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Countries and regions of visitors, from a database that is there, replaced, cut off, removed or never was.

The truth is the database, which is the test's own: one network a country. The clients stand behind a proxy that is
trusted (loopback) and come by X-Forwarded-For.
"""
import http.client
import json
import os
import subprocess
import time

from lib import mmdb, process, schema
from lib.agent import Agent, sources
from lib.suite import Suite, check, equal

ONE = {"198.51.100.0/24": ("DE", "BE"), "203.0.113.0/25": ("FR", None), "203.0.113.128/25": ("CH", "ZH"),
       "2001:db8:7::/48": ("JP", "13")}
TWO = {"198.51.100.0/24": ("AT", "9"), "203.0.113.0/24": ("US", "CA")}
CLIENTS = {"198.51.100.7": 0, "203.0.113.5": 1, "203.0.113.200": 2, "2001:db8:7::1": 3, "192.0.2.1": None}
PAUSE = 7  # the file is looked at every 5 s


class Shop:
    def __init__(self):
        self.port = process.free_port()
        child = process.start([process.PYTHON, os.path.join(process.APPS, "visits.py"), str(self.port)])
        process.wait_port(self.port, child, None)

    def ask(self, client, number):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", "/none/%d" % number, headers={
            "Host": "shop.example", "Accept": "text/html", "X-Forwarded-For": client,
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/120.0" % (100 + number)})
        equal(connection.getresponse().status, 200, "status")
        connection.close()


def database(networks, record):
    return mmdb.build({net: record(*place) for net, place in networks.items()})


def place_of(folder, content):
    """A file that the unprivileged user may read, put in place at once as geoipupdate does."""
    path = os.path.join(folder, "places.mmdb")
    process.write(path + ".new", content)
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)
    return path


def start(shop, folder, path, source):
    config = process.write(os.path.join(folder, "config"), "geo:\n  file: %s\n" % path)
    return Agent("-c", config, "--port", shop.port, "--session-timeout", "2s", source=source, privacy="audience")


def facts(agent):
    found = [r for r in agent.all_rows() if r["type"] in ("session", "page_view")]
    schema.validate_shapes(found)
    return found


def places(agent, number):
    """{client's place in the table of the test: (country, region)} of the visits of one round, by rows of both types."""
    seen = {}
    for row in facts(agent):
        if row["type"] == "page_view" and row["url.path"] == "/none/%d" % number:
            seen[row["session.id"]] = (row.get("geo.country.iso_code"), row.get("geo.region.iso_code"))
    for row in facts(agent):
        if row["type"] == "session" and row["session.id"] in seen:
            equal((row.get("geo.country.iso_code"), row.get("geo.region.iso_code")), seen[row["session.id"]],
                  "place of a visit and of its page")
    return sorted(seen.values(), key=str)


def expected(networks, which):
    found = []
    for client in which:
        country, region = networks.get(client, (None, None))
        found.append((country, "%s-%s" % (country, region) if region else None))
    return sorted(found, key=str)


NETS = ["198.51.100.0/24", "203.0.113.0/25", "203.0.113.128/25", "2001:db8:7::/48", None]
NETS_TWO = ["198.51.100.0/24", "203.0.113.0/24", "203.0.113.0/24", None, None]


def a_round(shop, number):
    for client in CLIENTS:
        shop.ask(client, number)


def by_client(source, record):
    """A country for each client; no whole address in any row, though the look-up had it whole."""
    shop, folder = Shop(), process.folder("geo")
    agent = start(shop, folder, place_of(folder, database(ONE, record)), source)
    a_round(shop, 1)
    agent.stop()
    equal(places(agent, 1), expected(ONE, NETS), "places")
    text = process.read(agent.path)
    check(not any(c in text for c in CLIENTS), "a whole address in a row")
    stats = agent.stats()
    equal([stats.get("parcours.agent.places{parcours.result=%s}" % r, 0) for r in ("found", "absent", "damaged")],
          [4, 1, 0], "look-ups found, absent, damaged")
    return "5 clients"


def replaced(source):
    """Replaced while running, then cut off, then gone: told once each, what was there last goes on."""
    shop, folder = Shop(), process.folder("geo")
    path = place_of(folder, database(ONE, mmdb.nested))
    agent = start(shop, folder, path, source)
    a_round(shop, 1)
    whole = database(TWO, mmdb.flat)
    place_of(folder, whole)
    process.wait_for(lambda: "taken up" in agent.errors(), PAUSE, "the new file")
    a_round(shop, 2)
    with open(path, "wb") as f:  # in place, as a copy that was broken off leaves it
        f.write(whole[:-40])
    process.wait_for(lambda: "stay in use" in agent.errors(), PAUSE, "a word on the broken file")
    a_round(shop, 3)
    time.sleep(PAUSE)
    equal(agent.errors().count("stay in use"), 1, "messages about one broken file")
    os.unlink(path)
    process.wait_for(lambda: "is not there" in agent.errors(), PAUSE, "a word on the vanished file")
    a_round(shop, 4)
    time.sleep(PAUSE)
    equal(agent.errors().count("is not there"), 1, "messages about a vanished file")
    place_of(folder, database(ONE, mmdb.nested))
    process.wait_for(lambda: agent.errors().count("taken up") == 2, PAUSE, "the file that came back")
    a_round(shop, 5)
    agent.stop()
    equal(places(agent, 1), expected(ONE, NETS), "places before")
    for number in (2, 3, 4):
        equal(places(agent, number), expected(TWO, NETS_TWO), "places in round %d" % number)
    equal(places(agent, 5), expected(ONE, NETS), "places after")
    return "5 rounds"


def from_the_start(source):
    """Not there at the start, or no database: said with what helps, unobserved, and taken up when it comes."""
    shop, folder = Shop(), process.folder("geo")
    path = os.path.join(folder, "places.mmdb")
    agent = start(shop, folder, path, source)
    process.wait_for(lambda: "geoipupdate" in agent.errors(), 5, "the command that helps")
    a_round(shop, 1)
    place_of(folder, b"no database at all" * 100)
    process.wait_for(lambda: agent.errors().count("countries are unobserved") == 2, PAUSE, "a word on what is no database")
    place_of(folder, database(ONE, mmdb.flat))
    process.wait_for(lambda: "taken up" in agent.errors(), PAUSE, "the file")
    a_round(shop, 2)
    agent.stop()
    equal(places(agent, 1), [(None, None)] * 5, "places without a file")
    equal(places(agent, 2), expected(ONE, NETS), "places")
    return ""


def unconfigured(source):
    shop = Shop()
    agent = Agent("--port", shop.port, source=source)
    equal(agent.errors(), "ready\n", "before there is a visit")
    a_round(shop, 1)
    agent.stop()
    equal(agent.errors().count("countries of visits are unobserved"), 1, "said once: " + agent.errors()[-300:])
    equal(places(agent, 1), [(None, None)] * 5, "places")
    return ""


def doctor():
    folder = process.folder("geo")
    path = place_of(folder, database(ONE, mmdb.nested))
    config = process.write(os.path.join(folder, "config"), "geo:\n  file: %s\n" % path)

    def finding():
        out = subprocess.run([process.PARCOURS, "doctor", "--json", "-c", config], capture_output=True, text=True).stdout
        return [f for f in json.loads(out) if f["subject"] == "countries"][0]
    good = finding()
    equal(good["grade"], "good", "grade")
    check(good["what"].startswith("countries: Test-City of 2023-11-14"), good["what"])
    place_of(folder, b"x" * 100)
    bad = finding()
    equal(bad["grade"], "partly", "grade of what is no database")
    check("unobserved" in bad["what"] and "geoipupdate" in bad["advice"], str(bad))
    return ""


suite = Suite()
suite.run("doctor", doctor)
for each in sources():
    suite.run("nested schema %s" % each, by_client, each, mmdb.nested)
    suite.run("flat schema %s" % each, by_client, each, mmdb.flat)
    suite.run("replaced, cut off, gone %s" % each, replaced, each)
    suite.run("from the start %s" % each, from_the_start, each)
    suite.run("unconfigured %s" % each, unconfigured, each)
suite.done()
