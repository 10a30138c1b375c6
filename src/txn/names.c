/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.c: enumerations of the transaction stage as words for NDJSON, spans and metrics. The words
 * are part of the outputs (share/schema.md): a change here is a change of a format.
 */
#include "txn/txn.h"

const char *outcome_name(enum outcome o)
{
	static const char *const names[] = {
		[OUTCOME_COMPLETE] = "complete",	 [OUTCOME_CLIENT_GONE] = "client_gone",
		[OUTCOME_SERVER_RESET] = "server_reset", [OUTCOME_TIMEOUT] = "timed_out",
		[OUTCOME_UNOBSERVED] = "unobserved",
	};

	return names[o];
}

const char *why_name(enum pc_why w)
{
	static const char *const names[PC_WHY_MAX] = {
		[PC_WHY_NONE] = "none",		  [PC_WHY_BUDGET] = "budget",
		[PC_WHY_DIRECTIVE] = "directive", [PC_WHY_SENDFILE] = "sendfile",
		[PC_WHY_IO_URING] = "io_uring",	  [PC_WHY_COMPAT] = "compat",
		[PC_WHY_MMSG] = "mmsg",		  [PC_WHY_ZEROCOPY] = "zerocopy",
		[PC_WHY_NO_BUFFER] = "no_buffer", [PC_WHY_TRUNC] = "trunc",
		[PC_WHY_FAULT] = "fault",	  [PC_WHY_KERNEL] = "kernel",
		[PC_WHY_CALL] = "call",		  [PC_WHY_RING] = "ring",
		[PC_WHY_BEFORE] = "before",	  [PC_WHY_BUFFER] = "buffer",
		[PC_WHY_SHUTDOWN] = "shutdown",	  [PC_WHY_MALFORMED] = "malformed",
	};

	return (unsigned)w < PC_WHY_MAX ? names[w] : "none";
}
