#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The highest rate that nginx and a load generator reach beside the agent, for 60 s with default buffers:
nothing may be lost. Then long fuzzing, 10 minutes a target. SOAK_SECONDS and FUZZ_SECONDS shorten both.
"""
import json
import os
import subprocess
import sys
import time

from measure import TOP, Agent, Hello, begin, process, sink, sources
from lib import compare

SECONDS = int(os.environ.get("SOAK_SECONDS", "60"))
FUZZ = os.environ.get("FUZZ_SECONDS", "600")


def counters(path):
    """What a running agent says of itself, as a stats row would."""
    answer = json.loads(process.run([process.PARCOURS, "status", "--status-socket", path, "--json"]))
    found = {}
    for c in answer["counters"]:
        label = ["%s=%s" % (k, v) for k, v in c.items() if k not in ("name", "value", "unit")]
        found[c["name"] + ("{%s}" % label[0] if label else "")] = c["value"]
    return found


def flood(kind):
    """Every transaction goes through the whole core and into metrics; rows are not written."""
    server = Hello("nginx")
    path = os.path.join(process.folder("soak"), "status")
    agent = Agent(*server.scope(), "--status-socket", path, "--otlp-endpoint", "http://127.0.0.1:%d" % sink().server_port,
                  source=kind, ndjson=False, env={"OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
                                                  "OTEL_TRACES_SAMPLER_ARG": "0.01"})
    _, rate, count = server.load(SECONDS, connections=64)
    time.sleep(1)
    stats = counters(path)
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
