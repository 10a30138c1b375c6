/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rehearse.c: see rehearse.h. A witness of the journey stage counts; the rules are numbered as their files have
 * them.
 */
#include "agent/command/rehearse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/command/command.h"
#include "agent/config/options.h"
#include "agent/recording.h"
#include "base/log.h"

#define TOGETHER 16  /* rules that hold of one transaction; more are not looked at */
#define PAIRS	 256 /* of rules that did, remembered */
#define VALUE	 64

struct tally {
	uint64_t matched, missing, unread, undecided, overlapped;
	char value[VALUE]; /* the last one that was missing or unread */
	enum amount_refusal why;
};

struct pair {
	uint32_t a, b;
	uint64_t count;
};

struct rehearsal {
	const struct rules *rules;
	struct tally *tally;
	uint32_t count;
	uint32_t together[TOGETHER], held;
	struct pair pairs[PAIRS];
	uint32_t pair_count;
	uint64_t transactions, pairs_left_out;
};

static void hold(struct rehearsal *r, uint32_t rule)
{
	for (uint32_t i = 0; i < r->held; i++)
		if (r->together[i] == rule)
			return;
	if (r->held < TOGETHER)
		r->together[r->held++] = rule;
}

static void on_said(void *ctx, const struct said *s)
{
	struct rehearsal *r = ctx;

	for (uint32_t i = 0; i < r->count; i++) {
		if (strcmp(rules_name(r->rules, i), s->rule) != 0)
			continue;
		r->tally[i].matched++;
		hold(r, i);
		return;
	}
}

static void on_missed(void *ctx, uint32_t rule, const char *value, enum amount_refusal why)
{
	struct rehearsal *r = ctx;
	struct tally *t;

	if (rule >= r->count)
		return;
	t = &r->tally[rule];
	t->missing += why == AMOUNT_READ;
	t->unread += why != AMOUNT_READ;
	t->why = why;
	snprintf(t->value, sizeof(t->value), "%s", value ? value : "?");
	hold(r, rule);
}

static void on_undecided(void *ctx, uint32_t rule)
{
	struct rehearsal *r = ctx;

	if (rule < r->count)
		r->tally[rule].undecided++;
}

static void on_overlapped(void *ctx, uint32_t rule)
{
	struct rehearsal *r = ctx;

	if (rule >= r->count)
		return;
	r->tally[rule].overlapped++;
	hold(r, rule);
}

static void pair_up(struct rehearsal *r, uint32_t a, uint32_t b)
{
	uint32_t low = a < b ? a : b, high = a < b ? b : a, i = 0;

	while (i < r->pair_count && (r->pairs[i].a != low || r->pairs[i].b != high))
		i++;
	if (i == PAIRS) {
		r->pairs_left_out++;
		return;
	}
	if (i == r->pair_count)
		r->pairs[r->pair_count++] = (struct pair){ low, high, 0 };
	r->pairs[i].count++;
}

static void on_over(void *ctx, const struct transaction *t)
{
	struct rehearsal *r = ctx;

	r->transactions++;
	for (uint32_t i = 0; i < r->held; i++)
		for (uint32_t k = i + 1; k < r->held; k++)
			pair_up(r, r->together[i], r->together[k]);
	r->held = 0;
}

static void report(const struct rehearsal *r)
{
	printf("%llu transactions, %u rules\n", (unsigned long long)r->transactions, r->count);
	for (uint32_t i = 0; i < r->count; i++) {
		const struct tally *t = &r->tally[i];

		unsigned line = 0;
		const char *file = rules_place(r->rules, i, &line);

		printf("%8llu  %s (%s:%u)", (unsigned long long)t->matched, rules_name(r->rules, i),
		       file, line);
		if (!t->matched && !t->missing && !t->unread && !t->overlapped)
			printf(": never matched");
		if (t->overlapped)
			printf("; %llu more after a rule before it that said the same",
			       (unsigned long long)t->overlapped);
		if (t->undecided)
			printf("; %llu of which it was not seen whether it holds",
			       (unsigned long long)t->undecided);
		if (t->missing)
			printf("; %llu more without a required value%s%s",
			       (unsigned long long)t->missing,
			       t->unread ? "" : ", the last: ", t->unread ? "" : t->value);
		if (t->unread)
			printf("; %llu with a value that could not be read, the last: %s (%s)",
			       (unsigned long long)t->unread, t->value,
			       amount_refusal_name(t->why));
		putchar('\n');
	}
	for (uint32_t i = 0; i < r->pair_count; i++)
		printf("%8llu  transactions of both %s and %s\n",
		       (unsigned long long)r->pairs[i].count, rules_name(r->rules, r->pairs[i].a),
		       rules_name(r->rules, r->pairs[i].b));
	if (r->pairs_left_out)
		printf("%8llu  transactions of other pairs\n",
		       (unsigned long long)r->pairs_left_out);
}

static uint32_t no_figures(void *ctx, struct counter *ret, uint32_t max)
{
	return 0;
}

static int run(struct rehearsal *r, const struct config *config, struct rules *rules,
	       struct recording *recording)
{
	const struct journey_witness witness = {
		r, on_said, on_missed, on_undecided, on_overlapped, on_over
	};
	const struct core_outside outside = { .config = config,
					      .ndjson_fd = -1,
					      .console_fd = -1,
					      .rules = rules,
					      .witness = &witness,
					      .figures = no_figures };
	const struct pc_head *rec;
	struct core *core;
	const char *why;
	int got, err = core_new(&outside, &core);

	if (err) {
		log_error("cannot start: %s", strerror(-err));
		return EXIT_RUNTIME;
	}
	while ((got = recording_next(recording, &rec, &why)) > 0)
		core_push(core, rec);
	if (got < 0)
		log_error("the recording: %s; what was read is counted", why);
	core_finish(core, 0);
	report(r);
	core_free(core);
	return got < 0 ? EXIT_RUNTIME : EXIT_OK;
}

int rehearse(const struct config *config, struct rules *rules, const char *path)
{
	struct rehearsal *r = calloc(1, sizeof(*r));
	struct recording *recording;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int code = EXIT_RUNTIME;
	const char *why;

	if (r && rules) {
		r->rules = rules;
		r->count = rules_count(rules);
		r->tally = calloc(r->count + 1, sizeof(*r->tally));
	}
	if (fd < 0) {
		log_error("cannot read %s: %s", path, strerror(errno));
	} else if (!rules) {
		log_error("no rules: name them by --rules or in the configuration");
		code = EXIT_USAGE;
	} else if (!r || !r->tally) {
		log_error("no memory");
	} else if (command_drop_rights(config)) {
		code = EXIT_RUNTIME;
	} else if (recording_open(fd, &recording, &why)) {
		log_error("%s: %s", path, why);
	} else {
		code = run(r, config, rules, recording);
		rules = NULL;
		recording_close(recording);
	}
	rules_free(rules);
	if (r)
		free(r->tally);
	free(r);
	if (fd >= 0)
		close(fd);
	return code;
}
