/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.c: templates of paths: /orders/{number}, /p/{slug}.html, /{lang}/cart, /shop/{rest...}; '*' is a
 * segment without a name, two of them at the end are all that may follow. Compared segment by segment, as a
 * server decodes them.
 */
/*
 * path.c: templates of paths: /orders/{number}, /p/{slug}-{…}.html is refused (one place a segment),
 * /{lang}/cart, /shop/{rest...}, /static and all below it (two stars), and '*' for a segment without a name. Compared segment by
 * segment, as the server decodes them.
 */
#include "journey/rule/inside.h"

/* ---- reading ---- */

struct pattern_reader {
	struct slice text;
	struct place_names *names;
	size_t at;
	const char *why;
};

static bool fail(struct pattern_reader *r, size_t at, const char *why)
{
	r->at = at;
	r->why = why;
	return false;
}

static bool is_name(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c != '_' && c != '-' &&
		    !(i && c >= '0' && c <= '9'))
			return false;
	}
	return s.len && s.len <= 64;
}

static bool place(struct pattern_reader *r, size_t at, struct slice name, uint32_t *ret)
{
	if (!is_name(name))
		return fail(r, at,
			    "a name of letters, digits, '-' and '_' must stand in the braces: "
			    "{number}");
	for (*ret = 0; *ret < r->names->count; ++*ret)
		if (slice_eq(r->names->at[*ret], name))
			return true;
	if (r->names->count == PLACES)
		return fail(r, at, "more than 16 names in the templates of one rule");
	r->names->at[r->names->count++] = name;
	return true;
}

/* What stands in braces. `last`: of the template. */
static bool braces(struct pattern_reader *r, size_t at, struct slice s, bool last,
		   struct segment *ret)
{
	long open = slice_find(s, '{'), close = slice_find(s, '}');
	struct slice name;

	if (open < 0 || close < open)
		return fail(r, at, "braces stand in pairs: {number}");
	name = slice_sub(s, (size_t)open + 1, (size_t)close);
	ret->front = slice_sub(s, 0, (size_t)open);
	ret->back = slice_sub(s, (size_t)close + 1, s.len);
	ret->open = true;
	if (slice_find(ret->back, '{') >= 0 || slice_find(ret->back, '}') >= 0)
		return fail(r, at + (size_t)close + 1, "one {name} a segment, not more");
	if (slice_ends(name, SLICE("..."))) {
		if (!last || ret->front.len || ret->back.len)
			return fail(
				r, at,
				"{name...} stands for all that follows: it must be the whole last "
				"segment");
		name.len -= 3;
		ret->rest = true;
		ret->least = 1;
	}
	return place(r, at + (size_t)open + 1, name, &ret->place);
}

static bool segment(struct pattern_reader *r, size_t at, struct slice s, bool last,
		    struct segment *ret)
{
	*ret = (struct segment){ .front = s, .place = NO_PLACE };
	if (slice_eq(s, SLICE("*"))) {
		*ret = (struct segment){ .open = true, .place = NO_PLACE };
		return true;
	}
	if (slice_eq(s, SLICE("**"))) {
		if (!last)
			return fail(r, at, "'**' stands for all that follows: it must be last");
		*ret = (struct segment){ .open = true, .rest = true, .place = NO_PLACE };
		return true;
	}
	if (slice_find(s, '*') >= 0)
		return fail(r, at + (size_t)slice_find(s, '*'),
			    "'*' stands for a whole segment; write {name} for a part of one");
	if (slice_find(s, '{') < 0 && slice_find(s, '}') < 0)
		return s.len || fail(r, at, "an empty segment (//)");
	return braces(r, at, s, last, ret);
}

struct pattern *pattern_read(struct arena *a, struct slice text, struct place_names *names,
			     size_t *ret_at, const char **ret_why)
{
	struct pattern_reader r = { .text = text, .names = names };
	struct segment list[PATTERN_SEGMENTS];
	struct slice rest = text;
	struct pattern *p = NULL;
	uint32_t count = 0;
	size_t n;

	if (!text.len || text.at[0] != '/') {
		fail(&r, 0, "a path begins with '/': /orders/{number}");
		goto out;
	}
	n = strcspn(text.at, "?#;% ");
	if (n < text.len) {
		fail(&r, n,
		     text.at[n] == '?' ? "the query is no part of the path: write query.NAME"
		     : text.at[n] == '%'
			     ? "paths are compared as they are read: write the character itself"
			     : "a '#', ';' or blank is no part of a path");
		goto out;
	}
	slice_next(&rest, '/');
	if (rest.len && rest.at[rest.len - 1] == '/') /* with and without it is the same */
		rest.len--;
	while (rest.at && rest.len) {
		size_t at = (size_t)(rest.at - text.at);
		struct slice s = slice_next(&rest, '/');

		if (count == PATTERN_SEGMENTS) {
			fail(&r, at, "more than 32 segments");
			goto out;
		}
		if (!segment(&r, at, s, !rest.at, &list[count++]))
			goto out;
	}
	p = arena_alloc(a, sizeof(*p) + count * sizeof(p->segment[0]));
	if (p) {
		p->next = NULL;
		p->count = count;
		memcpy(p->segment, list, count * sizeof(list[0]));
	}
out:
	*ret_at = r.at;
	*ret_why = r.why;
	return p;
}

/* ---- comparing ---- */

static bool segment_holds(const struct segment *s, struct slice text, struct slice place[PLACES])
{
	if (!s->open)
		return slice_eq(s->front, text);
	if (text.len <= s->front.len + s->back.len || !slice_starts(text, s->front) ||
	    !slice_ends(text, s->back))
		return false;
	if (place && s->place != NO_PLACE)
		place[s->place] = slice_sub(text, s->front.len, text.len - s->back.len);
	return true;
}

bool pattern_holds(const struct pattern *p, const struct path_cut *path, struct slice place[PLACES])
{
	const struct segment *last = p->count ? &p->segment[p->count - 1] : NULL;
	uint32_t whole = p->count - (last && last->rest);

	if (path->count < whole + (last && last->rest ? last->least : 0) ||
	    (path->count > whole && !(last && last->rest)) || (path->more && !(last && last->rest)))
		return false;
	for (uint32_t i = 0; i < whole; i++)
		if (!segment_holds(&p->segment[i], path->segment[i], place))
			return false;
	if (place && last && last->rest && last->place != NO_PLACE) {
		const char *from = path->segment[whole].at;
		struct slice end = path->segment[path->count - 1];

		place[last->place] = slice_of(from, (size_t)(end.at + end.len - from));
	}
	return true;
}

static bool segments_meet(const struct segment *a, const struct segment *b)
{
	if (!a->open && !b->open)
		return slice_eq(a->front, b->front);
	if (!a->open)
		return segment_holds(b, a->front, NULL);
	if (!b->open)
		return segment_holds(a, b->front, NULL);
	return true;
}

bool patterns_meet(const struct pattern *a, const struct pattern *b)
{
	for (uint32_t i = 0; i < a->count && i < b->count; i++) {
		if (a->segment[i].rest || b->segment[i].rest)
			return true;
		if (!segments_meet(&a->segment[i], &b->segment[i]))
			return false;
	}
	if (a->count == b->count)
		return true;
	if (a->count < b->count)
		return b->segment[a->count].rest && !b->segment[a->count].least;
	return a->segment[b->count].rest && !a->segment[b->count].least;
}

/* ---- cutting ---- */

/* Parameters of a segment (";jsessionid=…") are no part of it. */
static struct slice without_parameters(struct slice s)
{
	return slice_next(&s, ';');
}

void path_cut(struct rules *r, struct slice path, struct path_cut *ret)
{
	bool coded = path.len && memchr(path.at, '%', path.len);
	bool parameters = path.len && memchr(path.at, ';', path.len);
	struct slice rest = path;
	char *whole = NULL;
	size_t used = 0;

	ret->count = 0;
	ret->more = false;
	ret->whole = path;
	if (!path.len || path.at[0] != '/') { /* "*", or what a CONNECT asks for */
		ret->more = true;
		return;
	}
	if (coded || parameters) {
		/* put together anew, so that the rest of a path is one piece */
		if (r->room_used + path.len > RULES_ROOM) {
			ret->more = true;
			return;
		}
		whole = r->room + r->room_used;
		r->room_used += path.len;
	}
	slice_next(&rest, '/');
	while (rest.at) {
		struct slice s = slice_next(&rest, '/');

		if (!rest.at && !s.len)
			break;
		if (whole) {
			size_t from;

			whole[used++] = '/';
			from = used;
			s = without_parameters(s);
			used += url_decode(s, false, whole + used);
			s = slice_of(whole + from, used - from);
		}
		if (ret->count < PATTERN_SEGMENTS)
			ret->segment[ret->count++] = s;
		else
			ret->more = true;
	}
	if (whole)
		ret->whole = slice_of(whole, used);
	/* a rest that goes beyond what is kept is taken to the end */
	if (ret->more && ret->count) {
		struct slice *last = &ret->segment[ret->count - 1];

		last->len = (size_t)(ret->whole.at + ret->whole.len - last->at);
	}
}
