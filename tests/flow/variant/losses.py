# SPDX-License-Identifier: Apache-2.0
"""What is taken away of a wire: f(random, wire) each. A hole has a cause of abi.h, or is "ring": no record told of it."""
from wire import MS, RX, TX

CAUSES = ["ring", "ring", "fault", "sendfile", "io_uring", "kernel", "trunc", "budget"]


def some_message(r, wire, direction=None, content=False):
    fit = [m for m in wire.messages if direction in (None, m.dir) and (not content or m.end > m.body)]
    return r.choice(fit)


def hole(r, wire, m, start, end, length):
    at = r.randrange(start, max(end, start + 1))
    wire.miss(m.connection, m.dir, at, min(at + length, len(m.connection.octets[m.dir])), r.choice(CAUSES))


def holes(r, wire):
    """Anywhere, of any length."""
    for _ in range(r.randrange(1, 4)):
        m = some_message(r, wire)
        hole(r, wire, m, m.start, m.end, r.choice([1, 2, 10, 60, 300, 3000]))


def in_contents(r, wire):
    for _ in range(r.randrange(1, 5)):
        m = some_message(r, wire, content=True)
        hole(r, wire, m, m.body, m.end, r.choice([1, 1, 3, 10, 40]))


def in_answers(r, wire):
    """A small hole in each of them."""
    for m in wire.messages:
        if m.dir == TX and m.end > m.body:
            hole(r, wire, m, m.body, m.end, r.choice([1, 5, 20]))


def in_heads(r, wire):
    for _ in range(r.randrange(1, 4)):
        m = some_message(r, wire)
        hole(r, wire, m, m.start, m.body, r.choice([1, 2, 20]))


def at_borders(r, wire):
    """Where heads, contents, lines of chunks begin and end."""
    for _ in range(r.randrange(1, 4)):
        m = some_message(r, wire, content=True)
        octets = bytes(m.connection.octets[m.dir][m.body:m.end])
        lines = [m.body + k for k in range(len(octets) - 1) if octets[k:k + 2] == b"\r\n"]
        at = r.choice([m.body, m.end] + lines[:50])
        start = max(m.start, at - r.randrange(4))
        wire.miss(m.connection, m.dir, start, min(start + r.randrange(1, 8), len(m.connection.octets[m.dir])), r.choice(CAUSES))


def at_values(r, wire):
    """Into digits of what is answered: what is left of them looks like another amount."""
    for _ in range(r.randrange(1, 6)):
        m = some_message(r, wire, TX, content=True)
        octets = m.connection.octets[m.dir]
        digits = [k for k in range(m.body, m.end) if 48 <= octets[k] <= 57]
        if digits:
            at = r.choice(digits)
            wire.miss(m.connection, m.dir, at, min(at + r.randrange(1, 6), m.end), r.choice(CAUSES))


def budgets(r, wire):
    """Of each call its beginning, and at times its tail."""
    limit, tail = r.choice([50, 200, 400, 700, 1000]), r.choice([0, 0, 64])
    ways = r.choice([(TX,), (RX,), (RX, TX)])
    for c in wire.connections:
        for _, d, a, b in c.calls:
            if d in ways:
                wire.miss(c, d, a + limit, b - tail, "budget")


def contents_never(r, wire):
    """Answers go out by sendfile: their heads alone are seen. Or what is asked comes by an io_uring."""
    way = r.choice([TX, TX, RX])
    for m in wire.messages:
        if m.dir == way:
            wire.miss(m.connection, way, m.body, m.end, "sendfile" if way == TX else "io_uring")


def of_one_kind(r, wire):
    """Of all answers to one address nothing of the content is seen, or nothing at all."""
    path = r.choice(wire.visit.exchanges).path.split("?")[0]
    whole, way = r.random() < 0.5, r.choice([RX, TX])
    for m in wire.messages:
        if m.dir == way and m.exchange.path.split("?")[0] == path:
            wire.miss(m.connection, way, m.start if whole else m.body, m.end, r.choice(CAUSES))


def calls_lost(r, wire):
    share = r.choice([0.05, 0.1, 0.3])
    for c in wire.connections:
        for _, d, a, b in c.calls:
            if r.random() < share:
                wire.miss(c, d, a, b, "ring")


def run_lost(r, wire):
    """A flood: nothing found room for a while."""
    c = r.choice(wire.connections)
    at = r.randrange(len(c.calls))
    for _, d, a, b in c.calls[at:at + r.randrange(1, 10)]:
        wire.miss(c, d, a, b, "ring")


def one_way(r, wire):
    """Of a connection one direction is never seen."""
    c, d = r.choice(wire.connections), r.choice([RX, TX])
    wire.miss(c, d, 0, len(c.octets[d]), r.choice(["ring", "kernel"]))


def joined(r, wire):
    """We came later: what was open is known from then on. Who joins pipelined requests cannot know whose answer comes
    first, so these are seen from their beginning (as in tests/flow/random)."""
    if wire.plan.group > 1:
        return holes(r, wire)
    time = r.choice(r.choice(wire.connections).calls)[0]
    for c in wire.connections:
        before = [call for call in c.calls if call[0] < time]
        if before:
            c.joined = [max((b for _, d, _, b in before if d == way), default=0) for way in (RX, TX)]


def ended(r, wire):
    """Who ends it himself ends what goes to the end of the connection: whether he wanted to nobody can tell."""
    m = some_message(r, wire)
    how = ["in"] + ["out", "orderly"] * (wire.plan.framing != "close")
    wire.cut(m.connection, m.dir, r.randrange(m.start, m.end), r.choice(how))


def late_around_holes(r, wire):
    """Records of one direction come seconds later, and some never."""
    for c in wire.connections:
        way = r.choice([RX, TX])
        for call in c.calls:
            if call[1] == way and r.random() < 0.3:
                c.late[id(call)] = r.choice([50, 500, 1500, 2500]) * MS
    calls_lost(r, wire)


def several(r, wire):
    for _ in range(2):
        r.choice(ALL)(r, wire)


ALL = [holes, in_contents, in_answers, in_heads, at_borders, at_values, budgets, contents_never, of_one_kind, calls_lost, run_lost,
       one_way, joined, ended]


def at_octet(direction, exchange, k, how):
    """One place of one message: the connection ends there, an octet is missing, or all from there on."""
    def loss(r, wire):
        m = wire.message(exchange, direction)
        at = m.body + k
        if how in ("in", "out", "orderly"):
            wire.cut(m.connection, direction, at, how)
        else:
            wire.miss(m.connection, direction, at, m.end if how == "rest" else at + 1, r.choice(CAUSES))
    return loss
