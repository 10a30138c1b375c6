/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.h: rule files (YAML) → compiled rules; rules and a transaction → what they say of it. A rule has a
 * `when` (which transactions), a `take` (which values of them) and a `say` (which event); the format is in
 * share/recipes/README.md.
 *
 * In two steps, because content is captured only where a rule may want it: by the heads alone
 * (rules_wants), then of the whole transaction (rules_say).
 *
 * Compiled once; used by one thread, since it has the room in which a transaction is looked at, so that
 * nothing is allocated then. No file is opened here: the caller hands in the octets.
 */
#ifndef PC_JOURNEY_RULE_RULES_H
#define PC_JOURNEY_RULE_RULES_H

#include "journey/said.h"
#include "txn/body/wants.h"

#define RULES_RULES_MAX	 1024 /* of all files together */
#define RULES_TEXT_MAX	 (1u << 20)
#define RULES_FIELDS_MAX 64   /* names of header fields */
#define RULES_STEPS_MAX	 4096 /* of wants together: wants_steps, body_limits.steps */

struct rules;

struct rules_error {
	const char *file;      /* as given to rules_add */
	unsigned line, column; /* from 1; 0: of the whole file */
	char text[240];	       /* what is wrong and what to write instead */
};
/* All errors of a file are told, not only the first. */
typedef void rules_error_fn(void *ctx, const struct rules_error *e);

struct rules_builder;
int rules_begin(struct rules_builder **ret);
/* `file` for messages, kept. -EINVAL: told by `error`, any number of times; -ENOMEM. */
int rules_add(struct rules_builder *b, const char *file, struct slice text, rules_error_fn *error,
	      void *ctx);
/* Consumes the builder. -EINVAL: a file had errors, or the rules contradict each other (told). */
int rules_end(struct rules_builder *b, rules_error_fn *error, void *ctx, struct rules **ret);
void rules_builder_free(struct rules_builder *b);
void rules_free(struct rules *r);
uint32_t rules_count(const struct rules *r);
const char *rules_name(const struct rules *r, uint32_t rule);
const char *rules_place(const struct rules *r, uint32_t rule, unsigned *ret_line); /* its file */
/* Names of header fields that rules ask for, in lower case, beyond or among those that txn keeps anyway: what
 * txn_keep is to be given. They live as long as the rules. */
const struct slice *rules_fields(const struct rules *r, uint32_t *ret_count);

/* Transactions that are open were asked for values by these rules (wants_users): after a reload they are not
 * yet to be freed, and it is they that tell those transactions. */
bool rules_in_use(const struct rules *r);

/* Somebody may want content of this message: what txn_reader.wants answers. Costs next to nothing where no
 * rule can hold. All rules that may hold of one message, as far as methods and paths say, have one struct
 * body_wants together. */
const struct body_wants *rules_wants(struct rules *r, const struct transaction *t, bool request);
/* By the head of the request, and of which messages at all (TXN_*): as txn_reader has them. */
bool rules_may_want_response(struct rules *r, const struct transaction *t);
uint32_t rules_contents(const struct rules *r);

struct rules_sink {
	void *ctx;
	void (*said)(void *ctx, const struct said *s);
	/* All of these may be NULL, and count; `rule` is a number below rules_count.
	 * A rule held but for a value that it requires (its name), or an amount could not be read: why. READ: it
	 * was no amount, or not its text that was at fault: it is not there, there are several that differ, or
	 * its content was not seen whole. */
	void (*missed)(void *ctx, uint32_t rule, const char *value, enum amount_refusal why);
	/* Whether it holds was not seen: a part of the head or content is missing that could have told. */
	void (*undecided)(void *ctx, uint32_t rule);
	/* It held too, but a rule before it said the same kind of event. */
	void (*overlapped)(void *ctx, uint32_t rule);
};
/* Tells each rule that holds, in the order of the files: of one kind of event only the first. What it tells
 * is valid during the call to said(). The readings of *t must be by the wants of these rules, else they count as
 * not read: so after a reload the old rules tell the transactions that began under them. */
void rules_say(struct rules *r, const struct transaction *t, const struct rules_sink *sink);

#endif
