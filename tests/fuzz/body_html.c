/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_html.c: HTML from strangers (body_both.h). Input: an octet for the pieces; bit 0: the fields say UTF-8,
 * or nothing; then the body.
 */
#include "body_both.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct body_want list[] = {
		{ BODY_HTML, SLICE("td") },
		{ BODY_HTML, SLICE("table tr .p") },
		{ BODY_HTML, SLICE("div [a^=b] *") },
		{ BODY_HTML, SLICE("#i"), SLICE("a") },
		{ BODY_HTML, SLICE("p"), SLICE(""), SLICE("(\\d+)|(x+)+y") },
		{ BODY_META, SLICE("a") },
		{ BODY_LD_JSON, SLICE("$..a") },
		{ BODY_JSON, SLICE("$.a") },
	};
	struct body_kind kind = { .content_type = SLICE("text/html"), .response = true };

	if (!size)
		return 0;
	if (data[0] & 1)
		kind.content_type = SLICE("text/html; charset=utf-8");
	both(list, sizeof(list) / sizeof(list[0]), &kind, data[0], slice_of(data + 1, size - 1));
	return 0;
}
