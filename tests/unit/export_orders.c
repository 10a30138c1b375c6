/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_orders.c: metrics of events: that they only add up, exactly, by currency, within their bound.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "event_kit.h"
#include "export/journey.h"

/* Sum of the points of a metric that have the attribute; *ret_points: how many. */
static int64_t total(const struct journey_metrics *m, const char *name, const char *key,
		     const char *wanted, unsigned *ret_points)
{
	struct buf out;
	struct slice all;
	struct pb_field metric, p;
	int64_t sum = 0;

	buf_init(&out, 1 << 20);
	journey_metrics_encode(m, 100, &out);
	assert_false(out.failed);
	all = buf_slice(&out);
	*ret_points = 0;
	while (pb_next(&all, &metric) == 1) {
		struct slice points;

		if (!slice_eq(field(metric.bytes, 1).bytes, slice_str(name)))
			continue;
		points = field(metric.bytes, 7).bytes;
		while (pb_next(&points, &p) == 1) {
			struct slice v;

			if (p.number != 1 ||
			    (key && (!has(p.bytes, 7, key, &v) ||
				     (wanted && !slice_eq(field(v, 1).bytes, slice_str(wanted))))))
				continue;
			sum += (int64_t)field(p.bytes, 6).value;
			++*ret_points;
		}
	}
	buf_done(&out);
	return sum;
}

static void sums_are_exact_and_by_currency(void **state)
{
	struct event e = sample_order(), yen = sample_order(), odd = sample_order();
	struct journey_metrics *m;
	unsigned points;

	assert_int_equal(journey_metrics_new(100, &m), 0);
	for (int i = 0; i < 3; i++)
		journey_metrics_event(m, &e, 1);
	e.value = (struct amount){ .units = 1, .scale = 1, .currency = "EUR" }; /* 0.1 */
	for (int i = 0; i < 10; i++)
		journey_metrics_event(m, &e, 1);
	yen.value = (struct amount){ .units = 1200, .currency = "JPY" };
	memcpy(yen.currency, "JPY", 4);
	journey_metrics_event(m, &yen, 1);
	odd.currency[0] = odd.value.currency[0] = 0; /* no currency was seen */
	journey_metrics_event(m, &odd, 1);
	odd = sample_order();
	odd.value = (struct amount){ .units = 123456, .scale = 4, .currency = "EUR" }; /* 12.3456 */
	journey_metrics_event(m, &odd, 1);
	odd.has = 0;
	journey_metrics_event(m, &odd, 1);
	odd.confidence = CONFIDENCE_CANDIDATE; /* nobody counts on it */
	journey_metrics_event(m, &odd, 1);
	assert_int_equal(total(m, "parcours.orders", NULL, NULL, &points), 17);
	assert_int_equal(points, 1);
	assert_int_equal(total(m, "parcours.orders.unvalued", NULL, NULL, &points), 3);
	assert_int_equal(total(m, "parcours.revenue", "parcours.currency", "EUR", &points),
			 3 * 50290 + 10 * 10);
	assert_int_equal(total(m, "parcours.revenue", "parcours.currency", "JPY", &points), 1200);
	assert_int_equal(total(m, "parcours.revenue", NULL, NULL, &points),
			 3 * 50290 + 10 * 10 + 1200);
	assert_int_equal(points, 2);
	journey_metrics_free(m);
}

/* An order that is told again counts nothing again, but its value where that was not known before. */
static void revisions_of_an_order_count_once(void **state)
{
	struct event e = sample_order();
	struct journey_metrics *m;
	unsigned points;

	assert_int_equal(journey_metrics_new(100, &m), 0);
	e.has &= ~SAID_VALUE;
	journey_metrics_event(m, &e, 1);
	assert_int_equal(total(m, "parcours.revenue", NULL, NULL, &points), 0);
	e = sample_order();
	e.revision = 2;
	e.adds_value = true;
	journey_metrics_event(m, &e, 1);
	e.revision = 3;
	e.adds_value = false;
	journey_metrics_event(m, &e, 1);
	assert_int_equal(total(m, "parcours.orders", NULL, NULL, &points), 1);
	assert_int_equal(total(m, "parcours.orders.unvalued", NULL, NULL, &points), 1);
	assert_int_equal(total(m, "parcours.revenue", "parcours.currency", "EUR", &points), 50290);
	journey_metrics_free(m);
}

static void changes_errors_and_objectives(void **state)
{
	struct event added = added_event(), refused = refused_event(EVENT_CART_REFUSED, "no"),
		     error = refused_event(EVENT_PAYMENT_ERROR, "no"),
		     seen = sample_event(EVENT_VIEW_ITEM);
	struct journey_metrics *m;
	unsigned points;

	assert_int_equal(journey_metrics_new(100, &m), 0);
	journey_metrics_event(m, &added, 1);
	journey_metrics_event(m, &added, 1);
	journey_metrics_event(m, &refused, 1);
	journey_metrics_event(m, &error, 1);
	journey_metrics_event(m, &seen, 1);
	journey_metrics_objective(m, &objective, SLICE("shop.example"), false, 1);
	assert_int_equal(
		total(m, "parcours.cart.changes", "parcours.event.name", "add_to_cart", &points),
		2);
	assert_int_equal(total(m, "parcours.cart.changes", NULL, NULL, &points), 3);
	assert_int_equal(total(m, "parcours.payment.errors", "parcours.device", "mobile", &points),
			 1);
	assert_int_equal(total(m, "parcours.objective.pages.good", "parcours.objective",
			       "buy/checkout/mobile/FR", &points),
			 0);
	assert_int_equal(points, 1); /* a zero that is told */
	journey_metrics_objective(m, &objective, SLICE("shop.example"), true, 1);
	assert_int_equal(total(m, "parcours.objective.pages", NULL, NULL, &points), 2);
	assert_int_equal(total(m, "parcours.objective.pages.good", NULL, NULL, &points), 1);
	journey_metrics_free(m);
}

/* What finds no series of its own is in one; money of several currencies never is. */
static void series_are_bounded(void **state)
{
	struct journey_metrics *m;
	unsigned points;
	char site[20];

	assert_int_equal(journey_metrics_new(6, &m), 0);
	for (unsigned i = 0; i < 20; i++) {
		struct event e = sample_order();

		snprintf(site, sizeof(site), "s%u.example", i);
		e.site = slice_str(site);
		journey_metrics_event(m, &e, 1);
	}
	assert_int_equal(total(m, "parcours.orders", NULL, NULL, &points), 20);
	assert_int_equal(total(m, "parcours.orders", "otel.metric.overflow", NULL, &points), 17);
	assert_int_equal(total(m, "parcours.revenue", NULL, NULL, &points), 3 * 50290);
	assert_u64(journey_metrics_overflow(m), 17);
	assert_u64(journey_metrics_lost(m), 17);
	journey_metrics_free(m);
}

UNIT_MAIN(T(sums_are_exact_and_by_currency), T(revisions_of_an_order_count_once),
	  T(changes_errors_and_objectives), T(series_are_bounded))
