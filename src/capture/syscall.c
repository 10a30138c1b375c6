/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall.c: the syscall source as a family: opens its skeleton and reaches the few variables in it.
 * Warden only.
 */
#include "capture/family.h"
#include "syscall.skel.h"

static void *syscall_open(const struct family_knobs *k, struct bpf_object **ret_obj)
{
	struct syscall_bpf *skel = syscall_bpf__open();

	if (!skel)
		return NULL;
	skel->rodata->pc_rings = k->rings;
	skel->rodata->pc_wake_bytes = k->wake_bytes;
	*ret_obj = skel->obj;
	return skel;
}

static int syscall_load(void *skel)
{
	return syscall_bpf__load(skel);
}

static void syscall_destroy(void *skel)
{
	syscall_bpf__destroy(skel);
}

static void syscall_scan_pass(void *skel, uint32_t pass)
{
	struct syscall_bpf *s = skel;

	s->bss->pc_scan_pass = pass;
}

static uint64_t syscall_scanned(const void *skel)
{
	const struct syscall_bpf *s = skel;

	return s->bss->pc_scanned;
}

static const char *const unused[] = { "pc_socks", NULL };

const struct family family_syscall = {
	.name = "syscall",
	.unused = unused,
	.open = syscall_open,
	.load = syscall_load,
	.destroy = syscall_destroy,
	.scan_pass = syscall_scan_pass,
	.scanned = syscall_scanned,
};
