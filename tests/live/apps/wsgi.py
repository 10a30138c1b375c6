# SPDX-License-Identifier: Apache-2.0
"""The WSGI application of the live tests: /b/<status>/<size>[/chunked]; gunicorn logs the truth."""
REASONS = {200: "OK", 201: "Created", 204: "No Content", 404: "Not Found", 500: "Internal Server Error"}


def application(environ, start_response):
    part = environ["PATH_INFO"].split("/")
    status, size = (int(part[2]), int(part[3])) if part[1] == "b" else (404, 9)
    while environ["wsgi.input"].read(65536):
        pass
    if environ["REQUEST_METHOD"] == "HEAD" or status == 204:
        start_response("%d %s" % (status, REASONS[status]),
                       [] if status == 204 else [("Content-Length", str(size))])
        return []
    if part[-1] == "chunked":
        start_response("%d %s" % (status, REASONS[status]), [("Content-Type", "text/plain")])
        return [b"g" * (size // 2), b"g" * (size - size // 2)]
    start_response("%d %s" % (status, REASONS[status]), [("Content-Length", str(size))])
    return [b"g" * size]
