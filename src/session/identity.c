/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.c: see identity.h. The index and its bounds: visitors, what they are known by, how they
 * look. Which of them a request belongs to is decided in sighting.c.
 */
#include "session/identity.h"

#include <errno.h>
#include <stdlib.h>

#define CARTS_PASSED_BY 64 /* for one eviction, over many of them */

/* Each text has one slot; who came there last stays. */
#define TEXTS	 64 /* power of two */
#define TEXT_LEN 238

struct hashed_text {
	uint64_t hash[2];
	bool full;
	uint8_t len;
	char at[TEXT_LEN];
};

void identities_hash(struct identities *x, struct slice text, uint64_t ret[2])
{
	struct hashed_text *t;

	if (text.len > TEXT_LEN) {
		sip24_128(&x->key, text.at, text.len, ret);
		return;
	}
	t = &x->texts[slice_mix(text, 0) % TEXTS];
	if (!t->full || !slice_eq(slice_of(t->at, t->len), text)) {
		sip24_128(&x->key, text.at, text.len, t->hash);
		t->full = true;
		t->len = (uint8_t)text.len;
		if (text.len)
			memcpy(t->at, text.at, text.len);
	}
	ret[0] = t->hash[0];
	ret[1] = t->hash[1];
}

int identities_new(const struct identity_limits *l, const struct sip_key *key,
		   struct identities **ret)
{
	struct identities *x = calloc(1, sizeof(*x));
	int err = -ENOMEM;

	if (!x)
		return err;
	x->key = *key;
	x->texts = calloc(TEXTS, sizeof(*x->texts));
	if (!x->texts) {
		identities_free(x);
		return err;
	}
	for (unsigned v = 0; v < VALUES; v++)
		list_init(&x->values[v]);
	err = table_new(sizeof(struct clue), 16, l->clues, &x->clues);
	if (!err)
		err = table_new(sizeof(struct print), 16, l->prints, &x->prints);
	if (!err)
		err = table_new(sizeof(struct identity), KEY_BYTES, l->identities, &x->identities);
	if (!err)
		err = table_new(sizeof(struct cookie_name), 8, l->names, &x->names);
	if (err) {
		identities_free(x);
		return err;
	}
	*ret = x;
	return 0;
}

void identities_free(struct identities *x)
{
	if (!x)
		return;
	table_free(x->clues);
	table_free(x->prints);
	table_free(x->identities);
	table_free(x->names);
	free(x->texts);
	free(x);
}

uint32_t identities_count(const struct identities *x)
{
	return table_count(x->identities);
}

/* ---- clues ---- */

static void clue_unlink(struct identities *x, struct clue *c)
{
	struct identity *who = clue_who(x, c);
	uint32_t *at = &who->clues;

	for (struct clue *o; (o = table_at(x->clues, *at)) != c;)
		at = &o->next;
	*at = c->next;
	who->clue_count--;
	x->cart_clues -= who->value == VALUE_CART;
}

void clue_remove(struct identities *x, struct clue *c)
{
	clue_unlink(x, c);
	table_remove(x->clues, c);
}

static void clue_give(struct identities *x, struct clue *c, struct identity *who)
{
	c->who = table_place(x->identities, who);
	c->next = who->clues;
	who->clues = table_place(x->clues, c);
	who->clue_count++;
	x->cart_clues += who->value == VALUE_CART;
}

static void keep_few(struct identities *x, struct identity *who)
{
	struct clue *c = clue_first(x, who);

	if (who->clue_count <= CLUES_EACH)
		return;
	while (c->next)
		c = clue_next(x, c);
	clue_remove(x, c);
}

void clue_move(struct identities *x, struct clue *c, struct identity *to)
{
	clue_unlink(x, c);
	clue_give(x, c, to);
	keep_few(x, to);
}

/* The oldest that was not used since eviction last came by it: no list has to be mended at each use. Clues of
 * carts are passed by, unless nearly all are such: then a search for another would cost more than it is worth. */
static void clue_evict(struct identities *x)
{
	uint32_t count = table_count(x->clues);
	bool spare_carts = x->cart_clues < count - count / CARTS_PASSED_BY;
	struct clue *c = table_oldest(x->clues);

	while (c->state & CLUE_USED || (spare_carts && clue_who(x, c)->value == VALUE_CART)) {
		c->state &= (uint8_t)~CLUE_USED;
		table_touch(x->clues, c);
		c = table_oldest(x->clues);
	}
	clue_remove(x, c);
	x->stats.clues_evicted++;
}

void identities_add_clue(struct identities *x, struct identity *who, const uint64_t key[2],
			 uint32_t name, uint8_t kind, uint8_t state)
{
	bool fresh;
	struct clue *c = table_add(x->clues, key, &fresh);

	if (!c && table_oldest(x->clues)) {
		clue_evict(x);
		c = table_add(x->clues, key, &fresh);
	}
	if (!c)
		return;
	if (!fresh)
		clue_unlink(x, c);
	c->name = name;
	c->kind = kind;
	c->state = state;
	clue_give(x, c, who);
	keep_few(x, who);
}

bool clues_differ(const struct identities *x, const struct identity *a, const struct identity *b)
{
	for (const struct clue *m = clue_first(x, a); m; m = clue_next(x, m))
		for (const struct clue *n = clue_first(x, b); n; n = clue_next(x, n))
			if (m->name == n->name && m->kind <= EVIDENCE_KNOWN &&
			    m->state & n->state & CLUE_ECHOED)
				return true;
	return false;
}

/* The same value on another site is another thing. */
void clue_key(const struct known_site *site, const uint64_t hash[2], uint64_t ret[2])
{
	ret[0] = hash[0] ^ site->hash;
	ret[1] = hash[1] + site->hash;
}

/* ---- identities ---- */

void print_leave(struct identities *x, struct identity *who)
{
	struct print *p = table_at(x->prints, who->print);

	who->print = 0;
	if (!p)
		return;
	if (table_at(x->identities, p->last) == who)
		p->last = 0;
	if (--p->count == 0)
		table_remove(x->prints, p);
}

void print_join(struct identities *x, struct identity *who, const uint64_t key[2])
{
	struct print *p;
	bool fresh;

	p = table_add(x->prints, key, &fresh);
	if (!p)
		return; /* no memory */
	if (table_at(x->prints, who->print) != p) {
		print_leave(x, who);
		p->count++;
		who->print = table_place(x->prints, p);
	}
	p->last = table_place(x->identities, who);
}

struct identity *identities_add(struct identities *x, struct known_site *site,
				bool (*evict)(void *ctx), void *ctx)
{
	const uint64_t no_visit[KEY_BYTES / sizeof(uint64_t)] = { x->next_number };
	struct identity *who = NULL;
	bool fresh;

	do {
		who = table_add(x->identities, no_visit, &fresh);
	} while (!who && evict(ctx));
	if (!who)
		return NULL;
	x->next_number++;
	who->site = site;
	site->used_by++;
	who->basis.kind = EVIDENCE_KINDS;
	list_init(&who->of_value);
	identities_touch(x, who, VALUE_IDLE);
	return who;
}

void identities_remove(struct identities *x, struct identity *who)
{
	while (who->clues)
		clue_remove(x, clue_first(x, who));
	print_leave(x, who);
	list_remove(&who->of_value);
	who->site->used_by--;
	table_remove(x->identities, who);
}

void identities_visit(struct identities *x, struct identity *who, const struct visit *visit)
{
	table_rekey(x->identities, who, visit->id);
	who->visit = *visit;
}

struct identity *identities_by_visit(const struct identities *x, const uint8_t id[KEY_BYTES])
{
	return table_find(x->identities, id);
}

void identities_touch(struct identities *x, struct identity *who, enum value value)
{
	list_remove(&who->of_value);
	x->cart_clues -= who->value == VALUE_CART ? who->clue_count : 0;
	x->cart_clues += value == VALUE_CART ? who->clue_count : 0;
	who->value = (uint8_t)value;
	list_append(&x->values[value], &who->of_value);
}

struct identity *identities_oldest(struct identities *x, enum value value)
{
	struct list *l = &x->values[value];

	return list_empty(l) ? NULL : list_entry(l->next, struct identity, of_value);
}

struct identity *identities_newer(struct identities *x, struct identity *who)
{
	struct list *next = who->of_value.next;

	return next == &x->values[who->value] ? NULL : list_entry(next, struct identity, of_value);
}

struct basis identity_elsewhere(const struct sighting *seen, const struct basis *set,
				const struct request *r, const uint64_t print_key[2])
{
	if (set->kind <= EVIDENCE_COOKIE && !seen->fresh &&
	    seen->who->basis.kind == EVIDENCE_ADDRESS)
		return *set;
	if (set->kind <= EVIDENCE_COOKIE && seen->fresh && request_is_internal(r))
		return (struct basis){ { print_key[0], print_key[1] }, EVIDENCE_ADDRESS };
	return (struct basis){ .kind = EVIDENCE_KINDS };
}
