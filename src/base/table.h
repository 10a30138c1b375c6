/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h: a bounded hash table of fixed-size entries, keyed by the first `key_bytes` bytes of the
 * entry (clear any padding there). Open addressing over indices, entries in one slab: an entry never
 * moves while it lives, so pointers to it may be kept, and its place, which takes 4 octets. Order of use is
 * a doubly linked list: the caller touches entries, and at the limit asks for the oldest to evict.
 */
#ifndef PC_BASE_TABLE_H
#define PC_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

/* The slab grows in steps up to max_entries; memory of unused steps is never taken. */
int table_new(size_t entry_bytes, size_t key_bytes, uint32_t max_entries, struct table **ret);
void table_free(struct table *t);
void *table_find(struct table *t, const void *key);
/* A cleared entry with its key set; the entry there if it exists (*ret_new = false). NULL: full or no
 * memory; evict and try again. */
void *table_add(struct table *t, const void *key, bool *ret_new);
void table_remove(struct table *t, void *entry);
/* It has another key from here on. Of several that have the same one only one is found. */
void table_rekey(struct table *t, void *entry, const void *key);
void table_touch(struct table *t, void *entry); /* most recently used */
void *table_oldest(struct table *t);
void *table_newer(struct table *t, void *entry); /* next in order of use; NULL at the end */
uint32_t table_count(const struct table *t);
/* What it takes now, with all that lies ready for entries to come. */
size_t table_bytes(const struct table *t);
/* Where an entry lies as long as it lives; never 0, so that 0 in a cleared one is "none": NULL. */
uint32_t table_place(const struct table *t, const void *entry);
void *table_at(const struct table *t, uint32_t place);

#endif
