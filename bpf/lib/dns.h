/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * dns.h: is this datagram one between a process and a name server? Pure, tested on the host; dns.bpf.h
 * asks the kernel. Every datagram of a socket call comes by here, so the first question is two loads.
 */
#ifndef PC_BPF_DNS_PURE_H
#define PC_BPF_DNS_PURE_H

#include "parcours/abi.h"
#ifndef __bpf__ /* the tests on the host */
#include <stdbool.h>
#endif

#define PC_ASKED_NS    60000000000ull /* so long an answer may still come to a socket that asked */
#define PC_EARLY_NS    1000000000ull  /* so long the call that asks may take to return */
#define PC_DNS_PORT_BE 0x3500	      /* as it stands in memory, on a little-endian machine */

#define PC_SOCKADDR_BYTES 28 /* struct sockaddr_in6; struct sockaddr_in has 16 */
#define PC_SOCKADDR4	  16

/* A socket that asked; or (tgid 0) one that had an error before the call that asks returned: on the loopback the answer
 * that nobody is there is handled within that call. */
struct pc_asker {
	__u64 asked_ns;
	__u32 tgid, tid; /* for whom */
	__u16 port;	 /* its own */
	__u16 error;	 /* tgid 0 */
	__u16 pad[2];
};

enum pc_dns_role {
	PC_DNS_NONE,
	PC_DNS_SERVER, /* it has port 53 itself */
	PC_DNS_PEER,   /* connected to a name server */
	PC_DNS_LOOSE,  /* connected to nobody: each datagram says where it goes */
};

/* `own`, host order, and `peer`, as in memory: the ports of a UDP socket. */
static inline enum pc_dns_role pc_dns_role_of(__u16 own, __u16 peer)
{
	if (own == PC_DNS_PORT)
		return PC_DNS_SERVER;
	if (peer == PC_DNS_PORT_BE)
		return PC_DNS_PEER;
	return peer ? PC_DNS_NONE : PC_DNS_LOOSE;
}

/* Does this struct sockaddr, `len` octets of it, name port 53? Then *ret is its address. */
static inline bool pc_dns_is_to(const __u8 a[PC_SOCKADDR_BYTES], __u32 len, struct pc_addr *ret)
{
	const __u32 family = a[0] | (__u32)a[1] << 8;

	if (a[2] || a[3] != PC_DNS_PORT)
		return false;
	if (family == 10 && len >= PC_SOCKADDR_BYTES) {
		__builtin_memcpy(ret->ip, a + 8, 16);
	} else if (family == 2 && len >= PC_SOCKADDR4) {
		__builtin_memset(ret->ip, 0, sizeof(ret->ip));
		ret->ip[10] = ret->ip[11] = 0xff;
		__builtin_memcpy(ret->ip + 12, a + 4, 4);
	} else {
		return false;
	}
	ret->port = PC_DNS_PORT;
	return true;
}

/* Is it still the same socket, and may what it receives be an answer? */
static inline bool pc_dns_awaits(const struct pc_asker *a, __u16 port, __u64 now_ns)
{
	return a->tgid && a->port == port && now_ns - a->asked_ns < PC_ASKED_NS;
}

/* The error that this socket had while its question was sent; 0: none. */
static inline __u16 pc_dns_early(const struct pc_asker *a, __u16 port, __u64 now_ns)
{
	return !a->tgid && a->port == port && now_ns - a->asked_ns < PC_EARLY_NS ? a->error : 0;
}

#endif
