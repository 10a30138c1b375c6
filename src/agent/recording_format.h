/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recording_format.h: what recorder.c writes and recording.c reads.
 */
#ifndef PC_AGENT_RECORDING_FORMAT_H
#define PC_AGENT_RECORDING_FORMAT_H

#include "parcours/abi.h"

#define RECORDING_MAGIC "parcours recording\n"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define RECORDING_ENDIAN "little"
#else
#define RECORDING_ENDIAN "big"
#endif

#define RECORDING_END 0xffff /* a kind that abi.h does not use */

struct recording_end {
	struct pc_head head;
	__u64 records;
	__u64 bytes; /* of all records, padding included */
};

static inline __u64 recording_padded(__u64 len)
{
	return (len + 7) & ~(__u64)7;
}

#endif
