/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel is told where somebody wants contents: of which messages, from when, until when. */
#include "unit.h"

#include "proto_kit.h"

#define GET	 SLICE("GET /a HTTP/1.1\r\nHost: h\r\n\r\n") /* 28 octets */
#define POST	 SLICE("POST /a HTTP/1.1\r\nContent-Length: 100000\r\n\r\n")
#define OK	 SLICE("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")    /* 40 */
#define LONG	 SLICE("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n") /* 43 */
#define CHUNKED	 SLICE("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
#define TO_CLOSE SLICE("HTTP/1.1 200 OK\r\n\r\n")

static struct kit world;

static struct kit *start(bool wanted, unsigned answer, uint64_t enough)
{
	struct kit *k = &world;

	kit_start(k, wanted);
	k->answer = answer;
	k->enough = enough;
	kit_connect(k, PC_F_PASSIVE, 0, 0);
	return k;
}

static void stop(struct kit *k)
{
	kit_gone(k);
	kit_finish(k);
	kit_free(k);
}

/* So many octets of content, a call of 1000 each. */
static void content(struct kit *k, enum pc_dir d, unsigned octets)
{
	char fill[1000];

	memset(fill, 'x', sizeof(fill));
	for (unsigned n = 0; n < octets; n += 1000)
		kit_call(k, d, slice_of(fill, octets - n < 1000 ? octets - n : 1000));
}

static void the_response_is_asked_for_with_its_request(void **state)
{
	struct kit *k = start(true, 0, 0);

	kit_call(k, PC_RX, GET);
	assert_int_equal(k->directs, 1);
	assert_true(k->direct.budget[PC_TX] & PC_BUDGET_CONTENT);
	assert_true((k->direct.budget[PC_TX] & PC_BUDGET_BYTES) > PC_BUDGET);
	assert_int_equal(k->direct.budget[PC_RX], 0);
	kit_call(k, PC_TX, LONG);
	content(k, PC_TX, 100000);
	kit_call(k, PC_RX, GET); /* it lasts */
	assert_int_equal(k->directs, 1);
	assert_u64(k->direct.until[PC_TX], 0);
	stop(k);
}

static void a_response_that_nobody_wants_is_named(void **state)
{
	struct kit *k = start(false, LEAVE_RESPONSE, 0);

	kit_call(k, PC_RX, GET);
	assert_int_equal(k->directs, 1);
	assert_int_equal(k->direct.budget[PC_TX], PC_BUDGET_LEAVE);
	assert_u64(k->direct.until[PC_TX], 0);
	kit_call(k, PC_TX, OK);
	assert_int_equal(k->directs, 1);
	kit_call(k, PC_RX, GET);
	assert_int_equal(k->directs, 2); /* the same again, but of another position */
	assert_int_equal(k->direct.budget[PC_TX], PC_BUDGET_LEAVE);
	assert_u64(k->direct.until[PC_TX], 40);
	kit_call(k, PC_TX, LONG); /* skipped, and the default: the next may be wanted */
	assert_int_equal(k->direct.budget[PC_TX], 0);
	assert_u64(k->direct.until[PC_TX], 40 + 43 + 100000);
	kit_absent(k, PC_TX, 100000, PC_WHY_DIRECTIVE);
	kit_call(k, PC_RX, GET);
	assert_int_equal(k->direct.budget[PC_TX], PC_BUDGET_LEAVE);
	assert_u64(k->direct.until[PC_TX], 40 + 43 + 100000);
	stop(k);
}

/* Which of them begins where is not known. */
static void pipelined_ones_are_not_named(void **state)
{
	struct kit *k = start(false, LEAVE_RESPONSE, 0);

	kit_call(k, PC_RX, SLICE("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"));
	assert_int_equal(k->directs, 1);
	assert_u64(k->direct.until[PC_TX], 0);
	kit_call(k, PC_TX, OK);
	kit_call(k, PC_RX, GET);
	assert_int_equal(k->directs, 1);
	kit_call(k, PC_TX, OK);
	kit_call(k, PC_TX, OK);
	stop(k);
}

static void habits_change(void **state)
{
	struct kit *k = start(true, LEAVE_RESPONSE, 0);

	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX, OK);
	k->want_content = false;
	kit_call(k, PC_RX, GET);
	assert_int_equal(k->direct.budget[PC_TX], PC_BUDGET_LEAVE);
	kit_call(k, PC_TX, OK);
	k->want_content = true;
	kit_call(k, PC_RX, GET);
	assert_true(k->direct.budget[PC_TX] & PC_BUDGET_CONTENT);
	kit_call(k, PC_TX, LONG);
	content(k, PC_TX, 100000);
	assert_u64(k->direct.until[PC_TX], 80); /* where it began */
	/* asked for by nobody who wants contents at all: as ever */
	k->want_content = false;
	k->answer = 0;
	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX, LONG);
	assert_int_equal(k->direct.budget[PC_TX], 16384);
	kit_absent(k, PC_TX, 100000, PC_WHY_DIRECTIVE);
	kit_gone(k);
	kit_free(k); /* the kit adds up contents only where all are wanted */
}

static void an_upload_that_is_wanted(void **state)
{
	struct kit *k = start(true, 0, 0);

	kit_call(k, PC_RX, POST);
	assert_true(k->direct.budget[PC_RX] & PC_BUDGET_CONTENT);
	content(k, PC_RX, 100000);
	assert_u64(k->direct.until[PC_RX], 0);
	kit_call(k, PC_TX, OK);
	stop(k);
}

static void enough_of_known_length(void **state)
{
	struct kit *k = start(true, 0, 5000);

	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX, LONG);
	content(k, PC_TX, 4000);
	assert_u64(k->direct.until[PC_TX], 0);
	content(k, PC_TX, 1000);
	assert_u64(k->direct.until[PC_TX], 43 + 100000);
	assert_int_equal(k->direct.budget[PC_TX] & PC_BUDGET_CONTENT, 0);
	kit_absent(k, PC_TX, 95000, PC_WHY_DIRECTIVE);
	stop(k);
}

static void enough_of_chunks(void **state)
{
	struct kit *k = start(true, 0, 2000);
	uint64_t begin;

	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX, CHUNKED);
	kit_call(k, PC_TX, SLICE("7530\r\n")); /* 30000 */
	begin = k->pos[PC_TX];
	content(k, PC_TX, 2000);
	assert_u64(k->direct.until[PC_TX], begin + 30000);
	kit_absent(k, PC_TX, 28000, PC_WHY_DIRECTIVE);
	kit_call(k, PC_TX, SLICE("\r\n7530\r\n"));
	assert_u64(k->direct.until[PC_TX], k->pos[PC_TX] + 30000);
	kit_absent(k, PC_TX, 30000, PC_WHY_DIRECTIVE);
	kit_call(k, PC_TX, SLICE("\r\n0\r\n\r\n"));
	stop(k);
}

static void enough_until_the_close(void **state)
{
	struct kit *k = start(true, 0, 2000);

	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX, TO_CLOSE);
	content(k, PC_TX, 1000);
	assert_true(k->direct.budget[PC_TX] & PC_BUDGET_CONTENT);
	content(k, PC_TX, 1000);
	assert_int_equal(k->direct.budget[PC_TX], 1);
	kit_absent(k, PC_TX, 5000, PC_WHY_BUDGET);
	stop(k);
}

/* Whatever was said of contents, a tunnel is only counted. */
static void a_tunnel_is_counted(void **state)
{
	struct kit *k = start(true, 0, 0);

	kit_call(k, PC_RX, SLICE("CONNECT h:1 HTTP/1.1\r\n\r\n"));
	kit_call(k, PC_TX, SLICE("HTTP/1.1 200 OK\r\n\r\n"));
	assert_int_equal(k->direct.budget[PC_TX], 1);
	assert_int_equal(k->direct.budget[PC_RX], 1);
	stop(k);
}

UNIT_MAIN(T(the_response_is_asked_for_with_its_request), T(a_response_that_nobody_wants_is_named),
	  T(pipelined_ones_are_not_named), T(habits_change), T(an_upload_that_is_wanted),
	  T(enough_of_known_length), T(enough_of_chunks), T(enough_until_the_close),
	  T(a_tunnel_is_counted))
