/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export.c: the front of the last stage. Takes transactions (trace fields filled) from the stage
 * before, makes the exportable view of each once, and hands it to the outputs that are on: NDJSON and
 * console rows (base/out), spans and metrics (OTLP). Owns all of them. Loop thread; the one worker
 * thread belongs to sender.c.
 */
#include "export/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/out.h"
#include "export/console.h"
#include "export/ndjson.h"
#include "export/privacy.h"

#define NDJSON_BYTES  (4u << 20) /* waiting for a slow reader */
#define CONSOLE_BYTES (64u << 10)
#define FIGURES	      512
#define SAY_AGAIN_NS  (60 * NS_PER_S)

/* One output to a descriptor, and what was last said of its failing. */
struct outlet {
	struct out out;
	const char *name;
	uint64_t errors_said;
	uint64_t said_ns;
};

struct export {
	struct export_options options;
	struct privacy_rules rules;
	struct view view;
	struct outlet ndjson, console;
	struct console terminal;
	int64_t wall_minus_mono_ns;
	uint64_t now_ns;
	uint64_t next_stats_ns;
	void *figures_ctx;
	uint32_t (*figures)(void *ctx, struct counter *ret, uint32_t max);
	struct counter figure[FIGURES];
	uint64_t console_hidden;
};

static bool has_rows(const struct export *x)
{
	return x->ndjson.out.fd >= 0 || x->console.out.fd >= 0;
}

static void write_rows(struct export *x, const struct transaction *t)
{
	struct ndjson_context context = { x->wall_minus_mono_ns, x->options.service_name };

	if (x->ndjson.out.fd >= 0) {
		ndjson_transaction(out_row(&x->ndjson.out), &context, t, &x->view);
		out_commit(&x->ndjson.out);
	}
	if (x->console.out.fd >= 0) {
		struct buf *row = out_row(&x->console.out);

		if (console_transaction(&x->terminal, row, t, &x->view, x->wall_minus_mono_ns, x->now_ns))
			out_commit(&x->console.out);
		else
			x->console_hidden++;
	}
}

static void on_transaction(void *ctx, struct transaction *t)
{
	struct export *x = ctx;

	if (has_rows(x)) {
		if (view_make(&x->view, &x->rules, t) == 0) {
			write_rows(x, t);
		} else {
			x->ndjson.out.dropped += x->ndjson.out.fd >= 0;
			x->console.out.dropped += x->console.out.fd >= 0;
		}
	}
}

struct txn_sink export_txn_sink(struct export *x)
{
	return (struct txn_sink){ .ctx = x, .transaction = on_transaction };
}

void export_clock(struct export *x, int64_t wall_minus_mono_ns)
{
	x->wall_minus_mono_ns = wall_minus_mono_ns;
}

void export_figures(struct export *x, void *ctx,
		    uint32_t (*figures)(void *ctx, struct counter *ret, uint32_t max))
{
	x->figures_ctx = ctx;
	x->figures = figures;
}

static uint64_t wall_ns(const struct export *x)
{
	return x->now_ns + (uint64_t)x->wall_minus_mono_ns;
}

static void write_stats(struct export *x, bool final)
{
	uint32_t n = x->figures ? x->figures(x->figures_ctx, x->figure, FIGURES) : 0;

	if (x->ndjson.out.fd < 0)
		return;
	ndjson_stats(out_row(&x->ndjson.out), wall_ns(x), final, x->figure, n);
	out_commit(&x->ndjson.out);
}

/* A full disk or a reader that left: said when it begins, then once a minute while it lasts. */
static void say_outlet(struct export *x, struct outlet *o)
{
	char text[256];

	if (!x->options.say || o->errors_said == o->out.errors)
		return;
	if (o->errors_said && x->now_ns - o->said_ns < SAY_AGAIN_NS)
		return;
	if (o->out.closed)
		snprintf(text, sizeof(text), "%s: the reader is gone (%s); rows are dropped and counted",
			 o->name, strerror(o->out.error));
	else
		snprintf(text, sizeof(text),
			 "%s: cannot write (%s); rows are kept as far as memory is set aside, then dropped "
			 "and counted: make room and it goes on",
			 o->name, strerror(o->out.error));
	o->errors_said = o->out.errors;
	o->said_ns = x->now_ns;
	x->options.say(x->options.say_ctx, text);
}

void export_tick(struct export *x, uint64_t now_ns)
{
	x->now_ns = now_ns;
	if (!x->next_stats_ns)
		x->next_stats_ns = now_ns + x->options.stats_interval_ns;
	if (x->options.stats_interval_ns && now_ns >= x->next_stats_ns) {
		write_stats(x, false);
		x->next_stats_ns = now_ns + x->options.stats_interval_ns;
	}
	if (x->console.out.fd >= 0 && console_tick(&x->terminal, out_row(&x->console.out), now_ns))
		out_commit(&x->console.out);
	out_flush(&x->ndjson.out);
	out_flush(&x->console.out);
	say_outlet(x, &x->ndjson);
	say_outlet(x, &x->console);
}

void export_finish(struct export *x, uint64_t drain_ns)
{
	unsigned ms = (unsigned)(drain_ns / NS_PER_MS);

	write_stats(x, true);
	out_drain(&x->ndjson.out, ms);
	out_drain(&x->console.out, ms);
	say_outlet(x, &x->ndjson);
	out_done(&x->ndjson.out);
	out_done(&x->console.out);
}

void export_stats(const struct export *x, struct export_stats *ret)
{
	*ret = (struct export_stats){
		.ndjson_rows = x->ndjson.out.rows,
		.ndjson_dropped = x->ndjson.out.dropped,
		.ndjson_errors = x->ndjson.out.errors,
		.ndjson_errno = x->ndjson.out.error,
		.console_rows = x->console.out.rows,
		.console_dropped = x->console.out.dropped + x->console_hidden,
	};
}

int export_new(const struct export_options *options, struct export **ret)
{
	struct export *x = calloc(1, sizeof(*x));

	if (!x)
		return -ENOMEM;
	x->options = *options;
	x->rules = (struct privacy_rules){ options->privacy, options->query_keep, options->peer_address };
	x->terminal = (struct console){ .color = options->console_color, .width = options->console_width };
	x->ndjson.name = "NDJSON";
	x->console.name = "console";
	out_init(&x->ndjson.out, options->ndjson_fd, NDJSON_BYTES);
	out_init(&x->console.out, options->console_fd, CONSOLE_BYTES);
	x->ndjson.out.patient = x->console.out.patient = options->patient;
	view_init(&x->view);
	*ret = x;
	return 0;
}

void export_free(struct export *x)
{
	if (!x)
		return;
	out_done(&x->ndjson.out);
	out_done(&x->console.out);
	view_done(&x->view);
	free(x);
}
