# SPDX-License-Identifier: Apache-2.0
"""When it cannot be sent: a collector that is down, slow, busy, refuses, hangs up or talks garbage; a
disk that is full and a reader that left. Nothing may be lost without being counted, and the sums are
exact: spans made = sent + rejected + dropped."""
import email.utils
import os
import subprocess
import threading
import time

import fake
import strict
from drive import DRIVER, Run
from fake import Fake, answer, ok
from lib import process
from lib.suite import check, equal

COUNT = 100


def settled(run):
    s = run.stats
    equal(s["spans_encoded"], s["spans_sent"] + s["spans_rejected"] + s["spans_dropped"], "spans in all")
    return s


def one_batch(*script, more=(), count=COUNT, drain=20, tls=None):
    """Sends one batch of spans to a collector with that script; returns the run and the requests."""
    f = Fake(*script, tls=tls)
    run = Run("--traces", f.traces, "--count", count, "--drain", drain, *more)
    settled(run)
    f.stop()
    return run, f.requests()


def retried_codes():
    for code in (429, 502, 503, 504):
        run, seen = one_batch(answer(code), ok())
        equal((len(seen), run.stats["spans_sent"], run.stats["spans_dropped"]), (2, COUNT, 0), "after %d" % code)
        equal((run.stats["retries"], run.stats["failures"]), (1, 1), "retries")
        equal(seen[0].body, seen[1].body, "the message that is repeated")
        pause = seen[1].time - seen[0].time
        check(0.45 < pause < 1.7, "first pause of %.2f s" % pause)


def pauses_grow():
    run, seen = one_batch(answer(503), answer(503), answer(503), ok())
    pauses = [b.time - a.time for a, b in zip(seen, seen[1:])]
    equal((len(seen), run.stats["spans_sent"]), (4, COUNT), "requests and spans")
    for n, pause in enumerate(pauses):
        check(0.45 * 2 ** n < pause < 1.6 * 2 ** n, "pause %d of %.2f s" % (n, pause))
    return ", ".join("%.1f s" % p for p in pauses)


def refused_codes():
    for code in (301, 400, 401, 403, 404, 405, 408, 413, 415, 422, 500, 501, 505):
        run, seen = one_batch(answer(code, {"Retry-After": "1", "Location": "/v1/other"},
                                     fake.status_body(b"because \x1b[31mno")), ok())
        equal((len(seen), run.stats["spans_dropped"], run.stats["retries"]), (1, COUNT, 0), "after %d" % code)
        equal(run.stats["last_status"], code, "last status")
        equal(len(run.said), 1, "sentences of %d: %s" % (code, run.said))
        check(str(code) in run.said[0] and "dropped" in run.said[0], run.said[0])
        check("because \\x1b[31mno" in run.said[0] and "\x1b" not in run.said[0], "not escaped: %r" % run.said[0])


def retry_after_seconds():
    for code in (429, 503):
        run, seen = one_batch(answer(code, {"Retry-After": "3"}), ok())
        pause = seen[1].time - seen[0].time
        check(2.95 < pause < 3.5, "pause of %.2f s" % pause)
        equal(run.stats["spans_sent"], COUNT, "spans")


def retry_after_a_date():
    for usegmt in (True, False):
        date = lambda: email.utils.formatdate(time.time() + 4, usegmt=usegmt)
        run, seen = one_batch(answer(503, {"Retry-After": date}), ok())
        pause = seen[1].time - seen[0].time
        check(2.9 < pause < 4.6, "pause of %.2f s" % pause)
        equal(run.stats["spans_sent"], COUNT, "spans")


def retry_after_nonsense():
    for value in ("soon", "-5", "", "99999999999999999999"):
        f = Fake(answer(503, {"Retry-After": value}), ok())
        run = Run("--traces", f.traces, "--count", COUNT, "--drain", "2.5")
        settled(run)
        f.stop()
        if value.startswith("9"):  # a century: the message is given up, nothing is sent meanwhile
            equal((len(f.requests()), run.stats["spans_dropped"]), (1, COUNT), "after %r" % value)
        else:
            equal((len(f.requests()), run.stats["spans_sent"]), (2, COUNT), "after %r" % value)


def partial_success():
    run, _ = one_batch(answer(200, body=fake.partial(7, b"too \x07old")))
    equal((run.stats["spans_rejected"], run.stats["spans_sent"], run.stats["retries"]), (7, COUNT - 7, 0), "spans")
    check(len(run.said) == 1 and "7 of 100" in run.said[0] and "too \\x07old" in run.said[0], str(run.said))
    run, _ = one_batch(answer(200, body=fake.partial(0, b"a warning")))
    equal((run.stats["spans_rejected"], run.stats["spans_sent"]), (0, COUNT), "spans")
    check("a warning" in run.said[0], str(run.said))
    run, _ = one_batch(answer(200, body=fake.partial(10 ** 12)))  # more than there were
    equal((run.stats["spans_rejected"], run.stats["spans_sent"]), (COUNT, 0), "spans")
    for body in (fake.partial(0), b""):
        run, _ = one_batch(answer(200, body=body))
        equal((run.stats["spans_sent"], run.said), (COUNT, []), "spans and sentences")


def partial_success_of_metrics():
    f = Fake(answer(200, body=fake.partial(3, b"no")))
    run = Run("--metrics", f.metrics, "--count", COUNT)
    equal(run.stats["points_rejected"], 3 * run.stats["requests"], "points")


def answers_that_are_no_otlp():
    run, _ = one_batch(answer(200, body=b"<html><h1>It works!</h1></html>", kind="text/html"))
    equal(run.stats["spans_sent"], COUNT, "spans: 200 is 200")
    check(len(run.said) == 1 and "no OTLP answer" in run.said[0], str(run.said))
    for act in (fake.garbage, fake.hang_up):
        run, seen = one_batch(act, ok())
        equal((len(seen), run.stats["spans_sent"]), (2, COUNT), "after %s" % act.__name__)
        check("no answer" in run.said[0] and "takes data again" in run.said[-1], str(run.said))
    run, _ = one_batch(fake.endless_body)
    equal(run.stats["spans_dropped"], COUNT, "spans")


def answers_that_are_cut():
    """A whole head decides, whatever becomes of the body; half a head is no answer."""
    run, seen = one_batch(fake.cut_body(200), ok())
    equal((len(seen), run.stats["spans_sent"], run.stats["retries"]), (1, COUNT, 0), "after a cut 200")
    run, seen = one_batch(fake.cut_body(400), ok())
    equal((len(seen), run.stats["spans_dropped"], run.stats["retries"]), (1, COUNT, 0), "after a cut 400")
    run, seen = one_batch(fake.cut_body(503), ok())
    equal((len(seen), run.stats["spans_sent"], run.stats["retries"]), (2, COUNT, 1), "after a cut 503")
    for act in (fake.half_a_head, fake.interim_only):
        run, seen = one_batch(act, ok(), more=["--timeout", 400])
        equal((len(seen), run.stats["spans_sent"], run.stats["retries"]), (2, COUNT, 1), act.__name__)
        equal(run.stats["failures"], 1, "failures of " + act.__name__)
        check("no answer" in run.said[0], str(run.said))
    begin = time.monotonic()
    run, seen = one_batch(fake.drip, ok(), more=["--timeout", 400])
    equal((len(seen), run.stats["spans_sent"], run.stats["retries"]), (2, COUNT, 1), "after a drip")
    check(time.monotonic() - begin < 3, "waited for the drip")


def an_endless_head_is_left():
    f = Fake(fake.endless_head, ok())
    run = Run("--traces", f.traces, "--count", COUNT, "--drain", 20)
    settled(run)
    equal((len(f.requests()), run.stats["spans_sent"], run.stats["retries"]), (2, COUNT, 1), "requests")
    check(f.server.endless < 20e6, "%d octets of a head were taken" % f.server.endless)
    f.stop()


def a_redirect_is_told():
    run, seen = one_batch(answer(307, {"Location": "http://127.0.0.1:1/"}), ok())
    equal((len(seen), run.stats["spans_dropped"]), (1, COUNT), "after a redirect")
    check("307" in run.said[0] and "redirects" in run.said[0], str(run.said))


def a_collector_that_comes_later():
    port = process.free_port()
    late = []
    threading.Timer(1.5, lambda: late.append(Fake(port=port))).start()
    run = Run("--traces", "http://127.0.0.1:%d/v1/traces" % port, "--count", COUNT, "--drain", 15)
    settled(run)
    equal((run.stats["spans_sent"], len(late[0].requests())), (COUNT, 1), "spans")
    check("is a collector listening" in run.said[0] and "again" in run.said[-1], str(run.said))
    late[0].stop()


def a_slow_collector_is_left():
    run, seen = one_batch(answer(200, wait=2), ok(), more=["--timeout", 400])
    equal((len(seen), run.stats["spans_sent"], run.stats["retries"]), (2, COUNT, 1), "requests")


def the_end_is_bounded():
    for act, name in ((answer(200, wait=30), "silent"), (answer(503), "busy")):
        f = Fake(act)
        run = Run("--traces", f.traces, "--metrics", f.metrics, "--count", COUNT, "--drain", 1)
        settled(run)
        equal(run.stats["spans_dropped"], COUNT, "spans at a %s collector" % name)
        check(run.seconds < 2.5, "%s: ended after %.1f s" % (name, run.seconds))
        f.stop()


def memory_is_bounded():
    """Nobody listens; forty times the queue is made. The newest stays, the rest is counted."""
    port = process.free_port()
    command = [DRIVER, "--traces", "http://127.0.0.1:%d/v1/traces" % port, "--count", "100000", "--queue",
               str(4 << 20), "--plain-body", "--drain", "0.2", "--seconds", "1"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    peak = 0
    while child.poll() is None:
        with open("/proc/%d/status" % child.pid) as f:
            peak = max([peak] + [int(l.split()[1]) for l in f if l.startswith("VmHWM")])
        time.sleep(0.02)
    import json
    stats = json.loads(child.stdout.read())
    equal(stats["spans_dropped"], 100000, "spans")
    check(peak < 40000, "peak of %d kB" % peak)
    return "peak %d kB" % peak


def the_newest_stay():
    port = process.free_port()
    late = []
    threading.Timer(2.0, lambda: late.append(Fake(port=port))).start()
    run = Run("--traces", "http://127.0.0.1:%d/v1/traces" % port, "--count", 20000, "--batch", 100000, "--queue",
              1 << 20, "--plain-body", "--drain", 15)
    s = settled(run)
    check(0 < s["spans_sent"] < 5000 and s["spans_dropped"] > 10000, str(s))
    got = sum(strict.traces(r.body) for r in late[0].requests())
    equal(got, s["spans_sent"], "spans at the collector")
    check(b"/shop/19999/item" in late[0].requests()[-1].body, "the last one is not there")
    late[0].stop()


def one_signal_does_not_hold_up_the_other():
    busy, fine = Fake(answer(503, {"Retry-After": "60"})), Fake()
    run = Run("--traces", busy.traces, "--metrics", fine.metrics, "--count", COUNT, "--interval", 200, "--seconds",
              1.5, "--drain", 1)
    settled(run)
    equal((len(busy.requests()), run.stats["spans_dropped"]), (1, COUNT), "spans")
    check(len(fine.requests("/v1/metrics")) >= 5, "metrics: %d" % len(fine.requests("/v1/metrics")))
    equal(run.stats["points_dropped"], 0, "points")


def requests_are_what_otlp_wants():
    f = Fake()
    Run("--traces", f.traces, "--count", 2000, "--batch", 20000, "--header", "Authorization: Bearer abc",
        "--header", "X-Scope: one two")
    for r in f.requests():
        equal((r.headers["Content-Type"], r.headers["Content-Encoding"]), ("application/x-protobuf", "gzip"), "head")
        equal((r.headers["Authorization"], r.headers["X-Scope"]), ("Bearer abc", "one two"), "headers")
        check(r.headers["User-Agent"].startswith("parcours/"), r.headers["User-Agent"])
        check("Expect" not in r.headers, "asks before it sends")
    # the last one may be small: there is little in it that repeats
    large = max(f.requests(), key=lambda r: len(r.body))
    check(len(large.raw) < len(large.body) / 3, "compressed %d to %d" % (len(large.body), len(large.raw)))
    check(len(f.requests()) > 20, "batches: %d" % len(f.requests()))
    equal(len({r.connection for r in f.requests()}), 1, "connections")


def secrets_are_not_told():
    port = process.free_port()
    run = Run("--traces", "http://user:hunter2@127.0.0.1:%d/v1/traces?key=hunter2" % port, "--count", 1, "--drain",
              0.3)
    check(run.said and "hunter2" not in "".join(run.said), str(run.said))


def certificate(folder, name):
    key, cert = os.path.join(folder, name + ".key"), os.path.join(folder, name + ".crt")
    process.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=" + name, "-addext",
                 "subjectAltName=IP:127.0.0.1"])
    return cert, key


def tls_with_a_certificate():
    folder = process.folder("tls")
    ours, other = certificate(folder, "ours"), certificate(folder, "other")
    run, seen = one_batch(ok(), tls=ours, more=["--cacert", ours[0]])
    equal((len(seen), run.stats["spans_sent"]), (1, COUNT), "over TLS")
    run, seen = one_batch(ok(), tls=ours, more=["--cacert", other[0]], drain=1)
    equal((len(seen), run.stats["spans_dropped"]), (0, COUNT), "with another's certificate")
    check("certificate" in run.said[0], str(run.said))
    run, seen = one_batch(ok(), tls=ours, more=["--cacert", os.path.join(folder, "absent")], drain=1)
    equal((len(seen), run.stats["spans_dropped"], run.stats["retries"]), (0, COUNT, 0), "without its file")


def offline_work_waits_for_the_collector():
    """--patient: a queue far smaller than what is made, and nothing is dropped."""
    f = Fake(answer(200, wait=0.02))
    run = Run("--traces", f.traces, "--count", 20000, "--batch", 100000, "--queue", 300000, "--patient",
              "--plain-body", "--drain", 10)
    equal((run.stats["spans_sent"], run.stats["spans_dropped"]), (20000, 0), "spans")


def a_full_disk():
    f = Fake()
    child = subprocess.run([DRIVER, "--ndjson", "/dev/full", "--traces", f.traces, "--count", "20000", "--rate",
                            "1000"], capture_output=True, text=True, timeout=60)
    equal(child.returncode, 0, "exit code")
    import json
    stats = json.loads(child.stdout)
    equal((stats["ndjson_rows"], stats["spans_sent"]), (0, 20000), "rows and spans")
    check(stats["ndjson_dropped"] >= 20000, "dropped rows: %d" % stats["ndjson_dropped"])
    said = [l for l in child.stderr.splitlines() if "NDJSON" in l]
    check(len(said) == 1 and "No space left" in said[0], str(said))


def a_reader_that_leaves():
    child = subprocess.Popen([DRIVER, "--ndjson", "/dev/stdout", "--count", "50000", "--rate", "5000"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdout.read(5000)
    child.stdout.close()
    said = child.stderr.read().decode()
    child.wait(60)
    equal(child.returncode, 0, "exit code")
    equal(said.count("the reader is gone"), 1, "sentences: %s" % said[-300:])


CASES = [retried_codes, pauses_grow, refused_codes, retry_after_seconds, retry_after_a_date, retry_after_nonsense,
         partial_success, partial_success_of_metrics, answers_that_are_no_otlp, answers_that_are_cut,
         an_endless_head_is_left, a_redirect_is_told, a_collector_that_comes_later,
         a_slow_collector_is_left, the_end_is_bounded, memory_is_bounded, the_newest_stay,
         one_signal_does_not_hold_up_the_other, requests_are_what_otlp_wants, secrets_are_not_told,
         tls_with_a_certificate, offline_work_waits_for_the_collector, a_full_disk, a_reader_that_leaves]
