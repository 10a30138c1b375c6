# SPDX-License-Identifier: Apache-2.0
"""Is what the agent said what happened? Rows against the server's own log, both ways."""
import collections

from .suite import check

EXCHANGE = "parcours.exchange"


def target(row):
    """The request target as on the wire, from its parts (privacy none)."""
    query = row.get("url.query")
    return row.get("url.path", "?") + ("" if query is None else "?" + query)


def identity(row):
    """What must be equal on every transaction: method, target, status, body octets."""
    return (row.get("http.request.method"), target(row), row.get("http.response.status_code"),
            row.get("http.response.body.size"))


def exact(rows, truth, what):
    """`truth` is [(method, target, status, body octets)], each target unique. 100 %, no duplicate,
    no phantom, everything equal, every outcome complete."""
    want = {t[1]: t for t in truth}
    check(len(want) == len(truth), "%s: the truth repeats targets" % what)
    count = collections.Counter(target(r) for r in rows)
    missing = [t for t in want if t not in count]
    double = [t for t, n in count.items() if n > 1]
    phantom = [t for t in count if t not in want]
    wrong = [(identity(r), want[target(r)]) for r in rows
             if target(r) in want and identity(r) != want[target(r)]]
    partial = collections.Counter(r.get("outcome") for r in rows if r.get("outcome") != "complete")
    check(not (missing or double or phantom or wrong or partial),
          "%s: %d true, %d rows, %d missing %s, %d double %s, %d phantom %s, %d wrong %s, not complete %s"
          % (what, len(want), len(rows), len(missing), missing[:2], len(double), double[:2],
             len(phantom), phantom[:2], len(wrong), wrong[:2], dict(partial)))


def request_sizes(rows, requests, what):
    """Body octets of each request against what the driver sent."""
    want = {r.target: r.body for r in requests}
    wrong = [(target(r), r.get("http.request.body.size"), want[target(r)]) for r in rows
             if target(r) in want and r.get("http.request.body.size") != want[target(r)]]
    check(not wrong, "%s: request body sizes: %d wrong, e.g. %s" % (what, len(wrong), wrong[:2]))


def times_sane(rows, what):
    """Never negative, and in their order."""
    for r in rows:
        duration, first = r.get("duration_ns"), r.get("time_to_first_byte_ns")
        check(duration is None or duration >= 0, "%s: negative duration: %s" % (what, r))
        check(first is None or first >= 0, "%s: negative time to first byte: %s" % (what, r))
        check(None in (duration, first) or first <= duration, "%s: first byte after the end: %s" % (what, r))


def same_exchange(servers, clients, what):
    """Each exchange seen from both ends has one name; returns how many pairs."""
    names = {target(r): r.get(EXCHANGE) for r in servers}
    pairs = [(target(r), names.get(target(r)), r.get(EXCHANGE)) for r in clients if target(r) in names]
    wrong = [p for p in pairs if not p[1] or p[1] != p[2]]
    check(not wrong, "%s: %d of %d exchanges differ at their ends: %s" % (what, len(wrong), len(pairs), wrong[:2]))
    check(len(set(names.values())) == len(names), "%s: exchange names repeat" % what)
    return len(pairs)


PREFIX = "parcours.agent."
LOSSES = ("events.lost", "events.lost.bytes", "capture.refused", "ndjson.dropped", "ndjson.errors",
          "transactions.refused", "transactions.evicted", "connections.evicted", "stream.malformed",
          "capture.malformed")


def figure(stats, name, label=None):
    """A counter of the stats row; without a label the sum over all its labels."""
    total = 0
    for key, value in stats.items():
        base, _, rest = key.partition("{")
        if base == PREFIX + name and label in (None, rest.rstrip("}").partition("=")[2]):
            total += value
    return total


def labels(stats, name):
    """{label: value} of a counter."""
    return {key.partition("{")[2].rstrip("}").partition("=")[2]: value for key, value in stats.items()
            if key.partition("{")[0] == PREFIX + name}


def reconcile(stats, what):
    """The sums that must hold in every final stats row, lost or not."""
    submitted, read = labels(stats, "events.submitted"), labels(stats, "events.read")
    for kind, count in submitted.items():
        check(read.get(kind, 0) == count, "%s: %s events submitted %d, read %d" % (what, kind, count, read.get(kind, 0)))
    for way in ("receive", "transmit"):
        parts = [figure(stats, "proto.%s.bytes" % p, way) for p in ("message", "tunnel", "preface", "lost")]
        total = figure(stats, "stream.bytes", way)
        check(total == sum(parts), "%s: %s: stream %d bytes, message+tunnel+preface+lost %s = %d"
              % (what, way, total, parts, sum(parts)))
    opened, closed = figure(stats, "transactions.opened"), figure(stats, "transactions.closed")
    left = figure(stats, "transactions.open")
    check(opened == closed + left, "%s: %d transactions opened, %d closed, %d open" % (what, opened, closed, left))
    check(left == 0, "%s: %d transactions open at the end" % (what, left))


def nothing_lost(stats, what):
    """No counter of a loss may have moved in a run that must be whole, and the sums hold."""
    lost = {name: figure(stats, name) for name in LOSSES if figure(stats, name)}
    if figure(stats, "stream.hole.bytes", "ring"):
        lost["stream.hole.bytes ring"] = figure(stats, "stream.hole.bytes", "ring")
    check(not lost, "%s: losses: %s" % (what, lost))
    reconcile(stats, what)
