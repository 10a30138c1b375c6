/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * empty.bpf.c: programs that do nothing on the hooks that the two capture sources use: the floor below
 * which no agent on these hooks can be. Loaded by tests/bench/empty.c.
 */
#include "kernel.h"

#include <bpf/bpf_helpers.h>

#define NOTHING(name)                                                                              \
	SEC("tp_btf/" #name) int on_##name(void *ctx)                                              \
	{                                                                                          \
		return 0;                                                                          \
	}

NOTHING(sock_send_length)
NOTHING(sock_recv_length)
NOTHING(sk_data_ready)

SEC("tp_btf/sys_exit") int on_sys_exit(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
