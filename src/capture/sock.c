/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sock.c: the socket source as a family: opens its skeleton and reaches the few variables in it.
 * Warden only.
 */
#include "capture/family.h"
#include "sock.skel.h"

static void *sock_open(const struct family_knobs *k, struct bpf_object **ret_obj)
{
	struct sock_bpf *skel = sock_bpf__open();

	if (!skel)
		return NULL;
	skel->rodata->pc_rings = k->rings;
	skel->rodata->pc_ring_mask = k->ring_bytes - 1;
	skel->rodata->pc_ring_key = k->ring_key;
	skel->rodata->pc_wake_bytes = k->wake_bytes;
	*ret_obj = skel->obj;
	return skel;
}

static int sock_load(void *skel)
{
	return sock_bpf__load(skel);
}

static void sock_destroy(void *skel)
{
	sock_bpf__destroy(skel);
}

static void sock_scan_pass(void *skel, uint32_t pass)
{
	struct sock_bpf *s = skel;

	s->bss->pc_scan_pass = pass;
}

static uint64_t sock_scanned(const void *skel)
{
	const struct sock_bpf *s = skel;

	return s->bss->pc_scanned;
}

static void sock_look_begin(void *skel, uint32_t look, uint64_t now_ns)
{
	struct sock_bpf *s = skel;

	s->bss->pc_look = look;
	s->bss->pc_look_since = now_ns;
	s->bss->pc_look_found = 0;
	s->bss->pc_look_lost = 0;
}

static void sock_look_get(const void *skel, struct family_look *ret)
{
	const struct sock_bpf *s = skel;

	*ret = (struct family_look){ .opened = s->bss->pc_unix_opened,
				     .found = s->bss->pc_look_found,
				     .doors = s->bss->pc_doors_made };
}

static const char *const unused[] = { "pc_conns", "pc_others", "pc_listening", NULL };

const struct family family_sock = {
	.name = "sock",
	.unused = unused,
	.open = sock_open,
	.load = sock_load,
	.destroy = sock_destroy,
	.scan_pass = sock_scan_pass,
	.scanned = sock_scanned,
	.look_begin = sock_look_begin,
	.look_get = sock_look_get,
};
