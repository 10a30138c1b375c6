/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channels.h: who refers people to shops, as data (channels_hosts.c), for channel.c.
 */
#ifndef PC_SESSION_WHO_CHANNELS_H
#define PC_SESSION_WHO_CHANNELS_H

#include "base/slice.h"

/* GA4's source categories, and three of ours: ASSISTANT, EMAIL, and RETURN (payment and sign-in
 * services, which send people back into the visit they came from). */
enum source_kind {
	SOURCE_NONE,
	SOURCE_SEARCH,
	SOURCE_SOCIAL,
	SOURCE_VIDEO,
	SOURCE_SHOPPING,
	SOURCE_EMAIL,
	SOURCE_ASSISTANT,
	SOURCE_RETURN,
};

/*
 * A host and all below it: `google.com`. With ".*" at the end any top-level domain, also of two
 * labels (co.uk): `google.*`. Ordered by the octets of `host`; the unit test checks it.
 */
struct source_host {
	struct slice host;
	uint8_t kind;
};
extern const struct source_host source_hosts[];
extern const size_t source_host_count;

/* What utm_source says without a dot: `google`, `newsletter`. Ordered likewise. */
extern const struct source_host source_words[];
extern const size_t source_word_count;

#endif
