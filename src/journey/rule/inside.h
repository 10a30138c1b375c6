/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h: what the files of this room share.
 *
 *   file/     YAML → struct rule: node (the tree), rule, when, take, source, test
 *   rules.c   all files together: builder, life, names
 *   group.c   which rules may hold of one message: wants, and the table by the first segment of a path
 *   path.c    templates of paths
 *   test.c    what a condition asks of a value
 *   match.c   which rules hold, by the heads: rules_wants, and the first half of rules_say
 *   look.c    the values of a source in one transaction
 *   read.c    a value as text, whole number, amount, boolean
 *   items.c   lines of a cart, list or order: fields that are joined by their indices
 *   say.c     the second half: contents, and what is said
 *
 * A question has three answers: where an octet was not seen that could have answered it, it is open, and a
 * rule with an open question does not hold.
 */
#ifndef PC_JOURNEY_RULE_INSIDE_H
#define PC_JOURNEY_RULE_INSIDE_H

#include "base/arena.h"
#include "journey/rule/rules.h"
#include "session/who.h"
#include "txn/body/body.h"

/* ---- where values come from ---- */

enum from {
	FROM_CONSTANT,
	FROM_PATH, /* as a whole, without parameters of segments */
	FROM_PLACE,
	FROM_QUERY,
	FROM_FIELD,
	FROM_ANSWER_FIELD,
	FROM_LOCATION,
	FROM_LOCATION_PLACE,
	FROM_LOCATION_QUERY,
	FROM_LOCATION_HOST, /* absent: the same host */
	FROM_BODY,
};

/* One value of contents that a rule wants; equal ones of a group share a number. */
struct wish {
	struct wish *next; /* of the rule */
	bool request;
	struct body_want want; /* texts in the arena of the rules */
	uint32_t number;       /* in the wants of the group */
};

struct source {
	enum from from;
	struct slice name; /* a constant's text; a field's in lower case */
	uint32_t place;	   /* number of the name in the template */
	const struct wish *wish;
	uint32_t slots; /* FROM_BODY: indices that its values have */
	bool batch;	/* index[0] is the operation's ordinal in a batch */
	bool per_item;	/* the indices that `each` has say which item it belongs to */
};

/* ---- what is asked of them ---- */

enum truth { NO, YES, OPEN };

enum test_kind {
	TEST_EQUALS,
	TEST_PREFIX,
	TEST_SUFFIX,
	TEST_CONTAINS,
	TEST_REGEX,
	TEST_EXISTS,
	TEST_NULL,
	TEST_IN,  /* children: any of them */
	TEST_ALL, /* children */
	TEST_NOT, /* one child */
};

struct test {
	enum test_kind kind;
	bool exists;	   /* TEST_EXISTS: true or false */
	struct slice text; /* EQUALS to CONTAINS */
	void *regex;	   /* pcre2_code, owned by the rules */
	const struct test *child, *next;
};

struct condition {
	struct source source;
	const struct test *test;
	struct condition *next;
};

/* ---- templates of paths ---- */

#define PATTERN_SEGMENTS 32
#define PLACES		 16 /* named places of one rule's templates; location has its own */
#define NO_PLACE	 UINT32_MAX

struct segment {
	struct slice front, back; /* what stands around the place; without one `front` is all */
	bool open;		  /* it has a place, or is '*' */
	bool rest;		  /* all that follows, of the path's last segment; `least` of it */
	uint32_t least;
	uint32_t place; /* number of its name; NO_PLACE */
};

struct pattern {
	struct pattern *next; /* or this one */
	uint32_t count;
	struct segment segment[];
};

struct place_names {
	uint32_t count;
	struct slice at[PLACES];
};

/* A path in its segments, decoded; a slash at its end counts for nothing. */
struct path_cut {
	uint32_t count;
	bool more; /* than PATTERN_SEGMENTS: nothing matches it but `rest` */
	struct slice segment[PATTERN_SEGMENTS], whole;
	uint32_t mark[PATTERN_SEGMENTS]; /* of the first `marks` of them */
	uint32_t marks;
};

/* The text of a template → a pattern in the arena; NULL and *ret_why: what is wrong, at *ret_at. */
struct pattern *pattern_read(struct arena *a, struct slice text, struct place_names *names,
			     size_t *ret_at, const char **ret_why);
bool pattern_holds(const struct pattern *p, const struct path_cut *path,
		   struct slice place[PLACES]);			      /* place may be NULL */
bool patterns_meet(const struct pattern *a, const struct pattern *b); /* of one path, perhaps */

/* ---- values ---- */

enum take_type { TYPE_TEXT, TYPE_INTEGER, TYPE_AMOUNT, TYPE_QUANTITY, TYPE_BOOLEAN };
enum pick { PICK_ONLY, PICK_FIRST, PICK_LAST, PICK_SUM };

#define SCALE_NONE  (-1)
#define SCALE_MINOR (-2) /* of the currency's smallest unit */

struct hint {
	int scale;
	bool has_currency; /* below */
	char currency[4];  /* a constant */
	const struct source *currency_from;
	char decimal;
};

struct take {
	struct slice name; /* as the rule has it */
	enum take_type type;
	enum pick pick;
	bool required;
	uint32_t count; /* sources: the first that has something */
	const struct source *from;
	void *regex;	       /* of what is no element of HTML; NULL */
	struct slice default_; /* at == NULL: none */
	struct hint hint;
	const struct take *next; /* of a site's own */
};

enum item_field { ITEM_ID, ITEM_NAME, ITEM_VARIANT, ITEM_QUANTITY, ITEM_PRICE, ITEM_FIELDS };

struct items_take {
	bool listed; /* each was given; otherwise it is one item */
	struct source each;
	bool has_container;
	struct source container; /* array or object of which each is a child */
	const struct take *field[ITEM_FIELDS];
	const struct condition *where;
};

struct cart_take {
	const struct take *id, *value, *quantity;
	const struct items_take *items;
	const struct condition *empty;
};

enum said_field {
	FIELD_VALUE,
	FIELD_TAX,
	FIELD_SHIPPING,
	FIELD_DISCOUNT,
	FIELD_ITEMS_VALUE,
	FIELD_CURRENCY,
	FIELD_TAX_BASIS,
	FIELD_TRANSACTION_ID,
	FIELD_ORDER_ID,
	FIELD_PAYMENT_STATUS,
	FIELD_COUPON,
	FIELD_REASON,
	FIELD_SEARCH_TERM,
	FIELD_LIST_NAME,
	FIELD_METHOD_NAME,
	SAID_FIELDS
};

/* ---- a rule ---- */

#define METHODS	     10	  /* that are known, by rule_methods */
#define CHANGING     0x1e /* bits of those that change something: POST, PUT, PATCH, DELETE */
#define USUAL	     0x5f /* … of those that a rule is about which names none */
#define STATUS_WORDS 8	  /* bits of 100 to 611 */
#define PARAMETERS   64

extern const struct slice rule_methods[METHODS];

struct text_list {
	const struct text_list *next;
	struct slice text;
};

struct group;

struct rule {
	struct rule *next; /* in the order of the files */
	uint32_t number;
	const char *name, *file;
	unsigned line;
	enum say say;
	struct slice own;

	uint16_t methods; /* bits */
	uint8_t sides;	  /* 1 << enum side */
	bool has_location, has_navigation, navigation;
	uint64_t status[2][STATUS_WORDS]; /* of a request that only reads, of one that changes */
	struct pattern *path, *location;
	const struct text_list *types, *sites, *hosts;
	struct place_names places, location_places;
	struct condition *request, *response, *content; /* by what must have been seen */
	struct wish *wishes;
	bool wants[2]; /* of the response, of the request */
	bool batch;    /* it looks at GraphQL */
	const struct group *group;

	const struct take *take[SAID_FIELDS], *own_takes;
	const struct items_take *items;
	const struct cart_take *cart;
};

/* Rules that may hold of one message, as far as their methods and paths say. */
struct group {
	struct group *next;
	struct body_wants *wants[2]; /* of the response, of the request; NULL: nothing */
	uint32_t count[2];
	const uint8_t *source[2]; /* enum body_source, by want */
	bool batch;		  /* one of them is GraphQL's */
};

#define ANY_SEGMENT 0xff

struct entry { /* what decides most cases stands together */
	uint16_t rule, methods;
	uint8_t sides, wants; /* 1 << request */
	uint8_t at; /* a segment of the path that must be one text, of which this is the mark; ANY_SEGMENT */
	uint32_t mark;
	/* A text that one of the values of a want must be: of the content of the request, of the response. */
	bool of_request, of_response;
	uint16_t want;
	uint32_t text_mark;
};

struct bucket { /* rules whose path may begin with that segment, in their order */
	struct slice segment;
	uint32_t count;
	const struct entry *entry;
	uint8_t wants;	/* of all of them */
	uint32_t marks; /* segments that entries ask for */
	bool used;
};

struct rules;

/* ---- one transaction ---- */

enum seen { SEEN_NOT, SEEN_PART, SEEN_WHOLE };

struct look {
	struct rules *rules;
	const struct transaction *t;
	const struct rule *rule;
	uint16_t method; /* look_method */
	struct path_cut path;
	bool has_location;
	struct path_cut location;
	struct slice location_query, location_text;
	struct site location_host;
	char location_room[1024];
	struct slice place[PLACES], location_place[PLACES];
	struct page_signs signs;
	struct page page;
	bool has_signs, has_page;
	/* contents, by `request` */
	const struct group *group;
	enum seen seen[2];
	uint32_t values[2];
	uint32_t ordinals; /* of the batch; 1: none */
	uint32_t ordinal;
};

/* One value of a source. */
struct found {
	struct slice text;
	enum taken_kind kind;
	bool cut;
	uint32_t value;		   /* FROM_BODY: its number in the reading */
	const struct source *from; /* read.c */
};

struct cursor {
	uint32_t at;
	struct slice rest;
	bool begun;
};

/* ---- all of them ---- */

#define RULES_VALUES 4096	  /* of one message that are looked at */
#define RULES_ROOM   (256u << 10) /* texts that were decoded */
#define ORDINALS     16		  /* of a batch */

struct rules {
	struct arena_pool pool;
	struct arena arena;
	uint32_t count;
	struct rule *first_rule, **rule;
	struct group *groups;
	uint32_t bucket_mask;
	struct bucket *bucket, rest; /* rest: of a first segment that no rule names */
	const struct text_list *fields;
	struct slice field[RULES_FIELDS_MAX];
	uint32_t field_count;
	struct regex *regexes; /* to be freed */

	/* while one transaction is looked at */
	struct look look;
	void *match_data, *match_limits; /* PCRE2 */
	uint32_t matches, give_ups;
	uint32_t *first[2]; /* by want: its first value */
	uint32_t next[2][RULES_VALUES];
	char *room;
	size_t room_used;
	struct item items[2][ITEMS_MAX]; /* of the event, of the cart */
	uint32_t item_place[ITEMS_MAX];	 /* value of `each` */
	struct parameter parameter[PARAMETERS];
};

struct regex {
	struct regex *next;
	void *code;
};

/* Equal for equal segments. */
static inline uint32_t segment_mark(struct slice s)
{
	return (uint32_t)slice_mix(s, 2);
}

/* group.c. -EINVAL: told by tell(); -ENOMEM. */
int rules_group(struct rules *r, void (*tell)(void *ctx, const struct rule *rule, const char *text),
		void *ctx);
const struct bucket *rules_bucket(const struct rules *r, struct slice segment);

/* test.c */
/* A regular expression under limits: compiled, freed with the rules. NULL and *ret_why, *ret_at; no memory:
 * *ret_why == NULL. */
void *regex_new(struct slice text, char why[WANT_ERROR_MAX], size_t *ret_at);
void regex_free(void *code);
void regex_room_free(struct rules *r);
/* 1: *ret is group 1, or all where it has none; 0; -ELOOP: it gave up. */
int regex_find(struct rules *r, void *code, struct slice text, struct slice *ret);

/* look.c */
void look_init(struct look *l, struct rules *r, const struct transaction *t);
void look_location(struct look *l);
void look_contents(struct look *l, const struct group *g);
/* The next value; `item`: of that item alone, by `slots` indices of it; NULL: any. */
bool look_next(struct look *l, const struct source *s, const uint32_t *item, uint32_t slots,
	       struct cursor *c, struct found *ret);
/* Whether what look_next did not find is not there. */
enum seen look_seen(const struct look *l, const struct source *s);
const struct reading_value *look_value(const struct look *l, bool request, uint32_t value);
/* RFC 3986 section 2.1; what is no escape stays. Never longer than it was. Octets written. */
size_t url_decode(struct slice text, bool plus, char *to);
/* Decoded text; at == NULL: no room. `plus`: '+' is a blank. */
struct slice look_decoded(struct rules *r, struct slice text, bool plus);
void path_cut(struct rules *r, struct slice path, struct path_cut *ret);

/* test.c */
enum truth condition_holds(struct look *l, const struct condition *c, const uint32_t *item,
			   uint32_t slots);
enum truth conditions_hold(struct look *l, const struct condition *first, const uint32_t *item,
			   uint32_t slots);

/* match.c: by method, path, status, type, heads. On YES the look has the rule's places. */
enum truth rule_holds(struct look *l, const struct rule *rule);
const struct bucket *look_bucket(struct look *l);
/* Cuts the path, with the marks that the bucket wants. */
void look_path(struct look *l, const struct bucket *b);
/* By method, side and mark alone. */
static inline bool look_entry(const struct look *l, const struct entry *e)
{
	return e->methods & l->method && e->sides >> l->t->side & 1 &&
	       (e->at == ANY_SEGMENT || (e->at < l->path.marks && e->mark == l->path.mark[e->at]));
}
/* Bit of the method; 0: one that no rule names. */
uint16_t look_method(const struct transaction *t);

/* read.c */
enum got { GOT, GOT_NOTHING, GOT_REFUSED /* there was something, or may have been */ };

struct reader {
	struct look *look;
	const struct rule *rule;
	const struct rules_sink *sink;
	const uint32_t *item; /* indices; NULL */
	uint32_t slots;
	char currency[4]; /* of the whole; "" */
	bool missed;	  /* a required value */
};

enum got read_text(struct reader *r, const struct take *t, struct slice *ret);
enum got read_amount(struct reader *r, const struct take *t, struct amount *ret);
/* Any type, as text in its usual form. */
enum got read_any(struct reader *r, const struct take *t, struct slice *ret);
void read_currency(struct reader *r, const struct take *t);

/* items.c */
struct items {
	struct item *at;
	uint32_t count;
	bool shown; /* the list itself was, even if nothing is in it */
	bool cut;
};
void items_read(struct reader *r, const struct items_take *take, struct item *room,
		struct items *ret);

#endif
