/* SPDX-License-Identifier: Apache-2.0 */
/*
 * geo.h: the database of countries and regions (geo.file) from disk into the session stage. Read whole into
 * memory of our own, because a mapped file may be cut while it is read; looked at again every 5 s, so that an
 * update by geoipupdate or by hand is taken up while the agent runs. A broken, half-written or vanished file
 * leaves the old one in use, said once for each state of the file; that there is none, with the first visit
 * that has no country for it. Opened with the rights of the process
 * that parses. Loop thread.
 */
#ifndef PC_AGENT_GEO_H
#define PC_AGENT_GEO_H

#include <sys/stat.h>

#include "agent/config/config.h"
#include "session/session.h"

#define GEO_BYTES (1ull << 30) /* the largest that is read */

struct geo_file {
	const char *path; /* NULL: none is configured */
	char *bytes;	  /* in use by the session stage */
	struct stat seen; /* the file as it was last tried; st_ino 0: none yet */
	int failed;	  /* -errno that was told of it; 0: none */
	bool troubled;	  /* something was told since the last success */
	bool missed;	  /* it was told that none is configured */
	uint64_t next_ns;
};

/* At the start, and again with another configuration: what there is now is loaded, or said. `path` outlives it
 * or the next call. */
void geo_file_open(struct geo_file *g, const char *path, struct session *s);
void geo_file_tick(struct geo_file *g, struct session *s, uint64_t now_ns);
/* After the session stage is gone. */
void geo_file_close(struct geo_file *g);

/* The whole file: 0, or -errno; *ret_bytes is to be freed. */
int geo_file_read(const char *path, char **ret_bytes, size_t *ret_len, struct stat *ret_seen);
/* What a person can do about an unreadable or missing file. */
extern const char geo_help[];

#endif
