# SPDX-License-Identifier: Apache-2.0
"""A collector that does as it is told: any status, Retry-After, partial success, slowness, silence,
garbage. It keeps every request it saw, decoded. Standard library only; the OTLP answers are the few
bytes that protobuf makes of them.

    f = Fake(answer(503, {"Retry-After": "2"}), ok())      # one for each request, the last for ever
"""
import collections
import gzip
import http.server
import socket
import ssl
import threading
import time

Request = collections.namedtuple("Request", "time path headers body raw connection")


def varint(n):
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7f | 0x80])
        n >>= 7
    return out + bytes([n])


def partial(rejected, message=b""):
    """Export…ServiceResponse { partial_success { rejected = 1, error_message = 2 } }."""
    inner = (b"\x08" + varint(rejected) if rejected else b"") + (b"\x12" + varint(len(message)) + message if message else b"")
    return b"\x0a" + varint(len(inner)) + inner


def status_body(message):
    """google.rpc.Status { code = 1, message = 2 }."""
    return b"\x08\x03\x12" + varint(len(message)) + message


def answer(code, headers=None, body=b"", kind="application/x-protobuf", wait=0):
    def act(handler):
        time.sleep(wait)
        handler.send_response(code)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            handler.send_header(name, value() if callable(value) else value)
        handler.end_headers()
        handler.wfile.write(body)
    return act


def ok():
    return answer(200, body=partial(0))  # present but empty: what the real collector answers


def hang_up(handler):
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def garbage(handler):
    handler.connection.sendall(b"\x00\xff\x16\x03 this is no HTTP\r\n\r\n" * 10)
    hang_up(handler)


def endless_body(handler):
    """Promises and sends far more than anybody wants to read."""
    handler.send_response(400)
    handler.send_header("Content-Length", str(50 << 20))
    handler.end_headers()
    try:
        for _ in range(50):
            handler.wfile.write(b"\x1b[31m!" * (1 << 20 >> 3))
    except OSError:
        pass
    handler.close_connection = True


def cut_body(code):
    """A whole head, and half of the body that it promised."""
    def act(handler):
        handler.send_response(code)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"x" * 500)
        handler.wfile.flush()
        hang_up(handler)
    return act


def half_a_head(handler):
    """A status line, then silence with the connection open."""
    handler.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
    time.sleep(3)
    hang_up(handler)


def drip(handler):
    """A body that never ends, an octet at a time."""
    handler.send_response(503)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    try:
        for _ in range(100):
            handler.connection.sendall(b"x")
            time.sleep(0.05)
    except OSError:
        pass
    handler.close_connection = True


def interim_only(handler):
    handler.connection.sendall(b"HTTP/1.1 103 Early Hints\r\nRetry-After: 3600\r\n\r\n")
    hang_up(handler)


def endless_head(handler):
    sent = 0
    try:
        handler.connection.sendall(b"HTTP/1.1 503 Busy\r\n")
        for i in range(100000):
            handler.connection.sendall((b"X-%d: " % i + b"y" * 1000 + b"\r\n") * 10)
            sent += 10000
    except OSError:
        pass
    handler.server.endless = sent
    handler.close_connection = True


class Fake:
    def __init__(self, *script, port=0, tls=None):
        self.script = list(script) or [ok()]
        self.seen = []
        self.lock = threading.Lock()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                body = gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw
                with fake.lock:
                    fake.seen.append(Request(time.monotonic(), self.path, dict(self.headers), body, raw,
                                             self.client_address))
                    act = fake.script.pop(0) if len(fake.script) > 1 else fake.script[0]
                act(self)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # the agent hangs up on us in several tests

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.endpoint = "%s://127.0.0.1:%d" % ("https" if tls else "http", self.port)
        self.traces, self.metrics = self.endpoint + "/v1/traces", self.endpoint + "/v1/metrics"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def requests(self, path="/v1/traces"):
        with self.lock:
            return [r for r in self.seen if r.path == path]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
