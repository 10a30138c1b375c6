/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_wants.c: paths, names and selectors of a configuration. Input: lines, the first octet of each is its
 * source. Whatever is refused has a place within what was written and a reason; whatever is accepted reads a
 * body.
 */
#include <errno.h>
#include <stdlib.h>

#include "txn/body/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WANTS 64

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void drop(void *ctx, const struct taken *v)
{
	++*(unsigned *)ctx;
}

static void read_a_body(struct bodies *all, const struct body_wants *w, const char *type,
			struct slice s)
{
	const struct body_kind kind = { .content_type = slice_str(type), .response = true };
	unsigned taken = 0;
	const struct body_sink sink = { &taken, drop };
	struct body_result r;
	struct body *b;

	if (body_open(all, &kind, w, &sink, &b))
		return;
	body_push(b, s);
	body_end(b, &r);
	check(r.values == taken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bodies *all;
	struct slice rest = slice_of(data, size);
	struct body_want list[WANTS];
	struct body_wants *w = NULL;
	struct body_error error;
	uint32_t count = 0;
	int err;

	if (!all)
		check(!bodies_new(&body_limits_default, &all));
	while (rest.at && count < WANTS) {
		struct slice line = slice_next(&rest, '\n');

		if (!line.len)
			continue;
		list[count++] =
			(struct body_want){ .source = (uint8_t)line.at[0] % (BODY_SOURCES + 1),
					    .path = slice_sub(line, 1, line.len) };
	}
	err = wants_new(list, count, &error, &w);
	if (err) {
		check(err == -EINVAL && !w && error.want < count && error.text[0]);
		check(error.place <= list[error.want].path.len);
		check(memchr(error.text, 0, sizeof(error.text)) &&
		      !memchr(error.text, '\n', strlen(error.text)));
		return 0;
	}
	read_a_body(all, w, "application/json",
		    SLICE("{\"a\":[1,{\"b\":[2,3]},\"x\"],\"data\":{\"a\":{\"b\":{}}}}"));
	read_a_body(all, w, "text/html", SLICE("<table class=a><tr><td id=b>x</table><p a=b>y"));
	wants_free(w);
	return 0;
}
