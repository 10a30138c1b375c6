#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The highest rate that nginx and a load generator reach beside the agent, for 60 s with default buffers:
nothing may be lost. Then long fuzzing, 10 minutes a target. SOAK_SECONDS and FUZZ_SECONDS shorten both.
"""
import os
import subprocess
import sys
import time

from measure import TOP, Fleet, Hello, begin, sink, sources
from lib import compare

SECONDS = int(os.environ.get("SOAK_SECONDS", "60"))
FUZZ = os.environ.get("FUZZ_SECONDS", "600")


def flood(kind):
    """Every transaction goes through the whole core and into metrics; rows are not written."""
    server = Hello("nginx")
    agent = Fleet(server, kind, sink())
    _, rate, count = server.load(SECONDS, connections=64)
    time.sleep(1)
    stats = agent.counters()
    agent.stop()
    seen = compare.figure(stats, "transactions.closed", "complete")
    lost = compare.figure(stats, "events.lost")
    server.stop()
    # wrk stops in the middle: its last requests, one a connection, are on their way and uncounted.
    whole = lost == 0 and 0 <= seen - count <= 64
    print("%s soak %s: %.0f requests/s for %d s, %d of %d seen, %d events lost"
          % ("ok" if whole else "not ok", kind, rate, SECONDS, seen, count, lost), flush=True)
    return whole


def main():
    lock = begin()
    good = all([flood(kind) for kind in sources()])
    lock.close()
    if FUZZ != "0":
        good = subprocess.run(["make", "-s", "-j2", "fuzz"], cwd=TOP).returncode == 0 and good
        good = subprocess.run(["tools/run-fuzz", FUZZ], cwd=TOP).returncode == 0 and good
    sys.exit(0 if good else 1)


main()
