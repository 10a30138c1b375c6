/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.h: which header fields a transaction keeps, and copying a head into its arena. What is not
 * in the keep list dies here: the later stages cannot leak what they never had. Authorization,
 * Proxy-Authorization, Cookie and Set-Cookie are not in the list and never will be; user-info is
 * taken out of Referer and Location while they are copied.
 *
 * Whoever needs others (rules of the operator) names them to txn_keep: they are kept beside the list, but for
 * those that identify or authorise people (field_is_secret).
 */
#ifndef PC_TXN_FIELDS_H
#define PC_TXN_FIELDS_H

#include "base/arena.h"
#include "txn/txn.h"

#define FIELDS_SLOTS 256 /* power of two, several times the keep list: few collisions */
#define FIELDS_KEPT  48	 /* of one message; later ones are left out */
#define FIELDS_MORE  64	 /* names beside the list */
#define FIELD_NAME   64	 /* octets of such a name */

/* A hash table of numbers + 1: of the keep list, and behind it of the names beside it. */
struct field_index {
	uint8_t slot[FIELDS_SLOTS];
	uint32_t more;
	/* Names stay where they are once they are here: transactions point at them. */
	char name[FIELDS_MORE][FIELD_NAME];
	uint8_t len[FIELDS_MORE];
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
/* What may be named: 2 to FIELD_NAME small letters, digits, '-' and '_'. */
bool field_is_name(struct slice name);
/* By its name, of a field in lower case: Authorization, cookies, whatever speaks of a token, key, secret or
 * password. */
bool field_is_secret(struct slice name);
/* These names beside the list from now on, and no others. -EINVAL: field_is_name; -EPERM: field_is_secret;
 * -ENOSPC: more than FIELDS_MORE, of this call and all before it. On an error all is as it was. */
int field_index_keep(struct field_index *index, const struct slice *names, uint32_t count);
/* Name as in the keep list (lower case, static) or at == NULL: not kept. */
struct slice field_kept(const struct field_index *index, struct slice name);
/* Fields of a head into m; -ENOMEM: the arena is full, m is unchanged. The first field of a name goes
 * to *named[name] too, where that is not NULL; absent ones are left as they are. */
int fields_copy(const struct field_index *index, struct arena *a, const struct head *h,
		struct txn_message *m, struct slice *const named[FIELD_NAMES]);

#endif
