/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ids.c: see ids.h. A hash rather than the name itself, because trace ids must look random in their
 * lower 56 bits: samplers compare those (trace.c).
 */
#include "trace/ids.h"

#include <endian.h>
#include <string.h>

#include "base/sip.h"

static const struct sip_key trace_high = { 0x7061726360747261, 0x6365206869676820 };
static const struct sip_key trace_low = { 0x7061726360747261, 0x6365206c6f772020 };
static const struct sip_key span_key[] = {
	[SIDE_SERVER] = { 0x7061726360737061, 0x6e20736572766572 },
	[SIDE_CLIENT] = { 0x7061726360737061, 0x6e20636c69656e74 },
};

/* Which kind of name follows the secret, so that one kind is never taken for another. */
enum { NAME_CLIENT_END = 1, NAME_OWN_END, NAME_OWN_RESPONSE };

static void add(struct exchange_name *n, const void *at, size_t len)
{
	memcpy(n->octets + n->len, at, len);
	n->len += len;
}

static void add_u32(struct exchange_name *n, uint32_t v)
{
	v = htole32(v);
	add(n, &v, sizeof(v));
}

static void add_u64(struct exchange_name *n, uint64_t v)
{
	v = htole64(v);
	add(n, &v, sizeof(v));
}

void exchange_name_of(const struct transaction *t, const uint8_t secret[16],
		      struct exchange_name *ret)
{
	/* The kind shares its eight octets with nothing: positions stay below 2^61. */
	uint64_t kind = NAME_OWN_RESPONSE, id = t->connection_id, pos = t->response.pos;

	ret->len = 0;
	if (!(t->unobserved & UNOBSERVED_EXCHANGE)) {
		add_u32(ret, t->isn_client);
		add_u32(ret, t->isn_server);
		add_u64(ret, t->exchange_pos);
		return;
	}
	if (t->request.seen) {
		pos = t->request.pos;
		kind = NAME_OWN_END;
		if (t->side == SIDE_CLIENT || t->peer_id) {
			kind = NAME_CLIENT_END;
			id = t->side == SIDE_CLIENT ? t->connection_id : t->peer_id;
		}
	}
	add(ret, secret, 16);
	add_u64(ret, id);
	add_u64(ret, pos | kind << 61);
}

static void put_be64(uint64_t v, uint8_t *ret)
{
	v = htobe64(v ? v : 1); /* zero is no id */
	memcpy(ret, &v, sizeof(v));
}

void trace_id_of(const struct exchange_name *n, uint8_t ret[16])
{
	put_be64(sip13(&trace_high, n->octets, n->len), ret);
	put_be64(sip13(&trace_low, n->octets, n->len), ret + 8);
}

void span_id_of(const struct exchange_name *n, enum side side, uint8_t ret[8])
{
	put_be64(sip13(&span_key[side], n->octets, n->len), ret);
}
