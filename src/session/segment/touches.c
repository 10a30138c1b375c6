/* SPDX-License-Identifier: Apache-2.0 */
/*
 * touches.c: see segment.h. Values of utm_* are a stranger's text and may be made up without end; so they
 * are bounded, those that no visit has any more make room, and what finds none is "{other}", counted.
 */
#include "session/segment/segment.h"

#include <errno.h>
#include <stdlib.h>

#include "base/table.h"

#define LOOKED_AT 64 /* for one that is not in use, from the one used longest ago */

struct touches {
	struct table *table;
	struct touch_text other;
	uint64_t overflow;
};

int touches_new(uint32_t max, struct touches **ret)
{
	struct touches *t = calloc(1, sizeof(*t));
	static char other[] = "{other}{other}{other}";

	if (!t)
		return -ENOMEM;
	t->other = (struct touch_text){ .len = { 7, 7, 7 }, .text = other };
	if (table_new(sizeof(struct touch_text), sizeof(uint64_t), max, &t->table)) {
		free(t);
		return -ENOMEM;
	}
	*ret = t;
	return 0;
}

void touches_free(struct touches *t)
{
	struct touch_text *at;

	if (!t)
		return;
	while ((at = table_oldest(t->table))) {
		free(at->text);
		table_remove(t->table, at);
	}
	table_free(t->table);
	free(t);
}

static struct touch_text *make_room(struct touches *t, uint64_t key)
{
	struct touch_text *at = table_oldest(t->table);
	bool fresh;

	for (unsigned i = 0; i < LOOKED_AT && at && at->used_by; i++) {
		table_touch(t->table, at);
		at = table_oldest(t->table);
	}
	if (!at || at->used_by)
		return NULL;
	free(at->text);
	table_remove(t->table, at);
	return table_add(t->table, &key, &fresh);
}

static bool fill(struct touch_text *at, const struct slice part[3])
{
	size_t len = 0;

	at->text = malloc(part[0].len + part[1].len + part[2].len);
	if (!at->text)
		return false;
	for (unsigned i = 0; i < 3; i++) {
		if (part[i].len)
			memcpy(at->text + len, part[i].at, part[i].len);
		at->len[i] = (uint8_t)part[i].len;
		len += part[i].len;
	}
	return true;
}

struct touch_text *touches_hold(struct touches *t, const struct slice part[3])
{
	uint64_t key = 1;
	struct touch_text *at;
	bool fresh = true;

	if (!part[0].len && !part[1].len && !part[2].len)
		return NULL;
	for (unsigned i = 0; i < 3; i++)
		key = slice_hash(part[i], key);
	at = table_find(t->table, &key);
	if (at) {
		at->used_by++;
		return at;
	}
	at = table_add(t->table, &key, &fresh);
	if (!at)
		at = make_room(t, key);
	if (!at) {
		t->overflow++;
		return &t->other;
	}
	if (!fill(at, part)) {
		table_remove(t->table, at);
		return NULL;
	}
	at->used_by = 1;
	return at;
}

void touches_leave(struct touch_text *text)
{
	if (text && text->used_by)
		text->used_by--;
}

uint64_t touches_overflow(const struct touches *t)
{
	return t->overflow;
}

struct slice touch_part(const struct touch_text *t, unsigned part)
{
	size_t from = 0;

	if (!t)
		return slice_of(NULL, 0);
	for (unsigned i = 0; i < part; i++)
		from += t->len[i];
	return slice_of(t->text + from, t->len[part]);
}
