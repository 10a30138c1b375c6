/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_json.c: JSON and GraphQL in JSON from strangers (body_both.h). Input: an octet for the pieces, bit 0:
 * request or response; then the body.
 */
#include "body_both.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct body_want list[] = {
		{ BODY_JSON, SLICE("$") },
		{ BODY_JSON, SLICE("$.a") },
		{ BODY_JSON, SLICE("$.a[1].b") },
		{ BODY_JSON, SLICE("$.a[*].b[*]") },
		{ BODY_JSON, SLICE("$..b") },
		{ BODY_JSON, SLICE("$..a[*].*") },
		{ BODY_GRAPHQL_NAME },
		{ BODY_GRAPHQL_TYPE },
		{ BODY_GRAPHQL_VARIABLE, SLICE("$.a") },
		{ BODY_GRAPHQL_DATA, SLICE("$..b") },
		{ BODY_GRAPHQL_ERROR },
		{ BODY_GRAPHQL_ALIAS },
	};
	struct body_kind kind = { .content_type = SLICE("application/json") };

	if (!size)
		return 0;
	kind.response = data[0] & 1;
	both(list, sizeof(list) / sizeof(list[0]), &kind, data[0], slice_of(data + 1, size - 1));
	return 0;
}
