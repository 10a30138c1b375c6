/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fact.h: what of a fact may leave the process, as privacy.h has it for transactions. Every output of
 * facts is written from what fact_view_make gives.
 */
#ifndef PC_EXPORT_FACT_H
#define PC_EXPORT_FACT_H

#include "export/privacy.h"

struct fact_view {
	struct session_fact fact;
	struct page_seen page;
	char site[PRIVACY_HOST], host[PRIVACY_HOST], source[2][PRIVACY_HOST];
	struct buf scratch;
};

void fact_view_init(struct fact_view *v);
void fact_view_done(struct fact_view *v);
/* v->fact is valid until the next call, and as long as `f` is. -ENOMEM: nothing of it may be exported. */
int fact_view_make(struct fact_view *v, const struct privacy_rules *rules,
		   const struct session_fact *f);

/* What may leave of a segment, in place; `source`: memory for its hosts. */
void fact_segment(struct segment *s, const struct privacy_rules *rules,
		  char source[2][PRIVACY_HOST]);

/* Names of what was not observed of a page view, and of what is an estimate; return how many. Behind a proxy
 * the names of what was lived end where it stands. */
#define PAGE_NAMES 6
unsigned page_missing(const struct page_seen *p, const char *ret[PAGE_NAMES]);
unsigned page_estimated(const struct page_seen *p, const char *ret[PAGE_NAMES]);

#endif
