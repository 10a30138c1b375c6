# SPDX-License-Identifier: Apache-2.0
"""edge.py as a WSGI application; the log's name is in EDGE_LOG."""
import os
import time

log = os.open(os.environ["EDGE_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def application(environ, start_response):
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    time.sleep(int(body[-1:], 16) / 1000)
    os.write(log, b"%d %s\n" % (int(environ["REMOTE_PORT"]), body))
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
