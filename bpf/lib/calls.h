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
	PC_FORM_BUF,	    /* (fd, buffer, length, …) */
	PC_FORM_IOV,	    /* (fd, struct iovec *, count, …) */
	PC_FORM_MSG,	    /* (fd, struct msghdr *, flags) */
	PC_FORM_MMSG,	    /* (fd, struct mmsghdr *, count, …) */
	PC_FORM_SENDFILE,   /* (out fd, in fd, …): no buffer */
	PC_FORM_SPLICE,	    /* (in fd, …, out fd, …): no buffer */
	PC_FORM_URING,	    /* io_uring_enter */
	PC_FORM_SOCKETCALL, /* 32-bit x86: (call, arguments in memory) */
};
#define PC_FORM_TX     0x80 /* the socket's bytes leave; with SPLICE either way is possible */
#define PC_FORM_COMPAT 0x40 /* the number means this in a 32-bit call only */
#define PC_FORM_FLAGS  0x20 /* has MSG_* flags: MSG in its third argument, others in their fourth */
#define PC_FORM_MASK   0x0f

#define PC_CALLS 512 /* more than the numbers of either machine */

#if defined(__TARGET_ARCH_arm64)
static const __u8 pc_forms[PC_CALLS] = {
	[63] = PC_FORM_BUF,				   /* read */
	[64] = PC_FORM_BUF | PC_FORM_TX,		   /* write */
	[65] = PC_FORM_IOV,				   /* readv */
	[66] = PC_FORM_IOV | PC_FORM_TX,		   /* writev */
	[71] = PC_FORM_SENDFILE | PC_FORM_TX,		   /* sendfile */
	[76] = PC_FORM_SPLICE | PC_FORM_TX,		   /* splice */
	[206] = PC_FORM_BUF | PC_FORM_FLAGS | PC_FORM_TX,  /* sendto */
	[207] = PC_FORM_BUF | PC_FORM_FLAGS,		   /* recvfrom */
	[211] = PC_FORM_MSG | PC_FORM_FLAGS | PC_FORM_TX,  /* sendmsg */
	[212] = PC_FORM_MSG | PC_FORM_FLAGS,		   /* recvmsg */
	[243] = PC_FORM_MMSG | PC_FORM_FLAGS,		   /* recvmmsg */
	[269] = PC_FORM_MMSG | PC_FORM_FLAGS | PC_FORM_TX, /* sendmmsg */
	[286] = PC_FORM_IOV,				   /* preadv2 */
	[287] = PC_FORM_IOV | PC_FORM_TX,		   /* pwritev2 */
	[426] = PC_FORM_URING,				   /* io_uring_enter */
	/* 32-bit calls (sendmmsg and recvmmsg are left out: their result is no length) */
	[3] = PC_FORM_COMPAT | PC_FORM_BUF,
	[4] = PC_FORM_COMPAT | PC_FORM_BUF | PC_FORM_TX,
	[145] = PC_FORM_COMPAT | PC_FORM_IOV,
	[146] = PC_FORM_COMPAT | PC_FORM_IOV | PC_FORM_TX,
	[187] = PC_FORM_COMPAT | PC_FORM_SENDFILE | PC_FORM_TX,
	[239] = PC_FORM_COMPAT | PC_FORM_SENDFILE | PC_FORM_TX,
	[289] = PC_FORM_COMPAT | PC_FORM_BUF | PC_FORM_FLAGS | PC_FORM_TX,
	[290] = PC_FORM_COMPAT | PC_FORM_BUF | PC_FORM_FLAGS | PC_FORM_TX,
	[291] = PC_FORM_COMPAT | PC_FORM_BUF | PC_FORM_FLAGS,
	[292] = PC_FORM_COMPAT | PC_FORM_BUF | PC_FORM_FLAGS,
	[296] = PC_FORM_COMPAT | PC_FORM_MSG | PC_FORM_FLAGS | PC_FORM_TX,
	[297] = PC_FORM_COMPAT | PC_FORM_MSG | PC_FORM_FLAGS,
	[392] = PC_FORM_COMPAT | PC_FORM_IOV,
	[393] = PC_FORM_COMPAT | PC_FORM_IOV | PC_FORM_TX,
};
#define pc_reg_nr(r)   ((__u32)(r)->syscallno)
#define pc_reg_0(r)    ((r)->orig_x0)
#define pc_reg_1(r)    ((r)->regs[1])
#define pc_reg_2(r)    ((r)->regs[2])
#define pc_reg_3(r)    ((r)->regs[3])
#define pc_reg_4(r)    ((r)->regs[4])
#define pc_reg_5(r)    ((r)->regs[5])
#define pc_compat_0(r) ((__u32)(r)->orig_x0)
#define pc_compat_1(r) ((__u32)(r)->regs[1])
#define pc_compat_2(r) ((__u32)(r)->regs[2])
#define pc_compat_3(r) ((__u32)(r)->regs[3])
/* TIF_32BIT */
#define pc_is_compat(task) (((task)->thread_info.flags >> 22) & 1)
/* An atomic with a result orders everything around it. */
#define pc_store_release(at, value) ((void)__sync_lock_test_and_set((at), (value)))
#define pc_read_barrier()                                                                          \
	do {                                                                                       \
		__u64 fence = 0;                                                                   \
		(void)__sync_fetch_and_add(&fence, 0);                                             \
	} while (0)
#else
static const __u8 pc_forms[PC_CALLS] = {
	[0] = PC_FORM_BUF,				   /* read */
	[1] = PC_FORM_BUF | PC_FORM_TX,			   /* write */
	[19] = PC_FORM_IOV,				   /* readv */
	[20] = PC_FORM_IOV | PC_FORM_TX,		   /* writev */
	[40] = PC_FORM_SENDFILE | PC_FORM_TX,		   /* sendfile */
	[44] = PC_FORM_BUF | PC_FORM_FLAGS | PC_FORM_TX,   /* sendto */
	[45] = PC_FORM_BUF | PC_FORM_FLAGS,		   /* recvfrom */
	[46] = PC_FORM_MSG | PC_FORM_FLAGS | PC_FORM_TX,   /* sendmsg */
	[47] = PC_FORM_MSG | PC_FORM_FLAGS,		   /* recvmsg */
	[275] = PC_FORM_SPLICE | PC_FORM_TX,		   /* splice */
	[299] = PC_FORM_MMSG | PC_FORM_FLAGS,		   /* recvmmsg */
	[307] = PC_FORM_MMSG | PC_FORM_FLAGS | PC_FORM_TX, /* sendmmsg */
	[327] = PC_FORM_IOV,				   /* preadv2 */
	[328] = PC_FORM_IOV | PC_FORM_TX,		   /* pwritev2 */
	[426] = PC_FORM_URING,				   /* io_uring_enter */
	/* 32-bit calls (sendmmsg and recvmmsg are left out: their result is no length) */
	[3] = PC_FORM_COMPAT | PC_FORM_BUF,
	[4] = PC_FORM_COMPAT | PC_FORM_BUF | PC_FORM_TX,
	[102] = PC_FORM_COMPAT | PC_FORM_SOCKETCALL,
	[145] = PC_FORM_COMPAT | PC_FORM_IOV,
	[146] = PC_FORM_COMPAT | PC_FORM_IOV | PC_FORM_TX,
	[187] = PC_FORM_COMPAT | PC_FORM_SENDFILE | PC_FORM_TX,
	[239] = PC_FORM_COMPAT | PC_FORM_SENDFILE | PC_FORM_TX,
	[369] = PC_FORM_COMPAT | PC_FORM_BUF | PC_FORM_FLAGS | PC_FORM_TX,
	[370] = PC_FORM_COMPAT | PC_FORM_MSG | PC_FORM_FLAGS | PC_FORM_TX,
	[371] = PC_FORM_COMPAT | PC_FORM_BUF | PC_FORM_FLAGS,
	[372] = PC_FORM_COMPAT | PC_FORM_MSG | PC_FORM_FLAGS,
	[378] = PC_FORM_COMPAT | PC_FORM_IOV,
	[379] = PC_FORM_COMPAT | PC_FORM_IOV | PC_FORM_TX,
};
#define pc_reg_nr(r)	   ((__u32)(r)->orig_ax)
#define pc_reg_0(r)	   ((r)->di)
#define pc_reg_1(r)	   ((r)->si)
#define pc_reg_2(r)	   ((r)->dx)
#define pc_reg_3(r)	   ((r)->r10)
#define pc_reg_4(r)	   ((r)->r8)
#define pc_reg_5(r)	   ((r)->r9)
#define pc_compat_0(r)	   ((__u32)(r)->bx)
#define pc_compat_1(r)	   ((__u32)(r)->cx)
#define pc_compat_2(r)	   ((__u32)(r)->dx)
#define pc_compat_3(r)	   ((__u32)(r)->si)
/* TS_COMPAT; cs still says 64-bit in a 32-bit call of a 64-bit process */
#define pc_is_compat(task) (((task)->thread_info.status >> 1) & 1)
/* Loads stay in order, and so do stores. */
#define pc_read_barrier()  __asm__ volatile("" ::: "memory")
#define pc_store_release(at, value)                                                                \
	do {                                                                                       \
		__asm__ volatile("" ::: "memory");                                                 \
		*(volatile __u64 *)(at) = (value);                                                 \
	} while (0)
#endif

/* What the number means in a call of the one kind or the other (PC_FORM_COMPAT says which). */
static inline __u32 pc_form_any(__u64 nr)
{
	__asm__ volatile("" : "+r"(nr)); /* so that the verifier sees this very comparison */
	return nr < PC_CALLS ? pc_forms[nr] : PC_FORM_NONE;
}

static inline __u32 pc_form_of(__u64 nr)
{
	__u32 form = pc_form_any(nr);

	return form & PC_FORM_COMPAT ? PC_FORM_NONE : form;
}

/* The calls behind socketcall(2), by their number there. */
static inline __u32 pc_socketcall_form(__u32 call)
{
	switch (call) {
	case 9:	 /* send */
	case 11: /* sendto */
		return PC_FORM_BUF | PC_FORM_FLAGS | PC_FORM_TX;
	case 10: /* recv */
	case 12: /* recvfrom */
		return PC_FORM_BUF | PC_FORM_FLAGS;
	case 16: /* sendmsg */
		return PC_FORM_MSG | PC_FORM_FLAGS | PC_FORM_TX;
	case 17: /* recvmsg */
		return PC_FORM_MSG | PC_FORM_FLAGS;
	}
	return PC_FORM_NONE;
}

#endif
