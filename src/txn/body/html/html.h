/* SPDX-License-Identifier: Apache-2.0 */
/*
 * html.h: HTML as a stream (WHATWG HTML section 13.2, as far as it matters to what customers see) → elements
 * that selectors want, <meta>, and ld+json blocks for the JSON reader.
 *
 *   select.c  selectors of the configuration → states   match.c   expressions
 *   token.c   octets → start tags, end tags, text      tags.c    what is special of which tag
 *   tree.c    which elements are open, their text      found.c   which selectors found them
 *   entity.c  character references                     meta.c    the charset that a document says it is in
 *
 * No tree is kept, only the way down. Elements are those that stand in the text: a tbody that a browser would
 * add is not there. End tags that may be left out are; wrongly nested ones end what is open inside. What is in
 * <template> is no part of the document, and <noscript> is text, as for whoever runs scripts.
 *
 * A selector of n parts is n + 1 states, like a path (json/paths.h), but all descendants: states are never
 * lost on the way down.
 */
#ifndef PC_TXN_BODY_HTML_HTML_H
#define PC_TXN_BODY_HTML_HTML_H

#include "txn/body/charset.h"
#include "txn/body/json/names.h"
#include "txn/body/wants.h"

#define HTML_DEPTH	    256 /* elements open; what is deeper is not looked at, flagged */
#define HTML_ATTRIBUTES	    32	/* of a tag; later ones are left out, flagged when somebody looks */
#define HTML_TAG_BYTES	    8192 /* of all attributes of a tag; longer values are cut */
#define HTML_NAME_BYTES	    64 /* of a tag's or attribute's name; longer names are wanted by nobody */
#define HTML_CAPTURES	    128 /* elements of which the text is wanted, inside each other */
#define HTML_ENTITY	    32
#define HTML_CHARSET_BYTES  1024 /* in which a document must say its charset */
#define SELECTOR_PARTS	    BODY_INDICES
#define SELECTOR_CONDITIONS 8 /* of one part */

/* ---- what is wanted ---- */

enum condition_kind {
	CONDITION_HAS,
	CONDITION_IS,
	CONDITION_WORD,	    /* ~=, and .class */
	CONDITION_BEGINS,   /* ^= */
	CONDITION_ENDS,	    /* $= */
	CONDITION_CONTAINS, /* *= */
	CONDITION_DASH,	    /* |= */
	CONDITION_META,	    /* property, name or itemprop is it */
};

struct condition {
	enum condition_kind kind;
	struct slice name, value; /* owned */
};

struct html_state { /* parts before this one were found further up */
	bool last;
	uint32_t want;	 /* last: number in the configuration */
	uint32_t target; /* last: in html_wants.target */
	uint32_t next;	 /* state of the same tag, or of none; NAMES_NONE */
	uint32_t count;
	struct condition condition[SELECTOR_CONDITIONS];
};

struct html_target {
	struct slice attribute; /* owned; empty: the text */
	void *expression;	/* pcre2_code, or NULL */
	uint32_t groups;	/* that it captures */
	uint32_t parts;
};

struct html_wants {
	uint32_t count, words;
	struct html_state *state;
	uint32_t targets;
	struct html_target *target;
	struct names tags;
	uint32_t *by_tag; /* first state, by number of the name */
	uint32_t any;	  /* first state of no tag */
	uint64_t *start;  /* the set with which a document begins */
};

/* A selector, or the name of a <meta>. 0, -EINVAL with place and text of *error set, -ENOMEM. */
int html_wants_add(struct html_wants *w, uint32_t want, const struct body_want *in,
		   struct body_error *error);
int html_wants_seal(struct html_wants *w);
void html_wants_done(struct html_wants *w);
/* What an expression makes of a text: 1, 0: it does not match, -ELOOP: it gave up, -ENOMEM. `data`: of
 * html_match_new. */
int html_match(const struct html_target *t, void *data, struct slice text, struct slice *ret);
/* Room for matching, for one thread, from the pool; NULL: no memory. */
struct coder_pool;
void *html_match_new(struct coder_pool *pool);
void html_match_free(void *data);

/* ---- a document ---- */

struct attribute {
	struct slice name, value; /* name in lower case; in html.tag_text */
	bool cut;
};

struct html_level {    /* an element that is open */
	uint64_t name; /* by tag_key */
	uint32_t number;
	uint32_t kind; /* bits of token.c's table */
};

struct html_capture {
	uint32_t state;
	uint32_t depth; /* of the element */
	size_t from;	/* in the text */
	uint32_t index[BODY_INDICES];
};

struct html {
	/* for the life of the body's state; NULL until the first document */
	struct html_level *level; /* 0 is the document */
	uint64_t *sets; /* two rows a level: known on the way here, found by this element */
	char *tag_text;

	/* token.c */
	uint8_t state;				     /* enum token_state */
	bool end_tag, self_closing, name_cut, quiet; /* quiet: nobody looks at the attributes */
	bool in_value;				     /* of an attribute */
	char quote;
	uint8_t matched; /* of what ends a comment, raw text … */
	char name[HTML_NAME_BYTES];
	uint8_t name_len;
	char raw[16];	   /* the element whose text is raw */
	char raw_seen[16]; /* what may be its end tag */
	uint8_t raw_len;
	bool raw_refs; /* character references count in it */
	struct attribute attribute[HTML_ATTRIBUTES];
	uint32_t attributes;
	bool attribute_kept; /* the one at hand */
	size_t tag_len;	     /* of tag_text */
	char entity[HTML_ENTITY];
	uint8_t entity_len; /* 0: none at hand */

	/* tree.c */
	uint32_t depth, over;	   /* over: deeper than HTML_DEPTH */
	uint32_t elements, blocks; /* so far: elements, ld+json blocks */
	uint32_t foreign, inert;   /* depth at which svg or math, template began; 0: not in one */
	bool ld;		   /* in an ld+json block */
	bool space;		   /* text: a blank is due */
	struct html_capture capture[HTML_CAPTURES];
	uint32_t captures;
};

struct body;

/* entity.c → tree.c, or the value at hand (html.in_value). Text as it is; text up to `stop`, or up to a blank
 * or '>' where stop is 0, with references resolved (octets taken); the reference at hand is over, with ';' or
 * before `next`. */
void html_put(struct body *b, struct slice s);
size_t html_references(struct body *b, struct slice s, char stop);
void html_reference_over(struct body *b, bool ended, char next);

/* meta.c: by the first octets of a document; CHARSET_UNDECIDED: it does not say. */
enum charset html_charset(struct slice text);

/* found.c: the element that begins, at its depth; its attributes; a value, through the want's expression. */
void html_look(struct body *b, uint32_t depth);
const struct attribute *html_attribute(const struct html *h, struct slice name);
void html_hand_out(struct body *b, uint32_t state, struct slice text, bool cut,
		   const uint32_t index[BODY_INDICES]);
struct slice html_trim(struct slice s); /* spaces at both ends */

/* token.c → tree.c (tree_looks_at: found.c). In the order of the text. */
bool tree_begin(struct body *b); /* false: no memory */
void tree_free(struct html *h);
bool tree_looks_at(const struct body *b,
		   struct slice name); /* at the attributes of such a start tag */
void tree_start(struct body *b);       /* html.name, html.attribute */
void tree_end(struct body *b);	       /* html.name */
bool tree_wants_text(const struct body *b);
void tree_text(struct body *b, struct slice s); /* references resolved */
void tree_over(struct body *b);			/* the document ended: so do all elements */

/* token.c: false: no memory */
bool html_begin(struct body *b);

/* tags.c: what the parser must know of a tag. */
#define TAG_VOID     0x0001 /* has no end */
#define TAG_RAW	     0x0002
#define TAG_RAW_REFS 0x0004 /* raw, but for character references */
#define TAG_BLOCK    0x0008 /* parts words */
#define TAG_ENDS_P   0x0010
#define TAG_P	     0x0020
#define TAG_LI	     0x0040
#define TAG_LIST     0x0080
#define TAG_DD	     0x0100
#define TAG_DL	     0x0200
#define TAG_OPTION   0x0400
#define TAG_OPTGROUP 0x0800
#define TAG_SELECT   0x1000
#define TAG_CELL     0x2000
#define TAG_ROW	     0x4000
#define TAG_ROWS     0x8000
#define TAG_TABLE    0x10000
#define TAG_SCOPE    0x20000 /* end tags of other than table parts do not reach beyond */
#define TAG_FOREIGN  0x40000
#define TAG_INERT    0x80000
#define TAG_BODY     0x100000
uint32_t tag_kind(struct slice name);
/* Equal for equal names; the name itself up to 8 octets, a hash with the top bit beyond. */
uint64_t tag_key(struct slice name);

static inline bool html_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

#endif
