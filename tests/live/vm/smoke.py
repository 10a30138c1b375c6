# SPDX-License-Identifier: Apache-2.0
"""Requests with unique ids for the guest's clients, and the comparison of what the agent wrote with
the server's access log: every logged request is exactly one transaction, nothing else appears.
"""

import json
from collections import Counter

CLIENTS = 4
EACH = 90
# The default scope: requests to a server that is started on each connection and keeps no log, and of
# clients that a listening process started, which are not ours (see steps).
INETD = VISITS = 5
PAGE = b"<p>a small file</p>\n" * 40

# (method, folder, size of the body, extra curl options). nginx.conf says what each folder answers.
KINDS = [
    ("GET", "hello", 0, []),
    ("HEAD", "hello", 0, ["head"]),
    ("POST", "hello", 700, []),
    ("PUT", "hello", 9000, ['header = "Transfer-Encoding: chunked"']),
    ("DELETE", "none", 0, []),
    ("GET", "missing", 0, []),
    ("GET", "file", 0, []),
    ("GET", "up", 0, []),
    ("POST", "up", 40, []),
    ("GET", "hello", 0, ['header = "Connection: close"']),
]


def curl_config(client):
    """One client's requests as a curl configuration file; a few large files among them."""
    lines = []
    for i in range(EACH):
        method, folder, size, options = KINDS[i % len(KINDS)]
        if i % 30 == 17:
            method, folder, size, options = "GET", "big", 0, []
        if i:
            lines.append("next")
        lines.append('url = "http://127.0.0.1:8080/%s/%d-%d?id=%d"' % (folder, client, i, i))
        lines += ["silent", "show-error", "http1.1", 'output = "/dev/null"', 'header = "Expect:"']
        if "head" not in options:
            lines.append('request = "%s"' % method)
        if size:
            lines.append('data-binary = "%s"' % ("b" * size))
        lines += options
    return ("\n".join(lines) + "\n").encode()


def files():
    """What initramfs needs of this module."""
    made = {"case/requests.%d" % c: (0o644, curl_config(c)) for c in range(CLIENTS)}
    made["case/page.html"] = (0o644, PAGE)
    made["case/big.bin"] = (0o644, bytes(i * 7 & 255 for i in range(300000)))
    return made


def truth(log):
    """The access log as a list of (port, method, target, status, body bytes)."""
    rows = []
    for line in log.decode().splitlines():
        port, method, target, status, size = line.split()
        rows.append((int(port), method, target, int(status), int(size)))
    return rows


def transactions(ndjson, kind):
    for line in ndjson.decode(errors="replace").splitlines():
        o = json.loads(line)
        if o.get("type") == "transaction" and o.get("kind") == kind:
            target = o.get("url.path", "?") + ("?" + o["url.query"] if o.get("url.query") else "")
            # a client's server.port is that of the authority it asked for
            port = o.get("server.port" if kind == "server" else "network.peer.port")
            yield o, (port, o.get("http.request.method"), target,
                      o.get("http.response.status_code"), o.get("http.response.body.size", 0))


def differences(expected, seen):
    """Lines that say what is missing, doubled, invented or different; empty = equal."""
    expected, seen = Counter(expected), Counter(seen)
    lines = ["missing or different: %s × %d" % (k, n) for k, n in (expected - seen).items()]
    lines += ["not in the log: %s × %d" % (k, n) for k, n in (seen - expected).items()]
    return lines


def compare(case, whole_host):
    """Judges one case's files. Returns (sentence, list of what is wrong)."""
    if "why" in case:
        return case["why"].decode().strip(), [case.get("err", b"").decode(errors="replace")[-600:]]
    logged = truth(case["access.log"])
    edge = [r for r in logged if r[0] == 8080]
    behind = [r for r in logged if r[0] == 8081]
    wrong = []
    sent = CLIENTS * EACH + (VISITS if whole_host else 0)
    if len(edge) != sent:
        wrong.append("the load is incomplete: %d of %d requests logged; curl: %s" % (
            len(edge), sent, case.get("curl.err", b"").decode()[-300:]))
    inetd = [(8082, "GET", "/page.html?id=inetd-%d" % i, 200, len(PAGE)) for i in range(1, INETD + 1)]
    servers = [key for _, key in transactions(case["ndjson"], "server")]
    wrong += differences(logged + inetd if whole_host else edge, servers)
    calls = list(transactions(case["ndjson"], "client"))
    # A port is a scope on either side; the whole host is who listens and what they call.
    wrong += differences(behind if whole_host else edge, [key for _, key in calls])
    if whole_host:
        strangers = {o.get("process.executable.name") for o, _ in calls} - {"nginx"}
        if strangers:
            wrong.append("pure clients were watched: %s" % ", ".join(map(str, strangers)))
    if case["rc"].strip() != b"0":
        wrong.append("the agent ended with %s: %s" % (
            case["rc"].decode().strip(), case["err"].decode(errors="replace")[-300:]))
    return "%d requests logged, %d server and %d client transactions" % (
        len(logged), len(servers), len(calls)), wrong
