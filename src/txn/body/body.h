/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body.h: the content of one message, as it streams, → the values that somebody wants of it. Content
 * codings are taken off (RFC 9110 section 8.4), the charset becomes UTF-8, and one reader looks for all
 * wants of the kind at once: JSON, forms, GraphQL, HTML. Nothing is kept of what nobody wants; there is no
 * tree and no second pass.
 *
 * What is read is what the octets say up to the first place where they can no longer be trusted: a hole, a
 * broken coding, text that is no JSON, a bound. What stands before it was handed out and stays; what came
 * after it is not guessed. Why a body ended is in its flags, and each cause is counted.
 *
 * Memory: a `struct bodies` holds as many body states as may be open at once, made when first needed and
 * used again; decoders get theirs from a pool of its own with a bound (zlib, brotli and zstd by their
 * allocator hooks). body_push calls malloc only as long as these have not reached their working size.
 * One thread. No clock.
 */
#ifndef PC_TXN_BODY_BODY_H
#define PC_TXN_BODY_BODY_H

#include "base/slice.h"
#include "txn/body/wants.h"

struct bodies;
struct body;

struct body_limits {
	uint32_t open;	/* bodies at once: 256 */
	uint32_t depth; /* nesting that is followed, JSON and HTML: 64; deeper is passed over */
	uint32_t text_bytes;   /* of one value: 4096; longer ones are cut */
	uint32_t values;       /* handed out of one body: 4096 */
	uint32_t steps;	       /* of a struct body_wants (wants_steps): 4096 */
	uint32_t ratio;	       /* decoded octets an encoded one, once 64 KiB are decoded: 200 */
	uint64_t output_bytes; /* decoded, of one body: 4 MiB */
	uint64_t coder_bytes;  /* memory of all decoders together: 64 MiB */
};

extern const struct body_limits body_limits_default;

/* Of an answer of GraphQL: a name in it that is no field's own. */
struct body_alias {
	uint64_t place; /* a hash of the names from `data` on: BODY_GRAPHQL_ALIAS of the request */
	uint32_t ordinal;  /* of the operation in its batch */
	struct slice name; /* the field's; empty: not to be told */
};

/* By place and ordinal, for qsort and bsearch. */
static inline int body_alias_order(const void *a, const void *b)
{
	const struct body_alias *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

/* What is known of the content before its first octet. */
struct body_kind {
	struct slice content_type;     /* field value; empty: none was sent */
	struct slice content_encoding; /* field value(s), joined by ',' */
	bool response;
	/* The query of a GET request that may be GraphQL, or a form: content_type does not matter. */
	bool query;
	/* BODY_GRAPHQL_DATA is by the fields' names, these being what the answer has instead. They outlive the
	 * body, and are in the order of body_alias_order. Unknown: that of the operation was not seen whole, and no data is taken. */
	const struct body_alias *aliases;
	uint32_t alias_count;
	bool aliases_unknown;
};

/* Why less was read than there is, or what was odd. Each is counted in body_stats.flagged. */
enum body_flag {
	BODY_HOLE,	     /* octets were not there */
	BODY_SHORT,	     /* ended before its document, or its coding, did */
	BODY_CODING_UNKNOWN, /* of a name that we do not have, or more than two */
	BODY_CODING_BROKEN,  /* not what Content-Encoding says, or damaged */
	BODY_CHARSET_UNKNOWN,
	BODY_MALFORMED,	 /* no JSON, no form … from some place on */
	BODY_CUT_OUTPUT, /* limits.output_bytes */
	BODY_CUT_RATIO,	 /* limits.ratio */
	BODY_CUT_DEPTH,	 /* limits.depth: something deeper may have been wanted */
	BODY_CUT_TEXT,	 /* limits.text_bytes: a value is only its beginning */
	BODY_CUT_VALUES, /* limits.values */
	BODY_CUT_PARTS, /* a bound of a format's own: names, attributes, operations (see its header) */
	BODY_MATCH_LIMIT, /* an expression gave up: PCRE2's match limits */
	BODY_MEMORY,	  /* limits.coder_bytes */
	BODY_MORE, /* something stands after the document: NDJSON's second line, junk after gzip */
	BODY_FLAGS
};
const char *body_flag_name(enum body_flag f); /* hole, short, … */

enum taken_kind {
	TAKEN_TEXT,
	TAKEN_NUMBER, /* text as it was written */
	TAKEN_TRUE,
	TAKEN_FALSE,
	TAKEN_NULL,
	TAKEN_OBJECT, /* it began; no text */
	TAKEN_ARRAY,
};

/* One value. Lives as long as the call. */
struct taken {
	uint32_t want; /* number in the array that wants_new was given */
	enum taken_kind kind;
	/* UTF-8, unescaped; what was none is U+FFFD. Empty for true, false, null, object and array. */
	struct slice text;
	/* Where it stood, so that values of one thing can be joined: equal numbers, same thing. What they
	 * number says enum body_source. Those that a want does not use are 0. */
	uint32_t index[BODY_INDICES];
	bool cut; /* text is only the beginning: of a number, not even that much of its value */
};

struct body_sink {
	void *ctx;
	void (*taken)(void *ctx, const struct taken *v);
};

struct body_result {
	uint32_t flags; /* 1 << enum body_flag */
	uint32_t values;
	uint64_t encoded_bytes; /* pushed; holes are not in it */
	uint64_t decoded_bytes; /* read, codings taken off */
};

struct body_stats {
	uint64_t opened, ended, dropped; /* opened = ended + dropped + open */
	uint64_t refused;		 /* limits.open, or no memory */
	uint64_t encoded_bytes, decoded_bytes, values;
	uint64_t hole_bytes;
	uint64_t flagged[BODY_FLAGS]; /* bodies */
	uint64_t deepest;	      /* gauge: nesting ever met, followed or not */
	uint32_t open;		      /* gauge */
	uint64_t coder_bytes;	      /* gauge: held for decoders, in use or not */
};

int bodies_new(const struct body_limits *limits, struct bodies **ret);
void bodies_stats(const struct bodies *all, struct body_stats *ret);
void bodies_free(struct bodies *all); /* those that are open too, as body_drop */

/* Would body_open find anything to look for? Lets the caller leave a body on the wire. */
bool body_is_wanted(const struct body_wants *wants, const struct body_kind *kind);

/* Borrows wants until the body ends; copies what it needs of kind. 0; -ENOENT: nobody wants anything of
 * such a body; -ENOBUFS: no room, counted; -E2BIG: wants has more steps than limits.steps. */
int body_open(struct bodies *all, const struct body_kind *kind, const struct body_wants *wants,
	      const struct body_sink *sink, struct body **ret);
/* The next octets of the content: chunk framing taken off, codings as on the wire. False: nothing that
 * follows can be of use, the rest need not be captured (body_end still tells the result). */
bool body_push(struct body *b, struct slice octets);
/* The next octets are not there, and not known (0: nor is how many). As body_push. */
bool body_hole(struct body *b, uint64_t octets);
/* The content ended as its framing says; where it did not, say body_hole(b, 0) first. The last values
 * come during this call. *ret may be NULL. */
void body_end(struct body *b, struct body_result *ret);
/* Gives it back without the values that only an end brings. */
void body_drop(struct body *b);

#endif
