/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto_loss.c: conversations with known truth, from which records are lost at random, in either
 * direction, while bodies are written that look like messages. Whatever is lost: no request and no
 * response may be delivered that was not sent, no response may be given to another request, and a
 * response is flagged as without request only if its request was not delivered.
 *
 * Of a connection that we joined there is no WINDOW: a client that had requests in flight before we came
 * and keeps as many cannot be told from one that has none; see http1_resync.c.
 */
#include "unit.h"

#include "proto_kit.h"

#define EXCHANGES 40
#define ROUNDS	  300 /* of each kind; PARCOURS_SEEDS=n runs n */

/* Modes of a conversation, any of them together. */
#define LOOKALIKE 0x1  /* bodies that look like messages, at the start of a write */
#define PIPELINED 0x2  /* requests in batches */
#define WINDOW	  0x4  /* with PIPELINED: the next request goes out before the last response came */
#define SKEWED	  0x8  /* records are read out of order */
#define JOINED	  0x10 /* we come in somewhere in the middle */

struct truth {
	uint64_t request_pos, response_pos;
	bool head;
	bool requested, answered; /* delivered */
};

/* A call whose record is still to be read. */
struct call {
	enum pc_dir d;
	uint64_t pos, time_ns;
	size_t len;
	char text[4096];
};

#define LATE 6

struct talk {
	struct kit k; /* first: the sink's context */
	struct truth truth[EXCHANGES];
	unsigned sent;
	unsigned waiting[EXCHANGES], first, last; /* delivered requests in order */
	unsigned complete;
	uint64_t seed;
	unsigned round;
	unsigned loss; /* of 1000 records */
	unsigned modes;
	bool lookalike, pipelined, skewed, server;
	bool unseen; /* we have not joined yet */
	struct call late[LATE];
	unsigned late_count;
};

static struct talk talk;

static unsigned dice(unsigned n)
{
	talk.seed = talk.seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)((talk.seed >> 33) % n);
}

static void wrong(const char *what, const struct head *h)
{
	fprintf(stderr, "%.*s", (int)talk.k.text.len, talk.k.text.at);
	fail_msg("%s, at %llu; round %u", what, (unsigned long long)h->pos, talk.round);
}

static unsigned on_request(void *ctx, struct connection *c, const struct head *h)
{
	for (unsigned i = 0; i < talk.sent; i++) {
		char target[16];

		if (talk.truth[i].request_pos != h->pos)
			continue;
		snprintf(target, sizeof(target), "/%u", i);
		assert_true(slice_eq(h->target, slice_str(target)));
		assert_false(talk.truth[i].requested);
		talk.truth[i].requested = true;
		talk.waiting[talk.last++] = i;
		return kit_request(ctx, c, h);
	}
	wrong("a request that was not sent", h);
	return 0;
}

static unsigned on_response(void *ctx, struct connection *c, const struct head *h)
{
	for (unsigned i = 0; i < talk.sent; i++) {
		if (talk.truth[i].response_pos != h->pos)
			continue;
		talk.truth[i].answered = true;
		if (h->flags & HEAD_METHOD_UNKNOWN) {
			assert_false(talk.truth[i].requested);
		} else {
			assert_true(talk.first < talk.last);
			if (talk.waiting[talk.first] != i)
				wrong("a response of another request", h);
		}
		return kit_response(ctx, c, h);
	}
	wrong("a response that was not sent", h);
	return 0;
}

static void on_end(void *ctx, struct connection *c, bool request, const struct message_end *e)
{
	bool orphan = talk.k.message[1].orphan;

	if (!request && !orphan) {
		talk.complete += talk.k.message[1].open && e->outcome == MESSAGE_COMPLETE;
		talk.first++;
	}
	kit_end(ctx, c, request, e);
}

static void deliver(unsigned i)
{
	struct call *call = &talk.late[i];

	kit_call_at(&talk.k, call->d, call->pos, slice_of(call->text, call->len), call->time_ns);
	talk.late[i] = talk.late[--talk.late_count];
}

static void deliver_all(void)
{
	while (talk.late_count)
		deliver(dice(talk.late_count));
}

static void join(void)
{
	kit_connect(&talk.k, PC_F_JOINED | (talk.server ? PC_F_PASSIVE : PC_F_ACTIVE),
		    talk.k.pos[PC_RX], talk.k.pos[PC_TX]);
	talk.unseen = false;
}

/* One write, or what is left of it. Where skewed, a few records are read in any order. */
static void move(enum pc_dir d, const char *text, size_t len)
{
	struct call *call = &talk.late[talk.late_count];
	bool lost;

	/* Into the middle of a message, unless its content looks like one or there are others under
	 * way: the first call is believed there, since an idle connection has no witness. */
	if (talk.unseen && !(talk.modes & (LOOKALIKE | PIPELINED)) && dice(40) == 0)
		join();
	lost = dice(1000) < talk.loss || talk.unseen;

	if (getenv("V"))
		fprintf(stderr, "%s %c %llu+%zu %.30s\n", lost ? "LOST" : "    ",
			(d == PC_RX) == talk.server ? '>' : '<', (unsigned long long)talk.k.pos[d],
			len, text);
	if (lost) {
		kit_hole(&talk.k, d, len);
		return;
	}
	if (!talk.skewed) {
		kit_call(&talk.k, d, slice_of(text, len));
		return;
	}
	talk.k.now_ns += 10 * KIT_US;
	*call = (struct call){ .d = d, .pos = talk.k.pos[d], .len = len, .time_ns = talk.k.now_ns };
	memcpy(call->text, text, len);
	talk.k.pos[d] += len;
	if (++talk.late_count == LATE)
		deliver(dice(LATE));
}

/* Head and body, cut into writes; a body that looks like a message always begins a write. */
static void send_message(enum pc_dir d, const char *head, const char *body, size_t body_len)
{
	char all[4096];
	size_t n = strlen(head), len;

	memcpy(all, head, n);
	memcpy(all + n, body, body_len);
	len = n + body_len;
	if (talk.lookalike || dice(3) == 0) {
		move(d, all, n);
		if (body_len)
			move(d, all + n, body_len);
	} else if (dice(4) == 0 && len > 2) {
		size_t cut = 1 + dice((unsigned)len - 1);

		move(d, all, cut);
		move(d, all + cut, len - cut);
	} else {
		move(d, all, len);
	}
}

static void send_request(enum pc_dir d, unsigned i)
{
	char head[256], body[1024];
	unsigned kind = dice(4);
	size_t n = 0;

	if (talk.lookalike && kind > 1) {
		n = (size_t)snprintf(body, sizeof(body),
				     "GET /phantom%u HTTP/1.1\r\nHost: h\r\n\r\n", i);
	} else if (kind > 1) {
		n = dice(600);
		memset(body, 'x', n);
	}
	if (kind == 3) { /* chunked, the look-alike as a chunk's data */
		char chunk[1100];
		int m = snprintf(chunk, sizeof(chunk), "%zx\r\n%.*s\r\n0\r\n\r\n", n, (int)n, body);

		snprintf(head, sizeof(head),
			 "POST /%u HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", i);
		if (n)
			send_message(d, head, chunk, (size_t)m);
		else
			send_message(d, head, "0\r\n\r\n", 5);
		return;
	}
	talk.truth[i].head = kind == 0 && dice(2);
	snprintf(head, sizeof(head), "%s /%u HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
		 talk.truth[i].head ? "HEAD" : "POST", i, n);
	send_message(d, head, body, n);
}

static void send_response(enum pc_dir d, unsigned i)
{
	char head[256], body[1024];
	unsigned kind = dice(3);
	size_t n = dice(700);

	memset(body, 'y', n);
	if (talk.lookalike)
		n = (size_t)snprintf(body, sizeof(body),
				     "HTTP/1.1 299 Phantom\r\nContent-Length: 0\r\n\r\n");
	if (kind == 2 && !talk.truth[i].head) {
		char chunk[1100];
		int m = snprintf(chunk, sizeof(chunk), "%zx\r\n%.*s\r\n0\r\n\r\n", n, (int)n, body);

		snprintf(head, sizeof(head),
			 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
		send_message(d, head, n ? chunk : "0\r\n\r\n", n ? (size_t)m : 5);
		return;
	}
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nX-Id: %u\r\nContent-Length: %zu\r\n\r\n",
		 i, n);
	send_message(d, head, body, talk.truth[i].head ? 0 : n);
}

static void ask(unsigned i)
{
	enum pc_dir d = talk.server ? PC_RX : PC_TX;

	talk.truth[i].request_pos = talk.k.pos[d];
	talk.truth[i].response_pos = UINT64_MAX;
	talk.sent = i + 1;
	send_request(d, i);
}

static void converse(unsigned join_at)
{
	enum pc_dir d = talk.server ? PC_TX : PC_RX;
	unsigned asked = 0;

	for (unsigned i = 0; i < EXCHANGES; i++) {
		unsigned ahead = talk.modes & WINDOW ? 3 : 1 + dice(8);

		if (talk.modes & PIPELINED && (talk.modes & WINDOW || asked == i))
			while (asked < EXCHANGES && asked < i + ahead)
				ask(asked++);
		if (asked == i)
			ask(asked++);
		if (talk.unseen && i >= join_at)
			join();
		talk.truth[i].response_pos = talk.k.pos[d];
		send_response(d, i);
		if (dice(4) == 0) {
			deliver_all();
			kit_tick(&talk.k, dice(400) * KIT_MS);
		}
	}
	deliver_all();
}

/* Returns how many exchanges were seen whole. */
static unsigned round_of(unsigned seed, unsigned loss, unsigned modes)
{
	struct proto_sink sink;

	memset(&talk, 0, sizeof(talk));
	talk.seed = seed * 2654435761u + 12345;
	talk.round = seed;
	talk.loss = loss;
	talk.modes = modes;
	talk.lookalike = modes & LOOKALIKE;
	talk.skewed = modes & SKEWED;
	talk.unseen = modes & JOINED;
	talk.server = seed & 1;
	kit_new(&talk.k, false);
	kit_sink(&talk.k, &sink);
	sink.request = on_request;
	sink.response = on_response;
	sink.end = on_end;
	kit_with(&talk.k, &sink);
	if (!(modes & JOINED))
		kit_connect(&talk.k, talk.server ? PC_F_PASSIVE : PC_F_ACTIVE, 0, 0);
	converse(dice(EXCHANGES / 2));
	kit_gone(&talk.k);
	kit_finish(&talk.k);
	kit_free(&talk.k);
	return talk.complete;
}

/* Percent of exchanges that were seen whole. */
static unsigned many(unsigned loss, unsigned modes)
{
	const char *seeds = getenv("PARCOURS_SEEDS");
	unsigned complete = 0, rounds = seeds ? (unsigned)strtoul(seeds, NULL, 10) : ROUNDS;

	for (unsigned i = 0; i < rounds; i++)
		complete += round_of(i, loss, modes);
	complete = complete * 100 / (rounds * EXCHANGES);
	print_message("lost %u of 1000,%s%s%s%s%s %u %% whole\n", loss,
		      modes & LOOKALIKE ? " look-alikes," : "",
		      modes & PIPELINED ? " pipelined," : "", modes & WINDOW ? " window," : "",
		      modes & SKEWED ? " skewed," : "", modes & JOINED ? " joined," : "", complete);
	return complete;
}

static void nothing_lost_is_whole(void **state)
{
	for (unsigned modes = 0; modes < 16; modes++)
		assert_int_equal(many(0, modes), 100);
}

static void joining_loses_little(void **state)
{
	assert_true(many(0, JOINED) >= 70); /* we come in after 10 of 40 on average */
	assert_true(many(0, JOINED | SKEWED) >= 70);
	many(0, JOINED | LOOKALIKE);
}

static void little_lost(void **state)
{
	assert_true(many(10, 0) >= 90);
	assert_true(many(10, LOOKALIKE) >= 90);
	for (unsigned modes = 2; modes < 32; modes++)
		if (!(modes & WINDOW && modes & JOINED))
			many(10, modes);
}

static void much_lost(void **state)
{
	for (unsigned modes = 0; modes < 32; modes++) {
		if (modes & WINDOW && modes & JOINED)
			continue;
		many(100, modes);
		many(500, modes);
	}
}

UNIT_MAIN(T(nothing_lost_is_whole), T(joining_loses_little), T(little_lost), T(much_lost))
