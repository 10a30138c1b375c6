/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test.c: what a condition asks: a text (equals), a list (any of them), null, or a group of operators, all of
 * which must hold.
 */
#include "base/text/suggest.h"
#include "journey/rule/file/file.h"

static const char *const operators[] = {
	[TEST_EQUALS] = "equals",     [TEST_PREFIX] = "prefix", [TEST_SUFFIX] = "suffix",
	[TEST_CONTAINS] = "contains", [TEST_REGEX] = "regex",	[TEST_EXISTS] = "exists",
	[TEST_NULL] = "null",	      [TEST_IN] = "in",		[TEST_ALL] = "all",
	[TEST_NOT] = "not",
};

bool file_bool(struct file *f, const struct node *n, bool *ret)
{
	*ret = n->kind == NODE_VALUE && slice_eq(n->text, SLICE("true"));
	if (*ret || (n->kind == NODE_VALUE && slice_eq(n->text, SLICE("false"))))
		return true;
	file_error(f, n, "expected true or false");
	return false;
}

void *file_regex(struct parse *p, const struct node *n)
{
	char why[WANT_ERROR_MAX];
	struct regex *keep;
	size_t at;

	if (!node_text(p->f, n, "a regular expression"))
		return NULL;
	keep = file_alloc(p->f, sizeof(*keep));
	if (!keep)
		return NULL;
	keep->code = regex_new(n->text, why, &at);
	if (!keep->code) {
		if (why[0])
			file_error_in(p->f, n, at, "no regular expression: %s", why);
		else
			p->f->no_memory = true;
		return NULL;
	}
	keep->next = p->rules->regexes;
	p->rules->regexes = keep;
	return keep->code;
}

static struct test *make(struct parse *p, enum test_kind kind)
{
	struct test *t = file_alloc(p->f, sizeof(*t));

	if (t)
		t->kind = kind;
	return t;
}

static const struct test *any_of(struct parse *p, const struct node *n)
{
	struct test *all = make(p, TEST_IN);
	const struct test **end = all ? &all->child : NULL;

	if (!n->first)
		file_error(p->f, n,
			   "an empty list holds of nothing: write the texts that it may be");
	for (const struct node *i = n->first; i && end; i = i->next) {
		struct test *one = NULL;

		if (i->kind != NODE_VALUE)
			file_error(p->f, i, "expected a text, found %s", node_kind_name(i));
		else
			one = make(p, node_is_null(i) ? TEST_NULL : TEST_EQUALS);
		if (!one)
			continue;
		one->text = i->text;
		*end = one;
		end = (const struct test **)&one->next;
	}
	return all;
}

static const struct test *operator(struct parse *p, const struct node *n)
{
	struct test *t;
	unsigned kind = 0;

	while (kind <= TEST_NOT && (kind == TEST_ALL || kind == TEST_NULL ||
				    !slice_eq(n->key->text, slice_str(operators[kind]))))
		kind++;
	if (kind > TEST_NOT) {
		static const char *const list[] = { "equals",	"prefix", "suffix",
						    "contains", "regex",  "exists",
						    "in",	"not",	  NULL };

		file_unknown(p->f, n->key, "operator", n->key->text, list);
		return NULL;
	}
	if (kind == TEST_IN) {
		if (n->kind == NODE_LIST)
			return any_of(p, n);
		file_error(p->f, n, "expected a list: in: [one, two]");
		return NULL;
	}
	t = make(p, (enum test_kind)kind);
	if (!t)
		return NULL;
	switch (t->kind) {
	case TEST_EXISTS:
		return file_bool(p->f, n, &t->exists) ? t : NULL;
	case TEST_REGEX:
		t->regex = file_regex(p, n);
		return t->regex ? t : NULL;
	case TEST_NOT:
		t->child = test_read(p, n);
		return t->child ? t : NULL;
	default:
		t->text = n->text;
		return node_text(p->f, n, "a text") ? t : NULL;
	}
}

const struct test *test_read(struct parse *p, const struct node *n)
{
	const struct test **end;
	struct test *all;

	if (n->kind == NODE_LIST)
		return any_of(p, n);
	if (n->kind == NODE_VALUE) {
		all = make(p, node_is_null(n) ? TEST_NULL : TEST_EQUALS);
		if (all)
			all->text = n->text;
		return all;
	}
	if (!group_is(p->f, n, "operators such as `prefix: x`"))
		return NULL;
	all = make(p, TEST_ALL);
	end = all ? &all->child : NULL;
	group_each(p->f, n, m)
	{
		struct test *one = (struct test *)(uintptr_t) operator(p, m);

		if (!one || !end)
			continue;
		*end = one;
		end = &one->next;
	}
	return all;
}
