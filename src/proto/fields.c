/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.c: finding a field by its name, and the character table behind the parsers. Stateless.
 */
#include "proto/fields.h"

#include "proto/proto.h"

#define T CHAR_TOKEN

/* clang-format off */
const unsigned char char_class[256] = {
	['!'] = T, ['#'] = T, ['$'] = T, ['%'] = T, ['&'] = T, ['\''] = T, ['*'] = T, ['+'] = T,
	['-'] = T, ['.'] = T, ['^'] = T, ['_'] = T, ['`'] = T, ['|'] = T, ['~'] = T,
	['0' ... '9'] = T, ['A' ... 'Z'] = T, ['a' ... 'z'] = T,
};
/* clang-format on */

/* Eight octets at a time: a control octet makes the subtraction borrow into its high bit unless the
 * high bit was set before. HTAB and DEL are left to the slow look. */
static bool maybe_control(uint64_t w)
{
	const uint64_t ones = 0x0101010101010101ull, high = 0x8080808080808080ull;
	uint64_t below = (w - ones * 0x20) & ~w & high;
	uint64_t x = w ^ (ones * 0x7f);
	uint64_t del = (x - ones) & ~x & high;

	return (below | del) != 0;
}

static bool maybe_control_at(const char *at)
{
	uint64_t w;

	memcpy(&w, at, 8);
	return maybe_control(w);
}

/* The last eight octets overlap those before them. */
static bool maybe_has_control(struct slice s)
{
	if (s.len < 8)
		return true;
	for (size_t i = 0; i + 8 < s.len; i += 8)
		if (maybe_control_at(s.at + i))
			return true;
	return maybe_control_at(s.at + s.len - 8);
}

bool has_control(struct slice s)
{
	if (!maybe_has_control(s))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

struct slice head_field(const struct head *h, struct slice name)
{
	for (uint32_t i = 0; i < h->field_count; i++)
		if (slice_ieq(h->fields[i].name, name))
			return h->fields[i].value;
	return (struct slice){ NULL, 0 };
}
