/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template.h: path → template of low cardinality, for span names and metrics: "/orders/1017" gives
 * "/orders/{id}". The same path always gives the same template; which templates get a place in the
 * bounded set depends on the order of the transactions only, so a replay gives the same.
 *
 * Rules, on the path as on the wire (no decoding):
 *   - matrix parameters are dropped ("/cart;jsessionid=…" → "/cart", also with "%3B"): they hold
 *     session ids
 *   - a segment with '@' or "%40" (an e-mail address, a user), with "%20" or a '+' between words, or
 *     with three or more octets that are percent-encoded or not ASCII (free text), is "{id}"
 *   - other segments are split into words of letters and digits; a word that looks like an
 *     identifier (template_is_id), a uuid, and words joined by '-' and '_' that look like one token
 *     become "{id}", and neighbouring ones become one
 *   - from the ninth segment on, or when the template would pass TEMPLATE_BYTES: "{rest}"
 */
#ifndef PC_TXN_TEMPLATE_H
#define PC_TXN_TEMPLATE_H

#include "base/slice.h"

#define TEMPLATE_BYTES	  120
#define TEMPLATE_SEGMENTS 8

struct template
{
	uint32_t len;
	char at[TEMPLATE_BYTES];
};

/*
 * A word is an identifier when it is
 *   - all digits
 *   - hexadecimal, 8 or more, with a digit; or 16 or more without (hashes)
 *   - letters and digits with 4 or more digits, or 10 or more with two or more changes between
 *     letters and digits, or 6 or more with four (tokens, ULIDs, article numbers)
 *   - capitals, small letters and digits, 6 or more, half of which begin another kind (short links)
 *   - letters only, 16 or more whose case changes more often than camelCase does, or 32 or more
 */
bool template_is_id(struct slice word);
void template_make(struct slice path, struct template *ret);

/* The bounded set. Nothing is ever removed, so slices handed out stay until template_set_free. */
struct template_set;

int template_set_new(uint32_t max, struct template_set **ret);
void template_set_free(struct template_set *s);
/*
 * The template of a path when it is known or may be learned; otherwise "{other}". learn = false: a
 * stranger chose the path (a 404), so it takes no place in the set. *ret_overflow: it would have
 * been learned had there been room.
 */
struct slice template_set_get(struct template_set *s, struct slice path, bool learn,
			      bool *ret_overflow);

#endif
