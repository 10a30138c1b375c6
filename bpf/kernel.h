/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * kernel.h: all that we depend on in the kernel. Only the fields we read stand here; libbpf moves
 * each access to where the running kernel keeps it (preserve_access_index), so a build needs no BTF
 * and no generated vmlinux.h, and a reader sees at one glance what a new kernel could break.
 *
 * Also the few types and constants of the BPF user interface that bpf_helpers.h expects, because
 * <linux/bpf.h> does not build for the bpf target without an include path of the host's own.
 */
#ifndef PC_BPF_KERNEL_H
#define PC_BPF_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_SK_STORAGE = 24,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

#define BPF_ANY			       0
#define BPF_NOEXIST		       1
#define BPF_EXIST		       2
#define BPF_F_NO_PREALLOC	       (1u << 0)
#define BPF_F_CLONE		       (1u << 9)
#define BPF_F_MMAPABLE		       (1u << 10)
#define BPF_LOCAL_STORAGE_GET_F_CREATE 1
#define BPF_RB_NO_WAKEUP	       1
#define BPF_RB_FORCE_WAKEUP	       2
#define BPF_RB_AVAIL_DATA	       0

#define AF_UNIX	 1
#define AF_INET	 2
#define AF_INET6 10

#define SOL_SOCKET 1
#define SCM_RIGHTS 1

#define SOCK_STREAM  1
#define IPPROTO_TCP  6
#define IPPROTO_UDP  17
#define RCV_SHUTDOWN 1

#define MSG_OOB	     0x1
#define MSG_PEEK     0x2
#define MSG_TRUNC    0x20
#define MSG_ERRQUEUE 0x2000

#define PF_IO_WORKER 0x00000010
#define PF_KTHREAD   0x00200000

#define O_NONBLOCK 04000

/* States of a TCP socket (include/net/tcp_states.h). */
enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSE,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
	TCP_CLOSING,
	TCP_NEW_SYN_RECV,
};

/* Layouts of the user interface: never relocated. */
struct iovec {
	__u64 iov_base;
	__u64 iov_len;
};

struct user_msghdr {
	__u64 msg_name;
	__u32 msg_namelen;
	__u32 pad1;
	__u64 msg_iov;
	__u64 msg_iovlen;
	__u64 msg_control;
	__u64 msg_controllen;
	__u32 msg_flags;
	__u32 pad2;
};

struct bpf_raw_tracepoint_args {
	__u64 args[0];
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
	struct {
		__u8 u6_addr8[16];
	} in6_u;
};

typedef struct {
	__s64 counter;
} atomic64_t;

typedef struct {
	int counter;
} atomic_t;

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	possible_net_t nd_net;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	__u32 skc_portpair; /* the same two in one, the first first */
	__u16 skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	possible_net_t skc_net;
	unsigned long skc_flags;
};

struct inode {
	__u16 i_mode;
	unsigned long i_ino;
};

struct file {
	struct inode *f_inode;
	void *private_data;
	unsigned int f_flags;
};

struct socket {
	short type;
	struct file *file;
	struct sock *sk;
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

struct sk_buff_head {
	__u32 qlen;
};

struct sock {
	struct sock_common __sk_common;
	int sk_err;
	struct socket *sk_socket;
	int sk_wmem_queued;
	int sk_sndbuf;
	atomic_t sk_drops;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
	__u16 sk_protocol;
	__u16 sk_type;
	__u8 sk_shutdown;
	struct sk_buff_head sk_receive_queue;
	void *sk_user_data;
	void *sk_bpf_storage;
};

enum sock_flags { SOCK_DEAD, SOCK_DONE };

struct inet_sock {
	__u16 inet_sport;
};

struct request_sock_queue {
	void *rskq_accept_head;
};

struct inet_connection_sock {
	struct request_sock_queue icsk_accept_queue;
	const void *icsk_ulp_ops;
};

struct minmax_sample {
	__u32 t;
	__u32 v;
};

struct minmax {
	struct minmax_sample s[3];
};

struct tcp_request_sock {
	__u32 rcv_isn;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 copied_seq;
	__u32 rcv_nxt;
	__u32 write_seq;
	__u32 snd_una;
	__u32 snd_nxt;
	__u32 srtt_us;
	__u32 total_retrans;
	__u64 tcp_clock_cache;
	__u64 bytes_received;
	__u64 bytes_acked;
	__u64 bytes_sent;
	__u64 bytes_retrans;
	struct minmax rtt_min;
};

struct unix_sock {
	struct sock sk;
	struct sock *peer;
};

struct iov_iter {
	unsigned long count;
};

struct msghdr {
	struct iov_iter msg_iter;
};

struct tcp_skb_cb {
	__u32 seq;
	__u32 ack_seq;
};

struct sk_buff {
	struct net_device *dev;
	unsigned char *head;
	__u16 network_header;
	__u16 transport_header;
	char cb[48];
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	unsigned long *open_fds;
};

struct files_struct {
	struct fdtable *fdt;
};

struct signal_struct {
	atomic_t live;
	int nr_threads;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct thread_info {
	unsigned long flags;
	__u32 status;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	int exit_code;
	int pid;
	int tgid;
	__u64 start_boottime;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	char comm[16];
	struct files_struct *files;
	void *io_uring;
	struct signal_struct *signal;
	struct css_set *cgroups;
};

struct linux_binprm {
	const char *filename;
};

struct bpf_iter__bpf_sk_storage_map {
	struct sock *sk; /* NULL: the end */
};

struct bpf_iter__task_file {
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long di, si, dx, r10, r8, r9, orig_ax;
	unsigned long bx, cx; /* of a 32-bit call */
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31];
	__u64 orig_x0;
	__s32 syscallno;
};
#else
#error "parcours knows the registers of x86-64 and arm64 only"
#endif

#pragma clang attribute pop

#endif
