/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * calls.h: which system calls move bytes of a socket, and where they keep their arguments. A table by
 * number, so that the common answer ("none of ours") is one load. Numbers and registers of x86-64 and
 * arm64 stand side by side; nothing else in bpf/ knows the machine.
 */
#ifndef PC_BPF_CALLS_H
#define PC_BPF_CALLS_H

#include "parcours/abi.h"

enum pc_form {
	PC_FORM_NONE,
	PC_FORM_BUF,	  /* (fd, buffer, length, …) */
	PC_FORM_IOV,	  /* (fd, struct iovec *, count, …) */
	PC_FORM_MSG,	  /* (fd, struct msghdr *, flags) */
	PC_FORM_MMSG,	  /* (fd, struct mmsghdr *, count, …) */
	PC_FORM_SENDFILE, /* (out fd, in fd, …): no buffer */
	PC_FORM_SPLICE,	  /* (in fd, …, out fd, …): no buffer */
	PC_FORM_URING,	  /* io_uring_enter */
};
#define PC_FORM_TX   0x80 /* the socket's bytes leave; with SPLICE either way is possible */
#define PC_FORM_MASK 0x0f

#define PC_CALLS 512 /* more than the numbers of either machine */

#if defined(__TARGET_ARCH_arm64)
static const __u8 pc_forms[PC_CALLS] = {
	[63] = PC_FORM_BUF,			/* read */
	[64] = PC_FORM_BUF | PC_FORM_TX,	/* write */
	[65] = PC_FORM_IOV,			/* readv */
	[66] = PC_FORM_IOV | PC_FORM_TX,	/* writev */
	[71] = PC_FORM_SENDFILE | PC_FORM_TX,	/* sendfile */
	[76] = PC_FORM_SPLICE | PC_FORM_TX,	/* splice */
	[206] = PC_FORM_BUF | PC_FORM_TX,	/* sendto */
	[207] = PC_FORM_BUF,			/* recvfrom */
	[211] = PC_FORM_MSG | PC_FORM_TX,	/* sendmsg */
	[212] = PC_FORM_MSG,			/* recvmsg */
	[243] = PC_FORM_MMSG,			/* recvmmsg */
	[269] = PC_FORM_MMSG | PC_FORM_TX,	/* sendmmsg */
	[286] = PC_FORM_IOV,			/* preadv2 */
	[287] = PC_FORM_IOV | PC_FORM_TX,	/* pwritev2 */
	[426] = PC_FORM_URING,			/* io_uring_enter */
};
#define pc_reg_nr(r) ((__u32)(r)->syscallno)
#define pc_reg_0(r)  ((r)->orig_x0)
#define pc_reg_1(r)  ((r)->regs[1])
#define pc_reg_2(r)  ((r)->regs[2])
#define pc_reg_3(r)  ((r)->regs[3])
/* TIF_32BIT */
#define pc_is_compat(task) (((task)->thread_info.flags >> 22) & 1)
/* An atomic with a result orders everything around it. */
#define pc_read_barrier()                                \
	do {                                             \
		__u64 fence = 0;                         \
		(void)__sync_fetch_and_add(&fence, 0);   \
	} while (0)
#else
static const __u8 pc_forms[PC_CALLS] = {
	[0] = PC_FORM_BUF,			/* read */
	[1] = PC_FORM_BUF | PC_FORM_TX,		/* write */
	[19] = PC_FORM_IOV,			/* readv */
	[20] = PC_FORM_IOV | PC_FORM_TX,	/* writev */
	[40] = PC_FORM_SENDFILE | PC_FORM_TX,	/* sendfile */
	[44] = PC_FORM_BUF | PC_FORM_TX,	/* sendto */
	[45] = PC_FORM_BUF,			/* recvfrom */
	[46] = PC_FORM_MSG | PC_FORM_TX,	/* sendmsg */
	[47] = PC_FORM_MSG,			/* recvmsg */
	[275] = PC_FORM_SPLICE | PC_FORM_TX,	/* splice */
	[299] = PC_FORM_MMSG,			/* recvmmsg */
	[307] = PC_FORM_MMSG | PC_FORM_TX,	/* sendmmsg */
	[327] = PC_FORM_IOV,			/* preadv2 */
	[328] = PC_FORM_IOV | PC_FORM_TX,	/* pwritev2 */
	[426] = PC_FORM_URING,			/* io_uring_enter */
};
#define pc_reg_nr(r) ((__u32)(r)->orig_ax)
#define pc_reg_0(r)  ((r)->di)
#define pc_reg_1(r)  ((r)->si)
#define pc_reg_2(r)  ((r)->dx)
#define pc_reg_3(r)  ((r)->r10)
/* TS_COMPAT; cs still says 64-bit in a 32-bit call of a 64-bit process */
#define pc_is_compat(task) (((task)->thread_info.status >> 1) & 1)
#define pc_read_barrier()  __asm__ volatile("" ::: "memory") /* loads stay in order */
#endif

static inline __u32 pc_form_of(__u64 nr)
{
	__asm__ volatile("" : "+r"(nr)); /* so that the verifier sees this very comparison */
	return nr < PC_CALLS ? pc_forms[nr] : PC_FORM_NONE;
}

#endif
