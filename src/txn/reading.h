/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reading.h: values that are taken out of the contents of messages while they stream by. Somebody later
 * in the flow (a reader) is asked at each head what he wants of the content; what is found goes with the
 * transaction. Nothing else of a content is ever kept, and nobody asks the kernel for contents that
 * no reader wants.
 *
 * Of what was not captured, of a hole or of a cut message, nothing is guessed: reading.flags says so, and
 * what stands before it counts. A response whose request was not seen is not read, since whether it has
 * content at all depends on the method. A request without content is read by its query, as a form.
 *
 * Bounds: bodies open at once (txn_limits.bodies; beyond: BODY_MEMORY, counted), what the values of one
 * message take of the transaction's arena (READING_BYTES; beyond: values_lost, counted), and the arenas of
 * all transactions together. One thread, all calls from the transaction stage's.
 */
#ifndef PC_TXN_READING_H
#define PC_TXN_READING_H

#include "txn/body/wants.h"

#define READING_BYTES 131072

struct transaction;
struct body_stats;
struct txn;

/* One value that was taken of a message's content; in the transaction's arena. */
struct reading_value {
	uint32_t want; /* number in the array that wants_new was given for reading.wants */
	uint8_t kind;  /* enum taken_kind, txn/body/body.h */
	bool cut;      /* text is only its beginning */
	uint32_t index[BODY_INDICES];
	struct slice text;
};

/* Of one message of a transaction; all zero: nobody asked. */
struct reading {
	const struct body_wants *wants; /* what the reader answered; his own to tell which */
	bool wanted;			/* wants != NULL */
	bool opened;	  /* and there was content to look at; otherwise flags say nothing */
	bool values_lost; /* no memory within bounds: some are missing at the end, counted */
	uint32_t flags;	  /* 1 << enum body_flag */
	uint32_t count;
	const struct reading_value *values; /* in the order of the octets */
};

struct arena;
struct body_kind;

/* What the request of an answer of GraphQL says of the names in it (struct body_kind). The list is in the arena. */
void reading_aliases(const struct reading *request, struct arena *a, struct body_kind *kind);

#define TXN_REQUESTS  0x1
#define TXN_RESPONSES 0x2

/*
 * Who wants values. What wants() returned is used until the transaction was handed out: its holder frees
 * it (and whatever gives its numbers a meaning) only when wants_users() is 0. So after a reload old wants
 * go on with the transactions that began under them, and are looked at now and then until nobody uses
 * them; after txn_free nobody does.
 */
struct txn_reader {
	void *ctx;
	/* TXN_*: of which messages something may be wanted at all. 0: nothing below is called, and the kernel
	 * captures as if there were no reader. */
	uint32_t contents;
	/* Once for each message whose head was seen, its octets still to come: of a request (*t as at
	 * txn_sink.begin, which came before) or the response (*t has its status and fields now). Not where a
	 * head found no memory. NULL: leave the content on the wire. */
	const struct body_wants *(*wants)(void *ctx, const struct transaction *t, bool request);
	/* With each request: may wants() want something of its response? A server may answer before anything
	 * can be said of the response itself, so the kernel is told by this. May be NULL: always. */
	bool (*may_want_response)(void *ctx, const struct transaction *t);
};

/* Before the first head, or later instead of the one before: heads from here on are shown to this one. NULL:
 * to nobody. */
void txn_read(struct txn *x, const struct txn_reader *reader);
/* TXN_*: of which messages somebody (the reader, the witness) may want contents. For the kernel, after
 * txn_read and txn_watch: PC_CONTENTS_* are the same bits. */
uint32_t txn_contents(const struct txn *x);
/* Of all bodies, the witness's too. */
void txn_body_stats(const struct txn *x, struct body_stats *ret);

#endif
