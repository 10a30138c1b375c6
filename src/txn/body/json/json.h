/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h: RFC 8259 text, cut anywhere, → the values that paths want. No tree: one set of states for each
 * level that is open. What nobody wants is passed over: of such a part only strings, the pairing of its
 * brackets (64 levels of it) and octets that stand nowhere in JSON are checked, not its commas.
 *
 * Numbers are text; nothing is computed. Names that stand twice are both told. A lone surrogate and what is
 * no UTF-8 are U+FFFD. One document: what follows it is not read.
 */
#ifndef PC_TXN_BODY_JSON_H
#define PC_TXN_BODY_JSON_H

#include "base/buf.h"
#include "txn/body/body.h"
#include "txn/body/json/paths.h"

struct json_value {
	uint32_t target;
	enum taken_kind kind;
	struct slice text;
	bool cut;
	uint32_t index[BODY_INDICES];
};

struct json_sink {
	void *ctx;
	void (*value)(void *ctx, const struct json_value *v);
	/* Of a text whose path has PATH_PIECES: what it is made of, before value(); not checked for UTF-8. */
	void (*piece)(void *ctx, uint32_t target, struct slice piece);
	void (*closed)(void *ctx, uint32_t target); /* PATH_CLOSED: the object is over */
};

enum json_state {
	JSON_VALUE,
	JSON_FIRST_ELEMENT, /* or ']' */
	JSON_FIRST_NAME,    /* or '}' */
	JSON_NAME,
	JSON_COLON,
	JSON_AFTER, /* ',' or the end of the object or array */
	JSON_STRING,
	JSON_NUMBER,
	JSON_LITERAL,
	JSON_SKIP,
	JSON_DONE,
	JSON_BROKEN,
};

enum json_string { STRING_NAME, STRING_TEXT, STRING_PASSED, STRING_SKIPPED };

struct json_frame { /* an object or array that is open */
	bool array;
	uint32_t children, container;
	uint64_t place; /* graphql_place_of */
};

struct json_reader {
	/* for the life of the reader */
	uint32_t depth_max, steps_max;
	size_t text_max;
	uint64_t *sets;		  /* paths->words for each level, 0 the outermost value */
	struct path_level *level; /* of the value at that level */
	struct json_frame *frame; /* of the object or array at that level */
	char *text;		  /* text_max octets */
	char name[WANT_PATH_MAX]; /* longer names are wanted by nobody */
	struct buf clean;	  /* text with U+FFFD in it */

	/* of one document */
	const struct paths *paths;
	struct json_sink sink;
	const struct body_alias *aliases;
	uint32_t alias_count;
	uint64_t place; /* of the value at hand, where there are aliases */
	enum json_state state;
	uint32_t depth;	  /* objects and arrays that are open */
	uint32_t ordinal; /* index[0] unless a path sets it */
	uint32_t containers;
	uint32_t flags; /* 1 << BODY_MALFORMED, BODY_CUT_DEPTH … */
	uint64_t deepest;
	bool found, below; /* the value at hand is wanted; something in it may be */
	bool pieces;	   /* … in pieces */
	bool cut;	   /* more than there was room for */
	size_t len;	   /* of text or name, so far */
	enum json_string string;
	uint8_t escape; /* 1: after '\'; 2 to 5: hexadecimal digits to come, + 1 */
	uint16_t code;	/* of \u */
	uint16_t high;	/* half of a surrogate pair before this; 0: none */
	uint8_t number; /* enum number_state */
	const char *literal;
	uint64_t skip_depth, skip_arrays; /* arrays: bit 0 the innermost level, 1 = array */
	uint8_t skip_known;		  /* levels that skip_arrays knows, at most 64 */
};

/* depth and steps: most that a document may need; text_max octets of one value. 0 or -ENOMEM. */
int json_read_init(struct json_reader *r, uint32_t depth, uint32_t steps, size_t text_max);
void json_read_done(struct json_reader *r);
/* A new document. groups: bits 1 << enum path_group. paths has at most `steps` states. */
void json_read_open(struct json_reader *r, const struct paths *paths, unsigned groups,
		    uint32_t ordinal, const struct json_sink *sink);
/* Right after it: names that stand for others in an answer of GraphQL. They outlive the document. */
void json_read_aliases(struct json_reader *r, const struct body_alias *list, uint32_t count);
/* False: nothing that follows can be of use. */
bool json_read_push(struct json_reader *r, struct slice s);
/* The text ended. A document that did not is flagged BODY_SHORT. */
void json_read_end(struct json_reader *r);

#endif
