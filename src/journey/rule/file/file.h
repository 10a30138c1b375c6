/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h: a tree of a rule file → struct rule. Each reads one part, tells its errors and goes on, so that all
 * of a file are told at once; what comes back after an error is not to be used, but may be looked at.
 *
 *   rule.c    the top of a file, a rule        when.c    which transactions
 *   take.c    which values                     lines.c   items and carts
 *   source.c  where a value comes from         test.c    what is asked of it
 */
#ifndef PC_JOURNEY_RULE_FILE_FILE_H
#define PC_JOURNEY_RULE_FILE_FILE_H

#include "journey/rule/file/node.h"
#include "journey/rule/inside.h"

#define GROUP_KEYS 200 /* of one group */

/* Every member of a group, with its key; told: keys that are lists, twice there, or too many. */
#define group_each(f, group, member)                                                               \
	for (const struct node *member = group_first(f, group); member;                            \
	     member = group_next(f, group, member))
const struct node *group_first(struct file *f, const struct node *group);
const struct node *group_next(struct file *f, const struct node *group, const struct node *member);
/* Told: it is no group, or an empty one. */
bool group_is(struct file *f, const struct node *n, const char *what);

/* What `each` stands for in a list. */
struct each {
	bool request;
	enum body_source source;
	struct slice path;
	uint32_t slots;
};

/* What is being read. */
struct parse {
	struct file *f;
	struct rules *rules;
	struct rule *rule;
	struct hint hint;	 /* of the file's `amounts` */
	const struct each *each; /* NULL: not in a list */
};

/* source.c. False: told. `n` has the text, or is its key. */
bool source_read(struct parse *p, const struct node *n, struct slice text, struct source *ret);
/* Of a source of contents; for `each`. */
bool source_each(struct parse *p, const struct node *n, struct items_take *take, struct each *ret);

/* test.c */
const struct test *test_read(struct parse *p, const struct node *n);
void *file_regex(struct parse *p, const struct node *n);
/* true or false, as the file writes it. */
bool file_bool(struct file *f, const struct node *n, bool *ret);

/* when.c */
void when_read(struct parse *p, const struct node *n);
/* Conditions on sources, in the order of the file. */
const struct condition *conditions_read(struct parse *p, const struct node *n);
/* Hosts as a request names them, but for "www." and a port. */
const struct text_list *sites_read(struct parse *p, const struct node *n);
const struct text_list *texts_read(struct parse *p, const struct node *n, const char *what,
				   bool lower);

/* take.c */
void take_read(struct parse *p, const struct node *n);
/* One value; NULL: told. */
const struct take *value_read(struct parse *p, const struct node *n, enum take_type type, bool own);
/* scale, currency, decimal. */
bool hint_key(struct parse *p, const struct node *n, struct hint *ret);

/* lines.c */
const struct items_take *items_take_read(struct parse *p, const struct node *n, bool listed);
const struct cart_take *cart_take_read(struct parse *p, const struct node *n);

/* rule.c: all rules of a file are linked to *end. */
void file_rules(struct rules *r, struct file *f, const struct node *root, struct rule ***end);

#endif
