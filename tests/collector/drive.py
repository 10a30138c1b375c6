# SPDX-License-Identifier: Apache-2.0
"""Runs the driver (driver.c) and reads what it says."""
import json
import os
import subprocess
import time

from lib import process

DRIVER = os.path.join(process.BUILD, "tests", "collector", "driver")


class Run:
    """stats: its export_stats. said: sentences for a person. rows: NDJSON. seconds: how long it took."""

    def __init__(self, *args, ndjson=False, seconds=120, env=None):
        self.path = os.path.join(process.folder("driver"), "rows") if ndjson else None
        command = [DRIVER] + (["--ndjson", self.path] if ndjson else []) + [str(a) for a in args]
        begin = time.monotonic()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds,
                              env=dict(os.environ, **(env or {})))
        self.seconds = time.monotonic() - begin
        if done.returncode:
            raise RuntimeError("driver: exit %d: %s" % (done.returncode, done.stderr[-500:]))
        self.stats = json.loads(done.stdout.splitlines()[-1])
        self.said = [line[5:].decode() for line in done.stderr.splitlines() if line.startswith(b"say: ")]

    @property
    def rows(self):
        return [json.loads(line) for line in process.read(self.path).splitlines()]

    def transactions(self):
        return [r for r in self.rows if r["type"] == "transaction"]
