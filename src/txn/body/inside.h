/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h: what the files of this room share.
 *
 *   body.c       one body: codings off, charset, bounds, which reader
 *   bodies.c     the states of all bodies      media.c      what a body is
 *   wants.c      the configuration → tables and automata
 *   json/        JSON and its paths        form.c       urlencoded, and fields of any form
 *   html/        HTML and its selectors
 *   graphql/     operations and documents  multipart.c  parts → fields
 *
 * A reader is a row of functions over struct body. It gets UTF-8 (or nearly: json.h), but for forms, whose
 * octets are text only once they are unescaped.
 */
#ifndef PC_TXN_BODY_INSIDE_H
#define PC_TXN_BODY_INSIDE_H

#include "base/list.h"
#include "txn/body/body.h"
#include "txn/body/charset.h"
#include "txn/body/graphql/tree.h"
#include "txn/body/html/html.h"
#include "txn/body/inflate.h"
#include "txn/body/json/json.h"

/* ---- wants ---- */

/* Sources for which an operation is read: its document, and its name. */
#define BODY_OPERATION                                                                             \
	(1u << BODY_GRAPHQL_NAME | 1u << BODY_GRAPHQL_TYPE | 1u << BODY_GRAPHQL_ALIAS)

struct want {
	enum body_source source;
	/* BODY_FORM: the name, or what stands before and behind its '*' */
	struct slice front, back;
	bool starred;
	uint32_t same;	 /* next want of this name; NAMES_NONE */
	uint32_t number; /* among those of forms */
};

/* Targets of paths that are no wants. */
enum { GRAPHQL_OPERATION = 1u << 31, GRAPHQL_NAME, GRAPHQL_QUERY };

struct body_wants {
	uint32_t count;
	uint32_t users; /* the one thing of it that changes */
	struct want *want;
	uint32_t has;	/* 1 << enum body_source */
	uint32_t alias; /* number of that want; UINT32_MAX */
	struct paths paths;
	struct names form;    /* names without '*' */
	uint32_t *form_first; /* by number of the name: first want */
	uint32_t starred;     /* first want with a '*' */
	uint32_t form_wants;
	struct html_wants html;
};

/* ---- text that gathers up to a bound ---- */

struct text {
	char *at;
	size_t len, max;
	bool cut;
};

void text_add(struct text *t, struct slice s);

static inline struct slice text_slice(const struct text *t)
{
	return slice_of(t->at, t->len);
}

/* ---- GraphQL ---- */

#define GRAPHQL_OPERATIONS 8   /* of a document; more are flagged */
#define GRAPHQL_NAME_BYTES 256 /* longer names are cut */

struct graphql_operation {
	const char *type; /* static */
	uint16_t root;	  /* in the tree */
	uint16_t len;
	bool cut;
	char name[GRAPHQL_NAME_BYTES];
};

struct graphql {
	uint8_t state;	/* enum lexer_state */
	uint8_t inside; /* enum lexer_inside: a string, a comment */
	uint8_t quotes; /* in a row */
	bool escape;
	uint32_t depth; /* brackets of any kind */
	uint32_t count; /* operations */
	char token[GRAPHQL_NAME_BYTES];
	uint16_t token_len;
	bool token_cut;
	struct graphql_operation operation[GRAPHQL_OPERATIONS];
	/* of the request */
	char name[GRAPHQL_NAME_BYTES]; /* operationName */
	uint16_t name_len;
	bool name_cut;
	bool seen_query, said_name, said_type, said_aliases;
	struct graphql_tree tree; /* where aliases are wanted */
	uint32_t ordinal;	  /* in its batch */
};

/* ---- forms ---- */

enum field_use {
	FIELD_PASSED,
	FIELD_TAKEN,
	FIELD_CHARSET,
	FIELD_QUERY,
	FIELD_OPERATION,
	FIELD_JSON
};

struct form {
	bool in_value, lost; /* lost: a hole; nothing counts until the next pair */
	uint8_t escape;	     /* 1: after '%'; 2: and one digit */
	char digit;
	bool any;	      /* of the pair: an octet has come */
	enum charset charset; /* of all fields */
	enum field_use use,
		also;	  /* of the field at hand; GraphQL's names may be wanted as fields too */
	uint32_t *before; /* by want.number: fields so far */
};

#define MULTIPART_BOUNDARY 70	/* RFC 2046 section 5.1.1 */
#define MULTIPART_LINE	   1024 /* of a part's head */

struct multipart {
	uint8_t state; /* enum multipart_state */
	char delimiter[MULTIPART_BOUNDARY + 4];
	uint8_t delimiter_len, matched;
	bool dash; /* one, after a delimiter */
	bool named, is_file, lost;
	bool line_cut;
	enum charset charset; /* of the part */
	char line[MULTIPART_LINE];
	uint16_t line_len;
};

/* ---- a body ---- */

struct reader {
	bool is_text; /* wants UTF-8: comes after the charset */
	/* False: no more is of use. */
	bool (*push)(struct body *b, struct slice s);
	/* A hole. False: where it goes on behind it cannot be known. NULL: never. */
	bool (*hole)(struct body *b);
	void (*end)(struct body *b); /* the content is over, or as much of it as there will be */
};

extern const struct reader json_body_reader, graphql_document_reader, form_reader, multipart_reader,
	html_reader;

struct body {
	struct list of; /* bodies.free or bodies.open */
	struct bodies *all;
	const struct body_wants *wants;
	struct body_sink sink;
	struct body_result result;
	const struct reader *reader; /* NULL: it is not known yet (sniffed) */
	bool response;
	const struct body_alias *aliases; /* of the response */
	uint32_t alias_count;
	bool aliases_unknown;
	bool stopped; /* it cannot be read on */
	bool over;    /* the reader wants no more; its end counts */
	struct inflate inflate;
	struct charset_reader charset;
	bool is_html; /* whatever does not begin like JSON */
	bool holding; /* the beginning of HTML, for its charset */
	uint32_t held;
	char hold[HTML_CHARSET_BYTES];

	struct json_reader json;
	struct graphql graphql;
	struct form form;
	struct multipart multipart;
	struct html html;
	struct text name, text; /* of a field; text: of HTML too */
	struct buf clean;
};

/* What all bodies share. */
struct bodies {
	struct body_limits limits;
	struct coder_pool pool;
	void *matcher; /* html_match_new, once an expression was needed */
	struct inflate_room room;
	struct graphql_places places;
	char piece[CHARSET_PIECE];
	struct list free, open;
	uint32_t made;
	struct body_stats stats;
};

/* bodies.c: a state from those that are free, and back. NULL: refused, counted. */
struct body *body_state_take(struct bodies *all);
void body_state_give(struct body *b);

/* media.c */
enum media {
	MEDIA_NONE,
	MEDIA_JSON,
	MEDIA_DOCUMENT,
	MEDIA_FORM,
	MEDIA_MULTIPART,
	MEDIA_HTML,
	MEDIA_TEXT
};

enum media media_of(const struct body_kind *kind);
/* The value of a parameter of a media type (RFC 9110 section 5.6.6); quoted-pairs in `room`. at == NULL:
 * there is none. */
struct slice media_parameter(struct slice field, struct slice name, struct text *room);

/* body.c */
void body_flag(struct body *b, enum body_flag f);
void body_take(struct body *b, const struct taken *v);
struct json_sink body_json_sink(struct body *b);

/* graphql/graphql.c */
void graphql_begin(struct body *b, uint32_t ordinal);
void graphql_document(struct body *b, struct slice text);
void graphql_document_end(struct body *b);
void graphql_name(struct body *b, struct slice text); /* more of operationName */
/* Tells what is known; `last`: the request has no more. */
void graphql_tell(struct body *b, bool last);
/* From json.c, by target. */
void graphql_value(struct body *b, const struct json_value *v);
void graphql_piece(struct body *b, uint32_t target, struct slice piece);
void graphql_closed(struct body *b, uint32_t target);

/* form.c */
void form_begin(struct body *b, enum charset c);
/* A field: its name as octets of that charset, then its value, in pieces. */
void field_begin(struct body *b, struct slice name);
void field_add(struct body *b, struct slice octets, enum charset c);
void field_end(struct body *b);
/* After the last field. */
void fields_end(struct body *b);

/* multipart.c: false: there is no boundary */
bool multipart_begin(struct body *b, struct slice content_type);

static inline bool body_has(const struct body *b, enum body_source s)
{
	return b->wants->has >> s & 1;
}

#endif
