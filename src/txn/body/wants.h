/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wants.h: what is looked for in bodies, compiled once from the configuration; read-only afterwards and
 * shared by all bodies. Each kind of body is read once for all wants together: the paths of all JSON wants
 * are one automaton, names of fields and tags one table.
 */
#ifndef PC_TXN_BODY_WANTS_H
#define PC_TXN_BODY_WANTS_H

#include "base/slice.h"

#define BODY_INDICES	4
#define BODY_INDEX_LOST UINT32_MAX /* an index that a hole hides */
#define WANTS_MAX	4096
#define WANT_PATH_MAX	1024 /* octets of a path, name, selector or expression */
#define WANT_ERROR_MAX	200

/*
 * Where a value comes from, what `path` is, and what taken.index numbers.
 *
 * JSON paths are RFC 9535 with names, indices from the start, wildcards and descendants; filters, slices,
 * unions and indices from the end are refused with what to write instead. Of an object with the same name
 * twice both values come, in their order. Each wildcard has an index, the ordinal of the child (element, or
 * member), and each descendant has one: the number of the object or array whose child was found (0: the
 * outermost; in the order in which they open), so that two fields of one object have the same.
 */
enum body_source {
	BODY_JSON, /* application/json, …+json, NDJSON's first line; JSON that is sent as text */
	/* Name of a field of a form, urlencoded or multipart; one '*' in it stands for any octets.
	 * index: how many fields of the want came before; behind a hole BODY_INDEX_LOST. */
	BODY_FORM,
	/* GraphQL over HTTP: the operation of a request, from JSON, a batch, a form, a query or the document
	 * itself. index[0]: the operation's ordinal in a batch. No path. */
	BODY_GRAPHQL_NAME,
	BODY_GRAPHQL_TYPE,     /* text: query, mutation, subscription */
	BODY_GRAPHQL_VARIABLE, /* JSON path in its variables */
	BODY_GRAPHQL_DATA,  /* JSON path in the response's data; index as above, then the path's */
	BODY_GRAPHQL_ERROR, /* JSON path in an error; index[1]: its ordinal; empty path: $.message */
	/* What else than the field's own name an answer has for it, of an operation in which some field has
	 * an alias (struct body_alias, body.h). text: the field's name, empty where it is not to be told;
	 * index[0]: the operation's ordinal in a batch; [1], [2]: the place, its lower and its upper half;
	 * [3]: enum alias_kind. No path. */
	BODY_GRAPHQL_ALIAS,
	/* JSON path in the ld+json blocks of HTML. index[0]: the block's ordinal, then the path's. */
	BODY_LD_JSON,
	/* content of <meta> by property, name or itemprop; index[0]: the element's number */
	BODY_META,
	/* Elements of HTML by a selector: tag, #id, .class, [attribute], [attribute=value], descendants by a
	 * space. Takes the text, or `attribute`. index: the numbers of the elements that the parts of the
	 * selector found, outermost first, counted by start tags. */
	BODY_HTML,
	BODY_SOURCES
};

enum alias_kind { ALIAS_NAME, ALIAS_UNKNOWN }; /* UNKNOWN: of the whole operation */

struct body_want {
	enum body_source source;
	struct slice path;
	struct slice attribute; /* BODY_HTML; empty: the text */
	/* BODY_HTML, BODY_META: PCRE2; what it does not match is not taken, and group 1, where it has one, is
	 * the value. Empty: all is. */
	struct slice expression;
};

struct body_error {
	uint32_t want; /* number in the array */
	uint32_t
		place; /* octet of the path (or of what is at fault: attribute, expression), from 0 */
	char text
		[WANT_ERROR_MAX]; /* what is wrong and what to write instead; one line, ends with NUL */
};

struct body_wants;

/* 0, or -EINVAL with *ret_error set, -E2BIG: more than WANTS_MAX, -ENOMEM. Copies what it needs. */
int wants_new(const struct body_want *list, uint32_t count, struct body_error *ret_error,
	      struct body_wants **ret);
void wants_free(struct body_wants *w);
/* How many bodies and transactions still refer to it, by their own count: it may be freed when none do. */
void wants_hold(const struct body_wants *w);
void wants_release(const struct body_wants *w);
uint32_t wants_users(const struct body_wants *w);
/* Number of the want that is BODY_GRAPHQL_ALIAS; UINT32_MAX: there is none. */
uint32_t wants_alias(const struct body_wants *w);
/* Steps of its largest automaton, against body_limits.steps. */
uint32_t wants_steps(const struct body_wants *w);

#endif
