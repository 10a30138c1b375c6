#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tools/demo as a person uses it: it shows the shop's visits, pages and transactions, stops on Ctrl-C, leaves
nothing behind.

(That it installs what is missing is tried on a fresh machine; here everything is there.)
"""
import errno
import fcntl
import glob
import os
import pty
import re
import signal
import struct
import termios
import threading
import time

from lib import process
from lib.suite import Suite, check, equal


LINE = re.compile(r"^\d\d:\d\d:\d\d\.\d{3} ([-+*!]) ([0-9a-f]{6}) (.*)$", re.M)


def demo(seconds, *options, until=lambda text: len(LINE.findall(text)) >= 10):
    """Starts it with its output in a file and waits until enough is shown."""
    log = os.path.join(process.folder("demo"), "out")
    child = process.start([os.path.join(process.TOP, "tools", "demo"), *options], log=log, cwd=process.TOP)
    process.wait_for(lambda: until(process.read(log)) or child.poll() is not None, seconds,
                     "lines of the demo: " + process.read(log)[-300:])
    return child, log


def children_of(pid):
    return [p for p in process.descendants(pid) if p != pid]


def left_behind(log, before, pids):
    text = process.read(log)
    check("nothing left behind" in text, "it did not say its end: " + text[-300:])
    equal(sorted(set(glob.glob("/tmp/parcours-demo.*")) - before), [], "folders")
    time.sleep(0.3)
    alive = [p for p in pids if os.path.exists("/proc/%d" % p)]
    check(not alive, "processes still there: %s" % alive)


def has_all(text):
    """Each kind of line, a cart that was filled, and of pages the slow one, the one with a missing part and the one that fails."""
    lines = LINE.findall(text)
    signs = "".join(sign for sign, _, _ in lines)
    pages = [rest for sign, _, rest in lines if sign == "*"]
    return (all(sign in signs for sign in "+*-") and re.search(r" \$ [0-9a-f]{6} into the cart ", text) and any("tolerating" in p for p in pages)
            and any("parts failed" in p for p in pages) and any("error 404" in p for p in pages))


def visits_and_pages():
    """Until each kind of line was there; then what they say, against each other."""
    before = set(glob.glob("/tmp/parcours-demo.*"))
    child, log = demo(200, "--pages", "--pace", "0.5", until=has_all)
    pids = children_of(child.pid)
    text = process.read(log)
    check(has_all(text), "not everything was shown: " + text[-1500:])
    lines = LINE.findall(text)
    begun, pages, channels = set(), {}, []
    for sign, who, rest in lines:
        if sign == "+":
            told = re.match(r"visit of 127\.0\.0\.1(:\d+)?(, [a-z ]+)??, (desktop|mobile|bot)( \w+)*", rest)
            check(told, "a visit: " + rest)
            channels.append(told[2])  # none where something that a page pulled in was told before the page
            begun.add(who)
        check(who in begun, "%s of a visit that did not begin: %s" % (sign, rest))
        if sign == "*":
            pages[who] = pages.get(who, 0) + 1
            check(re.match(r"/\S* +~? *[\d.]+ m?s +(satisfied|tolerating|frustrated)( .*)?$", rest), "a page: " + rest)
            if "error" in rest or rest.startswith("/product/sold-last-year"):
                check("frustrated error" in rest, "a page that failed: " + rest)
            if rest.startswith("/search"):
                check(re.search(r"tolerating server \d\.\d s", rest) or "error 500" in rest or "frustrated" in rest,
                      "a search: " + rest)
        if sign == "-":
            told = re.match(r"visit over: (\d+) pages?, \d+ requests? in .+ \(timeout\)$", rest)
            check(told, "an end: " + rest)
            equal(int(told[1]), pages.get(who, 0), "pages of %s" % who)
    check(2 * sum(c is not None for c in channels) > len(channels), "channels: %s" % channels)
    check(" nginx[" not in text, "transactions were not asked for: " + text[-500:])
    for line in text.splitlines():
        check(len(line) <= 100 or line.startswith(("demo:", "parcours:")), "%d columns: %s" % (len(line), line))
    check("\033" not in text, "colours in a file")
    child.send_signal(signal.SIGINT)
    equal(child.wait(20), 0, "exit code after Ctrl-C")
    check("visit as it stood: " in process.read(log), "what was open at the end is not told")
    left_behind(log, before, pids)
    return "%d visits, %d pages" % (len(begun), sum(pages.values()))


def shows_transactions():
    before = set(glob.glob("/tmp/parcours-demo.*"))
    child, log = demo(200, "--pace", "0.3",
                      until=lambda text: text.count(" shop[") >= 5 and len(LINE.findall(text)) >= 3)
    time.sleep(2)
    pids = children_of(child.pid)
    text = process.read(log)
    for part in (" nginx[", " shop[", "GET", "127.0.0.1"):
        check(part in text, "%r is not shown: %s" % (part, text[-500:]))
    child.send_signal(signal.SIGINT)
    equal(child.wait(20), 0, "exit code after Ctrl-C")
    left_behind(log, before, pids)
    return "%d lines" % text.count("\n")


def on_a_terminal(columns, **env):
    """What it writes on a terminal of that width, until Ctrl-C after some visits."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    written = []

    def read():
        while True:
            try:
                data = os.read(master, 65536)
            except OSError as e:
                if e.errno != errno.EIO:  # nobody has the other end open any more
                    raise
                return
            if not data:
                return
            written.append(data)

    reader = threading.Thread(target=read, daemon=True)
    child = process.start([os.path.join(process.TOP, "tools", "demo"), "--pages", "--pace", "0.3"], stdout=slave, stderr=slave,
                          stdin=slave, cwd=process.TOP, env=dict(os.environ, TERM="xterm-256color", **env))
    os.close(slave)
    reader.start()
    text = lambda: b"".join(written).decode()
    plain = lambda: re.sub(r"\033\[\d*m", "", text()).replace("\r\n", "\n")
    process.wait_for(lambda: plain().count("* ") >= 8 or child.poll() is not None, 100, "pages of the demo")
    child.send_signal(signal.SIGINT)
    equal(child.wait(20), 0, "exit code after Ctrl-C")
    reader.join(10)
    check(len(LINE.findall(plain())) >= 8, "no lines: " + plain()[-500:])
    for line in plain().splitlines():
        check(len(line) <= columns or line.startswith(("demo:", "parcours:")), "%d columns: %s" % (len(line), line))
    return text()


def terminal():
    """Colours and the terminal's own width; NO_COLOR takes the former."""
    check("\033[32m" in on_a_terminal(80), "no colours")
    check("\033" not in on_a_terminal(140, NO_COLOR="1"), "colours that nobody wanted")


def ends_by_itself():
    before = set(glob.glob("/tmp/parcours-demo.*"))
    child, log = demo(200, "--seconds", "4", "--pace", "0.3")
    pids = children_of(child.pid)
    equal(child.wait(30), 0, "exit code")
    left_behind(log, before, pids)


suite = Suite()
suite.run("demo shows visits and pages as they happen and stops on Ctrl-C", visits_and_pages)
suite.run("demo shows transactions too", shows_transactions)
suite.run("demo on a terminal", terminal)
suite.run("demo for some seconds", ends_by_itself)
suite.done()
