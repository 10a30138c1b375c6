/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context.h: W3C Trace Context level 1 (https://www.w3.org/TR/trace-context-1/): validation of
 * traceparent (section 3.2) and tracestate (3.3). Bytes of strangers; slices borrow.
 */
#ifndef PC_TRACE_CONTEXT_H
#define PC_TRACE_CONTEXT_H

#include "base/slice.h"

#define TRACESTATE_MEMBERS 32

struct traceparent {
	uint8_t trace_id[16], parent_id[8];
	bool sampled;
};

/* -EINVAL: to be treated as absent, tracestate with it. A version above 00 is read by the rules of
 * 00 and may be longer, then with '-' after the flags (section 3.2.4); ff is no version. */
int traceparent_parse(struct slice s, struct traceparent *ret);
/* One or more fields joined by ','. Empty members are allowed and not counted. Keys that come twice
 * are let pass: who sent them is wrong, but we send nothing on. */
bool tracestate_valid(struct slice s);
/*
 * The randomness that OpenTelemetry's samplers share ("rv" of the member "ot": 14 hexadecimal digits,
 * 56 bits), which replaces the trace id's own. false: not there.
 */
bool tracestate_randomness(struct slice s, uint64_t *ret_randomness);

#endif
