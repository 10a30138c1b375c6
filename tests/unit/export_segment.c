/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_segment.c: names of a segment by use, and what of it may leave in each privacy mode.
 */
#include "unit.h"

#include <string.h>

#include "export/fact.h"
#include "export/segment.h"

static struct session_fact sample_fact(void)
{
	return (struct session_fact){
		.kind = FACT_END,
		.site = SLICE("shop.example"),
		.segment = { .synthetic = "bot",
			     .suspected = true,
			     .device = "mobile",
			     .os = "Android",
			     .browser = "Chrome",
			     .country = "BE",
			     .region = "BE-VLG",
			     .touchpoint = "web",
			     .customer = "gold",
			     .visitor = "new",
			     .first = { "email", SLICE("news"), SLICE("email"), SLICE("spring") },
			     .last = { "referral", SLICE("198.51.100.77"), SLICE(""),
				       SLICE("jane@example.com") } },
	};
}

static const char *find(const struct segment *s, enum segment_use use, const char *key)
{
	struct segment_attribute at[SEGMENT_ATTRIBUTES];
	unsigned n = segment_attributes(s, use, at);
	static char text[64];

	assert_true(n <= SEGMENT_ATTRIBUTES);
	for (unsigned i = 0; i < n; i++) {
		if (!slice_eq(at[i].key, slice_str(key)))
			continue;
		if (!at[i].value.at)
			return "true";
		memcpy(text, at[i].value.at, at[i].value.len);
		text[at[i].value.len] = 0;
		return text;
	}
	return NULL;
}

static void rows_have_all(void **state)
{
	const struct session_fact f = sample_fact();
	struct segment_attribute at[SEGMENT_ATTRIBUTES];

	/* all but the medium that there is none of */
	assert_int_equal(segment_attributes(&f.segment, SEGMENT_ROW, at), SEGMENT_ATTRIBUTES - 1);
	assert_string_equal(find(&f.segment, SEGMENT_ROW, "geo.region.iso_code"), "BE-VLG");
	assert_string_equal(find(&f.segment, SEGMENT_ROW, "parcours.suspected"), "true");
}

/* What anybody can make up, or has many values, is in no metric. */
static void metrics_have_the_few_valued(void **state)
{
	const struct session_fact f = sample_fact();

	for (enum segment_use use = SEGMENT_VISIT_METRIC; use <= SEGMENT_PAGE_METRIC; use++) {
		assert_null(find(&f.segment, use, "parcours.campaign.source"));
		assert_null(find(&f.segment, use, "parcours.last_touch.channel"));
		assert_null(find(&f.segment, use, "geo.region.iso_code"));
		assert_null(find(&f.segment, use, "user_agent.name"));
		assert_string_equal(find(&f.segment, use, "parcours.device"), "mobile");
		assert_string_equal(find(&f.segment, use, "user_agent.synthetic.type"), "bot");
		assert_string_equal(find(&f.segment, use, "parcours.customer.class"), "gold");
	}
	assert_string_equal(find(&f.segment, SEGMENT_VISIT_METRIC, "geo.country.iso_code"), "BE");
	assert_string_equal(find(&f.segment, SEGMENT_VISIT_METRIC, "parcours.channel"), "email");
	assert_null(find(&f.segment, SEGMENT_PAGE_METRIC, "geo.country.iso_code"));
	assert_null(find(&f.segment, SEGMENT_PAGE_METRIC, "parcours.channel"));
}

static void privacy_of_a_segment(void **state)
{
	struct privacy_rules rules = { .mode = PRIVACY_AUDIENCE };
	struct session_fact f = sample_fact();
	struct fact_view v;

	fact_view_init(&v);
	assert_int_equal(fact_view_make(&v, &rules, &f), 0);
	assert_null(v.fact.segment.customer);
	assert_slice(v.fact.segment.first.campaign, "spring");
	assert_slice(v.fact.segment.last.source, "198.51.100.0");
	assert_slice(v.fact.segment.last.campaign, "REDACTED");
	f.segment.customer = "staff";
	assert_int_equal(fact_view_make(&v, &rules, &f), 0);
	assert_string_equal(v.fact.segment.customer, "staff");
	f.segment.customer = "test";
	assert_int_equal(fact_view_make(&v, &rules, &f), 0);
	assert_string_equal(v.fact.segment.customer, "test");
	f.segment.customer = "gold";
	rules.mode = PRIVACY_CUSTOMER;
	assert_int_equal(fact_view_make(&v, &rules, &f), 0);
	assert_string_equal(v.fact.segment.customer, "gold");
	assert_slice(v.fact.segment.last.campaign, "REDACTED");
	rules.mode = PRIVACY_NONE;
	assert_int_equal(fact_view_make(&v, &rules, &f), 0);
	assert_slice(v.fact.segment.last.source, "198.51.100.77");
	assert_slice(v.fact.segment.last.campaign, "jane@example.com");
	fact_view_done(&v);
}

UNIT_MAIN(T(rows_have_all), T(metrics_have_the_few_valued), T(privacy_of_a_segment))
