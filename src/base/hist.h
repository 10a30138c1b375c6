/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hist.h: base-2 exponential histogram (OpenTelemetry metrics data model, "ExponentialHistogram"):
 * positive values and zero, at most HIST_BUCKETS buckets, starts at scale HIST_SCALE and halves its
 * resolution when the range no longer fits. Fixed size, no allocation.
 */
#ifndef PC_BASE_HIST_H
#define PC_BASE_HIST_H

#include <stdint.h>

#define HIST_BUCKETS 160
#define HIST_SCALE   8

struct hist {
	uint64_t count;
	uint64_t zero_count;
	double sum, min, max;
	int32_t scale;
	int32_t offset; /* index of bucket[0]; bucket i holds (base^(offset+i), base^(offset+i+1)] */
	uint32_t used;	/* buckets in use, from bucket[0] */
	uint64_t bucket[HIST_BUCKETS]; /* 64 bits: cumulative for as long as the agent runs */
};

void hist_init(struct hist *h);
void hist_add(struct hist *h, double value); /* value >= 0; negative or NaN is the caller's bug */
void hist_merge(struct hist *into, const struct hist *from);

#endif
