/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto_cases.h: cases in Markdown. A case is a heading, a fenced block `wire` (what was moved) and a
 * fenced block `messages` (the transcript of proto_kit.h). tests/cases/README.md has the format.
 */
#ifndef PC_TESTS_PROTO_CASES_H
#define PC_TESTS_PROTO_CASES_H

#include "unit.h"

#include "proto_kit.h"

#define STEPS_MAX 64

enum step_kind { STEP_CALL, STEP_HOLE, STEP_ABSENT, STEP_END, STEP_TICK };

struct step {
	enum step_kind kind;
	bool request;	 /* direction of requests */
	size_t from, to; /* STEP_CALL: of the case's bytes */
	uint64_t number;
};

struct wire {
	struct buf bytes;
	struct step steps[STEPS_MAX];
	unsigned count;
	bool joined, fields, once; /* once: as written only */
	bool server;		   /* at the server's end only */
	uint64_t budget;
};

static inline struct slice file_read(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *at = malloc(1 << 20);
	size_t n;

	if (!f || !at) {
		fprintf(stderr, "cannot read %s\n", path);
		abort();
	}
	n = fread(at, 1, 1 << 20, f);
	fclose(f);
	return slice_of(at, n);
}

/* \r \n \t \0 \\ \xHH */
static inline void add_unescaped(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned v = 0;

		if (s.at[i] != '\\' || i + 1 == s.len) {
			buf_add_byte(b, s.at[i]);
			continue;
		}
		switch (s.at[++i]) {
		case 'r':
			buf_add_byte(b, '\r');
			break;
		case 'n':
			buf_add_byte(b, '\n');
			break;
		case 't':
			buf_add_byte(b, '\t');
			break;
		case 'f':
			buf_add_byte(b, '\f');
			break;
		case '0':
			buf_add_byte(b, '\0');
			break;
		case 'x':
			for (int j = 0; j < 2 && i + 1 < s.len; j++) {
				char c = s.at[++i] | 0x20;

				v = v << 4 | (unsigned)(c >= 'a' ? c - 'a' + 10 : (c & 15));
			}
			buf_add_byte(b, (char)v);
			break;
		default:
			buf_add_byte(b, s.at[i]);
		}
	}
}

static inline struct step *add_step(struct wire *w, enum step_kind kind, bool request,
				    uint64_t number)
{
	struct step *s = &w->steps[w->count++];

	assert_true(w->count < STEPS_MAX);
	*s = (struct step){ .kind = kind, .request = request, .number = number };
	s->from = s->to = w->bytes.len;
	if (kind == STEP_HOLE || kind == STEP_ABSENT || kind == STEP_TICK)
		w->once = true;
	return s;
}

static inline void add_directive(struct wire *w, struct slice line)
{
	struct slice rest = line, word = slice_next(&rest, ' '), dir = slice_next(&rest, ' '),
		     number = slice_next(&rest, ' ');
	bool request = slice_eq(dir, SLICE(">"));
	uint64_t n = 0;

	slice_u64(number.len ? number : dir, &n);
	if (slice_eq(word, SLICE("@hole"))) {
		add_step(w, STEP_HOLE, request, n);
	} else if (slice_eq(word, SLICE("@absent"))) {
		add_step(w, STEP_ABSENT, request, n);
	} else if (slice_eq(word, SLICE("@end"))) {
		add_step(w, STEP_END, request, n);
	} else if (slice_eq(word, SLICE("@tick"))) {
		add_step(w, STEP_TICK, false, n);
	} else if (slice_eq(word, SLICE("@repeat"))) {
		struct step *s = add_step(w, STEP_CALL, request, 0);

		for (uint64_t i = 0; i < n; i++)
			add_unescaped(&w->bytes, rest);
		s->to = w->bytes.len;
		w->once = true; /* too long to cut everywhere */
	} else if (slice_eq(word, SLICE("@joined"))) {
		w->joined = w->once = true;
	} else if (slice_eq(word, SLICE("@fields"))) {
		w->fields = true;
	} else if (slice_eq(word, SLICE("@server"))) {
		w->server = true;
	} else if (slice_eq(word, SLICE("@once"))) {
		w->once = true;
	} else if (slice_eq(word, SLICE("@budget"))) {
		w->budget = n;
		w->once = true;
	} else {
		fail_msg("directive %.*s?", (int)line.len, line.at);
	}
}

static inline void wire_parse(struct wire *w, struct slice text)
{
	struct step *open = NULL;

	*w = (struct wire){ 0 };
	buf_init(&w->bytes, 1 << 22);
	while (text.at && text.len) {
		struct slice line = slice_next(&text, '\n');
		bool request, go_on;

		if (line.len == 0) {
			open = NULL;
			continue;
		}
		if (line.at[0] == '@') {
			open = NULL;
			add_directive(w, line);
			continue;
		}
		assert_true(line.at[0] == '>' || line.at[0] == '<');
		request = line.at[0] == '>';
		if (!open || open->request != request)
			open = add_step(w, STEP_CALL, request, 0);
		line = slice_sub(line, line.len > 1 && line.at[1] == ' ' ? 2 : 1, line.len);
		go_on = line.len && line.at[line.len - 1] == '\\' &&
			!(line.len > 1 && line.at[line.len - 2] == '\\');
		add_unescaped(&w->bytes, slice_sub(line, 0, line.len - go_on));
		if (!go_on)
			buf_add(&w->bytes, SLICE("\r\n"));
		open->to = w->bytes.len;
	}
}

/* How the octets are read: calls are cut at `cut` octets of the whole (0: nowhere), or into pieces of
 * `piece`. */
struct reading {
	bool server;
	bool skewed; /* all of the responses is read before the requests */
	size_t cut, piece;
	bool content;
};

static inline void play_call(struct kit *k, enum pc_dir d, struct slice s, size_t from,
			     const struct reading *how)
{
	size_t piece = how->piece ? how->piece : s.len;

	if (how->cut > from && how->cut < from + s.len) {
		kit_call(k, d, slice_sub(s, 0, how->cut - from));
		kit_call(k, d, slice_sub(s, how->cut - from, s.len));
		return;
	}
	for (size_t at = 0; at < s.len; at += piece)
		kit_call(k, d, slice_sub(s, at, at + piece));
}

static inline void play_step(const struct wire *w, const struct step *s, struct kit *k,
			     const struct reading *how)
{
	enum pc_dir d = s->request == how->server ? PC_RX : PC_TX;

	switch (s->kind) {
	case STEP_CALL:
		play_call(k, d, slice_of(w->bytes.at + s->from, s->to - s->from), s->from, how);
		break;
	case STEP_HOLE:
		kit_hole(k, d, s->number);
		break;
	case STEP_ABSENT:
		kit_absent(k, d, s->number, PC_WHY_SENDFILE);
		break;
	case STEP_END:
		kit_dir_end(k, d, (int)s->number);
		break;
	case STEP_TICK:
		kit_tick(k, s->number * KIT_MS);
		break;
	}
}

/* The transcript stays in k until kit_free. */
static inline void wire_play(const struct wire *w, const struct reading *how, struct kit *k)
{
	kit_start(k, how->content);
	k->want_fields = w->fields;
	k->budget = w->budget;
	k->request_dir = how->server ? PC_RX : PC_TX; /* until the stage says it */
	kit_connect(k,
		    (uint16_t)((w->joined ? PC_F_JOINED : 0) |
			       (how->server ? PC_F_PASSIVE : PC_F_ACTIVE)),
		    w->joined ? 5000 : 0, w->joined ? 7000 : 0);
	for (int pass = 0; pass < (how->skewed ? 2 : 1); pass++)
		for (unsigned i = 0; i < w->count; i++)
			if (!how->skewed || w->steps[i].request == pass)
				play_step(w, &w->steps[i], k, how);
	kit_gone(k);
	kit_finish(k);
}

/* Blocks of a Markdown file, one after the other. */
struct markdown {
	struct slice rest;
	struct slice heading; /* of what comes next */
	struct slice meta;    /* the latest <!-- meta=... --> */
};

/* The next fenced block of this language; false at the end of the file. */
static inline bool markdown_block(struct markdown *m, const char *language, struct slice *ret)
{
	while (m->rest.at && m->rest.len) {
		struct slice line = slice_next(&m->rest, '\n');

		if (slice_starts(line, SLICE("#"))) {
			m->heading = line;
		} else if (slice_starts(line, SLICE("<!-- meta="))) {
			m->meta = line;
		} else if (slice_starts(line, SLICE("```")) && line.len > 3) {
			bool mine = slice_eq(slice_sub(line, 3, line.len), slice_str(language));
			const char *from = m->rest.at;

			do
				line = slice_next(&m->rest, '\n');
			while (line.at && !slice_eq(line, SLICE("```")));
			*ret = slice_of(from, line.at ? (size_t)(line.at - from) : 0);
			if (mine)
				return true;
		}
	}
	return false;
}

#endif
