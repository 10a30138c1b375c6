# SPDX-License-Identifier: Apache-2.0
"""A client that connects where it is told and says what became of it.

A JSON object a line on standard input: host, port; optional timeout (s), tls ("1.2" or "1.3": verified against
nothing), trust (a certificate's file), name (asked for by TLS), plain (sends an HTTP request instead). Answers
a line: the name of the errno, "timeout" where the limit was its own, the reason of a TLS error, or "ok".
"""
import errno
import json
import socket
import ssl
import sys

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def secured(s, what):
    context = ssl.create_default_context(cafile=what.get("trust"))
    context.minimum_version = context.maximum_version = VERSIONS[what["tls"]]
    context.check_hostname = "trust" in what
    return context.wrap_socket(s, server_hostname=what.get("name"))


def attempt(what):
    try:
        s = socket.create_connection((what["host"], what["port"]), what.get("timeout"))
        with s:
            if "tls" in what:
                with secured(s, what) as t:
                    t.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    t.recv(100)
            elif what.get("plain"):
                s.sendall(b"GET /plain HTTP/1.1\r\nHost: h\r\n\r\n")
                s.recv(100)
            else:
                s.recv(1)
        return "ok"
    except TimeoutError as e:
        return "timeout" if e.errno is None else errno.errorcode[e.errno]
    except ssl.SSLError as e:
        return e.reason or str(e)
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e))


for line in sys.stdin:
    print(attempt(json.loads(line)), flush=True)
