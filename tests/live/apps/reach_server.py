# SPDX-License-Identifier: Apache-2.0
"""Servers that answer badly, or call where nobody is: reach_server.py MODE PORT [ARGUMENT [BACKEND]]

hang      listens with the backlog ARGUMENT and never accepts; a line on standard input: it accepts all that
          wait, and goes on so
unread    accepts and closes at once: what was sent to it is never read, so it resets
worker    HTTP, one connection and request at a time; a path below /call/ connects to ARGUMENT (HOST:PORT) before
          it answers, with 502 if that fails; one below /ask/ asks the server at the port BACKEND; /slow takes 5 ms
loop      the same on one event loop: requests side by side, and 30 ms between the request and the connect
"""
import asyncio
import http.client
import socket
import struct
import sys
import time

MODE, PORT = sys.argv[1], int(sys.argv[2])
ARGUMENT = sys.argv[3] if len(sys.argv) > 3 else ""
TEXT = b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"


def listen(backlog):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", PORT))
    s.listen(backlog)
    print("ready", flush=True)
    return s


def where():
    host, _, port = ARGUMENT.rpartition(":")
    return host, int(port)


def call():
    try:
        socket.create_connection(where(), 10).close()
        return b"200 OK"
    except OSError:
        return b"502 Bad Gateway"


def answer(line):
    if b"/call/" in line:
        return call()
    if b"/ask/" in line:
        back = http.client.HTTPConnection("127.0.0.1", int(sys.argv[4]))
        back.request("GET", "/slow")
        back.getresponse().read()
        back.close()
    elif b"/slow" in line:
        time.sleep(0.005)
    return b"200 OK"


def hang():
    s, held = listen(int(ARGUMENT)), []
    sys.stdin.readline()
    while True:
        held.append(s.accept())


def unread():
    s = listen(64)
    while True:
        c, _ = s.accept()
        time.sleep(0.02)  # what is sent right after the connect is there by then
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        c.close()


def worker():
    s = listen(64)
    while True:
        c, _ = s.accept()
        with c:
            head = b""
            while b"\r\n\r\n" not in head:
                more = c.recv(65536)
                if not more:
                    break
                head += more
            else:
                c.sendall(TEXT % answer(head.split(b"\r\n")[0]))


async def looped(reader, writer):
    head = await reader.readuntil(b"\r\n\r\n")
    status = b"200 OK"
    if b"/call/" in head.split(b"\r\n")[0]:
        await asyncio.sleep(0.03)
        try:
            _, other = await asyncio.open_connection(*where())
            other.close()
        except OSError:
            status = b"502 Bad Gateway"
    writer.write(TEXT % status)
    await writer.drain()
    writer.close()


async def loop():
    server = await asyncio.start_server(looped, "127.0.0.1", PORT, backlog=256)
    print("ready", flush=True)
    await server.serve_forever()


if MODE == "loop":
    asyncio.run(loop())
else:
    {"hang": hang, "unread": unread, "worker": worker}[MODE]()
