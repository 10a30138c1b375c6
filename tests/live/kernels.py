#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The kernel matrix: boots Debian's cloud kernels in QEMU and runs the agent inside.

For each kernel: every capture source that it should have loads, a smoke run of exactness (each
request with an id of its own, compared with the server's access log) with each source and with the
default whole-host scope (allowed here alone), and a clear refusal of a source that it cannot have.
The verifier's instruction count of every program, on each kernel and on this machine's own, goes
into a table, build/vm/verifier.txt. Kernel packages are cached beside it.

Arguments choose cases by part of their name: `kernels.py 'kernel 6.1 '` (6.12 is not meant).
"""
import json
import os
import re
import subprocess
import time

from lib import process
from lib.agent import Agent, sources
from lib.suite import Skip, Suite, check
from vm import guest, smoke

GUEST_SECONDS = 540
BOOT_SECONDS = 60
LIMIT = 1000000  # of the verifier
CACHE = os.path.join(process.BUILD, "vm")
CASES = os.path.join(process.TOP, "tests", "live", "vm")
USERS = (b"root:x:0:0::/:/bin/sh\nparcours:x:977:977::/:/bin/false\n"
         b"nobody:x:65534:65534::/:/bin/false\n")
GROUPS = b"root:x:0:\nparcours:x:977:\nnogroup:x:65534:\n"

# name → (Debian's metapackage, the sources that the kernel has)
KERNELS = {
    "6.1": ("linux-image-cloud-amd64", ("syscall",)),
    "6.12": ("linux-image-6.12-cloud-amd64", ("syscall", "sock")),
}

table = {}  # kernel → source → program → instructions


def text(case, name):
    return case.get(name, b"").decode(errors="replace").strip()


def start(kernel, package):
    """Boots one kernel and returns its cases: {case: {file: bytes}}."""
    if not os.path.exists(process.PARCOURS):
        raise RuntimeError("no %s: run make first" % process.PARCOURS)
    home = os.path.join(CACHE, kernel)
    os.makedirs(home, exist_ok=True)
    try:
        vmlinuz = guest.kernel(package, CACHE)
        programs = {"bin/busybox": guest.program("busybox"), "usr/bin/parcours": process.PARCOURS,
                    "usr/sbin/nginx": guest.program("nginx"), "usr/bin/curl": guest.program("curl"),
                    "usr/sbin/bpftool": guest.program("bpftool")}
        guest.program("qemu-system-x86_64")
    except guest.Missing as why:
        raise Skip(str(why))
    files = dict(smoke.files(), **{"case/limit": (0o644, b"%d\n" % GUEST_SECONDS),
                                   "etc/passwd": (0o644, USERS), "etc/group": (0o644, GROUPS)})
    for name, there in (("init", "init"), ("steps", "case/steps"), ("nginx.conf", "case/nginx.conf"),
                        ("visit", "case/visit")):
        with open(os.path.join(CASES, name), "rb") as f:
            files[there] = (0o755, f.read())
    initrd = os.path.join(home, "initrd.gz")
    guest.initramfs(initrd, programs, files)
    got = guest.boot(vmlinuz, initrd, home, GUEST_SECONDS + BOOT_SECONDS)
    console = os.path.join(home, "console.log")
    check(got is not None, "nothing came back within %d s; its console:\n%s" % (
        GUEST_SECONDS + BOOT_SECONDS, process.read(console)[-800:]))
    cases = {"": {}}
    for name, data in got.items():
        case, _, rest = name.rpartition("/")
        cases.setdefault(case, {})[rest] = data
        os.makedirs(os.path.join(home, "out", case), exist_ok=True)
        process.write(os.path.join(home, "out", name), data)
    return cases


def boots(kernel, cases):
    release = text(cases[""], "kernel")
    check(release.startswith(kernel + "."), "the guest runs %s" % release)
    check("out_of_time" not in cases[""], "the guest ran out of its %d s" % GUEST_SECONDS)
    return release


def doctor(kernel, cases):
    case = cases.get("doctor", {})
    said = text(case, "stdout")
    check(text(case, "rc") == "0" and text(cases[""], "kernel") in said,
          "status %s, does not name the kernel: %s %s" % (text(case, "rc"), said, text(case, "err")))
    return "%d lines" % len(said.splitlines())


def exact(cases, name, whole_host):
    case = cases.get(name, {"why": b"did not run"})
    sentence, wrong = smoke.compare(case, whole_host)
    check(not wrong, "%s: %s" % (sentence, "; ".join(wrong[:6])))
    return sentence


def refused(cases, name):
    case = cases.get(name, {})
    said = text(case, "err")
    check(text(case, "rc") not in ("", "0") and "ready" not in said.split(),
          "was not refused: status %s, %s" % (text(case, "rc"), said))
    check(re.search(r"--capture (syscall|auto)", said), "does not say what to do: " + said)
    return said.replace("\n", " ")[:120]


def instruction_counts(fdinfo, programs):
    """{program: instructions the verifier walked} of the programs held open by the agent."""
    names = {p["id"]: p.get("name", "?") for p in json.loads(programs or "[]")}
    return {names.get(int(i), "?"): int(n) for i, n in
            re.findall(r"^prog_id:\s*(\d+)\n(?:run_\w+:.*\n|recursion_\w+:.*\n)*"
                       r"verified_insns:\s*(\d+)", fdinfo, re.M)}


def verifier(kernel, cases, source):
    case = cases.get(source, {})
    counts = instruction_counts(text(case, "fdinfo"), text(case, "programs.json"))
    check(counts, "no program among the agent's open files: " + text(case, "programs.err"))
    check("?" not in counts, "a program without a name")
    table.setdefault(kernel, {})[source] = counts
    largest = max(counts, key=counts.get)
    check(counts[largest] < LIMIT * 3 // 4, "%s walks %d of the %d instructions that the verifier grants"
          % (largest, counts[largest], LIMIT))
    return "%d programs, %d instructions, at most %d" % (
        len(counts), sum(counts.values()), max(counts.values()))


def here(name, source):
    """The same on this machine, with an agent that watches a port of ours where nothing happens."""
    agent = Agent("--port", process.free_port(), source=source)
    fdinfo = ""
    for pid in [agent.pid] + agent.pids():
        for fd in os.listdir("/proc/%d/fdinfo" % pid):
            fdinfo += process.read("/proc/%d/fdinfo/%s" % (pid, fd))
    listed = subprocess.run([guest.program("bpftool"), "-j", "prog", "show"], timeout=60,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    agent.stop()
    return verifier(name, {source: {"fdinfo": fdinfo.encode(), "programs.json": listed.stdout}}, source)


def write_table(path):
    kernels = list(table)
    rows = sorted({(s, p) for k in kernels for s, counts in table[k].items() for p in counts})
    lines = ["Instructions that the verifier walked (its limit: 1,000,000), by kernel", "",
             "%-8s %-28s" % ("source", "program") + "".join("%12s" % k for k in kernels)]
    for source, program in rows:
        lines.append("%-8s %-28s" % (source, program) + "".join(
            "%12s" % table[k].get(source, {}).get(program, "-") for k in kernels))
    process.write(path, "\n".join(lines) + "\n")


def one_kernel(suite, kernel, package, has):
    cases = {}

    def boot():
        begin = time.monotonic()
        cases.update(start(kernel, package))
        return "%s in %.0f s" % (boots(kernel, cases), time.monotonic() - begin)

    suite.run("kernel %s boot" % kernel, boot)
    if not cases:
        return
    suite.run("kernel %s doctor" % kernel, doctor, kernel, cases)
    for source in ("sock", "syscall"):
        if source in has:
            suite.run("kernel %s verifier %s" % (kernel, source), verifier, kernel, cases, source)
            suite.run("kernel %s exact %s" % (kernel, source), exact, cases, source, False)
        else:
            suite.run("kernel %s refuses %s" % (kernel, source), refused, cases, source)
    suite.run("kernel %s exact auto" % kernel, exact, cases, "auto", False)
    suite.run("kernel %s exact whole host" % kernel, exact, cases, "whole_host", True)


def main():
    suite = Suite()
    os.makedirs(CACHE, exist_ok=True)
    for kernel, (package, has) in KERNELS.items():
        if suite.wanted("kernel %s " % kernel):
            one_kernel(suite, kernel, package, has)
    own = "%s (here)" % ".".join(os.uname().release.split(".")[:2])
    for source in sources():
        suite.run("this machine verifier " + source, here, own, source)
    if table and not suite.only:  # a part would overwrite the whole
        write_table(os.path.join(CACHE, "verifier.txt"))
    suite.done()


main()
