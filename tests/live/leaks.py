#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""200 kinds of secrets through everything, and every output but a record file is searched for them.

Each kind (lib/leaks.py) is sent to a real nginx in front of an application of the test, and to the application
itself, so it is seen as the server and as the client of it. Searched are NDJSON, console, the agent's log at its most
talkative, its status, all that lies in its state directory, and of a real OpenTelemetry Collector what it
received, what it logs and its Prometheus page; as they are, and percent-decoded up to three times. That a secret
would be found is shown with `--privacy none`, where those that are part of a field come out.
"""
import os
import re
import socket
import sys
import time
import urllib.parse

from lib import leaks, process, servers
from lib.agent import Agent, sources
from lib.suite import Suite, check, equal

sys.path.insert(0, os.path.join(process.TOP, "tests", "collector"))
import prepare  # noqa: E402
from collector import Collector  # noqa: E402

KINDS = leaks.all_kinds()
REFUSED = ["Authorization twice", "target without a form", "user-info of an absolute target", "PROXY protocol"]
# The key of a visitor is made with the site's name, so his open visit is kept with it, in a file of root's.
IN_THE_CHECKPOINT = re.compile(r"^(host |absolute target, host)")


class Application:
    """A process of its own (apps/leaks.py), so that only it and nginx are watched: a client that is watched too
    would be the edge."""

    def __init__(self):
        self.port, self.log = process.free_port(), os.path.join(process.folder("application"), "log")
        self.child = process.start([process.PYTHON, os.path.join(process.APPS, "leaks.py"), str(self.port), self.log],
                                   log=self.log + ".err")
        process.wait_port(self.port, self.child, self.log + ".err")

    def asked(self):
        return process.read(self.log).count("\n")


def front_of(application):
    """nginx that lets everything pass that it can."""
    nginx = servers.Nginx()
    port = process.free_port()
    nginx.extra = """
  ignore_invalid_headers off; underscores_in_headers on; merge_slashes off; large_client_header_buffers 8 32k;
  server { listen 127.0.0.1:%d; location / { proxy_pass http://127.0.0.1:%d; proxy_http_version 1.1;
           proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $http_x_forwarded_for;
           proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection; } }
""" % (port, application.port)
    nginx.start()
    return nginx, port


def send(port, number):
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.settimeout(10)
        s.sendall(KINDS[number].request(number))
        answer = b""
        try:
            while more := s.recv(65536):
                answer += more
        except ConnectionResetError:
            pass  # who refuses a request may leave its body unread
    check(answer.startswith(b"HTTP/1."), "%s: answered with %r" % (KINDS[number].name, answer[:80]))
    return int(answer[9:12])


def outputs(agent, collector, status, visits):
    told = {"NDJSON": agent.path, "console": agent.stdout, "log": agent.log,
            "OTLP": os.path.join(collector.folder, "out.json"), "log of the collector": collector.log}
    told = {what: open(path, "rb").read() for what, path in told.items()}
    told["visits"], told["status"], told["Prometheus"] = visits, status.encode(), collector.prometheus().encode()
    for what in told:
        check(told[what], "nothing in " + what)
    for base, _, names in os.walk(agent.state):
        for name in names:
            with open(os.path.join(base, name), "rb") as f:
                told["state " + name] = f.read()
    check(b"page_view" in told["NDJSON"] and b"session.end" in told["OTLP"] and b"http_server_request_duration" in told["Prometheus"]
          and b" * " in told["console"], "an output lacks what is looked for")
    return told


def forms(content):
    """Itself, and what of it was percent-encoded, decoded again and again; all in small letters."""
    found, coded = [content.lower()], content
    for _ in range(3):
        coded = b"\n".join(urllib.parse.unquote_to_bytes(w) for w in re.findall(rb"[^\s\"]*%[^\s\"]*", coded))
        found.append(coded.lower())
    return found


def run(source, mode):
    """Everything once; {name of a kind: the outputs that have something of it}."""
    application, collector = Application(), Collector()
    (nginx, front), place = front_of(application), process.folder("status")
    watched = [application.child.pid, *process.descendants(nginx.child.pid)]
    agent = Agent(*[a for pid in watched for a in ("--pid", pid)], "--console", "--otlp-endpoint", collector.endpoint, "--log-level", "debug",
                  "--status-socket", place + "/s", source=source, privacy=mode,
                  env={"OTEL_TRACES_SAMPLER": "always_on", "OTEL_METRIC_EXPORT_INTERVAL": "1000"})
    refused = []
    for number, kind in enumerate(KINDS):
        send(application.port, number)
        if send(front, number) == 400 != kind.status:
            refused.append(kind.name)
    equal(refused, REFUSED, "what nginx refuses")
    time.sleep(3)  # pages are told after two seconds
    status = process.run([process.PARCOURS, "status", "--json", "--status-socket", place + "/s"])
    visits = os.path.join(agent.state, "visits")  # of open ones: empty after the end
    process.wait_for(lambda: os.path.getsize(visits) > 1000, 15, "a checkpoint of the visits")
    with open(visits, "rb") as f:
        visits = f.read()
    agent.stop()
    seen = agent.rows("server", front)
    equal(len(seen), len(KINDS), "requests at the edge")
    equal(len(agent.rows("server", application.port)), application.asked(), "requests at the application")
    equal(len(agent.rows("client", application.port)), len(KINDS) - len(REFUSED), "requests to the application")
    equal([r for r in agent.rows() if r["outcome"] == "unobserved"], [], "requests that were not seen whole")
    told = outputs(agent, collector, status, visits)
    found = {}
    for what, content in told.items():
        for form in forms(content):
            for kind in KINDS:
                if any(needle in form for needle in kind.needles):
                    found.setdefault(kind.name, set()).add(what)
    return found


def nothing_leaks(source, mode):
    found = run(source, mode)
    for name in [n for n in found if IN_THE_CHECKPOINT.match(n)]:
        found[name] -= {"visits", "state visits"}
    left = {name: sorted(where) for name, where in found.items() if where}
    check(not left, "%d kinds came out: %s" % (len(left), left))
    return "%d kinds" % len(KINDS)


def would_be_found(source):
    """Without privacy, what stands in a field comes out, and nothing else does."""
    found = run(source, "none")
    missed = [k.name for k in KINDS if k.shown and not {"NDJSON", "OTLP"} & found.get(k.name, set())]
    check(not missed, "these kinds are not searched for as they are sent: %s" % missed)
    strange = {k.name: sorted(found[k.name]) for k in KINDS if not k.shown and k.name in found}
    check(not strange, "no mode may export these: %s" % strange)
    return "%d of %d kinds" % (sum(k.shown for k in KINDS), len(KINDS))


suite = Suite()
prepare.build_collector()
for each in sources():
    for privacy in ("audience", "customer"):
        suite.run("nothing leaks, %s, %s" % (privacy, each), nothing_leaks, each, privacy)
suite.run("it would be found", would_be_found, sources()[0])
suite.done()
