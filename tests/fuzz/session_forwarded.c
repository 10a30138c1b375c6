/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_forwarded.c: addresses from strangers. Input: the peer, newline, what its PROXY protocol line
 * said, newline, then "Name: value" lines. What must hold for any bytes: a peer that is not trusted is
 * the client whatever the fields say; whoever else is named is not trusted, or flagged; and an address
 * or a cause is always there.
 */
#include <stdlib.h>

#include "session/who.h"
#include "stream/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS 256

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_trust(const struct trust *t, struct slice network)
{
	struct trust other = *t;
	struct pc_addr a;

	if (trust_add(&other, network))
		return;
	check(other.count == t->count + 1);
	network = slice_next(&network, '/');
	check(!address_parse(network, &a) && trust_has(&other, &a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of(data, size), text = slice_next(&rest, '\n');
	struct client_peer peer = { .observed = true };
	struct field list[FIELDS];
	struct who_fields f;
	struct slice host;
	struct site site;
	struct client c;
	struct trust t;
	uint32_t n = 0;

	trust_init(&t);
	trust_add_default(&t);
	check_trust(&t, text);
	peer.unix_socket = address_parse(text, &peer.address);
	text = slice_next(&rest, '\n');
	address_parse(text, &peer.source);
	while (rest.at && n < FIELDS) {
		struct slice value = slice_next(&rest, '\n');

		list[n].name = slice_next(&value, ':');
		list[n++].value = value.at ? slice_trim(value) : SLICE("");
	}
	who_fields_find(list, n, &f);
	client_address(&t, &f, &peer, &c);
	check(c.proxies <= CLIENT_ENTRIES + 1);
	host = client_forwarded_host(&f, &c);
	check(c.proxies || !host.at);
	site_of_host(host, &site);
	check(!host.at || site.len);
	if (!peer.unix_socket && !trust_has(&t, &peer.address)) {
		check(c.source == CLIENT_PEER && !c.flags);
		check(!memcmp(c.address.ip, peer.address.ip, 16));
		return 0;
	}
	if (!c.source) {
		check(peer.unix_socket || c.flags);
		check(address_is_none(&c.address));
	} else if (c.source != CLIENT_PEER) {
		check(trust_has(&t, &c.address) == !!(c.flags & CLIENT_INSIDE));
	}
	return 0;
}
