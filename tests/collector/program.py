# SPDX-License-Identifier: Apache-2.0
"""The whole program in front of the real collector: what it wrote as NDJSON, the collector has as spans
and counts as metrics, and the agent's own figures add up there."""
import http.client
import os
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


def everything_arrives():
    notes = []
    for source in sources():
        c, port = Collector(), start_server()
        agent = Agent("--port", port, "--otlp-endpoint", c.endpoint, source=source)
        ask(port, 400)
        agent.stop()
        rows = content.by_id(agent.rows(), lambda r: r["span_id"])
        equal(sum(1 for r in rows.values() if r["kind"] == "server"), 400, "server transactions")
        process.wait_for(lambda: len(c.spans()) >= len(rows), what="spans at the collector")
        spans = content.by_id(c.spans(), lambda s: s.span["spanId"])
        equal(set(spans), set(rows), "span ids")
        for i, s in spans.items():
            content.one_span(s, rows[i], authority="127.0.0.1:%d" % port)
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
        "OTEL_EXPORTER_OTLP_HEADERS": "x-all=1", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x-key=a%20b,x-two=2",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none", "OTEL_SERVICE_NAME": "from-env",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=te%2Cst"})
    ask(port, 20)
    agent.stop()
    equal(sum(strict.traces(r.body) for r in f.requests("/own/path")), 40, "spans")
    check(sum(strict.metrics(r.body) for r in f.requests("/v1/metrics")) > 0, "no metrics")
    one = f.requests("/own/path")[0]
    equal((one.headers.get("x-key"), one.headers.get("x-two"), one.headers.get("x-all")), ("a b", "2", None),
          "headers of spans")
    equal(f.requests("/v1/metrics")[0].headers.get("x-all"), "1", "headers of metrics")
    check("Content-Encoding" not in one.headers, "compressed")
    message = strict.trace_service_pb2.ExportTraceServiceRequest.FromString(one.body)
    a = {p.key: p.value.string_value for p in message.resource_spans[0].resource.attributes}
    equal((a["service.name"], a["deployment.environment.name"]), ("from-env", "te,st"), "resource")


CASES = [everything_arrives, both_ends_are_one_trace, seen_soon, environment_of_opentelemetry]
