/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_rows.c: text of strangers in every place of a transaction, through privacy, into a row of
 * NDJSON, a line for a terminal and a span. The first octet chooses the mode, then the rest is cut at
 * newlines into path, query, Referer, Location, User-Agent, X-Forwarded-For, Host and method.
 *
 * The first of them are a page and its failed call's host too, and the site of its visit.
 *
 * What must hold: a row is one line of UTF-8 without a bare control; a terminal gets no control at all;
 * a span is protobuf.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "../unit/sample.h"
#include "base/utf8.h"
#include "export/console.h"
#include "export/fact.h"
#include "export/ndjson.h"
#include "export/span.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice next(struct slice *rest)
{
	return rest->at ? slice_next(rest, '\n') : slice_of(NULL, 0);
}

static void check_row(struct buf *b)
{
	assert(!b->failed && b->len && utf8_is_valid(buf_slice(b)));
	assert(slice_find(buf_slice(b), '\n') == (long)b->len - 1);
	for (size_t i = 0; i + 1 < b->len; i++)
		assert((unsigned char)b->at[i] >= 0x20);
}

static void check_span(struct transaction *t, const struct view *v)
{
	static struct export_options options;
	const struct resource_limits limits = { 2, 2 };
	struct resources *r;
	struct pb_field f;
	struct spans *s;
	struct slice message;
	char *owned;
	size_t len;
	int more;

	assert(resources_new(&options, &limits, &r) == 0 && spans_new(r, 1 << 20, &s) == 0);
	assert(spans_add(s, t, v, SAMPLE_WALL) == 0 && spans_take(s, &owned, &len) == 0);
	message = slice_of(owned, len);
	while ((more = pb_next(&message, &f)) == 1)
		assert(f.number == 1);
	assert(more == 0);
	free(owned);
	spans_free(s);
	resources_free(r);
}

static void check_line(struct buf *b)
{
	check_row(b);
	for (size_t i = 0; i + 1 < b->len; i++)
		assert(b->at[i] != 0x7f);
}

static void check_facts(struct console *c, const struct privacy_rules *rules, struct slice path,
			struct slice host, struct slice site, struct buf *b)
{
	static const uint8_t id[KEY_BYTES] = { 1 };
	struct page_seen p = { .id = id,
			       .has = PAGE_HAS_LIVED,
			       .path = path,
			       .group = path,
			       .failed_host = host,
			       .failed_calls = 1 };
	struct session_fact f = { .revision = 1, .site = site, .basis = "cookie", .page = &p };
	static const enum fact_kind kinds[] = { FACT_START, FACT_PAGE, FACT_END };
	static struct fact_view v;

	if (!v.scratch.max)
		fact_view_init(&v);
	for (unsigned i = 0; i < 3; i++) {
		f.kind = kinds[i];
		if (fact_view_make(&v, rules, &f))
			continue;
		buf_clear(b);
		assert(console_fact(c, b, &v.fact, SAMPLE_WALL));
		check_line(b);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ndjson_context context = { .wall_minus_mono_ns = SAMPLE_WALL };
	struct privacy_rules rules = { 0 };
	struct transaction t = sample();
	struct console console = { .show = CONSOLE_ALL };
	static struct view v;
	struct slice rest;
	struct buf b;

	if (size < 1 || size > 100000)
		return 0;
	rules.mode = (enum privacy)(data[0] % 3);
	console.width = data[0] & 64 ? 80 : 0;
	t.side = data[0] & 128 ? SIDE_CLIENT : SIDE_SERVER;
	rest = slice_of(data + 1, size - 1);
	t.path = next(&rest);
	t.query = next(&rest);
	t.has_query = t.query.at;
	t.referer = next(&rest);
	t.location = next(&rest);
	t.user_agent = next(&rest);
	t.client_source = rest.len & 1 ? "x-forwarded-for" : NULL;
	t.client = t.remote;
	t.authority = t.server_name = next(&rest);
	t.method = next(&rest);
	t.method_known = false;
	if (!v.scratch.max)
		view_init(&v);
	if (view_make(&v, &rules, &t) < 0)
		return 0;
	buf_init(&b, 4u << 20);
	ndjson_transaction(&b, &context, &t, &v);
	check_row(&b);
	buf_clear(&b);
	assert(console_transaction(&console, &b, &t, &v, SAMPLE_WALL, 1));
	check_line(&b);
	check_facts(&console, &rules, t.path, t.query, t.authority, &b);
	buf_done(&b);
	check_span(&t, &v);
	return 0;
}
