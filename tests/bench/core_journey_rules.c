/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_journey_rules.c: what 200 rules cost a transaction of which none holds (both messages are asked for
 * and the whole is looked at), and one of which one holds, with the content of a cart. CPU time of the thread,
 * best of the rounds (the machine is seldom quiet); whatever is allocated meanwhile is counted.
 *
 *   core_journey_rules [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "journey/rule/rules.h"
#include "txn/body/body.h"

#define RULES  200
#define TIMES  20000
#define VALUES 4096

static unsigned long told, allocated;
static bool counting;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t n);

void *__wrap_malloc(size_t n)
{
	allocated += counting;
	return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	allocated += counting;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *at, size_t n)
{
	allocated += counting;
	return __real_realloc(at, n);
}

static void die(const char *what)
{
	fprintf(stderr, "core_journey_rules: %s\n", what);
	exit(1);
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- rules ---- */

static void on_error(void *ctx, const struct rules_error *e)
{
	fprintf(stderr, "%s:%u: %s\n", e->file, e->line, e->text);
}

/* What `take` and `say` of each of them are. */
static void add_rest(struct buf *b, const char *more)
{
	buf_addf(b,
		 "%s\n  take:\n    cart:\n      value: { from: json $.total, currency: json "
		 "$.currency }\n"
		 "      items:\n        each: json $.lines[*]\n        item_id: each.sku\n"
		 "        quantity: each.quantity\n        price: { from: each.price, currency: "
		 "json $.currency }\n"
		 "  say: view_cart\n",
		 more);
}

static struct rules *compile(const char *(*when)(unsigned i, char room[256]))
{
	struct rules_builder *builder;
	struct rules *r;
	struct buf b;
	char room[256];

	buf_init(&b, 1 << 20);
	buf_add_str(&b, "rules:\n");
	for (unsigned i = 0; i < RULES; i++) {
		buf_addf(&b, "- name: rule %u\n  when: ", i);
		add_rest(&b, when(i, room));
	}
	if (rules_begin(&builder) || rules_add(builder, "bench", buf_slice(&b), on_error, NULL) ||
	    rules_end(builder, on_error, NULL, &r))
		die("the rules do not compile");
	buf_done(&b);
	return r;
}

static const char *of_shops(unsigned i, char room[256])
{
	snprintf(room, 256, "{ method: %s, path: '/shop%u/{lang}/cart%u' }", i & 1 ? "GET" : "POST",
		 i / 10, i);
	return room;
}

/* All below one first segment, at several depths. */
static const char *of_one_shop(unsigned i, char room[256])
{
	snprintf(room, 256, "{ method: %s, path: '/shop/%s%u/{id}' }", i & 1 ? "GET" : "POST",
		 i & 2 ? "" : "v2/", i);
	return room;
}

static const char *of_fields(unsigned i, char room[256])
{
	snprintf(room, 256,
		 "{ path: '/shop%u', query.action: add%u, header.x-requested-with: '%u' }", i, i,
		 i);
	return room;
}

static const char *of_operations(unsigned i, char room[256])
{
	snprintf(room, 256, "{ method: POST, path: /api, graphql operation: Operation%u }", i);
	return room;
}

/* ---- transactions ---- */

static const struct field fields[] = {
	{ SLICE("host"), SLICE("shop.example") },
	{ SLICE("user-agent"), SLICE("Mozilla/5.0 (X11; Linux x86_64)") },
	{ SLICE("accept"), SLICE("text/html,application/xhtml+xml") },
	{ SLICE("referer"), SLICE("https://shop.example/") },
	{ SLICE("sec-fetch-mode"), SLICE("navigate") },
	{ SLICE("sec-fetch-dest"), SLICE("document") },
};

static struct transaction transaction(const char *method, const char *path)
{
	struct transaction t = { .method = slice_str(method),
				 .method_known = true,
				 .path = slice_str(path),
				 .query = SLICE("page=2&sort=price"),
				 .server_name = SLICE("shop.example"),
				 .site = SLICE("shop.example"),
				 .status = 200,
				 .response_type = SLICE("application/json") };

	t.request.seen = t.response.seen = true;
	t.request.fields = t.response.fields = fields;
	t.request.field_count = t.response.field_count = 6;
	return t;
}

static void on_said(void *ctx, const struct said *s)
{
	told += 1 + (s->cart ? s->cart->item_count : 0);
}

static const struct rules_sink sink = { NULL, on_said, NULL, NULL, NULL };

static double best_ns(struct rules *r, const struct transaction *t, long rounds)
{
	double best = 1e9;

	while (rounds--) {
		double begin = cpu_s(), s;

		counting = true;
		for (unsigned i = 0; i < TIMES; i++) {
			told += rules_wants(r, t, true) != NULL;
			told += rules_wants(r, t, false) != NULL;
			rules_say(r, t, &sink);
		}
		counting = false;
		s = cpu_s() - begin;
		best = s < best ? s : best;
	}
	return best / TIMES * 1e9;
}

static struct reading_value values[VALUES];
static char texts[1 << 16];
static size_t texts_used;

static void on_taken(void *ctx, const struct taken *v)
{
	struct reading *r = ctx;
	struct reading_value *at = &values[r->count++];

	*at = (struct reading_value){
		v->want, (uint8_t)v->kind, v->cut, { 0 }, { texts + texts_used, v->text.len }
	};
	memcpy(at->index, v->index, sizeof(at->index));
	if (v->text.len)
		memcpy(texts + texts_used, v->text.at, v->text.len);
	texts_used += v->text.len;
}

/* A request whose operation is none of theirs. */
static void read_operation(struct rules *r, struct transaction *t)
{
	static const struct reading_value name = { .text = SLICE("OperationOther") };

	t->request.reading = (struct reading){ .wants = rules_wants(r, t, true),
					       .wanted = true,
					       .opened = true,
					       .count = 1,
					       .values = &name };
	if (!t->request.reading.wants)
		die("the operation is not wanted");
}

static void read_cart(struct rules *r, struct transaction *t, unsigned lines)
{
	const struct body_kind kind = { .content_type = SLICE("application/json"),
					.response = true };
	const struct body_sink to = { &t->response.reading, on_taken };
	const struct body_wants *wants = rules_wants(r, t, false);
	struct body_result result;
	struct bodies *all;
	struct body *b;
	struct buf text;

	buf_init(&text, 1 << 20);
	buf_add_str(&text, "{\"total\":\"12.50\",\"currency\":\"EUR\",\"lines\":[");
	for (unsigned i = 0; i < lines; i++)
		buf_addf(&text, "%s{\"sku\":\"S%u\",\"quantity\":%u,\"price\":\"%u.99\"}",
			 i ? "," : "", i, i + 1, i);
	buf_add_str(&text, "]}");
	t->response.reading = (struct reading){
		.wants = wants, .wanted = true, .opened = true, .values = values
	};
	if (!wants || bodies_new(&body_limits_default, &all) ||
	    body_open(all, &kind, wants, &to, &b))
		die("the cart is not wanted");
	body_push(b, buf_slice(&text));
	body_end(b, &result);
	bodies_free(all);
	buf_done(&text);
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 15;
	struct rules *shops = compile(of_shops), *one = compile(of_one_shop),
		     *asked = compile(of_fields), *operations = compile(of_operations);
	const struct {
		const char *name;
		struct rules *rules;
		struct transaction t;
	} jobs[] = {
		{ "another first segment", shops, transaction("GET", "/assets/app.4711.js") },
		{ "a first segment of ten rules", shops, transaction("GET", "/shop7/de/wishlist") },
		{ "the first segment of all 200", one, transaction("GET", "/shop/v2/products/17") },
		{ "the path of a rule, another query", asked, transaction("GET", "/shop77") },
	};
	struct transaction call = transaction("POST", "/api");
	struct transaction cart = transaction("GET", "/shop7/de/cart77");

	printf("| %d rules, of a transaction | ns (asked twice for wants, once for all) |\n| --- | "
	       "--- |\n",
	       RULES);
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		printf("| none holds: %s | %.0f |\n", jobs[i].name,
		       best_ns(jobs[i].rules, &jobs[i].t, rounds));
	if (told)
		die("a rule holds that should not");
	read_operation(operations, &call);
	printf("| 200 by heads, none by its content: another operation of GraphQL | %.0f |\n",
	       best_ns(operations, &call, rounds));
	read_cart(shops, &cart, 10);
	printf("| one holds: a cart of 10 lines | %.0f |\n", best_ns(shops, &cart, rounds));
	if (allocated)
		die("memory was allocated");
	rules_free(shops);
	rules_free(one);
	rules_free(asked);
	rules_free(operations);
	return told == 0;
}
