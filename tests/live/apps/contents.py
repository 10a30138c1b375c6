#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Answers at once, with contents of many shapes: contents.py PORT.

Every answer has the id of the query at the end of its JSON, so whoever found the id read all of it. What
an answer is made of stands ready, so that it leaves some ten microseconds after the request was read.
"""
import json
import random
import socket
import sys
import threading
import zlib

ROW = {"name": "a name with \"quotes\" and ümlauts", "price": "1234.50", "tags": ["a", "b"], "stock": 17}


def rows(size):
    """JSON without its end, about so long; a sixth of that with gzip."""
    dice = random.Random(1)
    text = '{"rows":[' + ",".join(json.dumps(dict(ROW, code="%036x" % dice.getrandbits(144)), ensure_ascii=False)
                                  for _ in range(size // 165))
    return (text + ']').encode()


def ending(key):
    return b',"session":{"id":"' + key + b'"}}'


class Gzip:
    def __init__(self, text):
        self.state = zlib.compressobj(6, zlib.DEFLATED, 31)
        self.begin = self.state.compress(text) + self.state.flush(zlib.Z_FULL_FLUSH)

    def whole(self, end):
        state = self.state.copy()
        return self.begin + state.compress(end) + state.flush()


LONG, BIG, SHORT = rows(300_000), rows(200_000), rows(58_000)
PACKED = Gzip(LONG)


def head(*fields, status="200 OK", kind="application/json"):
    return ("HTTP/1.1 %s\r\nContent-Type: %s\r\n" % (status, kind) + "".join(f + "\r\n" for f in fields) + "\r\n").encode()


def length(body, *fields, kind="application/json"):
    return head("Content-Length: %d" % len(body), *fields, kind=kind)


def answer(path, key):
    """The writes that the answer is made of; None at the end: close."""
    if path == "/small":
        body = b'{"n":1' + ending(key)
        return [length(body) + body]
    if path == "/split":
        body = SHORT + ending(key)
        return [length(body), body]
    if path == "/one":
        body = SHORT + ending(key)
        return [length(body) + body]
    if path == "/gzip":
        body = PACKED.whole(ending(key))
        return [length(body, "Content-Encoding: gzip") + body]
    if path == "/huge":
        body = LONG + ending(key)
        return [length(body) + body]
    if path == "/big":
        body = BIG + ending(key)
        return [length(body) + body]
    if path == "/parts":
        body = LONG + ending(key)
        whole = length(body) + body
        return [whole[i:i + 16384] for i in range(0, len(whole), 16384)]
    if path == "/chunked":
        body = LONG + ending(key)
        parts = [body[i:i + 8000] for i in range(0, len(body), 8000)]
        return [head("Transfer-Encoding: chunked")] + [b"%x\r\n%s\r\n" % (len(p), p) for p in parts] + [b"0\r\n\r\n"]
    if path == "/close":
        return [head("Connection: close") + SHORT + ending(key), None]
    if path == "/other":
        body = SHORT + ending(key)
        return [length(body, kind="application/octet-stream") + body]
    return [head(status="204 No Content")]


def serve(s):
    kept = b""
    with s:
        while True:
            while b"\r\n\r\n" not in kept:
                more = s.recv(65536)
                if not more:
                    return
                kept += more
            first, kept = kept.split(b"\r\n\r\n", 1)
            lines = first.decode("latin-1").split("\r\n")
            path, _, key = lines[0].split(" ")[1].partition("?k=")
            left = sum(int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:"))
            while left > len(kept):
                left -= len(kept)
                kept = s.recv(65536)
                if not kept:
                    return
            kept = kept[left:]
            for part in answer(path, key.encode()):
                if part is None:
                    return
                s.sendall(part)


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=512)
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(connection,), daemon=True).start()
