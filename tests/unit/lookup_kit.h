/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup_kit.h: look-ups under test: questions and answers as datagrams, and what was told of them. Times are in
 * milliseconds after some beginning.
 */
#ifndef PC_TESTS_UNIT_LOOKUP_KIT_H
#define PC_TESTS_UNIT_LOOKUP_KIT_H

#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "dns.h"
#include "txn/lookup/lookup.h"

#define MS   1000000ull
#define TGID 7
#define PORT 40000
#define TOLD 512
#define BASE (1000 * MS)

struct told {
	char name[256];
	const char *error;
	uint64_t start_ms, end_ms;
	uint32_t tgid, tid, again;
	bool abandoned;
};

struct kit {
	struct lookups *l;
	struct told told[TOLD];
	unsigned count, found;
	/* of the next datagram */
	uint32_t tgid, tid;
	uint16_t port;
	uint8_t server;
	uint32_t error;
	bool unread, loose;
};

static inline void on_failed(void *ctx, const struct lookup_failure *f)
{
	struct kit *k = ctx;
	struct told *t = &k->told[k->count++];

	assert_true(k->count < TOLD);
	assert_true(f->start_ns && f->end_ns >= f->start_ns);
	assert_int_equal(f->server.port, 53);
	memcpy(t->name, f->name.at, f->name.len);
	t->name[f->name.len] = 0;
	t->error = f->error;
	t->start_ms = (f->start_ns - BASE) / MS;
	t->end_ms = (f->end_ns - BASE) / MS;
	t->tgid = f->tgid;
	t->tid = f->tid;
	t->again = f->again;
	t->abandoned = f->abandoned;
}

static inline void on_found(void *ctx, struct slice name, const struct dns_message *answer)
{
	struct kit *k = ctx;

	assert_true(name.len > 0);
	k->found++;
}

static inline void kit_new(struct kit *k, uint32_t most)
{
	const struct lookup_sink sink = { k, on_failed, on_found };

	*k = (struct kit){ .tgid = TGID, .tid = 70, .port = PORT, .server = 1 };
	assert_int_equal(lookups_new(most, &sink, &k->l), 0);
}

static inline void datagram(struct kit *k, uint64_t at_ms, uint8_t dir, const struct dns_octets *o)
{
	union {
		struct pc_dns rec;
		char room[sizeof(struct pc_dns) + PC_DNS_BYTES];
	} r = { .rec = { .tgid = k->tgid, .tid = k->tid, .dir = dir, .error = k->error } };

	r.rec.head = (struct pc_head){ PC_DNS, 0, sizeof(r), BASE + at_ms * MS };
	r.rec.family = AF_INET;
	r.rec.captured = k->unread ? 0 : o->len < PC_DNS_BYTES ? (uint32_t)o->len : PC_DNS_BYTES;
	memcpy(r.room + sizeof(r.rec), o->at, r.rec.captured);
	r.rec.local.port = k->port;
	if (dir == PC_TX || !k->loose)
		r.rec.remote =
			(struct pc_addr){ .ip = { [10] = 0xff, [11] = 0xff, [15] = k->server },
					  .port = 53 };
	lookups_push(k->l, &r.rec);
}

static inline void ask(struct kit *k, uint64_t at_ms, const char *name, unsigned type, unsigned id)
{
	struct dns_octets o;

	dns_begin(&o, id, DNS_ASKS, name, type, 0);
	datagram(k, at_ms, PC_TX, &o);
}

static inline void ask_both(struct kit *k, uint64_t at_ms, const char *name, unsigned id)
{
	ask(k, at_ms, name, DNS_A, id);
	ask(k, at_ms, name, DNS_AAAA, id + 1);
}

static inline void answer(struct kit *k, uint64_t at_ms, const char *name, unsigned type,
			  unsigned id, unsigned rcode, bool found)
{
	static const uint8_t address[16] = { 10, 0, 0, 1 };
	struct dns_octets o;

	dns_begin(&o, id, DNS_IS_ANSWER | rcode, name, type, found);
	if (found)
		dns_record(&o, NULL, type, address, type == DNS_A ? 4 : 16);
	datagram(k, at_ms, PC_RX, &o);
}

static inline void answer_both(struct kit *k, uint64_t at_ms, const char *name, unsigned id,
			       unsigned rcode)
{
	answer(k, at_ms, name, DNS_A, id, rcode, false);
	answer(k, at_ms, name, DNS_AAAA, id + 1, rcode, false);
}

static inline void tick(struct kit *k, uint64_t at_ms)
{
	lookups_tick(k->l, BASE + at_ms * MS);
}

/* Time passes until nothing can be open; these, and no others, were told. */
static inline void ends(struct kit *k, unsigned count)
{
	struct lookup_stats s;

	tick(k, 1000000);
	assert_int_equal(k->count, count);
	lookups_stats(k->l, &s);
	assert_int_equal(s.failed, count);
	assert_false(lookups_wait(k->l));
	lookups_finish(k->l);
	assert_int_equal(k->count, count);
	lookups_free(k->l);
}

static inline void is_told(const struct kit *k, unsigned i, const char *name, const char *error)
{
	assert_true(i < k->count);
	assert_string_equal(k->told[i].name, name);
	assert_string_equal(k->told[i].error, error);
}

#endif
