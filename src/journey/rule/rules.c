/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.c: files one after the other → rules. All that they have lies in one arena, but for what libraries
 * made (wants, regular expressions).
 */
#include "journey/rule/rules.h"

#include <errno.h>
#include <stdlib.h>

#include "journey/rule/file/file.h"

#define BLOCK_BYTES 65536
#define ARENA_BYTES (64u << 20)

struct rules_builder {
	struct rules *rules;
	struct rule **end;
	bool failed; /* a file had errors */
	bool no_memory;
};

int rules_begin(struct rules_builder **ret)
{
	struct rules_builder *b = calloc(1, sizeof(*b));

	if (b)
		b->rules = calloc(1, sizeof(*b->rules));
	if (!b || !b->rules) {
		free(b);
		return -ENOMEM;
	}
	arena_pool_init(&b->rules->pool, BLOCK_BYTES, ARENA_BYTES);
	arena_init(&b->rules->arena, &b->rules->pool);
	b->end = &b->rules->first_rule;
	*ret = b;
	return 0;
}

int rules_add(struct rules_builder *b, const char *file, struct slice text, rules_error_fn *error,
	      void *ctx)
{
	struct file f = { .octets = text, .arena = &b->rules->arena, .error = error, .ctx = ctx };
	const struct node *root;

	f.name = file_copy(&f, slice_str(file)).at;
	root = f.no_memory ? NULL : node_read(&f);
	if (root)
		file_rules(b->rules, &f, root, &b->end);
	b->no_memory |= f.no_memory;
	b->failed |= f.errors > 0;
	return f.no_memory ? -ENOMEM : f.errors ? -EINVAL : 0;
}

struct telling {
	rules_error_fn *error;
	void *ctx;
};

static void tell(void *ctx, const struct rule *rule, const char *text)
{
	const struct telling *to = ctx;
	struct file f = { .name = rule->file, .error = to->error, .ctx = to->ctx };
	const struct node at = { .line = rule->line, .column = 1 };

	file_error(&f, &at, "%s", text);
}

/* The rules as an array, the names of fields likewise. */
static int number(struct rules *r)
{
	uint32_t i = 0;

	r->rule = arena_alloc(&r->arena, (r->count + 1u) * sizeof(*r->rule));
	if (!r->rule)
		return -ENOMEM;
	for (struct rule *rule = r->first_rule; rule; rule = rule->next)
		r->rule[i++] = rule;
	for (const struct text_list *f = r->fields; f; f = f->next)
		r->field[r->field_count++] = f->text;
	r->room = malloc(RULES_ROOM);
	return r->room ? 0 : -ENOMEM;
}

int rules_end(struct rules_builder *b, rules_error_fn *error, void *ctx, struct rules **ret)
{
	struct telling to = { error, ctx };
	struct rules *r = b->rules;
	int err = b->no_memory ? -ENOMEM : b->failed ? -EINVAL : number(r);

	if (!err)
		err = rules_group(r, tell, &to);
	if (!err) {
		*ret = r;
		b->rules = NULL;
	}
	rules_builder_free(b);
	return err;
}

void rules_builder_free(struct rules_builder *b)
{
	if (!b)
		return;
	rules_free(b->rules);
	free(b);
}

void rules_free(struct rules *r)
{
	if (!r)
		return;
	for (struct group *g = r->groups; g; g = g->next)
		for (unsigned request = 0; request < 2; request++)
			wants_free(g->wants[request]);
	for (struct regex *x = r->regexes; x; x = x->next)
		regex_free(x->code);
	regex_room_free(r);
	free(r->first[0]);
	free(r->first[1]);
	free(r->bucket);
	free(r->room);
	arena_clear(&r->arena);
	arena_pool_done(&r->pool);
	free(r);
}

bool rules_in_use(const struct rules *r)
{
	for (const struct group *g = r->groups; g; g = g->next)
		for (unsigned request = 0; request < 2; request++)
			if (g->wants[request] && wants_users(g->wants[request]))
				return true;
	return false;
}

uint32_t rules_count(const struct rules *r)
{
	return r->count;
}

const char *rules_name(const struct rules *r, uint32_t rule)
{
	return r->rule[rule]->name;
}

const char *rules_place(const struct rules *r, uint32_t rule, unsigned *ret_line)
{
	*ret_line = r->rule[rule]->line;
	return r->rule[rule]->file;
}

const struct slice *rules_fields(const struct rules *r, uint32_t *ret_count)
{
	*ret_count = r->field_count;
	return r->field;
}
