/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml.c: the configuration file → settings, by libyaml's document tree, which keeps the line of
 * each node. The walk follows the table: a mapping is a group, everything else must be a setting, so
 * what we do not know is an error with its line and, where one is near, the key that was meant.
 */
#include "agent/config/setting.h"

#include <stdio.h>
#include <yaml.h>

#define DEPTH 8	  /* of groups; the table has 3 */
#define KEY   192 /* a whole path */
#define NODES 20000

struct walk {
	struct config *config;
	struct problems *problems;
	const char *file;
	yaml_document_t *doc;
	uint32_t nodes; /* aliases may make a small file a large tree */
};

static struct origin origin_of(const struct walk *w, const yaml_node_t *n)
{
	return (struct origin){ LEVEL_FILE, w->file, (unsigned)n->start_mark.line + 1 };
}

/* A scalar's text; NULL where it is none or holds a NUL, which no setting may. */
static const char *scalar(const yaml_node_t *n)
{
	if (!n || n->type != YAML_SCALAR_NODE)
		return NULL;
	if (memchr(n->data.scalar.value, 0, n->data.scalar.length))
		return NULL;
	return (const char *)n->data.scalar.value;
}

/* `key:` with nothing behind it, or ~: as if it were not there. */
static bool is_null(const yaml_node_t *n)
{
	const char *s = scalar(n);

	return s && n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (!*s || strcmp(s, "~") == 0 || strcmp(s, "null") == 0);
}

static const char *kind_of(const yaml_node_t *n)
{
	return n->type == YAML_SEQUENCE_NODE  ? "a list"
	       : n->type == YAML_MAPPING_NODE ? "a group of keys"
					      : "a value";
}

static bool counted(struct walk *w, const yaml_node_t *n)
{
	struct origin o = origin_of(w, n);

	if (++w->nodes == NODES)
		problem_error(w->problems, &o, "more than %d values", NODES);
	return w->nodes < NODES;
}

static void apply_list(struct walk *w, const struct setting *s, const yaml_node_t *n)
{
	for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top;
	     i++) {
		const yaml_node_t *item = yaml_document_get_node(w->doc, *i);
		struct origin o = origin_of(w, item);
		const char *text = scalar(item);

		if (!counted(w, item))
			return;
		if (text)
			setting_apply(w->config, w->problems, s, &o, NULL, text);
		else
			problem_error(w->problems, &o, "%s: expected values, found %s", s->key,
				      kind_of(item));
	}
}

static bool seen_before(struct walk *w, const yaml_node_t *map, const yaml_node_pair_t *pair,
			const char *name)
{
	for (yaml_node_pair_t *i = map->data.mapping.pairs.start; i < pair; i++) {
		const char *other = scalar(yaml_document_get_node(w->doc, i->key));

		if (other && strcmp(other, name) == 0)
			return true;
	}
	return false;
}

static void apply_map(struct walk *w, const struct setting *s, const yaml_node_t *n)
{
	for (yaml_node_pair_t *i = n->data.mapping.pairs.start; i < n->data.mapping.pairs.top;
	     i++) {
		const yaml_node_t *key = yaml_document_get_node(w->doc, i->key);
		const yaml_node_t *value = yaml_document_get_node(w->doc, i->value);
		struct origin o = origin_of(w, key);

		if (!counted(w, key))
			return;
		if (scalar(key) && seen_before(w, n, i, scalar(key)))
			problem_error(w->problems, &o, "%s.%.80s: given twice", s->key,
				      scalar(key));
		else if (scalar(key) && scalar(value))
			setting_apply(w->config, w->problems, s, &o, scalar(key), scalar(value));
		else
			problem_error(w->problems, &o, "%s: expected \"name: value\"", s->key);
	}
}

static void apply_node(struct walk *w, const struct setting *s, const yaml_node_t *n)
{
	struct origin o = origin_of(w, n);
	bool list = s->type == SETTING_STRINGS || s->type == SETTING_NUMBERS;

	if (s->type == SETTING_MAP && n->type == YAML_MAPPING_NODE)
		apply_map(w, s, n);
	else if (list && n->type == YAML_SEQUENCE_NODE)
		apply_list(w, s, n);
	else if (s->type != SETTING_MAP && scalar(n))
		setting_apply(w->config, w->problems, s, &o, NULL, scalar(n));
	else
		problem_error(w->problems, &o, "%s: expected %s, found %s", s->key,
			      s->type == SETTING_MAP ? "names with values"
			      : list		     ? "a list"
						     : "one value",
			      kind_of(n));
}

static void unknown(struct walk *w, const char *path, const struct origin *o)
{
	const char *meant = setting_suggest(path);

	if (meant)
		problem_error(w->problems, o, "unknown key %s: did you mean %s?", path, meant);
	else
		problem_error(w->problems, o, "unknown key %s", path);
}

static void walk_group(struct walk *w, const yaml_node_t *map, const char *prefix, int depth);

static void walk_pair(struct walk *w, const yaml_node_t *map, const yaml_node_pair_t *pair,
		      const char *prefix, int depth)
{
	const yaml_node_t *key = yaml_document_get_node(w->doc, pair->key);
	const yaml_node_t *value = yaml_document_get_node(w->doc, pair->value);
	const char *name = scalar(key);
	struct origin o = origin_of(w, key);
	char path[KEY];
	const struct setting *s;

	if (!name || !*name) {
		problem_error(w->problems, &o, "expected a key, found %s", kind_of(key));
		return;
	}
	if (snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", name) >= KEY) {
		problem_error(w->problems, &o, "unknown key %.40s…", name);
		return;
	}
	if (seen_before(w, map, pair, name)) {
		problem_error(w->problems, &o, "%s: given twice", path);
		return;
	}
	if (!strcmp(path, "journeys")) {
		if (!is_null(value))
			journeys_apply(w->config, w->problems, w->file, w->doc, value);
		return;
	}
	s = setting_find(path);
	if (s && strcmp(s->key, path) != 0 && value->type == YAML_MAPPING_NODE)
		s = NULL; /* `privacy: audience` is short for its mode; `privacy: {…}` the group */
	if (!s && !setting_is_group(path))
		unknown(w, path, &o);
	else if (is_null(value))
		return;
	else if (s)
		apply_node(w, s, value);
	else if (value->type == YAML_MAPPING_NODE && depth < DEPTH)
		walk_group(w, value, path, depth + 1);
	else
		problem_error(w->problems, &o, "%s: expected a group of keys, found %s", path,
			      kind_of(value));
}

static void walk_group(struct walk *w, const yaml_node_t *map, const char *prefix, int depth)
{
	for (yaml_node_pair_t *i = map->data.mapping.pairs.start; i < map->data.mapping.pairs.top;
	     i++) {
		if (!counted(w, map))
			return;
		walk_pair(w, map, i, prefix, depth);
	}
}

static void walk_document(struct config *c, struct problems *p, const char *file,
			  yaml_document_t *doc)
{
	struct walk w = { c, p, file, doc, 0 };
	const yaml_node_t *root = yaml_document_get_root_node(doc);
	struct origin o = { LEVEL_FILE, file, 1 };

	if (!root || is_null(root))
		return;
	if (root->type == YAML_MAPPING_NODE)
		walk_group(&w, root, "", 0);
	else
		problem_error(p, &o, "expected keys such as `scope:`, found %s", kind_of(root));
}

static void syntax_problem(struct problems *p, const char *file, const yaml_parser_t *parser)
{
	struct origin o = { LEVEL_FILE, file, (unsigned)parser->problem_mark.line + 1 };

	if (parser->error == YAML_READER_ERROR)
		problem_error(p, &o, "not a text in UTF-8: %s at byte %zu",
			      parser->problem ? parser->problem : "bad byte",
			      parser->problem_offset);
	else
		problem_error(p, &o, "not valid YAML: %s%s%s, column %zu",
			      parser->problem ? parser->problem : "error",
			      parser->context ? " " : "", parser->context ? parser->context : "",
			      parser->problem_mark.column + 1);
}

void yaml_apply(struct config *c, struct problems *p, const char *file, struct slice text)
{
	struct origin o = { LEVEL_FILE, file, 1 };
	yaml_parser_t parser;
	yaml_document_t doc;

	if (!yaml_parser_initialize(&parser)) {
		problem_error(p, &o, "no memory");
		return;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.at, text.len);
	if (!yaml_parser_load(&parser, &doc)) {
		syntax_problem(p, file, &parser);
		goto out;
	}
	walk_document(c, p, file, &doc);
	o.line = (unsigned)doc.end_mark.line + 1;
	yaml_document_delete(&doc);
	if (!yaml_parser_load(&parser, &doc)) {
		syntax_problem(p, file, &parser);
		goto out;
	}
	if (yaml_document_get_root_node(&doc))
		problem_error(p, &o, "a second document (---): only one is read");
	yaml_document_delete(&doc);
out:
	yaml_parser_delete(&parser);
}
