/* SPDX-License-Identifier: Apache-2.0 */
/*
 * geo.c: see geo.h. Nothing here knows the format: who/geo.c says whether the octets are a database.
 */
#include "agent/geo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define EVERY_NS (5 * NS_PER_S)

const char geo_help[] =
	"`apt install geoipupdate && geoipupdate` (with MaxMind's free account in /etc/GeoIP.conf) "
	"writes /var/lib/GeoIP/GeoLite2-City.mmdb; set geo.file to it";

static int read_all(int fd, char *to, size_t len)
{
	while (len) {
		ssize_t n = read(fd, to, len);

		if (n < 0)
			return -errno;
		if (n == 0)
			return -EBADMSG; /* cut meanwhile: there will be another look */
		to += n;
		len -= (size_t)n;
	}
	return 0;
}

int geo_file_read(const char *path, char **ret_bytes, size_t *ret_len, struct stat *ret_seen)
{
	/* without waiting: a FIFO would hold us for ever */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	char *bytes = NULL;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	else if ((uint64_t)st.st_size > GEO_BYTES)
		err = -EFBIG;
	if (!err) {
		*ret_seen = st;
		bytes = malloc((size_t)st.st_size + 1);
		err = bytes ? read_all(fd, bytes, (size_t)st.st_size) : -ENOMEM;
	}
	close(fd);
	if (err) {
		free(bytes);
		return err;
	}
	*ret_bytes = bytes;
	*ret_len = (size_t)st.st_size;
	return 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void tell_failure(struct geo_file *g, int err, const char *why)
{
	const char *kept = "countries are unobserved";

	if (g->bytes)
		kept = "the countries of the file before stay in use";
	if (g->failed == err)
		return;
	g->failed = err;
	g->troubled = true;
	if (err == -ENOENT)
		log_warn("geo.file %s is not there: %s; %s", g->path, kept, geo_help);
	else if (err == -EACCES)
		log_warn("geo.file %s: user %u, who parses, may not read it: %s; chmod a+r it and "
			 "let others search its directories",
			 g->path, geteuid(), kept);
	else if (why)
		log_warn("geo.file %s: %s; %s", g->path, why, kept);
	else
		log_warn("geo.file %s: %s; %s", g->path,
			 err == -EINVAL ? "is no regular file" : strerror(-err), kept);
}

static void load(struct geo_file *g, struct session *s)
{
	const char *why = NULL;
	struct stat seen = { 0 };
	char *bytes = NULL;
	size_t len = 0;
	int err = geo_file_read(g->path, &bytes, &len, &seen);

	if (!err)
		err = session_places(s, slice_of(bytes, len), &why);
	/* one that was cut while it was read is tried again even if it looks the same */
	memset(&g->seen, 0, sizeof(g->seen));
	if (!err || why)
		g->seen = seen;
	if (err) {
		free(bytes);
		tell_failure(g, err, why);
		return;
	}
	if (g->bytes || g->troubled)
		log_info("geo.file %s: taken up", g->path);
	free(g->bytes);
	g->bytes = bytes;
	g->failed = 0;
	g->troubled = false;
}

/* The same trouble of another state of the file is worth a word again. */
static void look(struct geo_file *g, struct session *s)
{
	struct stat st;

	if (stat(g->path, &st)) {
		g->seen = (struct stat){ 0 };
		tell_failure(g, -errno, NULL);
		return;
	}
	if (is_same(&st, &g->seen))
		return;
	if (g->seen.st_ino)
		g->failed = 0;
	load(g, s);
}

void geo_file_open(struct geo_file *g, const char *path, struct session *s)
{
	bool same = path && g->path && !strcmp(path, g->path);
	const char *why;

	g->path = path;
	if (same)
		return;
	g->seen = (struct stat){ 0 };
	g->failed = 0;
	if (path) {
		look(g, s);
		return;
	}
	session_places(s, slice_of(NULL, 0), &why);
	free(g->bytes);
	g->bytes = NULL;
}

static void tell_missing(struct geo_file *g, const struct session *s)
{
	struct session_stats stats;

	session_stats(s, &stats);
	if (!stats.started)
		return;
	log_info("no geo.file: countries of visits are unobserved (parcours doctor: what helps)");
	g->missed = true;
}

void geo_file_tick(struct geo_file *g, struct session *s, uint64_t now_ns)
{
	if (!g->path && !g->missed)
		tell_missing(g, s);
	if (!g->path || now_ns < g->next_ns)
		return;
	if (g->next_ns)
		look(g, s);
	g->next_ns = now_ns + EVERY_NS;
}

void geo_file_close(struct geo_file *g)
{
	free(g->bytes);
	*g = (struct geo_file){ 0 };
}
