# SPDX-License-Identifier: Apache-2.0
"""What people did, at the real collector: each row of type page_view, session and alias is an event there, field by
field and revision by revision; and the additive metrics of pages and visits are the sums of the rows."""
import collections
import http.client
import http.server
import secrets
import sys
import threading
import time

if __name__ != "__main__":
    import content
    from collector import Collector
    from lib import process
    from lib.agent import Agent, sources
    from lib.suite import check, equal

AGENTS = ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
          "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
          "Mobile/15E148 Safari/604.1", "examplebot/1.0")
EVENTS = {"page_view": "parcours.page_view", "session": "session.end", "alias": "parcours.session.alias"}
TIMES = {"page_view": "start_time_unix_nano", "session": "end_time_unix_nano", "alias": "time_unix_nano"}
OWN_NAMES = {"start_time_unix_nano": "parcours.session.start_time_unix_nano"}  # of a session's row
SEGMENT = ("user_agent.synthetic.type", "parcours.suspected", "parcours.device", "parcours.touchpoint", "parcours.customer.class")
OF_VISITS = (*SEGMENT, "geo.country.iso_code", "parcours.visitor", "parcours.channel")
MEASURED_AFTER = 14  # seconds; nothing more can come in for a page then


class Shop(http.server.BaseHTTPRequestHandler):
    """Pages, one that is slow, one that fails, one that leads elsewhere; pictures, one of which is missing."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, sent = self.path.split("?")[0], self.headers.get("Cookie", "")
        status = 404 if "missing" in path else 500 if "broken" in path else 302 if path == "/login" else 200
        body = b"<html>page</html>" if "png" not in path else b"\x89PNG"
        if path == "/slow":
            time.sleep(3.2)
        self.send_response(status)
        self.send_header("Content-Type", "image/png" if "png" in path else "text/html")
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "/account")
        if "png" not in path and ("PHPSESSID=" not in sent or path == "/login"):
            self.send_header("Set-Cookie", "PHPSESSID=%s; Path=/" % secrets.token_hex(16))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def person(port, number):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    jar, page = None, None

    def ask(path, accept):
        nonlocal jar
        c.request("GET", path, headers=dict({"Host": "shop.example", "User-Agent": AGENTS[number % 3], "Accept": accept},
                                            **({"Cookie": jar} if jar else {}), **({"Referer": page} if page else {})))
        answer = c.getresponse()
        answer.read()
        if answer.headers.get("Set-Cookie") and number % 3 < 2:
            jar = answer.headers["Set-Cookie"].split(";")[0]

    for path in ("/", "/product/%d" % (1000 + number), "/login", "/account", "/missing", "/broken", "/slow")[:4 + number % 4]:
        ask(path, "text/html")
        if path != "/login":
            page = "http://shop.example" + path
        for picture in ("/a.png", "/missing.png")[:number % 3] if number % 3 < 2 else ():
            ask(picture, "image/png")
        time.sleep(0.5)
    c.close()


def event_of(row):
    """What the row is as an event: (name, time, attributes)."""
    given = {k: v for k, v in row.items() if k not in ("type", TIMES[row["type"]])}
    rename = OWN_NAMES if row["type"] == "session" else {}
    return (EVENTS[row["type"]], row[TIMES[row["type"]]],
            {rename.get(k, k if "." in k else "parcours." + k): v for k, v in given.items()})


def same_events(c, rows):
    """One for each row, and a beginning for each visit."""
    wanted = sorted(map(event_of, rows), key=str)
    told = [(r["eventName"], int(r["timeUnixNano"]), a) for _, r, a in c.events()]
    begun = collections.Counter(a["session.id"] for name, _, a in told if name == "session.start")
    told = sorted((e for e in told if e[0] != "session.start"), key=str)
    for got, want in zip(told, wanted):
        equal(got, want, "an event and its row")
    equal(len(told), len(wanted), "events")
    equal(begun, {r["session.id"]: 1 for r in rows if r["type"] == "session"}, "visits that began")


def last_of(rows, kind):
    last = {}
    for row in rows:
        if row["type"] == kind and row["revision"] >= last.get(row["parcours.event_id"], row)["revision"]:
            last[row["parcours.event_id"]] = row
    return list(last.values())


def key_of(row, names, **more):
    found = {"parcours.site": row["parcours.site"], **{n: row[n] for n in names if n in row}, **more}
    return content.frozen(found)


def same_metrics(c, rows):
    sums, lived = collections.Counter(), collections.defaultdict(list)
    for row in last_of(rows, "page_view"):
        key = key_of(row, ("parcours.page.group", *SEGMENT))
        sums["views", key] += 1
        sums["errors", key] += row["outcome"] in ("error", "server_reset", "timed_out")
        sums["failed_resources", key] += row["failed_resources"]
        if "parcours.apdex" in row:
            sums["apdex", key_of(row, ("parcours.page.group", "parcours.apdex", *SEGMENT))] += 1
        if "lived_ns" in row:
            lived[key].append(row["lived_ns"] / 1e9)
    for row in last_of(rows, "session"):
        sums["visits", key_of(row, OF_VISITS)] += 1
    points = collections.defaultdict(dict)
    for p in c.metrics_seen():
        points[p.metric["name"].removeprefix("parcours.page.").removeprefix("parcours.")][content.frozen(p.attributes)] = p
    for what in ("views", "errors", "failed_resources", "apdex", "visits"):
        got = {k: int(p.point["asInt"]) for k, p in points[what].items() if int(p.point["asInt"])}
        equal(got, {k: n for (name, k), n in sums.items() if name == what and n}, "metric of " + what)
        check(got, "nothing in " + what)
    equal(set(points["lived_time"]), set(lived), "series of lived time")
    for key, values in lived.items():
        content.same_distribution(points["lived_time"][key], values)


def judge(c, agent):
    rows = [r for r in agent.all_rows() if r["type"] in EVENTS]
    kinds = collections.Counter(r["type"] for r in rows)
    check(all(kinds[k] for k in EVENTS), "rows of each type: %s" % kinds)
    equal({r["end_reason"] for r in rows if r["type"] == "session"}, {"timeout"}, "reasons of ends")
    equal({r["parcours.apdex"] for r in rows if "parcours.apdex" in r}, {"satisfied", "tolerating", "frustrated"}, "grades of Apdex")
    same_events(c, rows)
    same_metrics(c, rows)
    return ", ".join("%d %s" % (n, k) for k, n in sorted(kinds.items()))


def what_people_did_arrives():
    """Both sources watch the same people, each with a collector of its own."""
    port = process.free_port()
    child = process.start([process.PYTHON, __file__, str(port)])
    process.wait_port(port, child)
    both = []
    for source in sources():
        c = Collector()
        both.append((c, Agent("--port", port, "--session-timeout", "4s", "--otlp-endpoint", c.endpoint, source=source,
                              privacy="audience", env={"OTEL_METRIC_EXPORT_INTERVAL": "1000"})))
    people = [threading.Thread(target=person, args=(port, n)) for n in range(24)]
    for one in people:
        one.start()
        time.sleep(0.05)
    for one in people:
        one.join()
    time.sleep(MEASURED_AFTER)
    for c, agent in both:
        agent.stop()
        c.stop()
    return "; ".join("%s: %s" % (source, judge(c, agent)) for source, (c, agent) in zip(sources(), both))


CASES = [what_people_did_arrives]

if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
