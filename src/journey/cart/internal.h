/* SPDX-License-Identifier: Apache-2.0 */
/*
 * internal.h: the records of this folder. Internal to src/journey/cart.
 *
 *   carts.c    the machine: what is done with each said, transaction, fact and tick
 *   holder.c   visits with a cart: made, found by names, let go; what is left of them
 *   compare.c  an answer shows a cart: what is different from what was known
 *   shown.c    … and whether and how that is taken
 *   ask.c      what was asked for and what has changed → add_to_cart, remove_from_cart
 *   order.c    purchases, notices of payment, each order once
 *   sold.c     what was told of an order, until nobody can tell more
 *   trouble.c  what went wrong before a cart was left
 *   tell.c     events, their ids and proofs
 *   lines.c    owned texts and lines, arithmetic of amounts
 *   save.c     the checkpoint; sold_save.c its part of orders that were told
 */
#ifndef PC_JOURNEY_CART_INTERNAL_H
#define PC_JOURNEY_CART_INTERNAL_H

#include "base/list.h"
#include "base/table.h"
#include "journey/cart/cart.h"

#define NS_PER_MS_	 1000000ull
#define NAME_BYTES	 256 /* kept of a name of an item; a longer id is none that can be compared */
#define LINES_TEXT_BYTES 32768 /* of one cart; items beyond are left out */
#define ASKS_EACH	 8
#define LOOSE_EACH	 4
#define LATE_NS		 10000000000ull	   /* as long as an acknowledgement is waited for (txn.h) */
#define TOUCH_EVERY_NS	 1000000000ull	   /* a list in order to the second is in order enough */
#define RECORD_LIFE_NS	 93600000000000ull /* 26 h: longer than any visit, should its end be lost */
#define PATH_BYTES	 512
#define CART_ID_BYTES	 512 /* longer is no id */

/* When what an answer shows was true: somewhere in between. */
struct interval {
	uint64_t at_ns, end_ns; /* first octet of the request, last of the answer */
};

struct text {
	uint32_t len;
	char at[];
};

/* ---- lines.c ---- */

#define LINE_ID	      0x01
#define LINE_NAME     0x02
#define LINE_VARIANT  0x04
#define LINE_QUANTITY 0x08
#define LINE_PRICE    0x10
#define LINE_BEHIND   0x20 /* the latest answer did not show it, nor that it is gone */

struct line {
	int64_t quantity, price;
	uint32_t text; /* where its texts begin: id, name, variant */
	uint16_t id_len, name_len, variant_len;
	uint8_t quantity_scale, price_scale;
	uint8_t has;
	char currency[3]; /* of the price; "": unobserved */
};

struct lines {
	uint32_t count, text_len;
	struct line at[]; /* then the texts */
};

/* ---- holder.c ---- */

/* What was asked for and not yet shown. */
struct ask {
	struct ask *next; /* the latest first */
	struct interval when;
	enum say say;
	bool has_pieces;
	struct amount pieces; /* asked for in all; an item without a quantity counts one */
	struct lines *items;  /* NULL: not said */
	bool shown;	      /* it explains what an answer has shown */
};

/* Which exchange says it. */
struct proof {
	bool has_span;
	uint8_t trace_id[16], span_id[8];
	uint8_t exchange[32];
	uint32_t exchange_len;
};

/* What is different from what was known. Items borrow. */
struct difference {
	bool base_known; /* false: nothing was known, `up` is all that is there */
	bool by_lines;	 /* up and down say all that moved */
	bool partial;	 /* they say some of what was added, no more */
	const struct item *up, *down;
	uint32_t up_count, down_count;
	/* Not by lines: by how many pieces, or by how much (with a currency), and which way. 0: unknown */
	int quantity_way, value_way;
	struct amount quantity_by, value_by;
	bool has_pieces;
	struct amount pieces; /* that are shown in all */
	bool moved;	      /* anything, the value too */
	bool emptied;	      /* nothing is in it any more */
	bool shared;	      /* some line was there before, or that is not known */
};

/* A change that was shown and that nobody had asked for: the ask may still come. */
struct loose {
	struct loose *next; /* a later one */
	struct interval when;
	struct proof proof;
	struct difference d;
	struct lines *up, *down;
	uint8_t ways; /* that nobody explained: 1 up, 2 down */
	uint32_t flags;
	bool items_cut;
};

/* What few visits have. */
struct rare {
	struct text *number, *order_id; /* of the order that was begun and is not yet paid */
	bool has_next_key;
	uint8_t next_key[KEY_BYTES]; /* another name of the visitor */
	uint16_t error_status;
	bool failed, cart_refused, payment_refused;
	uint64_t error_ns, slow_ns; /* when it was, by the page's or the request's start */
	uint64_t slow_lived_ns;
	struct text *error_path, *slow_path, *reason, *failed_host;
};

enum base { BASE_UNKNOWN, BASE_EMPTY, BASE_CART };

/* Let go first to last. EMPTY: nothing is known but that the cart was seen to be empty. */
enum worth { WORTH_EMPTY, WORTH_NONE, WORTH_CART, WORTH_STEP, WORTHS };

struct cart {
	bool open;    /* counted so; also when it was emptied and nobody asked for that */
	bool emptied; /* what it held is kept, should an order follow that explains it */
	bool recovered;
	bool dirty; /* changed since it was told */
	bool unshown; /* something was asked for since it was last shown, and it was not shown again */
	bool told_shutdown;
	bool has_value, has_quantity;
	bool complete; /* lines: all there were when it was last shown whole, and what is known since */
	bool behind; /* lines: totals have moved since */
	bool cut;    /* the latest answer showed not all lines */
	uint8_t step;
	uint8_t shown_say;
	uint16_t told;	  /* 1 << enum step: its event was told; bit 0: view_cart */
	uint32_t ordinal; /* in its visit, from 1 */
	struct amount value, quantity;
	struct lines *lines;
	struct text *id;
	struct interval shown; /* latest; 0: never */
	uint64_t emptied_ns;   /* when it was first seen so */
	uint64_t known_ns; /* when what is told of it was so: shown, or asked for and not shown */
	uint64_t opened_unix_ns, revision;
	uint8_t event_id[KEY_BYTES], abandoned_id[KEY_BYTES];
};

/* A visit that said something of a cart. */
struct holder {
	uint8_t session_id[KEY_BYTES]; /* key */
	uint8_t session_key[KEY_BYTES];
	struct list of_worth, of_asking;
	uint8_t worth, base;
	bool lenient;			/* ask.c */
	bool ordered, ordered_numbered; /* its last cart was, nothing was shown since */
	uint8_t ordered_id[KEY_BYTES];	/* the fact that said so */
	bool renamed;			/* the visitor logged in, nothing was shown since */
	struct text *site;
	struct ask *asks;
	struct loose *loose;
	struct rare *rare;
	uint64_t last_ns, touched_ns;
	uint64_t closed_ns; /* when the cart before was */
	uint64_t empty_ns;  /* when its cart was seen to be empty once more; 0: that is told */
	struct cart cart;
};

enum name_kind { NAME_VISITOR = 1, NAME_CART, NAME_ORDER };

/* Hash of a name on a site → the latest visit that has it. */
struct named {
	uint8_t name[KEY_BYTES]; /* key */
	uint8_t session_id[KEY_BYTES];
};

/* What is remembered of a visit that is over, under the names of its visitor, cart and order. */
struct left {
	uint8_t name[KEY_BYTES]; /* key */
	uint8_t session_id[KEY_BYTES], session_key[KEY_BYTES];
	uint8_t cart_name[KEY_BYTES]; /* of the copy under the cart's id; 0: it has none */
	uint64_t opened_unix_ns, revision;
	uint32_t lines[4]; /* hashes of some of its lines; 0: none */
	uint32_t ordinal;
	uint16_t told;
	uint8_t step;
	bool open; /* it had a cart that was neither ordered nor emptied */
	bool recovered, has_id, ordered;
};

/* A name of an order (or of the cart that was ordered) → the fact that told it. */
struct order {
	uint8_t name[KEY_BYTES]; /* key */
	uint8_t fact[KEY_BYTES];
};

/* ---- sold.c ---- */

enum sold_part {
	SOLD_SITE,
	SOLD_NUMBER,
	SOLD_ORDER_ID,
	SOLD_STATUS,
	SOLD_COUPON,
	SOLD_REASON,
	SOLD_METHOD,
	SOLD_TERM,
	SOLD_LIST,
	SOLD_OF_EVENT, /* so many stand in an event as they are */
	SOLD_OWN = SOLD_OF_EVENT,
	SOLD_CART,
	SOLD_TEXTS
};
#define SOLD_TEXT_BYTES 4096
#define SOLD_AMOUNTS	5 /* in the order of SAID_…: value, tax, shipping, discount, goods */
#define SOLD_PARAMETERS 16

/* A purchase as it was told. */
struct sold {
	uint8_t event_id[KEY_BYTES]; /* key */
	uint8_t session_id[KEY_BYTES], session_key[KEY_BYTES];
	uint8_t cart_name[KEY_BYTES]; /* by which it is found, should its notice know no other */
	uint8_t trace_id[16], span_id[8];
	uint64_t time_unix_ns, revision;
	uint64_t told_ns, status_ns; /* latest; of the exchange that said how the payment stands */
	uint32_t has, flags;
	struct amount amounts[SOLD_AMOUNTS];
	char currency[4];
	uint8_t tax_basis;
	bool has_session, has_segment, has_cart, has_cart_name;
	bool has_notice, only_notice; /* the provider's word is in it; nothing of the shop's is */
	bool lent_items, lent_value;  /* those of its cart; `items_value` is */
	bool items_cut;
	bool adds_value; /* the latest revision did */
	struct cart_state cart;
	struct text *texts[SOLD_TEXTS];
	struct lines *items, *cart_items;
};

struct tally {
	uint64_t mark;
	const struct item *now;
	struct amount before, after;
	bool was, is, before_known, after_known;
	bool several;  /* lines of the same id: which one moved is not known */
	uint32_t line; /* of before */
};
#define TALLIES	    (2 * ITEMS_MAX)
#define TALLY_SLOTS 1024 /* a power of 2, at least twice as many */

struct carts {
	struct carts_options options;
	struct table *holders, *names, *left, *numbers, *order_ids;
	struct table *sold, *sold_carts;
	struct list worths[WORTHS], asking;
	struct holder *busy; /* not to be let go now */
	struct sold *busy_sold;
	bool at_end; /* of input: nothing was said since carts_finish */
	int64_t wall_minus_mono_ns;
	uint64_t now_ns, swept_ns;
	struct carts_stats stats;
	/* the exchange that told last, and how many of each kind */
	struct proof latest;
	uint32_t told[EVENTS];
	/* room for one call */
	struct item up[TALLIES], down[TALLIES], state_items[ITEMS_MAX], order_items[ITEMS_MAX];
	struct tally tallies[TALLIES];
	uint16_t slots[TALLY_SLOTS];
};

static inline int64_t since(uint64_t now_ns, uint64_t then_ns)
{
	return (int64_t)(now_ns - then_ns);
}

static inline uint64_t unix_of(const struct carts *c, uint64_t mono_ns)
{
	return mono_ns + (uint64_t)c->wall_minus_mono_ns;
}

static inline struct slice text_slice(const struct text *t)
{
	return t ? slice_of(t->at, t->len) : slice_of(NULL, 0);
}

/* It goes by another id; false also where one of both has none. */
static inline bool cart_is_other(const struct cart *cart, struct slice id)
{
	return cart->id && id.len && !slice_eq(text_slice(cart->id), id);
}

/* ---- lines.c: amounts, never floating point; false: cannot be said exactly ---- */

int amount_sign(const struct amount *a);
/* Money times pieces; with a currency that is known. */
bool amount_times(const struct amount *price, const struct amount *quantity, struct amount *ret);

/* ---- lines.c ---- */

/* Within the bound of bytes, somebody else's content may go for it; NULL: no room. Not cleared. */
void *content_new(struct carts *c, size_t bytes);
void content_free(struct carts *c, void *content);
struct text *text_new(struct carts *c, struct slice s);
/* Replaces *at where it differs; no room: the old one is gone and there is none. */
void text_set(struct carts *c, struct text **at, struct slice s);

/* Items and then those lines of `old` that `keep` is set for (as lines behind). *ret_cut: how many were
 * left out. NULL: no room. `currency`: of prices that have none. */
struct lines *lines_new(struct carts *c, const struct item *items, uint32_t count,
			const char currency[4], const struct lines *old, const bool *keep,
			uint32_t *ret_cut);
char *lines_text(const struct lines *l);
void line_item(const struct lines *l, uint32_t i, struct item *ret);
/* All of them; NULL has none. */
void lines_to(const struct lines *l, struct item *items, uint32_t *ret_count);
bool lines_same(const struct lines *a, const struct lines *b);
extern const char no_currency[4];
/* A number of an item by its id (or name); 0: it has none. Equal on every start with the same secret. */
uint64_t item_mark(struct carts *c, const struct item *i, bool by_name);
/* A quantity or price that can be one. */
void item_clean(const struct item *i, const char currency[4], struct item *ret);

/* ---- holder.c ---- */

int holders_new(struct carts *c);
void holders_free(struct carts *c);
struct holder *holder_find(struct carts *c, const uint8_t session_id[KEY_BYTES]);
/* NULL: no room. */
struct holder *holder_get(struct carts *c, const uint8_t session_id[KEY_BYTES],
			  const uint8_t key[KEY_BYTES], struct slice site);
void holder_touch(struct carts *c, struct holder *h, uint64_t at_ns);
/* Its worth may have changed. */
void holder_place(struct carts *c, struct holder *h);
/* What is left of it is remembered under its names, then it goes. A cart that is open has been counted. */
void holder_leave(struct carts *c, struct holder *h);
/* Room is made by the least valuable but c->busy; false: there is none. */
bool holders_evict(struct carts *c);
struct rare *holder_rare(struct carts *c, struct holder *h); /* NULL: no room */
void name_of(const struct carts *c, enum name_kind kind, struct slice site, struct slice what,
	     uint8_t ret[KEY_BYTES]);
/* Who has that name now; NULL: nobody. */
struct holder *named_find(struct carts *c, enum name_kind kind, struct slice site,
			  struct slice what);
void named_set(struct carts *c, struct holder *h, enum name_kind kind, struct slice what);
void named_unset(struct carts *c, struct holder *h, enum name_kind kind, struct slice what);
struct left *left_find(struct carts *c, enum name_kind kind, struct slice site, struct slice what);
/* The same visitor by another key, where nothing newer is left under that. */
void left_rename(struct carts *c, const struct left *l, struct slice site,
		 const uint8_t key[KEY_BYTES]);
void cart_clear(struct carts *c, struct cart *cart);
/* It is no open one any more, for whatever was counted. */
void cart_close(struct carts *c, struct holder *h);
void cart_marks(struct carts *c, const struct cart *cart, uint32_t ret[4]);
/* Of a cart that is opened now; `again`: one with the same id was ordered before. */
void cart_ids(struct carts *c, struct holder *h, bool again);

/* ---- ask.c ---- */

void ask_note(struct carts *c, struct holder *h, const struct said *s, const struct interval *when);
/* A change was shown: who asked for it? true: somebody had asked to take something away. */
bool asks_explain(struct carts *c, struct holder *h, const struct said *s,
		  const struct interval *when, const struct difference *d);
/* Those that the answer has settled, whatever it showed, are over. */
void asks_settle(struct carts *c, struct holder *h, const struct interval *when,
		 const struct difference *d, bool whole);
/* Refused: they will never be shown. */
void asks_refused(struct carts *c, struct holder *h, const struct interval *when);
/* They go with the cart that they were about. */
void asks_move(struct carts *c, struct holder *from, struct holder *to);
void asks_drop(struct carts *c, struct holder *h);
/* Nothing shows any more what came of them: what was asked for last may have changed what is in the cart. */
void asks_leave_unknown(struct holder *h);
/* true: nothing waits any more. */
bool asks_expire(struct carts *c, struct holder *h, uint64_t now_ns);
void loose_drop(struct carts *c, struct holder *h);
void ask_free(struct carts *c, struct ask *a);
/* From a checkpoint, behind those that are there; its items go with it. false: no room. */
bool ask_restore(struct carts *c, struct holder *h, const struct ask *as);

/* ---- compare.c ---- */

/* What an answer shows, as far as it can be believed. */
struct look {
	bool empty, something;
	bool whole; /* every line there is, and each can be told from the others */
	bool has_value, has_quantity;
	struct amount value, quantity;
	struct slice id;
	const struct item *items;
	uint32_t item_count;
	const char *currency;
};
void said_look(const struct said *s, struct look *ret);
/* Against what is known of the cart. ret->up and down stay until the next call; *keep: lines that the answer
 * neither shows nor denies, where it does not show all. */
void cart_compare(struct carts *c, const struct holder *h, const struct look *l,
		  struct difference *ret, bool keep[ITEMS_MAX]);

/* ---- shown.c ---- */

struct interval interval_of(const struct said *s);
/* The answer shows a cart. `to_order`: it is the one that is being ordered, none is opened. */
void cart_shown(struct carts *c, struct holder *h, const struct said *s,
		const struct interval *when, bool to_order);
/* It was shown empty, and nothing will come that explains it otherwise. */
void cart_emptied(struct carts *c, struct holder *h);
/* The open cart of another visit goes on in this one, which has none. */
void cart_take_over(struct carts *c, struct holder *h, struct holder *from);
void cart_open(struct carts *c, struct holder *h, struct slice id, const struct interval *when,
	       const struct item *items, uint32_t count);

/* ---- order.c ---- */

/* `h` may be NULL: of no visit. */
void order_said(struct carts *c, struct holder *h, const struct said *s,
		const struct interval *when);
/* The provider's word that a payment was made. */
void notice_said(struct carts *c, const struct said *s, const struct interval *when);
/* An order has a number or an id before it is paid: by these its notice will know it. */
void order_begun(struct carts *c, struct holder *h, const struct said *s);
/* Whose order or cart is it? NULL: nobody's that is known. */
struct holder *order_holder(struct carts *c, const struct said *s);
void order_remember(struct carts *c, struct table *of, const uint8_t name[KEY_BYTES],
		    const uint8_t fact[KEY_BYTES]);

/* ---- sold.c ---- */

/* A purchase was told for the first time. `of_cart`: this host knew the cart, not only its id. */
void sold_keep(struct carts *c, const struct event *e, const struct said *s, bool of_cart);
/* The same order is said once more: what is new is told. `state`: of the cart that it closed, NULL: none. */
void sold_again(struct carts *c, const uint8_t fact[KEY_BYTES], const struct said *s,
		const struct cart_state *state);
/* NULL: nothing can be added to it any more. */
struct sold *sold_find(struct carts *c, const uint8_t fact[KEY_BYTES]);
/* It has another number, or another id. */
bool sold_is_other(const struct sold *o, struct slice number, struct slice order_id);
/* The latest that was ordered of the cart with that id. */
struct sold *sold_of_cart(struct carts *c, struct slice site, struct slice cart_id);
bool sold_evict(struct carts *c); /* the oldest; false: there is none */
void sold_expire(struct carts *c);
int sold_new(struct carts *c);
/* A cleared one, in place of one with that id. NULL: no room. */
struct sold *sold_add(struct carts *c, const uint8_t fact[KEY_BYTES]);
void sold_drop(struct carts *c, struct sold *o);
/* false: no room, or longer than what is kept. */
bool sold_text(struct carts *c, struct sold *o, unsigned which, struct slice s);
void sold_name_cart(struct carts *c, struct sold *o);
void sold_free(struct carts *c);

/* ---- sold_save.c: `into` NULL: only looks ---- */

int sold_save(const struct carts *c, const struct sold *o, void *ctx,
	      int (*add)(void *ctx, struct slice piece));
int sold_load(const struct carts *c, struct carts *into, struct slice *rest);

/* ---- save.c ---- */

bool take_octets(struct slice *rest, void *to, size_t len);
bool are_flags(const void *at, size_t count);
bool is_amount(const struct amount *a);
bool are_lines(struct slice lines, uint32_t text_len); /* struct line, one after the other */
/* NULL: no room. */
struct lines *lines_restore(struct carts *c, struct slice lines, const char *text,
			    uint32_t text_len);
void shift_time(uint64_t *at_ns, int64_t by_ns);
/* There and back; *name names the seal. false: it was damaged. */
void text_seal(const struct carts *c, char *text, size_t len, uint8_t ret_name[KEY_BYTES]);
bool text_unseal(const struct carts *c, char *text, size_t len, const uint8_t name[KEY_BYTES]);

/* ---- trouble.c ---- */

void trouble_transaction(struct carts *c, struct holder *h, const struct transaction *t);
void trouble_page(struct carts *c, struct holder *h, const struct session_fact *f);
void trouble_refused(struct carts *c, struct holder *h, const struct said *s);
void trouble_tell(const struct holder *h, struct preceded *ret);
void trouble_clear(struct carts *c, struct holder *h);

/* ---- tell.c ---- */

void proof_of(const struct carts *c, const struct transaction *t, struct proof *ret);
void event_of_said(struct carts *c, enum event_kind kind, const struct said *s, struct event *ret);
void event_of_holder(struct carts *c, enum event_kind kind, const struct holder *h,
		     struct event *ret);
void event_of_visit(struct carts *c, const uint8_t id[KEY_BYTES], const uint8_t key[KEY_BYTES],
		    struct event *e);
/* The id of a fact that only its exchange names. */
void event_named_by(struct carts *c, const struct proof *p, uint32_t ordinal, struct event *e);
uint32_t event_ordinal(struct carts *c, enum event_kind kind, const struct proof *p);
void tell_said(struct carts *c, enum event_kind kind, const struct holder *h, const struct said *s);
/* Of a cart that this host has told it of before, or does not know: it does not say which. */
void tell_again(struct carts *c, enum event_kind kind, const struct said *s);
/* There is nothing in the visit's cart, of which this host knows nothing. `s` NULL: once more, told when the
 * visit is over. */
void tell_empty(struct carts *c, struct holder *h, const struct said *s, uint64_t at_ns);
void cart_state_of(struct carts *c, const struct cart *cart, enum cart_condition condition,
		   struct cart_state *ret);
/* The cart as it is now, where it is not yet told. `s` NULL: of no transaction. */
void tell_cart(struct carts *c, struct holder *h, enum cart_condition condition,
	       const struct said *s);
void tell_abandoned(struct carts *c, struct holder *h, enum end_reason reason,
		    const struct segment *segment, uint64_t last_unix_ns);

#endif
