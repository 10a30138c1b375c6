/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns.c: the command of event scripts about look-ups of names: a question to a name server, or its answer.
 */
#include <arpa/inet.h>

#include "../unit/dns.h"
#include "parser.h"

static void set_address(struct slice text, struct pc_addr *ret)
{
	char copy[64];

	copy_word(copy, sizeof(copy), text);
	memset(ret->ip + 10, 0xff, 2);
	if (inet_pton(AF_INET, copy, ret->ip + 12) != 1)
		memset(ret->ip, 0, sizeof(ret->ip));
}

static bool add_datagram(struct parser *p, const struct dns_octets *o, enum pc_dir dir)
{
	struct slice server = words_value(&p->w, "server");
	struct pc_dns *r = add_record(p, PC_DNS, sizeof(*r) + o->len);

	if (!r)
		return false;
	r->dir = (uint8_t)dir;
	r->tgid = (uint32_t)words_number(&p->w, "pid", 100);
	r->tid = (uint32_t)words_number(&p->w, "tid", r->tgid);
	r->error = (uint32_t)words_errno(&p->w, "error");
	r->family = AF_INET;
	r->local.port = (uint16_t)words_number(&p->w, "port", 40000);
	set_address(SLICE("10.0.0.1"), &r->local);
	set_address(server.at ? server : SLICE("10.0.0.53"), &r->remote);
	r->remote.port = PC_DNS_PORT;
	r->captured = (uint32_t)o->len;
	memcpy(r + 1, o->at, o->len);
	return true;
}

/* dns ask|answer NAME [aaaa] [id=N] [rcode=N] [address=A]. */
bool command_dns(struct parser *p)
{
	struct slice way = words_next(&p->w), name = words_next(&p->w),
		     address = words_value(&p->w, "address");
	bool answer = slice_eq(way, SLICE("answer"));
	unsigned type = words_has(&p->w, "aaaa") ? DNS_AAAA : DNS_A;
	struct pc_addr a = { 0 };
	struct dns_octets o;
	char text[256];

	if (!name.at || (!answer && !slice_eq(way, SLICE("ask"))))
		return bad(p, "dns ask|answer NAME");
	copy_word(text, sizeof(text), name);
	dns_begin(&o, (unsigned)words_number(&p->w, "id", 1),
		  answer ? DNS_IS_ANSWER | (unsigned)words_number(&p->w, "rcode", 0) : DNS_ASKS,
		  text, type, address.at != NULL);
	if (address.at) {
		set_address(address, &a);
		dns_record(&o, NULL, type, type == DNS_A ? a.ip + 12 : a.ip,
			   type == DNS_A ? 4 : 16);
	}
	return add_datagram(p, &o, answer ? PC_RX : PC_TX);
}
