# SPDX-License-Identifier: Apache-2.0
"""Is a message what the OpenTelemetry specifications say it must be? The real collector is lenient (it
takes zero ids, impossible bucket counts and unspecified temporality), so every message is also decoded
by the protobuf classes of OpenTelemetry (which reject text that is not UTF-8) and looked at here."""
import collections
import math

from google.protobuf import unknown_fields
from google.protobuf.descriptor import FieldDescriptor
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

CUMULATIVE = 2
UNITS = {"http.server.request.duration": "s", "http.client.request.duration": "s",
         "http.server.request.body.size": "By", "http.client.request.body.size": "By",
         "http.server.response.body.size": "By", "http.client.response.body.size": "By",
         "http.server.active_requests": "{request}"}


class Wrong(Exception):
    pass


def need(condition, why, *about):
    if not condition:
        raise Wrong("%s: %s" % (why, ", ".join(str(a)[:300] for a in about)))


def known(message):
    """No field that the schema does not have, at any depth."""
    need(len(unknown_fields.UnknownFieldSet(message)) == 0, "unknown field", type(message).__name__)
    for field, value in message.ListFields():
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            continue
        for inner in (value if field.label == FieldDescriptor.LABEL_REPEATED else [value]):
            known(inner)


def attributes(pairs):
    keys = [p.key for p in pairs]
    need(all(keys), "empty attribute key", keys)
    need(len(keys) == len(set(keys)), "attribute twice", [k for k, n in collections.Counter(keys).items() if n > 1])
    for p in pairs:
        need(p.value.WhichOneof("value"), "attribute without a value", p.key)
    return {p.key: str(p.value) for p in pairs}


def block(b, scopes):
    a = attributes(b.resource.attributes)
    need("service.name" in a, "no service.name", a)
    need(b.schema_url.startswith("https://opentelemetry.io/schemas/1."), "schema of the resource", b.schema_url)
    for s in scopes:
        need(s.scope.name == "parcours" and s.scope.version, "scope", s.scope)
        need(s.schema_url == b.schema_url, "schema of the scope", s.schema_url)


def span(s):
    need(len(s.trace_id) == 16 and any(s.trace_id), "trace id", s.trace_id)
    need(len(s.span_id) == 8 and any(s.span_id), "span id", s.span_id)
    need(not s.parent_span_id or (len(s.parent_span_id) == 8 and any(s.parent_span_id)), "parent", s.parent_span_id)
    need(s.parent_span_id != s.span_id, "is its own parent", s.span_id)
    need(s.kind in (2, 3), "kind", s.kind)
    need(s.name and "?" not in s.name, "name", s.name)
    need(1.6e18 < s.start_time_unix_nano <= s.end_time_unix_nano < 4e18, "times",
         s.start_time_unix_nano, s.end_time_unix_nano)
    need(s.status.code in (0, 2) and not s.status.message, "status", s.status)
    a = attributes(s.attributes)
    need(("error.type" in a) == (s.status.code == 2), "error.type and status", a.get("error.type"), s.status.code)
    need(s.flags & 0xff in (0, 1), "trace flags", s.flags)


def traces(body):
    """Returns the number of spans."""
    message = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
    known(message)
    count = 0
    for b in message.resource_spans:
        block(b, b.scope_spans)
        for scoped in b.scope_spans:
            need(scoped.spans, "scope without spans")
            for s in scoped.spans:
                span(s)
                count += 1
    need(len({str(b.resource) for b in message.resource_spans}) == len(message.resource_spans), "resource twice")
    return count


def times(p, start=True):
    need(1.6e18 < p.time_unix_nano < 4e18, "time", p.time_unix_nano)
    if start:
        need(1.6e18 < p.start_time_unix_nano <= p.time_unix_nano, "start", p.start_time_unix_nano, p.time_unix_nano)


def within(p):
    need(p.count > 0, "empty point")
    need(p.HasField("sum") and p.HasField("min") and p.HasField("max"), "sum, min, max", p)
    need(0 <= p.min <= p.max, "min and max", p.min, p.max)
    need(p.min * p.count <= p.sum * (1 + 1e-9) and p.sum <= p.max * p.count * (1 + 1e-9), "sum", p.sum, p.min, p.max)


def exponential(p):
    within(p)
    counts = list(p.positive.bucket_counts)
    need(p.count == p.zero_count + sum(counts), "counts", p.count, p.zero_count, sum(counts))
    need(not p.negative.bucket_counts, "negative values")
    need(-10 <= p.scale <= 20 and len(counts) <= 160, "scale", p.scale, len(counts))
    if counts:
        need(counts[0] and counts[-1], "empty buckets at an end", counts)
        base = 2.0 ** (2.0 ** -p.scale)
        top = base ** (p.positive.offset + len(counts))
        need(top / base * (1 - 1e-9) <= p.max <= top * (1 + 1e-9), "max in the last bucket", p.max, top)


def explicit(p):
    within(p)
    need(len(p.bucket_counts) == len(p.explicit_bounds) + 1, "buckets", len(p.bucket_counts), len(p.explicit_bounds))
    need(list(p.explicit_bounds) == sorted(set(p.explicit_bounds)), "bounds", p.explicit_bounds)
    need(sum(p.bucket_counts) == p.count, "counts", p.count, list(p.bucket_counts))
    need(all(not math.isnan(b) for b in p.explicit_bounds), "bounds", p.explicit_bounds)


def metric(m):
    kind = m.WhichOneof("data")
    data = getattr(m, kind)
    need(m.name and m.unit, "name and unit", m.name, m.unit)
    need(m.name not in UNITS or UNITS[m.name] == m.unit, "unit", m.name, m.unit)
    need(data.data_points, "metric without points", m.name)
    if kind != "gauge":
        need(data.aggregation_temporality == CUMULATIVE, "temporality", m.name)
    for p in data.data_points:
        times(p, kind != "gauge")
        if kind == "exponential_histogram":
            exponential(p)
        elif kind == "histogram":
            explicit(p)
        else:
            need(p.WhichOneof("value") == "as_int", "value", m.name)
    sets = [tuple(sorted(attributes(p.attributes).items())) for p in data.data_points]
    need(len(sets) == len(set(sets)), "attribute set twice", m.name, sets)
    return len(sets)


def events(body):
    """Returns the number of log records; each is an event."""
    message = logs_service_pb2.ExportLogsServiceRequest.FromString(body)
    known(message)
    count = 0
    for b in message.resource_logs:
        block(b, b.scope_logs)
        for scoped in b.scope_logs:
            for r in scoped.log_records:
                a = attributes(r.attributes)
                need(r.event_name and r.severity_number == 9, "name and severity", r)
                need(1.6e18 < r.time_unix_nano < 4e18 and 1.6e18 < r.observed_time_unix_nano < 4e18, "times", r)
                need("parcours.event_id" in a and "parcours.revision" in a and "parcours.site" in a, "event", a)
                count += 1
    return count


def metrics(body):
    """Returns the number of points."""
    message = metrics_service_pb2.ExportMetricsServiceRequest.FromString(body)
    known(message)
    count = 0
    for b in message.resource_metrics:
        block(b, b.scope_metrics)
        for scoped in b.scope_metrics:
            names = [m.name for m in scoped.metrics]
            need(len(names) == len(set(names)), "metric twice", names)
            count += sum(metric(m) for m in scoped.metrics)
    return count
