/* SPDX-License-Identifier: Apache-2.0 */
/*
 * txn_target.c: request targets, authorities, references and path templates from strangers. Input:
 * "METHOD SP target". What must hold for any bytes: parts lie inside of the input (or are our own
 * text), nothing keeps user-info, templates keep to their room and say the same twice.
 */
#include <stdlib.h>

#include "txn/target/target.h"
#include "txn/target/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool inside(struct slice part, struct slice whole)
{
	return !part.len || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

static void template_twice(struct slice path)
{
	struct template a, b;

	template_make(path, &a);
	template_make(path, &b);
	check(a.len <= TEMPLATE_BYTES);
	check(slice_eq(slice_of(a.at, a.len), slice_of(b.at, b.len)));
	if (path.len)
		template_is_id(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice whole = slice_of(data, size), text = whole, method = slice_next(&text, ' ');
	struct slice front, rest;
	struct authority a;
	struct target t;

	if (!text.at)
		return 0;
	target_parse(method, text, &t);
	check(inside(t.scheme, text) && inside(t.authority, text) && inside(t.query, text));
	check(inside(t.path, text) || slice_eq(t.path, SLICE("/")) || slice_eq(t.path, SLICE("*")));
	check(slice_find(t.authority, '@') < 0);
	if (t.form == TARGET_NONE)
		check(slice_find(t.path, '@') < 0);
	template_twice(t.path);
	template_twice(text);
	authority_parse(text, &a);
	check(inside(a.name, text) && slice_find(a.name, '@') < 0);
	reference_strip(text, &front, &rest);
	check(inside(front, text) && inside(rest, text) && front.len + rest.len <= text.len);
	return 0;
}
