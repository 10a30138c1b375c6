#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Client side: curl, Python, Node, Java, Go and nginx as a proxy call an nginx server.

Every call the server logged is one CLIENT transaction of the caller, with the method, target, status and
body size of the log, the caller's executable, and the exchange name that the server side carries too.
"""
import os

from lib import compare, load, process, programs, runtimes, servers
from lib.agent import Agent, sources
from lib.suite import Suite, check, equal

COUNT = int(os.environ.get("REQUESTS", "3000"))


def script(name, *command):
    """A client program that takes PORT COUNT PREFIX."""
    def call(port):
        process.run([*command, str(port), str(COUNT), name], timeout=240)
        return COUNT
    return call


def curl(port):
    """Many transfers of one curl over its kept connections."""
    lines = []
    for i in range(COUNT):
        lines += ["next"] if i else []
        lines += ["url = http://127.0.0.1:%d/f%d.bin?id=curl%d" % (port, (1, 777, 70000)[i % 3], i),
                  "output = /dev/null", "silent"]
        lines += ["data = %s" % ("b" * (i % 2000 + 1))] if i % 4 == 0 else []
        lines += ["head"] if i % 5 == 1 and i % 4 else []
    path = process.write(os.path.join(process.folder("curl"), "config"), "\n".join(lines) + "\n")
    process.run([servers.program("curl"), "-K", path], timeout=240)
    return COUNT


def short_lived(port):
    """A process for each call, alive for some milliseconds."""
    for i in range(200):
        process.run([servers.program("curl"), "-s", "-o", "/dev/null", "http://127.0.0.1:%d/f777.bin?id=short%d" % (port, i)])
    return 200


def python(port):
    return script("python", process.PYTHON, process.APPS + "/client.py")(port)


def node(port):
    return script("node", servers.program("node"), process.APPS + "/client.js")(port)


def java(port):
    return script("java", servers.program("java"), "-cp", programs.java_class("Client"), "Client")(port)


def go(port):
    return script("go", runtimes.go_build("client"))(port)


def proxy(port):
    """nginx with kept connections to its upstream, driven by 64 connections."""
    front = servers.Nginx()
    front.extra = "upstream u { server 127.0.0.1:%d; keepalive 32; }" % port
    front.location = ('location /f { proxy_pass http://u; proxy_http_version 1.1; '
                      'proxy_set_header Connection ""; }')
    front.start()
    paths = ["/f1.bin", "/f777.bin", "/f5000.bin", "/f70000.bin", "/f300000.bin"]
    load.drive(front.port, load.plan(COUNT, paths, seed=3, prefix="proxy"))
    front.stop()
    return COUNT


CLIENTS = {"curl": (curl, "curl"), "processes of milliseconds": (short_lived, "curl"),
           "Python": (python, "python3"), "Node": (node, "node"), "Java": (java, "java"),
           "Go": (go, "go-client"), "nginx to its upstream": (proxy, "nginx")}


def one(name, source):
    call, executable = CLIENTS[name]
    if name == "Go":
        runtimes.go_build("client")
    server = servers.Nginx().start()
    agent = Agent("--port", server.port, source=source)
    count = call(server.port)
    lines = server.wait_lines(count)
    equal(len(lines), count, "lines in the server's log")
    agent.stop()
    at_server, at_client = agent.rows("server"), agent.rows("client")
    compare.exact(at_server, lines, "server side of " + name)
    compare.exact(at_client, lines, "client side of " + name)
    compare.times_sane(at_client, name)
    equal(compare.same_exchange(at_server, at_client, name), count, "exchanges with both ends")
    who = {r.get("process.executable.name", "") for r in at_client}
    check(all(w.startswith(executable) for w in who), "executables of the client side: %s" % who)
    compare.nothing_lost(agent.stats(), name)
    return "%d calls" % count


suite = Suite()
for title in CLIENTS:
    for each in sources():
        suite.run("client %s %s" % (title, each), one, title, each)
suite.done()
