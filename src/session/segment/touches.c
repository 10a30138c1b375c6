/* SPDX-License-Identifier: Apache-2.0 */
/*
 * touches.c: see segment.h. Values of utm_* are a stranger's text and may be made up without end; so they
 * are bounded, those that no visit has any more make room, and what finds none is "{other}", counted.
 */
#include "session/segment/segment.h"

#include <errno.h>
#include <stdlib.h>

#include "base/table.h"

#define OTHER	  UINT16_MAX /* beyond every place in the table */
#define LOOKED_AT 64	     /* for one that is not in use, from the one used longest ago */

struct touch_text {
	uint64_t key;	  /* hash of what follows */
	uint32_t used_by; /* visits */
	uint8_t len[3];	  /* source, medium, campaign */
	char *text;	  /* one after the other */
};

/* Its number is its place. */
struct touches {
	struct table *table;
	uint64_t overflow;
};

int touches_new(uint32_t max, struct touches **ret)
{
	struct touches *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	if (max >= OTHER ||
	    table_new(sizeof(struct touch_text), sizeof(uint64_t), max, &t->table)) {
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

uint16_t touches_hold(struct touches *t, const struct slice part[3])
{
	uint64_t key = 1;
	struct touch_text *at;
	bool fresh = true;

	if (!part[0].len && !part[1].len && !part[2].len)
		return 0;
	for (unsigned i = 0; i < 3; i++)
		key = slice_hash(part[i], key);
	at = table_find(t->table, &key);
	if (at) {
		at->used_by++;
		return (uint16_t)table_place(t->table, at);
	}
	at = table_add(t->table, &key, &fresh);
	if (!at)
		at = make_room(t, key);
	if (!at) {
		t->overflow++;
		return OTHER;
	}
	if (!fill(at, part)) {
		table_remove(t->table, at);
		return 0;
	}
	at->used_by = 1;
	return (uint16_t)table_place(t->table, at);
}

void touches_leave(struct touches *t, uint16_t number)
{
	struct touch_text *text = number == OTHER ? NULL : table_at(t->table, number);

	if (text)
		text->used_by--;
}

uint64_t touches_overflow(const struct touches *t)
{
	return t->overflow;
}

struct slice touches_part(const struct touches *t, uint16_t number, unsigned part)
{
	const struct touch_text *text;
	size_t from = 0;

	if (number == OTHER)
		return SLICE("{other}");
	text = table_at(t->table, number);
	if (!text)
		return slice_of(NULL, 0);
	for (unsigned i = 0; i < part; i++)
		from += text->len[i];
	return slice_of(text->text + from, text->len[part]);
}
