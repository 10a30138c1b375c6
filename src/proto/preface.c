/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preface.c: see preface.h. Called by proto.c with the first octets of a direction, again and again
 * until they decide. A line that begins like version 1 is passed over whatever its rest is, since no
 * request begins so; its addresses are taken only when the line is as the text says, because they may
 * become somebody's address. Stateless.
 */
#include "proto/preface.h"

#include <errno.h>
#include <string.h>

#include "stream/address.h"

#define V2_HEAD 16

/* "TCP4 192.0.2.1 192.0.2.2 56324 443", one blank between. */
static bool parse_v1(struct slice line, struct pc_addr *ret)
{
	struct slice family = slice_next(&line, ' '), source = slice_next(&line, ' ');
	struct slice target = slice_next(&line, ' '), port = slice_next(&line, ' ');
	struct pc_addr from, to;
	uint64_t from_port, to_port;
	bool v4 = slice_eq(family, SLICE("TCP4"));

	if (!v4 && !slice_eq(family, SLICE("TCP6")))
		return false;
	if (address_parse(source, &from) || address_parse(target, &to) || from.port || to.port)
		return false;
	/* TCP6 may carry mapped addresses, but nothing without a colon, and no brackets. */
	if (slice_find(source, '[') >= 0 || slice_find(target, '[') >= 0)
		return false;
	if ((slice_find(source, ':') < 0) != v4 || (slice_find(target, ':') < 0) != v4)
		return false;
	if (slice_u64(port, &from_port) || slice_u64(line, &to_port) || from_port > 65535 ||
	    to_port > 65535)
		return false;
	from.port = (uint16_t)from_port;
	*ret = from;
	return true;
}

static uint16_t port_at(const char *at)
{
	return (uint16_t)((unsigned char)at[0] << 8 | (unsigned char)at[1]);
}

/* The whole binary head. Command 1 of version 2 is PROXY; 0, LOCAL, speaks for the proxy itself. */
static void parse_v2(struct slice s, struct pc_addr *ret)
{
	struct pc_addr a = { .ip = { [10] = 0xff, [11] = 0xff } };
	const char *at = s.at + V2_HEAD;

	if ((unsigned char)s.at[12] != 0x21)
		return;
	if (s.at[13] == 0x11 && s.len >= V2_HEAD + 12) {
		memcpy(a.ip + 12, at, 4);
		a.port = port_at(at + 8);
		*ret = a;
	} else if (s.at[13] == 0x21 && s.len >= V2_HEAD + 36) {
		memcpy(a.ip, at, 16);
		a.port = port_at(at + 32);
		*ret = a;
	}
}

long preface_size(struct slice s, struct pc_addr *ret_source)
{
	static const struct slice v1 = { "PROXY ", 6 };
	static const struct slice v2 = { "\r\n\r\n\0\r\nQUIT\n", 12 };
	struct slice line;
	size_t len;
	long lf;

	if (slice_eq(slice_sub(s, 0, 12), slice_sub(v2, 0, s.len))) {
		if (s.len < V2_HEAD)
			return -EAGAIN;
		len = V2_HEAD + (size_t)port_at(s.at + 14);
		if (s.len < len)
			return -EAGAIN;
		parse_v2(slice_sub(s, 0, len), ret_source);
		return (long)len;
	}
	if (!slice_eq(slice_sub(s, 0, 6), slice_sub(v1, 0, s.len)))
		return 0;
	lf = slice_find(slice_sub(s, 0, PREFACE_V1_BYTES), '\n');
	if (lf < 0)
		return s.len < PREFACE_V1_BYTES ? -EAGAIN : 0;
	line = slice_sub(s, v1.len, (size_t)lf);
	if (line.len && line.at[line.len - 1] == '\r') {
		line.len--;
		parse_v1(line, ret_source);
	}
	return lf + 1;
}
