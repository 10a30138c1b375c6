# SPDX-License-Identifier: Apache-2.0
"""The export stage from outside: what a real collector wrote down of it, what a strict decoder says of
every message, and how it behaves when the collector does not. Run by tests/collector/run.

Cases live in content.py (what is sent), program.py (by the whole program), people.py (pages and visits) and
trouble.py (when it cannot be sent)."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "live"))

from lib.suite import Suite  # noqa: E402

import content  # noqa: E402
import people  # noqa: E402
import program  # noqa: E402
import trouble  # noqa: E402

suite = Suite()
for module in (content, program, people, trouble):
    for case in module.CASES:
        suite.run("collector " + case.__name__.replace("_", " "), case)
suite.done()
