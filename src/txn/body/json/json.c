/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c: see json.h. A state a token; each function takes what it can of the octets at hand and leaves the
 * rest to the next call, so a cut may fall anywhere.
 */
#include "txn/body/json/inside.h"
#include "txn/body/json/json_scan.h"

int json_read_init(struct json_reader *r, uint32_t depth, uint32_t steps, size_t text_max)
{
	size_t words = (steps + 63) / 64;

	*r = (struct json_reader){ .depth_max = depth, .steps_max = steps, .text_max = text_max };
	r->sets = calloc((depth + 1) * words + 1, sizeof(*r->sets));
	r->level = calloc((size_t)depth + 1, sizeof(*r->level));
	r->frame = calloc((size_t)depth + 1, sizeof(*r->frame));
	r->text = malloc(text_max + 1);
	buf_init(&r->clean, text_max * 3 + 1);
	if (!r->sets || !r->level || !r->frame || !r->text ||
	    buf_reserve(&r->clean, text_max * 3 + 1)) {
		json_read_done(r);
		return -ENOMEM;
	}
	return 0;
}

void json_read_done(struct json_reader *r)
{
	free(r->sets);
	free(r->level);
	free(r->frame);
	free(r->text);
	buf_done(&r->clean);
	*r = (struct json_reader){ 0 };
}

void json_read_open(struct json_reader *r, const struct paths *paths, unsigned groups,
		    uint32_t ordinal, const struct json_sink *sink)
{
	r->paths = paths;
	r->sink = *sink;
	r->state = JSON_VALUE;
	r->depth = r->containers = r->flags = 0;
	r->deepest = 0;
	r->ordinal = ordinal;
	r->aliases = NULL;
	r->alias_count = 0;
	r->place = 0;
	for (uint32_t w = 0; w < paths->words; w++) {
		r->sets[w] = 0;
		for (unsigned g = 0; g < PATH_GROUPS; g++)
			if (groups >> g & 1)
				r->sets[w] |= paths->start[g][w];
	}
}

void json_read_aliases(struct json_reader *r, const struct body_alias *list, uint32_t count)
{
	r->aliases = list;
	r->alias_count = count;
}

/* ---- structure ---- */

static const char *skip(struct json_reader *r, const char *at, const char *end)
{
	while (at < end) {
		at = scan_outside(at, end);
		if (at == end)
			return end;
		switch (*at++) {
		case '"':
			json_read_string_begin(r, STRING_SKIPPED);
			at = json_read_string(r, at, end);
			if (r->state != JSON_SKIP)
				return at;
			break;
		case '{':
		case '[':
			r->skip_depth++;
			r->skip_arrays = r->skip_arrays << 1 | (at[-1] == '[');
			r->skip_known += r->skip_known < 64;
			r->containers++;
			if (r->depth + r->skip_depth > r->deepest)
				r->deepest = r->depth + r->skip_depth;
			break;
		case '}':
		case ']':
			if (r->skip_known && (r->skip_arrays & 1) != (at[-1] == ']'))
				return json_read_broken(r, at - 1);
			r->skip_known -= r->skip_known > 0;
			r->skip_arrays >>= 1;
			if (--r->skip_depth == 0) {
				json_read_value_over(r);
				return at;
			}
			break;
		default:
			return json_read_broken(r, at - 1);
		}
	}
	return at;
}

/* What paths want of the value that begins now, and of what is in it. */
static void value_begin(struct json_reader *r)
{
	const struct paths *p = r->paths;
	const struct path_key *key = &r->level[r->depth].key;
	const uint64_t *set = json_read_set_of(r, r->depth);

	r->found = r->below = false;
	if (r->depth) {
		if (!key->array && key->name == NAMES_NONE && !p->has_sets)
			return;
		if (!paths_step(p, json_read_set_of(r, r->depth - 1), *key,
				json_read_set_of(r, r->depth)))
			return;
	}
	for (uint32_t w = 0; w < p->words; w++) {
		r->found |= (set[w] & p->last[w]) != 0;
		r->below |= (set[w] & ~p->last[w]) != 0;
	}
}

/* A child of the innermost object or array. */
static void child_begin(struct json_reader *r)
{
	struct json_frame *f = &r->frame[r->depth - 1];

	r->level[r->depth].key =
		(struct path_key){ .name = NAMES_NONE, .child = f->children++, .array = f->array };
	r->level[r->depth].container = f->container;
	r->place = f->place; /* of an element; a member has its name to come */
}

static void open_level(struct json_reader *r, bool array)
{
	if (r->found)
		json_read_hand_out(r, array ? TAKEN_ARRAY : TAKEN_OBJECT, slice_of(NULL, 0));
	if (r->depth + 1 > r->deepest)
		r->deepest = r->depth + 1;
	if (r->below && r->depth == r->depth_max)
		r->flags |= 1u << BODY_CUT_DEPTH;
	if (!r->below || r->depth == r->depth_max) {
		r->skip_depth = r->skip_known = 1;
		r->skip_arrays = array;
		r->containers++;
		r->state = JSON_SKIP;
		return;
	}
	r->frame[r->depth++] = (struct json_frame){ .array = array,
						    .container = r->containers++,
						    .place = r->place };
	r->state = array ? JSON_FIRST_ELEMENT : JSON_FIRST_NAME;
}

static void say_closed(struct json_reader *r, uint32_t target, struct slice piece)
{
	r->sink.closed(r->sink.ctx, target);
}

static void close_level(struct json_reader *r)
{
	r->depth--;
	if (!r->frame[r->depth].array)
		json_read_each_flagged(r, PATH_CLOSED, say_closed, slice_of(NULL, 0));
	json_read_value_over(r);
}

static const char *value(struct json_reader *r, const char *at)
{
	if (r->depth && r->frame[r->depth - 1].array)
		child_begin(r);
	value_begin(r);
	switch (*at) {
	case '{':
	case '[':
		open_level(r, *at == '[');
		return at + 1;
	case '"':
		json_read_string_begin(r, r->found ? STRING_TEXT : STRING_PASSED);
		return at + 1;
	case '-':
	case '0' ... '9':
		json_read_number_begin(r);
		return at;
	case 't':
	case 'f':
	case 'n':
		json_read_literal_begin(r, *at == 't' ? "true" : *at == 'f' ? "false" : "null");
		return at;
	default:
		return json_read_broken(r, at);
	}
}

/* One character that is no blank, between values. */
static const char *token(struct json_reader *r, const char *at)
{
	bool array = r->depth && r->frame[r->depth - 1].array;

	switch (r->state) {
	case JSON_FIRST_ELEMENT:
		if (*at == ']')
			break;
		/* fall through */
	case JSON_VALUE:
		return value(r, at);
	case JSON_FIRST_NAME:
		if (*at == '}')
			break;
		/* fall through */
	case JSON_NAME:
		if (*at != '"')
			return json_read_broken(r, at);
		child_begin(r);
		json_read_string_begin(r, STRING_NAME);
		return at + 1;
	case JSON_COLON:
		if (*at != ':')
			return json_read_broken(r, at);
		r->state = JSON_VALUE;
		return at + 1;
	default:
		if (*at == ',') {
			r->state = array ? JSON_VALUE : JSON_NAME;
			return at + 1;
		}
		if (*at != (array ? ']' : '}'))
			return json_read_broken(r, at);
	}
	close_level(r);
	return at + 1;
}

static const char *skip_blank(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
		at++;
	return at;
}

bool json_read_push(struct json_reader *r, struct slice s)
{
	const char *at = s.at, *end = s.at + s.len;

	while (at < end) {
		switch (r->state) {
		case JSON_STRING:
			at = json_read_string(r, at, end);
			break;
		case JSON_NUMBER:
			at = json_read_number(r, at, end);
			break;
		case JSON_LITERAL:
			at = json_read_literal(r, at, end);
			break;
		case JSON_SKIP:
			at = skip(r, at, end);
			break;
		case JSON_BROKEN:
			return false;
		case JSON_DONE:
			at = skip_blank(at, end);
			if (at == end)
				return true;
			r->flags |= 1u << BODY_MORE;
			return false;
		default:
			at = skip_blank(at, end);
			if (at < end)
				at = token(r, at);
		}
	}
	return r->state != JSON_BROKEN;
}

void json_read_end(struct json_reader *r)
{
	/* at the outermost level nothing need stand behind them */
	if (r->state == JSON_NUMBER && !r->depth && !json_read_number_end(r))
		json_read_broken(r, NULL);
	if (r->state == JSON_LITERAL && !r->depth && !json_read_literal_end(r))
		json_read_broken(r, NULL);
	if (r->state != JSON_DONE && r->state != JSON_BROKEN)
		r->flags |= 1u << BODY_SHORT;
}
