/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshakes told from their records: each fed whole, byte by byte and cut at every position.
 */
#include "unit.h"

#include "base/buf.h"
#include "tls/handshake.h"

struct flight {
	bool client;
	struct slice bytes;
};

#define FLIGHTS 6

struct talk {
	struct flight at[FLIGHTS];
	unsigned count;
	struct buf text;
};

static void add_record(struct buf *b, unsigned type, const void *body, size_t len)
{
	const char head[] = { (char)type, 3, 3, (char)(len >> 8), (char)len };

	buf_add(b, slice_of(head, sizeof(head)));
	if (body)
		buf_add(b, slice_of(body, len));
	for (size_t i = 0; !body && i < len; i++)
		buf_add_byte(b, 0);
}

static void add_client_hello(struct buf *b, const char *name)
{
	size_t len = name ? strlen(name) : 0, sni = name ? 9 + len : 0,
	       body = 2 + 32 + 1 + 4 + 2 + 2 + 4 + sni;
	char m[512] = { 1, 0, (char)(body >> 8), (char)body, 3, 3 };
	size_t at = 4 + 2 + 32;

	m[at++] = 0;
	memcpy(m + at, "\0\2\x13\1\1\0", 6);
	at += 6;
	m[at++] = (char)((4 + sni) >> 8);
	m[at++] = (char)(4 + sni);
	memcpy(m + at, "\0\x17\0\0", 4); /* an empty extension before */
	at += 4;
	if (name) {
		const char head[] = {
			0, 0, 0, (char)(5 + len), 0, (char)(3 + len), 0, 0, (char)len
		};

		memcpy(m + at, head, sizeof(head));
		memcpy(m + at + sizeof(head), name, len);
		at += sizeof(head) + len;
	}
	assert_int_equal(at, body + 4);
	add_record(b, 22, m, at);
}

static void add_server_hello(struct buf *b, bool tls13)
{
	char m[80] = { 2, 0, 0, 42, 3, 3 };
	size_t at = 4 + 2 + 32;

	m[at++] = 4;
	at += 4;
	m[at++] = tls13 ? 0x13 : (char)0xc0;
	m[at++] = 0x2f;
	add_record(b, 22, m, at + 1);
}

static void add_alert(struct buf *b, unsigned level, unsigned what)
{
	const char body[] = { (char)level, (char)what };

	add_record(b, 21, body, 2);
}

static void flight(struct talk *t, bool client, size_t from)
{
	t->at[t->count++] =
		(struct flight){ client, slice_sub(buf_slice(&t->text), from, t->text.len) };
}

static void begin(struct talk *t, const char *name)
{
	*t = (struct talk){ 0 };
	buf_init(&t->text, 1 << 16);
	buf_reserve(&t->text, 1 << 15); /* it does not move */
	add_client_hello(&t->text, name);
	flight(t, true, 0);
}

/* Offers a flight as the stream does: what was not taken comes again, longer. */
static void feed(struct handshake *h, const struct flight *f, uint64_t pos, size_t piece)
{
	size_t taken = 0;

	for (size_t end = piece < f->bytes.len ? piece : f->bytes.len;;) {
		struct slice s = slice_sub(f->bytes, taken, end);

		taken += handshake_push(h, f->client, pos + taken, s, s.len, false);
		assert_true(taken <= end);
		if (end == f->bytes.len)
			break;
		end = end + piece < f->bytes.len ? end + piece : f->bytes.len;
	}
	assert_int_equal(taken, f->bytes.len);
}

static void check_talk(struct talk *t, enum handshake_state state, bool by_client, unsigned alert)
{
	for (size_t piece = 1; piece < 200; piece++) {
		struct handshake h = { 0 };
		uint64_t pos[2] = { 0 };

		for (unsigned i = 0; i < t->count; i++) {
			feed(&h, &t->at[i], pos[t->at[i].client], piece);
			pos[t->at[i].client] += t->at[i].bytes.len;
		}
		assert_int_equal(h.state, state);
		if (state == HANDSHAKE_FAILED) {
			assert_int_equal(h.by_client, by_client);
			assert_int_equal(h.alert, alert);
		}
		assert_true(h.asked);
		assert_int_equal(h.name_len, strlen("payment.example"));
		assert_memory_equal(h.name, "payment.example", h.name_len);
	}
	buf_done(&t->text);
}

static void test_alert_of_the_server(void **state)
{
	struct talk t;
	size_t at;

	begin(&t, "payment.example");
	at = t.text.len;
	add_alert(&t.text, 2, 40);
	flight(&t, false, at);
	check_talk(&t, HANDSHAKE_FAILED, false, 40);
}

static void test_a_warning_does_not_end_it(void **state)
{
	struct talk t;
	size_t at;

	begin(&t, "payment.example");
	at = t.text.len;
	add_alert(&t.text, 1, 112);
	add_server_hello(&t.text, false);
	flight(&t, false, at);
	check_talk(&t, HANDSHAKE_GOES_ON, false, 0);
}

static void test_closed_in_the_middle(void **state)
{
	struct talk t;
	size_t at;

	begin(&t, "payment.example");
	at = t.text.len;
	add_server_hello(&t.text, false);
	add_alert(&t.text, 1, 0);
	flight(&t, false, at);
	check_talk(&t, HANDSHAKE_FAILED, false, 0);
}

static void test_alert_of_the_client(void **state)
{
	struct talk t;
	size_t at;

	begin(&t, "payment.example");
	at = t.text.len;
	add_server_hello(&t.text, false);
	add_record(&t.text, 22, NULL, 900);
	flight(&t, false, at);
	at = t.text.len;
	add_alert(&t.text, 2, 48);
	flight(&t, true, at);
	check_talk(&t, HANDSHAKE_FAILED, true, 48);
}

static void finish13(struct talk *t, size_t first)
{
	size_t at = t->text.len;

	add_server_hello(&t->text, true);
	add_record(&t->text, 20, "\1", 1);
	add_record(&t->text, 23, NULL, 700);
	flight(t, false, at);
	at = t->text.len;
	add_record(&t->text, 20, "\1", 1);
	add_record(&t->text, 23, NULL, first);
	flight(t, true, at);
}

static void test_alert_under_keys(void **state)
{
	struct talk t;

	begin(&t, "payment.example");
	finish13(&t, 19);
	check_talk(&t, HANDSHAKE_FAILED, true, HANDSHAKE_ALERT_HIDDEN);
}

static void test_done(void **state)
{
	static const size_t finished[] = { 53, 69 }; /* SHA-256, SHA-384 */
	struct talk t;
	size_t at;

	for (unsigned i = 0; i < 2; i++) {
		begin(&t, "payment.example");
		finish13(&t, finished[i]);
		check_talk(&t, HANDSHAKE_DONE, false, 0);
	}
	/* in TLS 1.2 a short record is just that */
	begin(&t, "payment.example");
	at = t.text.len;
	add_server_hello(&t.text, false);
	flight(&t, false, at);
	at = t.text.len;
	add_record(&t.text, 22, NULL, 70);
	add_record(&t.text, 20, "\1", 1);
	add_record(&t.text, 22, NULL, 40);
	add_record(&t.text, 23, NULL, 19);
	flight(&t, true, at);
	check_talk(&t, HANDSHAKE_DONE, false, 0);
}

static void test_answered_in_something_else(void **state)
{
	struct talk t;
	size_t at;

	begin(&t, "payment.example");
	at = t.text.len;
	buf_add(&t.text, SLICE("HTTP/1.1 400 Bad Request\r\n\r\n"));
	flight(&t, false, at);
	check_talk(&t, HANDSHAKE_NOT_TLS, false, 0);
}

/* What the server answers may be told first; then the name is still to come. */
static void test_the_answer_first(void **state)
{
	struct handshake h = { 0 };
	struct talk t;
	size_t at;

	begin(&t, "payment.example");
	at = t.text.len;
	add_alert(&t.text, 2, 70);
	flight(&t, false, at);
	feed(&h, &t.at[1], 0, 1);
	assert_int_equal(h.state, HANDSHAKE_FAILED);
	assert_false(h.asked);
	feed(&h, &t.at[0], 0, 1);
	assert_true(h.asked);
	assert_int_equal(h.name_len, 15);
	assert_string_equal(handshake_alert_name(h.alert), "protocol_version");
	buf_done(&t.text);
}

/* Whether a client's record under keys is an alert is known by what the server chose. */
static void test_a_client_ahead_waits(void **state)
{
	struct handshake h = { 0 };
	struct talk t;

	begin(&t, "payment.example");
	finish13(&t, 19);
	feed(&h, &t.at[0], 0, 1000);
	assert_int_equal(handshake_push(&h, true, t.at[0].bytes.len, t.at[2].bytes,
					t.at[2].bytes.len, false),
			 6);
	feed(&h, &t.at[1], 0, 1000);
	feed(&h, &(struct flight){ true, slice_sub(t.at[2].bytes, 6, t.at[2].bytes.len) },
	     t.at[0].bytes.len + 6, 1000);
	assert_int_equal(h.state, HANDSHAKE_FAILED);
	buf_done(&t.text);
}

static void test_without_a_name(void **state)
{
	struct handshake h = { 0 };
	struct talk t;

	begin(&t, NULL);
	feed(&h, &t.at[0], 0, 1);
	assert_true(h.asked);
	assert_int_equal(h.name_len, 0);
	assert_int_equal(h.state, HANDSHAKE_GOES_ON);
	buf_done(&t.text);
}

/* The content of a record need not be there, its head must. */
static void test_holes(void **state)
{
	struct handshake h = { 0 };
	struct talk t;
	size_t at;

	begin(&t, "payment.example");
	feed(&h, &t.at[0], 0, 1000);
	at = t.text.len;
	add_server_hello(&t.text, false);
	flight(&t, false, at);
	feed(&h, &t.at[1], 0, 1000);
	at = t.text.len;
	add_record(&t.text, 22, NULL, 3000);
	assert_int_equal(handshake_push(&h, false, t.at[1].bytes.len,
					slice_sub(buf_slice(&t.text), at, at + 10), 3005, false),
			 3005);
	assert_int_equal(h.state, HANDSHAKE_GOES_ON);
	assert_int_equal(
		handshake_push(&h, false, t.at[1].bytes.len + 3005, slice_of(NULL, 0), 7, false),
		7);
	assert_int_equal(h.state, HANDSHAKE_UNSEEN);
	buf_done(&t.text);
}

static void test_first_octets(void **state)
{
	assert_true(handshake_begins(slice_of("\x16\3\1\2\0\1", 6), true));
	assert_false(handshake_begins(slice_of("\x16\3\1\2\0\1", 6), false));
	assert_true(handshake_begins(slice_of("\x16\3\3\0\x7a\2", 6), false));
	assert_true(handshake_begins(slice_of("\x15\3\3\0\2\2", 6), false));
	assert_false(handshake_begins(slice_of("\x15\3\3\0\2\2", 6), true));
	assert_false(handshake_begins(slice_of("\x16\3\1\2\0", 5), true));
	assert_false(handshake_begins(slice_of("\x16\2\1\2\0\1", 6), true));
	assert_false(handshake_begins(SLICE("GET / "), true));
	assert_string_equal(handshake_alert_name(HANDSHAKE_ALERT_HIDDEN), "alert");
	assert_string_equal(handshake_alert_name(7), "alert");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alert_of_the_server),
		cmocka_unit_test(test_a_warning_does_not_end_it),
		cmocka_unit_test(test_closed_in_the_middle),
		cmocka_unit_test(test_alert_of_the_client),
		cmocka_unit_test(test_alert_under_keys),
		cmocka_unit_test(test_done),
		cmocka_unit_test(test_answered_in_something_else),
		cmocka_unit_test(test_the_answer_first),
		cmocka_unit_test(test_a_client_ahead_waits),
		cmocka_unit_test(test_without_a_name),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_first_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
