/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment.h: the attributes of a segment, the same by name and value in session and page_view rows, events and
 * metrics. Metrics have those whose values are few; campaigns and regions are for rows.
 */
#ifndef PC_EXPORT_SEGMENT_H
#define PC_EXPORT_SEGMENT_H

#include "session/session.h"

#define SEGMENT_ATTRIBUTES 18

enum segment_use {
	SEGMENT_ROW,
	SEGMENT_VISIT_METRIC, /* beside the site */
	SEGMENT_PAGE_METRIC,  /* beside site and page group, so still fewer */
};

struct segment_attribute {
	struct slice key;
	struct slice value; /* at == NULL: it is true */
};

/* Those that are there; returns how many. They point into *s. */
unsigned segment_attributes(const struct segment *s, enum segment_use use,
			    struct segment_attribute ret[SEGMENT_ATTRIBUTES]);

#endif
