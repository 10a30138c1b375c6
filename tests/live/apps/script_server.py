# SPDX-License-Identifier: Apache-2.0
"""The server of the hard cases: the path says how to misbehave. A thread a connection, raw sockets.

    script_server.py PORT [unix:PATH] [inet6]

Every path but those listed answers 200 with two octets. Requests may be pipelined.
"""
import os
import socket
import struct
import sys
import threading
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Connection:
    def __init__(self, sock):
        self.sock, self.data = sock, b""

    def more(self, flags=0):
        part = self.sock.recv(65536, flags)
        if not part:
            raise EOFError
        self.data += part

    def head(self):
        while b"\r\n\r\n" not in self.data:
            self.more()
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        return head

    def take(self, count):
        while len(self.data) < count:
            self.more()
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def line(self):
        while b"\r\n" not in self.data:
            self.more()
        line, self.data = self.data.split(b"\r\n", 1)
        return line

    def chunks(self):
        """A chunked body without trailers, to its end."""
        while True:
            size = int(self.line().split(b";")[0], 16)
            self.take(size + 2)
            if size == 0:
                return

    def slowly(self, parts, seconds=0.003):
        for part in parts:
            self.sock.sendall(part)
            time.sleep(seconds)


def split_status(c, part):
    c.slowly([b"HT", b"TP/1.1 2", b"01 Created\r\nContent-Le", b"ngth: 3\r\n", b"\r\nabc"])


def early_response(c, part):
    """Answers before the request has ended."""
    c.sock.sendall(OK)


def interim(c, part):
    c.slowly([b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", b"HTTP/1.1 206 Partial\r\nContent-Length: 2\r\n\r\nok"])


def chunked(c, part):
    c.slowly([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n5;ext=1\r\nhello\r",
              b"\n6\r\n world\r\n0\r\nX-T: 1\r\n\r", b"\n"])


def until_close(c, part):
    c.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
    raise EOFError


def upgrade(c, part):
    c.sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
    while True:
        c.sock.sendall(c.data)
        c.data = b""
        c.more()


def connect(c, part):
    c.sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    while True:
        c.sock.sendall(c.data)
        c.data = b""
        c.more()


def big_sendfile(c, part):
    """A sparse file of so many octets, head and body in calls of their own."""
    size = int(part[2])
    with open("/proc/self/cwd/sparse-%d" % size, "wb+") as f:
        f.truncate(size)
        c.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        c.sock.sendfile(f)
    os.unlink("sparse-%d" % size)


def vectors(c, part):
    c.sock.sendmsg([b"HTTP/1.1 200 OK\r\n", b"Content-", b"Length: 10\r\n\r\n", b"01234", b"56789"])


def more_flag(c, part):
    for piece in (b"HTTP/1.1 200 OK\r\n", b"Content-Length: 5\r\n\r\n", b"he"):
        c.sock.send(piece, socket.MSG_MORE)
    c.sock.sendall(b"llo")


def spliced(c, part):
    """The body comes out of a pipe by splice."""
    c.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n")
    out, into = os.pipe()
    os.write(into, b"s" * 40000)
    left = 40000
    while left:
        left -= os.splice(out, c.sock.fileno(), left)
    os.close(out)
    os.close(into)


def reset_unread(c, part):
    """Answers and closes with the body of the request unread: the kernel sends a reset."""
    c.sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
    time.sleep(0.05)
    c.sock.close()
    raise EOFError


def abort(c, part):
    """Resets the connection in the middle of the response."""
    c.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
    time.sleep(0.02)
    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.sock.close()
    raise EOFError


def stream(c, part):
    """So many octets in pieces of 64 KiB, as fast as the client takes them."""
    size = int(part[2])
    c.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    while size:
        size -= c.sock.send(b"z" * min(size, 65536))


def bare(line):
    return lambda c, part: c.sock.sendall(line + b"\r\n\r\n")


PATHS = {
    "split": split_status, "early": interim, "chunk": chunked, "close": until_close, "upgrade": upgrade,
    "sendfile": big_sendfile, "vectors": vectors, "more": more_flag, "spliced": spliced,
    "reset-unread": reset_unread, "abort": abort, "stream": stream,
    "head": bare(b"HTTP/1.1 200 OK\r\nContent-Length: 9999"), "204": bare(b"HTTP/1.1 204 No Content"),
    "304": bare(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 123"),
}


def one(c):
    head = c.head()
    lines = head.split(b"\r\n")
    method, target = lines[0].split(b" ")[:2]
    part = target.decode("latin1").split("?")[0].split("/")
    name = part[1] if len(part) > 1 else ""
    fields = {l.split(b":")[0].lower(): l.split(b":", 1)[1].strip() for l in lines[1:] if b":" in l}
    if name == "reset-unread":
        return reset_unread(c, part)
    if name == "answer-first":
        early_response(c, part)
        c.take(int(fields[b"content-length"]))
        return
    if fields.get(b"expect") == b"100-continue":
        c.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if b"content-length" in fields:
        c.take(int(fields[b"content-length"]))
    if fields.get(b"transfer-encoding") == b"chunked":
        c.chunks()
    if method == b"CONNECT":
        return connect(c, part)
    PATHS.get(name, lambda c, part: c.sock.sendall(OK))(c, part)


def serve(sock):
    c = Connection(sock)
    try:
        while True:
            one(c)
    except (EOFError, OSError):
        pass
    finally:
        sock.close()


def main():
    if len(sys.argv) > 2 and sys.argv[2].startswith("unix:"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(sys.argv[2][5:])
    else:
        inet6 = "inet6" in sys.argv
        listener = socket.socket(socket.AF_INET6 if inet6 else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("::1" if inet6 else "127.0.0.1", int(sys.argv[1])))
    listener.listen(64)
    while True:
        sock, _ = listener.accept()
        if listener.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(sock,), daemon=True).start()


main()
