/* SPDX-License-Identifier: Apache-2.0 */
/*
 * txn_lookup.c: datagrams to and from name servers, from anybody. Each begins with four octets: whose it is and
 * when, which way it goes, and its length; the last takes what is left. A message that is cut says nothing else
 * of its name than the whole, and never that nothing was found where the whole has something. Each look-up that began
 * ends once.
 */
#include <stdlib.h>

#include "txn/lookup/lookup.h"
#include "txn/lookup/relation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 4
#define MOST 32 /* look-ups at once */

struct told {
	uint64_t failures, until_ns;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* In memory of its own, so that a look beyond its end is found. */
static int read_copy(struct slice s, struct dns_message *m)
{
	char *copy = malloc(s.len ? s.len : 1);
	int err;

	check(copy != NULL);
	if (s.len)
		memcpy(copy, s.at, s.len);
	err = dns_read(slice_of(copy, s.len), m);
	free(copy);
	return err;
}

static void read_whole_and_cut(struct slice s)
{
	struct dns_message whole, cut;
	int err = read_copy(s, &whole);

	if (!err) {
		check(whole.name_len <= DNS_NAME && whole.addresses <= DNS_ADDRESSES);
		check(whole.found || !whole.addresses);
		check(relation_label(slice_of(whole.name, whole.name_len)).len < 64);
	}
	for (size_t len = 0; len < s.len; len++) {
		if (read_copy(slice_sub(s, 0, len), &cut))
			continue;
		check(!err && cut.name_len == whole.name_len && cut.type == whole.type);
		check(!memcmp(cut.name, whole.name, whole.name_len));
		check(cut.found || !whole.found);
	}
}

static void on_failed(void *ctx, const struct lookup_failure *f)
{
	struct told *t = ctx;

	t->failures++;
	check(f->error && f->error[0] && f->name.len && f->name.len <= DNS_NAME);
	check(f->start_ns && f->start_ns <= f->end_ns && f->end_ns <= t->until_ns);
}

static void push(struct lookups *l, const uint8_t *head, struct slice s, uint64_t now_ns)
{
	size_t size = sizeof(struct pc_dns) + (s.len < PC_DNS_BYTES ? s.len : PC_DNS_BYTES);
	struct pc_dns *r = calloc(1, size);

	check(r != NULL);
	r->head = (struct pc_head){ PC_DNS, 0, (uint32_t)size, now_ns };
	r->tgid = 1 + head[0] % 2;
	r->tid = 1 + head[0] / 2 % 4;
	r->dir = head[2] & 1;
	r->error = head[2] & 2 ? 111 : 0;
	r->local.port = 40000 + head[2] / 4 % 4;
	r->remote = (struct pc_addr){ .ip = { head[2] / 16 }, .port = 53 };
	r->captured = (uint32_t)(size - sizeof(*r));
	if (r->captured)
		memcpy(r + 1, s.at, r->captured);
	lookups_push(l, r);
	free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct told told = { 0 };
	const struct lookup_sink sink = { .ctx = &told, .failed = on_failed };
	struct slice s = slice_of(data, size < 8192 ? size : 8192), one;
	uint64_t now_ns = 1000000000;
	struct lookup_stats stats;
	struct lookups *l;

	if (lookups_new(MOST, &sink, &l))
		return 0;
	while (s.len >= HEAD) {
		const uint8_t *head = (const uint8_t *)s.at;

		one = slice_sub(s, HEAD, HEAD + head[3]);
		s = slice_sub(s, HEAD + head[3], s.len);
		now_ns += (uint64_t)head[1] * head[1] * 1000000;
		told.until_ns = now_ns;
		read_whole_and_cut(one);
		push(l, head, one, now_ns);
		if (head[0] & 32)
			lookups_tick(l, now_ns);
		if (head[0] & 64)
			lookups_settle(l, 1, 1, 1, now_ns);
		if ((head[0] & 224) == 128)
			lookups_exit(l, 1 + head[0] % 2, now_ns);
		if ((head[0] & 224) == 192)
			lookups_lost(l);
	}
	lookups_tick(l, now_ns + 100000000000);
	check(!lookups_wait(l));
	lookups_finish(l);
	lookups_stats(l, &stats);
	check(stats.failed == told.failures);
	check(stats.failed + stats.unobserved <= stats.begun);
	lookups_free(l);
	return 0;
}
