/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * fd.h: a descriptor of the current task → the socket behind it. The table of descriptors is reached
 * by typed loads, what it holds by probe reads, so the result is an untrusted pointer.
 */
#ifndef PC_BPF_FD_H
#define PC_BPF_FD_H

#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define PC_S_IFMT   0170000
#define PC_S_IFSOCK 0140000

/* What a file points to is a socket only if that points back to the file. That is proof enough to
 * look further; who takes the socket for one that nobody has named yet asks pc_is_socket too. */
static __always_inline struct sock *pc_sock_of_fd(struct task_struct *task, __u32 fd)
{
	struct fdtable *t = task->files->fdt; /* 0 without files: then max_fds reads as 0 */
	struct file **files, *file = NULL;
	struct socket *sock;

	if (fd >= t->max_fds)
		return NULL;
	files = t->fd;
	if (bpf_probe_read_kernel(&file, sizeof(file), files + fd) || !file)
		return NULL;
	sock = BPF_CORE_READ(file, private_data);
	if (!sock || BPF_CORE_READ(sock, file) != file)
		return NULL;
	return BPF_CORE_READ(sock, sk);
}

static __always_inline bool pc_is_socket(const struct sock *sk)
{
	__u16 mode = BPF_CORE_READ(sk, sk_socket, file, f_inode, i_mode);

	return (mode & PC_S_IFMT) == PC_S_IFSOCK;
}

#endif
