/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_inflate.c: codings from strangers (body_both.h). Input: an octet for the pieces, an octet for the
 * codings, then the body.
 */
#include "body_both.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct body_want list[] = { { BODY_JSON, SLICE("$..a") } };
	static const char *const codings[] = { "gzip",		"deflate",  "br",
					       "zstd",		"gzip, br", "zstd, deflate",
					       "deflate, gzip", "br, zstd" };
	struct body_kind kind = { .content_type = SLICE("application/json") };

	if (size < 2)
		return 0;
	kind.content_encoding = slice_str(codings[data[1] % 8]);
	both(list, 1, &kind, data[0], slice_of(data + 2, size - 2));
	return 0;
}
