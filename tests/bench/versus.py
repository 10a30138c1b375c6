#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two builds of the agent against each other, by the replay of recordings: CPU time of both in turns, and
instructions as valgrind counts them, which a busy machine does not change.

    versus.py BASE NEW [RECORDING...]     without: an nginx' hello, and browsing with cookies, recorded now
    ROUNDS=15 COUNT=1                     COUNT=0: no valgrind

The order within a round changes, and what is told of CPU time is the median of the ratios of each round: so
others may use the machine meanwhile, and it takes no lock.
"""
import os
import re
import shutil
import statistics
import sys
import tempfile

from measure import CLIENT_CPU, process, record, replay

ROUNDS = int(os.environ.get("ROUNDS", "15"))
COUNTED_BYTES = 24 << 20  # of a recording: enough that the start does not show
NOBODY = 65534            # as root, replay drops its rights and can no longer write what valgrind found


def instructions(program, path, place):
    """A transaction, of the beginning of a recording."""
    short, out = os.path.join(place, "short"), os.path.join(place, "counts")
    with open(path, "rb") as source, open(short, "wb") as to:
        to.write(source.read(COUNTED_BYTES))
    _, count = replay(["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, program], short, user=NOBODY,
                      group=NOBODY, extra_groups=[], cwd=place)
    total = re.search(r"(?m)^(?:summary|totals): (\d+)", process.read(out)).group(1)
    return int(total) / count


def compare(name, programs, path, place):
    spent = {p: [] for p in programs}
    for i in range(ROUNDS):
        for program in programs[::-1] if i % 2 else programs:
            seconds, count = replay(["taskset", "-c", CLIENT_CPU, program], path)
            spent[program].append(seconds / count * 1e6)
    ratios = [new / base for base, new in zip(*(spent[p] for p in programs))]
    for word, program in zip(("base", "new"), programs):
        v = spent[program]
        print("%s: %s  %.3f µs a transaction (%.3f to %.3f), %.0f a second"
              % (name, word, statistics.median(v), min(v), max(v), 1e6 / statistics.median(v)))
    print("%s: new ÷ base %.3f (half of the rounds %.3f to %.3f), %d rounds"
          % (name, statistics.median(ratios), *statistics.quantiles(ratios, n=4)[::2], ROUNDS), flush=True)
    if os.environ.get("COUNT", "1") == "1":
        base, new = (instructions(p, path, place) for p in programs)
        print("%s: instructions a transaction %.0f → %.0f (%+.1f %%)" % (name, base, new, (new / base - 1) * 100), flush=True)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    place = tempfile.mkdtemp()
    os.chmod(place, 0o777)
    programs = [shutil.copy(p, os.path.join(place, word)) for p, word in zip(sys.argv[1:3], ("base", "new"))]
    recordings = {os.path.basename(p): p for p in sys.argv[3:]}
    process.guard()
    try:
        if not recordings:
            recordings = {"hello": os.path.join(place, "hello.rec"), "browsing": os.path.join(place, "browsing.rec")}
            record(recordings["hello"])
            record(recordings["browsing"], "browse.lua")
        for name, path in recordings.items():
            compare(name, programs, path, place)
    finally:
        shutil.rmtree(place)


main()
