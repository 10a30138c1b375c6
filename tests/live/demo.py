#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tools/demo as a person uses it: it shows the shop's transactions, stops on Ctrl-C, leaves nothing behind.

(That it installs what is missing is tried on a fresh machine; here everything is there.)
"""
import glob
import os
import signal
import time

from lib import process
from lib.suite import Suite, check, equal


def demo(seconds, *options):
    """Starts it with its output in a file and waits until transactions are shown."""
    log = os.path.join(process.folder("demo"), "out")
    child = process.start([os.path.join(process.TOP, "tools", "demo"), *options], log=log, cwd=process.TOP)
    process.wait_for(lambda: process.read(log).count(" shop[") >= 5 or child.poll() is not None, seconds,
                     "transactions of the demo: " + process.read(log)[-300:])
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


def shows():
    before = set(glob.glob("/tmp/parcours-demo.*"))
    child, log = demo(200, "--pace", "0.3")
    time.sleep(2)
    pids = children_of(child.pid)
    text = process.read(log)
    for part in (" nginx[", " shop[", "GET", "127.0.0.1"):
        check(part in text, "%r is not shown: %s" % (part, text[-500:]))
    child.send_signal(signal.SIGINT)
    equal(child.wait(20), 0, "exit code after Ctrl-C")
    left_behind(log, before, pids)
    return "%d lines" % text.count("\n")


def ends_by_itself():
    before = set(glob.glob("/tmp/parcours-demo.*"))
    child, log = demo(200, "--seconds", "4", "--pace", "0.3")
    pids = children_of(child.pid)
    equal(child.wait(30), 0, "exit code")
    left_behind(log, before, pids)


suite = Suite()
suite.run("demo shows the shop and stops on Ctrl-C", shows)
suite.run("demo for some seconds", ends_by_itself)
suite.done()
