/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script.c: see script.h. Reads line by line; one function a command, those of connections are in
 * connection.c. Records come in the order of the lines, unless another order is asked for.
 */
#include "parser.h"

#include <stdlib.h>

static bool room_for_one(struct script *s)
{
	size_t room = s->room ? s->room * 2 : 256;
	struct pc_head **more;

	if (s->count < s->room)
		return true;
	more = realloc(s->records, room * sizeof(struct pc_head *));
	if (!more)
		return false;
	s->records = more;
	s->room = room;
	return true;
}

/* A cleared record at the end of the list; NULL: no memory, said. */
void *add_record(struct parser *p, enum pc_kind kind, size_t size)
{
	struct script *s = p->s;
	struct pc_head *rec = arena_alloc(&s->arena, size);

	if (!rec || !room_for_one(s)) {
		p->w.why = "script too long";
		return NULL;
	}
	memset(rec, 0, size);
	*rec = (struct pc_head){ .kind = kind, .size = (uint32_t)size, .time_ns = p->now_ns };
	s->records[s->count++] = rec;
	return rec;
}

/* @15ms: the time of this line; @+1ms: after the line before. */
static void set_time(struct parser *p)
{
	for (unsigned i = 1; i < p->w.count; i++) {
		struct slice s = p->w.at[i];

		if (s.at[0] != '@')
			continue;
		if (s.len > 1 && s.at[1] == '+')
			p->now_ns += words_time(&p->w, slice_sub(s, 2, s.len));
		else
			p->now_ns = SCRIPT_BASE_NS + words_time(&p->w, slice_sub(s, 1, s.len));
	}
}

static bool on_process(struct parser *p, enum pc_kind kind)
{
	struct pc_process *r = add_record(p, kind, sizeof(*r));
	uint64_t pid;

	if (!r)
		return false;
	if (slice_u64(words_next(&p->w), &pid))
		return bad(p, "which process?");
	r->tgid = (uint32_t)pid;
	r->parent = (uint32_t)words_number(&p->w, "parent", 0);
	if (p->w.text_count)
		copy_word(r->file, sizeof(r->file), p->w.text[0]);
	if (p->w.text_count > 1)
		copy_word(r->comm, sizeof(r->comm), p->w.text[1]);
	return true;
}

static bool add_who(struct parser *p, uint32_t pid, struct slice exe, struct slice service)
{
	struct pc_who *r = add_record(p, PC_WHO, sizeof(*r));

	if (!r)
		return false;
	r->tgid = pid;
	copy_word(r->exe, sizeof(r->exe), exe);
	copy_word(r->service, sizeof(r->service), service);
	return true;
}

static bool on_who(struct parser *p)
{
	uint64_t pid;

	if (slice_u64(words_next(&p->w), &pid) || !p->w.text_count)
		return bad(p, "who PID \"executable\" [\"service\"]");
	return add_who(p, (uint32_t)pid, p->w.text[0],
		       p->w.text_count > 1 ? p->w.text[1] : SLICE(""));
}

static bool on_set(struct parser *p)
{
	struct script *s = p->s;
	struct slice key = words_next(&p->w), value = words_next(&p->w);
	char *text[2];

	if (!value.at || s->setting_count == SCRIPT_SETTINGS)
		return bad(p, "set KEY VALUE, of the configuration");
	text[0] = arena_alloc(&s->arena, key.len + 1);
	text[1] = arena_alloc(&s->arena, value.len + 1);
	if (!text[0] || !text[1])
		return bad(p, "script too long");
	copy_word(text[0], key.len + 1, key);
	copy_word(text[1], value.len + 1, value);
	s->settings[s->setting_count++] =
		(struct option_value){ .key = text[0], .option = "set", .value = text[1] };
	return true;
}

static bool on_fork(struct parser *p)
{
	return on_process(p, PC_FORK);
}

static bool on_exec(struct parser *p)
{
	return on_process(p, PC_EXEC);
}

static bool on_exit_(struct parser *p)
{
	return on_process(p, PC_EXIT);
}

static bool on_tick(struct parser *p)
{
	struct pc_head *r = add_record(p, PC_TICK, sizeof(*r));

	if (r && words_has(&p->w, "lost"))
		r->flags |= PC_F_LOST;
	return r;
}

static bool run_line(struct parser *p)
{
	static const struct {
		const char *name;
		bool (*run)(struct parser *p);
	} commands[] = {
		{ "rx", command_rx },
		{ "tx", command_tx },
		{ "miss", command_miss },
		{ "open", command_open },
		{ "end", command_end },
		{ "close", command_close },
		{ "gone", command_gone },
		{ "pos", command_pos },
		{ "fork", on_fork },
		{ "exec", on_exec },
		{ "exit", on_exit_ },
		{ "who", on_who },
		{ "tick", on_tick },
		{ "set", on_set },
		{ "acked", command_acked },
		{ "resent", command_resent },
		{ "alive", command_alive },
		{ "looked", command_looked },
		{ "listener", command_listener },
		{ "dns", command_dns },
	};
	struct slice command = words_next(&p->w);

	if (!command.at)
		return true;
	set_time(p);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (slice_eq(command, slice_str(commands[i].name)))
			return commands[i].run(p);
	return bad(p, "unknown command");
}

static bool add_prologue(struct parser *p)
{
	struct pc_clock *clock = add_record(p, PC_CLOCK, sizeof(*clock));

	if (!clock)
		return false;
	clock->wall_minus_mono_ns = SCRIPT_WALL_NS - SCRIPT_BASE_NS;
	return add_who(p, 100, SLICE("/srv/server"), SLICE("server")) &&
	       add_who(p, 200, SLICE("/usr/bin/client"), SLICE("client"));
}

/* ---- other orders ---- */

static bool goes_first(const struct pc_head *rec, enum script_order order)
{
	enum pc_dir d = ((const struct pc_data *)rec)->dir;

	return d == (order == ORDER_RX_FIRST ? PC_RX : PC_TX);
}

/* DATA records that follow one another, in another order: theirs says nothing. */
static void reorder_run(struct pc_head **at, size_t n, enum script_order order)
{
	struct pc_head **copy = malloc(n * sizeof(*copy));
	size_t to = 0;

	if (!copy)
		return;
	memcpy(copy, at, n * sizeof(*copy));
	for (size_t i = 0; i < n && order == ORDER_REVERSE; i++)
		at[i] = copy[n - 1 - i];
	for (unsigned second = 0; second < 2 && order != ORDER_REVERSE; second++)
		for (size_t i = 0; i < n; i++)
			if (goes_first(copy[i], order) != second)
				at[to++] = copy[i];
	free(copy);
}

static void reorder(struct script *s, enum script_order order)
{
	for (size_t i = 0; i < s->count && order != ORDER_AS_IS; i++) {
		size_t n = 0;

		while (i + n < s->count && s->records[i + n]->kind == PC_DATA)
			n++;
		if (n > 1)
			reorder_run(s->records + i, n, order);
		i += n;
	}
}

bool script_parse(struct slice text, const struct script_options *options, struct script *ret,
		  unsigned *ret_line, const char **ret_why)
{
	struct parser p = { .s = ret, .options = *options, .now_ns = SCRIPT_BASE_NS };
	bool ok;

	*ret = (struct script){ 0 };
	*ret_line = 0;
	arena_pool_init(&ret->pool, 1 << 20, 1 << 30);
	arena_init(&ret->arena, &ret->pool);
	words_init(&p.w);
	ok = add_prologue(&p);
	while (ok && text.at) {
		++*ret_line;
		ok = words_cut(&p.w, slice_next(&text, '\n')) && run_line(&p) && !p.w.why;
	}
	*ret_why = p.w.why;
	words_done(&p.w);
	reorder(ret, options->order);
	return ok;
}

void script_done(struct script *s)
{
	arena_clear(&s->arena);
	arena_pool_done(&s->pool);
	free(s->records);
}
