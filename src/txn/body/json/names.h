/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.h: the names that somebody wants, as a set with numbers: filled from the configuration, then only
 * asked. Most names in a body are wanted by nobody: the length and the first octet tell that of nearly all,
 * before any hashing.
 */
#ifndef PC_TXN_BODY_NAMES_H
#define PC_TXN_BODY_NAMES_H

#include <errno.h>
#include <stdlib.h>

#include "base/slice.h"

#define NAMES_NONE UINT32_MAX

struct names {
	struct slice *list; /* owned */
	uint32_t *slot;	    /* number + 1; 0 = free */
	uint32_t count, mask;
	uint64_t lengths;  /* bit: length modulo 64 */
	uint64_t first[4]; /* bit: first octet */
};

static inline uint32_t names_find(const struct names *n, struct slice name)
{
	uint8_t c;

	if (!name.len || !(n->lengths >> (name.len & 63) & 1))
		return NAMES_NONE;
	c = (uint8_t)name.at[0];
	if (!(n->first[c >> 6] >> (c & 63) & 1))
		return NAMES_NONE;
	for (uint64_t at = slice_mix(name, 0);; at++) {
		uint32_t number = n->slot[at & n->mask];

		if (!number)
			return NAMES_NONE;
		if (slice_eq(n->list[number - 1], name))
			return number - 1;
	}
}

/* The number of a name, which must not be empty, new or not. 0 or -ENOMEM. */
int names_add(struct names *n, struct slice name, uint32_t *ret_number);
void names_done(struct names *n);

#endif
