/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privacy.c: see privacy.h. Decides on text that strangers wrote, so it prefers to take one segment
 * too many: a path that became {token} by mistake costs a little detail, the other mistake publishes a
 * person. A word of a person's own (/users/john.smith) cannot be told from any other word.
 */
#include "export/privacy.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "txn/target/target.h"

#define SEGMENT_MAX  128 /* a longer one is a token, whatever stands in it */
#define DIGITS_ID    6
#define RUN_TOKEN    16 /* letters and digits without a break */
#define NAME_MAX_LEN 64 /* of a query parameter */
#define DECODINGS    8	/* of one segment: encoded again at each redirect */
#define REDACTED     "REDACTED"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* Percent-decoded, as far as it goes; returns the octets written (at most `room`). May be done in place. */
static size_t decode(struct slice s, char *to, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len && n < room; i++) {
		int high = i + 2 < s.len && s.at[i] == '%' ? hex_value(s.at[i + 1]) : -1;
		int low = high >= 0 ? hex_value(s.at[i + 2]) : -1;

		to[n++] = low >= 0 ? (char)(high << 4 | low) : s.at[i];
		if (low >= 0)
			i += 2;
	}
	return n;
}

/* Also without a dot (john@intranet), with a sign in front (@john@example.com), and in a URL with user-info
 * (user:password@host). One sign in front alone (@scope/package) is a name of things. */
static bool is_email(struct slice s)
{
	const char *at = s.len ? memrchr(s.at, '@', s.len) : NULL;

	return at && at > s.at && at + 1 < s.at + s.len;
}

/* Letters and digits mixed, or cases mixed, as encoders do and writers do not. */
static bool run_is_token(struct slice run)
{
	unsigned digits = 0, upper = 0, lower = 0, turns = 0, hex = 0;

	for (size_t i = 0; i < run.len; i++) {
		char c = run.at[i];

		digits += is_digit(c);
		upper += c >= 'A' && c <= 'Z';
		lower += c >= 'a' && c <= 'z';
		hex += hex_value(c) >= 0;
		turns += i && (is_digit(c) != is_digit(run.at[i - 1]) ||
			       (is_alpha(c) && is_alpha(run.at[i - 1]) &&
				(c & 0x20) != (run.at[i - 1] & 0x20)));
	}
	if (run.len < RUN_TOKEN)
		return run.len >= 10 && digits >= 2 && turns >= 4;
	if (hex == run.len)
		return true;
	return (digits >= 2 && upper + lower >= 2) || (upper >= 3 && lower >= 3 && turns >= 6) ||
	       (upper >= 12 && lower == 0) || run.len > 48;
}

static bool is_uuid(struct slice s)
{
	if (s.len != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s.at[i] != '-' : hex_value(s.at[i]) < 0)
			return false;
	}
	return true;
}

/* Only digits and what people put between them: a telephone number, a card, an account, an address. */
static bool is_number(struct slice s)
{
	unsigned digits = 0, dots = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (is_digit(s.at[i]))
			digits++;
		else if (s.at[i] == '.')
			dots++;
		else if (!memchr("+-_() :/,", s.at[i], 9))
			return false;
	}
	return digits >= DIGITS_ID || (dots == 3 && digits >= 4);
}

static bool has_long_digits(struct slice s)
{
	unsigned run = 0;

	for (size_t i = 0; i < s.len; i++) {
		run = is_digit(s.at[i]) ? run + 1 : 0;
		if (run >= DIGITS_ID)
			return true;
	}
	return false;
}

static bool is_ipv6(struct slice s)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char ip[16];

	if (s.len < 3 || s.len >= sizeof(text) || slice_find(s, ':') < 0)
		return false;
	memcpy(text, s.at, s.len);
	text[s.len] = 0;
	return inet_pton(AF_INET6, text, ip) == 1;
}

static bool is_token(struct slice s)
{
	size_t start = 0;

	if (slice_starts(s, SLICE("eyJ")) && s.len >= RUN_TOKEN)
		return true; /* {" in base64: a JSON web token or its like */
	for (size_t i = 0; i <= s.len; i++) {
		if (i < s.len &&
		    (is_digit(s.at[i]) || is_alpha(s.at[i]) || memchr("+/=", s.at[i], 3)))
			continue;
		if (run_is_token(slice_sub(s, start, i)))
			return true;
		start = i + 1;
	}
	/* base64url breaks its runs by - and _ too, seldom and at odd places: taken together. */
	if (s.len >= 20) {
		unsigned breaks = 0, upper = 0, digits = 0;

		for (size_t i = 0; i < s.len; i++) {
			breaks += !is_alpha(s.at[i]) && !is_digit(s.at[i]);
			upper += s.at[i] >= 'A' && s.at[i] <= 'Z';
			digits += is_digit(s.at[i]);
		}
		return breaks * 8 <= s.len && upper >= 3 && digits >= 3;
	}
	return false;
}

/* A short word without a digit or a sign that could make it an address: nearly all segments. None of
 * the rules below can be true of it. */
static bool is_short_word(struct slice s)
{
	if (s.len >= RUN_TOKEN)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (is_digit(s.at[i]) || s.at[i] == '@' || s.at[i] == '%' || s.at[i] == ':')
			return false;
	return true;
}

const char *privacy_segment(struct slice raw)
{
	char plain[SEGMENT_MAX];
	struct slice s;

	if (raw.len < 4 || is_short_word(raw))
		return NULL;
	if (raw.len > 3 * SEGMENT_MAX)
		return "{token}";
	s = slice_of(plain, decode(raw, plain, sizeof(plain)));
	if (s.len == sizeof(plain))
		return "{token}";
	for (unsigned times = 1; slice_find(s, '%') >= 0; times++) {
		size_t n = decode(s, plain, sizeof(plain));

		if (n == s.len)
			break;
		if (times == DECODINGS)
			return "{token}";
		s.len = n;
	}
	if (is_email(s))
		return "{email}";
	if (is_uuid(s) || is_number(s) || is_ipv6(s))
		return "{id}";
	if (is_token(s))
		return "{token}";
	return has_long_digits(s) ? "{id}" : NULL;
}

bool privacy_is_email(struct slice word)
{
	return is_email(word);
}

bool privacy_is_token(struct slice word)
{
	return is_token(word);
}

static bool is_of_a_brand(const char digits[19])
{
	/* Mastercard has 2221 to 2720 besides; the rest of 2 is nobody's who sells to people */
	return (digits[0] >= '3' && digits[0] <= '6') ||
	       (digits[0] == '2' && digits[1] >= '2' && digits[1] <= '7');
}

static bool luhn(const char digits[19], unsigned count)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned d = (unsigned)(digits[count - 1 - i] - '0');

		if (i % 2)
			d = d > 4 ? 2 * d - 9 : 2 * d;
		sum += d;
	}
	return sum % 10 == 0;
}

/* What people put between groups of digits: blanks, also those that do not break, hyphens, dots. */
static size_t joint_len(struct slice s)
{
	static const char *const joints[] = {
		" ",	       "-", ".", "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x90", "\xe2\x80\x91",
		"\xe2\x80\x93"
	};

	for (size_t i = 0; i < sizeof(joints) / sizeof(joints[0]); i++)
		if (slice_starts(s, slice_str(joints[i])))
			return strlen(joints[i]);
	return 0;
}

size_t privacy_card(struct slice s)
{
	char digits[19];
	unsigned count = 0;
	size_t n = 0, end = 0;

	while (n < s.len) {
		if (is_digit(s.at[n])) {
			if (count == sizeof(digits))
				return 0; /* longer than any card */
			digits[count++] = s.at[n++];
			end = n;
			continue;
		}
		if (n > end)
			break; /* one joint at a time */
		n += joint_len(slice_sub(s, n, s.len));
		if (n == end)
			break;
	}
	return count >= 13 && is_of_a_brand(digits) && luhn(digits, count) ? end : 0;
}

bool privacy_is_secret(struct slice word)
{
	return privacy_segment(word) != NULL;
}

/* A segment may carry matrix parameters: name;param=value;param=value (RFC 3986 section 3.3). */
static void add_segment(struct slice segment, struct buf *out)
{
	struct slice rest = segment, part = slice_next(&rest, ';');
	const char *class = privacy_segment(part);

	buf_add(out, class ? slice_str(class) : part);
	while (rest.at) {
		long equal;

		part = slice_next(&rest, ';');
		equal = slice_find(part, '=');
		buf_add_byte(out, ';');
		if (equal < 0) {
			buf_add(out, privacy_segment(part) ? SLICE(REDACTED) : part);
			continue;
		}
		buf_add(out, slice_sub(part, 0, (size_t)equal + 1));
		buf_add(out, SLICE(REDACTED));
	}
}

static struct slice before_hash(struct slice s)
{
	long hash = slice_find(s, '#');

	return hash < 0 ? s : slice_sub(s, 0, (size_t)hash);
}

void privacy_path(struct slice path, struct buf *out)
{
	struct slice rest = before_hash(path);
	bool first = true;

	while (rest.at) {
		struct slice segment = slice_next(&rest, '/');

		if (!first)
			buf_add_byte(out, '/');
		first = false;
		add_segment(segment, out);
	}
}

bool privacy_path_speaks(struct slice path)
{
	struct slice rest = path;

	if (slice_find(path, ';') >= 0 || slice_find(path, '#') >= 0)
		return true;
	while (rest.at) {
		if (privacy_segment(slice_next(&rest, '/')))
			return true;
	}
	return false;
}

static bool is_kept(struct slice name, const char *const *keep)
{
	for (; keep && *keep; keep++)
		if (slice_eq(name, slice_str(*keep)))
			return true;
	return false;
}

/* Like a name that a program chose: letters, digits, [ ] _ . - and nothing secret in it. */
static bool is_name(struct slice s)
{
	if (s.len == 0 || s.len > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!is_alpha(s.at[i]) && !is_digit(s.at[i]) && s.at[i] != '_' &&
		    !memchr("[].-%:$", s.at[i], 7))
			return false;
	return !privacy_segment(s);
}

void privacy_query(struct slice query, const char *const *keep, struct buf *out)
{
	struct slice rest = query;
	bool first = true;

	while (rest.at) {
		struct slice pair = slice_next(&rest, '&'), name;
		long equal = slice_find(pair, '=');

		if (!first)
			buf_add_byte(out, '&');
		first = false;
		name = slice_sub(pair, 0, equal < 0 ? pair.len : (size_t)equal);
		if (is_kept(name, keep)) {
			buf_add(out, pair);
			continue;
		}
		/* Without "=" it is a name or a value (?alice), nobody can tell: a value. */
		if (name.len)
			buf_add(out, equal >= 0 && is_name(name) ? name : SLICE(REDACTED));
		if (equal >= 0)
			buf_add_byte(out, '=');
		if (equal >= 0 && (size_t)equal + 1 < pair.len)
			buf_add(out, SLICE(REDACTED));
	}
}

/* Octets before the authority: "scheme://" or "//"; -1: there is a scheme and no authority; 0: a
 * relative reference. Only what stands in front counts: "//" may come later, in a query (next=http://…). */
static long before_authority(struct slice url)
{
	size_t n = 0;

	if (slice_starts(url, SLICE("//")))
		return 2;
	while (n < url.len &&
	       (is_alpha(url.at[n]) || (n && (is_digit(url.at[n]) || memchr("+-.", url.at[n], 3)))))
		n++;
	if (!n || n == url.len || url.at[n] != ':')
		return 0;
	return slice_starts(slice_sub(url, n, url.len), SLICE("://")) ? (long)n + 3 : -1;
}

/* The authority without user-info; returns what follows it. */
static struct slice add_authority(struct slice s, const struct privacy_rules *rules,
				  struct buf *out)
{
	struct slice authority;
	size_t n = 0;

	while (n < s.len && !memchr("/?#", s.at[n], 3))
		n++;
	authority = authority_strip(slice_sub(s, 0, n));
	if (rules->mode == PRIVACY_NONE)
		buf_add(out, authority);
	else
		privacy_authority(authority, rules->peer_address, out);
	return slice_sub(s, n, s.len);
}

/* Absolute or relative reference. User-info goes in every mode, the fragment in the strict ones. */
void privacy_url(struct slice url, const struct privacy_rules *rules, struct buf *out)
{
	bool strict = rules->mode != PRIVACY_NONE;
	long front = before_authority(url), question;
	struct slice rest = url;

	if (front > 0) {
		buf_add(out, slice_sub(url, 0, (size_t)front));
		rest = add_authority(slice_sub(url, (size_t)front, url.len), rules, out);
	} else if (strict && front < 0) {
		buf_add(out, SLICE(REDACTED)); /* mailto:, tel:, data: … */
		return;
	}
	if (!strict) {
		buf_add(out, rest);
		return;
	}
	rest = before_hash(rest);
	question = slice_find(rest, '?');
	privacy_path(slice_sub(rest, 0, question < 0 ? rest.len : (size_t)question), out);
	if (question >= 0) {
		buf_add_byte(out, '?');
		privacy_query(slice_sub(rest, (size_t)question + 1, rest.len), rules->query_keep,
			      out);
	}
}

/* Wherever home lies: at the top, /var/home/alice/shop, /nfs/home/alice/shop. */
struct slice privacy_executable(struct slice path, struct buf *out)
{
	size_t from = out->len;
	struct slice rest = path;
	bool home = false;

	if (slice_find_slice(path, SLICE("/home/")) < 0)
		return path;
	while (rest.at) {
		struct slice part = slice_next(&rest, '/');
		bool person = home && part.len && rest.at;

		buf_add(out, person ? SLICE("{user}") : part);
		if (rest.at)
			buf_add_byte(out, '/');
		home = slice_eq(part, SLICE("home")) || (home && !part.len);
	}
	return slice_sub(buf_slice(out), from, out->len);
}

static bool is_hex(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (hex_value(s.at[i]) < 0)
			return false;
	return s.len && s.len <= 14; /* 56 bits */
}

void privacy_tracestate(struct slice tracestate, struct buf *out)
{
	bool first = true;

	while (tracestate.at) {
		struct slice member = slice_trim(slice_next(&tracestate, ','));

		if (!slice_starts(member, SLICE("ot=")))
			continue;
		member = slice_sub(member, 3, member.len);
		while (member.at) {
			struct slice part = slice_next(&member, ';');

			if (!(slice_starts(part, SLICE("th:")) ||
			      slice_starts(part, SLICE("rv:"))) ||
			    !is_hex(slice_sub(part, 3, part.len)))
				continue;
			buf_add(out, first ? SLICE("ot=") : SLICE(";"));
			buf_add(out, part);
			first = false;
		}
		return; /* a key stands once */
	}
}
