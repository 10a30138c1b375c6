#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The agent as a program: command line and exit codes, privileges of both processes, users, status,
reload, sd_notify, --exe with processes that live milliseconds.
"""
import json
import os
import pwd
import signal
import socket
import stat
import subprocess
import threading
import time

from lib import compare, load, process, schema, servers
from lib.agent import Agent, require, sources
from lib.suite import Skip, Suite, check, equal

AGENT = process.PARCOURS
# CAP_DAC_READ_SEARCH 2, CAP_SETGID 6, CAP_SETUID 7, CAP_SYS_PTRACE 19, CAP_PERFMON 38, CAP_BPF 39
WARDEN_CAPS = sum(1 << n for n in (2, 6, 7, 19, 38, 39))


def call(*args, timeout=30, **kw):
    """A command to its end. What this host keeps of another agent (secret, open visits) is no part of the test."""
    if args[:1] == ("run",) and "--help" not in args:
        args = ("run", "--state-directory", os.path.join(process.folder("call"), "state"), *args[1:])
    done = subprocess.run([AGENT, *map(str, args)], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, **kw)
    return done.returncode, done.stdout, done.stderr


def command_line():
    for args, want, text in (((), 2, "no command"), (("walk",), 2, "walk"), (("--help",), 0, "Exit codes"),
                             (("--version",), 0, "parcours"), (("run", "--help"), 0, "--ring-size"), (("run", "--help"), 0, "--pid and --exe are one kind"),
                             (("run", "--port", "x"), 2, "--port"), (("run", "extra"), 2, "extra"),
                             (("run", "--port"), 2, "needs a value"), (("replay",), 2, "name the file"),
                             (("record",), 2, "name the file"), (("check", "-c", "/nowhere.yaml"), 2, "/nowhere.yaml"),
                             (("status", "--status-socket", "/nowhere.sock"), 1, "/nowhere.sock")):
        code, out, err = call(*args)
        equal(code, want, "exit code of %s: %s" % (args, (out + err)[-300:]))
        check(text in out + err, "%s does not say %r: %s" % (args, text, (out + err)[-300:]))


def check_without_root():
    """As another user, from a place that it can enter."""
    require()
    place = process.folder("check")
    copy = place + "/parcours"
    subprocess.run(["cp", AGENT, copy], check=True)
    good = process.write(place + "/good.yaml", process.read(os.path.join(process.TOP, "share", "parcours.yaml")))
    bad = process.write(place + "/bad.yaml", "scope:\n  ports: [0]\nuzer: x\n")
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]
    done = subprocess.run([*user, copy, "check", good], capture_output=True, text=True)
    equal(done.returncode, 0, "check of the example: " + done.stderr)
    done = subprocess.run([*user, copy, "check", "-c", bad], capture_output=True, text=True)
    equal(done.returncode, 2, "check of a bad file")
    for part in ("bad.yaml:2: ", "bad.yaml:3: unknown key uzer: did you mean user?"):
        check(part in done.stderr, "%r is not in %r" % (part, done.stderr))
    done = subprocess.run([*user, copy, "doctor", "--json"], capture_output=True, text=True)
    found = {f["subject"]: f for f in json.loads(done.stdout)}
    equal(found["privilege"]["grade"], "bad", "doctor without root")
    equal(done.returncode, 1, "exit code of doctor without root")
    done = subprocess.run([AGENT, "doctor", "--json"], capture_output=True, text=True)
    equal(json.loads(done.stdout)[2]["grade"], "good", "doctor as root")


def largest_ring(source):
    """What the configuration allows the kernel takes, and what it does not take is refused with the limit."""
    args = ("run", "--capture", source, "--port", process.free_port(), "--duration", "100ms", "--ring-size")
    code, out, err = call(*args, "256MiB")
    equal(code, 0, "exit code with the largest ring: " + (out + err)[-300:])
    code, out, err = call(*args, "512MiB")
    equal(code, 2, "exit code with a larger one: " + (out + err)[-300:])
    check("256MiB" in err, "the limit is not told: " + err[-300:])


def status_of(pid):
    lines = process.read("/proc/%d/status" % pid).splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


def privileges():
    agent = Agent("--port", process.free_port())
    brain = agent.brain()
    warden, own = status_of(agent.pid), status_of(brain)
    for name in ("CapPrm", "CapEff", "CapBnd"):
        equal(int(warden[name], 16), WARDEN_CAPS, "the warden's " + name)
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        equal(int(own[name], 16), 0, "the brain's " + name)
        if name in ("CapInh", "CapAmb"):
            equal(int(warden[name], 16), 0, "the warden's " + name)
    for who, what in ((warden, "warden"), (own, "brain")):
        equal(who["NoNewPrivs"], "1", "no_new_privs of the " + what)
    equal(own["Seccomp"], "2", "seccomp of the brain")
    uids = set(own["Uid"].split()) | set(own["Gid"].split())
    equal(len(uids), 1, "ids of the brain: " + own["Uid"])
    uid = int(uids.pop())
    equal(own["Groups"], "", "groups of the brain")
    check(uid not in (0, 65534), "the brain runs as %d" % uid)
    try:
        check(pwd.getpwuid(uid).pw_name == "parcours", "the brain runs as %s" % pwd.getpwuid(uid).pw_name)
    except KeyError:
        check(61184 <= uid <= 65519, "the brain runs as %d" % uid)
    # a process that may be dumped belongs to its user; this one must not be
    equal(os.stat("/proc/%d/mem" % brain).st_uid, 0, "owner of the brain's memory file")
    links = [os.readlink("/proc/%d/fd/%s" % (brain, fd)) for fd in os.listdir("/proc/%d/fd" % brain)]
    wrong = [l for l in links if "bpf-prog" in l or "bpf_link" in l or "btf" in l or "signalfd" in l]
    check(not wrong, "the brain holds %s" % wrong)
    # control ring; bytes and ends of the data rings; directives, control, counters
    check(sum("bpf-map" in l for l in links) <= 6, "the brain holds more maps than it needs: %s" % links)
    # directives and control, a page for each ring's position: not the warden's verdicts on processes
    spans = [[int(x, 16) for x in l.split()[0].split("-")] for l in process.read("/proc/%d/maps" % brain).splitlines()
             if "bpf-map" in l and "w" in l.split()[1]]
    check(sum(end - begin for begin, end in spans) < 600 * 1024, "the brain can write to %s" % spans)
    agent.stop()
    equal(agent.errors(), "ready\n", "standard error of a quiet run")


def users():
    require()
    port = process.free_port()
    agent = Agent("--port", port, "--user", "daemon")
    equal(status_of(agent.brain())["Uid"].split()[0], str(pwd.getpwnam("daemon").pw_uid), "--user daemon")
    agent.stop()
    for name, word in (("nobody", "nobody"), ("root", "root"), ("0", "root"), ("no-such-user", "no such user")):
        code, _, err = call("run", "--port", port, "--user", name, "--duration", 1)
        equal(code, 1, "exit code with --user " + name)
        check(word in err, "message with --user %s: %s" % (name, err))


def cannot():
    """Clear messages for what the system refuses."""
    require()
    port = process.free_port()
    for args, word in ((("--ndjson", "/no/such/place/out"), "/no/such/place/out: No such file"),
                       (("--pid", "4194303"), "no such process"), (("--cgroup", "/no/such/group"), "/no/such/group")):
        code, _, err = call("run", "--port", port, "--duration", 1, *args)
        equal(code, 1, "exit code with %s: %s" % (args, err))
        check(word in err and "ready" not in err, "message with %s: %s" % (args, err))
    inside = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", AGENT, "run", "--port", str(port), "--duration", "1"],
                            capture_output=True, text=True, timeout=30)
    equal(inside.returncode, 1, "exit code in a PID namespace: " + inside.stderr)
    check("--pid=host" in inside.stderr, "message in a PID namespace: " + inside.stderr)


def duration():
    require()
    begin = time.monotonic()
    code, out, err = call("run", "--port", process.free_port(), "--duration", "1.5", "--ndjson", "-")
    equal(code, 0, "exit code: " + err)
    check(1.4 < time.monotonic() - begin < 15, "it ran for %.1f s" % (time.monotonic() - begin))
    equal(err, "ready\n", "standard error")
    last = json.loads(out.splitlines()[-1])
    equal((last["type"], last.get("final")), ("stats", True), "last row")


def interrupted(source):
    """Ctrl-C reaches both processes; only the warden acts on it."""
    server = servers.Nginx().start()
    agent = Agent("--port", server.port, source=source)
    requests = load.plan(200, ["/f777.bin"], methods=("GET",))
    load.drive(server.port, requests, concurrency=4)
    os.killpg(agent.pid, signal.SIGINT)
    equal(agent.child.wait(20), 0, "exit code after Ctrl-C: " + agent.errors())
    compare.exact(agent.rows("server"), server.wait_lines(200), "interrupted")


def fits(answer):
    """The answer against the schema; and the schema against answers that it must refuse."""
    root = schema.load()
    wrong = list(schema.errors(answer, root["$defs"]["status"], root, "status"))
    check(not wrong, "; ".join(wrong[:5]))
    one = answer["counters"][0]
    for bad in (dict(answer, more=1), {k: v for k, v in answer.items() if k != "brain_uid"},
                dict(answer, counters=[dict(one, unit="s")]), dict(answer, counters=[dict(one, name="x")]),
                dict(answer, counters=[dict(one, more="x")]), dict(answer, counters=[dict(one, value=-1)])):
        check(list(schema.errors(bad, root["$defs"]["status"], root)), "the schema takes %s" % str(bad)[-300:])


def status_socket(source):
    place = process.folder("status")
    server = servers.Nginx().start()
    agent = Agent("--port", server.port, "--status-socket", place + "/s", source=source)
    load.drive(server.port, load.plan(300, ["/f777.bin"], methods=("GET",)), concurrency=8)
    agent.wait_rows(600)
    equal(stat.S_IMODE(os.stat(place + "/s").st_mode), 0o600, "mode of the socket")
    code, out, err = call("status", "--status-socket", place + "/s", "--json")
    equal(code, 0, err)
    answer = json.loads(out)
    fits(answer)
    equal((answer["pid"], answer["brain_pid"]), (agent.pid, agent.brain()), "pids")
    complete = [c["value"] for c in answer["counters"] if c["name"] == "parcours.agent.transactions.closed"
                and c.get("parcours.outcome") == "complete"]
    equal(complete, [600], "complete transactions, of nginx and of the load")
    bad = [c["value"] for c in answer["counters"] if c["name"] == "parcours.agent.capture.malformed"]
    equal(bad, [0], "places in a ring without a record: told, and none")
    code, out, err = call("status", "--status-socket", place + "/s")
    equal(code, 0, err)
    lines = [l for l in out.splitlines() if l.startswith("parcours.agent.")]
    # asked a moment later: a counter may have left zero in between, none can have gone
    missing = {c["name"] for c in answer["counters"]} - {l.split("{")[0].split(" ")[0] for l in lines}
    equal((missing, len(lines) >= len(answer["counters"])), (set(), True), "counters as text")
    check('parcours.agent.transactions.closed{parcours.outcome="complete"} 600 {transaction}' in lines,
          "text of a counter: %s" % lines[:3])
    # another agent at the same place is refused; when the first has gone it is not
    code, _, err = call("run", "--port", server.port, "--status-socket", place + "/s", "--duration", 1)
    check(code == 1 and "another agent" in err, "second agent at the same socket: %d %s" % (code, err))
    agent.kill(agent.pid)
    process.wait_for(lambda: not os.path.exists("/proc/%d" % answer["brain_pid"]), 15, "the brain's end")
    code, _, err = call("run", "--port", server.port, "--status-socket", place + "/s", "--duration", 0.1)
    equal(code, 0, "agent at a socket that was left behind: " + err)


def get(port, count, tag):
    load.drive(port, load.plan(count, ["/f777.bin"], methods=("GET",), prefix=tag), concurrency=2)


def reload(source):
    """Another port, another file, other privacy; then a bad file, which changes nothing."""
    place = process.folder("reload")
    one, two = servers.Nginx().start(), servers.Nginx().start()
    path = place + "/parcours.yaml"
    text = "scope: {ports: [%d]}\noutput: {ndjson: %s/%s}\nprivacy: %s\n"
    process.write(path, text % (one.port, place, "a", "none"))
    agent = Agent("-c", path, ndjson=False, privacy="none", source=source)
    get(one.port, 50, "first")
    get(two.port, 50, "unseen")
    time.sleep(0.5)
    process.write(path, text % (two.port, place, "b", "none"))
    agent.child.send_signal(signal.SIGHUP)
    process.wait_for(lambda: "reloaded" in agent.errors(), 10, "the reload")
    get(one.port, 50, "late")
    get(two.port, 50, "second")
    time.sleep(0.5)
    process.write(path, "scope: {ports: [%d]}\noutput:\n  ndjsn: x\n" % one.port)
    agent.child.send_signal(signal.SIGHUP)
    process.wait_for(lambda: "old configuration stays" in agent.errors(), 10, "the refusal")
    check("%s:3: unknown key output.ndjsn: did you mean output.ndjson?" % path in agent.errors(), agent.errors())
    get(two.port, 50, "third")
    time.sleep(0.5)
    process.write(path, text % (two.port, place, "c", "none") + "service: {name: renamed}\n")
    agent.child.send_signal(signal.SIGHUP)
    process.wait_for(lambda: agent.errors().count("parcours: reloaded") == 2, 10, "the second reload: " + agent.errors())
    get(two.port, 50, "fourth")
    agent.stop()
    seen = {}
    for name in "abc":
        agent.path = place + "/" + name
        seen[name] = {compare.target(r).split("id=")[1].split("-")[0].rstrip("0123456789") for r in agent.rows("server")}
    equal(seen, {"a": {"first"}, "b": {"second", "third"}, "c": {"fourth"}}, "what was seen")
    equal({r["service.name"] for r in agent.rows("server")}, {"renamed"}, "service names")


def reload_without_parent(source):
    """--pid names a process that has ended by the time of the reload; its child, nobody's by then, is still watched."""
    server = servers.Nginx().start()
    go = process.folder("orphan") + "/go"
    os.mkfifo(go)
    client = "import urllib.request as u; u.urlopen('http://127.0.0.1:%d/f777.bin')" % server.port
    shell = process.start(["sh", "-c", "(read y < %s; exec %s -c \"%s\") & read x" % (go, process.PYTHON, client)],
                          stdin=subprocess.PIPE)
    agent = Agent("--pid", shell.pid, source=source)
    shell.stdin.close()
    shell.wait(20)
    agent.child.send_signal(signal.SIGHUP)
    process.wait_for(lambda: "reload" in agent.errors(), 10, "the reload")
    with open(go, "w") as f:
        f.write("go\n")
    agent.wait_rows(1, "client")
    check("old configuration stays" not in agent.errors(), agent.errors())
    agent.stop()


def reload_under_load(source):
    """What is in the scope of before and in the new one is never out, not for a moment."""
    place = process.folder("gap")
    one, two = servers.Nginx().start(), servers.Nginx().start()
    path = place + "/parcours.yaml"
    scopes = ["ports: [%d]" % one.port, "ports: [%d, %d]" % (two.port, one.port), "pids: [%d]" % one.child.pid,
              "{pids: [%d], ports: [%d]}" % (one.child.pid, one.port), "executables: [nginx]"]
    set_scope = lambda text: process.write(path, "scope: %s\n" % (text if text.startswith("{") else "{" + text + "}"))
    set_scope(scopes[0])
    agent = Agent("-c", path, source=source)
    sent, stop = [], threading.Event()

    def client():
        while not stop.is_set():
            with socket.create_connection(("127.0.0.1", one.port)) as s:
                s.settimeout(20)
                s.sendall(b"GET /none?id=gap-%d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % len(sent))
                while s.recv(4096):
                    pass
            sent.append("id=gap-%d" % len(sent))

    asking = threading.Thread(target=client)
    asking.start()
    try:
        for i in range(1, 16):
            set_scope(scopes[i % len(scopes)])
            agent.child.send_signal(signal.SIGHUP)
            process.wait_for(lambda: agent.errors().count("parcours: reloaded") == i, 20, "reload %d: " % i + agent.errors())
    finally:
        stop.set()
        asking.join()
    agent.stop()
    seen = sorted(r["url.query"] for r in agent.rows("server", one.port))
    equal((len(seen), sorted(set(sent) - set(seen))), (len(sent), []), "requests seen and not seen")
    broken = [r for r in agent.rows("server", one.port) if r["outcome"] != "complete"]
    check(not broken, "not complete: %s" % broken[:1])
    compare.nothing_lost(agent.stats(), "reload under load")
    return "%d requests" % len(sent)


def reload_without_answer(source):
    """The brain dies before it has taken a configuration: both go on with the old one."""
    place = process.folder("answer")
    one, two = servers.Nginx().start(), servers.Nginx().start()
    path = process.write(place + "/parcours.yaml", "scope: {ports: [%d]}\n" % one.port)
    agent = Agent("-c", path, source=source)
    brain = agent.brain()
    os.kill(brain, signal.SIGSTOP)
    process.write(path, "scope: {ports: [%d]}\nservice: {name: renamed}\n" % two.port)
    agent.child.send_signal(signal.SIGHUP)
    agent.child.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    check("reloaded" not in agent.errors(), "reloaded without the brain: " + agent.errors())
    process.write(path, "scope: {ports: [0]}\n")  # so that a second try is refused too
    agent.kill(brain)
    process.wait_for(lambda: "the brain is back" in agent.errors(), 20, "the next brain: " + agent.errors())
    check("before it had taken it; the old configuration stays" in agent.errors(), agent.errors())
    get(one.port, 20, "old")
    get(two.port, 20, "new")
    agent.wait_rows(20, "server")
    agent.stop()
    rows = agent.rows("server")
    equal((len(rows), {r["server.port"] for r in rows}), (20, {one.port}), "what was seen")
    check("renamed" not in {r.get("service.name") for r in rows}, "the brain goes by the new configuration")


def reload_at_the_start():
    """SIGHUP at any moment of the start is not the end."""
    place, port = process.folder("early"), process.free_port()
    for n, pause in enumerate((0.02, 0.05, 0.1, 0.2)):
        log = place + "/err%d" % n
        child = process.start([AGENT, "run", "--port", str(port), "--state-directory", place + "/state"], log=log)
        process.wait_for(lambda: int(status_of(child.pid)["SigBlk"], 16) & 1, 5, "the moment from which it waits")
        time.sleep(pause)
        child.send_signal(signal.SIGHUP)
        process.wait_for(lambda: "ready" in process.read(log).split() or child.poll() is not None, 20, "ready")
        equal((child.poll(), process.stop(child)), (None, 0), "ended by SIGHUP after %g s, exit code of its end" % pause)
        check("send SIGHUP again" in process.read(log) or "reloaded" in process.read(log), "not answered: " + process.read(log))


def fifo_without_reader():
    """At the start an error, at a reload the old file stays; with a reader it works."""
    place = process.folder("fifo")
    server = servers.Nginx().start()
    os.mkfifo(place + "/f")
    code, _, err = call("run", "--port", server.port, "--duration", 1, "--ndjson", place + "/f")
    equal(code, 1, "exit code: " + err)
    check("nobody reads this FIFO" in err and "ready" not in err, err)
    path = process.write(place + "/parcours.yaml", "scope: {ports: [%d]}\noutput: {ndjson: %s/a}\n" % (server.port, place))
    agent = Agent("-c", path, ndjson=False)
    process.write(path, "scope: {ports: [%d]}\noutput: {ndjson: %s/f}\n" % (server.port, place))
    agent.child.send_signal(signal.SIGHUP)
    process.wait_for(lambda: "old configuration stays" in agent.errors(), 10, "the refusal: " + agent.errors())
    reader = os.open(place + "/f", os.O_RDONLY | os.O_NONBLOCK)
    agent.child.send_signal(signal.SIGHUP)
    process.wait_for(lambda: "parcours: reloaded" in agent.errors(), 10, "the reload: " + agent.errors())
    get(server.port, 5, "fifo")
    got = b""

    def more():
        nonlocal got
        try:
            got += os.read(reader, 65536)
        except BlockingIOError:
            pass
        return got.count(b'"kind":"server"') == 5

    process.wait_for(more, 10, "rows in the FIFO")
    agent.stop()
    os.close(reader)


def no_regular_files():
    """A FIFO in the place of the secret holds nobody; a configuration that came through one is read once."""
    place = process.folder("odd")
    os.makedirs(place + "/state")
    os.mkfifo(place + "/state/secret")
    done = subprocess.run([AGENT, "run", "--port", str(process.free_port()), "--duration", "1", "--state-directory", place + "/state"],
                          capture_output=True, text=True, timeout=10)
    equal((done.returncode, "secret: is no regular file" in done.stderr), (1, True), "with a secret that is none: " + done.stderr)
    server, path = servers.Nginx().start(), place + "/config"
    os.mkfifo(path)
    writer = threading.Thread(target=process.write, args=(path, "scope: {ports: [%d]}\n" % server.port))
    writer.start()
    agent = Agent("-c", path)
    writer.join()
    agent.child.send_signal(signal.SIGHUP)
    process.wait_for(lambda: "came through a pipe" in agent.errors(), 5, "the refusal: " + agent.errors())
    check("the old configuration stays" in agent.errors() and "reloaded" not in agent.errors(), agent.errors())
    get(server.port, 5, "pipe")
    agent.wait_rows(5, "server")
    agent.stop()
    equal(len(agent.rows("server")), 5, "rows by the old configuration")


class Notify:
    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1))
        self.socket.settimeout(10)

    def next(self):
        return self.socket.recv(1000).decode()

    def until(self, text):
        """What came before it."""
        before = []
        while True:
            got = self.next()
            if got.startswith(text):
                return before
            before.append(got)


def notify(address):
    heard = Notify(address)
    agent = Agent("--port", process.free_port(), env={"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "400000"})
    check("READY=1" not in heard.until("READY=1"), "told twice")
    begin = time.monotonic()
    heard.until("WATCHDOG=1")
    heard.until("WATCHDOG=1")
    check(time.monotonic() - begin < 3, "the watchdog is slow")
    agent.child.send_signal(signal.SIGHUP)
    heard.until("RELOADING=1\nMONOTONIC_USEC=")
    heard.until("READY=1")
    # a brain that hangs must not look alive
    os.kill(agent.brain(), signal.SIGSTOP)
    time.sleep(1.2)
    heard.socket.settimeout(0.7)
    while True:
        try:
            stale = heard.next()
        except socket.timeout:
            break
        check(time.monotonic() - begin < 20, "still told to be alive: " + stale)
    os.kill(agent.brain(), signal.SIGCONT)
    heard.socket.settimeout(10)
    agent.child.send_signal(signal.SIGTERM)
    heard.until("STOPPING=1")
    equal(agent.child.wait(20), 0, "exit code")


def watchdog_in_backoff():
    """A brain that dies again and again is started later and later; the agent is alive meanwhile."""
    heard = Notify(process.folder("notify") + "/n")
    agent = Agent("--port", process.free_port(), env={"NOTIFY_SOCKET": heard.socket.getsockname(), "WATCHDOG_USEC": "400000"})
    heard.until("READY=1")
    for n in range(6):  # the last of the pauses is 1.6 s
        agent.kill(agent.brain())
        process.wait_for(lambda: agent.errors().count("starting it again") == n + 1, 10, "the end of the brain")
        if n < 5:
            process.wait_for(lambda: agent.errors().count("the brain is back") == n + 1, 20, "the next brain")
    check("again in 1600 ms" in agent.errors(), agent.errors())
    heard.socket.setblocking(False)
    try:
        while True:
            heard.next()
    except BlockingIOError:
        pass
    heard.socket.settimeout(10)
    alive = 0
    while "the brain is back" not in agent.errors().split("again in 1600 ms")[1]:
        equal(heard.next(), "WATCHDOG=1", "message")
        alive += 1
    check(alive >= 3, "told to be alive %d times in 1.6 s" % alive)
    agent.stop()


def short_lives(glob, source):
    """curl lives for milliseconds; every one is whole, and nobody else is reported. With the port, because
    other tests may run a curl at the same time."""
    server = servers.Nginx().start()
    agent = Agent("--exe", glob, "--port", server.port, source=source)
    for i in range(30):
        subprocess.run(["curl", "-s", "-o", "/dev/null", "http://127.0.0.1:%d/f777.bin?id=%d" % (server.port, i)], check=True)
        subprocess.run([process.PYTHON, "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:%d/none').close()"
                        % server.port], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    agent.stop()
    rows = agent.rows()
    other = [r for r in rows if r["kind"] != "client" or r.get("process.executable.name") != "curl"]
    check(not other, "reported, but not curl's: %s" % other[:1])
    equal(sorted(r["url.query"] for r in rows), sorted("id=%d" % i for i in range(30)), "requests of curl")
    partial = [r for r in rows if r["outcome"] != "complete"]
    check(not partial, "not complete: %s" % partial[:1])


def stopped_brain(source):
    """A brain that is kept from running finds in the rings what happened meanwhile, and believes all of it."""
    server = servers.Nginx().start()
    agent = Agent("--exe", "curl", "--port", server.port, source=source)
    brain = agent.brain()
    time.sleep(0.3)
    os.kill(brain, signal.SIGSTOP)
    for i in range(30):
        subprocess.run(["curl", "-s", "-o", "/dev/null", "http://127.0.0.1:%d/f777.bin?id=%d" % (server.port, i)], check=True)
    time.sleep(0.5)
    os.kill(brain, signal.SIGCONT)
    agent.wait_rows(30)
    agent.stop()
    rows = agent.rows()
    equal(sorted(r["url.query"] for r in rows), sorted("id=%d" % i for i in range(30)), "requests of curl")
    equal({r["outcome"] for r in rows}, {"complete"}, "outcomes")
    compare.nothing_lost(agent.stats(), "stopped brain")


def named(source):
    """Watched by port alone: who lives milliseconds is named all the same."""
    server = servers.Nginx().start()
    agent = Agent("--port", server.port, source=source)
    for i in range(20):
        subprocess.run(["curl", "-s", "-o", "/dev/null", "http://127.0.0.1:%d/none?id=%d" % (server.port, i)], check=True)
    agent.wait_rows(20, "client")
    agent.stop()
    names = [r.get("process.executable.name") for r in agent.rows("client")]
    equal(names, ["curl"] * 20, "names of the clients")


def pinned(source):
    """A process watched by --pid stays watched when it becomes another program, beside an --exe."""
    server = servers.Nginx().start()
    shell = process.start(["sh", "-c", "read x; exec %s -c \"import urllib.request as u; u.urlopen('http://127.0.0.1:%d/f777.bin')\""
                           % (process.PYTHON, server.port)], stdin=subprocess.PIPE)
    agent = Agent("--pid", shell.pid, "--exe", "curl", source=source)
    shell.stdin.write(b"go\n")
    shell.stdin.close()
    equal(shell.wait(20), 0, "the client")
    agent.wait_rows(1, "client")
    agent.stop()
    rows = agent.rows()
    equal([(r["kind"], r["process.pid"]) for r in rows], [("client", shell.pid)], "rows")


def unreadable():
    require()
    place = process.folder("key")
    key = process.write(place + "/ca.pem", "none")
    os.chmod(key, 0o600)
    agent = Agent("--port", process.free_port(), "--otlp-endpoint", "https://127.0.0.1:1",
                  env={"OTEL_EXPORTER_OTLP_CERTIFICATE": key})
    check("cannot read " + key in agent.errors(), agent.errors())
    agent.stop()


def unit_file():
    unit = process.folder("unit") + "/parcours.service"
    text = process.read(os.path.join(process.TOP, "share", "systemd", "parcours.service"))
    process.write(unit, text.replace("/usr/bin/parcours", AGENT))
    try:
        done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    except FileNotFoundError:
        raise Skip("machine has no systemd-analyze")
    said = [l for l in done.stderr.splitlines() if "parcours.service" in l]
    check(not said, "systemd-analyze: %s" % said)


suite = Suite()
suite.run("command line and exit codes", command_line)
suite.run("check and doctor without root", check_without_root)
suite.run("privileges of both processes", privileges)
suite.run("users of the brain", users)
suite.run("what the system refuses", cannot)
suite.run("duration", duration)
suite.run("sd_notify at a path", lambda: notify(process.folder("notify") + "/n"))
suite.run("sd_notify at an abstract address", lambda: notify("@parcours-test-%d" % os.getpid()))
suite.run("watchdog while the brain is started again", watchdog_in_backoff)
suite.run("NDJSON to a FIFO that nobody reads", fifo_without_reader)
suite.run("FIFOs for the secret and the configuration", no_regular_files)
suite.run("reload while it starts", reload_at_the_start)
for each in sources():
    suite.run("largest ring " + each, largest_ring, each)
    suite.run("Ctrl-C " + each, interrupted, each)
    suite.run("status " + each, status_socket, each)
    suite.run("reload, good and bad " + each, reload, each)
    suite.run("reload, --pid has ended " + each, reload_without_parent, each)
    suite.run("reload under load " + each, reload_under_load, each)
    suite.run("reload without an answer " + each, reload_without_answer, each)
    suite.run("--pid with --exe " + each, pinned, each)
    suite.run("a brain that is stopped for a while " + each, stopped_brain, each)
    suite.run("names with --port, processes of milliseconds " + each, named, each)
    suite.run("--exe by name, processes of milliseconds " + each, short_lives, "curl", each)
    suite.run("--exe by path, processes of milliseconds " + each, short_lives, "/usr/bin/c*l", each)
suite.run("certificate that the brain cannot read", unreadable)
suite.run("systemd unit", unit_file)
suite.done()
