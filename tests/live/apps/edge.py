# SPDX-License-Identifier: Apache-2.0
"""The innermost application of the edge test, one thread a connection. PORT LOG

It logs for each request the port of the connection it came by and the id in the request's body, which no
linker looks at."""
import http.server
import os
import sys
import threading
import time

log = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(int(body[-1:], 16) / 1000)  # answers overlap and overtake each other
        os.write(log, b"%d %s\n" % (self.client_address[1], body))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 4096
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
