/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_header.c: traceparent and tracestate from strangers. Input: traceparent, newline, tracestate.
 * What is taken must be what W3C Trace Context lets pass, checked here in another way.
 */
#include <stdlib.h>

#include "trace/context.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_parent(struct slice s)
{
	static const char digits[] = "0123456789abcdef";
	struct traceparent p;

	if (traceparent_parse(s, &p))
		return;
	check(s.len == 55 || (s.len > 55 && s.at[55] == '-' && !slice_starts(s, SLICE("00"))));
	for (unsigned i = 0; i < 16; i++) {
		check(s.at[3 + 2 * i] == digits[p.trace_id[i] >> 4]);
		check(s.at[4 + 2 * i] == digits[p.trace_id[i] & 15]);
	}
	for (unsigned i = 0; i < 8; i++) {
		check(s.at[36 + 2 * i] == digits[p.parent_id[i] >> 4]);
		check(s.at[37 + 2 * i] == digits[p.parent_id[i] & 15]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice state = slice_of(data, size), parent = slice_next(&state, '\n');
	uint64_t randomness = 0;
	bool random;

	check_parent(parent);
	random = tracestate_randomness(state, &randomness);
	check(randomness >> 56 == 0);
	if (random)
		check(slice_find_slice(state, SLICE("rv:")) >= 0);
	if (!tracestate_valid(state))
		return 0;
	for (size_t i = 0; i < state.len; i++)
		check(state.at[i] == '\t' || (state.at[i] >= 0x20 && state.at[i] <= 0x7e));
	return 0;
}
