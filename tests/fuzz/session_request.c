/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_request.c: all that who.h says of one request, from strangers' heads. Input: lines
 * "METHOD target", then "Name: value", an empty line, then response lines "status", "type",
 * "disposition". What must hold for any bytes: results are in their ranges, borrowed parts lie inside
 * of the input, and the same input says the same twice.
 */
#include <stdlib.h>

#include "session/who.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS 256

static struct agents *agents;

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_site(const struct site *s)
{
	check(s->len <= SITE_BYTES);
	for (unsigned i = 0; i < s->len; i++) {
		char c = s->at[i];

		check((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
		      c == '_' || c == ':' || c == '[' || c == ']');
	}
}

static void check_agent(const struct who_fields *f)
{
	struct agent a, b;

	if (!agents && agents_new(NULL, &agents))
		abort();
	agent_of(agents, f, &a);
	agent_of(agents, f, &b);
	check(a.device == b.device && a.os == b.os && a.browser == b.browser &&
	      a.browser_major == b.browser_major && a.synthetic == b.synthetic);
	check(a.device < DEVICES && a.os < OSES && a.browser < BROWSERS);
	check(!a.synthetic == !a.robot && a.robot <= agents_count(agents));
	check(a.name == b.name && a.version == b.version);
	check(!a.synthetic == !(a.device == DEVICE_BOT || a.device == DEVICE_PROGRAM));
}

static void check_channel(const struct who_fields *f, struct slice query, const struct site *site)
{
	static const struct slice own[] = { SLICE("shop.example") };
	struct touch t;

	channel_of(site_slice(site), f->value[WHO_REFERER], query, own, 1, &t);
	check(t.channel > CHANNEL_UNOBSERVED && t.channel < CHANNELS && channel_name(t.channel));
	check_site(&t.referrer);
	check(t.source.len <= CAMPAIGN_VALUE && t.id.len <= CAMPAIGN_VALUE);
	if (t.channel == CHANNEL_DIRECT)
		check(!f->value[WHO_REFERER].len && !t.click);
}

static void check_page(struct slice method, struct slice path, const struct who_fields *f,
		       struct slice answer)
{
	struct slice status = slice_next(&answer, '\n'), type = slice_next(&answer, '\n');
	struct page_signs s;
	uint64_t code = 0;
	struct page p;

	if (slice_u64(slice_trim(status), &code) || code > 999)
		code = 0;
	page_signs_of(method, path, f, &s);
	page_kind_of(&s, (uint16_t)code, type, answer, &p);
	check(p.kind < PAGE_KINDS && p.evidence <= EVIDENCE_RESPONSE);
	check((p.kind == PAGE_UNOBSERVED) == (p.evidence == EVIDENCE_NONE));
	check(!s.kind || p.kind == s.kind || p.kind == PAGE_DOWNLOAD);
	if (page_is_view(&p))
		check(p.kind == PAGE_NAVIGATION && code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of(data, size), target = slice_next(&rest, '\n');
	struct slice method = slice_next(&target, ' '), path = slice_next(&target, '?');
	struct field list[FIELDS];
	struct who_fields f;
	struct site site, call;
	uint32_t n = 0;

	while (rest.at && n < FIELDS) {
		struct slice line = slice_next(&rest, '\n'), name;

		if (!line.len)
			break;
		name = slice_next(&line, ':');
		list[n].name = name;
		list[n++].value = line.at ? slice_trim(line) : slice_sub(name, name.len, name.len);
	}
	who_fields_find(list, n, &f);
	site_of_host(f.value[WHO_HOST], &site);
	site_of_caller(&f, &call);
	check_site(&site);
	check_site(&call);
	check_agent(&f);
	check_channel(&f, target, &site);
	check_page(method, path, &f, rest);
	return 0;
}
