/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_handshake.c: records of a handshake from anybody. The first octet says how the rest is cut: whatever
 * the pieces, no more is taken than was offered, it comes to an end, and whole or cut it ends the same.
 */
#include <stdlib.h>

#include "tls/handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void feed(struct handshake *h, bool client, struct slice s, size_t piece)
{
	size_t taken = 0, end = 0;

	while (end < s.len) {
		uint64_t n;

		end = end + piece < s.len ? end + piece : s.len;
		n = handshake_push(h, client, taken, slice_sub(s, taken, end), end - taken,
				   end == s.len);
		check(n <= end - taken);
		taken += n;
	}
	check(taken == s.len);
	check(h->name_len <= HANDSHAKE_NAME);
	check(handshake_alert_name(h->alert) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct handshake whole = { 0 }, cut = { 0 };
	struct slice client, server;
	size_t piece;

	if (size < 3)
		return 0;
	piece = 1 + data[0] % 64;
	client = slice_of((const char *)data + 2, (size - 2) * data[1] / 255);
	server = slice_sub(slice_of((const char *)data + 2, size - 2), client.len, size - 2);
	feed(&whole, true, client, client.len);
	feed(&whole, false, server, server.len);
	feed(&cut, true, client, piece);
	feed(&cut, false, server, piece);
	check(whole.state == cut.state && whole.name_len == cut.name_len);
	return 0;
}
