/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_form.c: forms and GraphQL documents from strangers (body_both.h). Input: an octet for the pieces, an
 * octet for the kind (urlencoded, in ISO-8859-1, multipart, query, document), then the body.
 */
#include "body_both.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct body_want list[] = {
		{ BODY_FORM, SLICE("a") },
		{ BODY_FORM, SLICE("a[*]") },
		{ BODY_FORM, SLICE("*b") },
		{ BODY_FORM, SLICE("query") },
		{ BODY_GRAPHQL_NAME },
		{ BODY_GRAPHQL_TYPE },
		{ BODY_GRAPHQL_VARIABLE, SLICE("$..a") },
		{ BODY_GRAPHQL_ALIAS },
	};
	static const struct body_kind kinds[] = {
		{ .content_type = SLICE("application/x-www-form-urlencoded") },
		{ .content_type = SLICE("application/x-www-form-urlencoded; charset=iso-8859-1") },
		{ .content_type = SLICE("multipart/form-data; boundary=b") },
		{ .query = true },
		{ .content_type = SLICE("application/graphql") },
	};

	if (size < 2)
		return 0;
	both(list, sizeof(list) / sizeof(list[0]), &kinds[data[1] % 5], data[0],
	     slice_of(data + 2, size - 2));
	return 0;
}
