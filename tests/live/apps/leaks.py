#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Answers what the kind of secret wants that X-Case names (lib/leaks.py); a line in the log for each.

    leaks.py PORT LOG
"""
import os
import re
import socket
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import leaks  # noqa: E402

KINDS = leaks.all_kinds()


def serve(connection, log):
    with connection:
        connection.settimeout(10)
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(65536)
            if not more:
                return
            head += more
        head, _, body = head.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: (\d+)", head, re.I)
        chunked = re.search(rb"\r\nTransfer-Encoding: chunked", head, re.I)
        while len(body) < int(length[1] if length else 0) or (chunked and not body.endswith(b"\r\n\r\n")):
            body += connection.recv(65536)
        os.write(log, head.split(b"\r\n")[0] + b" " + re.search(rb"X-Case: (\d+)", head, re.I)[1] + b"\n")
        connection.sendall(KINDS[int(re.search(rb"X-Case: (\d+)", head, re.I)[1])].response())


def main(port, path):
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=512)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0], log), daemon=True).start()


main(*sys.argv[1:])
