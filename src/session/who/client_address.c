/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_address.c: the client behind proxies, and the host that it asked for; the rules are in who.h. Called
 * with each request before identity, which may need the address, and before privacy, which shortens it.
 *
 * Lists are read from the right and no further than the answer, so a thousand entries cost what the
 * few trusted ones at the end do. Stateless.
 */
#include <errno.h>

#include "session/who.h"
#include "stream/address.h"

/* ---- trust ---- */

static void load_ip(const uint8_t ip[16], uint64_t ret[2])
{
	memcpy(ret, ip, 16);
}

static void mask_of(unsigned bits, uint64_t ret[2])
{
	uint8_t mask[16] = { 0 };

	for (unsigned i = 0; i < 16 && bits; i++) {
		unsigned here = bits < 8 ? bits : 8;

		mask[i] = (uint8_t)(0xff00u >> here);
		bits -= here;
	}
	load_ip(mask, ret);
}

void trust_init(struct trust *t)
{
	t->count = 0;
}

int trust_add(struct trust *t, struct slice network)
{
	struct slice prefix = network, address = slice_next(&prefix, '/');
	uint64_t bits = 128, ip[2], mask[2];
	struct pc_addr a;

	if (address_parse(address, &a) || a.port || slice_find(address, '%') >= 0)
		return -EINVAL;
	if (prefix.at) {
		bool v4 = slice_find(address, ':') < 0;

		if (slice_u64(prefix, &bits) || bits > (v4 ? 32 : 128))
			return -EINVAL;
		bits += v4 ? 96 : 0;
	}
	mask_of((unsigned)bits, mask);
	load_ip(a.ip, ip);
	if (ip[0] & ~mask[0] || ip[1] & ~mask[1])
		return -EINVAL;
	if (t->count == TRUST_NETS)
		return -ENOSPC;
	memcpy(t->net[t->count].ip, ip, sizeof(ip));
	memcpy(t->net[t->count].mask, mask, sizeof(mask));
	t->count++;
	return 0;
}

int trust_add_default(struct trust *t)
{
	static const struct slice nets[] = {
		SLICE("127.0.0.0/8"),	 SLICE("10.0.0.0/8"), SLICE("172.16.0.0/12"),
		SLICE("192.168.0.0/16"), SLICE("::1/128"),    SLICE("fc00::/7"),
		SLICE("169.254.0.0/16"), SLICE("fe80::/10"),
	};

	int err = 0;

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]) && !err; i++)
		err = trust_add(t, nets[i]);
	return err;
}

int trust_read(struct trust *t, const char *const *list)
{
	struct trust made = { .count = 0 };
	int err = 0;

	if (!list)
		err = trust_add_default(&made);
	for (; list && *list && !err; list++) {
		if (!strcmp(*list, "private"))
			err = trust_add_default(&made);
		else if (strcmp(*list, "none"))
			err = trust_add(&made, slice_str(*list));
	}
	if (!err)
		*t = made;
	return err;
}

bool trust_has(const struct trust *t, const struct pc_addr *a)
{
	uint64_t ip[2];

	load_ip(a->ip, ip);
	for (uint32_t i = 0; i < t->count; i++)
		if (!(((ip[0] ^ t->net[i].ip[0]) & t->net[i].mask[0]) |
		      ((ip[1] ^ t->net[i].ip[1]) & t->net[i].mask[1])))
			return true;
	return false;
}

/* ---- lists, from the right ---- */

enum step {
	STEP_END,     /* no more entries */
	STEP_ADDRESS, /* *ret is set */
	STEP_HIDDEN,
	STEP_MALFORMED,
	STEP_CUT,
};

/* Where the last element of a list begins: behind the last comma outside of quotes. A quote counts
 * unless an odd number of backslashes stands before it (RFC 9110 5.6.4). */
static size_t last_quoted(struct slice s)
{
	bool quoted = false;
	size_t i = s.len;

	for (; i; i--) {
		char c = s.at[i - 1];

		if (c == '"') {
			size_t slashes = 0;

			while (slashes < i - 1 && s.at[i - 2 - slashes] == '\\')
				slashes++;
			quoted ^= !(slashes & 1);
		} else if (c == ',' && !quoted) {
			break;
		}
	}
	return i;
}

/* Takes it off *s. Without quotes, as X-Forwarded-For is, there is nothing to be careful about. */
static struct slice last_entry(struct slice *s, bool quotes)
{
	const char *comma = quotes ? NULL : memrchr(s->at, ',', s->len);
	size_t from = comma ? (size_t)(comma - s->at) + 1 : 0;
	struct slice entry;

	if (quotes)
		from = last_quoted(*s);
	entry = slice_trim(slice_of(s->at + from, s->len - from));
	s->len = from ? from - 1 : 0;
	return entry;
}

static struct slice unquote(struct slice s)
{
	if (s.len >= 2 && s.at[0] == '"' && s.at[s.len - 1] == '"')
		return slice_sub(s, 1, s.len - 1);
	return s;
}

/* A node of RFC 7239 section 6, or an entry of X-Forwarded-For. */
static enum step parse_node(struct slice s, struct pc_addr *ret)
{
	struct slice name;

	s = unquote(slice_trim(s));
	if (!s.len)
		return STEP_MALFORMED;
	if (!address_parse(s, ret))
		return STEP_ADDRESS;
	name = slice_next(&s, ':');
	return (name.len && name.at[0] == '_') || slice_ieq(name, SLICE("unknown"))
		       ? STEP_HIDDEN
		       : STEP_MALFORMED;
}

/* A parameter of a forwarded-element (RFC 7239 section 4): false: it has none, *ret->at NULL: none with a value.
 * No value that we want has a ';' in quotes, so these need no care. */
static bool find_parameter(struct slice element, struct slice which, struct slice *ret)
{
	while (element.at) {
		struct slice value = slice_trim(slice_next(&element, ';'));
		struct slice name = slice_next(&value, '=');

		if (!slice_ieq(slice_trim(name), which))
			continue;
		*ret = value;
		return true;
	}
	return false;
}

/* An element that does not say for whom hides it. */
static enum step parse_element(struct slice s, struct pc_addr *ret)
{
	struct slice value;

	if (!find_parameter(s, SLICE("for"), &value))
		return STEP_HIDDEN;
	return value.at ? parse_node(value, ret) : STEP_MALFORMED;
}

struct list {
	const struct who_fields *f;
	enum who_field which;
	const char *name;
	uint32_t line; /* lines at and after this one are done */
	struct slice rest;
	bool clipped;	  /* the line's left part was not looked at */
	uint32_t entries; /* empty ones too */
	uint32_t read;
};

/* The line before; a field that has one line is not searched for. */
static bool previous_line(struct list *l)
{
	if (!(l->f->repeated >> l->which & 1)) {
		if (l->line == 0)
			return false;
		l->line = 0;
		l->rest = l->f->value[l->which];
		return true;
	}
	while (l->line) {
		const struct field *f = &l->f->all[--l->line];

		if (!slice_ieq(f->name, slice_str(l->name)))
			continue;
		l->rest = f->value;
		return true;
	}
	return false;
}

/* STEP_ADDRESS: *ret is what stands there, be it an address or not. */
static enum step next_text(struct list *l, struct slice *ret)
{
	for (;;) {
		while (!l->rest.len) {
			if (l->clipped)
				return STEP_CUT;
			if (!previous_line(l))
				return STEP_END;
			l->clipped = l->rest.len > CLIENT_BYTES;
			if (l->clipped)
				l->rest =
					slice_sub(l->rest, l->rest.len - CLIENT_BYTES, l->rest.len);
		}
		*ret = last_entry(&l->rest, l->which == WHO_FORWARDED);
		if (!l->rest.len && l->clipped)
			return STEP_CUT; /* its left end may lie further left */
		if (++l->entries > CLIENT_ENTRIES)
			return STEP_CUT;
		if (ret->len) /* empty elements are no elements: RFC 9110 5.6.1.2 */
			return STEP_ADDRESS;
	}
}

static enum step next_entry(struct list *l, struct pc_addr *ret)
{
	struct slice entry;
	enum step step = next_text(l, &entry);

	if (step != STEP_ADDRESS)
		return step;
	l->read++;
	return l->which == WHO_FORWARDED ? parse_element(entry, ret) : parse_node(entry, ret);
}

static void note(enum step step, uint32_t *flags)
{
	*flags |= step == STEP_HIDDEN	   ? CLIENT_HIDDEN
		  : step == STEP_MALFORMED ? CLIENT_MALFORMED
		  : step == STEP_CUT	   ? CLIENT_CUT
					   : 0;
}

/* What a list says. source stays CLIENT_UNOBSERVED when it names nobody. */
static void ask_list(const struct trust *t, const struct who_fields *f, enum who_field which,
		     const char *name, enum client_source source, struct client *ret)
{
	struct list l = { .f = f, .which = which, .name = name, .line = f->count };
	struct pc_addr a;
	enum step step;

	*ret = (struct client){ 0 };
	if (!f->value[which].at)
		return;
	while ((step = next_entry(&l, &a)) == STEP_ADDRESS) {
		ret->address = a;
		ret->source = source;
		ret->proxies = (uint8_t)l.read; /* each wrote one */
		if (!trust_has(t, &a))
			return;
	}
	if (step == STEP_END && ret->source) {
		ret->flags = CLIENT_INSIDE;
		return;
	}
	*ret = (struct client){ .proxies = (uint8_t)l.read };
	note(step, &ret->flags);
}

static void ask_single(const struct trust *t, const struct who_fields *f, enum who_field which,
		       enum client_source source, struct client *ret)
{
	enum step step;

	*ret = (struct client){ 0 };
	if (!f->value[which].at)
		return;
	/* Two lines: the proxy would have made one, so one at least is not the proxy's. */
	step = f->repeated >> which & 1 ? STEP_MALFORMED
					: parse_node(f->value[which], &ret->address);
	if (step != STEP_ADDRESS) {
		ret->address = (struct pc_addr){ 0 };
		note(step, &ret->flags);
		return;
	}
	ret->source = source;
	if (trust_has(t, &ret->address))
		ret->flags = CLIENT_INSIDE;
}

static bool outside(const struct client *c)
{
	return c->source && !(c->flags & CLIENT_INSIDE);
}

/* The better of two answers: an address outside, one inside, none. What was wrong with the other
 * is said with either. */
static void prefer(struct client *best, const struct client *other)
{
	uint32_t troubles = (best->flags | other->flags) & ~(uint32_t)CLIENT_INSIDE;

	if (!outside(best) && (outside(other) || !best->source))
		*best = *other;
	best->flags |= troubles;
}

static void ask_fields(const struct trust *t, const struct who_fields *f, struct client *ret)
{
	static const struct {
		uint8_t field, source;
	} singles[] = {
		{ WHO_CF_IP, CLIENT_CF_CONNECTING_IP },
		{ WHO_TRUE_CLIENT_IP, CLIENT_TRUE_CLIENT_IP },
		{ WHO_FASTLY_IP, CLIENT_FASTLY_CLIENT_IP },
		{ WHO_REAL_IP, CLIENT_X_REAL_IP },
	};
	struct client other;
	uint8_t proxies;
	bool differ;

	ask_list(t, f, WHO_FORWARDED_FOR, "x-forwarded-for", CLIENT_X_FORWARDED_FOR, ret);
	ask_list(t, f, WHO_FORWARDED, "forwarded", CLIENT_FORWARDED, &other);
	differ = outside(ret) && outside(&other) &&
		 memcmp(ret->address.ip, other.address.ip, sizeof(other.address.ip));
	proxies = ret->proxies ? ret->proxies : other.proxies;
	prefer(ret, &other);
	if (differ)
		ret->flags |= CLIENT_DIFFERS;
	for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]) && !outside(ret); i++) {
		ask_single(t, f, singles[i].field, singles[i].source, &other);
		prefer(ret, &other);
	}
	ret->proxies = proxies ? proxies : 1; /* who adds to no list is one */
}

void client_address(const struct trust *t, const struct who_fields *f,
		    const struct client_peer *peer, struct client *ret)
{
	struct client here = { .address = peer->address, .source = CLIENT_PEER }, said;

	*ret = (struct client){ 0 };
	if (!peer->observed)
		return;
	if (peer->unix_socket)
		here = (struct client){ 0 };
	if (!peer->unix_socket && !trust_has(t, &peer->address)) {
		*ret = here;
		return;
	}
	if (!address_is_none(&peer->source)) {
		here = (struct client){ .address = peer->source, .source = CLIENT_PROXY_PROTOCOL };
		if (!trust_has(t, &peer->source)) {
			*ret = here;
			return;
		}
	}
	if (here.source)
		here.flags = CLIENT_INSIDE;
	ask_fields(t, f, &said);
	/* Where a proxy spoke for somebody whom it did not name, the proxy itself is not the client. */
	if (said.source || said.flags)
		*ret = said;
	else
		*ret = here;
	ret->proxies = said.proxies;
}

/* ---- the host ---- */

/* What the outermost of those who may speak says that it was asked for. at NULL: none that is a host's name. */
static struct slice outermost_host(const struct who_fields *f, enum who_field which,
				   const char *name, uint32_t proxies)
{
	struct list l = { .f = f, .which = which, .name = name, .line = f->count };
	struct slice text, found = { 0 };
	struct site site;

	if (!f->value[which].at)
		return found;
	while (proxies-- && next_text(&l, &text) == STEP_ADDRESS) {
		if (which == WHO_FORWARDED && !find_parameter(text, SLICE("host"), &text))
			continue;
		text = unquote(slice_trim(text));
		site_of_host(text, &site);
		if (site.len)
			found = text;
	}
	return found;
}

struct slice client_forwarded_host(const struct who_fields *f, const struct client *c)
{
	struct slice host = outermost_host(f, WHO_FORWARDED_HOST, "x-forwarded-host", c->proxies);

	return host.at ? host : outermost_host(f, WHO_FORWARDED, "forwarded", c->proxies);
}
