/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h: the only place that reads a clock. The core gets its times from records.
 */
#ifndef PC_BASE_CLOCK_H
#define PC_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_US 1000ull
#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

uint64_t clock_mono_ns(void); /* same clock as bpf_ktime_get_ns */
uint64_t clock_wall_ns(void);
int64_t clock_wall_minus_mono_ns(void); /* best of several readings */

#endif
