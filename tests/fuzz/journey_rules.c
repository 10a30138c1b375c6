/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_rules.c: the input is a rule file. What is refused told why, at a place in the file; what is accepted
 * looks at transactions with contents of several kinds, whole and cut, and what it says of them keeps within the
 * bounds of said.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "journey/rule/rules.h"
#include "txn/body/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VALUES 4096

static void check(bool holds)
{
	if (!holds)
		abort();
}

struct told {
	unsigned count, lines;
};

static void on_error(void *ctx, const struct rules_error *e)
{
	struct told *t = ctx;

	t->count++;
	check(e->file && memchr(e->text, 0, sizeof(e->text)) && e->text[0] &&
	      !strchr(e->text, '\n'));
	check(e->line <= t->lines + 2);
}

static struct bodies *all;
static struct reading_value values[2][VALUES];
static struct arena_pool pool;
static struct arena arena;

struct into {
	struct reading *r;
	struct reading_value *at;
};

static void on_taken(void *ctx, const struct taken *v)
{
	struct into *to = ctx;

	check(to->r->count < VALUES);
	to->at[to->r->count] =
		(struct reading_value){ .want = v->want, .kind = (uint8_t)v->kind, .cut = v->cut };
	memcpy(to->at[to->r->count].index, v->index, sizeof(v->index));
	check(!arena_copy(&arena, v->text, &to->at[to->r->count++].text));
}

static void read_content(struct rules *r, struct transaction *t, bool request, const char *type,
			 struct slice text, bool cut)
{
	struct reading *reading = request ? &t->request.reading : &t->response.reading;
	const struct body_wants *wants = rules_wants(r, t, request);
	const struct body_kind kind = { .content_type = slice_str(type), .response = !request };
	struct into to = { reading, values[request] };
	const struct body_sink sink = { &to, on_taken };
	struct body_result result;
	struct body *b;

	*reading = (struct reading){ .wants = wants, .wanted = wants, .values = values[request] };
	if (!wants || body_open(all, &kind, wants, &sink, &b))
		return;
	body_push(b, slice_sub(text, 0, cut ? text.len / 2 : text.len));
	if (cut)
		body_hole(b, 1);
	body_end(b, &result);
	reading->opened = true;
	reading->flags = result.flags;
}

static void on_said(void *ctx, const struct said *s)
{
	check(s->say < SAYS && (s->say != SAY_OWN || s->name.len) && s->rule);
	check(s->item_count <= ITEMS_MAX && (!s->cart || s->cart->item_count <= ITEMS_MAX));
	check(!s->cart_is_empty || (s->cart && !s->cart->item_count));
	check(!(s->has & SAID_VALUE) || s->value.scale <= AMOUNT_SCALE_MAX);
}

static void on_missed(void *ctx, uint32_t rule, const char *value, enum amount_refusal why)
{
	check(rule < rules_count(ctx) && value[0] && why < AMOUNT_REFUSALS);
}

static void on_rule(void *ctx, uint32_t rule)
{
	check(rule < rules_count(ctx));
}

static void look(struct rules *r, const char *method, const char *path, uint16_t status, bool cut)
{
	const struct rules_sink sink = { r, on_said, on_missed, on_rule, on_rule };
	static const struct field fields[] = { { SLICE("host"), SLICE("a.example") },
					       { SLICE("x-a"), SLICE("1") } };
	struct transaction t = { .method = slice_str(method),
				 .method_known = true,
				 .path = slice_str(path),
				 .query = SLICE("a=1&b=%41%4&a"),
				 .server_name = SLICE("a.example"),
				 .location = SLICE("/a/b?a=2"),
				 .response_type = SLICE("text/html") };

	t.request.seen = true;
	t.request.fields = fields;
	t.request.field_count = 2;
	read_content(
		r, &t, true, "application/json",
		SLICE("[{\"query\":\"mutation A{a}\",\"variables\":{\"a\":1}},{\"a\":[1,\"2\"]}]"),
		cut);
	t.response = t.request;
	t.response.reading = (struct reading){ 0 };
	t.status = status;
	read_content(r, &t, false, "text/html",
		     SLICE("<ul class=a><li id=b data-a=c>1,50 &euro;<li>2</ul><p class=a>3<script "
			   "type=application/ld+json>{\"a\":{\"b\":[1]}}</script>"),
		     cut);
	rules_say(r, &t, &sink);
	read_content(r, &t, false, "application/json",
		     SLICE("{\"a\":[{\"a\":1,\"b\":\"2.50 "
			   "EUR\"},{\"a\":null}],\"data\":{\"a\":{\"b\":7}},"
			   "\"errors\":[{\"message\":\"x\"}]}"),
		     cut);
	rules_say(r, &t, &sink);
	arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct told told = { 0 };
	struct rules_builder *b;
	struct rules *r = NULL;
	int err;

	if (!all) {
		check(!bodies_new(&body_limits_default, &all));
		arena_pool_init(&pool, 65536, 64 << 20);
		arena_init(&arena, &pool);
	}
	for (size_t i = 0; i < size; i++)
		told.lines += data[i] == '\n' || data[i] == '\r' || data[i] >= 0x80;
	check(!rules_begin(&b));
	err = rules_add(b, "fuzz.yaml", slice_of(data, size), on_error, &told);
	check(err == 0 || err == -ENOMEM || (err == -EINVAL && told.count));
	check(err || !told.count);
	err = rules_end(b, on_error, &told, &r);
	check(err == 0 || err == -ENOMEM || told.count);
	if (err)
		return 0;
	look(r, "GET", "/a/b", 200, false);
	look(r, "POST", "/a", 303, false);
	look(r, "POST", "/%61/;x/b", 200, true);
	look(r, "GET", "", 304, false);
	rules_free(r);
	return 0;
}
