# SPDX-License-Identifier: Apache-2.0
"""What the benches share: servers that say hello, wrk, CPU time, medians, the table.

CPU time is what the scheduler counted for the threads of a process (/proc/PID/task/*/schedstat). Base
and agent take turns inside each round, so that a busy minute of the machine hits both.
"""
import fcntl
import glob
import http.server
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests", "live"))

from lib import process, servers  # noqa: E402 (the path comes first)
from lib.agent import Agent, sources  # noqa: E402,F401

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = int(os.environ.get("SECONDS_A_RUN", "2"))
SERVER_CPU, CLIENT_CPU = "0", "1"


def begin():
    """Alone on the machine from here on."""
    lock = open(os.path.join(tempfile.gettempdir(), "parcours-time.lock"), "a")
    fcntl.flock(lock, fcntl.LOCK_EX)
    process.guard()
    return lock


def thread_ns(pid, tid):
    text = process.read("/proc/%d/task/%d/schedstat" % (pid, tid))
    return int(text.split()[0]) if text else 0


def cpu_ns(pids):
    """Of all threads of the processes. Threads that ended in between are lost: none does here."""
    total = 0
    for pid in pids:
        for path in glob.glob("/proc/%d/task/*/schedstat" % pid):
            total += int(process.read(path).split()[0])
    return total


def pin(pids, cpu):
    for pid in pids:
        subprocess.run(["taskset", "-a", "-p", "-c", cpu, str(pid)], stdout=subprocess.DEVNULL, check=True)


# What Hello's nginx answers below /api/ (1.5 kB), and the rule that reads it.
PRODUCT = json.dumps({"products": [{
    "id": 4711, "sku": "L2201508", "slug": "laptop-13-inch", "name": "Laptop, 13 inch", "enabled": True, "score": 4.25,
    "description": "From daily tasks like launching apps and opening files to more advanced computing. " * 4,
    "price": "1558.80", "currency": "EUR", "stock": {"level": 12, "message": "in stock"},
    "options": [{"code": code, "name": code.upper(), "price": "%d.00" % n} for n, code in
                enumerate(["8gb", "16gb", "32gb", "13-inch", "15-inch", "de", "fr", "us"])],
    "assets": [{"id": n, "preview": "/assets/preview/%d/laptop-%d.jpg" % (n, n)} for n in range(6)]}]})
INSPECTED = """rules:
  - name: product by script
    when: { method: GET, path: "/api/products/{id}" }
    take:
      items:
        each: json $.products[*]
        item_id: each.sku
        item_name: each.name
        price: { from: each.price, currency: each.currency }
    say: view_item
"""


class Hello:
    """A server that answers hello; `pids` are those whose CPU time counts."""

    def __init__(self, name, connections=16):
        self.name, self.port = name, process.free_port()
        place = process.folder(name)
        if name == "nginx":
            process.write(place + "/nginx.conf", """daemon off; worker_processes 1; pid %s/pid;
error_log %s/error.log; events { worker_connections 16000; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; client_body_temp_path %s/t1;
proxy_temp_path %s/t2; fastcgi_temp_path %s/t3; uwsgi_temp_path %s/t4; scgi_temp_path %s/t5;
server { listen 127.0.0.1:%d backlog=4096; location / { return 200 "hello world, this is a body\\n"; }
location /api/ { default_type application/json; return 200 '%s'; } } }
""" % ((place,) * 7 + (self.port, PRODUCT)))
            command = [servers.program("nginx"), "-p", place, "-c", place + "/nginx.conf"]
        elif name == "node":
            command = [servers.program("node"), process.APPS + "/hello.js", str(self.port)]
        else:
            command = [servers.program("gunicorn"), "--bind", "127.0.0.1:%d" % self.port, "--workers", "1",
                       "--worker-class", "gthread", "--threads", "4", "--keep-alive", "600", "--chdir",
                       process.APPS, "--worker-tmp-dir", place, "hello:application"]
        self.child = process.start(command, log=place + "/log", env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))
        process.wait_port(self.port, self.child, place + "/log")
        time.sleep(0.3)
        self.all = process.descendants(self.child.pid)
        self.pids = [p for p in self.all if p != self.child.pid] or self.all
        pin(self.all, SERVER_CPU)
        self.connections = connections

    def scope(self):
        return [a for p in self.all for a in ("--pid", str(p))]

    def load(self, seconds=None, connections=None, script=None):
        """(CPU ns a request, requests a second, requests). `script`: of wrk, in this folder."""
        seconds = seconds or SECONDS
        before = cpu_ns(self.pids)
        out = process.run(["taskset", "-c", CLIENT_CPU, servers.program("wrk"), "-t1", "-c%d" % (connections or self.connections),
                           "-d%ds" % seconds, *(["-s", os.path.join(HERE, script)] if script else []),
                           "http://127.0.0.1:%d/hello" % self.port])
        count = int(re.search(r"(\d+) requests in", out).group(1))
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
        errors = re.search(r"Socket errors|Non-2xx", out)
        if errors or not count:
            raise RuntimeError("wrk: " + out)
        return (cpu_ns(self.pids) - before) / count, rate, count

    def stop(self):
        process.stop(self.child)


class Sink(http.server.BaseHTTPRequestHandler):
    """An OTLP endpoint that takes everything."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def sink():
    """A collector in a thread; only its port matters."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def record(path, script=None, seconds=4):
    """What the agent sees of an nginx under load, into a file; returns how many requests there were."""
    server = Hello("nginx")
    log = path + ".err"
    child = process.start([process.PARCOURS, "record", path, *server.scope()], log=log)
    process.wait_for(lambda: "ready" in process.read(log), 20, "the recorder")
    _, _, count = server.load(seconds, script=script)
    time.sleep(1)
    process.stop(child)
    server.stop()
    return count


def replay(command, path, **more):
    """(CPU seconds, transactions) of a command that ends in the agent. Others' work does not count."""
    with open(path, "rb") as stdin, tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(command + ["replay", "-"], stdin=stdin, stdout=subprocess.DEVNULL, stderr=said, **more)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read()
    found = re.search(r"(\d+) transactions", text)
    if not found or not int(found.group(1)):
        raise RuntimeError("replay: " + text[-300:])
    return usage.ru_utime + usage.ru_stime, int(found.group(1))


class Fleet(Agent):
    """The agent as a fleet runs it: metrics of all, 1 % of the spans, to a collector; no rows."""

    def __init__(self, server, kind, collector, sampled="0.01", more=()):
        self.status = os.path.join(process.folder("status"), "socket")
        super().__init__(*server.scope(), *more, "--status-socket", self.status, "--otlp-endpoint",
                         "http://127.0.0.1:%d" % collector.server_port, source=kind, ndjson=False,
                         env={"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": sampled,
                              "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"})

    def counters(self):
        """What it says of itself, in the form of a stats row."""
        answer = json.loads(process.run([process.PARCOURS, "status", "--status-socket", self.status, "--json"]))
        found = {}
        for c in answer["counters"]:
            label = ["%s=%s" % (k, v) for k, v in c.items() if k not in ("name", "value", "unit")]
            found[c["name"] + ("{%s}" % label[0] if label else "")] = c["value"]
        return found


class Spread:
    """Median with its range."""

    def __init__(self, values, form="%.3f"):
        self.values, self.form = values, form

    @property
    def median(self):
        return statistics.median(self.values)

    def __str__(self):
        f = self.form
        return (f + " (" + f + " to " + f + ")") % (self.median, min(self.values), max(self.values))


class Table:
    """Rows as they come, printed at once and written as Markdown at the end."""

    def __init__(self, path):
        self.path, self.rows = path, []

    def add(self, what, base, agent, ratio, target, verdict, note=""):
        row = [what, base, agent, str(ratio), target, verdict, note]
        self.rows.append(row)
        print("  ".join(str(c) for c in row if c != ""), flush=True)

    def write(self, command):
        head = ["measured", "without", "with the agent", "ratio or value", "asked", "", "note"]
        lines = ["| " + " | ".join(str(c) for c in row) + " |" for row in [head, ["---"] * len(head)] + self.rows]
        info = os.uname()
        process.write(self.path, "`%s`: Linux %s, %d CPUs, %d rounds of %g s, medians (range)\n\n%s\n"
                      % (command, info.release, os.cpu_count(), ROUNDS, SECONDS, "\n".join(lines)))
        print("written to " + os.path.relpath(self.path, TOP))


def verdict(value, limit, least=False):
    return "met" if (value >= limit if least else value <= limit) else "missed"
