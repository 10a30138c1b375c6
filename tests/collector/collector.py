# SPDX-License-Identifier: Apache-2.0
"""Starts the real collector on loopback and reads what it wrote down.

    c = Collector()          # ready when this returns; stopped with the test's other processes
    c.traces, c.metrics      # URLs
    c.spans()                # [Span]: the spans so far, flattened, attributes as a dict
    c.metrics_seen()         # [Point]: the last point of every series
    c.prometheus()           # text of its Prometheus page

Whoever imports this has tests/live on sys.path (lib.process) and has built the collector
(prepare.py). Standard library only.
"""
import collections
import json
import os
import sys
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in (HERE, os.path.join(os.path.dirname(HERE), "live")):
    if folder not in sys.path:
        sys.path.insert(0, folder)

import prepare  # noqa: E402
from lib import process  # noqa: E402

CONFIG = """
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}
exporters:
  file: {{path: "{folder}/out.json", append: false, flush_interval: 100ms}}
  debug: {{verbosity: normal, use_internal_logger: false}}
  prometheus: {{endpoint: "127.0.0.1:{prometheus}", resource_constant_labels: {{included: ["*"]}}}}
service:
  pipelines:
    traces: {{receivers: [otlp], exporters: [file, debug]}}
    metrics: {{receivers: [otlp], exporters: [file, debug, prometheus]}}
    logs: {{receivers: [otlp], exporters: [file, debug]}}
"""

Span = collections.namedtuple("Span", "resource scope schema span attributes")
Point = collections.namedtuple("Point", "resource scope metric kind attributes point")


def plain(value):
    """An AnyValue of the file exporter as a Python value. 64-bit integers come as strings."""
    (kind, inner), = value.items() if value else (("stringValue", ""),)
    if kind == "intValue":
        return int(inner)
    if kind == "arrayValue":
        return [plain(v) for v in inner.get("values", [])]
    if kind == "kvlistValue":
        return attributes(inner.get("values", []))
    return inner


def attributes(pairs):
    found = {}
    for pair in pairs or []:
        assert pair["key"] not in found, "attribute %s twice" % pair["key"]
        found[pair["key"]] = plain(pair["value"])
    return found


class Collector:
    def __init__(self):
        self.folder = process.folder("collector")
        self.port, self.prometheus_port = process.free_port(), process.free_port()
        config = process.write(os.path.join(self.folder, "config.yaml"), CONFIG.format(
            port=self.port, prometheus=self.prometheus_port, folder=self.folder))
        self.log = os.path.join(self.folder, "log")
        self.child = process.start([prepare.collector(), "--config", config], log=self.log)
        process.wait_port(self.port, self.child, self.log)
        self.endpoint = "http://127.0.0.1:%d" % self.port
        self.traces, self.metrics = self.endpoint + "/v1/traces", self.endpoint + "/v1/metrics"

    def requests(self):
        """Each request that arrived: one line of the file exporter."""
        for line in process.read(os.path.join(self.folder, "out.json")).splitlines(True):
            if line.endswith("\n"):
                yield json.loads(line)

    def spans(self):
        found = []
        for request in self.requests():
            for block in request.get("resourceSpans", []):
                resource = attributes(block["resource"].get("attributes"))
                for scoped in block["scopeSpans"]:
                    found += [Span(resource, scoped["scope"], scoped.get("schemaUrl"), s,
                                   attributes(s.get("attributes"))) for s in scoped["spans"]]
        return found

    def events(self):
        """[(resource, log record, attributes)]"""
        found = []
        for request in self.requests():
            for block in request.get("resourceLogs", []):
                resource = attributes(block["resource"].get("attributes"))
                for scoped in block["scopeLogs"]:
                    found += [(resource, r, attributes(r.get("attributes"))) for r in scoped["logRecords"]]
        return found

    def points(self):
        for request in self.requests():
            for block in request.get("resourceMetrics", []):
                resource = attributes(block["resource"].get("attributes"))
                for scoped in block["scopeMetrics"]:
                    for metric in scoped["metrics"]:
                        for kind in ("gauge", "sum", "histogram", "exponentialHistogram"):
                            for point in metric.get(kind, {}).get("dataPoints", []):
                                yield Point(resource, scoped["scope"], metric, kind,
                                            attributes(point.get("attributes")), point)

    def metrics_seen(self):
        """Cumulative: the last point of a series says it all."""
        last = {}
        for p in self.points():
            last[json.dumps([p.resource, p.metric["name"], p.attributes], sort_keys=True)] = p
        return list(last.values())

    def prometheus(self):
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % self.prometheus_port, timeout=10) as page:
            return page.read().decode()

    def stop(self):
        """What it was given and acknowledged stands in its file afterwards (the exporter writes with delay)."""
        process.stop(self.child)
