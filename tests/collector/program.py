# SPDX-License-Identifier: Apache-2.0
"""The whole program in front of the real collector: what it wrote as NDJSON, the collector has as spans
and counts as metrics, and the agent's own figures add up there."""
import collections
import http.client
import os
import signal
import socket
import subprocess
import threading
import time

import content
import strict
from collector import Collector
from fake import Fake
from lib import process
from lib.agent import Agent, sources
from lib.suite import check, equal

SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "server.py")


def start_server():
    port = process.free_port()
    child = process.start([process.PYTHON, SERVER, str(port)])
    process.wait_port(port, child)
    return port


def ask(port, count, pause=0):
    """So many requests over four connections, a fifth of them answered 500."""
    def some(n):
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        for i in range(n):
            c.request("POST" if i % 3 else "GET", "/shop/%d/item?n=%d" % (i, i) + ("&fail" if i % 5 == 0 else ""),
                      body=b"x" * i if i % 3 else None)
            c.getresponse().read()
            time.sleep(pause)
        c.close()
    threads = [threading.Thread(target=some, args=(count // 4,)) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def figure(points, name):
    return sum(int(p.point["asInt"]) for p in points if p.metric["name"] == "parcours.agent." + name)


def events_are_the_facts(c, agent):
    """Each row of type session and alias is an event, and each visit began with one."""
    facts = {r["parcours.event_id"]: r for r in agent.all_rows() if r["type"] in ("session", "alias")}
    check(facts, "no visit")
    process.wait_for(lambda: len(c.events()) >= 2 * len(facts), what="events at the collector")
    begun = set()
    for resource, record, a in c.events():
        equal(resource["service.name"], "parcours", "service of an event")
        if record["eventName"] == "session.start":
            begun.add(a["session.id"])
            continue
        row = facts.pop(a["parcours.event_id"])
        equal(record["eventName"], {"session": "session.end", "alias": "parcours.session.alias"}[row["type"]], "name")
        equal(int(record["timeUnixNano"]), row.get("end_time_unix_nano", row.get("time_unix_nano")), "time")
        pairs = (("parcours.revision", "revision"), ("parcours.site", "parcours.site"), ("parcours.key", "parcours.key"),
                 ("parcours.key.new", "parcours.key.new"), ("parcours.reason", "reason"), ("session.id", "session.id"),
                 ("parcours.basis", "basis"), ("parcours.end_reason", "end_reason"), ("parcours.transactions", "transactions"),
                 ("parcours.session.start_time_unix_nano", "start_time_unix_nano"),
                 ("parcours.session.shared", "parcours.session.shared"), ("parcours.page_views", "page_views"),
                 ("user_agent.synthetic.type", "user_agent.synthetic.type"), ("parcours.device", "parcours.device"),
                 ("user_agent.os.name", "user_agent.os.name"), ("user_agent.name", "user_agent.name"),
                 ("parcours.channel", "parcours.channel"))
        for there, here in pairs:
            equal(a.get(there), row.get(here), "attribute " + there)
        check(row["type"] == "alias" or row["session.id"] in begun, "a visit that did not begin")
    equal(facts, {}, "facts without an event")


def everything_arrives():
    notes = []
    for source in sources():
        c, port = Collector(), start_server()
        agent = Agent("--port", port, "--otlp-endpoint", c.endpoint, source=source)
        ask(port, 400)
        agent.stop()
        c.stop()
        rows = content.by_id(agent.rows(), lambda r: r["span_id"])
        equal(sum(1 for r in rows.values() if r["kind"] == "server"), 400, "server transactions")
        spans = content.by_id(c.spans(), lambda s: s.span["spanId"])
        equal(set(spans), set(rows), "span ids")
        for i, s in spans.items():
            content.one_span(s, rows[i], authority="127.0.0.1:%d" % port)
        events_are_the_facts(c, agent)
        points = c.metrics_seen()
        for kind in ("server", "client"):
            total = sum(int(p.point["count"]) for p in points
                        if p.metric["name"] == "http.%s.request.duration" % kind)
            equal(total, sum(1 for r in rows.values() if r["kind"] == kind), "%s requests in metrics" % kind)
        active = [p.point["asInt"] for p in points if p.metric["name"] == "http.server.active_requests"]
        equal(set(active), {"0"}, "active requests at the end")
        equal(figure(points, "events.submitted"), figure(points, "events.read"), "events")
        equal(figure(points, "transactions.opened"),
              figure(points, "transactions.closed") + figure(points, "transactions.open"), "transactions")
        stream = figure(points, "stream.bytes")
        parts = [figure(points, "proto.%s.bytes" % p) for p in ("message", "tunnel", "preface", "lost")]
        equal(stream, sum(parts), "octets")
        check(stream > 0, "no octets")
        notes.append("%s %d spans" % (source, len(spans)))
    return ", ".join(notes)


REACHED = {"connection_failure": "parcours.connection.failure", "listener": "parcours.listener"}


def by_port(points, name):
    found = [p for p in points if p.metric["name"] == name]
    return {(p.attributes.get("error.type"), p.attributes["server.port"]): int(p.point["asInt"]) for p in found}


def what_was_not_reached():
    """Refused calls, a queue that nobody empties, and its end: each row is an event, and they are the metrics."""
    c, closed = Collector(), process.free_port()
    l = socket.create_server(("127.0.0.1", 0), backlog=1)
    port = l.getsockname()[1]
    agent = Agent("--port", port, "--port", closed, "--otlp-endpoint", c.endpoint)
    for _ in range(12):
        try:
            socket.create_connection(("127.0.0.1", closed))
        except ConnectionRefusedError:
            continue
        check(False, "somebody listens there")
    queued = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
    time.sleep(3.5)
    l.close()
    agent.stop()
    c.stop()
    rows = {r["parcours.event_id"]: r for r in agent.all_rows() if r["type"] in REACHED}
    for _, record, a in c.events():
        row = rows.pop(a["parcours.event_id"])
        equal(record["eventName"], REACHED[row["type"]], "name")
        equal(int(record["timeUnixNano"]), row.get("end_time_unix_nano", row.get("time_unix_nano")), "time")
        for there, here in a.items():
            own = there.removeprefix("parcours.") if there not in row else there
            own = {"revision": "revision", "connection.side": "kind"}.get(own, own)
            equal(here, row[own], "attribute " + there)
    equal(rows, {}, "rows without an event")
    points = c.metrics_seen()
    equal(by_port(points, "parcours.client.connection.failures"),
          {("ECONNREFUSED", closed): 12, ("ECONNRESET", port): 2}, "failures of clients")
    equal(by_port(points, "parcours.server.connections.unaccepted"), {(None, port): 2}, "nobody accepted")
    equal(by_port(points, "parcours.server.connections.waiting"), {(None, port): 0}, "waiting, at the end")
    for s in queued:
        s.close()


def both_ends_are_one_trace():
    """The driver and the server are both watched: one trace, the server's span below the client's."""
    c, port = Collector(), start_server()
    agent = Agent("--port", port, "--otlp-endpoint", c.endpoint)
    ask(port, 40)
    agent.stop()
    process.wait_for(lambda: len(c.spans()) >= 80, what="spans at the collector")
    by_kind = {2: {}, 3: {}}
    for s in c.spans():
        by_kind[s.span["kind"]][s.attributes["parcours.exchange"]] = s.span
    equal(set(by_kind[2]), set(by_kind[3]), "exchanges")
    for name, server in by_kind[2].items():
        client = by_kind[3][name]
        equal(server["traceId"], client["traceId"], "trace")
        equal(server["parentSpanId"], client["spanId"], "parent")


def seen_soon():
    f, port = Fake(), start_server()
    agent = Agent("--port", port, "--otlp-endpoint", f.endpoint, ndjson=False)
    ask(port, 4)
    begin = time.monotonic()
    process.wait_for(lambda: sum(strict.traces(r.body) for r in f.requests()) >= 8, 5, "spans at the collector")
    took = time.monotonic() - begin
    agent.stop()
    check(took < 2, "after %.1f s" % took)  # half a second by design; the machine is busy
    return "after %.2f s" % took


def environment_of_opentelemetry():
    f, port = Fake(), start_server()
    agent = Agent("--port", port, env={
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1/wrong",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f.endpoint + "/own/path",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f.metrics,
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": f.endpoint + "/v1/logs",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-all=1", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x-key=a%20b,x-two=2",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none", "OTEL_SERVICE_NAME": "from-env",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=te%2Cst"})
    ask(port, 20)
    agent.stop()
    equal(sum(strict.traces(r.body) for r in f.requests("/own/path")), 40, "spans")
    check(sum(strict.metrics(r.body) for r in f.requests("/v1/metrics")) > 0, "no metrics")
    check(sum(strict.events(r.body) for r in f.requests("/v1/logs")) > 0, "no events")
    one = f.requests("/own/path")[0]
    equal((one.headers.get("x-key"), one.headers.get("x-two"), one.headers.get("x-all")), ("a b", "2", None),
          "headers of spans")
    equal(f.requests("/v1/metrics")[0].headers.get("x-all"), "1", "headers of metrics")
    check("Content-Encoding" not in one.headers, "compressed")
    message = strict.trace_service_pb2.ExportTraceServiceRequest.FromString(one.body)
    a = {p.key: p.value.string_value for p in message.resource_spans[0].resource.attributes}
    equal((a["service.name"], a["deployment.environment.name"]), ("from-env", "te,st"), "resource")


def the_sampler_means_what_it_says():
    """always_off sends no span, not even of errors; a ratio of 0 sends the errors that ours keeps."""
    for env, spans in (({"OTEL_TRACES_SAMPLER": "always_off"}, 0),
                       ({"OTEL_TRACES_SAMPLER": "parentbased_always_off"}, 0),
                       ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}, 2 * 20)):
        f, port = Fake(), start_server()
        agent = Agent("--port", port, "--otlp-endpoint", f.endpoint, env=env)
        ask(port, 100)
        agent.stop()
        equal(sum(strict.traces(r.body) for r in f.requests()), spans, "spans with %s" % env)
        rows = agent.rows()
        equal((len(rows), sum(1 for r in rows if "parcours.sampled" in r)), (200, spans), "rows, sampled ones")
        check(sum(strict.metrics(r.body) for r in f.requests("/v1/metrics")) > 0, "no metrics")


def same_start_while_it_goes_on(points):
    """A cumulative sum keeps its start while it goes on and has a new one when it begins at zero again:
    so a backend that honours starts counts nothing twice."""
    series = collections.defaultdict(list)
    for p in points:
        if p.kind == "sum" and p.metric["name"].startswith("parcours.agent."):
            series[p.metric["name"], content.frozen(p.attributes)].append(
                (int(p.point["startTimeUnixNano"]), int(p.point["timeUnixNano"]), int(p.point["asInt"])))
    starts = {}
    for key, seen in series.items():
        starts[key[0]] = len({s for s, _, _ in seen}) if key[0] not in starts else max(
            starts[key[0]], len({s for s, _, _ in seen}))
        for (s1, t1, v1), (s2, t2, v2) in zip(seen, seen[1:]):
            check(t2 > t1 and s2 >= s1, "%s: time or start goes back" % (key,))
            if s1 == s2:
                check(v2 >= v1, "%s falls from %d to %d, the start stays" % (key, v1, v2))
            else:
                check(s2 >= t1, "%s begins before the last point of the series before it" % (key,))
    return starts


def starts_of_counters():
    c, port = Collector(), start_server()
    path = process.folder("starts") + "/parcours.yaml"
    text = "scope: {ports: [%d]}\notlp: {endpoint: '%s', metric_interval: %s}\n"
    process.write(path, text % (port, c.endpoint, "200ms"))
    agent = Agent("-c", path)
    ask(port, 40, 0.02)
    process.write(path, text % (port, c.endpoint, "250ms"))  # the export stage is made anew
    agent.child.send_signal(signal.SIGHUP)
    process.wait_for(lambda: "reloaded" in agent.errors(), 10, "the reload")
    ask(port, 40, 0.02)
    agent.kill(agent.brain())  # all stages are
    process.wait_for(lambda: len(agent.pids()) == 2, 10, "another brain")
    time.sleep(1)
    ask(port, 40, 0.02)
    time.sleep(0.5)
    agent.stop()
    c.stop()
    starts = same_start_while_it_goes_on(c.points())
    equal({name: starts["parcours.agent." + name] for name in
           ("events.submitted", "events.read", "brain.restarts", "transactions.opened", "stream.bytes",
            "spans.encoded", "export.requests")},
          {"events.submitted": 1, "events.read": 1, "brain.restarts": 1, "transactions.opened": 2,
           "stream.bytes": 2, "spans.encoded": 3, "export.requests": 3}, "starts of each")
    last = {p.metric["name"]: int(p.point["asInt"]) for p in c.metrics_seen()
            if p.metric["name"] == "parcours.agent.brain.restarts"}
    equal(last, {"parcours.agent.brain.restarts": 1}, "restarts")


def a_client_behind_a_proxy():
    """server.* are those of the host that was asked for, network.peer.* the proxy's."""
    f, port = Fake(), start_server()
    agent = Agent("--port", port, "--otlp-endpoint", f.endpoint)
    asked = [(["http://shop.example/absolute"], "shop.example", 80, 200),
             (["http://shop.example:8080/absolute"], "shop.example", 8080, 200),
             (["http://[2001:db8::1]:81/absolute"], "2001:db8::1", 81, 200),
             (["-p", "http://shop.example:8443/tunnel"], "shop.example", 8443, 501)]
    for arguments, _, _, _ in asked:  # 501: our server knows no CONNECT, and curl ends with an error
        subprocess.run(["curl", "-s", "-o", "/dev/null", "-x", "http://127.0.0.1:%d" % port, *arguments], timeout=20)
    for host in ("plain.example", "plain.example:82"):
        process.run(["curl", "-s", "-o", "/dev/null", "-H", "Host: " + host, "http://127.0.0.1:%d/origin" % port])
    agent.stop()
    rows = agent.rows("client")
    equal([(r["server.address"], r["server.port"], r["http.response.status_code"]) for r in rows],
          [a[1:] for a in asked] + [("plain.example", 80, 200), ("plain.example", 82, 200)], "servers")
    equal({(r["network.peer.address"], r["network.peer.port"]) for r in rows}, {("127.0.0.1", port)}, "peers")
    equal({r["server.port"] for r in agent.rows("server")}, {port}, "port of the server's side")
    spans = [{p.key: p.value for p in s.attributes} for r in f.requests()
             for b in strict.trace_service_pb2.ExportTraceServiceRequest.FromString(r.body).resource_spans
             for sc in b.scope_spans for s in sc.spans if s.kind == 3]
    equal([(a["server.address"].string_value, a["server.port"].int_value) for a in spans],
          [(r["server.address"], r["server.port"]) for r in rows], "the same on spans")
    equal(spans[0]["url.full"].string_value, "http://shop.example/absolute", "url.full")


def nothing_personal_of_a_whole_run():
    """What a client may send that is a person's, through the whole program, at both ends."""
    f, port = Fake(), start_server()
    agent = Agent("--port", port, "--otlp-endpoint", f.endpoint, "--console", privacy="audience")
    process.run(["curl", "-s", "-o", "/dev/null", "-A", "secret1 (203.0.113.5)", "-u", "secret2:secret3",
                 "-e", "http://secret4:secret5@203.0.113.6/p?x=secret6#secret7", "-b", "sid=secret8",
                 "-H", "X-Forwarded-For: 203.0.113.7", "-H", "Forwarded: for=203.0.113.8", "-H", "baggage: user=secret9",
                 "-H", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                 "-H", "tracestate: dd=t.usr.id:secret10,ot=th:8", "-H", "X-Real-IP: 203.0.113.9",
                 "http://127.0.0.1:%d/u/john@example.com/203.0.113.10?q=secret11&ip=203.0.113.11" % port])
    agent.stop()
    equal(len(agent.rows()), 2, "rows")
    told = process.read(agent.path) + process.read(agent.stdout) + "".join(
        r.body.decode("latin-1") for r in f.seen)
    for personal in ("secret", "john", "203.0.113.1", "127.0.0.1"):
        check(personal not in told, "%s went out: %s" % (personal, told[max(0, told.find(personal) - 80):][:160]))
    for digit in range(5, 10):
        check("203.0.113.%d" % digit not in told, "203.0.113.%d went out" % digit)
    check("203.0.113.0" in told and "127.0.0.0" in told and "ot=th:8" in told, "nothing went out at all")


CASES = [everything_arrives, what_was_not_reached, both_ends_are_one_trace, seen_soon, environment_of_opentelemetry,
         the_sampler_means_what_it_says, starts_of_counters,
         a_client_behind_a_proxy, nothing_personal_of_a_whole_run]
