/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns.c: see dns.h. A head of 12 octets, the question, then records: name, type, class, time to live, length,
 * data. Names of records are stepped over, never followed: whoever's record it is (the name's own, or that of one
 * it is an alias for), an address in the answer is what was asked for. A pointer ends a name, so nothing here
 * goes backwards and each step takes octets.
 */
#include "txn/lookup/dns.h"

#include <errno.h>

#define HEAD	    12
#define RECORD_HEAD 10 /* behind its name */
#define LABEL_MOST  63
#define POINTER	    0xc0
#define CLASS_IN    1

#define FLAG_ANSWER    0x8000
#define FLAG_CUT       0x0200
#define FLAG_RECURSION 0x0100

static unsigned at8(struct slice s, size_t i)
{
	return (unsigned char)s.at[i];
}

static unsigned at16(struct slice s, size_t i)
{
	return at8(s, i) << 8 | at8(s, i + 1);
}

/* Of a host's name. A dot within a label would make two of it. */
static bool is_visible(unsigned c)
{
	return c > ' ' && c < 0x7f && c != '.' && c != '\\';
}

static char small(unsigned c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* The name of the question, cut off *s. It is the first of the message, so there is nothing that it could
 * point to. */
static int take_name(struct slice *s, struct dns_message *m)
{
	size_t i = 0, n = 0, len;

	for (;; i += len) {
		if (i >= s->len)
			return -EBADMSG;
		len = at8(*s, i++);
		if (!len)
			break;
		if (len > LABEL_MOST || s->len - i < len || n + len + (n > 0) > DNS_NAME)
			return -EBADMSG;
		if (n)
			m->name[n++] = '.';
		for (size_t k = 0; k < len; k++) {
			unsigned c = at8(*s, i + k);

			if (!is_visible(c))
				return -EBADMSG;
			m->name[n++] = small(c);
		}
	}
	m->name_len = (uint8_t)n;
	*s = slice_sub(*s, i, s->len);
	return 0;
}

/* False: it does not end here. */
static bool skip_name(struct slice *s)
{
	size_t i = 0, len;

	while (i < s->len) {
		len = at8(*s, i);
		i += (len & POINTER) == POINTER ? 2 : 1 + len;
		if (len > LABEL_MOST && (len & POINTER) != POINTER)
			return false;
		if (i > s->len)
			return false;
		if (len && len <= LABEL_MOST)
			continue;
		*s = slice_sub(*s, i, s->len);
		return true;
	}
	return false;
}

static void keep_address(struct dns_message *m, struct slice data)
{
	uint8_t *to;

	if (m->addresses == DNS_ADDRESSES)
		return;
	to = m->ip[m->addresses];
	memset(to, 0, 16);
	if (m->type == DNS_A && data.len == 4) {
		to[10] = to[11] = 0xff;
		memcpy(to + 12, data.at, 4);
	} else if (m->type == DNS_AAAA && data.len == 16) {
		memcpy(to, data.at, 16);
	} else {
		return;
	}
	m->addresses++;
}

/* False: what is here ends within it. */
static bool take_record(struct slice *s, struct dns_message *m)
{
	size_t len;

	if (!skip_name(s) || s->len < RECORD_HEAD)
		return false;
	len = at16(*s, 8);
	if (at16(*s, 0) == m->type && at16(*s, 2) == CLASS_IN)
		m->found = true;
	if (s->len - RECORD_HEAD < len)
		return false;
	if (at16(*s, 0) == m->type && at16(*s, 2) == CLASS_IN)
		keep_address(m, slice_sub(*s, RECORD_HEAD, RECORD_HEAD + len));
	*s = slice_sub(*s, RECORD_HEAD + len, s->len);
	return true;
}

uint16_t dns_id(struct slice s)
{
	return (uint16_t)at16(s, 0);
}

int dns_read(struct slice s, struct dns_message *ret)
{
	struct dns_message m = { 0 };
	unsigned flags, records;
	int err;

	if (s.len < HEAD || at16(s, 4) != 1)
		return -EBADMSG;
	flags = at16(s, 2);
	if (flags & 0x7800) /* opcode: not a standard query */
		return -EBADMSG;
	m.id = dns_id(s);
	m.answer = flags & FLAG_ANSWER;
	m.recursion = flags & FLAG_RECURSION;
	m.rcode = flags & 15;
	records = at16(s, 6);
	s = slice_sub(s, HEAD, s.len);
	err = take_name(&s, &m);
	if (err)
		return err;
	if (s.len < 4 || at16(s, 2) != CLASS_IN)
		return -EBADMSG;
	m.type = (uint16_t)at16(s, 0);
	s = slice_sub(s, 4, s.len);
	if (m.answer && m.rcode == DNS_NOERROR) {
		m.found = flags & FLAG_CUT;
		while (records && take_record(&s, &m))
			records--;
		m.found |= records > 0;
	}
	*ret = m;
	return 0;
}

const char *dns_rcode_name(uint8_t rcode)
{
	static const char *const names[] = { [DNS_FORMERR] = "FORMERR",
					     [DNS_SERVFAIL] = "SERVFAIL",
					     [DNS_NXDOMAIN] = "NXDOMAIN",
					     [DNS_NOTIMP] = "NOTIMP",
					     [DNS_REFUSED] = "REFUSED" };

	return rcode < sizeof(names) / sizeof(names[0]) && names[rcode] ? names[rcode] : "_OTHER";
}
