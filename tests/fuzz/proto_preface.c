/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto_preface.c: first octets of a connection, perhaps a PROXY protocol line of either version. For
 * any bytes: decided within the octets that there are, for each prefix the same or not yet, and an
 * address only from a preface that is whole.
 */
#include <errno.h>
#include <stdlib.h>

#include "proto/preface.h"
#include "stream/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pc_addr whole = { 0 }, part;
	long decided = -EAGAIN, n;

	if (!size)
		return 0;
	for (size_t i = 1; i <= size && i < 600; i++) {
		part = (struct pc_addr){ 0 };
		n = preface_size(slice_of(data, i), &part);
		check(n == -EAGAIN || (n >= 0 && (size_t)n <= i));
		check(n > 0 || address_is_none(&part));
		check(decided == -EAGAIN || n == decided);
		decided = n;
	}
	n = preface_size(slice_of(data, size), &whole);
	check(decided == -EAGAIN || n == decided);
	return 0;
}
