/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node.h: a rule file as a tree of texts, lists and groups, each with its place. By libyaml's events, so
 * that what no rule file needs (anchors, aliases, tags, several documents) is refused before it is built,
 * and size and depth are bounded.
 *
 * Also how everybody below file/ tells an error: with its place, and the reading goes on.
 */
#ifndef PC_JOURNEY_RULE_FILE_NODE_H
#define PC_JOURNEY_RULE_FILE_NODE_H

#include "base/arena.h"
#include "journey/rule/rules.h"

#define NODE_DEPTH  16
#define NODES	    100000
#define NODE_ERRORS 100 /* of a file that are told */
#define NODE_TEXT   WANT_PATH_MAX

enum node_kind { NODE_VALUE, NODE_LIST, NODE_GROUP };

struct node {
	enum node_kind kind;
	unsigned line, column; /* from 1 */
	bool plain;	       /* NODE_VALUE: without quotes */
	struct slice
		text; /* NODE_VALUE; ends with a NUL that len does not count, and has none inside */
	const struct node *key;	   /* of a member of a group: a NODE_VALUE */
	struct node *first, *next; /* members in their order */
};

/* One file that is being read. */
struct file {
	const char *name;
	struct slice octets;
	struct arena *arena; /* of the rules: outlives the reading */
	rules_error_fn *error;
	void *ctx;
	unsigned errors;
	bool no_memory;
};

/* The root, or NULL: told, or no memory (file.no_memory). A file without anything is an error. */
struct node *node_read(struct file *f);

/* NULL: of the whole file. */
void file_error(struct file *f, const struct node *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* At an octet of a text of one line. */
void file_error_in(struct file *f, const struct node *at, size_t octet, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* "unknown key x: did you mean y?" `list` ends with NULL. */
void file_unknown(struct file *f, const struct node *at, const char *what, struct slice word,
		  const char *const *list);

void *file_alloc(struct file *f, size_t len); /* cleared; NULL: file.no_memory */
/* A copy that ends with a NUL. */
struct slice file_copy(struct file *f, struct slice s);

const char *node_kind_name(const struct node *n); /* a value, a list, a group of keys */
bool node_is_null(const struct node *n);	  /* nothing, ~ or null, without quotes */
/* A value that is not null; otherwise told (`what` it should have been), and false. */
bool node_text(struct file *f, const struct node *n, const char *what);

#endif
