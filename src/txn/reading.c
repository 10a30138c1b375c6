/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reading.c: see reading.h. Called by pair.c: a head asks for wants, content goes to the bodies that
 * they opened, the end closes them. Two may want something of one message, each with wants of his own and
 * so with a body of his own: the reader, whose values are kept, and the witness (evidence.h), who is shown
 * them while they stand in the stream and leaves hashes.
 *
 * Bodies write into the transaction's arena while octets are pushed, so nothing is evicted meanwhile: what
 * finds no room is counted.
 */
#include <errno.h>
#include <stdlib.h>

#include "txn/internal.h"

#define VALUES_FEW 8
#define CODING_BYTES                                                                               \
	256 /* Content-Encoding and Transfer-Encoding, joined: two of them can be read */

enum { FOR_READER, FOR_WITNESS, PARTIES };

struct party {
	const struct body_wants *wants; /* held */
	struct body *body;		/* NULL: not opened, or ended */
};

/* In the transaction's arena, of a message of which somebody wants something. */
struct content {
	struct txn *x;
	struct open_txn *o;
	bool request;
	bool any; /* content came, or was missed */
	struct party party[PARTIES];
	struct reading_value *values;
	uint32_t room;
	size_t bytes;
};

static struct txn_message *message_of(const struct content *k)
{
	return k->request ? &k->o->t.request : &k->o->t.response;
}

/* ---- values ---- */

static struct reading_value *value_add(struct content *k, struct reading *r)
{
	struct arena *a = &k->o->arena;
	struct reading_value *more;
	uint32_t room = k->room ? k->room * 2 : VALUES_FEW;

	if (r->count < k->room)
		return &k->values[r->count];
	k->bytes += (room - k->room) * sizeof(*more);
	more = k->bytes > READING_BYTES ? NULL : arena_alloc(a, room * sizeof(*more));
	if (!more)
		return NULL;
	if (r->count)
		memcpy(more, k->values, r->count * sizeof(*more));
	k->values = more;
	k->room = room;
	r->values = more;
	return &more[r->count];
}

/* The first that finds no room is the last that is looked at: those that are kept are without a gap. */
static void take_value(void *ctx, const struct taken *v)
{
	struct content *k = ctx;
	struct reading *r = &message_of(k)->reading;
	struct reading_value *at = r->values_lost ? NULL : value_add(k, r);
	struct slice text = { 0 };

	k->bytes += v->text.len;
	if (!at || k->bytes > READING_BYTES ||
	    (v->text.len && arena_copy(&k->o->arena, v->text, &text))) {
		r->values_lost = true;
		k->x->stats.values_lost++;
		return;
	}
	*at = (struct reading_value){
		.want = v->want, .kind = (uint8_t)v->kind, .cut = v->cut, .text = text
	};
	memcpy(at->index, v->index, sizeof(at->index));
	r->count++;
}

static void take_evidence(void *ctx, const struct taken *v)
{
	struct content *k = ctx;
	struct txn *x = k->x;

	if (x->witness.value(x->witness.ctx, v, k->request, &k->o->arena, &message_of(k)->evidence))
		x->stats.values_lost++;
}

/* ---- what content it is ---- */

struct joined {
	char at[CODING_BYTES];
	size_t len;
	bool over; /* there are more than we keep: of no coding that we have */
};

static void join(struct joined *j, struct slice s)
{
	if (!s.len)
		return;
	if (j->len + s.len + 1 > sizeof(j->at)) {
		j->over = true;
		return;
	}
	if (j->len)
		j->at[j->len++] = ',';
	memcpy(j->at + j->len, s.at, s.len);
	j->len += s.len;
}

/* The codings that were put on, in their order: those of the content, then those of the transfer, of
 * which only the chunks are off here. */
static struct slice codings_of(const struct head *h, struct joined *j)
{
	for (uint32_t i = 0; i < h->field_count; i++)
		if (slice_ieq(h->fields[i].name, SLICE("content-encoding")))
			join(j, h->fields[i].value);
	for (uint32_t i = 0; i < h->field_count; i++) {
		struct slice rest = h->fields[i].value;

		if (!slice_ieq(h->fields[i].name, SLICE("transfer-encoding")))
			continue;
		while (rest.at) {
			struct slice coding = slice_trim(slice_next(&rest, ','));

			if (!slice_ieq(coding, SLICE("chunked")))
				join(j, coding);
		}
	}
	return j->over ? SLICE("?") : slice_of(j->at, j->len);
}

/* ---- parties ---- */

static const struct body_wants *ask(struct txn *x, const struct transaction *t, bool request,
				    unsigned p)
{
	uint32_t bit = request ? TXN_REQUESTS : TXN_RESPONSES;

	if (p == FOR_READER)
		return x->reader.contents & bit ? x->reader.wants(x->reader.ctx, t, request) : NULL;
	if (!(x->witness.contents & bit) || t->side != SIDE_SERVER)
		return NULL;
	return x->witness.wants(x->witness.ctx, t, request);
}

static void party_open(struct content *k, unsigned p, const struct body_kind *kind)
{
	const struct body_sink sink = { k, p == FOR_READER ? take_value : take_evidence };
	struct party *y = &k->party[p];
	int err = body_open(k->x->bodies, kind, y->wants, &sink, &y->body);

	/* -ENOENT: nothing of such a type is wanted. Otherwise it was, and nobody will look at it. */
	if (err == -ENOENT || p != FOR_READER || !err)
		return;
	message_of(k)->reading.opened = true;
	message_of(k)->reading.flags = 1u << BODY_MEMORY;
}

static void party_end(struct content *k, unsigned p)
{
	struct party *y = &k->party[p];
	struct body_result result;

	if (!y->body)
		return;
	body_end(y->body, &result);
	y->body = NULL;
	if (p != FOR_READER)
		return;
	message_of(k)->reading.opened = k->any;
	message_of(k)->reading.flags = k->any ? result.flags : 0;
}

static bool is_open(const struct content *k)
{
	for (unsigned p = 0; p < PARTIES; p++)
		if (k->party[p].body)
			return true;
	return false;
}

/* ---- verbs ---- */

/* Octets that are here, or (at == NULL) `len` that are not. */
static void push(struct content *k, struct slice octets, uint64_t missing)
{
	for (unsigned p = 0; p < PARTIES; p++) {
		struct body *b = k->party[p].body;
		bool more = b != NULL;

		if (more && octets.len)
			more = body_push(b, octets);
		if (more && missing)
			more = body_hole(b, missing);
		k->any |= b && (octets.len || missing);
		if (!more)
			party_end(k, p);
	}
}

static void read_query(struct content *k)
{
	const struct transaction *t = &k->o->t;
	const struct body_kind kind = { .query = true };

	for (unsigned p = 0; p < PARTIES; p++)
		if (k->party[p].wants && t->query.len)
			party_open(k, p, &kind);
	push(k, t->query, 0);
	for (unsigned p = 0; p < PARTIES; p++)
		party_end(k, p);
}

void reading_aliases(const struct reading *request, struct arena *a, struct body_kind *kind)
{
	uint32_t want = request->wants ? wants_alias(request->wants) : UINT32_MAX, count = 0;
	struct body_alias *list;

	if (want == UINT32_MAX)
		return;
	kind->aliases_unknown =
		request->values_lost || request->flags & ~(1u << BODY_MORE | 1u << BODY_CUT_TEXT);
	for (uint32_t i = 0; i < request->count; i++)
		count += request->values[i].want == want;
	if (!count || kind->aliases_unknown)
		return;
	list = arena_alloc(a, count * sizeof(*list));
	kind->aliases_unknown = !list;
	kind->aliases = list;
	for (uint32_t i = 0; list && i < request->count; i++) {
		const struct reading_value *v = &request->values[i];

		if (v->want != want)
			continue;
		kind->aliases_unknown |= v->index[3] == ALIAS_UNKNOWN;
		list[kind->alias_count++] =
			(struct body_alias){ .place = v->index[1] | (uint64_t)v->index[2] << 32,
					     .ordinal = v->index[0],
					     .name = v->text };
	}
	if (list)
		qsort(list, count, sizeof(*list), body_alias_order);
}

/* Of a response that comes while its request is still read nothing is known yet. */
static void add_aliases(struct content *k, struct body_kind *kind)
{
	const struct content *request = k->o->content[0];

	reading_aliases(&k->o->t.request.reading, &k->o->arena, kind);
	kind->aliases_unknown |= request && request->party[FOR_READER].body;
}

static void open_all(struct content *k, const struct head *h)
{
	struct joined room = { .len = 0 };
	struct body_kind kind = { .content_type = head_field(h, SLICE("content-type")),
				  .content_encoding = codings_of(h, &room),
				  .response = !k->request };

	if (!k->request)
		add_aliases(k, &kind);

	for (unsigned p = 0; p < PARTIES; p++)
		if (k->party[p].wants)
			party_open(k, p, &kind);
}

static bool brings_content(const struct head *h)
{
	return h->framing == FRAMING_CHUNKED || h->framing == FRAMING_CLOSE ||
	       (h->framing == FRAMING_LENGTH && h->content_length);
}

/* NULL: nobody wants anything, or there is no memory to say what. */
static struct content *content_new(struct txn *x, struct open_txn *o, bool request)
{
	const struct body_wants *wants[PARTIES];
	struct content *k;

	for (unsigned p = 0; p < PARTIES; p++)
		wants[p] = ask(x, &o->t, request, p);
	if (!wants[FOR_READER] && !wants[FOR_WITNESS])
		return NULL;
	x->stats.readings++;
	k = arena_alloc(&o->arena, sizeof(*k));
	if (!k) {
		x->stats.values_lost++;
		return NULL;
	}
	*k = (struct content){ .x = x, .o = o, .request = request };
	for (unsigned p = 0; p < PARTIES; p++) {
		k->party[p].wants = wants[p];
		if (wants[p])
			wants_hold(wants[p]);
	}
	message_of(k)->reading.wants = wants[FOR_READER];
	message_of(k)->reading.wanted = wants[FOR_READER];
	o->content[!request] = k;
	return k;
}

/* What is said of the response when only its request is known. */
static unsigned expect(struct txn *x, const struct transaction *t)
{
	const struct txn_reader *r = &x->reader;
	bool may = x->witness.contents & TXN_RESPONSES && t->side == SIDE_SERVER;

	if (!(txn_contents(x) & TXN_RESPONSES))
		return 0;
	if (!may && r->contents & TXN_RESPONSES)
		may = !r->may_want_response || r->may_want_response(r->ctx, t);
	return may ? WANT_RESPONSE : LEAVE_RESPONSE;
}

unsigned reading_begin(struct txn *x, struct open_txn *o, const struct head *h, bool request)
{
	struct content *k;
	unsigned found;

	found = request ? expect(x, &o->t) : 0;
	if (!request && (h->flags & HEAD_METHOD_UNKNOWN || h->framing == FRAMING_TUNNEL))
		return found;
	k = content_new(x, o, request);
	if (!k)
		return found;
	if (brings_content(h))
		open_all(k, h);
	else if (request)
		read_query(k);
	return found | (is_open(k) ? WANT_CONTENT : 0);
}

bool reading_push(struct open_txn *o, bool request, const struct range *r)
{
	struct content *k = o->content[!request];

	if (!k || !is_open(k))
		return false;
	push(k, r->bytes, r->len - r->bytes.len);
	return is_open(k);
}

void reading_end(struct open_txn *o, bool request, bool whole)
{
	struct content *k = o->content[!request];

	if (!k || !is_open(k))
		return;
	k->any |= !whole;
	for (unsigned p = 0; p < PARTIES; p++) {
		if (k->party[p].body && !whole)
			body_hole(k->party[p].body, 0);
		party_end(k, p);
	}
}

void reading_release(struct open_txn *o)
{
	for (unsigned m = 0; m < 2; m++) {
		struct content *k = o->content[m];

		for (unsigned p = 0; k && p < PARTIES; p++) {
			if (k->party[p].body)
				body_drop(k->party[p].body);
			if (k->party[p].wants)
				wants_release(k->party[p].wants);
		}
		o->content[m] = NULL;
	}
}

void txn_read(struct txn *x, const struct txn_reader *reader)
{
	x->reader = reader ? *reader : (struct txn_reader){ 0 };
}

void txn_body_stats(const struct txn *x, struct body_stats *ret)
{
	bodies_stats(x->bodies, ret);
}

uint32_t txn_contents(const struct txn *x)
{
	return x->reader.contents | x->witness.contents;
}
