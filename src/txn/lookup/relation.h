/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relation.h: may two names be one, asked for with and without an ending of the search list? Names in small
 * letters, without the last dot.
 */
#ifndef PC_TXN_LOOKUP_RELATION_H
#define PC_TXN_LOOKUP_RELATION_H

#include "base/slice.h"

enum relation {
	RELATION_NONE,
	RELATION_SAME,
	RELATION_STEM,	 /* the second is the first without its ending */
	RELATION_LONGER, /* the second is the first and an ending */
	RELATION_CLOSE,	 /* the same first labels, two or more, with other endings */
	RELATION_OTHER,	 /* the same first label */
};

/* Up to its first dot. All names that may be one have the same. */
struct slice relation_label(struct slice name);
enum relation relation_of(struct slice first, struct slice second);

#endif
