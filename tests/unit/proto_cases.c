/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto_cases.c: all of tests/cases/proto: each case as written, and, where it has no holes, from the
 * other side, octet by octet, in pieces of 2 to 7, and cut at every position: the messages must be the
 * same each time; and with all responses read before the requests: then those of each direction.
 *
 * CASES_SHOW=1 prints what came out, to be read and pasted into a new case.
 */
#include "proto_cases.h"

#include <dirent.h>

static unsigned failed, readings;

static bool check(const struct wire *w, const struct reading *how, struct slice want, bool loud)
{
	struct kit k;
	bool same;

	wire_play(w, how, &k);
	same = slice_eq(buf_slice(&k.text), want);
	readings++;
	if (!same && loud)
		print_error("%s, cut %zu, pieces of %zu: got\n%.*s--- instead of\n%.*s\n",
			    how->server ? "server" : "client", how->cut, how->piece,
			    (int)k.text.len, k.text.at, (int)want.len, want.at);
	if (getenv("CASES_SHOW") && !how->cut && !how->piece && how->server && !how->content)
		printf("```messages\n%.*s```\n", (int)k.text.len, k.text.at);
	kit_free(&k);
	return same;
}

/* The lines of one direction, with the field lines that follow them. */
static void lines_of(struct slice all, char direction, struct buf *ret)
{
	bool mine = false;

	while (all.at && all.len) {
		struct slice line = slice_next(&all, '\n');

		if (line.len && line.at[0] != ' ')
			mine = line.at[0] == direction;
		if (mine)
			buf_add(ret, line);
		if (mine)
			buf_add_byte(ret, '\n');
	}
}

/* Responses read before their requests: each direction tells the same. */
static bool check_skewed(const struct wire *w, bool server, struct slice want)
{
	struct reading how = { .server = server, .skewed = true };
	struct buf a, b;
	struct kit k;
	bool same = true;

	if (w->once || slice_find_slice(want, SLICE("lost")) >= 0)
		return true;
	wire_play(w, &how, &k);
	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	for (int i = 0; i < 2; i++) {
		buf_clear(&a);
		buf_clear(&b);
		lines_of(buf_slice(&k.text), "<>"[i], &a);
		lines_of(want, "<>"[i], &b);
		same &= slice_eq(buf_slice(&a), buf_slice(&b));
	}
	if (!same)
		print_error("%s, responses first: got\n%.*s--- instead of\n%.*s\n",
			    server ? "server" : "client", (int)k.text.len, k.text.at, (int)want.len,
			    want.at);
	readings++;
	buf_done(&a);
	buf_done(&b);
	kit_free(&k);
	return same;
}

/* All ways to read it; stops at the first that differs. */
static bool check_all(const struct wire *w, struct slice want)
{
	struct reading how = { .server = true };

	if (!check(w, &how, want, true))
		return false;
	how.server = false;
	if (!w->server && !check(w, &how, want, true))
		return false;
	if (!check_skewed(w, true, want) || (!w->server && !check_skewed(w, false, want)))
		return false;
	for (int side = w->server; side < 2; side++) {
		how = (struct reading){ .server = side, .content = true };
		if (!check(w, &how, want, true))
			return false;
		if (w->once)
			continue;
		for (how.piece = 1; how.piece < 8; how.piece++)
			if (!check(w, &how, want, true))
				return false;
		how.piece = 0;
		for (how.cut = 1; how.cut < w->bytes.len; how.cut++)
			if (!check(w, &how, want, true))
				return false;
	}
	return true;
}

static unsigned run_file(const char *path)
{
	struct slice text = file_read(path);
	struct markdown m = { .rest = text };
	struct slice wire, want;
	unsigned cases = 0;

	while (markdown_block(&m, "wire", &wire)) {
		struct slice heading = m.heading;
		struct wire w;

		wire_parse(&w, wire);
		if (getenv("CASES_SHOW"))
			printf("%.*s\n", (int)heading.len, heading.at);
		assert_true(markdown_block(&m, "messages", &want));
		if (!check_all(&w, want)) {
			print_error("%s: %.*s FAILED\n", path, (int)heading.len, heading.at);
			failed++;
		}
		buf_done(&w.bytes);
		cases++;
	}
	free((void *)text.at);
	return cases;
}

static void every_case(void **state)
{
	DIR *dir = opendir("tests/cases/proto");
	unsigned cases = 0;
	struct dirent *e;
	char path[512];

	assert_non_null(dir);
	while ((e = readdir(dir))) {
		if (!slice_ends(slice_str(e->d_name), SLICE(".md")))
			continue;
		snprintf(path, sizeof(path), "tests/cases/proto/%s", e->d_name);
		cases += run_file(path);
	}
	closedir(dir);
	print_message("%u cases, %u readings, %u failed\n", cases, readings, failed);
	assert_true(cases > 50);
	assert_int_equal(failed, 0);
}

UNIT_MAIN(T(every_case))
