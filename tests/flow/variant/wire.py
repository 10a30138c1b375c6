# SPDX-License-Identifier: Apache-2.0
"""Exchanges → the octets of connections → records as the capture programs tell them (include/parcours/abi.h).

A Plan says in which codings, frames, calls and order; then something may be taken away (losses.py): ranges that were
not captured, or of which no record told, the beginning of a connection, its end.
"""
import ctypes
import dataclasses
import functools
import gzip
import os
import re
import struct
import zlib

BASE_NS, WALL_NS = 10**12, 1767225600 * 10**9  # script.h
MS = 10**6
STEP_NS = 200 * MS  # from exchange to exchange
RX, TX = 0, 1
PIECE = 4096
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")


def numbers_of(text, enum, prefix):
    """{name: number} of an enum of abi.h."""
    body = re.sub(r"/\*.*?\*/", "", re.search(r"enum %s \{(.*?)\n\};" % enum, text, re.S)[1], flags=re.S)
    found, at = {}, 0
    for name, value in re.findall(r"(PC_\w+)(?: = (\d+))?", body):
        at = int(value) if value else at
        found[name.removeprefix(prefix).lower()] = at
        at += 1
    return found


with open(os.path.join(TOP, "include", "parcours", "abi.h")) as f:
    ABI = f.read()
KIND, WHY = numbers_of(ABI, "pc_kind", "PC_"), numbers_of(ABI, "pc_why", "PC_WHY_")
FLAG = {name.lower(): int(value, 16) for name, value in re.findall(r"#define PC_F_(\w+)\s+(0x\w+)", ABI)}

# ---- codings ----


def brotli(octets):
    lib = library("libbrotlienc.so.1")
    size = ctypes.c_size_t(len(octets) * 2 + 1000)
    to = ctypes.create_string_buffer(size.value)
    if not lib.BrotliEncoderCompress(5, 22, 0, ctypes.c_size_t(len(octets)), octets, ctypes.byref(size), to):
        raise ValueError("brotli")
    return to.raw[:size.value]


def zstd(octets):
    lib = library("libzstd.so.1")
    lib.ZSTD_compress.restype = ctypes.c_size_t
    room = len(octets) * 2 + 1000
    to = ctypes.create_string_buffer(room)
    size = lib.ZSTD_compress(to, ctypes.c_size_t(room), octets, ctypes.c_size_t(len(octets)), 3)
    if size > room:
        raise ValueError("zstd")
    return to.raw[:size]


@functools.cache
def library(name):
    return ctypes.CDLL(name)


def raw_deflate(octets):
    c = zlib.compressobj(6, zlib.DEFLATED, -15)
    return c.compress(octets) + c.flush()


def packed(octets):
    return gzip.compress(octets, 6, mtime=0)


def members(octets):
    """A gzip file of several."""
    third = len(octets) // 3
    return packed(octets[:third]) + packed(octets[third:2 * third]) + packed(octets[2 * third:])


def stored(octets):
    """Without a Huffman code: what was there can be read in it."""
    c = zlib.compressobj(0, zlib.DEFLATED, 31)
    return c.compress(octets) + c.flush()


CODINGS = {"gzip": ("gzip", packed), "x-gzip": ("x-gzip", packed), "members": ("gzip", members), "stored": ("gzip", stored),
           "deflate": ("deflate", zlib.compress), "raw": ("deflate", raw_deflate), "br": ("br", brotli), "zstd": ("zstd", zstd)}


@functools.cache
def coded(octets, names):
    for name in names:
        octets = CODINGS[name][1](octets)
    return octets

# ---- octets ----


@dataclasses.dataclass
class Plan:
    name: str
    codings: tuple = ()         # of what is answered, in their order
    asked_codings: tuple = ()   # of what is asked
    framing: str = "length"     # length, chunked, close
    asked_chunked: bool = False
    odd: bool = False           # chunks of 1 to 20 octets, extensions, trailers
    calls: str = "whole"        # whole, some, octets: how a message is read and written
    group: int = 1              # so many requests are sent before the first is answered
    each: int = 0               # exchanges of one connection; 0: all
    proxied: bool = False       # the shop is behind another server of this host: each exchange is seen three times
    told: str = "in order"      # jitter, tx first, rx first, late: when records are told
    loss: object = None         # f(random, wire): takes something away
    exact: bool = False         # nothing is lost, nothing ambiguous: the events are those of the whole run


def framed(r, lines, body, how, odd):
    if how == "close":
        return lines + b"Connection: close\r\n\r\n", body
    if how == "length":
        return lines + b"Content-Length: %d\r\n\r\n" % len(body), body
    out, at = [], 0
    while at < len(body):
        size = min(r.randrange(1, 20) if odd else r.randrange(1, 2000), len(body) - at)
        out.append(b"%x%s\r\n%s\r\n" % (size, b";e=\"1\"" if odd and r.random() < 0.2 else b"", body[at:at + size]))
        at += size
    out.append(b"0\r\n" + (b"T: v\r\n" if odd and r.random() < 0.5 else b"") + b"\r\n")
    return lines + b"Transfer-Encoding: chunked\r\n\r\n", b"".join(out)


def header(fields):
    return "".join("%s: %s\r\n" % f for f in fields).encode("latin-1")


def request(r, e, plan, site):
    lines = ("%s %s HTTP/1.1\r\n" % (e.method, e.path)).encode() + header(e.fields).replace(b"shop.example", site)
    if plan.proxied:
        lines += b"X-Request-Id: %s-%d\r\n" % (site, e.number)
    if not e.body:
        return lines + b"\r\n", b""
    if plan.asked_codings:
        lines += header([("Content-Encoding", ", ".join(CODINGS[c][0] for c in plan.asked_codings))])
    return framed(r, lines, coded(e.body, plan.asked_codings), "chunked" if plan.asked_chunked else "length", plan.odd)


def response(r, e, plan, site):
    lines = e.line + b"\r\n" + header(e.answer_fields).replace(b"shop.example", site)
    if not e.answer:
        return lines + b"Content-Length: 0\r\n\r\n", b""
    if plan.codings:
        lines += header([("Content-Encoding", ", ".join(CODINGS[c][0] for c in plan.codings))])
    return framed(r, lines, coded(e.answer, plan.codings), plan.framing, plan.odd)


@dataclasses.dataclass
class Message:
    exchange: object
    connection: object
    dir: int
    start: int  # position of its head, of its content, of its end
    body: int
    end: int


# What is on a connection behind the proxy moves later (requests) and earlier (answers) than on the edge's.
HOPS = {"edge": (0, 0), "call": (1, -2), "inner": (2, -4)}


class Connection:
    """`dir` is that of the server's end: RX is what is asked, at a client's end too."""

    def __init__(self, number, port, hop="edge", front=None):
        self.id, self.port, self.hop = number, port, hop
        self.octets = front.octets if front else [bytearray(), bytearray()]
        self.calls = []               # [time, dir, from, to]
        self.missing = [[], []]       # [from, to, why]; why "ring": no record told of it
        self.joined = None            # [rx, tx], and no call that ends before is told
        self.ended = None             # (time, "in", "out" or "orderly"): closed then
        self.late = {}                # call: how much later it is told


class Wire:
    """A visit on connections, by a plan. `start`: {time of a request's first octet since the base: exchanges}."""

    def __init__(self, r, visit, plan, site, first_id, offset, only=()):
        self.r, self.visit, self.plan, self.site, self.offset = r, visit, plan, site, offset
        self.connections, self.messages, self.start = [], [], {}
        self.first_id = first_id
        groups, one = [], []
        for e in visit.exchanges if not only else [visit.exchanges[n] for n in only]:
            if one and (len(one) == plan.group or one[0].browser != e.browser):
                groups.append(one)
                one = []
            one.append(e)
        for group in groups + [one]:
            self.add(group)
        if plan.proxied:
            self.behind()
        if plan.loss:
            plan.loss(r, self)
        for c in self.connections:
            # Who comes later and sees nothing of a proxy's end of a connection takes the shop's end for an edge.
            if c.hop == "call" and c.joined:
                c.missing = [[], []]

    def connection_for(self, e):
        plan = self.plan
        new = not self.connections or plan.framing == "close" or not e.browser or not self.last_browser or \
            (plan.each and e.number // plan.each != self.last_number // plan.each)
        if new:
            self.connections.append(Connection(self.first_id + len(self.connections), 10000 + len(self.connections)))
        self.last_browser, self.last_number = e.browser, e.number
        return self.connections[-1]

    def add(self, group):
        c = self.connection_for(group[0])
        time = self.offset + STEP_NS * (group[0].number + 1)
        self.send(c, time, RX, group, request)
        if self.plan.calls == "whole" or self.plan.group == 1:
            for k, e in enumerate(group):
                self.send(c, time + (60 + 20 * k) * MS, TX, [e], response)
        else:
            self.send(c, time + 60 * MS, TX, group, response)

    def send(self, c, time, direction, group, make):
        start = len(c.octets[direction])
        for e in group:
            head, body = make(self.r, e, self.plan, self.site)
            at = len(c.octets[direction])
            c.octets[direction] += head + body
            self.messages.append(Message(e, c, direction, at, at + len(head), at + len(head) + len(body)))
        marks = self.marks(start, len(c.octets[direction]))
        for k, (a, b) in enumerate(zip(marks, marks[1:])):
            c.calls.append([time + k * 20 * MS // len(marks), direction, a, b])
        if direction == RX:
            for m in self.messages[-len(group):]:
                first = next(t for t, d, a, b in c.calls if d == RX and a <= m.start < b)
                self.start.setdefault(first, []).append(m.exchange)

    def behind(self):
        """Both ends of what is between the proxy and the shop."""
        for front in list(self.connections):
            for hop in ("call", "inner"):
                c = Connection(self.first_id + len(self.connections), front.port, hop, front)
                c.calls = [[t + HOPS[hop][d] * MS, d, a, b] for t, d, a, b in front.calls]
                self.connections.append(c)
                for m in [m for m in self.messages if m.connection is front]:
                    self.messages.append(dataclasses.replace(m, connection=c))
        for time, them in list(self.start.items()):
            for hop in ("call", "inner"):
                self.start.setdefault(time + HOPS[hop][0] * MS, []).extend(them)

    def marks(self, start, end):
        if self.plan.calls == "octets":
            return list(range(start, end + 1)) if end - start < 400 else list(range(start, end, 7)) + [end]
        if self.plan.calls == "some" and end - start > 1:
            return sorted({start, end} | {self.r.randrange(start + 1, end) for _ in range(self.r.randrange(6))})
        return [start, end]

    def message(self, exchange, direction):
        return next(m for m in self.messages if m.exchange is exchange and m.dir == direction)

    def content_size(self, e, direction):
        octets, names = (e.body, self.plan.asked_codings) if direction == RX else (e.answer, self.plan.codings)
        return len(coded(octets, names)) if octets else 0

    # ---- what is taken away ----

    def miss(self, c, direction, start, end, why):
        if start < end:
            c.missing[direction].append([start, end, why])

    def cut(self, c, direction, at, how):
        """The connection ends there."""
        keep = []
        for call in c.calls:
            if call[1] == direction and call[2] <= at < call[3]:
                if call[2] < at:
                    keep.append([call[0], direction, call[2], at])
                c.ended = (call[0] + MS, how)
                break
            keep.append(call)
        c.calls = keep

# ---- records ----


def record(kind, flags, time, body):
    octets = struct.pack("<HHIQ", kind, flags, 16 + len(body), BASE_NS + time) + body
    return octets + b"\0" * (-len(octets) % 8)


PID = {"edge": 100, "call": 100, "inner": 300}


def opened(c, begin, at):
    """The same numbers at both ends of a connection, and the same addresses."""
    isn = c.id - (c.hop == "inner")
    there, here = (isn * 2 + 1, isn * 3 + 1)  # of who asks, of who answers
    client, server = (address(c.port, 9), address(80, 1)) if c.hop == "edge" else (address(c.port, 1), address(81, 2))
    if c.hop == "call":
        at, there, here, client, server = at[::-1], here, there, server, client
    flags = FLAG["active" if c.hop == "call" else "passive"] | (FLAG["joined"] if c.joined else 0)
    head = struct.pack("<QQQQQQQIIIIHHI", c.id, at[0], at[1], 0, 0, 0,
                       50_000 if c.hop == "call" and not c.joined else 0, there, here, PID[c.hop], 0, 2, 0, 0)
    return record(KIND["open"], flags, begin, head + server + client)


def address(port, last):
    return b"\0" * 10 + b"\xff\xff" + bytes([10, 0, 0, last]) + struct.pack("<HHHH", port, 0, 0, 0)


def parts_of(call, missing):
    """[(from, to, why or None)] of a call, in their order."""
    out, at = [], call[2]
    for a, b, why in sorted(missing):
        a, b = max(a, at), min(b, call[3])
        if a >= b:
            continue
        if at < a:
            out.append((at, a, None))
        out.append((a, b, why))
        at = b
    if at < call[3]:
        out.append((at, call[3], None))
    return out


def data(c, call, start, present, absent, why, first, last):
    time, direction, _, _ = call
    direction = direction if c.hop != "call" else RX + TX - direction
    flags = (FLAG["first"] if first else 0) | (FLAG["last"] if last else 0)
    begin = BASE_NS + time if direction == TX else 0
    head = struct.pack("<QQQIIIIIIBBBBI", c.id, start, begin, present + absent, present, PID[c.hop], PID[c.hop], 0, 0, direction,
                       WHY[why] if absent else 0, 0, 0, 0)
    return record(KIND["data"], flags, time, head + bytes(c.octets[call[1]][start:start + present]))


def call_records(c, call):
    """The pieces of a call."""
    parts = parts_of(call, c.missing[call[1]])
    pieces = []  # [from, present, absent, why]
    for a, b, why in parts:
        if why == "ring":
            continue
        if why is None:
            pieces += [[p, min(PIECE, b - p), 0, None] for p in range(a, b, PIECE)]
        elif pieces and not pieces[-1][2] and sum(pieces[-1][:2]) == a:
            pieces[-1][2:] = [b - a, why]
        else:
            pieces.append([a, 0, b - a, why])
    return [data(c, call, *p, p[0] == call[2], p[0] + p[1] + p[2] == call[3]) for p in pieces]


def told(r, c, plan, call):
    if plan.told == "jitter":
        return call[0] + r.randrange(100 * MS)
    if plan.told in ("tx first", "rx first"):
        return call[0] + (100 * MS if (call[1] == RX) == (plan.told == "tx first") else 0)
    return call[0] + c.late.get(id(call), 0)


def connection_records(r, wire, c):
    """[(when it is told, octets)]."""
    calls = [call for call in c.calls if not c.joined or call[3] > c.joined[call[1]]]
    if not calls:
        return []
    begin = min(call[0] for call in calls) - MS
    at = c.joined or [0, 0]
    out = [(begin, opened(c, begin, at))]
    for call in calls:
        if c.joined and call[2] < c.joined[call[1]]:
            call = [call[0], call[1], c.joined[call[1]], call[3]]
        when = told(r, c, wire.plan, call)
        out += [(when, octets) for octets in call_records(c, call)]
    end = [max((b for _, d, _, b in c.calls if d == way), default=at[way]) for way in (RX, TX)]
    if c.hop == "call":
        end = end[::-1]
    time, how = c.ended or (max(call[0] for call in calls) + MS, "orderly")
    flags = {"in": FLAG["reset_in"], "out": FLAG["reset_out"], "orderly": 0}[how]
    close = struct.pack("<QQQQIIIIiI", c.id, end[0], end[1], end[1], 0, 0, 0, 0, 0, 0)
    late = 110 * MS if wire.plan.told != "in order" else 0
    late += max(c.late.values(), default=0)
    if how == "orderly":
        out.append((time + late, record(KIND["end"], 0, time, struct.pack("<QQiIB7x", c.id, end[0], 0, PID[c.hop], RX))))
    out.append((time + late, record(KIND["close"], flags, time, close)))
    out.append((time + late, record(KIND["gone"], 0, time, close)))
    return out


def records(wires):
    """All of them, in the order in which they are told, with ticks between."""
    out = [pair for w in wires for c in w.connections for pair in connection_records(w.r, w, c)]
    out.sort(key=lambda pair: pair[0])
    end = max(pair[0] for pair in out)
    ticks = [(t, record(KIND["tick"], 0, t, b"")) for t in range(0, end + 15000 * MS, 50 * MS)]
    # visits end
    ticks += [(t * MS, record(KIND["tick"], 0, t * MS, b"")) for t in range(end // MS + 16000, end // MS + 2400000, 60000)]
    merged = sorted(out + ticks, key=lambda pair: pair[0])
    return [octets for _, octets in merged]


def write_recording(path, prologue, all_records):
    """`prologue`: the page of text of a recording."""
    body = b"".join(all_records)
    end = struct.pack("<HHIQ", 0xffff, 0, 32, 0) + struct.pack("<QQ", len(all_records), len(body))
    with open(path, "wb") as f:
        f.write(prologue[:4096] + body + end)
