# SPDX-License-Identifier: Apache-2.0
"""What is sent: every span and every point against the NDJSON of the same run, as the real collector
wrote it down; and every message against the specification (strict.py)."""
import collections
import math
import os
import re

import strict
from collector import Collector
from drive import Run
from fake import Fake
from lib import process, schema
from lib.suite import check, equal

COUNT = 3000
# NDJSON names that are not attributes of the span: they are its resource, its own fields, or left out.
RESOURCE = ("process.pid", "process.executable.name", "process.executable.path", "service.name",
            "container.id", "parcours.process.unit")
RENAMED = {"time_to_first_byte_ns": "parcours.time_to_first_byte_ns", "wait_ns": "parcours.wait_ns",
           "time_to_request_end_ns": "parcours.time_to_request_end_ns",
           "time_to_acknowledged_ns": "parcours.time_to_acknowledged_ns",
           "time_to_acknowledged_at_most_ns": "parcours.time_to_acknowledged_at_most_ns", "outcome": "parcours.outcome",
           "unobserved": "parcours.unobserved"}
ELSEWHERE = set(RESOURCE) | {"type", "kind", "start_time_unix_nano", "duration_ns", "trace_id", "span_id",
                             "parent_span_id", "parcours.sampled"}
NOT_ON_SPANS = {"thread.id", "network.protocol.name", "network.type", "user_agent.version"}
HEADER = re.compile(r"http\.(request|response)\.header\.")
KNOWN = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"}


def by_id(rows, name):
    found = {}
    for r in rows:
        check(name(r) not in found, "span id twice: %s" % name(r))
        found[name(r)] = r
    return found


def expected_attributes(row, authority):
    want = {}
    for key, value in row.items():
        if key in ELSEWHERE or key in NOT_ON_SPANS or HEADER.match(key):
            continue
        want[RENAMED.get(key, key)] = value
    if "http.request.method_original" in row:
        want["http.request.method"] = "_OTHER"
    if row["kind"] == "client" and "url.path" in row:
        query = "?" + row["url.query"] if "url.query" in row else ""
        want["url.full"] = "http://" + authority + row["url.path"] + query
    return want


def expected_name(row):
    method = row.get("http.request.method")
    method = method if method in KNOWN else "HTTP"
    template = row.get("parcours.url.template", "")
    return method + (" " + template if template.startswith("/") else "")


def is_error(row):
    status = row.get("http.response.status_code", 0)
    cut = row["outcome"] in ("client_gone", "server_reset", "timed_out")
    return cut or status >= (400 if row["kind"] == "client" else 500)


def one_span(s, row, authority="shop.example:8080"):
    equal(s.attributes, expected_attributes(row, authority), "attributes of %s" % row["span_id"])
    equal(s.span["name"], expected_name(row), "name")
    equal(s.span["kind"], {"server": 2, "client": 3}[row["kind"]], "kind")
    equal(s.span["traceId"], row["trace_id"], "trace id")
    equal(s.span.get("parentSpanId", ""), row.get("parent_span_id", ""), "parent")
    equal(s.span.get("status", {}).get("code", 0), 2 if is_error(row) else 0, "status of %s" % row)
    start, end = int(s.span["startTimeUnixNano"]), int(s.span["endTimeUnixNano"])
    if "start_time_unix_nano" in row:
        equal(start, row["start_time_unix_nano"], "start")
    if "duration_ns" in row:
        equal(end - start, row["duration_ns"], "duration")
    for name in RESOURCE:
        if name in row and name != "service.name":
            equal(s.resource.get(name), row[name], name)
    executable = row.get("process.executable.name")
    unknown = "unknown_service" + (":" + executable if executable else "")
    equal(s.resource["service.name"], row.get("service.name", unknown), "service.name")
    check(row["outcome"] != "unobserved" or s.attributes["parcours.unobserved.cause"], "cause")


def spans_field_by_field():
    c = Collector()
    run = Run("--traces", c.traces, "--count", COUNT, ndjson=True)
    equal(run.stats["spans_sent"], COUNT, "spans sent")
    process.wait_for(lambda: len(c.spans()) >= COUNT, what="spans at the collector")
    schema.validate_shapes(run.rows)
    rows = by_id(run.transactions(), lambda r: r["span_id"])
    spans = by_id(c.spans(), lambda s: s.span["spanId"])
    equal(set(spans), set(rows), "span ids")
    for i, s in spans.items():
        one_span(s, rows[i])
        equal(s.scope["name"], "parcours", "scope")
        check(s.schema.startswith("https://opentelemetry.io/schemas/"), "schema %s" % s.schema)
        equal((s.resource["host.name"], s.resource["host.id"], s.resource["os.type"],
               s.resource["telemetry.distro.name"]),
              ("host-of-test", "0123456789abcdef", "linux", "parcours"), "resource of the host")
    states = {s.span.get("traceState", "") for s in spans.values()}
    equal(states, {"", "vendor=value,other=1"}, "trace states")
    return "%d spans, %d requests" % (len(spans), run.stats["requests"])


def the_schema_is_up_to_date():
    process.run([os.path.join(process.TOP, "tools", "make-schema"), "--check"])


def rows_keep_to_the_schema():
    for privacy in ("none", "audience"):
        run = Run("--privacy", privacy, "--count", 1000, ndjson=True)
        schema.validate_shapes(run.rows)
        wrong = dict(run.transactions()[0], surprise=1)
        check(list(schema.errors(wrong, schema.load(), schema.load())), "a field that is not in the schema is taken")
        del wrong["surprise"], wrong["duration_ns"]
        check(list(schema.errors(wrong, schema.load(), schema.load())), "a missing duration is taken")


def every_message_is_strictly_right():
    points = spans = 0
    for more in (["--plain-body"], [], ["--explicit"], ["--privacy", "audience"], ["--batch", 20000]):
        fake = Fake()
        run = Run("--traces", fake.traces, "--metrics", fake.metrics, "--count", COUNT, "--interval", 300,
                  "--seconds", 1, *more)
        fake.stop()
        got = sum(strict.traces(r.body) for r in fake.requests())
        equal(got, COUNT, "spans in the messages")
        got = sum(strict.metrics(r.body) for r in fake.requests("/v1/metrics"))
        equal(got, run.stats["points_sent"], "points in the messages")
        check(len(fake.requests("/v1/metrics")) >= 3, "metrics every 300 ms")
        coded = {r.headers.get("Content-Encoding") for r in fake.seen}
        equal(coded, {None} if "--plain-body" in more else {"gzip"}, "encoding")
        spans, points = spans + COUNT, points + got
    return "%d spans, %d points" % (spans, points)


def bucket(value, scale):
    """Index of the exponential bucket, by exact comparison rather than by logarithm."""
    index = math.ceil(math.log2(value) * 2.0 ** scale) - 1
    while value > 2.0 ** ((index + 1) / 2.0 ** scale):
        index += 1
    while value <= 2.0 ** (index / 2.0 ** scale):
        index -= 1
    return index


def key_of_row(row):
    """Attributes that the row's series must have, by the semantic conventions."""
    key = {"url.scheme": "http"}
    method = row.get("http.request.method")
    if method is not None:
        key["http.request.method"] = method if method in KNOWN else "_OTHER"
        if "parcours.url.template" in row:
            key["parcours.url.template"] = row["parcours.url.template"]
    for name in ("http.response.status_code", "error.type", "network.protocol.version"):
        if name in row:
            key[name] = row[name]
    if row["kind"] == "client":
        for name in ("server.address", "server.port"):
            if name in row:
                key[name] = row[name]
    return key


def resource_of_row(row):
    executable = row.get("process.executable.name")
    unknown = "unknown_service" + (":" + executable if executable else "")
    return (row.get("service.name", unknown), executable)


def frozen(d):
    return tuple(sorted(d.items(), key=str))


def truth_of_metrics(rows):
    fields = {"duration": "duration_ns", "request.body.size": "http.request.body.size",
              "response.body.size": "http.response.body.size"}
    truth = collections.defaultdict(list)
    for row in rows:
        for metric, field in fields.items():
            if field in row:
                name = "http.%s.%s" % (row["kind"], "request.duration" if metric == "duration" else metric)
                value = row[field] / 1e9 if metric == "duration" else row[field]
                truth[name, resource_of_row(row), frozen(key_of_row(row))].append(value)
    return truth


def same_distribution(p, values):
    point = p.point
    equal(int(point["count"]), len(values), "count of %s %s" % (p.metric["name"], p.attributes))
    check(math.isclose(point["sum"], math.fsum(values), rel_tol=1e-9), "sum")
    equal((point["min"], point["max"]), (min(values), max(values)), "min and max")
    if p.kind == "histogram":
        bounds = point["explicitBounds"]
        counts = [0] * (len(bounds) + 1)
        for v in values:
            counts[next((i for i, b in enumerate(bounds) if v <= b), len(bounds))] += 1
        equal([int(n) for n in point["bucketCounts"]], counts, "buckets")
        return
    equal(int(point.get("zeroCount", 0)), values.count(0), "zeros")
    positive = point.get("positive", {})
    counts = {int(positive.get("offset", 0)) + i: int(n)
              for i, n in enumerate(positive.get("bucketCounts", [])) if int(n)}
    scale = point.get("scale", 0)
    equal(counts, dict(collections.Counter(bucket(v, scale) for v in values if v)), "buckets at scale %d" % scale)


def metrics_against_ndjson(*more):
    c = Collector()
    run = Run("--metrics", c.metrics, "--count", COUNT, "--interval", 300, "--seconds", 1, *more, ndjson=True)
    equal((run.stats["points_dropped"], run.stats["series_overflow"]), (0, 0), "dropped and overflow")
    truth = truth_of_metrics(run.transactions())
    process.wait_for(lambda: sum(1 for _ in c.points()) >= run.stats["points_sent"], what="points")
    seen = {(p.metric["name"], (p.resource["service.name"], p.resource.get("process.executable.name")),
             frozen(p.attributes)): p for p in c.metrics_seen() if p.metric["name"] in strict.UNITS
            and "active" not in p.metric["name"]}
    equal(set(map(str, seen)), set(map(str, truth)), "series")
    for key, values in truth.items():
        same_distribution(seen[key], values)
    check(all("process.pid" not in p.resource for p in seen.values()), "a pid in the resource of a metric")
    return "%d series" % len(truth)


def metrics_with_explicit_buckets():
    return metrics_against_ndjson("--explicit")


def counters_only_grow():
    c = Collector()
    run = Run("--metrics", c.metrics, "--count", 2000, "--rate", 200, "--interval", 200)
    process.wait_for(lambda: sum(1 for _ in c.points()) >= run.stats["points_sent"], what="points")
    series = collections.defaultdict(list)
    for p in c.points():
        series[str((p.resource, p.metric["name"], frozen(p.attributes)))].append(p)
    moved = 0
    for points in series.values():
        equal(len({p.point.get("startTimeUnixNano", "0") for p in points}), 1, "start of a cumulative series")
        times = [int(p.point["timeUnixNano"]) for p in points]
        equal(times, sorted(set(times)), "times")
        if points[0].kind == "exponentialHistogram":
            counts = [int(p.point["count"]) for p in points]
            equal(counts, sorted(counts), "counts")
            moved += counts[0] < counts[-1]
    check(moved > 10, "nothing moved")
    return "%d series" % len(series)


def attribute_sets_are_bounded():
    c = Collector()
    run = Run("--metrics", c.metrics, "--count", 2000, "--plain", "--templates", 500, "--series", 50)
    process.wait_for(lambda: sum(1 for _ in c.points()) >= run.stats["points_sent"], what="points")
    points = [p for p in c.metrics_seen() if p.metric["name"] == "http.server.request.duration"]
    over = [p for p in points if p.attributes == {"otel.metric.overflow": True}]
    equal(len(points), 51, "series and the one for the rest")
    equal(len(over), 1, "overflow series")
    equal(sum(int(p.point["count"]) for p in points), 2000, "transactions in all series")
    equal(run.stats["series_overflow"], int(over[0].point["count"]), "overflow counted")


def active_requests():
    c = Collector()
    run = Run("--metrics", c.metrics, "--count", 500, "--open", 7)
    process.wait_for(lambda: sum(1 for _ in c.points()) >= run.stats["points_sent"], what="points")
    points = [p for p in c.metrics_seen() if p.metric["name"] == "http.server.active_requests"]
    equal([(p.resource["service.name"], p.attributes, p.point["asInt"]) for p in points],
          [("front", {"http.request.method": "GET", "url.scheme": "http"}, "7")], "active requests")
    check("isMonotonic" not in points[0].metric["sum"], "goes up and down")


def figures_of_the_agent():
    c = Collector()
    run = Run("--metrics", c.metrics, "--count", 1)
    process.wait_for(lambda: sum(1 for _ in c.points()) >= run.stats["points_sent"], what="points")
    mine = {(p.metric["name"], p.attributes.get("parcours.event.kind")): p for p in c.metrics_seen()
            if p.metric["name"].startswith("parcours.")}
    equal({k: (p.kind, p.point["asInt"], p.metric["unit"], p.resource["service.name"]) for k, p in mine.items()},
          {("parcours.agent.events.lost", "data"): ("sum", "5", "{event}", "parcours"),
           ("parcours.agent.events.lost", "open"): ("sum", "7", "{event}", "parcours"),
           ("parcours.agent.connections.open", None): ("gauge", "42", "{connection}", "parcours")}, "figures")


def prometheus_shows_them():
    c = Collector()
    run = Run("--metrics", c.metrics, "--count", 600, "--plain", "--explicit")
    process.wait_for(lambda: sum(1 for _ in c.points()) >= run.stats["points_sent"], what="points")
    page = c.prometheus()
    counts = [float(line.rsplit(" ", 1)[1]) for line in page.splitlines()
              if line.startswith("http_server_request_duration_seconds_count{")]
    equal(sum(counts), 600, "requests on the page")
    check("parcours_agent_events_lost_total{" in page, "no figures of the agent")
    check('job="shop-front"' in page and "instance=" in page, "no job and instance")


def resource_is_configurable():
    fake, plain = Fake(), Fake()
    Run("--traces", fake.traces, "--count", 10, "--resource", "deployment.environment.name=test",
        "--resource", "host.name=other", "--resource", "service.name=lower", "--service", "shop", ndjson=True)
    Run("--traces", plain.traces, "--count", 10, "--resource", "service.name=lower")
    message = strict.trace_service_pb2.ExportTraceServiceRequest.FromString(fake.requests()[0].body)
    for b in message.resource_spans:
        a = {p.key: p.value.string_value for p in b.resource.attributes}
        equal((a["deployment.environment.name"], a["host.name"], a["service.name"]), ("test", "other", "shop"),
              "resource")
        strict.block(b, b.scope_spans)
    message = strict.trace_service_pb2.ExportTraceServiceRequest.FromString(plain.requests()[0].body)
    equal({p.value.string_value for b in message.resource_spans for p in b.resource.attributes
           if p.key == "service.name"}, {"lower"}, "service.name of the resource attributes")


def nothing_personal_by_default():
    fake = Fake()
    run = Run("--traces", fake.traces, "--metrics", fake.metrics, "--privacy", "audience", "--count", COUNT,
              ndjson=True)
    everything = b"".join(r.body for r in fake.seen) + process.read(run.path).encode()
    for secret in (b"203.0.113.9", b"192.0.2.77", b"10.1.2.3", b"2001:db8:1:2", b"2001:db8::1", b"q=1", b"page=2",
                   b"page=3", b"Mozilla", b"vendor=value"):
        check(secret not in everything, "%r went out" % secret)
    check(b"192.0.2.0" in everything and b"q=REDACTED" in everything, "nothing went out at all")


def sampled_spans_only():
    fake = Fake()
    run = Run("--traces", fake.traces, "--metrics", fake.metrics, "--sampled", "0.1", "--count", COUNT)
    equal(sum(strict.traces(r.body) for r in fake.requests()), COUNT // 10, "spans")
    message = strict.metrics_service_pb2.ExportMetricsServiceRequest.FromString(fake.requests("/v1/metrics")[-1].body)
    total = sum(p.count for b in message.resource_metrics for s in b.scope_metrics for m in s.metrics
                if m.name.endswith("request.duration") for p in m.exponential_histogram.data_points)
    check(total > COUNT * 0.9, "metrics of all transactions: %d" % total)
    return "%d of %d" % (run.stats["spans_sent"], COUNT)


CASES = [the_schema_is_up_to_date, rows_keep_to_the_schema, spans_field_by_field, every_message_is_strictly_right, metrics_against_ndjson,
         metrics_with_explicit_buckets, counters_only_grow, attribute_sets_are_bounded, active_requests,
         figures_of_the_agent, prometheus_shows_them, resource_is_configurable, nothing_personal_by_default,
         sampled_spans_only]
