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

#define FIELDS_SLOTS 256 /* power of two, several times the keep list: few collisions */
#define FIELDS_KEPT  48	 /* of one message; later ones are left out */

struct field_index { /* made once: the keep list as a hash table of its numbers + 1 */
	uint8_t slot[FIELDS_SLOTS];
};

/* Fields that a transaction has by name. */
enum field_name {
	FIELD_HOST,
	FIELD_USER_AGENT,
	FIELD_REFERER,
	FIELD_CONTENT_TYPE,
	FIELD_LOCATION,
	FIELD_UPGRADE,
	FIELD_NAMES
};

void field_index_init(struct field_index *ret);
/* Name as in the keep list (lower case, static) or at == NULL: not kept. */
struct slice field_kept(const struct field_index *index, struct slice name);
/* Fields of a head into m; -ENOMEM: the arena is full, m is unchanged. The first field of a name goes
 * to *named[name] too, where that is not NULL; absent ones are left as they are. */
int fields_copy(const struct field_index *index, struct arena *a, const struct head *h,
		struct txn_message *m, struct slice *const named[FIELD_NAMES]);

#endif
