/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slice.h: borrowed bytes. A slice never owns and never ends with a NUL; whoever hands one out says
 * how long the bytes stay. Wire data travels as slices only.
 */
#ifndef PC_BASE_SLICE_H
#define PC_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *at;
	size_t len;
};

#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })

static inline struct slice slice_of(const void *at, size_t len)
{
	return (struct slice){ at, len };
}

/* Of a NUL-terminated string of our own (never wire data). NULL gives the empty slice. */
static inline struct slice slice_str(const char *s)
{
	return (struct slice){ s, s ? strlen(s) : 0 };
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* [from, to) cut to what is there. */
static inline struct slice slice_sub(struct slice s, size_t from, size_t to)
{
	if (to > s.len)
		to = s.len;
	if (from > to)
		from = to;
	return (struct slice){ s.at ? s.at + from : NULL, to - from };
}

bool slice_same_folded(const char *a, const char *b, size_t len); /* for slice_ieq */

/* ASCII case folded. Most comparisons are of names of different lengths. */
static inline bool slice_ieq(struct slice a, struct slice b)
{
	return a.len == b.len && slice_same_folded(a.at, b.at, a.len);
}

bool slice_starts(struct slice s, struct slice prefix);
bool slice_istarts(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);
long slice_find(struct slice s, char c); /* index or -1 */
long slice_find_slice(struct slice s, struct slice what);

static inline bool slice_is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* Spaces and tabs at both ends (OWS of RFC 9110); mostly there are none, or one. */
static inline struct slice slice_trim(struct slice s)
{
	while (s.len && slice_is_space(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len && slice_is_space(s.at[s.len - 1]))
		s.len--;
	return s;
}

/* Cuts `s` at the first `c`: returns what stands before, leaves what stands after in *s (empty and
 * *s->at == NULL when there was no more). Loop: while (s.at) { part = slice_next(&s, ','); … } */
struct slice slice_next(struct slice *s, char c);
/* Decimal digits only, no sign; -EINVAL when empty or not a digit, -ERANGE beyond 2^63-1. */
int slice_u64(struct slice s, uint64_t *ret_value);
int slice_hex_u64(struct slice s, uint64_t *ret_value);
uint64_t slice_hash(struct slice s,
		    uint64_t seed); /* keyed against chosen collisions: SipHash-1-3 */
/* For a place in a bounded set of lists or slots, where a collision costs little: a product a word
 * (sip_mix). Several times cheaper than slice_hash. */
uint64_t slice_mix(struct slice s, uint64_t seed);

#endif
