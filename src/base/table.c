/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c: see table.h. Slots hold {hash, entry number + 1}: a look-up that misses does not touch
 * an entry, and growing the slots does not either. Entries lie in pages of about 64 KiB that are
 * never moved or given back before table_free; removed entries are chained for reuse. Removal
 * shifts the run back, so there are no tombstones and look-ups stay short for ever.
 *
 * There are tables of hundreds of thousands of small entries, so 8 octets are all that stands in front of
 * one: its number is what its neighbours in the order of use call it, and its hash is made again.
 */
#include "base/table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sip.h"

#define NONE	    UINT32_MAX
#define PAGE_BYTES  65536
#define FIRST_SLOTS 64
/* Of the slots so many may be taken: the power of two above 100,000 is enough for them then. A look-up that
 * fails looks at 13 slots in the mean, in two lines of the cache; one that does not, at 3. */
#define LOAD	4
#define LOAD_OF 5

struct slot {
	uint32_t hash;
	uint32_t number; /* of the entry, + 1; 0 = free */
};

/* Stands in front of each entry. */
struct entry {
	uint32_t newer, older; /* free entries are chained by `newer` */
};

struct table {
	struct sip_key key;
	size_t key_bytes, entry_bytes, stride;
	struct slot *slots;
	uint32_t mask;
	uint32_t count, max;
	uint32_t made; /* entries ever taken from pages */
	uint32_t free; /* chain of removed entries */
	uint32_t newest, oldest;
	uint32_t page_shift; /* log2 of entries a page */
	char **pages;
};

static struct entry *entry_at(const struct table *t, uint32_t number)
{
	uint32_t in_page = number & ((1u << t->page_shift) - 1);

	return (struct entry *)(t->pages[number >> t->page_shift] + in_page * t->stride);
}

static void *data_of(struct entry *e)
{
	return e + 1;
}

static struct entry *entry_of(const void *data)
{
	return (struct entry *)data - 1;
}

static uint32_t number_of(const struct table *t, const struct entry *e)
{
	return e->newer == NONE ? t->newest : entry_at(t, e->newer)->older;
}

/* Keys are mostly numbers, or hashes themselves: a word or a few. Such are hashed and compared word by word,
 * without a call; a copy or a comparison of so many octets as it happens costs more than the work. */

static inline uint64_t word_at(const void *key, size_t i)
{
	uint64_t word;

	memcpy(&word, (const char *)key + 8 * i, sizeof(word));
	return word;
}

static inline uint32_t half_at(const void *key)
{
	uint32_t half;

	memcpy(&half, key, sizeof(half));
	return half;
}

static inline uint32_t hash_key(const struct table *t, const void *key)
{
	uint64_t h = 0;

	if (t->key_bytes == sizeof(uint32_t))
		return (uint32_t)sip_mix(&t->key, half_at(key));
	if (t->key_bytes % sizeof(h))
		return (uint32_t)sip13(&t->key, key, t->key_bytes);
	for (size_t i = 0; i < t->key_bytes / sizeof(h); i++)
		h = sip_mix(&t->key, h ^ word_at(key, i));
	return (uint32_t)h;
}

static inline bool same_key(const struct table *t, const void *a, const void *b)
{
	uint64_t differ = 0;

	if (t->key_bytes == sizeof(uint32_t))
		return half_at(a) == half_at(b);
	if (t->key_bytes % sizeof(differ))
		return !memcmp(a, b, t->key_bytes);
	for (size_t i = 0; i < t->key_bytes / sizeof(differ); i++)
		differ |= word_at(a, i) ^ word_at(b, i);
	return !differ;
}

int table_new(size_t entry_bytes, size_t key_bytes, uint32_t max_entries, struct table **ret)
{
	struct table *t;
	uint32_t per_page;

	if (!max_entries || max_entries > 1u << 30 || !key_bytes || key_bytes > entry_bytes)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	sip_key_random(&t->key);
	t->key_bytes = key_bytes;
	t->entry_bytes = entry_bytes;
	t->stride = (sizeof(struct entry) + entry_bytes + 7) & ~(size_t)7;
	t->max = max_entries;
	while ((2ull << t->page_shift) * t->stride <= PAGE_BYTES)
		t->page_shift++;
	per_page = 1u << t->page_shift;
	t->free = t->newest = t->oldest = NONE;
	t->mask = FIRST_SLOTS - 1;
	t->slots = calloc(FIRST_SLOTS, sizeof(*t->slots));
	t->pages = calloc((max_entries + (uint64_t)per_page - 1) / per_page, sizeof(*t->pages));
	if (!t->slots || !t->pages) {
		table_free(t);
		return -ENOMEM;
	}
	*ret = t;
	return 0;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; t->pages && (uint64_t)i << t->page_shift < t->made; i++)
		free(t->pages[i]);
	free(t->pages);
	free(t->slots);
	free(t);
}

/* The slot that holds the key, or the free one where it would go. */
static inline uint32_t slot_for(const struct table *t, const void *key, uint32_t hash)
{
	uint32_t at = hash & t->mask;

	while (t->slots[at].number) {
		if (t->slots[at].hash == hash &&
		    same_key(t, data_of(entry_at(t, t->slots[at].number - 1)), key))
			break;
		at = (at + 1) & t->mask;
	}
	return at;
}

void *table_find(struct table *t, const void *key)
{
	uint32_t number;

	if (!t->count)
		return NULL;
	number = t->slots[slot_for(t, key, hash_key(t, key))].number;
	return number ? data_of(entry_at(t, number - 1)) : NULL;
}

/* Twice the slots; on failure the old ones go on at a higher load. */
static bool slots_grow(struct table *t)
{
	uint32_t mask = t->mask * 2 + 1;
	struct slot *slots = calloc((size_t)mask + 1, sizeof(*slots));

	if (!slots)
		return false;
	for (uint32_t i = 0; i <= t->mask; i++) {
		uint32_t at = t->slots[i].hash & mask;

		if (!t->slots[i].number)
			continue;
		while (slots[at].number)
			at = (at + 1) & mask;
		slots[at] = t->slots[i];
	}
	free(t->slots);
	t->slots = slots;
	t->mask = mask;
	return true;
}

/* The number of an entry that is free now; NONE: no memory. */
static uint32_t entry_take(struct table *t)
{
	uint32_t page = t->made >> t->page_shift, number = t->free;

	if (number != NONE) {
		t->free = entry_at(t, number)->newer;
		return number;
	}
	if (!t->pages[page]) {
		t->pages[page] = malloc(t->stride << t->page_shift);
		if (!t->pages[page])
			return NONE;
	}
	return t->made++;
}

static void link_newest(struct table *t, uint32_t number)
{
	struct entry *e = entry_at(t, number);

	e->newer = NONE;
	e->older = t->newest;
	if (t->newest != NONE)
		entry_at(t, t->newest)->newer = number;
	else
		t->oldest = number;
	t->newest = number;
}

static void unlink_entry(struct table *t, struct entry *e)
{
	if (e->newer != NONE)
		entry_at(t, e->newer)->older = e->older;
	else
		t->newest = e->older;
	if (e->older != NONE)
		entry_at(t, e->older)->newer = e->newer;
	else
		t->oldest = e->newer;
}

void *table_add(struct table *t, const void *key, bool *ret_new)
{
	uint32_t hash = hash_key(t, key), number;
	uint32_t at = slot_for(t, key, hash);
	void *data;

	if (t->slots[at].number) {
		if (ret_new)
			*ret_new = false;
		return data_of(entry_at(t, t->slots[at].number - 1));
	}
	if (t->count == t->max)
		return NULL;
	if ((t->count + 1ull) * LOAD_OF > ((uint64_t)t->mask + 1) * LOAD) {
		if (slots_grow(t))
			at = slot_for(t, key, hash);
		else if (t->count >= t->mask) /* one slot must stay free or look-ups never end */
			return NULL;
	}
	number = entry_take(t);
	if (number == NONE)
		return NULL;
	data = data_of(entry_at(t, number));
	memset(data, 0, t->entry_bytes);
	memcpy(data, key, t->key_bytes);
	t->slots[at] = (struct slot){ hash, number + 1 };
	t->count++;
	link_newest(t, number);
	if (ret_new)
		*ret_new = true;
	return data;
}

/* Closes the gap: whoever sits after it in the run and hashes to before it moves back. */
static void slot_clear(struct table *t, uint32_t gap)
{
	uint32_t at = gap;

	for (;;) {
		uint32_t home;

		at = (at + 1) & t->mask;
		if (!t->slots[at].number)
			break;
		home = t->slots[at].hash & t->mask;
		if (((at - home) & t->mask) < ((at - gap) & t->mask))
			continue;
		t->slots[gap] = t->slots[at];
		gap = at;
	}
	t->slots[gap] = (struct slot){ 0, 0 };
}

/* The slot of an entry, by its number: another one may have the same key. */
static uint32_t slot_of(const struct table *t, const void *data, uint32_t number)
{
	uint32_t at = hash_key(t, data) & t->mask;

	while (t->slots[at].number != number + 1) {
		assert(t->slots[at].number); /* removed twice, or its key was changed: our bug */
		at = (at + 1) & t->mask;
	}
	return at;
}

void table_remove(struct table *t, void *data)
{
	struct entry *e = entry_of(data);
	uint32_t number = number_of(t, e);

	slot_clear(t, slot_of(t, data, number));
	unlink_entry(t, e);
	e->newer = t->free;
	t->free = number;
	t->count--;
}

void table_rekey(struct table *t, void *data, const void *key)
{
	uint32_t number = number_of(t, entry_of(data)), hash = hash_key(t, key), at;

	slot_clear(t, slot_of(t, data, number));
	memcpy(data, key, t->key_bytes);
	at = hash & t->mask;
	while (t->slots[at].number)
		at = (at + 1) & t->mask;
	t->slots[at] = (struct slot){ hash, number + 1 };
}

void table_touch(struct table *t, void *data)
{
	struct entry *e = entry_of(data);
	uint32_t number;

	if (e->newer == NONE)
		return;
	number = number_of(t, e);
	unlink_entry(t, e);
	link_newest(t, number);
}

void *table_oldest(struct table *t)
{
	return t->oldest == NONE ? NULL : data_of(entry_at(t, t->oldest));
}

void *table_newer(struct table *t, void *data)
{
	uint32_t newer = entry_of(data)->newer;

	return newer == NONE ? NULL : data_of(entry_at(t, newer));
}

uint32_t table_count(const struct table *t)
{
	return t->count;
}

uint32_t table_place(const struct table *t, const void *data)
{
	return number_of(t, entry_of(data)) + 1;
}

void *table_at(const struct table *t, uint32_t place)
{
	return place ? data_of(entry_at(t, place - 1)) : NULL;
}

size_t table_bytes(const struct table *t)
{
	size_t per_page = (size_t)1 << t->page_shift, pages = (t->made + per_page - 1) / per_page;

	return pages * per_page * t->stride + ((size_t)t->mask + 1) * sizeof(*t->slots) +
	       (t->max + per_page - 1) / per_page * sizeof(*t->pages);
}
