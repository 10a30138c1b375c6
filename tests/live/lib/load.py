# SPDX-License-Identifier: Apache-2.0
"""Drives a server with mixed HTTP/1 requests and notes what it received.

One thread, raw sockets on asyncio, 64 connections by default. Every request has a unique id in its
query. What the driver notes (status, body octets, octets with chunk framing, head octets) is the
second witness beside the server's log: it gives the known corrections of the log's size variables.
"""
import asyncio
import collections
import random
import threading

from .suite import check

Request = collections.namedtuple("Request", "id method target data body close")
Seen = collections.namedtuple("Seen", "status body wire head version")

METHODS = ("GET",) * 8 + ("HEAD", "HEAD", "POST", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")


def request(number, method, path, rng, host="shop.example", largest=20000):
    """The bytes of one request: padding in the head, a body by length or in chunks."""
    target = "%s%sid=%s" % (path, "&" if "?" in path else "?", number)
    head = ["%s %s HTTP/1.1" % (method, target), "Host: " + host, "User-Agent: parcours-load/1"]
    if rng.random() < 0.3:
        head.append("X-Pad: " + "p" * rng.randint(1, 3000))
    close = rng.random() < 0.1
    if close:
        head.append("Connection: close")
    body, size = b"", 0
    if method in ("POST", "PUT", "PATCH"):
        size = min(rng.choice((0, 1, 100, 5000, 20000)), largest)
        payload = b"b" * size
        if size and rng.random() < 0.3:
            head.append("Transfer-Encoding: chunked")
            for at in range(0, size, 4096):
                part = payload[at:at + 4096]
                body += b"%x\r\n%s\r\n" % (len(part), part)
            body += b"0\r\n\r\n"
        else:
            head.append("Content-Length: %d" % size)
            body = payload
    data = ("\r\n".join(head) + "\r\n\r\n").encode() + body
    return Request(str(number), method, target, data, size, close)


def plan(count, paths, seed=1, methods=METHODS, prefix="r", largest=20000):
    """`count` requests over the paths; the same seed makes the same plan."""
    rng = random.Random(seed)
    return [request("%s%d" % (prefix, i), rng.choice(methods), rng.choice(paths), rng,
                    largest=largest) for i in range(count)]


class Parser:
    """One response after another out of a byte stream; only what our servers send."""

    def __init__(self):
        self.data = bytearray()
        self.expect(None)

    def expect(self, method):
        self.method, self.state = method, "head"
        self.status = self.head = self.body = self.wire = 0
        self.left, self.version = 0, ""

    def feed(self, data):
        self.data += data

    def _head(self):
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return False
        lines = bytes(self.data[:end]).split(b"\r\n")
        del self.data[:end + 4]
        self.version = lines[0][:8].decode()
        self.status = int(lines[0].split(b" ", 2)[1])
        fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            fields[name.strip().lower()] = value.strip().lower()
        if 100 <= self.status < 200:
            return True
        self.head = end + 4
        self.close = fields.get(b"connection") == b"close" or (
            self.version == "HTTP/1.0" and fields.get(b"connection") != b"keep-alive")
        if self.method == "HEAD" or self.status in (204, 304):
            self.state = "done"
        elif b"chunked" in fields.get(b"transfer-encoding", b""):
            self.state = "chunk"
        elif b"content-length" in fields:
            self.left = int(fields[b"content-length"])
            self.state = "body"
        else:
            self.state, self.close = "until close", True
        return True

    def _chunk(self):
        end = self.data.find(b"\r\n")
        if end < 0:
            return False
        size = int(bytes(self.data[:end]).split(b";")[0], 16)
        if size == 0:
            trailer = self.data.find(b"\r\n\r\n", end)
            if trailer < 0:
                return False
            self.wire += trailer + 4
            del self.data[:trailer + 4]
            self.state = "done"
            return True
        if len(self.data) < end + 2 + size + 2:
            return False
        self.wire += end + 2 + size + 2
        self.body += size
        del self.data[:end + 2 + size + 2]
        return True

    def step(self):
        """True while something moved."""
        if self.state == "head":
            return self._head()
        if self.state == "chunk":
            return self._chunk()
        if self.state in ("body", "until close"):
            take = len(self.data) if self.state == "until close" else min(self.left, len(self.data))
            self.body += take
            self.wire += take
            self.left -= take
            del self.data[:take]
            if self.state == "body" and self.left == 0:
                self.state = "done"
            return take > 0
        return False

    def run(self):
        while self.state != "done" and self.step():
            pass
        return self.state == "done"

    def seen(self):
        return Seen(self.status, self.body, self.wire, self.head, self.version)


class Driver:
    def __init__(self, port, requests, concurrency, host, think):
        self.port, self.host, self.concurrency = port, host, concurrency
        self.think = random.Random(len(requests)), think
        self.todo = collections.deque(requests)
        self.seen, self.broken, self.connections = {}, [], 0
        self.sent = self.received = 0  # octets on all connections

    async def _one(self, reader, writer, parser, item):
        parser.expect(item.method)
        writer.write(item.data)
        self.sent += len(item.data)
        while not parser.run():
            data = await reader.read(65536)
            if not data:
                if parser.state == "until close":
                    break
                return False
            self.received += len(data)
            parser.feed(data)
        self.seen[item.id] = parser.seen()
        return True

    async def _worker(self):
        while self.todo:
            reader, writer = await asyncio.open_connection(self.host, self.port, limit=1 << 20)
            # As most clients, at most 64 KiB a call: chunk framing beyond that is out of sight.
            writer.transport.max_size = 65536
            self.connections += 1
            parser, used = Parser(), 0
            while self.todo:
                item = self.todo.popleft()
                if not await self._one(reader, writer, parser, item):
                    # A server may close an idle connection under our feet: only then again.
                    if used and parser.state == "head" and not parser.data and item.method == "GET":
                        self.todo.append(item)
                    else:
                        self.broken.append(item.id)
                    break
                used += 1
                if self.think[1]:
                    await asyncio.sleep(self.think[0].uniform(0, self.think[1]))
                if item.close or parser.close:
                    break
            writer.close()
            try:
                await writer.wait_closed()
            except OSError:
                pass

    async def run(self):
        await asyncio.gather(*(self._worker() for _ in range(self.concurrency)))


def drive_all(port, requests, concurrency=64, host="127.0.0.1", think=0):
    """Sends all; returns the driver with what it saw. A broken exchange fails the test. Each client
    pauses up to `think` seconds after an answer."""
    driver = Driver(port, requests, concurrency, host, think)
    asyncio.run(asyncio.wait_for(driver.run(), 300))
    check(not driver.broken, "driver: %d exchanges broke, first %s" % (len(driver.broken), driver.broken[:3]))
    return driver


def drive(port, requests, concurrency=64, host="127.0.0.1", think=0):
    """Sends all; returns {id: Seen}."""
    return drive_all(port, requests, concurrency, host, think).seen


class Background:
    """A load in a thread while the test does something else."""

    def __init__(self, port, requests, concurrency=16):
        self.driver, self.error = None, None

        def body():
            try:
                self.driver = drive_all(port, requests, concurrency)
            except BaseException as error:
                self.error = error
        self.thread = threading.Thread(target=body, daemon=True)
        self.thread.start()

    def busy(self):
        return self.thread.is_alive()

    def wait(self):
        self.thread.join(300)
        if self.error:
            raise self.error
        return self.driver
