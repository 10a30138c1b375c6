/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.h: which header fields a transaction keeps, and copying a head into its arena. What is not
 * in the keep list dies here: the later stages cannot leak what they never had. Authorization,
 * Proxy-Authorization, Cookie and Set-Cookie are not in the list and never will be; user-info is
 * taken out of Referer and Location while they are copied.
 */
#ifndef PC_TXN_FIELDS_H
#define PC_TXN_FIELDS_H

#include "base/arena.h"
#include "txn/txn.h"

#define FIELDS_SLOTS 128 /* power of two, twice the keep list at least */
#define FIELDS_KEPT  48	 /* of one message; later ones are left out */

struct field_index { /* made once: the keep list as a hash table of its numbers + 1 */
	uint8_t slot[FIELDS_SLOTS];
};

void field_index_init(struct field_index *ret);
/* Name as in the keep list (lower case, static) or at == NULL: not kept. */
struct slice field_kept(const struct field_index *index, struct slice name);
/* Fields of a head into m; -ENOMEM: the arena is full, m is unchanged. */
int fields_copy(const struct field_index *index, struct arena *a, const struct head *h,
		struct txn_message *m);
/* First kept field; name in lower case. at == NULL: absent. */
struct slice fields_find(const struct txn_message *m, struct slice name);

#endif
