/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Positions from TCP's own numbers: anchoring, wrap-around, SYN and FIN, what moved unseen, two
 * threads. The connection under test is simulated by a model that counts its bytes in 64 bits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/position.h"

/* A connection as TCP keeps it, driven by 64-bit truth. */
struct model {
	uint64_t written, sent, acked; /* of our bytes */
	uint64_t received, read;       /* of the peer's */
	uint32_t tx_isn, rx_isn;
	bool active, established, fin_out, fin_out_acked, fin_in, fin_read;
};

static struct pc_tcp numbers(const struct model *m)
{
	uint32_t syn = m->active && m->established;
	struct pc_tcp t = {
		.bytes_received = m->received,
		.bytes_acked = m->acked + syn + m->fin_out_acked,
		.bytes_sent = m->sent,
		.copied_seq = m->rx_isn + 1 + (uint32_t)m->read + m->fin_read,
		.rcv_nxt = m->rx_isn + 1 + (uint32_t)m->received + m->fin_in,
		.write_seq = m->tx_isn + 1 + (uint32_t)m->written + m->fin_out,
		.snd_una = m->tx_isn + (m->established ? 1 : 0) + (uint32_t)m->acked +
			   m->fin_out_acked,
		.snd_nxt =
			m->tx_isn + 1 + (uint32_t)m->sent + (m->fin_out && m->sent == m->written),
		.fin_in = m->fin_in,
		.fin_out = m->fin_out,
	};

	return t;
}

static void check_positions(const struct model *m, const uint32_t seq0[2])
{
	struct pc_tcp t = numbers(m);

	assert_int_equal(pc_rx_pos(&t, seq0), m->read);
	assert_int_equal(pc_tx_pos(&t, seq0), m->written);
	assert_int_equal(pc_unread(&t), m->received - m->read);
	assert_int_equal(pc_unacked(&t), m->written - m->acked);
	assert_int_equal(pc_acked_pos(&t, seq0), m->acked);
}

static void anchor(const struct model *m, uint32_t seq0[2])
{
	struct pc_tcp t = numbers(m);

	pc_anchor(&t, m->active, seq0);
	assert_int_equal(seq0[PC_RX], (uint32_t)(m->rx_isn + 1));
	assert_int_equal(seq0[PC_TX], (uint32_t)(m->tx_isn + 1));
}

static void test_widen(void **state)
{
	assert_int_equal(pc_widen(0, 5), 5);
	assert_int_equal(pc_widen(0xfffffff0, 0x10), 0x100000010);
	assert_int_equal(pc_widen(0x100000010, 0xfffffff0), 0xfffffff0);
	assert_int_equal(pc_widen(0x123456789abcdef0, 0x9abcdef7), 0x123456789abcdef7);
	assert_int_equal(pc_widen(1ull << 33, 0x7fffffff), (1ull << 33) + 0x7fffffff);
}

/* Every state of a connection that is opened, used and closed, for both roles, at initial sequence
 * numbers around the wrap; anchored at each of the states it passes through. */
static void test_life(void **state)
{
	static const uint32_t isns[] = { 0, 1, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff };

	for (unsigned i = 0; i < 6 * 6 * 2; i++) {
		struct model m = { .tx_isn = isns[i % 6],
				   .rx_isn = isns[i / 6 % 6],
				   .active = i / 36,
				   .established = true };
		uint32_t seq0[2], again[2];

		anchor(&m, seq0);
		for (int step = 0; step < 60; step++) {
			m.written += step * 977 % 5000;
			m.sent = m.written - (step % 3 ? 0 : m.written - m.sent);
			m.acked = m.sent - (step % 4 ? (m.sent - m.acked) / 2 : 0);
			m.received += step * 1009 % 7000;
			m.read += (m.received - m.read) / (1 + step % 3);
			check_positions(&m, seq0);
			anchor(&m, again);
		}
		m.fin_in = true;
		check_positions(&m, seq0);
		m.read = m.received; /* all data, the FIN still to be taken */
		check_positions(&m, seq0);
		m.fin_read = true;
		check_positions(&m, seq0);
		m.sent = m.written;
		m.fin_out = true;
		check_positions(&m, seq0);
		m.acked = m.written;
		check_positions(&m, seq0);
		m.fin_out_acked = true;
		check_positions(&m, seq0);
		anchor(&m, again);
	}
}

/* Bytes that never made an event: more than 32 bits can tell. */
static void test_large(void **state)
{
	struct model m = {
		.tx_isn = 0xfffff000, .rx_isn = 77, .active = true, .established = true
	};
	uint32_t seq0[2];

	anchor(&m, seq0);
	for (int i = 0; i < 20; i++) {
		m.read = m.received += 3000000000ull;
		m.written = m.sent = m.acked += 2900000000ull;
		check_positions(&m, seq0);
		m.written += 1000000000; /* queued, not sent */
		m.received += 1500000000;
		check_positions(&m, seq0);
		m.sent = m.acked = m.written;
		m.read = m.received;
	}
}

/* Data in the SYN (fast open), before the SYN is acknowledged. */
static void test_fast_open(void **state)
{
	struct model m = { .tx_isn = 0xfffffffe, .rx_isn = 5, .active = true, .written = 300 };
	uint32_t seq0[2];
	struct pc_tcp t;

	m.sent = 300;
	t = numbers(&m);
	pc_anchor(&t, true, seq0);
	assert_int_equal(pc_tx_pos(&t, seq0), 300);
	m.established = true;
	m.acked = 300;
	check_positions(&m, seq0);
}

static void test_role(void **state)
{
	for (int active = 0; active < 2; active++) {
		struct model m = { .tx_isn = 9, .active = active, .established = true };
		uint32_t want = active ? PC_S_ACTIVE : PC_S_PASSIVE;
		struct pc_tcp t = numbers(&m);

		assert_int_equal(pc_role(&t), want);
		m.written = 7000;
		m.sent = 5000;
		m.acked = 2000;
		t = numbers(&m);
		assert_int_equal(pc_role(&t), want);
		t.bytes_sent += 1000; /* a segment sent twice */
		t.bytes_retrans += 1000;
		assert_int_equal(pc_role(&t), want);
		t.bytes_sent += 17; /* a torn read */
		assert_int_equal(pc_role(&t), 0);
		m.sent = m.written;
		m.fin_out = true;
		t = numbers(&m);
		assert_int_equal(pc_role(&t), want);
	}
}

static void test_torn(void **state)
{
	struct pc_tcp t = { .rcv_nxt = 100, .copied_seq = 150, .write_seq = 10, .snd_una = 60 };
	uint32_t seq0[2] = { 100, 10 };

	assert_int_equal(pc_unread(&t), 0);
	assert_int_equal(pc_unacked(&t), 0);
	assert_int_equal(pc_acked_pos(&t, seq0), 0);
}

static void test_span_plain(void **state)
{
	struct pc_span s;

	pc_span_of(1000, 1500, 500, 0, 0, &s);
	assert_int_equal(s.start, 1000);
	assert_int_equal(s.end, 1500);
	assert_false(s.uncertain);
	assert_int_equal(s.hole_len, 0);
}

static void test_span_unseen(void **state)
{
	struct pc_span s;

	pc_span_of(1000, 9000000500ull, 500, 0, 0, &s);
	assert_int_equal(s.start, 9000000000ull);
	assert_int_equal(s.hole_pos, 1000);
	assert_int_equal(s.hole_len, 9000000000ull - 1000);
	assert_true(s.uncertain);
}

/* Two threads: the second to finish reports first and leaves a hole, the first one fills it. */
static void test_span_threads(void **state)
{
	struct pc_span b, a;

	pc_span_of(1000, 1030, 20, 0, 0, &b);
	assert_int_equal(b.start, 1010);
	assert_int_equal(b.hole_pos, 1000);
	assert_int_equal(b.hole_len, 10);
	pc_span_of(1030, 1030, 10, b.hole_pos, (uint32_t)b.hole_len, &a);
	assert_true(a.filled);
	assert_true(a.uncertain);
	assert_int_equal(a.start, 1000);
	assert_int_equal(a.end, 1010);
	/* No hole of that size is known: it overlaps, and says that it is uncertain. */
	pc_span_of(1030, 1030, 11, b.hole_pos, 10, &a);
	assert_false(a.filled);
	assert_true(a.uncertain);
	/* Never before the beginning of the stream. */
	pc_span_of(5, 5, 10, 0, 0, &a);
	assert_int_equal(a.start, 0);
	assert_int_equal(a.end, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_widen),	     cmocka_unit_test(test_life),
		cmocka_unit_test(test_large),	     cmocka_unit_test(test_fast_open),
		cmocka_unit_test(test_role),	     cmocka_unit_test(test_torn),
		cmocka_unit_test(test_span_plain),   cmocka_unit_test(test_span_unseen),
		cmocka_unit_test(test_span_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
