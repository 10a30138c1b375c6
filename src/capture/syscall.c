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
	skel->rodata->pc_ring_mask = k->ring_bytes - 1;
	skel->rodata->pc_ring_key = k->ring_key;
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

static void syscall_look_begin(void *skel, uint32_t look, uint64_t now_ns)
{
	struct syscall_bpf *s = skel;

	s->bss->pc_look = look;
	s->bss->pc_look_since = now_ns;
	s->bss->pc_look_found = 0;
	s->bss->pc_look_lost = 0;
}

static void syscall_look_get(const void *skel, struct family_look *ret)
{
	const struct syscall_bpf *s = skel;

	*ret = (struct family_look){ .opened = s->bss->pc_unix_opened,
				     .found = s->bss->pc_look_found,
				     .doors = s->bss->pc_doors_made };
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
	.look_begin = syscall_look_begin,
	.look_get = syscall_look_get,
};
