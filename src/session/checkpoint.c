/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.c: visitors with an open visit ↔ octets (session.h, session_save). Hashes, pseudonyms and
 * sealed texts only. The same program on the same machine reads it again, so numbers are as they lie in memory; a
 * version in front, made of the layout, keeps every other program out, and a mark of the secret one that
 * would not know these visitors. With each go its pages (page/save.c).
 *
 * Times are written as Unix time: the monotonic clock may have begun anew.
 */
#include <errno.h>

#include "session/internal.h"

#define VERSION 6

struct saved_head {
	uint32_t version, visitor_bytes, clue_bytes, name_bytes, pages_layout;
	uint32_t words; /* segments_words: what numbers of robots mean */
	uint64_t now_ns;
	int64_t wall_minus_mono_ns;
	uint8_t mark[KEY_BYTES];
	uint64_t rules; /* conditions_mark: what places of rules in visits mean */
	uint64_t visitors, names;
};

struct saved_visitor {
	struct basis basis;
	uint64_t print[2];
	uint64_t seen_unix_ns, last_unix_ns, solid_unix_ns;
	struct visit visit; /* times and numbers of touches within are replaced */
	uint8_t touch_len[2][3];
	uint64_t site_mark; /* known_site.hash: the name under which its name is sealed */
	uint8_t value, confirmed, emptied, has_print, site_len, clues;
};

/* A site's name may be a customer's (his shop, his tenant), so it is sealed; of the site before, from memory. */
struct site_seal {
	uint64_t mark;
	uint8_t len;
	char from[SITE_BYTES], to[SITE_BYTES];
};

struct saved_clue {
	uint64_t key[2];
	uint32_t name;
	uint8_t kind, state;
};

static void mark_of(const struct session *s, uint8_t ret[KEY_BYTES])
{
	keys_event(s->keys, SLICE("checkpoint"), SLICE(""), SLICE(""), ret);
}

/* Open, or open but for our own end. */
static bool is_kept(const struct identity *who)
{
	return who->visit.state == VISIT_OPEN ||
	       (who->visit.state == VISIT_ENDED && who->visit.end_reason == END_SHUTDOWN);
}

/* The kept visitors one after the other: NULL starts, NULL ends. */
static struct identity *next_kept(const struct session *s, struct identity *who)
{
	unsigned v = who ? who->value : VALUE_OPEN;

	who = who ? identities_newer(s->identities, who) : identities_oldest(s->identities, v);
	for (;;) {
		for (; who; who = identities_newer(s->identities, who))
			if (is_kept(who))
				return who;
		if (++v >= VALUES)
			return NULL;
		who = identities_oldest(s->identities, v);
	}
}

/* First, then last, with three parts each. */
static struct slice touch_of(const struct session *s, const struct visit_segment *v, unsigned i)
{
	return touches_part(segments_touches(s->segments), i < 3 ? v->first : v->last, i % 3);
}

/* The texts of its touches follow the name of its site. */
static int save_touches(const struct session *s, const struct visit_segment *v, void *ctx,
			int (*add)(void *ctx, struct slice piece))
{
	int err = 0;

	for (unsigned i = 0; i < 6 && !err; i++)
		err = add(ctx, touch_of(s, v, i));
	return err;
}

/* Sealed, or opened again. */
static struct slice seal(struct keys *k, struct site_seal *seal, uint64_t mark, struct slice name)
{
	if (seal->mark != mark || !slice_eq(slice_of(seal->from, seal->len), name)) {
		seal->mark = mark;
		seal->len = (uint8_t)name.len;
		memcpy(seal->from, name.at, name.len);
		memcpy(seal->to, name.at, name.len);
		keys_seal(k, slice_of(&mark, sizeof(mark)), seal->to, name.len);
	}
	return slice_of(seal->to, seal->len);
}

static int save_visitor(const struct session *s, const struct identity *who,
			struct site_seal *sites, void *ctx,
			int (*add)(void *ctx, struct slice piece))
{
	uint64_t wall = (uint64_t)s->wall_minus_mono_ns;
	const struct print *print;
	struct saved_visitor v;
	int err;

	memset(&v, 0, sizeof(v)); /* padding too */
	v.basis = who->basis;
	v.seen_unix_ns = who->seen_ns + wall;
	v.last_unix_ns = who->visit.last_ns + wall;
	v.solid_unix_ns = who->visit.solid_ns + wall;
	v.visit = who->visit;
	v.visit.segment.first = v.visit.segment.last = 0;
	for (unsigned i = 0; i < 6; i++)
		v.touch_len[i / 3][i % 3] = (uint8_t)touch_of(s, &who->visit.segment, i).len;
	v.value = who->value;
	v.confirmed = who->confirmed;
	v.emptied = who->emptied;
	v.site_mark = who->site->hash;
	v.site_len = who->site->name.len;
	v.clues = who->clue_count;
	print = table_at(s->identities->prints, who->print);
	if (print) {
		v.has_print = 1;
		memcpy(v.print, print->key, sizeof(v.print));
	}
	err = add(ctx, slice_of(&v, sizeof(v)));
	if (!err)
		err = add(ctx, seal(s->keys, sites, who->site->hash, site_name(who->site)));
	if (!err)
		err = save_touches(s, &who->visit.segment, ctx, add);
	for (const struct clue *c = clue_first(s->identities, who); c && !err;
	     c = clue_next(s->identities, c)) {
		struct saved_clue saved;

		memset(&saved, 0, sizeof(saved));
		memcpy(saved.key, c->key, sizeof(saved.key));
		saved.name = c->name;
		saved.kind = c->kind;
		saved.state = c->state;
		err = add(ctx, slice_of(&saved, sizeof(saved)));
	}
	return err ? err : pages_save(s->pages, who, ctx, add);
}

int session_save(const struct session *s, void *ctx, int (*add)(void *ctx, struct slice piece))
{
	struct saved_head h = { VERSION,
				sizeof(struct saved_visitor),
				sizeof(struct saved_clue),
				sizeof(struct cookie_name),
				pages_layout(),
				segments_words(s->segments),
				s->now_ns,
				s->wall_minus_mono_ns };
	struct table *names = s->identities->names;
	struct site_seal sites = { 0 };
	int err;

	mark_of(s, h.mark);
	h.rules = conditions_mark(segments_conditions(s->segments));
	for (struct identity *who = next_kept(s, NULL); who; who = next_kept(s, who))
		h.visitors++;
	h.names = table_count(names);
	err = add(ctx, slice_of(&h, sizeof(h)));
	for (struct cookie_name *n = table_oldest(names); n && !err; n = table_newer(names, n))
		err = add(ctx, slice_of(n, sizeof(*n)));
	for (struct identity *who = next_kept(s, NULL); who && !err; who = next_kept(s, who))
		err = save_visitor(s, who, &sites, ctx, add);
	return err;
}

/* ---- taking it up ---- */

static bool take(struct slice *rest, void *to, size_t len)
{
	if (rest->len < len)
		return false;
	memcpy(to, rest->at, len);
	*rest = slice_sub(*rest, len, rest->len);
	return true;
}

static bool never(void *ctx)
{
	return false;
}

/* What the wall clock of the checkpoint was ahead of the monotonic one. Where it was set back meanwhile, nobody
 * knows how long ago the checkpoint was written: not at all, or its visits would go on in the future. */
static int64_t wall_of(const struct session *s, const struct saved_head *h)
{
	int64_t saved = (int64_t)h->now_ns + h->wall_minus_mono_ns;
	int64_t ahead = saved - (int64_t)session_unix(s, s->now_ns);

	return s->wall_minus_mono_ns + (s->now_ns && ahead > 0 ? ahead : 0);
}

static void restore(struct session *s, struct identity *who, const struct saved_visitor *v,
		    uint64_t wall)
{
	who->basis = v->basis;
	who->confirmed = v->confirmed;
	who->emptied = v->emptied;
	who->seen_ns = v->seen_unix_ns - wall;
	identities_visit(s->identities, who, &v->visit);
	who->visit.start_ns = v->visit.start_unix_ns - wall;
	who->visit.last_ns = v->last_unix_ns - wall;
	who->visit.solid_ns = v->solid_unix_ns - wall;
	if (v->has_print)
		print_join(s->identities, who, v->print);
	identities_touch(s->identities, who, (enum value)v->value);
	visit_open(s, who);
	s->stats.restored++;
}

static bool take_touch(struct session *s, struct slice *rest, const uint8_t len[3], uint16_t *ret)
{
	struct slice part[3];

	for (unsigned i = 0; i < 3; i++) {
		if (rest->len < len[i])
			return false;
		part[i] = slice_sub(*rest, 0, len[i]);
		*rest = slice_sub(*rest, len[i], rest->len);
	}
	*ret = s ? touches_hold(segments_touches(s->segments), part) : 0;
	return true;
}

static bool is_segment(const struct visit_segment *v)
{
	return v->device < DEVICES && v->os < OSES && v->browser < BROWSERS &&
	       v->synthetic <= SYNTHETIC_TEST && v->first_channel < CHANNELS &&
	       v->last_channel < CHANNELS && v->visitor <= VISITOR_RETURNING &&
	       v->touchpoint <= RULES && v->class <= RULES && !v->place.country[2] &&
	       !v->place.region[3];
}

/* One visitor; s == NULL: only looks whether it is one. `rules`: the same as when it was written, as are words
 * where there are as many. */
static bool load_visitor(struct session *s, const struct saved_head *h, bool rules,
			 struct site_seal *sites, struct slice *rest)
{
	int64_t wall = s ? wall_of(s, h) : 0;
	int64_t by_ns = s ? h->wall_minus_mono_ns - wall : 0;
	struct identity *who = NULL;
	struct saved_visitor v;
	struct slice name;
	struct known_site *site;

	if (!take(rest, &v, sizeof(v)) || rest->len < v.site_len || v.site_len > SITE_BYTES ||
	    v.value >= VALUES || v.value == VALUE_IDLE || v.visit.basis > EVIDENCE_ADDRESS ||
	    !is_segment(&v.visit.segment) || v.visit.alias_count > ALIASES_MAX ||
	    v.basis.kind > EVIDENCE_ADDRESS || v.clues > CLUES_EACH)
		return false;
	name = slice_sub(*rest, 0, v.site_len);
	*rest = slice_sub(*rest, v.site_len, rest->len);
	site = s ? sites_by_name(s->sites, seal(s->keys, sites, v.site_mark, name)) : NULL;
	if (site && site->hash != v.site_mark)
		site = NULL; /* damaged */
	if (!rules)
		v.visit.segment.touchpoint = v.visit.segment.class = 0;
	if (s && h->words != segments_words(s->segments))
		v.visit.segment.robot = 0;
	if (!take_touch(site ? s : NULL, rest, v.touch_len[0], &v.visit.segment.first) ||
	    !take_touch(site ? s : NULL, rest, v.touch_len[1], &v.visit.segment.last))
		return false;
	if (site)
		who = identities_add(s->identities, site, never, NULL);
	if (who)
		restore(s, who, &v, (uint64_t)wall);
	else if (s)
		segment_leave(s->segments, &v.visit.segment);
	for (unsigned i = 0; i < v.clues; i++) {
		struct saved_clue c;

		if (!take(rest, &c, sizeof(c)))
			return false;
		if (who)
			identities_add_clue(s->identities, who, c.key, c.name, c.kind, c.state);
	}
	return pages_load(s ? s->pages : NULL, who, rest, h->now_ns + (uint64_t)by_ns, by_ns);
}

static bool load_all(struct session *s, const struct saved_head *h, struct slice rest)
{
	bool rules = s && h->rules == conditions_mark(segments_conditions(s->segments));
	struct site_seal sites = { 0 };

	for (uint64_t i = 0; i < h->names; i++) {
		struct cookie_name n, *to = NULL;
		bool fresh;

		if (!take(&rest, &n, sizeof(n)))
			return false;
		if (s)
			to = table_add(s->identities->names, &n.key, &fresh);
		if (to)
			*to = n;
	}
	for (uint64_t i = 0; i < h->visitors; i++)
		if (!load_visitor(s, h, rules, &sites, &rest))
			return false;
	return rest.len == 0;
}

int session_load(struct session *s, struct slice text)
{
	struct slice rest = text;
	struct saved_head h;
	uint8_t mark[KEY_BYTES];
	uint32_t version;

	if (!take(&rest, &version, sizeof(version)))
		return -EBADMSG;
	if (version != VERSION)
		return -EPROTO; /* whose head may be a shorter one */
	if (!take(&text, &h, sizeof(h)))
		return -EBADMSG;
	mark_of(s, mark);
	if (h.visitor_bytes != sizeof(struct saved_visitor) ||
	    h.clue_bytes != sizeof(struct saved_clue) ||
	    h.name_bytes != sizeof(struct cookie_name) || h.pages_layout != pages_layout())
		return -EPROTO;
	if (memcmp(h.mark, mark, sizeof(mark)))
		return -EKEYREJECTED;
	if (!load_all(NULL, &h, text))
		return -EBADMSG;
	load_all(s, &h, text);
	return 0;
}
