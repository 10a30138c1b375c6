/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parser.h: what the commands of event scripts share: the line at hand, the time, and what each
 * connection has moved so far. A command returns false, or sets w.why, when its line is wrong.
 */
#ifndef PC_TESTS_FLOW_PARSER_H
#define PC_TESTS_FLOW_PARSER_H

#include "script.h"
#include "words.h"

#define CONNS 4096

struct conn {
	uint64_t id;
	uint64_t pos[2];   /* next octet, as the writer counts */
	uint64_t shift[2]; /* what the kernel adds */
	uint32_t pid;
	uint16_t flags; /* of every record of it */
};

struct parser {
	struct script *s;
	struct script_options options;
	struct words w;
	struct conn conns[CONNS];
	unsigned conn_count;
	uint64_t now_ns;
};

/* A cleared record at the end of the list; NULL: no memory, said. */
void *add_record(struct parser *p, enum pc_kind kind, size_t size);

static inline bool bad(struct parser *p, const char *why)
{
	p->w.why = why;
	return false;
}

static inline void copy_word(char *to, size_t room, struct slice s)
{
	size_t n = s.len < room - 1 ? s.len : room - 1;

	memcpy(to, s.at, n);
	to[n] = 0;
}

/* connection.c */
bool command_open(struct parser *p);
bool command_rx(struct parser *p);
bool command_tx(struct parser *p);
bool command_miss(struct parser *p);
bool command_pos(struct parser *p);
bool command_end(struct parser *p);
bool command_close(struct parser *p);
bool command_gone(struct parser *p);
bool command_acked(struct parser *p);
bool command_resent(struct parser *p);
bool command_alive(struct parser *p);
bool command_looked(struct parser *p);
bool command_listener(struct parser *p);

/* dns.c */
bool command_dns(struct parser *p);

#endif
