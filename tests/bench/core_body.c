/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_body.c: what src/txn/body costs: MB/s of JSON under a hundred paths, of codings against the library by
 * itself on the same octets, and of other kinds of body. In pieces of 16 KiB, as they are captured. CPU time
 * of the thread, best of the rounds (the machine is seldom quiet); the two sides of a ratio take turns.
 *
 *   core_body [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

#include "base/buf.h"
#include "txn/body/body.h"
#include "txn/body/inflate.h"

#define PIECE 16384
#define WANTS 100
#define SIZE  (2 << 20)

static struct bodies *all;
static unsigned long taken; /* so that nothing is left out */

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_taken(void *ctx, const struct taken *v)
{
	taken += v->text.len + 1;
}

static void die(const char *what)
{
	fprintf(stderr, "core_body: %s\n", what);
	exit(1);
}

/* ---- what is read ---- */

/* A list of products as a shop's interface answers it. */
static void make_products(struct buf *out)
{
	buf_add_str(out, "{\"data\":{\"search\":{\"totalItems\":54,\"items\":[");
	for (unsigned i = 0; out->len < SIZE; i++)
		buf_addf(out,
			 "%s{\"productId\":\"%u\",\"productName\":\"Laptop %u, 13 "
			 "inch\",\"slug\":\"laptop-%u\","
			 "\"description\":\"Now equipped with seventh-generation processors, it is "
			 "snappier than ever. "
			 "From daily tasks like launching apps \\u2013 %lx-%lx "
			 "and more.\",\"enabled\":true,\"score\":%u.25,"
			 "\"productAsset\":{\"id\":\"%u\",\"preview\":\"http://127.0.0.1/assets/"
			 "preview/71/d__preview.jpg\","
			 "\"focalPoint\":null},\"facetValueIds\":[\"1\",\"2\",\"%u\"],"
			 "\"priceWithTax\":{\"min\":%u,"
			 "\"max\":275880},\"currencyCode\":\"USD\",\"variants\":[{\"sku\":"
			 "\"L2201508\",\"price\":155880,"
			 "\"stockLevel\":\"IN_STOCK\",\"options\":[{\"code\":\"15-inch\"},{"
			 "\"code\":\"8gb\"}]}]}",
			 i ? "," : "", i, i, i, random(), random(), i % 10, i, i % 7, 100000 + i);
	buf_add_str(out,
		    "]},\"order\":{\"code\":\"A1\",\"lines\":[{\"sku\":\"x\",\"quantity\":2}]}}}");
}

/* The same with texts that somebody wrote: no two are alike, and it packs as such answers do (5 to 1). */
static void make_texts(struct buf *out)
{
	static const char *const words[] = {
		"warm",	   "light",   "a",	 "for",	     "with",	"the",	  "cotton",
		"strong",  "kitchen", "summer",	 "two",	     "handles", "and",	  "of",
		"leather", "folds",   "into",	 "its",	     "own",	"bag",	  "steel",
		"keeps",   "water",   "out",	 "easily",   "washed",	"at",	  "forty",
		"degrees", "made",    "in",	 "Portugal", "child",	"safe",	  "battery",
		"lasts",   "hours",   "without", "being",    "charged", "pocket", "inside",
		"zip",	   "quiet",   "rubber",	 "soles",    "grip",	"on",
	};
	const size_t count = sizeof(words) / sizeof(words[0]);

	buf_add_str(out, "{\"data\":{\"search\":{\"items\":[");
	for (unsigned i = 0; out->len < SIZE; i++) {
		buf_addf(out, "%s{\"productId\":\"%u\",\"sku\":\"%08lX\",\"description\":\"",
			 i ? "," : "", i, (unsigned long)random());
		for (unsigned k = 0; k < 40; k++)
			buf_addf(out, "%s%s", k ? " " : "", words[(size_t)random() % count]);
		buf_addf(out, "\",\"priceWithTax\":%ld,\"currencyCode\":\"USD\",\"enabled\":true}",
			 random() % 100000);
	}
	buf_add_str(out, "]},\"order\":{\"code\":\"A1\"}}}");
}

/* A page of products, as a shop's templates write it. */
static void make_page(struct buf *out)
{
	buf_add_str(out, "<!doctype html><html><head><meta "
			 "charset=utf-8><title>Shop</title></head><body class=\"home\">");
	for (unsigned i = 0; out->len < SIZE; i++)
		buf_addf(out,
			 "<div class=\"product-card col-6\" id=\"p%u\" data-sku=\"L%lx\"><a "
			 "class=\"product-link\" "
			 "href=\"/laptop-%u?ref=%lx\"><img src=\"/img/%u.jpg\" alt=\"Laptop %u\" "
			 "loading=\"lazy\"></a>\n\t\t<h3 "
			 "class=\"name\">Laptop %u, 13&nbsp;inch</h3><p>From daily tasks like "
			 "launching apps &amp; opening files to "
			 "more advanced computing, %lx powers through your day.</p>\n\t\t<table "
			 "class=\"specs\"><tr><td>RAM<td "
			 "class=\"price\">%u,90&nbsp;&euro;</table><script>track(%u, "
			 "'<b>');</script></div>\n",
			 i, random(), i, random(), i, i, i, random(), i % 900, i);
	buf_add_str(out, "</body></html>");
}

static void make_form(struct buf *out)
{
	for (unsigned i = 0; out->len < SIZE; i++)
		buf_addf(out,
			 "%squantity%%5B%u%%5D=%u&note%u=Gr%%C3%%BC%%C3%%9Fe+aus+M%%C3%%BCnchen",
			 i ? "&" : "", i, i % 9, i);
}

static void compress_it(struct slice in, struct buf *out)
{
	z_stream z = { 0 };

	if (buf_reserve(out, in.len) ||
	    deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		die("no memory");
	z.next_in = (Bytef *)(uintptr_t)in.at;
	z.avail_in = (uInt)in.len;
	z.next_out = (Bytef *)out->at;
	z.avail_out = (uInt)out->room;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		die("deflate");
	out->len = out->room - z.avail_out;
	deflateEnd(&z);
}

/* ---- who reads ---- */

struct job {
	const char *name;
	struct body_kind kind;
	const struct body_wants *wants;
	struct slice in;
};

static double body_s(const struct job *j)
{
	const struct body_sink sink = { NULL, on_taken };
	double begin = cpu_s();
	struct body_result r;
	struct body *b;

	if (body_open(all, &j->kind, j->wants, &sink, &b))
		die("a body does not open");
	for (size_t at = 0; at < j->in.len; at += PIECE)
		body_push(b, slice_sub(j->in, at, at + PIECE));
	body_end(b, &r);
	if (r.flags)
		die(j->name);
	return cpu_s() - begin;
}

static double zlib_s(struct slice in)
{
	static unsigned char out[INFLATE_PIECE];
	z_stream z = { 0 };
	double begin = cpu_s();

	inflateInit2(&z, 31);
	for (size_t at = 0; at < in.len; at += PIECE) {
		struct slice part = slice_sub(in, at, at + PIECE);

		z.next_in = (Bytef *)(uintptr_t)part.at;
		z.avail_in = (uInt)part.len;
		do {
			z.next_out = out;
			z.avail_out = sizeof(out);
			if (inflate(&z, Z_NO_FLUSH) < 0)
				die("inflate");
			taken += out[0];
		} while (!z.avail_out);
	}
	inflateEnd(&z);
	return cpu_s() - begin;
}

static bool drop(void *ctx, struct slice piece)
{
	taken += (unsigned char)piece.at[0];
	return true;
}

static double coding_s(struct slice in)
{
	static const struct inflate_limits limits = { 1 << 30, 1000 };
	static const enum coding gzip = CODING_GZIP;
	static struct inflate_room room;
	static struct coder_pool pool;
	struct inflate f;
	double begin;

	if (!pool.max_bytes)
		coder_pool_init(&pool, 1 << 20);
	begin = cpu_s();
	if (inflate_open(&f, &pool, &room, &limits, &gzip, 1, drop, NULL))
		die("no memory");
	for (size_t at = 0; at < in.len; at += PIECE)
		if (inflate_push(&f, slice_sub(in, at, at + PIECE)))
			die("inflate.c");
	inflate_close(&f);
	return cpu_s() - begin;
}

/* `len`: without the coding. */
static void against_zlib(const struct job *j, size_t len, long rounds)
{
	double alone = 1e9, ours = 1e9, read = 1e9;

	for (long n = 0; n < rounds; n++) {
		double a = zlib_s(j->in), b = coding_s(j->in), c = body_s(j);

		alone = a < alone ? a : alone;
		ours = b < ours ? b : ours;
		read = c < read ? c : read;
	}
	printf("| %s, zlib by itself | %.0f |\n", j->name, (double)len / alone / 1e6);
	printf("| %s, inflate.c | %.0f (%.0f %% of zlib by itself) |\n", j->name,
	       (double)len / ours / 1e6, 100 * alone / ours);
	printf("| %s, inflate.c and JSON, 100 paths elsewhere | %.0f (%.0f %% of zlib by itself) "
	       "|\n",
	       j->name, (double)len / read / 1e6, 100 * alone / read);
}

static const struct body_wants *wants_of(const char *format, enum body_source source)
{
	static char text[WANTS][64];
	struct body_want list[WANTS];
	struct body_error error;
	struct body_wants *w;

	for (unsigned i = 0; i < WANTS; i++) {
		static const char *const names[] = { "code", "state", "currencyCode",
						     "totalWithTax", "shipping" };

		snprintf(text[i], sizeof(text[i]), format, names[i % 5], i);
		list[i] = (struct body_want){ .source = source, .path = slice_str(text[i]) };
	}
	if (wants_new(list, WANTS, &error, &w))
		die(error.text);
	return w;
}

int main(int argc, char **argv)
{
	const struct body_limits limits = {
		4, 64, 4096, UINT32_MAX, 4096, 1000, 1 << 30, 64 << 20
	};
	const struct body_kind json = { .content_type = SLICE("application/json"),
					.response = true };
	const struct body_kind gzip = { .content_type = SLICE("application/json"),
					.content_encoding = SLICE("gzip"),
					.response = true };
	const struct body_kind form = { .content_type =
						SLICE("application/x-www-form-urlencoded") };
	const struct body_kind html = { .content_type = SLICE("text/html"), .response = true };
	struct buf products, packed, texts, texts_packed, fields, page;
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 15;
	buf_init(&products, SIZE * 2);
	buf_init(&packed, SIZE * 2);
	buf_init(&texts, SIZE * 2);
	buf_init(&texts_packed, SIZE * 2);
	buf_init(&fields, SIZE * 2);
	buf_init(&page, SIZE * 2);
	srandom(1);
	make_products(&products);
	make_texts(&texts);
	make_form(&fields);
	make_page(&page);
	compress_it(buf_slice(&products), &packed);
	compress_it(buf_slice(&texts), &texts_packed);
	if (bodies_new(&limits, &all))
		die("no memory");

	const struct job jobs[] = {
		{ "JSON, 100 paths elsewhere", json, wants_of("$.data.order.%s%u", BODY_JSON),
		  buf_slice(&products) },
		{ "JSON, 100 paths into each element", json,
		  wants_of("$.data.search.items[*].%s%u", BODY_JSON), buf_slice(&products) },
		{ "JSON, 100 descendants", json, wants_of("$..%s%u", BODY_JSON),
		  buf_slice(&products) },
		{ "JSON, 100 paths, 20 find in each element", json,
		  wants_of("$.data.search.items[*].%s", BODY_JSON), buf_slice(&products) },
		{ "JSON of texts, 100 paths elsewhere", json,
		  wants_of("$.data.order.%s%u", BODY_JSON), buf_slice(&texts) },
		{ "form, 100 names", form, wants_of("%s%u", BODY_FORM), buf_slice(&fields) },
		{ "HTML, 100 selectors of other tags", html, wants_of("%s%u td.price", BODY_HTML),
		  buf_slice(&page) },
		{ "HTML, 100 selectors that find nothing", html,
		  wants_of("table.%s%u td.price", BODY_HTML), buf_slice(&page) },
		{ "HTML, 100 selectors, all find one cell in each element", html,
		  wants_of("div.product-card table .price", BODY_HTML), buf_slice(&page) },
	};

	printf("| body | MB/s (of what is read, codings off) |\n| --- | --- |\n");
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		double best = 1e9;

		for (long n = 0; n < rounds; n++) {
			double s = body_s(&jobs[i]);

			best = s < best ? s : best;
		}
		printf("| %s | %.0f |\n", jobs[i].name, (double)jobs[i].in.len / best / 1e6);
	}
	const struct job gzips[] = {
		{ "gzip", gzip, jobs[0].wants, buf_slice(&packed) },
		{ "gzip of texts", gzip, jobs[0].wants, buf_slice(&texts_packed) },
	};

	against_zlib(&gzips[0], products.len, rounds);
	against_zlib(&gzips[1], texts.len, rounds);
	return taken == 0;
}
