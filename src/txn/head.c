/* SPDX-License-Identifier: Apache-2.0 */
/*
 * head.c: message heads → the named parts of a transaction, copied into its arena because the slices
 * of a head die with the call. Called by pair.c. On -ENOMEM the caller makes room and calls again;
 * what was copied in vain goes with the arena.
 */
#include <errno.h>

#include "txn/internal.h"
#include "txn/target/target.h"

/* RFC 9110 section 9, RFC 5789 and QUERY, which OpenTelemetry's http.request.method knows. */
static const struct slice methods[] = {
	SLICE("GET"),	  SLICE("POST"),    SLICE("HEAD"),  SLICE("PUT"),   SLICE("DELETE"),
	SLICE("OPTIONS"), SLICE("CONNECT"), SLICE("TRACE"), SLICE("PATCH"), SLICE("QUERY"),
};

static int copy_method(struct open_txn *o, struct slice method)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (!slice_eq(method, methods[i]))
			continue;
		o->t.method = methods[i];
		o->t.method_known = true;
		return 0;
	}
	return arena_copy(&o->arena, method, &o->t.method);
}

/* Path and query lie side by side on the wire, so one copy serves both. */
static int copy_path(struct open_txn *o, const struct target *t)
{
	struct slice both = t->path, copy;

	if (t->query.at && t->query.at == t->path.at + t->path.len + 1)
		both.len += 1 + t->query.len;
	if (arena_copy(&o->arena, both, &copy))
		return -ENOMEM;
	o->t.path = slice_sub(copy, 0, t->path.len);
	o->t.has_query = t->query.at;
	if (!t->query.at)
		return 0;
	if (both.len > t->path.len) {
		o->t.query = slice_sub(copy, t->path.len + 1, copy.len);
		return 0;
	}
	return arena_copy(&o->arena, t->query,
			  &o->t.query); /* http://host?query: the path is ours */
}

static int copy_target(struct open_txn *o, const struct head *h, struct slice host)
{
	struct transaction *t = &o->t;
	struct target target;
	struct authority a;

	target_parse(h->method, h->target, &target);
	if (target.form == TARGET_NONE)
		t->flags |= TXN_NO_TARGET_FORM;
	if (copy_path(o, &target))
		return -ENOMEM;
	t->scheme = SLICE("http");
	if (target.scheme.at && arena_copy(&o->arena, target.scheme, &t->scheme))
		return -ENOMEM;
	/* RFC 9112 3.2.2: the target's authority replaces the Host field. */
	if (!target.authority.at)
		t->authority = authority_strip(host);
	else if (arena_copy(&o->arena, target.authority, &t->authority))
		return -ENOMEM;
	authority_parse(t->authority, &a);
	t->server_name = a.name;
	t->authority_port = a.port;
	return 0;
}

static void copy_numbers(struct txn_message *m, const struct head *h)
{
	m->seen = true;
	m->major = h->major;
	m->minor = h->minor;
	m->framing = h->framing;
	m->head_bytes = h->size;
	m->pos = h->pos;
}

/* The witness sees what fields_copy leaves behind. */
static int take_evidence(struct txn *x, struct open_txn *o, const struct head *h, bool request)
{
	struct txn_message *m = request ? &o->t.request : &o->t.response;

	if (!x->witness.head || o->t.side != SIDE_SERVER)
		return 0;
	return x->witness.head(x->witness.ctx, h, request, &o->arena, &m->evidence);
}

int head_request(struct txn *x, struct open_txn *o, const struct head *h)
{
	struct transaction *t = &o->t;
	struct slice host = { 0 };
	struct slice *const named[FIELD_NAMES] = {
		[FIELD_HOST] = &host,
		[FIELD_USER_AGENT] = &t->user_agent,
		[FIELD_REFERER] = &t->referer,
		[FIELD_CONTENT_TYPE] = &t->content_type,
	};

	copy_numbers(&t->request, h);
	if (h->flags & HEAD_CONFLICT)
		t->flags |= TXN_CONFLICT;
	if (fields_copy(&x->fields, &o->arena, h, &t->request, named))
		return -ENOMEM;
	if (copy_method(o, h->method))
		return -ENOMEM;
	if (take_evidence(x, o, h, true))
		return -ENOMEM;
	return copy_target(o, h, host);
}

int head_response(struct txn *x, struct open_txn *o, const struct head *h)
{
	struct transaction *t = &o->t;
	struct slice *const named[FIELD_NAMES] = {
		[FIELD_CONTENT_TYPE] = &t->response_type,
		[FIELD_LOCATION] = &t->location,
		[FIELD_UPGRADE] = h->status == 101 ? &t->upgrade : NULL,
	};

	copy_numbers(&t->response, h);
	t->status = h->status;
	if (h->flags & HEAD_CONFLICT)
		t->flags |= TXN_CONFLICT;
	if (h->framing == FRAMING_TUNNEL)
		t->flags |= TXN_UPGRADED;
	if (fields_copy(&x->fields, &o->arena, h, &t->response, named))
		return -ENOMEM;
	return take_evidence(x, o, h, false);
}
