/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hist.c: base-2 exponential histogram. Indices follow the OpenTelemetry data model: at scale s the
 * bucket i holds (2^(i/2^s), 2^((i+1)/2^s)], upper bound inclusive; powers of two are mapped
 * exactly. When the values' range no longer fits the scale drops: neighbouring buckets are added
 * pairwise.
 */
#include "base/hist.h"

#include <math.h>
#include <string.h>

#define HIST_MIN_SCALE -10 /* one bucket each side of 1: holds every double */

void hist_init(struct hist *h)
{
	memset(h, 0, sizeof(*h));
	h->scale = HIST_SCALE;
}

static int32_t index_of(double value, int32_t scale)
{
	int exponent;
	int32_t within;
	double fraction = frexp(value, &exponent); /* value = fraction * 2^exponent, [0.5, 1) */

	if (fraction == 0.5) /* a power of two is the upper bound of its bucket */
		return scale >= 0 ? ((exponent - 1) * (1 << scale)) - 1 : (exponent - 2) >> -scale;
	if (scale <= 0)
		return (exponent - 1) >> -scale;
	within = (int32_t)floor(log2(fraction * 2) * (double)(1 << scale));
	if (within == 1 << scale) /* log2 rounded up to 1: the value is below the power of two */
		within--;
	return (exponent - 1) * (1 << scale) + within;
}

static void halve(struct hist *h, unsigned by)
{
	uint64_t old[HIST_BUCKETS];
	int32_t offset = h->offset >> by;

	memcpy(old, h->bucket, sizeof(old));
	memset(h->bucket, 0, sizeof(h->bucket));
	for (uint32_t i = 0; i < h->used; i++)
		h->bucket[((h->offset + (int32_t)i) >> by) - offset] += old[i];
	if (h->used)
		h->used = (uint32_t)(((h->offset + (int32_t)h->used - 1) >> by) - offset) + 1;
	h->offset = offset;
	h->scale -= (int32_t)by;
}

/* Makes the buckets low..high (at the present scale) fit; returns by how much the scale dropped. */
static unsigned fit(struct hist *h, int32_t low, int32_t high)
{
	unsigned by = 0;

	if (h->used) {
		int32_t last = h->offset + (int32_t)h->used - 1;

		low = low < h->offset ? low : h->offset;
		high = high > last ? high : last;
	}
	while ((high >> by) - (low >> by) >= HIST_BUCKETS &&
	       h->scale - (int32_t)by > HIST_MIN_SCALE)
		by++;
	if (by)
		halve(h, by);
	low >>= by;
	high >>= by;
	if (!h->used) {
		h->offset = low;
	} else if (low < h->offset) {
		uint32_t shift = (uint32_t)(h->offset - low);

		memmove(h->bucket + shift, h->bucket, h->used * sizeof(h->bucket[0]));
		memset(h->bucket, 0, shift * sizeof(h->bucket[0]));
		h->offset = low;
	}
	h->used = (uint32_t)(high - h->offset) + 1;
	return by;
}

void hist_add(struct hist *h, double value)
{
	int32_t at;

	if (!h->count || value < h->min)
		h->min = value;
	if (!h->count || value > h->max)
		h->max = value;
	h->count++;
	h->sum += value;
	if (value == 0) {
		h->zero_count++;
		return;
	}
	at = index_of(value, h->scale);
	if (!h->used || at < h->offset || at >= h->offset + (int32_t)h->used)
		at >>= fit(h, at, at);
	h->bucket[at - h->offset]++;
}

void hist_merge(struct hist *into, const struct hist *from)
{
	struct hist other = *from;
	unsigned by;

	if (!other.count)
		return;
	if (!into->count || other.min < into->min)
		into->min = other.min;
	if (!into->count || other.max > into->max)
		into->max = other.max;
	into->count += other.count;
	into->zero_count += other.zero_count;
	into->sum += other.sum;
	if (!other.used)
		return;
	if (into->scale > other.scale)
		halve(into, (unsigned)(into->scale - other.scale));
	else if (other.scale > into->scale)
		halve(&other, (unsigned)(other.scale - into->scale));
	by = fit(into, other.offset, other.offset + (int32_t)other.used - 1);
	for (uint32_t i = 0; i < other.used; i++)
		into->bucket[((other.offset + (int32_t)i) >> by) - into->offset] += other.bucket[i];
}
