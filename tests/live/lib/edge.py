# SPDX-License-Identifier: Apache-2.0
"""Chains of servers that pass one request on to the next, and the judge of what was linked to what.

Each request at the edge comes by a connection of its own and has an id in its body and in X-Truth, where no linker
looks; the innermost application logs by which connection each id came. So it is known which request at the edge an
inner one belongs to, whatever its head says.
"""
import collections
import os
import socket

from . import process, runtimes, servers
from .suite import check, equal

class Tomcat(runtimes.Tomcat):
    """Its own access log has what the other applications log. `call`: its servlet calls the one at that port."""

    def __init__(self, call=None, later=False):
        super().__init__()
        self.servlet = "Call" if call else "Answer"
        self.variables = {"EDGE_BACK": str(call)} if call else {}
        if later:
            self.variables["EDGE_ASYNC"] = "1"

    def environment(self):
        return dict(super().environment(), **self.variables)

    def prepare(self):
        super().prepare()
        name = self.place + "/conf/server.xml"
        with open(name) as f:
            text = f.read()
        process.write(name, text.replace("%m %U%q %s %B", "%{remote}p %{X-Truth}i"))


class Chain:
    """Servers in the order in which a request meets them; the last one logs."""

    def __init__(self):
        self.ports = []
        self.passed = 0  # lines of the log that are of a load before
        self.log = os.path.join(process.folder("edge"), "log")

    def start(self, command, port, env=None):
        err = self.log + "." + str(port)
        process.wait_port(port, process.start(command, log=err, env=dict(os.environ, **(env or {}))), err)
        self.ports.insert(0, port)
        return port

    def python(self):
        port = process.free_port()
        return self.start([process.PYTHON, os.path.join(process.APPS, "edge.py"), str(port), self.log], port)

    def gunicorn(self):
        port = process.free_port()
        return self.start([servers.program("gunicorn"), "--bind", "127.0.0.1:%d" % port, "--workers", "4",
                           "--backlog", "4096", "--chdir", process.APPS, "edge_wsgi:application"], port,
                          {"EDGE_LOG": self.log, "PYTHONDONTWRITEBYTECODE": "1"})

    def tomcat(self):
        back = Tomcat()
        back.start()
        self.log = back.log
        self.ports.insert(0, back.port)

    def call_python(self, *options):
        port = process.free_port()
        return self.start([process.PYTHON, os.path.join(process.APPS, "edge_call.py"), str(port),
                           str(self.ports[0]), *options], port)

    def call_python_background(self):
        return self.call_python("background")

    def call_gunicorn(self, *options):
        port = process.free_port()
        return self.start([servers.program("gunicorn"), "--bind", "127.0.0.1:%d" % port, "--workers", "2",
                           "--backlog", "4096", "--chdir", process.APPS, *options, "edge_call:application"], port,
                          {"EDGE_BACK": str(self.ports[0]), "PYTHONDONTWRITEBYTECODE": "1"})

    def call_gthread(self):
        return self.call_gunicorn("--worker-class", "gthread", "--threads", "8")

    def call_tomcat(self, later=False):
        front = Tomcat(self.ports[0], later)
        front.start()
        self.ports.insert(0, front.port)

    def call_tomcat_async(self):
        self.call_tomcat(True)

    def call_php(self):
        front = servers.ApachePhp(os.path.join(process.APPS, "edge_call.php"), {"EDGE_BACK": str(self.ports[0])})
        front.start()
        self.ports.insert(0, front.port)

    def call_node(self, *mode):
        port = process.free_port()
        return self.start([servers.program("node"), os.path.join(process.APPS, "edge_call.js"), str(port),
                           str(self.ports[0]), *mode], port)

    def call_node_background(self):
        return self.call_node("background")

    def call_node_after(self):
        return self.call_node("after")

    def call_go(self):
        port, caller = process.free_port(), runtimes.go_build("caller")
        return self.start([caller, str(port), str(self.ports[0])], port)

    def node(self):
        port = process.free_port()
        return self.start([servers.program("node"), os.path.join(process.APPS, "edge_proxy.js"), str(port),
                           str(self.ports[0])], port)

    def go(self):
        port, proxy = process.free_port(), runtimes.go_build("proxy")
        return self.start([proxy, str(port), str(self.ports[0])], port)

    def nginx_anew(self):
        """A connection for each request: who is the client of a new one must be known at its first."""
        self.nginx("")

    def nginx(self, pool="keepalive 64;"):
        front, port = servers.Nginx(), process.free_port()
        front.extra = """
  upstream back { server 127.0.0.1:%d; %s }
  server { listen 127.0.0.1:%d backlog=4096; location / { proxy_pass http://back; proxy_http_version 1.1;
           proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header Connection ""; } }
""" % (self.ports[0], pool, port)
        front.start()
        self.ports.insert(0, port)

    def haproxy(self):
        port = process.free_port()
        name = self.log + ".cfg"
        process.write(name, """
global
  maxconn 4000
  nbthread 2
defaults
  mode http
  option forwardfor
  timeout connect 5s
  timeout client 300s
  timeout server 60s
frontend f
  bind 127.0.0.1:%d
  default_backend b
backend b
  http-reuse always
  server s 127.0.0.1:%d
""" % (port, self.ports[0]))
        self.start([servers.program("haproxy"), "-db", "-f", name], port)

    def lines(self):
        """Of the load that goes on: (port of the connection, id)."""
        return [(int(port), name) for port, name in
                (line.split(" ") for line in process.read(self.log).splitlines()[self.passed:])]

    def forget(self):
        """Another load begins."""
        self.passed += len(self.lines())


def ask(port, number, mode, made):
    """One request on a connection of its own. made[its port]: ids in the order of their connections."""
    body = b"%08x" % (number * 2654435761 % 2 ** 32)
    head = "POST /b/200/8%s HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: edge/1\r\nContent-Length: %d\r\n" % (
        "?n=%d" % number if mode == "told" else "", len(body))
    head += "X-Truth: %s\r\n" % body.decode()
    if mode == "named":
        head += "X-Request-Id: r%d\r\n" % number
    with socket.create_connection(("127.0.0.1", port), 30) as s:
        made[s.getsockname()[1]].append(body.decode())
        s.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)
        answer = b""
        while True:
            part = s.recv(65536)
            if not part:
                break
            answer += part
        check(b" 200 " in answer[:20], "answer: %r" % answer[-200:])


def edge_row(row, spans, ids):
    """The request at the edge that a row hangs on, or None."""
    for _ in range(20):
        if row["span_id"] in ids:
            return row
        row = spans.get(row.get("parent_span_id"))
        if row is None:
            return None
    return None


def judge(chain, rows, ids):
    """(rightly linked, wrongly linked, inner requests). ids: of the requests at the edge by span."""
    spans = {r["span_id"]: r for r in rows}
    equal(len(spans), len(rows), "span ids")
    truth = collections.defaultdict(list)  # by connection, in the order of its requests
    for port, name in chain.lines():
        truth[port].append(name)
    right = wrong = 0
    inner = sorted((r for r in rows if r["kind"] == "server" and r["server.port"] == chain.ports[-1]),
                   key=lambda r: r["start_time_unix_nano"])
    for row in inner:
        name = truth[row["network.peer.port"]].pop(0)
        at = edge_row(row, spans, ids)
        if at is None:
            continue
        good = ids[at["span_id"]] == name and at["trace_id"] == row["trace_id"]
        right, wrong = right + good, wrong + (not good)
    equal(sum(map(len, truth.values())), 0, "requests of the log that were not seen")
    return right, wrong, len(inner)


def edge_ids(chain, rows, made):
    """The ids of the requests at the edge by span. made[port]: ids in the order of their connections."""
    ids, left = {}, {port: list(names) for port, names in made.items()}
    for row in sorted((r for r in rows if r["kind"] == "server" and r["server.port"] == chain.ports[0]),
                      key=lambda r: r["start_time_unix_nano"]):
        ids[row["span_id"]] = left[row["network.peer.port"]].pop(0)
    return ids
