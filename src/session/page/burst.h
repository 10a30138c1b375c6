/* SPDX-License-Identifier: Apache-2.0 */
/*
 * burst.h: from the requests of one page, how long its visitor waited for it and for what. Pure: times
 * in, times out, in any order.
 *
 *   document  D ├────┤
 *   parts       ├──┤  ├──┤        ├─┤ a picture 5 s later is no part of the burst
 *   calls            ├────┤ ├──┤
 *   lived       ├─────────┤       the second call began after the last part: nobody waited for it
 *
 * A part belongs while it starts within BURST_GAP_NS of the latest end before it; a call of a script only
 * when a part of the burst starts after it did. Two shares of that time are measured on the side: when
 * the server was at work on any of the page's requests, and when requests only waited to be read.
 *
 * All times are of this host's clock. The end of a request is when its last octet was acknowledged, so
 * begin and end are both half a round trip later than the visitor saw them, and the difference is his.
 */
#ifndef PC_SESSION_PAGE_BURST_H
#define PC_SESSION_PAGE_BURST_H

#include <stdbool.h>
#include <stdint.h>

#define BURST_GAP_NS  1000000000ull  /* of the definition of lived time, share/definitions.md */
#define BURST_POLL_NS 10000000000ull /* a call that is not answered for so long waits for news */
#define BURST_PARTS   8		     /* groups of parts, each over BURST_GAP_NS from the next */
#define BURST_CALLS   8
#define BURST_WORK    12 /* separate times of work, or of waiting */

struct stretch {
	uint64_t from, to;
};

/* A set of instants: disjoint stretches in ascending order. What finds no room closes the smallest gap. */
struct stretches {
	uint32_t count;
	struct stretch at[BURST_WORK];
};
void stretches_add(struct stretches *s, uint64_t from, uint64_t to);
/* Of [from, to), how much is in `s`; and in `s` but not in `less` (NULL: nothing is taken off). */
uint64_t stretches_within(const struct stretches *s, const struct stretches *less, uint64_t from,
			  uint64_t to);

struct part_group {
	struct stretch time;
	uint64_t last_from; /* start of the latest part of it */
	bool estimated;	    /* its end is */
};

struct burst {
	struct part_group parts[BURST_PARTS];
	struct part_group calls[BURST_CALLS];
	struct stretches work, wait;
	uint8_t part_count, call_count;
	bool crowded; /* calls or parts found no room */
};

/* One request of the page. Zero: unobserved. */
struct part_times {
	uint64_t arrived_ns, read_ns, first_byte_ns; /* first_byte: of the response, written */
	uint64_t end_ns;			     /* last octet acknowledged */
	bool estimated;				     /* end_ns is */
};

void burst_add(struct burst *b, const struct part_times *t, bool call);

/* All that is of `from` is of *into too. */
void burst_join(struct burst *into, const struct burst *from);

struct burst_end {
	uint64_t at_ns;
	bool estimated;
};
/* The end of the burst that begins with `document`. */
struct burst_end burst_end(const struct burst *b, const struct part_times *document);

#endif
