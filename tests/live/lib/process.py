# SPDX-License-Identifier: Apache-2.0
"""Processes, ports and folders of one test file; nothing is left behind, whatever happens.

Each process gets a session of its own, is asked with SIGTERM first, and only what we started is
ever signalled. The folder of a run is removed at the end unless KEEP=1.
"""
import atexit
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.join(TOP, os.environ.get("B", "build"))
PARCOURS = os.path.join(BUILD, "parcours")
APPS = os.path.join(TOP, "tests", "live", "apps")
PYTHON = "/usr/bin/python3"

_started = []
_folder = None
_libc = ctypes.CDLL(None, use_errno=True)


def guard():
    """Call once: a SIGTERM or Ctrl-C ends through atexit, so children are stopped."""
    def leave(number, frame):
        sys.exit(128 + number)
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    atexit.register(_cleanup)


def _cleanup():
    stop_since(0)
    if _folder and os.environ.get("KEEP") == "1":
        print("kept: " + _folder, file=sys.stderr)
    elif _folder:
        shutil.rmtree(_folder, ignore_errors=True)


def folder(name=None):
    """A fresh folder that servers running as other users may enter and write."""
    global _folder
    if _folder is None:
        _folder = tempfile.mkdtemp(prefix="parcours-live-")
        os.chmod(_folder, 0o755)
    path = tempfile.mkdtemp(prefix=(name or "x") + "-", dir=_folder)
    os.chmod(path, 0o777)
    return path


def write(path, text):
    with open(path, "wb" if isinstance(text, bytes) else "w") as f:
        f.write(text)
    return path


def read(path):
    try:
        with open(path, errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def _child():
    _libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: ends with the test, also after SIGKILL


def start(command, log=None, **kw):
    out = open(log, "ab") if log else subprocess.DEVNULL
    kw.setdefault("stdin", subprocess.DEVNULL)
    kw.setdefault("stdout", out)
    kw.setdefault("stderr", subprocess.STDOUT if log else subprocess.DEVNULL)
    child = subprocess.Popen(command, start_new_session=True, preexec_fn=_child, **kw)
    if log:
        out.close()
    _started.append(child)
    return child


def stop(child, sig=signal.SIGTERM, wait=20):
    """Asks, waits, then ends what is left of the session. Returns the exit code."""
    if child.poll() is None:
        child.send_signal(sig)
        try:
            child.wait(wait)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()
    if child in _started:
        _started.remove(child)
    return child.returncode


def mark():
    return len(_started)


def stop_since(position):
    for child in reversed(_started[position:]):
        stop(child)


def free_port(family=socket.AF_INET):
    with socket.socket(family) as s:
        s.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, child=None, log=None, seconds=30, host="127.0.0.1"):
    """Until somebody listens; the test's own connection is never more than a connect and a close."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection((host, port), 1).close()
            return
        except OSError:
            time.sleep(0.03)
        if child is not None and child.poll() is not None:
            raise RuntimeError("ended at start with %d: %s" % (child.returncode, read(log)[-400:] if log else ""))
    raise RuntimeError("nobody listens on %d after %d s: %s" % (port, seconds, read(log)[-400:] if log else ""))


def wait_for(question, seconds=10, what="condition"):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        time.sleep(0.02)
    raise RuntimeError("%s: not within %s s" % (what, seconds))


def run(command, **kw):
    """Runs to its end; a failure carries the last words."""
    kw.setdefault("timeout", 120)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **kw)
    if done.returncode:
        raise RuntimeError("%s: exit %d: %s" % (command[0], done.returncode, done.stdout[-600:]))
    return done.stdout


def descendants(pid):
    """The process and all below it, by /proc."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name) as f:
                    parents[int(name)] = int(f.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    family, grown = {pid}, True
    while grown:
        more = {p for p, parent in parents.items() if parent in family} - family
        grown = bool(more)
        family |= more
    return sorted(family)
