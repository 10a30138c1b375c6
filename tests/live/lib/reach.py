# SPDX-License-Identifier: Apache-2.0
"""Servers that answer badly or call where nobody is, and their visitors: for the tests of what was not reached."""
import http.client
import os
import subprocess

from . import process
from .suite import check


def server(mode, *argument, before=lambda command: command):
    """reach_server.py; `before` makes of a command the one that is started."""
    port = process.free_port()
    child = process.start(before([process.PYTHON, os.path.join(process.APPS, "reach_server.py"), mode, str(port),
                                  *argument]), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    check(child.stdout.readline() == b"ready\n", "the server did not start")
    return child, port


AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"


def ask(port, path):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    c.request("GET", path)
    c.getresponse().read()
    c.close()


def visit(port, path):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    c.request("GET", path, headers={
        "Host": "shop.example", "User-Agent": AGENT, "Accept": "text/html", "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document", "Cookie": "JSESSIONID=%032X" % (hash(path) & 2 ** 128 - 1)})
    answer = c.getresponse()
    answer.read()
    c.close()
    return answer.status
