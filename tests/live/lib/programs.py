# SPDX-License-Identifier: Apache-2.0
"""Small C and Java programs of the live tests, built when their source is newer."""
import os

from . import process
from .servers import program


def c_program(name, *libraries, options=()):
    """tests/live/apps/<name>.c → build/tests/live/<name>."""
    source = os.path.join(process.APPS, name + ".c")
    target = os.path.join(process.BUILD, "tests", "live", name)
    if not os.path.exists(target) or os.path.getmtime(target) < os.path.getmtime(source):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        process.run([program("cc"), "-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-pthread",
                     "-D_GNU_SOURCE", *options, "-o", target + ".new", source, *("-l" + l for l in libraries)])
        os.rename(target + ".new", target)
    return target


def c_library(name):
    """Likewise, to be loaded before others (LD_PRELOAD)."""
    return c_program(name, options=("-shared", "-fPIC"))


def java_class(name):
    """tests/live/apps/<name>.java → a class path that has it."""
    source = os.path.join(process.APPS, name + ".java")
    place = os.path.join(process.BUILD, "tests", "live", "java")
    target = os.path.join(place, name + ".class")
    if not os.path.exists(target) or os.path.getmtime(target) < os.path.getmtime(source):
        os.makedirs(place, exist_ok=True)
        process.run([program("javac"), "-d", place, source])
    return place
