/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_text.c: strings, numbers and literals, and how a value is handed out. Text that lies in one piece and
 * has no escapes is handed out where it is; only what is cut or escaped is copied.
 *
 * Bounds are looked at by octets of the value, never of the pieces that it came in: the same body gives the
 * same values however it is cut.
 */
#include "txn/body/charset.h"
#include "txn/body/graphql/tree.h"
#include "txn/body/json/inside.h"
#include "txn/body/json/json_scan.h"

enum number_state { N_START, N_MINUS, N_ZERO, N_INT, N_POINT, N_FRACTION, N_E, N_SIGN, N_EXPONENT };

/* ---- handing out ---- */

void json_read_hand_out(struct json_reader *r, enum taken_kind kind, struct slice text)
{
	const uint64_t *set = json_read_set_of(r, r->depth);
	struct json_value v = { .kind = kind, .text = text };

	if (kind == TAKEN_TEXT)
		v.text = charset_clean(&r->clean, text, r->cut);
	v.cut = (kind == TAKEN_TEXT || kind == TAKEN_NUMBER) && r->cut;
	for (uint32_t w = 0; w < r->paths->words; w++) {
		for (uint64_t bits = set[w] & r->paths->last[w]; bits; bits &= bits - 1) {
			uint32_t state = w * 64 + (uint32_t)__builtin_ctzll(bits);

			memset(v.index, 0, sizeof(v.index));
			v.index[0] = r->ordinal;
			paths_trace(r->paths, state, r->sets, r->level, r->depth, v.index);
			v.target = r->paths->state[state].target;
			r->sink.value(r->sink.ctx, &v);
		}
	}
}

/* To each path with this flag that found the value at hand; whether there is one. */
bool json_read_each_flagged(struct json_reader *r, uint8_t flag,
			    void (*say)(struct json_reader *r, uint32_t target, struct slice piece),
			    struct slice piece)
{
	const uint64_t *set = json_read_set_of(r, r->depth);
	bool any = false;

	for (uint32_t w = 0; w < r->paths->words; w++) {
		for (uint64_t bits = set[w] & r->paths->last[w]; bits; bits &= bits - 1) {
			const struct path_state *s =
				&r->paths->state[w * 64 + (uint32_t)__builtin_ctzll(bits)];

			if (!(s->flags & flag))
				continue;
			any = true;
			if (say)
				say(r, s->target, piece);
		}
	}
	return any;
}

static void say_piece(struct json_reader *r, uint32_t target, struct slice piece)
{
	r->sink.piece(r->sink.ctx, target, piece);
}

/* ---- strings ---- */

static void gather(struct json_reader *r, struct slice s)
{
	bool name = r->string == STRING_NAME;
	size_t room = (name ? sizeof(r->name) : r->text_max) - r->len;

	if (r->pieces && s.len)
		json_read_each_flagged(r, PATH_PIECES, say_piece, s);
	if (s.len > room) {
		r->cut = true;
		s.len = room;
	}
	if (s.len)
		memcpy((name ? r->name : r->text) + r->len, s.at, s.len);
	r->len += s.len;
}

static void gather_code(struct json_reader *r, uint32_t code)
{
	char octets[4];

	if (r->string <= STRING_TEXT)
		gather(r, slice_of(octets, charset_put(code, octets)));
}

/* Whatever stands after half of a pair and is not its other half. */
static void drop_high(struct json_reader *r)
{
	if (r->high)
		gather_code(r, r->high);
	r->high = 0;
}

static void put_unit(struct json_reader *r, uint16_t unit)
{
	if (r->high && unit >= 0xdc00 && unit < 0xe000) {
		gather_code(r, 0x10000 + ((uint32_t)(r->high - 0xd800) << 10) + (unit - 0xdc00u));
		r->high = 0;
		return;
	}
	drop_high(r);
	if (unit >= 0xd800 && unit < 0xdc00)
		r->high = unit;
	else
		gather_code(r, unit);
}

static unsigned hex_digit(unsigned char c)
{
	unsigned digit = c - (unsigned)'0', letter = (c | 0x20u) - 'a';

	return digit <= 9 ? digit : letter <= 5 ? letter + 10 : 16;
}

static const char *escaped(struct json_reader *r, const char *at)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	unsigned char c = (unsigned char)*at;
	const char *hit;
	unsigned digit;

	if (r->escape > 1) {
		digit = hex_digit(c);
		if (digit > 15)
			return json_read_broken(r, at);
		r->code = (uint16_t)(r->code << 4 | digit);
		if (--r->escape == 1) {
			r->escape = 0;
			put_unit(r, r->code);
		}
		return at + 1;
	}
	if (c == 'u') {
		r->escape = 5;
		r->code = 0;
		return at + 1;
	}
	hit = memchr(letters, c, sizeof(letters) - 1);
	if (!hit)
		return json_read_broken(r, at);
	drop_high(r);
	r->escape = 0;
	gather_code(r, (unsigned char)meant[hit - letters]);
	return at + 1;
}

/* The name of the field that a member stands for. */
static struct slice field_of(struct json_reader *r, struct slice key)
{
	struct body_alias as = {
		.place = graphql_place_of(r->place, key),
		.ordinal = r->depth > 1 && r->frame[0].array ? r->level[1].key.child : 0,
	};
	const struct body_alias *found =
		bsearch(&as, r->aliases, r->alias_count, sizeof(as), body_alias_order);

	r->place = as.place;
	return found ? found->name : key;
}

static void string_over(struct json_reader *r, struct slice s)
{
	if (r->string == STRING_NAME) {
		if (r->alias_count)
			s = field_of(r, s);
		r->level[r->depth].key.name = r->cut ? NAMES_NONE : names_find(&r->paths->names, s);
		r->state = JSON_COLON;
	} else if (r->string == STRING_SKIPPED) {
		r->state = JSON_SKIP;
	} else {
		if (r->string == STRING_TEXT)
			json_read_hand_out(r, TAKEN_TEXT, s);
		json_read_value_over(r);
	}
}

const char *json_read_string(struct json_reader *r, const char *at, const char *end)
{
	while (at < end) {
		const char *stop;

		if (r->escape) {
			at = escaped(r, at);
			if (r->state == JSON_BROKEN)
				return at;
			continue;
		}
		stop = scan_string(at, end);
		if (stop > at || (stop < end && *stop == '"'))
			drop_high(r);
		if (stop < end && *stop == '"' && !r->len && !r->cut && !r->pieces &&
		    (size_t)(stop - at) <= r->text_max) {
			string_over(r, slice_of(at, (size_t)(stop - at)));
			return stop + 1;
		}
		if (r->string <= STRING_TEXT)
			gather(r, slice_of(at, (size_t)(stop - at)));
		if (stop == end)
			return end;
		if (*stop == '"') {
			string_over(r,
				    slice_of(r->string == STRING_NAME ? r->name : r->text, r->len));
			return stop + 1;
		}
		if (*stop != '\\')
			return json_read_broken(r, stop);
		r->escape = 1;
		at = stop + 1;
	}
	return at;
}

void json_read_string_begin(struct json_reader *r, enum json_string what)
{
	r->state = JSON_STRING;
	r->string = what;
	r->len = 0;
	r->escape = 0;
	r->high = 0;
	r->cut = false;
	r->pieces = what == STRING_TEXT &&
		    json_read_each_flagged(r, PATH_PIECES, NULL, slice_of(NULL, 0));
}

/* ---- numbers and literals ---- */

void json_read_number_begin(struct json_reader *r)
{
	r->state = JSON_NUMBER;
	r->number = N_START;
	r->string = STRING_TEXT; /* where it gathers */
	r->len = 0;
	r->cut = r->pieces = false;
}

/* The state after one more character, or -1: the number does not go on with it. */
static int number_next(int state, char c)
{
	bool digit = c >= '0' && c <= '9';

	switch (state) {
	case N_START:
		if (c == '-')
			return N_MINUS;
		/* fall through */
	case N_MINUS:
		return c == '0' ? N_ZERO : digit ? N_INT : -1;
	case N_INT:
		if (digit)
			return N_INT;
		/* fall through */
	case N_ZERO:
		return c == '.' ? N_POINT : (c | 0x20) == 'e' ? N_E : -1;
	case N_POINT:
		return digit ? N_FRACTION : -1;
	case N_FRACTION:
		return digit ? N_FRACTION : (c | 0x20) == 'e' ? N_E : -1;
	case N_E:
		return c == '+' || c == '-' ? N_SIGN : digit ? N_EXPONENT : -1;
	default:
		return digit ? N_EXPONENT : -1;
	}
}

static bool number_over(struct json_reader *r, struct slice last)
{
	struct slice text = last;

	if (r->number != N_ZERO && r->number != N_INT && r->number != N_FRACTION &&
	    r->number != N_EXPONENT)
		return false;
	if (r->found) {
		if (r->len || last.len > r->text_max) {
			gather(r, last);
			text = slice_of(r->text, r->len);
		}
		json_read_hand_out(r, TAKEN_NUMBER, text);
	}
	json_read_value_over(r);
	return true;
}

bool json_read_number_end(struct json_reader *r)
{
	return number_over(r, slice_of(NULL, 0));
}

/* What may stand behind a number or a literal; they are handed out only when it does. */
static bool ends(char c)
{
	return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

const char *json_read_number(struct json_reader *r, const char *at, const char *end)
{
	const char *from = at;
	int next = r->number;

	while (at < end && (next = number_next(r->number, *at)) >= 0) {
		r->number = (uint8_t)next;
		at++;
	}
	if (next >= 0) {
		if (r->found)
			gather(r, slice_of(from, (size_t)(at - from)));
		return at;
	}
	return ends(*at) && number_over(r, slice_of(from, (size_t)(at - from)))
		       ? at
		       : json_read_broken(r, at);
}

void json_read_literal_begin(struct json_reader *r, const char *word)
{
	r->state = JSON_LITERAL;
	r->literal = word;
	r->len = 0;
}

bool json_read_literal_end(struct json_reader *r)
{
	if (r->literal[r->len])
		return false;
	if (r->found)
		json_read_hand_out(r,
				   *r->literal == 't'	? TAKEN_TRUE
				   : *r->literal == 'f' ? TAKEN_FALSE
							: TAKEN_NULL,
				   slice_of(NULL, 0));
	json_read_value_over(r);
	return true;
}

const char *json_read_literal(struct json_reader *r, const char *at, const char *end)
{
	while (at < end && r->literal[r->len] && *at == r->literal[r->len]) {
		r->len++;
		at++;
	}
	if (at == end)
		return at;
	return ends(*at) && json_read_literal_end(r) ? at : json_read_broken(r, at);
}
