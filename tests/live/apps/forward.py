# SPDX-License-Identifier: Apache-2.0
"""A name server that knows nothing itself: forward.py ADDRESS UPSTREAM; one question at a time."""
import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], 53))
print("ready", flush=True)
while True:
    question, who = server.recvfrom(4096)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream:
        upstream.connect((sys.argv[2], 53))
        upstream.settimeout(2)
        try:
            upstream.send(question)
            server.sendto(upstream.recv(4096), who)
        except OSError:
            pass
