# SPDX-License-Identifier: Apache-2.0
"""A QEMU guest that runs one Debian cloud kernel with a busybox initramfs.

Finds the kernel's package through apt, downloads and unpacks it (it is never installed), packs
an initramfs of the programs, the libraries that ldd names and the case files, boots it without
hardware acceleration and returns the files that the guest handed back on its second serial port.
"""

import gzip
import io
import os
import re
import shutil
import subprocess
import tarfile
import time


class Missing(Exception):
    """Something that this machine does not have; the message says how to get it."""


def run(args, **kw):
    r = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)
    if r.returncode:
        raise Missing("%s failed: %s" % (" ".join(args[:3]), r.stdout.strip()[-300:]))
    return r.stdout


def program(name):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise Missing("%s is missing: install its package (tools/setup does)" % name)
    return os.path.realpath(path)


def kernel(package, cache):
    """Path of the vmlinuz of the kernel that the metapackage `package` names today. Downloads are
    kept in `cache` by file name, so that a new kernel in the archive is a new download."""
    program("apt-get")
    program("dpkg-deb")
    depends = subprocess.run(["apt-cache", "depends", package], stdout=subprocess.PIPE,
                 stderr=subprocess.DEVNULL, text=True).stdout
    image = re.search(r"Depends: (linux-image-\S+)", depends)
    if not image:
        cached = sorted(d for d in os.listdir(cache) if d.startswith(package + "="))
        if cached:
            return find_vmlinuz(os.path.join(cache, cached[-1]))
        raise Missing("apt knows no %s: run apt-get update, or add the suite that has it "
                  "(bookworm-security, else bookworm-backports)" % package)
    home = os.path.join(cache, "%s=%s" % (package, image.group(1)))
    if not os.path.isdir(home):
        part = home + ".part"
        shutil.rmtree(part, ignore_errors=True)
        os.makedirs(part)
        run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", image.group(1)],
            cwd=part)
        deb = [f for f in os.listdir(part) if f.endswith(".deb")][0]
        run(["dpkg-deb", "-x", deb, "root"], cwd=part)
        shutil.copy(find_vmlinuz(part), os.path.join(part, "vmlinuz"))
        shutil.rmtree(os.path.join(part, "root"))
        os.remove(os.path.join(part, deb))
        os.rename(part, home)
    return find_vmlinuz(home)


def find_vmlinuz(folder):
    for path, _, names in os.walk(folder):
        for n in names:
            if n.startswith("vmlinuz"):
                return os.path.join(path, n)
    raise Missing("no vmlinuz in %s: remove it and try again" % folder)


def libraries(path):
    """The shared libraries of a program as (name the loader looks for, file)."""
    r = subprocess.run(["ldd", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if "not found" in r.stdout:
        raise Missing("%s misses libraries: %s" % (path, r.stdout))
    for line in r.stdout.splitlines():
        m = re.match(r"\s*(?:\S+ => )?(/\S+) \(0x", line)
        if m:
            yield m.group(1)


def cpio_entry(out, number, name, mode, data):
    """One file in the newc format that the kernel unpacks."""
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + name.encode() + b"\0"
    out.write(head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4))


def initramfs(path, programs, files):
    """Writes an initramfs: programs as {path in the guest: path here} with their libraries, files
    as {path in the guest: (mode, bytes)}."""
    content = dict(files)
    for there, here in programs.items():
        with open(here, "rb") as f:
            content[there.lstrip("/")] = (0o755, f.read())
        for lib in libraries(here):
            with open(lib, "rb") as f:
                content[lib.lstrip("/")] = (0o755, f.read())
    folders = {"proc", "sys", "dev", "tmp", "out", "etc", "var", "run", "usr/sbin"}
    for name in list(content) + list(folders):
        while os.path.dirname(name):
            name = os.path.dirname(name)
            folders.add(name)
    with gzip.open(path, "wb", compresslevel=1) as out:
        number = 1
        for name in sorted(folders):
            cpio_entry(out, number, name, 0o040755, b"")
            number += 1
        for name, (mode, data) in sorted(content.items()):
            cpio_entry(out, number, name, 0o100000 | mode, data)
            number += 1
        cpio_entry(out, number, "TRAILER!!!", 0, b"")


def panicked(console):
    try:
        with open(console, errors="replace") as f:
            return "Kernel panic" in f.read()
    except FileNotFoundError:
        return False


def boot(vmlinuz, initrd, folder, limit):
    """Boots, waits for the end (at most `limit` seconds), returns {name: bytes} of what the guest
    handed over, or None and leaves the console to read."""
    console = os.path.join(folder, "console.log")
    parcel = os.path.join(folder, "out.tar.gz")
    # One thread for both CPUs: with two, QEMU 7.2 now and then runs a breakpoint of the kernel's own
    # code patching on the other CPU, and the guest panics. no_timer_check: a kernel that counts the timer's
    # interrupts at its start panics too where the emulator got no processor meanwhile.
    args = [program("qemu-system-x86_64"), "-accel", "tcg,thread=single", "-cpu", "max", "-m", "1536",
        "-smp", "2", "-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot",
        "-serial", "file:" + console, "-serial", "file:" + parcel,
        "-kernel", vmlinuz, "-initrd", initrd, "-append", "console=ttyS0 quiet panic=-1 no_timer_check"]
    for old in (console, parcel):
        if os.path.exists(old):
            os.remove(old)
    with open(os.path.join(folder, "qemu.err"), "w") as err:
        p = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=err, stderr=err)
        end = time.monotonic() + limit
        try:
            while p.poll() is None and time.monotonic() < end and not panicked(console):
                time.sleep(0.5)
        finally:
            if p.poll() is None:
                p.kill()
                p.wait()
    try:
        with open(parcel, "rb") as f, tarfile.open(fileobj=io.BytesIO(f.read())) as tar:
            return {os.path.normpath(m.name): tar.extractfile(m).read()
                for m in tar.getmembers() if m.isfile()}
    except (OSError, EOFError, tarfile.TarError):
        return None
