/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_journeys.c: funnels and objectives of the configuration: what is read of them, every error with its line,
 * their bounds.
 */
#include "unit.h"

#include "config_kit.h"

static void journeys_are_read(void **state)
{
	struct config *c = good("rules: [a.yaml, '/etc/parcours/rules/*.yaml']\n"
				"journeys:\n"
				"  buy:\n"
				"    site: shop.example\n"
				"    objectives: [{step: checkout, device: mobile, country: FR, "
				"under: 2s, share: 95%}]\n"
				"    steps: [view_item, address,\n"
				"      {name: checkout, pages: [/checkout, '/checkout/*']}, {name: "
				"x, event: own}, order]\n"
				"  other: {steps: [search]}\n",
				NULL);
	const struct definitions *d = &c->definitions;
	const struct objective *o = &d->objectives[0];

	assert_int_equal(c->rules.count, 2);
	assert_int_equal(d->funnel_count, 2);
	assert_string_equal(d->funnels[0].name, "buy");
	assert_string_equal(d->funnels[0].site, "shop.example");
	assert_int_equal(d->funnels[0].step_count, 5);
	assert_string_equal(d->funnels[0].steps[0].event, "view_item");
	assert_string_equal(d->funnels[0].steps[1].event, "parcours.add_address_info");
	assert_null(d->funnels[0].steps[2].event);
	assert_string_equal(d->funnels[0].steps[2].pages[1], "/checkout/*");
	assert_null(d->funnels[0].steps[2].pages[2]);
	assert_string_equal(d->funnels[0].steps[3].event, "own");
	assert_string_equal(d->funnels[0].steps[4].event, "purchase");
	assert_null(d->funnels[1].site);
	assert_int_equal(d->objective_count, 1);
	assert_string_equal(o->name, "buy/checkout/mobile/FR");
	assert_ptr_equal(o->funnel, &d->funnels[0]);
	assert_ptr_equal(o->step, &d->funnels[0].steps[2]);
	assert_u64(o->under_ns, 2000000000);
	assert_int_equal(o->share_ppm, 950000);
	config_free(c);
	c = good("journeys:\n", NULL);
	assert_int_equal(c->definitions.funnel_count, 0);
	config_free(c);
}

/* Each with its line; nothing of it is guessed. */
static void journeys_with_errors(void **state)
{
	static const char *const bad[][2] = {
		{ "journeys: [a]", "f.yaml:1: journeys: expected names with their steps" },
		{ "journeys: {a: 3}", "journeys.a: expected steps" },
		{ "journeys: {a: {}}", "journeys.a: steps are missing" },
		{ "journeys: {a: {steps: view_item}}", "steps: expected a list" },
		{ "journeys: {a: {step: [order]}}", "a: unknown key step" },
		{ "journeys: {a: {steps: [order], site: []}}", "site: expected a text" },
		{ "journeys: {a: {steps: [order, order]}}", "step \"order\": is there already" },
		{ "journeys: {a: {steps: [buy]}}", "step \"buy\": is no event that is known" },
		{ "journeys: {a: {steps: [{event: x}]}}", "step: name is missing" },
		{ "journeys: {a: {steps: [[order]]}}", "step: expected the name of an event" },
		{ "journeys: {a: {steps: [{name: b, pages: /x}]}}", "pages: expected a list" },
		{ "journeys: {a: {steps: [{name: b, pages: [x]}]}}", "pages: expected a path" },
		{ "journeys: {a: {steps: [{name: b, pages: ['/[a]']}]}}",
		  "pages: expected a path" },
		{ "journeys: {a: {steps: [{name: b, name: c, event: d}]}}", "name is given twice" },
		{ "journeys: {a: {steps: [order], objectives: 3}}", "objectives: expected a list" },
		{ "journeys: {a: {steps: [order], objectives: [3]}}", "objective: expected step" },
		{ "journeys: {a: {steps: [order], objectives: [{step: order}]}}",
		  "objective: step, under and share are needed" },
		{ "journeys: {a: {steps: [order], objectives: [{step: b, under: 1s, share: 1}]}}",
		  "objective: \"b\" is no step of a" },
		{ "journeys: {a: {steps: [order], objectives: [{step: order, under: 1s, share: "
		  "1}]}}",
		  "step \"order\" has no pages" },
		{ "journeys: {a: {steps: [{name: b, pages: [/]}], objectives: [{share: 0}]}}",
		  "share: expected a share above 0" },
		{ "journeys: {a: {steps: [{name: b, pages: [/]}], objectives: [{under: soon}]}}",
		  "under: expected a duration" },
		{ "journeys: {a: {steps: [{name: b, pages: [/]}], objectives: [{device: phone}]}}",
		  "device: \"phone\" is no device" },
		{ "journeys: {a: {steps: [{name: b, pages: [/]}], objectives: [{country: fr}]}}",
		  "country: \"fr\" is no code" },
		{ "journeys: {a: {steps: [{name: b, pages: [/]}], objectives: [{channel: tv}]}}",
		  "channel: \"tv\" is no channel" },
		{ "journeys: {a: {steps: [{name: b, pages: [/]}], objectives: "
		  "[{step: b, under: 1s, share: 1}, {step: b, under: 2s, share: 1}]}}",
		  "objective \"a/b\": is there already" },
		{ "journeys:\n  a: {steps: [order]}\n  a: {steps: [order]}",
		  "f.yaml:3: journeys.a: given twice" },
		{ "rules: ['']", "rules: \"\" is empty" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct heard s;

		said_init(&s);
		if (load(&s, bad[i][0], NULL, NULL, 0))
			fail_msg("%s", bad[i][0]);
		assert_true(says(&s, bad[i][1]));
		buf_done(&s.text);
	}
}

/* At each bound there is no place beyond it. */
static void journeys_at_their_bounds(void **state)
{
	struct heard s;
	struct buf text;

	buf_init(&text, 1 << 20);
	buf_add_str(&text, "journeys:\n");
	for (int i = 0; i <= FUNNELS_MAX; i++)
		buf_addf(&text, "  f%d: {steps: [order]}\n", i);
	buf_add_str(&text, "  g:\n    steps:\n");
	buf_add_byte(&text, 0);
	said_init(&s);
	assert_null(load(&s, text.at, NULL, NULL, 0));
	assert_true(says(&s, "journeys: more than 16"));
	buf_done(&s.text);
	buf_clear(&text);
	buf_add_str(&text, "journeys:\n  f:\n    steps:\n");
	for (int i = 0; i <= FUNNEL_STEPS; i++)
		buf_addf(&text, "      - {name: s%d, pages: [/]}\n", i);
	buf_add_str(&text, "    objectives:\n");
	for (int i = 0; i <= OBJECTIVES_MAX; i++)
		buf_addf(&text, "      - {name: o%d, step: s0, under: 1s, share: 1}\n", i);
	buf_add_byte(&text, 0);
	said_init(&s);
	assert_null(load(&s, text.at, NULL, NULL, 0));
	assert_true(says(&s, "steps: more than 16"));
	assert_true(says(&s, "objectives: more than 64"));
	buf_done(&s.text);
	buf_done(&text);
}

UNIT_MAIN(T(journeys_are_read), T(journeys_with_errors), T(journeys_at_their_bounds))
