# SPDX-License-Identifier: Apache-2.0
"""A name server of the test's own on a loopback address, and clients that know no other.

Its log is the truth. The clients see their own resolv.conf, hosts and nsswitch.conf in a mount namespace of
theirs; those of the machine are not touched.
"""
import collections
import random
import shlex
import socket
import struct
import threading

from . import process

A, AAAA = 1, 28
RCODES = {"ok": 0, "formerr": 1, "servfail": 2, "nxdomain": 3, "notimp": 4, "refused": 5}


def question_of(octets):
    """(name, type, where the question ends)."""
    labels, at = [], 12
    while octets[at]:
        labels.append(octets[at + 1:at + 1 + octets[at]].decode("latin-1"))
        at += 1 + octets[at]
    return ".".join(labels).lower(), struct.unpack_from(">H", octets, at + 1)[0], at + 5


def answer_to(octets, how, addresses=(), cut=False):
    """The answer to a question: a code, and addresses of the type that was asked for."""
    _, kind, end = question_of(octets)
    packed = [socket.inet_pton(socket.AF_INET6 if ":" in a else socket.AF_INET, a) for a in addresses
              if (":" in a) == (kind == AAAA)] if kind in (A, AAAA) else []
    flags = 0x8180 | RCODES[how] | (0x200 if cut else 0)
    records = [] if cut else [struct.pack(">HHHIH", 0xc00c, kind, 1, 30, len(p)) + p for p in packed]
    return octets[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + octets[12:end] + b"".join(records)


class NameServer:
    """`zone`: name → (how, addresses…); "silent": no answer; "second": to the second question only; "tcp": over TCP
    only. What is not in it is not there. `asked`: (name, type) as they came."""

    def __init__(self, zone, address=None):
        self.zone, self.asked, self.lock = zone, [], threading.Lock()
        self.seen = collections.Counter()
        while True:
            self.address = address or "127.%d.%d.%d" % tuple(random.randrange(1, 255) for _ in range(3))
            self.udp, self.tcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()
            try:
                self.udp.bind((self.address, 53))
                self.tcp.bind((self.address, 53))
                break
            except OSError:
                if address:
                    raise
        self.tcp.listen(8)
        for serve in (self._udp, self._tcp):
            threading.Thread(target=serve, daemon=True).start()

    def _how(self, octets, tcp):
        name, kind, _ = question_of(octets)
        with self.lock:
            self.asked.append((name, kind))
            self.seen[name, kind] += 1
            how, *addresses = self.zone.get(name, ("nxdomain",))
            if how == "silent" or (how == "second" and self.seen[name, kind] < 2):
                return None
        if how == "tcp":
            return answer_to(octets, "ok", addresses, cut=not tcp)
        return answer_to(octets, "ok" if how == "second" else how, addresses)

    def _udp(self):
        while True:
            try:
                octets, who = self.udp.recvfrom(4096)
            except OSError:
                return
            if not octets:
                return  # it was shut down
            answer = self._how(octets, False)
            if answer:
                self.udp.sendto(answer, who)

    def _tcp(self):
        while True:
            try:
                c, _ = self.tcp.accept()
            except OSError:
                return
            with c:
                c.settimeout(5)
                head = c.recv(2, socket.MSG_WAITALL)
                while len(head) == 2:
                    answer = self._how(c.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL), True)
                    if answer:
                        c.sendall(struct.pack(">H", len(answer)) + answer)
                    head = c.recv(2, socket.MSG_WAITALL)

    def times(self, name):
        with self.lock:
            return sum(n == name for n, _ in self.asked)

    def stop(self):
        for s in (self.udp, self.tcp):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


def behind(servers, command, search="", options="timeout:1 attempts:2", hosts="127.0.0.1 localhost\n"):
    """The command that runs `command` with these name servers and no others. Its process is the command's."""
    place = process.folder("names")
    files = {"resolv.conf": "".join("nameserver %s\n" % s for s in servers) + "options %s\n" % options +
             ("search %s\n" % search if search else ""),
             "hosts": hosts, "nsswitch.conf": "hosts: files dns\n"}
    lines = []
    for name, text in files.items():
        process.write("%s/%s" % (place, name), text)
        lines.append("mount --bind %s/%s $(readlink -f /etc/%s)" % (place, name, name))
    script = "set -e\n%s\nexec %s\n" % ("\n".join(lines), " ".join(map(shlex.quote, command)))
    return ["unshare", "--mount", "sh", "-c", script]
