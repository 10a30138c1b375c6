/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_census.c: who is asked about, what --exe decides, what is held back until it is decided and
 * where it goes then; a full socket to the warden; answers that do not come.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/brain/census.h"

#define S 1000000000ull

struct bench {
	struct census *census;
	struct config *config;
	char told[4096]; /* what reached the core: "open:1 data:1 …" */
	struct message sent[64];
	unsigned sent_count;
	bool full;
	unsigned lost;
};

static void record(void *ctx, const struct pc_head *rec)
{
	static const char *const names[] = { "?",    "data", "open", "end",  "close",
					     "gone", "fork", "exec", "exit", "who" };
	struct bench *b = ctx;
	size_t at = strlen(b->told);
	unsigned long id = rec->kind == PC_DATA	  ? ((const struct pc_data *)rec)->conn
			   : rec->kind == PC_OPEN ? ((const struct pc_open *)rec)->conn
			   : rec->kind == PC_END  ? ((const struct pc_end *)rec)->conn
			   : rec->kind == PC_GONE ? ((const struct pc_close *)rec)->conn
						  : 0;

	snprintf(b->told + at, sizeof(b->told) - at, "%s%s:%lu", at ? " " : "", names[rec->kind],
		 id);
}

static int send(void *ctx, const struct message *m)
{
	struct bench *b = ctx;

	if (b->full)
		return -EAGAIN;
	assert_true(b->sent_count < 64);
	b->sent[b->sent_count++] = *m;
	return 0;
}

static void lost(void *ctx)
{
	((struct bench *)ctx)->lost++;
}

static void set_up(struct bench *b, const char *glob)
{
	const struct census_sink sink = { b, record, send, lost };
	const struct option_value option = { "scope.executables", "--exe", glob };
	const struct config_sources from = { .options = &option, .option_count = glob ? 1 : 0 };
	struct problems p = { 0 };

	memset(b, 0, sizeof(*b));
	assert_int_equal(config_load(&from, &p, &b->config), 0);
	assert_int_equal(census_new(b->config, &sink, &b->census), 0);
}

static void tear_down(struct bench *b)
{
	census_free(b->census);
	config_free(b->config);
}

static void data(struct bench *b, uint32_t tgid, uint64_t conn, uint16_t flags)
{
	struct pc_data d = { .head = { PC_DATA, flags, sizeof(d), S }, .conn = conn, .tgid = tgid };

	census_push(b->census, &d.head);
}

static void opened(struct bench *b, uint32_t tgid, uint64_t conn, uint16_t flags)
{
	struct pc_open o = { .head = { PC_OPEN, flags, sizeof(o), S }, .conn = conn, .tgid = tgid };

	census_push(b->census, &o.head);
}

static void gone(struct bench *b, uint64_t conn)
{
	struct pc_close c = { .head = { PC_GONE, 0, sizeof(c), S }, .conn = conn };

	census_push(b->census, &c.head);
}

static void process(struct bench *b, uint16_t kind, uint32_t tgid, const char *file)
{
	struct pc_process p = { .head = { kind, 0, sizeof(p), S }, .tgid = tgid, .start_ns = 77 };

	if (kind == PC_EXEC && b->config->executables.count)
		p.head.flags = PC_F_PROVISIONAL;

	snprintf(p.file, sizeof(p.file), "%s", file);
	census_push(b->census, &p.head);
}

static void who(struct bench *b, uint32_t tgid, const char *exe)
{
	struct pc_who w = { .head = { PC_WHO, 0, sizeof(w), S }, .tgid = tgid };

	w.start_ns = exe ? 77 : 0;
	snprintf(w.exe, sizeof(w.exe), "%s", exe ? exe : "");
	census_who(b->census, &w);
}

static const struct message *last(const struct bench *b, unsigned back)
{
	assert_true(b->sent_count > back);
	return &b->sent[b->sent_count - 1 - back];
}

static void asked_once(void **state)
{
	struct bench b;

	set_up(&b, NULL);
	opened(&b, 5, 1, 0);
	for (int i = 0; i < 10; i++)
		data(&b, 5, 1, 0);
	assert_int_equal(b.sent_count, 1);
	assert_int_equal(last(&b, 0)->kind, MESSAGE_LOOK);
	assert_int_equal(last(&b, 0)->tgid, 5);
	who(&b, 5, "/bin/x");
	data(&b, 5, 1, 0);
	data(&b, 6, 1, 0);
	assert_int_equal(b.sent_count, 2);
	assert_int_equal(last(&b, 0)->tgid, 6);
	/* no verdicts without --exe */
	assert_string_equal(b.told + strlen(b.told) - 20, " who:0 data:1 data:1");
	tear_down(&b);
}

static void file_decides(void **state)
{
	struct bench b;

	set_up(&b, "curl");
	process(&b, PC_EXEC, 9, "/usr/bin/curl");
	assert_int_equal(last(&b, 1)->kind, MESSAGE_VERDICT);
	assert_int_equal(last(&b, 1)->state, PC_SCOPE_YES);
	assert_int_equal(last(&b, 1)->start_ns, 77);
	assert_int_equal(last(&b, 0)->kind, MESSAGE_LOOK);
	/* still provisional: our verdict is on its way */
	opened(&b, 9, 1, PC_F_PROVISIONAL);
	assert_string_equal(b.told, "exec:0 open:1");
	/* a name that is not what it was called by changes nothing */
	who(&b, 9, "/usr/bin/other");
	assert_int_equal(b.sent_count, 2);
	tear_down(&b);
}

static void held_until_known(void **state)
{
	struct census_stats s;
	struct bench b;

	set_up(&b, "python3.11");
	process(&b, PC_EXEC, 9, "/usr/bin/python3");
	opened(&b, 9, 1, PC_F_PROVISIONAL);
	data(&b, 9, 1, PC_F_PROVISIONAL);
	process(&b, PC_EXEC, 10, "/usr/bin/other");
	opened(&b, 10, 2, PC_F_PROVISIONAL);
	gone(&b, 2);
	process(&b, PC_EXIT, 10, "");
	gone(&b, 1); /* waits behind its connection */
	gone(&b, 3); /* of nobody who waits */
	assert_string_equal(b.told, "exec:0 exec:0 exit:0 gone:3");
	b.told[0] = 0;
	who(&b, 9, "/usr/bin/python3.11");
	assert_string_equal(b.told, "who:0 open:1 data:1 gone:1");
	assert_int_equal(last(&b, 0)->kind, MESSAGE_VERDICT);
	assert_int_equal(last(&b, 0)->state, PC_SCOPE_YES);
	b.told[0] = 0;
	who(&b, 10, NULL); /* ended before the warden could look */
	assert_string_equal(b.told, "");
	assert_int_equal(last(&b, 0)->state, PC_SCOPE_NO);
	census_stats(b.census, &s);
	assert_u64(s.held_dropped, 2);
	assert_u64(s.not_found, 1);
	assert_u64(s.verdicts_yes, 1);
	assert_u64(s.verdicts_no, 1);
	/* decided: what is still provisional is dropped at once */
	opened(&b, 10, 4, PC_F_PROVISIONAL);
	assert_string_equal(b.told, "");
	tear_down(&b);
}

/* The control ring is read first: what a process did in its last millisecond comes after its EXIT. */
static void data_after_exit(void **state)
{
	struct bench b;

	set_up(&b, "curl");
	process(&b, PC_EXEC, 9, "/usr/bin/curl");
	process(&b, PC_EXIT, 9, "");
	opened(&b, 9, 1, PC_F_PROVISIONAL);
	data(&b, 9, 1, PC_F_PROVISIONAL);
	gone(&b, 1);
	assert_string_equal(b.told, "exec:0 exit:0 open:1 data:1 gone:1");
	/* the number is used again */
	process(&b, PC_FORK, 9, "");
	b.told[0] = 0;
	opened(&b, 9, 2, PC_F_PROVISIONAL);
	assert_string_equal(b.told, "");
	assert_int_equal(last(&b, 0)->kind, MESSAGE_LOOK);
	tear_down(&b);
}

static void exec_asks_anew(void **state)
{
	struct bench b;

	set_up(&b, "/usr/sbin/nginx");
	who(&b, 3, "/bin/sh"); /* nobody asked */
	assert_int_equal(b.sent_count, 0);
	process(&b, PC_EXEC, 3, "/usr/sbin/nginx");
	assert_int_equal(last(&b, 1)->state, PC_SCOPE_YES);
	process(&b, PC_EXEC, 3, "/bin/sh");
	assert_int_equal(last(&b, 0)->kind, MESSAGE_LOOK);
	who(&b, 3, "/bin/dash");
	assert_int_equal(last(&b, 0)->kind, MESSAGE_VERDICT);
	assert_int_equal(last(&b, 0)->state, PC_SCOPE_NO);
	tear_down(&b);
}

/* --pid with --exe: an execve of a pinned process asks nothing, so nothing is answered. */
static void pinned(void **state)
{
	struct pc_process p = { .head = { PC_EXEC, 0, sizeof(p), S }, .tgid = 4, .start_ns = 77 };
	struct bench b;

	set_up(&b, "curl");
	census_push(b.census, &p.head);
	who(&b, 4, "/bin/sh");
	for (unsigned i = 0; i < b.sent_count; i++)
		assert_int_equal(b.sent[i].kind, MESSAGE_LOOK);
	tear_down(&b);
}

/* The warden tells of everyone at the start; the core hears of those it meets, before it meets them. */
static void told_when_met(void **state)
{
	struct pc_process fork = { .head = { PC_FORK, 0, sizeof(fork), S },
				   .tgid = 6,
				   .parent = 5 };
	struct bench b;

	set_up(&b, NULL);
	who(&b, 5, "/usr/sbin/nginx");
	who(&b, 7, "/usr/bin/other");
	who(&b, 8, "/usr/bin/another");
	assert_string_equal(b.told, "");
	census_push(b.census, &fork.head);
	assert_string_equal(b.told, "who:0 fork:0");
	opened(&b, 7, 1, 0);
	data(&b, 7, 1, 0);
	assert_string_equal(b.told, "who:0 fork:0 who:0 open:1 data:1");
	assert_int_equal(b.sent_count, 0);
	tear_down(&b);
}

/* A process that was known before, and is now to be decided: asked again, held meanwhile. */
static void known_but_undecided(void **state)
{
	struct bench b;

	set_up(&b, "nginx");
	who(&b, 5, "/usr/sbin/nginx");
	opened(&b, 5, 1, PC_F_PROVISIONAL);
	data(&b, 5, 1, PC_F_PROVISIONAL);
	assert_int_equal(b.sent_count, 1);
	who(&b, 5, "/usr/sbin/nginx");
	assert_int_equal(last(&b, 0)->kind, MESSAGE_VERDICT);
	assert_int_equal(last(&b, 0)->state, PC_SCOPE_YES);
	assert_string_equal(b.told, "who:0 who:0 open:1 data:1");
	tear_down(&b);
}

static void full_socket(void **state)
{
	struct bench b;

	set_up(&b, "curl");
	b.full = true;
	process(&b, PC_EXEC, 9, "/usr/bin/curl");
	for (uint32_t tgid = 20; tgid < 30; tgid++)
		opened(&b, tgid, tgid, 0);
	assert_int_equal(b.sent_count, 0);
	census_tick(b.census, 2 * S);
	b.full = false;
	census_tick(b.census, 3 * S);
	assert_int_equal(b.sent_count, 12); /* verdict and look of 9, ten looks */
	census_tick(b.census, 3 * S + 1);
	assert_int_equal(b.sent_count, 12);
	tear_down(&b);
}

static void no_answer(void **state)
{
	struct bench b;

	set_up(&b, "curl");
	process(&b, PC_EXEC, 9, "./tool");
	opened(&b, 9, 1, PC_F_PROVISIONAL);
	assert_int_equal(b.sent_count, 1);
	for (uint64_t t = 1; t < 20; t++)
		census_tick(b.census, S + t * S / 2);
	/* asked three times, then taken as not found: dropped, told to the kernel */
	assert_int_equal(b.sent_count, 4);
	assert_int_equal(last(&b, 1)->kind, MESSAGE_LOOK);
	assert_int_equal(last(&b, 0)->kind, MESSAGE_VERDICT);
	assert_int_equal(last(&b, 0)->state, PC_SCOPE_NO);
	assert_string_equal(b.told, "exec:0");
	tear_down(&b);
}

static void bounded(void **state)
{
	static union {
		struct pc_data d;
		char bytes[sizeof(struct pc_data) + PC_PIECE];
	} big;
	struct census_stats s;
	struct bench b;
	uint64_t pushed = 0;

	set_up(&b, "curl");
	big.d.head = (struct pc_head){ PC_DATA, PC_F_PROVISIONAL, sizeof(big), S };
	big.d.conn = 1;
	big.d.tgid = 9;
	big.d.len = big.d.captured = PC_PIECE;
	for (; pushed < 3000; pushed++)
		census_push(b.census, &big.d.head);
	census_stats(b.census, &s);
	assert_u64(s.held + s.held_overflow, pushed);
	assert_true(s.held > 900 && s.held_overflow > 0);
	assert_string_equal(b.told, "");
	census_finish(b.census);
	census_stats(b.census, &s);
	assert_u64(s.held_dropped, s.held);
	tear_down(&b);
}

/* A hole in a connection shows by its positions; that an answer of a name server is missing has to be said. */
static void a_datagram_without_room(void **state)
{
	static union {
		struct pc_data d;
		char bytes[sizeof(struct pc_data) + PC_PIECE];
	} big;
	const struct pc_dns dns = {
		.head = { PC_DNS, PC_F_PROVISIONAL, sizeof(dns), S },
		.tgid = 9,
		.dir = PC_RX,
	};
	struct census_stats s;
	struct bench b;

	set_up(&b, "curl");
	big.d.head = (struct pc_head){ PC_DATA, PC_F_PROVISIONAL, sizeof(big), S };
	big.d.conn = 1;
	big.d.tgid = 9;
	big.d.len = big.d.captured = PC_PIECE;
	census_push(b.census, &dns.head);
	do {
		census_push(b.census, &big.d.head);
		census_stats(b.census, &s);
	} while (!s.held_overflow);
	census_tick(b.census, S + 1);
	assert_int_equal(b.lost, 0);
	while (s.held_overflow < 200) {
		census_push(b.census, &dns.head);
		census_stats(b.census, &s);
	}
	census_tick(b.census, S + 2);
	assert_int_equal(b.lost, 1);
	census_tick(b.census, S + 3);
	assert_int_equal(b.lost, 1);
	tear_down(&b);
}

/* More processes than the table has room for: the ones not met for the longest are forgotten. */
static void many(void **state)
{
	struct bench b;

	set_up(&b, NULL);
	for (uint32_t tgid = 1; tgid < 40000; tgid++) {
		b.sent_count = 0;
		data(&b, tgid, tgid, 0);
		assert_int_equal(b.sent_count, 1);
		b.told[0] = 0;
		who(&b, tgid, "/bin/x");
		b.told[0] = 0;
	}
	census_tick(b.census, 100 * S);
	assert_int_equal(b.sent_count, 1);
	tear_down(&b);
}

UNIT_MAIN(T(asked_once), T(file_decides), T(held_until_known), T(data_after_exit),
	  T(exec_asks_anew), T(pinned), T(told_when_met), T(known_but_undecided), T(full_socket),
	  T(no_answer), T(bounded), T(a_datagram_without_room), T(many))
