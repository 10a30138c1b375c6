# SPDX-License-Identifier: Apache-2.0
"""How long pages were lived: what the agent says beside the server, against Chromium behind a long line.

A site runs in the near network namespace, the browser in the far one, a Link between them; the agent is
told the port. The truth is navigationStart → loadEventEnd. Both clocks are this machine's, so a row is
found by its time. What stays between the two figures is the browser's own work, before its first packet
and after the last octet, which nobody sees from the server.
"""
import collections
import itertools
import os
import statistics
import sys
import time

from . import people, process, servers
from .agent import Agent
from .people import HOST, Visitor, go, step
from .suite import check, equal
from .wan import NEAR, Link
from .wordpress import WordPress

SHOP = os.path.join(process.TOP, "tests", "shop")
sys.path.insert(0, SHOP)
import showroom  # noqa: E402 (the path comes first)

Line = collections.namedtuple("Line", "round_trip rate loss")  # s, bits a second, per mille
FAST, SLOW = 20_000_000, 2_000_000
MATRIX = [Line(*values) for values in itertools.product((0.005, 0.05, 0.15), (FAST, SLOW), (0, 10))]
CORNERS = [Line(0.005, FAST, 0), Line(0.005, SLOW, 10), Line(0.15, FAST, 10), Line(0.15, SLOW, 0)]
STAY_MS = 1500  # longer than the gap that ends a burst
EARLY_MS = 20   # of the agent's start before the browser's: half of a round trip that is an estimate

# The first page of a visitor; the next ones, which share files with it; one that he saw before.
KINDS = ("first", "next", "again")
Lived = collections.namedtuple("Lived", "line path kind load_ms lived_ms")


def title(line):
    return "%g ms, %d Mbit/s, %g %%" % (line.round_trip * 1e3, line.rate / 1e6, line.loss / 10)


NGINX = """
daemon off; worker_processes 2; pid %(place)s/front.pid; error_log %(place)s/front.log; %(user)s
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types; access_log off; sendfile on; gzip on; gzip_proxied any; gzip_types text/css application/javascript;
  client_body_temp_path %(place)s/f1; proxy_temp_path %(place)s/f2; fastcgi_temp_path %(place)s/f3;
  uwsgi_temp_path %(place)s/f4; scgi_temp_path %(place)s/f5;
  server { listen %(address)s:%(port)d; root %(root)s; index index.php; %(locations)s }
}
"""


class Front:
    """nginx at the near end of a link; its port is free on this host too, where the agent looks as well."""

    def start(self, link, place, root, locations):
        self.port = process.free_port()
        conf = process.write(place + "/front.conf", NGINX % {
            "place": place, "address": NEAR, "port": self.port, "root": root, "locations": locations,
            "user": "user root;" if os.geteuid() == 0 else ""})
        child = process.start([*link.inside(0), servers.program("nginx"), "-p", place, "-c", conf], log=place + "/front.err")
        with link.near():
            process.wait_port(self.port, child, place + "/front.err", host=NEAR)


class Showroom(Front):
    """The sample shop: pages by its application, all else are files of the front, kept for an hour."""
    name = "showroom"
    walks = [["product/desk-lamp", "", "category/outdoor"], ["product/chef-knife", "moved", "product/chef-knife"],
             ["category/kitchen", "product/city-bike"], ["", "category/home", "product/camp-stove", ""],
             ["product/moka-pot", "product/tea-kettle", "category/kitchen"]]
    base = "showroom"

    def __init__(self, link):
        place, back = process.folder(self.name), process.free_port()
        showroom.write(place)
        log = place + "/shop.log"
        child = process.start([*link.inside(0), process.PYTHON, os.path.join(SHOP, "shop.py"), "--port", str(back),
                               "--think", "100"], log=log)
        with link.near():
            process.wait_port(back, child, log)
        self.start(link, place, place, """
    location /assets/ { expires 1h; } location /photos/ { expires 1h; }
    location / { proxy_pass http://127.0.0.1:%d; proxy_http_version 1.1; proxy_set_header Host $host; proxy_set_header Connection ""; }
    location /api/events { proxy_pass http://127.0.0.1:%d; proxy_http_version 1.1; proxy_buffering off; }""" % (back, back))


class Blog(Front):
    """WordPress, with photographs; nginx as it comes says nothing of how long its files may be kept."""
    name = "wordpress"
    walks = [["product-1/", "", "product-2/"], ["product-3/", "?p=1", "product-3/"], ["", "product-4/"],
             ["product-5/", "", "product-6/", "category/uncategorized/"], ["framed/", "product-2/", ""]]
    base = ""

    def __init__(self, link):
        site = WordPress().start()
        for i in range(1, 7):
            process.write("%s/wp-content/uploads/p%d.png" % (site.root, i), showroom.photo("p%d" % i, 40000 * i))
        self.start(link, site.place, site.root, """
    location / { try_files $uri $uri/ /index.php?$args; }
    location ~ \\.php$ { try_files $uri =404; include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass unix:%s/php; }""" % site.sockets)


SITES = {site.name: site for site in (Showroom, Blog)}


def visitors(site, pages, number):
    """So many pages in walks of fresh visitors, and the kind of each: first, next, again. No two visitors
    of a run have one agent, or they were taken for one until each has a cookie: `number` is of the line."""
    base = "http://%s:%d/%s" % (HOST, site.port, site.base)
    found, kinds = [], []
    for walk in itertools.cycle(site.walks):
        walk = walk[:pages - len(kinds)]
        steps = []
        for at, path in enumerate(walk):
            kinds.append("first" if not at else "again" if path in walk[:at] else "next")
            steps += [go("/".join((base, path)).rstrip("/") if site.base else base + path), step("sleep", ms=STAY_MS)]
        who = number * pages + len(found)
        found.append(Visitor("%s-%d" % (site.name, who), steps, people.agent(6 * who)))
        if len(kinds) == pages:
            return found, kinds


def row_of(view, rows):
    """The agent's row of a view of the browser."""
    mine = [r for r in rows if r["url.path"] == people.path(view["url"]) and
            -EARLY_MS <= r["start_time_unix_nano"] / 1e6 - view["begin"] <= view["load"]]
    equal(len(mine), 1, "rows of type page_view for %s" % view["url"])
    check("lived_ns" in mine[0] and "estimated" not in mine[0], "lived time not observed: %s" % mine[0])
    return mine[0]


def measure(site_class, lines, pages, source="auto"):
    """[Lived] of so many pages over each line."""
    link = Link()
    try:
        link.become(*lines[0])
        site = site_class(link)
        agent = Agent("--port", site.port, source=source)
        walks = []
        # The first one is not counted: caches of the servers, and the agent learns that clients are far.
        for number, line in enumerate([lines[0], *lines]):
            link.become(*line, seed=number)
            them, kinds = visitors(site, pages if number else 2, number)
            people.visit(them, at_once=1, seconds=60 + 15 * pages, address=NEAR, within=link.inside(1))
            views = [view for v in them for view in v.did["views"]]
            equal(len(views), len(kinds), "pages that the browser opened")
            walks += [(line, view, kind) for view, kind in zip(views, kinds) if number]
        time.sleep(2.5)  # a page has come to rest
        agent.stop()
        rows = [r for r in people.last_facts(agent.all_rows()) if r["type"] == "page_view"]
        return [Lived(line, people.path(view["url"]), kind, view["load"], row_of(view, rows)["lived_ns"] / 1e6)
                for line, view, kind in walks]
    finally:
        link.end()


def errors(found):
    """(median, 90th percentile) of the absolute error, in per cent of the browser's figure."""
    each = sorted(abs(f.lived_ms - f.load_ms) / f.load_ms * 100 for f in found)
    return statistics.median(each), each[-(-9 * len(each) // 10) - 1]
