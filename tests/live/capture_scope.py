#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The default scope: who listens, and what they call, whatever becomes of a process. As records of
capture_dump, which watches listeners on the ports of the test alone: the same decisions as on a whole
host, but nobody else's bytes.
"""
import array
import os
import socket
import subprocess

from lib import process
from lib.agent import require, sources
from lib.dump import ACTIVE, PASSIVE, Dump, conn_of, covered, of, opens
from lib.suite import Suite, check, equal

QUESTION = b"GET /q HTTP/1.1\r\nHost: a\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

# Programs that are started anew: they answer one connection and then call the server themselves.
HEAD = "import array, os, socket, sys\nport = int(sys.argv[1])\n"
SERVE = r"""
data = b""
while not data.endswith(b"\r\n\r\n"):
    data += s.recv(4096)
s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
"""
CALL = "c = socket.create_connection(('127.0.0.1', port))\nc.sendall(b'call')\nc.close()\n"
ACTIVATED = HEAD + "s, _ = socket.socket(fileno=int(sys.argv[2])).accept()" + SERVE + CALL
INETD = HEAD + "s = socket.socket(fileno=0)" + SERVE + CALL
WORKER = HEAD + """u = socket.socket(fileno=int(sys.argv[2]))
_, got, _, _ = u.recvmsg(1, socket.CMSG_SPACE(4))
s = socket.socket(fileno=array.array("i", got[0][2][:4])[0])
""" + SERVE + CALL
# Waits, so that it has been a program of its own for a while, and listens.
LISTENS = HEAD + """own = socket.create_server(("127.0.0.1", 0))
""" + CALL


def start(text, port, *more, **kw):
    return process.start([process.PYTHON, "-c", text, str(port), *map(str, more)], **kw)


class Scene:
    """A listener of this process, which is in scope by it, and the records of its port."""

    def __init__(self, source):
        require()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(20)
        self.port = self.listener.getsockname()[1]
        self.dump = Dump(source, "--listeners", "--port", self.port)

    def ask(self):
        c = socket.create_connection(("127.0.0.1", self.port))
        c.settimeout(20)
        c.sendall(QUESTION)
        return c

    def answered(self, c):
        equal(c.recv(4096), ANSWER, "answer")
        local = c.getsockname()[1]
        c.close()
        return local

    def called(self):
        """The call of a child arrives; returns its port."""
        s, peer = self.listener.accept()
        while s.recv(100):
            pass
        s.close()
        return peer[1]

    def end(self, local, child):
        """The connection that `child` answered is whole and its own."""
        records = self.dump.end()
        conn = conn_of([r for r in records if r["kind"] != "open" or r["flags"] & PASSIVE], rport=local)
        covered(records, conn, "rx", QUESTION)
        covered(records, conn, "tx", ANSWER)
        equal({r["tgid"] for r in of(records, conn)}, {child.pid}, "who answered")
        return records


def calls_of(records, port):
    return [r for r in opens(records, lport=port) if r["flags"] & ACTIVE]


def served(scene, child, c):
    local, call = scene.answered(c), scene.called()
    equal(child.wait(20), 0, "the program")
    records = scene.end(local, child)
    equal([r["tgid"] for r in calls_of(records, call)], [child.pid], "what it called")


def started(source):
    """What a listening process starts is not watched by that; what it calls itself is."""
    scene = Scene(source)
    child = start(HEAD + CALL, scene.port)
    stranger = scene.called()
    equal(child.wait(20), 0, "the program")
    c = scene.ask()
    s, _ = scene.listener.accept()
    equal(s.recv(4096), QUESTION, "question")
    s.sendall(ANSWER)
    own = scene.answered(c)
    s.close()
    records = scene.dump.end()
    equal([r["tgid"] for r in calls_of(records, own)], [os.getpid()], "own call")
    equal(calls_of(records, stranger), [], "call of the program that was started")
    theirs = [r for r in opens(records, rport=stranger) if r["flags"] & PASSIVE]
    equal([r["tgid"] for r in theirs], [os.getpid()], "its call as this process received it")


def forked(source):
    """Without an exec a child is as its parent."""
    scene = Scene(source)
    pid = os.fork()
    if pid == 0:
        with socket.create_connection(("127.0.0.1", scene.port)) as c:
            c.sendall(b"call")
        os._exit(0)
    call = scene.called()
    equal(os.waitpid(pid, 0)[1], 0, "the child")
    equal([r["tgid"] for r in calls_of(scene.dump.end(), call)], [pid], "what the child called")


def starts_listening(source):
    """A program that was started and then listens is watched from there on."""
    scene = Scene(source)
    child = start(LISTENS, scene.port)
    call = scene.called()
    equal(child.wait(20), 0, "the program")
    equal([r["tgid"] for r in calls_of(scene.dump.end(), call)], [child.pid], "what it called")


def activated(source):
    """A new program is given the listener: socket activation, a server that replaces itself."""
    scene = Scene(source)
    child = start(ACTIVATED, scene.port, scene.listener.fileno(), pass_fds=[scene.listener.fileno()])
    served(scene, child, scene.ask())


def inetd(source):
    """A new program is given an accepted connection."""
    scene = Scene(source)
    c = scene.ask()
    s, _ = scene.listener.accept()
    child = start(INETD, scene.port, stdin=s)
    s.close()
    served(scene, child, c)


def cluster(source):
    """A worker, a program of its own, is handed accepted connections over a Unix socket."""
    scene = Scene(source)
    ours, theirs = socket.socketpair()
    child = start(WORKER, scene.port, theirs.fileno(), pass_fds=[theirs.fileno()])
    c = scene.ask()
    s, _ = scene.listener.accept()
    ours.sendmsg([b"s"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [s.fileno()]))])
    s.close()
    served(scene, child, c)


def handed_listener(source):
    """The same with the listener: the worker accepts by itself."""
    scene = Scene(source)
    ours, theirs = socket.socketpair()
    text = WORKER.replace("\n" + SERVE, "\ns, _ = s.accept()" + SERVE)
    check(text != WORKER, "the worker does not accept")
    child = start(text, scene.port, theirs.fileno(), pass_fds=[theirs.fileno()])
    ours.sendmsg([b"s"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [scene.listener.fileno()]))])
    served(scene, child, scene.ask())


suite = Suite()
for each in sources():
    suite.run("started by a listener " + each, started, each)
    suite.run("forked by a listener " + each, forked, each)
    suite.run("started, then listens " + each, starts_listening, each)
    suite.run("given a listener " + each, activated, each)
    suite.run("given a connection " + each, inetd, each)
    suite.run("handed a connection " + each, cluster, each)
    suite.run("handed a listener " + each, handed_listener, each)
suite.done()
