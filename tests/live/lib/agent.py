# SPDX-License-Identifier: Apache-2.0
"""The agent under test: started with a scope, waited for, drained, its rows read and checked.

Every run is scoped to ports or processes of the test; a scope is required here so that no test can
watch the host by mistake.
"""
import json
import os
import signal
import time

from . import process, schema
from .suite import Failure, Skip, check

SCOPES = ("--port", "--pid", "--exe", "--cgroup", "-c")


def sources():
    """The capture sources this kernel can run; CAPTURE=sock or =syscall narrows it."""
    only = os.environ.get("CAPTURE")
    try:
        with open("/sys/kernel/btf/vmlinux", "rb") as f:
            both = b"btf_trace_sock_recv_length\0" in f.read()
    except OSError:
        both = False
    found = ["sock", "syscall"] if both else ["syscall"]
    return [s for s in found if not only or s == only]


def require():
    if os.geteuid() != 0:
        raise Skip("needs root to load programs")


class Agent:
    def __init__(self, *args, source="auto", privacy="none", env=None, ndjson=True, ready=20,
                 state=None):
        require()
        args = [str(a) for a in args]
        assert any(a in SCOPES for a in args), "a live test must give a scope"
        place = process.folder("agent")
        self.path, self.log = os.path.join(place, "out.ndjson"), os.path.join(place, "err")
        self.state = state or os.path.join(place, "state")
        command = [process.PARCOURS, "run", "--capture", source, "--privacy", privacy,
                   "--state-directory", self.state, *args]
        if ndjson:
            command += ["--ndjson", self.path]
        self.killed = 0  # a killed brain may leave one torn line each time
        begin = time.monotonic()
        self.child = process.start(command, stdout=open(os.path.join(place, "stdout"), "wb"),
                                   stderr=open(self.log, "wb"),
                                   env=dict(os.environ, **(env or {})))
        self.stdout = os.path.join(place, "stdout")
        while "ready" not in process.read(self.log).split():
            if self.child.poll() is not None:
                raise Failure("the agent ended at start with %d: %s"
                              % (self.child.returncode, process.read(self.log)[-500:]))
            if time.monotonic() - begin > ready:
                raise Failure("the agent was not ready within %d s: %s"
                              % (ready, process.read(self.log)[-500:]))
            time.sleep(0.02)
        self.start_seconds = time.monotonic() - begin

    @property
    def pid(self):
        return self.child.pid

    def pids(self):
        """Warden and brain."""
        return process.descendants(self.child.pid)

    def brain(self):
        """The unprivileged child of the warden, waited for."""
        return process.wait_for(lambda: [p for p in self.pids() if p != self.pid], 10, "the brain")[0]

    def kill(self, pid):
        self.killed += 1
        os.kill(pid, signal.SIGKILL)

    def errors(self):
        return process.read(self.log)

    def stop(self, sig=signal.SIGTERM):
        """Drains; afterwards all rows stand in the file. Its exit code must be 0."""
        code = process.stop(self.child, sig, wait=30)
        check(code == 0, "the agent ended with %s: %s" % (code, process.read(self.log)[-500:]))
        return self

    def _objects(self):
        if not os.path.exists(self.path):
            return
        self.torn = 0
        with open(self.path, "rb") as f:
            for line in f:
                try:
                    yield json.loads(line)
                except ValueError:
                    self.torn += 1
                    if not self.killed:
                        raise Failure("not a JSON line: %r" % line[:200])

    def all_rows(self):
        return list(self._objects())

    def rows(self, kind=None, port=None):
        """Transactions, validated against the schema (one of each shape). `port`: the one that the server
        listens on (a client's server.port is that of the authority it asked for)."""
        at = {"server": "server.port", "client": "network.peer.port"}
        found = [o for o in self._objects() if o.get("type") == "transaction"
                 and kind in (None, o.get("kind")) and port in (None, o.get(at[o["kind"]]))]
        schema.validate_shapes(found)
        return found

    def stats(self):
        """The last `stats` row."""
        found = [o for o in self._objects() if o.get("type") == "stats"]
        check(found, "no stats row")
        schema.validate_shapes(found)
        return found[-1]

    def wait_rows(self, count, kind=None, seconds=15):
        """Waits until so many transactions are written; returns what there is."""
        end = time.monotonic() + seconds
        while True:
            found = self.rows(kind)
            if len(found) >= count or time.monotonic() > end:
                return found
            time.sleep(0.1)
