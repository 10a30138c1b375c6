/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.c: `parcours doctor`: what this kernel and host offer, what will be seen and what not, and
 * what to do about it. Loads nothing, changes nothing, needs no root (and then sees less).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "agent/command/command.h"
#include "agent/command/survey.h"
#include "agent/config/options.h"
#include "agent/geo.h"
#include "agent/secret.h"
#include "agent/warden/rights.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "capture/capture.h"
#include "session/who.h"

enum grade { GOOD, PARTLY, BAD, FACT };

/* One finding: what was looked at, how it stands, what to do (may be empty). */
struct finding {
	enum grade grade;
	const char *subject;
	char what[256];
	const char *advice;
};

#define FINDINGS 32

struct report {
	struct finding at[FINDINGS];
	unsigned count;
};

__attribute__((format(printf, 5, 6))) static void found(struct report *r, enum grade grade,
							const char *subject, const char *advice,
							const char *fmt, ...)
{
	struct finding *f = &r->at[r->count];
	va_list args;

	if (r->count == FINDINGS)
		return;
	r->count++;
	f->grade = grade;
	f->subject = subject;
	f->advice = advice;
	va_start(args, fmt);
	vsnprintf(f->what, sizeof(f->what), fmt, args);
	va_end(args);
}

static void about_kernel(struct report *r, const struct capture_features *f)
{
	char missing[256];
	bool lacks = rights_missing(missing, sizeof(missing));

	found(r, FACT, "kernel", "", "%s", f->kernel);
	if (f->btf)
		found(r, GOOD, "types (BTF)", "", "the kernel describes itself");
	else
		found(r, BAD, "types (BTF)",
		      "use a kernel built with CONFIG_DEBUG_INFO_BTF (Debian's and most others "
		      "are)",
		      "/sys/kernel/btf/vmlinux is not there: the agent cannot run");
	if (!lacks)
		found(r, GOOD, "privilege", "", "all that is needed");
	else
		found(r, BAD, "privilege",
		      "run `parcours run` as root; doctor says more as root too", "missing %s",
		      missing);
	if (f->sock_length)
		found(r, GOOD, "source", "", "socket tracepoints: only socket calls pay");
	else
		found(r, PARTLY, "source", "a kernel 6.3 or later makes it cheaper",
		      "sys_exit: every system call of the host pays some nanoseconds");
}

static void about_facts(struct report *r, const struct capture_features *f)
{
	if (f->data_ready)
		found(r, GOOD, "wait", "", "the time that a request waited in its socket is seen");
	else
		found(r, PARTLY, "wait", "needs a kernel 6.3 or later",
		      "unobserved: no sk_data_ready tracepoint");
	if (f->sendmsg_locked)
		found(r, GOOD, "first byte", "", "exact, even when one write blocks");
	else
		found(r, PARTLY, "first byte", "needs a newer kernel",
		      "unobserved where one write blocked; exact otherwise");
	found(r, f->reset && f->retransmit ? GOOD : PARTLY, "resets, retransmissions", "", "%s%s%s",
	      f->reset ? "resets seen" : "resets not seen",
	      f->retransmit ? ", retransmissions seen" : ", retransmissions not seen",
	      f->destroy ? "" : ", ends of connections by time-out only");
	if (f->refused)
		found(r, GOOD, "refusals", "", "clients of a server that has ended are counted");
	else
		found(r, PARTLY, "refusals", "needs a kernel 6.10 or later",
		      "clients of a server that has ended are not seen; its own refused calls are");
}

static void about_host(struct report *r, const struct survey *s)
{
	if (s->cgroup2)
		found(r, GOOD, "cgroup2", "", "mounted: --cgroup and container names work");
	else
		found(r, PARTLY, "cgroup2", "mount -t cgroup2 none /sys/fs/cgroup",
		      "not mounted: --cgroup does not work");
	if (s->lockdown[0])
		found(r, PARTLY, "lockdown", "boot without lockdown, or with lockdown=integrity",
		      "kernel lockdown is %s: it may refuse to read memory", s->lockdown);
	found(r, FACT, "processes", s->partial ? "run doctor as root to look at all of them" : "",
	      "%u looked at%s", s->processes, s->partial ? ", the others may not be read" : "");
	if (s->io_uring)
		found(r, PARTLY, "io_uring",
		      "their HTTP over io_uring is counted as unobserved; configure them for epoll "
		      "if you need it",
		      "%u processes use it (%s)", s->io_uring, s->io_uring_names);
	else
		found(r, GOOD, "io_uring", "", "nobody uses it now");
	if (s->compat)
		found(r, PARTLY, "32-bit programs", "their calls are counted as unobserved",
		      "%u processes (%s)", s->compat, s->compat_names);
	else
		found(r, GOOD, "32-bit programs", "", "none run now");
	if (s->tls)
		found(r, PARTLY, "TLS",
		      "HTTPS is not decrypted by this version: watch behind the TLS proxy",
		      "%u %s a TLS library loaded (%s)", s->tls,
		      s->tls == 1 ? "process has" : "processes have", s->tls_names);
}

static void about_secret(struct report *r, const struct config *c)
{
	uint8_t secret[SECRET_BYTES];
	char path[STATE_PATH], print[20];
	int err = secret_path(c, path);

	if (!err)
		err = secret_read(path, secret);
	if (err == -ENOENT) {
		found(r, FACT, "site secret",
		      "made at the first start; copy it to the site's other hosts",
		      "%.200s is not there yet", path);
	} else if (err) {
		found(r, err == -EACCES ? PARTLY : BAD, "site secret",
		      err == -EACCES
			      ? "run doctor as root"
			      : "restore the file, or remove it to begin with new pseudonyms",
		      "%.160s: %s", path,
		      err == -EBADMSG  ? "is not 64 hexadecimal digits"
		      : err == -EINVAL ? "is no regular file"
				       : strerror(-err));
	} else {
		secret_fingerprint(secret, print);
		explicit_bzero(secret, sizeof(secret));
		found(r, GOOD, "site secret", "must be the same on all hosts of a site",
		      "fingerprint %s (%.160s)", print, path);
	}
}

static void about_places(struct report *r, const struct config *c)
{
	const char *why = "cannot be read";
	struct geo *geo = NULL;
	struct stat seen;
	char *bytes = NULL, date[16] = "?";
	size_t len;
	time_t built;
	int err;

	if (!c->geo_file) {
		found(r, FACT, "countries", geo_help,
		      "countries: unobserved, no geo.file is configured");
		return;
	}
	err = geo_file_read(c->geo_file, &bytes, &len, &seen);
	if (err)
		why = strerror(-err);
	else
		err = geo_new(slice_of(bytes, len), &geo, &why);
	if (err) {
		found(r, PARTLY, "countries", geo_help, "countries: unobserved, %.128s: %.80s",
		      c->geo_file, why);
	} else {
		struct slice type = geo_type(geo);

		built = (time_t)geo_build_s(geo);
		strftime(date, sizeof(date), "%Y-%m-%d", gmtime(&built));
		found(r, GOOD, "countries", "", "countries: %.*s of %s (%.128s)",
		      (int)(type.len < 40 ? type.len : 40), type.at, date, c->geo_file);
	}
	geo_free(geo);
	free(bytes);
}

static void about_limits(struct report *r)
{
	found(r, FACT, "always unseen",
	      "each is counted: see `parcours status` and the rows of type stats",
	      "HTTP/2, HTTP/3 (QUIC), TLS, zero-copy, splice into a socket, kernel threads");
}

static const char *grade_name(enum grade g)
{
	static const char *const names[] = { "good", "partly", "bad", "fact" };

	return names[g];
}

static void print_text(const struct report *r)
{
	for (unsigned i = 0; i < r->count; i++) {
		const struct finding *f = &r->at[i];

		printf("%-7s %-24s %s\n", grade_name(f->grade), f->subject, f->what);
		if (f->advice[0])
			printf("%-7s %-24s → %s\n", "", "", f->advice);
	}
}

static int print_json(const struct report *r)
{
	struct buf out;
	struct json j;

	buf_init(&out, 65536);
	json_init(&j, &out);
	json_array(&j);
	for (unsigned i = 0; i < r->count; i++) {
		json_object(&j);
		json_key_string(&j, "subject", slice_str(r->at[i].subject));
		json_key_string(&j, "grade", slice_str(grade_name(r->at[i].grade)));
		json_key_string(&j, "what", slice_str(r->at[i].what));
		json_key_string(&j, "advice", slice_str(r->at[i].advice));
		json_end(&j);
	}
	json_end(&j);
	buf_add_byte(&out, '\n');
	if (!out.failed)
		fwrite(out.at, 1, out.len, stdout);
	buf_done(&out);
	return out.failed ? -ENOMEM : 0;
}

int command_doctor(int argc, char **argv)
{
	struct capture_features features;
	struct report *r = calloc(1, sizeof(*r));
	struct options options;
	struct config *config;
	struct survey survey;
	int code = EXIT_OK;

	if (!r || options_parse(argc, argv, FOR_DOCTOR, &options)) {
		free(r);
		return EXIT_USAGE;
	}
	code = options_load(&options, &config);
	if (code) {
		free(r);
		return code;
	}
	capture_features(&features);
	survey_host("/proc", &survey);
	about_kernel(r, &features);
	about_facts(r, &features);
	about_host(r, &survey);
	about_secret(r, config);
	about_places(r, config);
	about_limits(r);
	config_free(config);
	if (options.json)
		code = print_json(r) ? EXIT_RUNTIME : EXIT_OK;
	else
		print_text(r);
	/* the exit code is for scripts: can `run` work here, as who asks? */
	for (unsigned i = 0; i < r->count; i++)
		if (r->at[i].grade == BAD)
			code = EXIT_RUNTIME;
	free(r);
	return code;
}
