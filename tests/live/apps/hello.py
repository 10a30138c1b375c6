# SPDX-License-Identifier: Apache-2.0
"""The smallest WSGI application, for the benches."""


def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "28")])
    return [b"hello world, this is a body\n"]
