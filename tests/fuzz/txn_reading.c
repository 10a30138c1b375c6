/* SPDX-License-Identifier: Apache-2.0 */
/*
 * txn_reading: one connection through stream, proto and txn with a reader who wants values of all contents.
 * The input is a little program as that of proto_http1. What must hold: the counts add up, nobody refers to
 * the wants at the end, and where nothing was lost or late, the same octets in calls of one octet give
 * the same transactions, values and flags.
 */
#include "../unit/reading_kit.h"

#define OPS_MAX 256

struct input {
	const uint8_t *at, *end;
};

static uint8_t next(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static struct slice take(struct input *in, size_t n)
{
	struct slice s;

	if (n > (size_t)(in->end - in->at))
		n = (size_t)(in->end - in->at);
	s = slice_of(in->at, n);
	in->at += n;
	return s;
}

static void call(struct kit *k, enum pc_dir d, struct slice s, bool single)
{
	for (size_t at = 0; at < s.len; at += single ? 1 : s.len)
		kit_call(k, d, slice_sub(s, at, single ? at + 1 : s.len));
}

/* False: something of the connection was not seen. */
static bool operate(struct world *w, struct input *in, bool single)
{
	uint8_t op = next(in), n = next(in);
	enum pc_dir d = op & 1 ? PC_TX : PC_RX;
	struct kit *k = &w->k;

	switch (op >> 1 & 15) {
	case 0:
		kit_hole(k, d, n);
		return false;
	case 1:
		if (n)
			kit_absent(k, d, n, PC_WHY_SENDFILE);
		return false;
	case 2:
		kit_tick(k, n * 10 * KIT_MS);
		return false;
	case 3:
		kit_dir_end(k, d, n & 1 ? 104 : 0);
		return false;
	case 4:
		txn_read(w->x, n & 1 ? NULL : &w->reader);
		return false;
	case 5:
		w->no_response = n & 1;
		return false;
	default:
		call(k, d, take(in, (size_t)n * (op & 32 ? 8 : 1)), single);
		return true;
	}
}

/* True: all was seen. */
static bool run(struct world *w, const uint8_t *data, size_t size, bool single)
{
	struct input in = { data, data + size };
	uint8_t mode = next(&in);
	uint64_t start = mode & 1 ? 1000 : 0;
	bool whole = !(mode & 1);

	if (mode & 4) {
		w->bodies = body_limits_default;
		w->bodies.open = 2;
		w->limits = (struct txn_limits){ .open = 4,
						 .bytes = 40000,
						 .templates = 10,
						 .processes = { 10, 1000 },
						 .bodies = &w->bodies };
		whole = false;
	}
	world_start(w);
	if (mode & 8)
		w->k.budget = 40;
	kit_connect(&w->k, (mode & 1 ? PC_F_JOINED : 0) | (mode & 2 ? PC_F_ACTIVE : PC_F_PASSIVE),
		    start, start);
	for (int i = 0; i < OPS_MAX && in.at < in.end; i++)
		whole &= operate(w, &in, single);
	if (mode & 16)
		kit_gone(&w->k);
	world_end(w);
	return whole && !(mode & 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world a, b;

	if (size > 4096)
		return 0;
	if (run(&a, data, size, false)) {
		run(&b, data, size, true);
		if (a.out.len != b.out.len ||
		    (a.out.len && memcmp(a.out.at, b.out.at, a.out.len))) {
			fprintf(stderr, "whole:\n%.*ssingle:\n%.*s", (int)a.out.len, a.out.at,
				(int)b.out.len, b.out.at);
			abort();
		}
		world_free(&b);
	}
	world_free(&a);
	return 0;
}
