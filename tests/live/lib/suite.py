# SPDX-License-Identifier: Apache-2.0
"""One test file: its cases, its lines, its exit code, and its place among others on the machine.

A suite that asserts a time (timed=True) holds a lock of the machine alone; all others share it.
A skip whose reason begins with "kernel" or "machine" is a fact of the machine; any other skip is a
failure when CI=true, because there everything that can be installed is installed.
"""
import fcntl
import os
import sys
import tempfile
import time
import traceback

from . import process, schema


class Failure(Exception):
    """What a case says when the product is wrong."""


class Skip(Exception):
    """What a case says when this machine cannot run it."""


def check(condition, why):
    if not condition:
        raise Failure(why)


def equal(got, want, what):
    check(got == want, "%s: got %r, want %r" % (what, got, want))


class Suite:
    def __init__(self, timed=False):
        self.failed = self.passed = self.skipped = 0
        self.only = sys.argv[1:]
        self.lock = open(os.path.join(tempfile.gettempdir(), "parcours-time.lock"), "a")
        fcntl.flock(self.lock, fcntl.LOCK_EX if timed else fcntl.LOCK_SH)
        process.guard()
        if not os.path.exists(process.PARCOURS):
            self.bad("suite", "no %s: run make first" % process.PARCOURS)
            sys.exit(1)

    def wanted(self, name):
        """Arguments of the test file choose cases: each a part of a name."""
        return not self.only or any(part in name for part in self.only)

    def run(self, name, body, *args, always=False):
        """One case, if it is wanted; whatever it started is stopped after it."""
        if not always and not self.wanted(name):
            return
        mark, begin = process.mark(), time.monotonic()
        try:
            note = body(*args)
            process.stop_since(mark)
        except Skip as why:
            self.skip(name, str(why))
        except Failure as why:
            self.bad(name, str(why))
        except Exception as error:
            traceback.print_exc()
            self.bad(name, "%s: %s" % (type(error).__name__, error))
        else:
            self.ok("%s (%s%.1f s)" % (name, note + ", " if note else "", time.monotonic() - begin))
        finally:
            process.stop_since(mark)

    def ok(self, name):
        self.passed += 1
        print("ok " + name, flush=True)

    def bad(self, name, why):
        self.failed += 1
        print("not ok %s: %s" % (name, " ".join(why.split())), flush=True)

    def skip(self, name, why):
        if os.environ.get("CI") == "true" and not why.startswith(("kernel", "machine")):
            return self.bad(name, "skipped in CI: " + why)
        self.skipped += 1
        print("skipped %s: %s" % (name, why), flush=True)

    def done(self):
        process.stop_since(0)
        if schema.wrong:
            self.bad("rows fit the schema", "; ".join(schema.wrong[:8]))
        elif schema.shapes():
            self.ok("rows fit the schema (%d shapes)" % schema.shapes())
        if not self.passed + self.failed + self.skipped:
            self.bad("suite", "no case was run (arguments choose none)")
        sys.exit(1 if self.failed else 0)
