/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto_http1: one connection from bytes to messages through the real stream, with both directions
 * cut, lost, absent, late and ended as the input says. The input is a little program: a head octet
 * (bits: joined, active, budget, content wanted), then operations, each an octet for what and one for
 * how much; calls take that many octets of the input. What must hold is checked in proto_kit.h.
 */
#include "../unit/proto_kit.h"

#define OPS_MAX 512

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

/* A call, whole or in two halves that are read in the wrong order. */
static void call(struct kit *k, enum pc_dir d, struct slice s, bool swapped)
{
	uint64_t pos = k->pos[d];
	size_t half = s.len / 2;

	if (!s.len)
		return;
	if (!swapped || !half) {
		kit_call(k, d, s);
		return;
	}
	k->now_ns += 20 * KIT_US;
	kit_call_at(k, d, pos + half, slice_sub(s, half, s.len), k->now_ns);
	kit_call_at(k, d, pos, slice_sub(s, 0, half), k->now_ns - 10 * KIT_US);
}

static void operate(struct kit *k, struct input *in)
{
	uint8_t op = next(in), n = next(in);
	enum pc_dir d = op & 1 ? PC_TX : PC_RX;

	switch (op >> 1 & 15) {
	case 0 ... 6:
		call(k, d, take(in, n), false);
		break;
	case 7:
		call(k, d, take(in, n), true);
		break;
	case 8: /* one octet a call */
		for (; n; n--)
			call(k, d, take(in, 1), false);
		break;
	case 9:
		kit_hole(k, d, n);
		break;
	case 10:
		if (n)
			kit_absent(k, d, (uint64_t)n << (op >> 5), PC_WHY_SENDFILE);
		break;
	case 11:
		kit_tick(k, n * 10 * KIT_MS);
		break;
	case 12:
		kit_dir_end(k, d, n & 1 ? 104 : 0);
		break;
	case 13: /* a long run of one octet, to pass the bounds */
		for (unsigned i = 0; i < n; i++) {
			char fill[1024];

			memset(fill, n & 1 ? 'a' : ' ', sizeof(fill));
			kit_call(k, d, slice_of(fill, sizeof(fill)));
		}
		break;
	default:
		call(k, d, take(in, (size_t)n * 16), false);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kit k;
	struct input in = { data, data + size };
	uint8_t mode = next(&in);
	uint64_t start = mode & 1 ? 1000 : 0;

	kit_start(&k, mode & 8);
	k.want_fields = mode & 16;
	if (mode & 4)
		k.budget = 40;
	if (!(mode & 32))
		kit_connect(&k,
			    (mode & 1 ? PC_F_JOINED : 0) | (mode & 2 ? PC_F_ACTIVE : PC_F_PASSIVE),
			    start, start);
	for (int i = 0; i < OPS_MAX && in.at < in.end; i++)
		operate(&k, &in);
	if (mode & 64)
		kit_gone(&k);
	kit_finish(&k);
	kit_free(&k);
	return 0;
}
