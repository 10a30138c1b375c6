# SPDX-License-Identifier: Apache-2.0
"""An application of the edge test that calls another: PORT BACK [background]. A thread a connection.

What it is asked and what it asks have nothing in common but the id in the body, where no linker looks. As a
WSGI application (EDGE_BACK is the other's port) it keeps one connection a thread."""
import http.client
import http.server
import os
import sys
import threading
import time

local = threading.local()


def call(back, body, keep):
    connection = getattr(local, "connection", None) or http.client.HTTPConnection("127.0.0.1", back, timeout=60)
    local.connection = connection if keep else None
    connection.request("POST", "/inner", body)
    answer = connection.getresponse().read()
    if not keep:
        connection.close()
    return answer


def application(environ, start_response):
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    time.sleep(int(body[-2:-1], 16) / 4000)
    answer = call(int(os.environ["EDGE_BACK"]), body, True)
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        global latest
        latest = time.monotonic()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(int(body[-2:-1], 16) / 4000)
        answer = call(int(sys.argv[2]), body, False)
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 4096
    daemon_threads = True


latest = 0


def background():
    """From the first request until the last one."""
    number = 0
    while True:
        time.sleep(0.02)
        if time.monotonic() < latest + 0.3:
            call(int(sys.argv[2]), b"ba%06x" % number, True)
            number += 1


if __name__ == "__main__":
    if "background" in sys.argv:
        threading.Thread(target=background, daemon=True).start()
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
