# SPDX-License-Identifier: Apache-2.0
"""The Python client of the live tests: client.py PORT COUNT PREFIX; http.client in four threads."""
import http.client
import sys
import threading

PORT, COUNT, PREFIX = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
PATHS = ("/f1.bin", "/f777.bin", "/f5000.bin", "/f70000.bin", "/none", "/moved")


def run(first):
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    for i in range(first, COUNT, 4):
        method = ("GET", "HEAD", "POST")[i % 3]
        body = b"b" * (i % 5000) if method == "POST" else None
        connection.request(method, "%s?id=%s%d" % (PATHS[i % len(PATHS)], PREFIX, i), body)
        connection.getresponse().read()
        if i % 50 == 0:
            connection.close()
    connection.close()


threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
