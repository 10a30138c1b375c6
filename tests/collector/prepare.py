# SPDX-License-Identifier: Apache-2.0
"""Builds what the tests of this folder need, once: the collector, and an environment with the
protobuf classes of OpenTelemetry. Both lie in $XDG_CACHE_HOME/parcours (or ~/.cache/parcours), named
by a hash of what they are made of, so that a change makes a new one and nothing is ever stale.

prepare.py             builds what is missing
prepare.py --python    prints the interpreter of the environment
"""
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "parcours")
SOURCES = ("main.go", "go.mod", "go.sum")
PACKAGES = ["opentelemetry-proto==1.37.0", "protobuf==5.29.5"]


def digest(parts):
    h = hashlib.sha256()
    for part in parts:
        h.update(part if isinstance(part, bytes) else part.encode())
    return h.hexdigest()[:16]


def collector():
    """Path of the collector, whether it is there or not."""
    parts = []
    for name in SOURCES:
        with open(os.path.join(HERE, name), "rb") as f:
            parts.append(f.read())
    return os.path.join(CACHE, "collector-" + digest(parts))


def environment():
    return os.path.join(CACHE, "otlp-" + digest(PACKAGES + [sys.version]))


def python():
    return os.path.join(environment(), "bin", "python")


def go():
    own = os.path.join(CACHE, "go", "bin", "go")
    return own if os.access(own, os.X_OK) else shutil.which("go", path=os.environ.get("PATH", "") + ":/usr/local/go/bin")


def build_collector():
    target = collector()
    if os.access(target, os.X_OK):
        return
    compiler = go()
    if not compiler:
        sys.exit("collector: no Go compiler: run tools/setup check")
    print("building the collector (some minutes, once) …", flush=True)
    env = dict(os.environ, CGO_ENABLED="0", GOFLAGS="-mod=readonly -buildvcs=false", GOTOOLCHAIN="local")
    subprocess.run([compiler, "build", "-trimpath", "-ldflags=-s -w", "-o", target + ".new", "."],
                   cwd=HERE, env=env, check=True)
    os.rename(target + ".new", target)


def build_environment():
    target = environment()
    if os.path.exists(os.path.join(target, "complete")):
        return
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", target], check=True)
    subprocess.run([python(), "-m", "pip", "-q", "--disable-pip-version-check", "install"] + PACKAGES, check=True)
    with open(os.path.join(target, "complete"), "w"):
        pass


def main():
    if "--python" in sys.argv:
        print(python())
        return
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "prepare.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build_environment()
        build_collector()


if __name__ == "__main__":
    main()
