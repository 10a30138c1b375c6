/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ids.h: names of exchanges → trace and span ids. Two agents must come to the same ids for the two
 * ends of a connection without having spoken, so the hash (SipHash-1-3), its keys and the layout of
 * what is hashed are a contract between versions: they never change.
 */
#ifndef PC_TRACE_IDS_H
#define PC_TRACE_IDS_H

#include "txn/txn.h"

/* What is hashed: little-endian on every host. */
struct exchange_name {
	uint8_t octets[32];
	size_t len;
};

/* TCP: both initial sequence numbers and the position of the request. Without them (Unix, MPTCP, or
 * the request was not seen): the secret, the connection that both ends can name, the position. */
void exchange_name_of(const struct transaction *t, const uint8_t secret[16],
		      struct exchange_name *ret);
void trace_id_of(const struct exchange_name *n, uint8_t ret[16]);
void span_id_of(const struct exchange_name *n, enum side side, uint8_t ret[8]);

#endif
