/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * door.h: what of a look at listeners is news, and whether a packet was meant for an address that a
 * listener had. Pure, tested on the host; door.bpf.h asks the kernel.
 */
#ifndef PC_BPF_DOOR_PURE_H
#define PC_BPF_DOOR_PURE_H

#include "parcours/abi.h"
#include "state.h"

/* `first`: who waits first in the accept queue, 0 = nobody. Who waits there at two looks has not been
 * accepted meanwhile, and neither has anybody behind. True: to be told. */
static inline bool pc_door_waits(struct pc_door *d, __u64 first, __u64 now_ns)
{
	bool stood = d->still;

	if (!first || first != d->first) {
		d->first = first;
		d->still = 0;
		d->still_ns = now_ns;
		return stood;
	}
	return d->still++ % PC_STILL_LOOKS == 0;
}

/* Does a listener on `own` (struct pc_addr) take what is sent to `to`? [::] takes both families. */
static inline bool pc_addr_covers(const __u8 own[16], const __u8 to[16])
{
	bool v4 = true, any = true, same = true;

	for (int i = 0; i < 12; i++)
		if (own[i] != (i < 10 ? 0 : 0xff))
			v4 = false;
	for (int i = v4 ? 12 : 0; i < 16; i++)
		if (own[i])
			any = false;
	for (int i = 0; i < (any && v4 ? 12 : 16); i++)
		if (own[i] != to[i])
			same = false;
	return same || (any && !v4);
}

#endif
