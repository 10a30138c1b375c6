/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * empty.bpf.c: programs that do nothing on the hooks that a system call or a socket's data meets in
 * the two capture sources: the floor below which no agent on these hooks can be. Loaded by tests/bench/micro.c.
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
NOTHING(sk_data_ready) /* both sources */
NOTHING(tcp_rcv_space_adjust)
NOTHING(sys_exit)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
