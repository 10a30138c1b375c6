/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reading.h: what was taken of the content of one message, because somebody downstream asked for it
 * when its head was seen. Values stand in the transaction's arena; the content itself is never kept.
 */
#ifndef PC_TXN_READING_H
#define PC_TXN_READING_H

#include "txn/body/wants.h"

struct transaction;

struct reading_value {
	uint32_t want; /* number in the array that wants_new was given */
	uint8_t kind;  /* enum taken_kind, txn/body/body.h */
	bool cut;      /* text is only its beginning */
	uint32_t index[BODY_INDICES];
	struct slice text;
};

/* Of one message. */
struct reading {
	const struct body_wants *wants; /* what the reader answered; his own to tell which */
	bool wanted;			/* somebody asked for it */
	bool opened;	/* and there was content to look at; otherwise flags say nothing */
	uint32_t flags; /* 1 << enum body_flag */
	uint32_t count;
	const struct reading_value *values; /* in the order of the octets */
	bool values_lost; /* no memory within bounds: some are missing at the end, counted */
};

struct txn_reader {
	void *ctx;
	/* Once for each message whose head was seen: of the request with *t as at begin, of the response
	 * once *t has its status and fields. NULL: the content stays on the wire. */
	const struct body_wants *(*wants)(void *ctx, const struct transaction *t, bool request);
};

#endif
