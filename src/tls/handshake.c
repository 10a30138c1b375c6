/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake.c: see handshake.h. A record is a head of five octets (type, version, length) and its content.
 * Only the two hellos and alerts are looked into; of others the head says where the next one begins.
 */
#include "tls/handshake.h"

enum { CHANGE_CIPHER_SPEC = 20, ALERT, HANDSHAKE, APPLICATION_DATA };
enum { CLIENT_HELLO = 1, SERVER_HELLO };

#define RECORD_HEAD   5
#define RECORD_MOST   (16384 + 2048) /* RFC 5246 section 6.2.3 */
#define MESSAGE_HEAD  4
#define RANDOM_AT     (RECORD_HEAD + MESSAGE_HEAD + 2)
#define SESSION_ID_AT (RANDOM_AT + 32)
#define FATAL	      2
#define CLOSE_NOTIFY  0
#define HIDDEN_ALERT  19 /* an alert, its type and a tag: a Finished is 36 octets and more */
#define TLS13_SUITES  0x13
#define SERVER_NAME   0 /* extension, and its type host_name */

static unsigned at8(struct slice s, size_t i)
{
	return (unsigned char)s.at[i];
}

static unsigned at16(struct slice s, size_t i)
{
	return at8(s, i) << 8 | at8(s, i + 1);
}

bool handshake_begins(struct slice first, bool client)
{
	if (first.len < HANDSHAKE_BEGIN || at8(first, 1) != 3 || at16(first, 3) > RECORD_MOST)
		return false;
	if (at8(first, 0) == HANDSHAKE)
		return at8(first, 5) == (client ? CLIENT_HELLO : SERVER_HELLO);
	return !client && at8(first, 0) == ALERT && at16(first, 3) == 2;
}

/* A vector with a length of `octets` in front; cut off *s. at == NULL: there is none. */
static struct slice vector(struct slice *s, unsigned octets)
{
	size_t len = 0;
	struct slice v;

	if (s->len < octets)
		return slice_of(NULL, 0);
	for (unsigned i = 0; i < octets; i++)
		len = len << 8 | at8(*s, i);
	if (s->len - octets < len)
		return slice_of(NULL, 0);
	v = slice_sub(*s, octets, octets + len);
	*s = slice_sub(*s, octets + len, s->len);
	return v;
}

static void take_name(struct handshake *h, struct slice extension)
{
	struct slice list = vector(&extension, 2), name;

	if (list.len < 1 || at8(list, 0) != SERVER_NAME)
		return;
	list = slice_sub(list, 1, list.len);
	name = vector(&list, 2);
	if (!name.at || !name.len || name.len > sizeof(h->name))
		return;
	memcpy(h->name, name.at, name.len);
	h->name_len = (uint8_t)name.len;
}

/* RFC 8446 section 4.1.2. What is not as it should be has no name. */
static void read_client_hello(struct handshake *h, struct slice record)
{
	struct slice s = slice_sub(record, SESSION_ID_AT, record.len), extensions;

	if (record.len < SESSION_ID_AT)
		return;
	vector(&s, 1); /* session id */
	vector(&s, 2); /* cipher suites */
	vector(&s, 1); /* compression */
	extensions = vector(&s, 2);
	while (extensions.len >= 4) {
		unsigned type = at16(extensions, 0);
		struct slice body;

		extensions = slice_sub(extensions, 2, extensions.len);
		body = vector(&extensions, 2);
		if (!body.at)
			return;
		if (type == SERVER_NAME)
			take_name(h, body);
	}
}

/* Octets wanted of a ServerHello: up to the cipher suite that was chosen. 0: as many as there are. */
static size_t read_server_hello(struct handshake *h, struct slice s, size_t record)
{
	size_t suite;

	if (record <= SESSION_ID_AT)
		return 0;
	if (s.len <= SESSION_ID_AT)
		return SESSION_ID_AT + 1;
	suite = SESSION_ID_AT + 1 + at8(s, SESSION_ID_AT);
	if (record <= suite)
		return 0;
	if (s.len <= suite)
		return suite + 1;
	h->tls13 = at8(s, suite) == TLS13_SUITES;
	return 0;
}

static void end_by_alert(struct handshake *h, bool client, uint8_t alert)
{
	h->state = HANDSHAKE_FAILED;
	h->by_client = client;
	h->alert = alert;
}

/* A record of `len` octets at the beginning of s. Returns the octets that are wanted of it; at most s.len:
 * it was looked at. */
static size_t look(struct handshake *h, bool client, struct slice s, size_t len)
{
	size_t body = len - RECORD_HEAD, more;

	switch (at8(s, 0)) {
	case HANDSHAKE:
		if (client && !h->asked) {
			if (s.len < len)
				return len;
			read_client_hello(h, slice_sub(s, 0, len));
			h->asked = true;
		} else if (!client && !h->answered) {
			more = read_server_hello(h, s, len);
			if (more > s.len)
				return more;
			h->answered = true;
		}
		break;
	case ALERT:
		if (body != 2) {
			h->state = HANDSHAKE_UNSEEN;
			break;
		}
		if (s.len < len)
			return len;
		if (at8(s, RECORD_HEAD) == FATAL || at8(s, RECORD_HEAD + 1) == CLOSE_NOTIFY)
			end_by_alert(h, client, (uint8_t)at8(s, RECORD_HEAD + 1));
		break;
	case APPLICATION_DATA:
		if (client && !h->answered)
			return s.len + 1; /* what it means depends on the ServerHello */
		if (client && h->tls13 && body == HIDDEN_ALERT)
			end_by_alert(h, client, HANDSHAKE_ALERT_HIDDEN);
		else if (client)
			h->state = HANDSHAKE_DONE;
		break;
	}
	return 0;
}

static bool is_record(struct slice s)
{
	unsigned type = at8(s, 0), len = at16(s, 3);

	return type >= CHANGE_CIPHER_SPEC && type <= APPLICATION_DATA && at8(s, 1) == 3 && len &&
	       len <= RECORD_MOST;
}

/* Octets of the record that begins here, or 0: more of them are wanted. */
static uint64_t record(struct handshake *h, bool client, struct slice s)
{
	size_t len;

	if (s.len < HANDSHAKE_BEGIN)
		return 0;
	if (!is_record(s)) {
		h->state = !client && !h->answered ? HANDSHAKE_NOT_TLS : HANDSHAKE_UNSEEN;
		return s.len;
	}
	len = RECORD_HEAD + at16(s, 3);
	return look(h, client, s, len) > s.len ? 0 : len;
}

/* After an alert only the name is still wanted. */
static bool is_over(const struct handshake *h, bool client)
{
	return h->state != HANDSHAKE_GOES_ON &&
	       (h->state != HANDSHAKE_FAILED || !client || h->asked);
}

uint64_t handshake_push(struct handshake *h, bool client, uint64_t pos, struct slice bytes,
			uint64_t len, bool last)
{
	uint64_t at = 0, n;

	while (at < len && !is_over(h, client)) {
		if (pos + at < h->next[client]) {
			n = h->next[client] - pos - at;
			at += n < len - at ? n : len - at;
			continue;
		}
		n = at < bytes.len ? record(h, client, slice_sub(bytes, at, bytes.len)) : 0;
		if (!n && bytes.len < len)
			h->state = HANDSHAKE_UNSEEN;
		else if (!n)
			return last ? len : at;
		h->next[client] = pos + at + n;
	}
	return len;
}

const char *handshake_alert_name(uint8_t alert)
{
	static const char *const names[] = {
		[0] = "close_notify",
		[10] = "unexpected_message",
		[20] = "bad_record_mac",
		[21] = "decryption_failed",
		[22] = "record_overflow",
		[30] = "decompression_failure",
		[40] = "handshake_failure",
		[41] = "no_certificate",
		[42] = "bad_certificate",
		[43] = "unsupported_certificate",
		[44] = "certificate_revoked",
		[45] = "certificate_expired",
		[46] = "certificate_unknown",
		[47] = "illegal_parameter",
		[48] = "unknown_ca",
		[49] = "access_denied",
		[50] = "decode_error",
		[51] = "decrypt_error",
		[60] = "export_restriction",
		[70] = "protocol_version",
		[71] = "insufficient_security",
		[80] = "internal_error",
		[86] = "inappropriate_fallback",
		[90] = "user_canceled",
		[100] = "no_renegotiation",
		[109] = "missing_extension",
		[110] = "unsupported_extension",
		[111] = "certificate_unobtainable",
		[112] = "unrecognized_name",
		[113] = "bad_certificate_status_response",
		[114] = "bad_certificate_hash_value",
		[115] = "unknown_psk_identity",
		[116] = "certificate_required",
		[120] = "no_application_protocol",
	};
	const char *name = alert < sizeof(names) / sizeof(names[0]) ? names[alert] : NULL;

	return name ? name : "alert";
}
