# SPDX-License-Identifier: Apache-2.0
"""Servers in which one process accepts and another answers: family.py PORT MODE.

  prefork   four children inherit the listener and accept by themselves
  inherited the parent accepts, a child forked for the connection answers and ends
  passed    the parent accepts and hands the socket to a worker over a Unix socket
  spawned   the parent accepts; a fresh program gets the socket as its standard input (inetd)

Every answer's body is the pid of the process that wrote it: the truth of who owns the transaction.
"""
import array
import os
import signal
import socket
import subprocess
import sys

PORT, MODE = int(sys.argv[1]), sys.argv[2]
# The whole of a server that lives for one connection: reads a head, answers, ends.
ONCE = ('IFS= read -r line; while IFS= read -r rest; do [ ${#rest} -le 1 ] && break; done; '
        'body="pid $$"; printf "HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n%s" ${#body} "$body"')


def answer(sock):
    """Keep-alive until the client leaves."""
    data = b""
    with sock:
        while True:
            while b"\r\n\r\n" not in data:
                part = sock.recv(65536)
                if not part:
                    return
                data += part
            data = data.split(b"\r\n\r\n", 1)[1]
            body = b"pid %d" % os.getpid()
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def prefork(listener):
    for _ in range(4):
        if os.fork() == 0:
            while True:
                answer(listener.accept()[0])
    signal.pause()


def inherited(listener):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        sock, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            answer(sock)
            os._exit(0)
        sock.close()


def passed(listener):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    if os.fork() == 0:
        ours.close()
        listener.close()
        while True:
            data, ancillary, _, _ = theirs.recvmsg(1, socket.CMSG_SPACE(4))
            if not data:
                os._exit(0)
            fd = array.array("i", ancillary[0][2][:4])[0]
            answer(socket.socket(fileno=fd))
    theirs.close()
    while True:
        sock, _ = listener.accept()
        ours.sendmsg([b"s"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [sock.fileno()]))])
        sock.close()


def spawned(listener):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        sock, _ = listener.accept()
        subprocess.Popen(["/bin/sh", "-c", ONCE], stdin=sock, stdout=sock, close_fds=True)
        sock.close()


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", PORT))
listener.listen(64)
{"prefork": prefork, "inherited": inherited, "passed": passed, "spawned": spawned}[MODE](listener)
