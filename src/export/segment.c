/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment.c: see segment.h. One list in the order of share/schema.md. Stateless.
 */
#include "export/segment.h"

struct listing {
	struct segment_attribute *at;
	unsigned count;
	enum segment_use use;
};

/* `most`: the widest use that has it not left out. */
static void put(struct listing *l, enum segment_use most, struct slice key, struct slice value)
{
	if (l->use <= most && value.len)
		l->at[l->count++] = (struct segment_attribute){ key, value };
}

static void put_name(struct listing *l, enum segment_use most, struct slice key, const char *name)
{
	if (name)
		put(l, most, key, slice_str(name));
}

unsigned segment_attributes(const struct segment *s, enum segment_use use,
			    struct segment_attribute ret[SEGMENT_ATTRIBUTES])
{
	struct listing l = { ret, 0, use };

	put_name(&l, SEGMENT_PAGE_METRIC, SLICE("user_agent.synthetic.type"), s->synthetic);
	if (s->suspected)
		ret[l.count++] = (struct segment_attribute){ .key = SLICE("parcours.suspected") };
	put_name(&l, SEGMENT_PAGE_METRIC, SLICE("parcours.device"), s->device);
	put_name(&l, SEGMENT_ROW, SLICE("user_agent.os.name"), s->os);
	put_name(&l, SEGMENT_ROW, SLICE("user_agent.name"), s->browser);
	put_name(&l, SEGMENT_VISIT_METRIC, SLICE("geo.country.iso_code"), s->country);
	put_name(&l, SEGMENT_ROW, SLICE("geo.region.iso_code"), s->region);
	put_name(&l, SEGMENT_PAGE_METRIC, SLICE("parcours.touchpoint"), s->touchpoint);
	put_name(&l, SEGMENT_PAGE_METRIC, SLICE("parcours.customer.class"), s->customer);
	put_name(&l, SEGMENT_VISIT_METRIC, SLICE("parcours.visitor"), s->visitor);
	put_name(&l, SEGMENT_VISIT_METRIC, SLICE("parcours.channel"), s->first.channel);
	put(&l, SEGMENT_ROW, SLICE("parcours.campaign.source"), s->first.source);
	put(&l, SEGMENT_ROW, SLICE("parcours.campaign.medium"), s->first.medium);
	put(&l, SEGMENT_ROW, SLICE("parcours.campaign.name"), s->first.campaign);
	put_name(&l, SEGMENT_ROW, SLICE("parcours.last_touch.channel"), s->last.channel);
	put(&l, SEGMENT_ROW, SLICE("parcours.last_touch.campaign.source"), s->last.source);
	put(&l, SEGMENT_ROW, SLICE("parcours.last_touch.campaign.medium"), s->last.medium);
	put(&l, SEGMENT_ROW, SLICE("parcours.last_touch.campaign.name"), s->last.campaign);
	return l.count;
}
