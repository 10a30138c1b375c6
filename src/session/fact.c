/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fact.c: what the stage says of visits and page views, each with the name that any agent would give it.
 * Called by session.c when something is to be told. Remembers which aliases were told lately, of all visits
 * together, since few have any; one that is told again names the same fact.
 */
#include "session/internal.h"

#define ALIASES_SHARE 8 /* of so many visits one has an alias that may come again */

/* All of it is its key. */
struct told_alias {
	uint64_t visit, key; /* first octets of session.id and of the new key */
};

int aliases_new(uint32_t visits, struct table **ret)
{
	return table_new(sizeof(struct told_alias), sizeof(struct told_alias),
			 visits / ALIASES_SHARE + 1, ret);
}

static void remember(struct table *aliases, const struct told_alias *told)
{
	if (!table_add(aliases, told, NULL) && table_oldest(aliases)) {
		table_remove(aliases, table_oldest(aliases));
		table_add(aliases, told, NULL);
	}
}

const char *page_outcome_name(enum page_outcome o)
{
	static const char *const names[] = { "complete",     "error",	  "client_gone",
					     "server_reset", "timed_out", "unobserved" };

	return names[o];
}

const char *apdex_name(enum apdex a)
{
	static const char *const names[] = { NULL, "satisfied", "tolerating", "frustrated" };

	return names[a];
}

const char *end_reason_name(enum end_reason r)
{
	static const char *const names[END_REASONS] = { "timeout", "cap", "shutdown", "evicted" };

	return names[r];
}

static struct session_fact fact_of(const struct session *s, const struct identity *who,
				   enum fact_kind kind)
{
	struct session_fact f = {
		.kind = kind,
		.revision = 1,
		.site = site_name(who->site),
		.basis = basis_name(who->visit.basis),
		/* by looks alone, several who look the same cannot be told apart */
		.shared = who->visit.shared || who->basis.kind == EVIDENCE_ADDRESS,
		.start_unix_ns = who->visit.start_unix_ns,
		.transactions = who->visit.transactions,
		.page_views = who->visit.page_views
	};

	if (kind != FACT_ALIAS)
		segment_tell(s->segments, &who->visit.segment, who->value == VALUE_CART,
			     &f.segment);
	memcpy(f.key, who->visit.key, KEY_BYTES);
	memcpy(f.session_id, who->visit.id, KEY_BYTES);
	return f;
}

static void tell(struct session *s, struct session_fact *f, struct slice name, struct slice what)
{
	keys_event(s->keys, name, f->site, what, f->event_id);
	s->sink.fact(s->sink.ctx, f);
}

static void fact_of_page(const struct page_view *p, const struct session *s,
			 struct session_fact *ret)
{
	*ret = fact_of(s, p->who, FACT_PAGE);
	ret->page = &p->seen;
	ret->revision = p->seen.revision;
	ret->start_unix_ns = ret->time_unix_ns = session_unix(s, p->first_ns);
	memcpy(ret->event_id, p->id, KEY_BYTES);
}

void tell_page(void *ctx, const struct page_view *p)
{
	struct session *s = ctx;
	struct session_fact f;

	fact_of_page(p, s, &f);
	s->sink.fact(s->sink.ctx, &f);
}

void measure_page(void *ctx, const struct page_view *p)
{
	struct session *s = ctx;
	struct session_fact f;

	if (!s->sink.measure)
		return;
	fact_of_page(p, s, &f);
	s->sink.measure(s->sink.ctx, &f);
}

void tell_start(struct session *s, const struct identity *who)
{
	struct session_fact f = fact_of(s, who, FACT_START);

	f.time_unix_ns = f.start_unix_ns;
	tell(s, &f, SLICE("session.start"), slice_of(f.session_id, KEY_BYTES));
}

void tell_end(struct session *s, struct identity *who)
{
	struct session_fact f = fact_of(s, who, FACT_END);

	f.revision = who->visit.revision;
	f.end_reason = who->visit.end_reason;
	f.time_unix_ns = session_unix(s, who->visit.last_ns);
	/* the wall clock was set back meanwhile: by the one that only goes forward */
	if (f.time_unix_ns < f.start_unix_ns)
		f.time_unix_ns = f.start_unix_ns + (who->visit.last_ns - who->visit.start_ns);
	tell(s, &f, SLICE("session.end"), slice_of(f.session_id, KEY_BYTES));
	if (f.end_reason == END_SHUTDOWN || who->visit.measured || !s->sink.measure)
		return;
	who->visit.measured = true;
	s->sink.measure(s->sink.ctx, &f);
}

/* Once for each new key of a visit. */
void tell_alias(struct session *s, struct identity *who, const uint8_t key_new[KEY_BYTES],
		const char *reason, uint64_t now_ns)
{
	struct visit *v = &who->visit;
	uint8_t both[2 * KEY_BYTES];
	struct told_alias told;
	struct session_fact f;

	memcpy(&told.visit, v->id, sizeof(told.visit));
	memcpy(&told.key, key_new, sizeof(told.key));
	if (!memcmp(v->key, key_new, KEY_BYTES) || table_find(s->aliases, &told))
		return;
	if (v->alias_count >= ALIASES_MAX) {
		s->stats.aliases_dropped++;
		return;
	}
	v->alias_count++;
	remember(s->aliases, &told);
	s->stats.aliases++;
	f = fact_of(s, who, FACT_ALIAS);
	f.reason = reason;
	f.time_unix_ns = session_unix(s, now_ns);
	memcpy(f.key_new, key_new, KEY_BYTES);
	memcpy(both, v->key, KEY_BYTES);
	memcpy(both + KEY_BYTES, key_new, KEY_BYTES);
	tell(s, &f, SLICE("parcours.session.alias"), slice_of(both, sizeof(both)));
}

void visit_key_of(struct session *s, const struct identity *who, uint64_t period,
		  uint8_t ret[KEY_BYTES])
{
	keys_visitor(s->keys, s->options.period_s, period, site_name(who->site),
		     who->basis.kind == EVIDENCE_ADDRESS, who->basis.hash, ret);
}

void tell_other_name(struct session *s, struct identity *who, const struct basis *also,
		     uint64_t at_ns)
{
	const struct basis own = who->basis;
	uint8_t key[KEY_BYTES];

	if (who->visit.state != VISIT_OPEN)
		return;
	who->basis = *also;
	visit_key_of(s, who, who->visit.period, key);
	who->basis = own;
	tell_alias(s, who, key, "basis", at_ns);
}
