/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base.c (fuzz): JSON strings of any bytes are printable ASCII and valid UTF-8 on one line; numbers
 * are read as the C library reads them.
 */
#include <assert.h>
#include <errno.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_number(struct slice in)
{
	char text[64] = "";
	uint64_t value;
	int err = slice_u64(in, &value);

	if (in.len == 0 || in.len >= sizeof(text)) /* strtoull wants a NUL */
		return;
	memcpy(text, in.at, in.len);
	if (strspn(text, "0123456789") != in.len) {
		assert(err == -EINVAL);
		return;
	}
	errno = 0;
	if (strtoull(text, NULL, 10) > INT64_MAX || errno == ERANGE)
		assert(err == -ERANGE);
	else
		assert(!err && value == strtoull(text, NULL, 10));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);
	struct buf out;
	struct json j;
	size_t quotes = 0;

	buf_init(&out, size * 6 + 2);
	json_init(&j, &out);
	json_string(&j, in);
	assert(!out.failed && out.len >= 2);
	for (size_t i = 0; i < out.len; i++) {
		assert((unsigned char)out.at[i] >= 0x20);
		if (out.at[i] == '\\')
			i++;
		else
			quotes += out.at[i] == '"';
	}
	assert(quotes == 2);
	buf_done(&out);
	check_number(in);
	return 0;
}
