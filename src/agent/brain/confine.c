/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine.c: a seccomp filter for the process that parses what strangers wrote. A list of what is
 * refused (EPERM), not of what is allowed: the C library, the resolver and the TLS library of the
 * exporter differ from host to host, and a call that nobody foresaw must not cost the operator the data.
 * Refused is what an intruder would want next: to run programs, to look into or become others, to load
 * code into the kernel, to reach the wide interfaces (bpf, io_uring, perf, userfaultfd) where its bugs
 * are. What the uid and the empty capability sets refuse anyway is refused twice.
 */
#include "agent/brain/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#define X32  0x40000000u /* __X32_SYSCALL_BIT: the same calls by other numbers */
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "which architecture's system calls are these?"
#endif

static const int refused[] = {
	/* other programs, other processes */
	__NR_execve,
	__NR_execveat,
	__NR_ptrace,
	__NR_process_vm_readv,
	__NR_process_vm_writev,
	__NR_kcmp,
	__NR_pidfd_getfd,
	__NR_setns,
	__NR_unshare,
	__NR_chroot,
	__NR_pivot_root,
	__NR_personality,
	/* the kernel's wide interfaces */
	__NR_bpf,
	__NR_perf_event_open,
	__NR_io_uring_setup,
	__NR_io_uring_enter,
	__NR_io_uring_register,
	__NR_userfaultfd,
	__NR_add_key,
	__NR_request_key,
	__NR_keyctl,
	__NR_fanotify_init,
	__NR_open_by_handle_at,
	__NR_name_to_handle_at,
	__NR_seccomp,
	/* the kernel itself, the machine */
	__NR_init_module,
	__NR_finit_module,
	__NR_delete_module,
	__NR_kexec_load,
	__NR_kexec_file_load,
	__NR_reboot,
	__NR_swapon,
	__NR_swapoff,
	__NR_acct,
	__NR_quotactl,
	__NR_syslog,
	__NR_settimeofday,
	__NR_clock_settime,
	__NR_adjtimex,
	__NR_clock_adjtime,
	/* file systems */
	__NR_mount,
	__NR_umount2,
	__NR_move_mount,
	__NR_open_tree,
	__NR_fsopen,
	__NR_fsmount,
	__NR_fsconfig,
	__NR_mount_setattr,
	__NR_mknodat,
};

#define COUNT  (sizeof(refused) / sizeof(refused[0]))
#define HEAD   4
#define REFUSE SECCOMP_RET_ERRNO | EPERM

#define OFFSET(field) ((unsigned)offsetof(struct seccomp_data, field))

int confine(void)
{
	struct sock_filter filter[HEAD + 1 + COUNT + 2];
	struct sock_fprog program = { .filter = filter };
	unsigned n = 0;

	/* numbers mean other calls on another architecture: nothing of that is ours */
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, OFFSET(arch));
	filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, OFFSET(nr));
#ifdef X32
	filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, X32, COUNT + 1, 0);
#endif
	for (unsigned i = 0; i < COUNT; i++) {
		unsigned char to_refuse = (unsigned char)(COUNT - i);

		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   (unsigned)refused[i], to_refuse, 0);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, REFUSE);
	program.len = (unsigned short)n;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) ? -errno : 0;
}

_Static_assert(COUNT < 250, "a jump of a filter reaches 255 instructions");
