/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features.c: what this kernel offers, told by its BTF and never by its version: a distribution moves
 * features between versions. Loads nothing. For the choice of the source, for `doctor`, for messages.
 */
#include <bpf/btf.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/utsname.h>

#include "capture/family.h"

/* From <linux/capability.h> of 5.8; the build machine's libcap may be older. */
#define CAPTURE_CAP_PERFMON 38
#define CAPTURE_CAP_BPF	    39

bool features_has_tracepoint(const struct btf *kernel, const char *name)
{
	char type[128];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf__find_by_name_kind(kernel, type, BTF_KIND_TYPEDEF) > 0;
}

/* Since 6.10 the tracepoint is hit for no socket too; with that change it got the reason (after its own
 * context, the socket and the packet). */
static bool traces_refusals(const struct btf *kernel)
{
	int id = btf__find_by_name_kind(kernel, "btf_trace_tcp_send_reset", BTF_KIND_TYPEDEF);
	const struct btf_type *t = id > 0 ? btf__type_by_id(kernel, (uint32_t)id) : NULL;

	t = t ? btf__type_by_id(kernel, t->type) : NULL;
	t = t && btf_is_ptr(t) ? btf__type_by_id(kernel, t->type) : NULL;
	return t && btf_is_func_proto(t) && btf_vlen(t) > 3;
}

static bool has_capability(cap_t caps, cap_value_t which)
{
	cap_flag_value_t set = CAP_CLEAR;

	return cap_get_flag(caps, which, CAP_EFFECTIVE, &set) == 0 && set == CAP_SET;
}

static bool is_privileged(void)
{
	cap_t caps = cap_get_proc();
	bool ret;

	if (!caps)
		return false;
	ret = has_capability(caps, CAP_SYS_ADMIN) ||
	      (has_capability(caps, CAPTURE_CAP_BPF) && has_capability(caps, CAPTURE_CAP_PERFMON));
	cap_free(caps);
	return ret;
}

void features_of(const struct btf *kernel, struct capture_features *ret)
{
	struct capture_features f = { .privileged = is_privileged() };
	struct utsname u;

	if (uname(&u) == 0)
		snprintf(f.kernel, sizeof(f.kernel), "%.*s", (int)sizeof(f.kernel) - 1, u.release);
	if (kernel) {
		f.btf = true;
		f.sock_length = features_has_tracepoint(kernel, "sock_send_length") &&
				features_has_tracepoint(kernel, "sock_recv_length");
		f.data_ready = features_has_tracepoint(kernel, "sk_data_ready");
		f.sendmsg_locked = features_has_tracepoint(kernel, "tcp_sendmsg_locked");
		f.reset = features_has_tracepoint(kernel, "tcp_receive_reset") &&
			  features_has_tracepoint(kernel, "tcp_send_reset");
		f.retransmit = features_has_tracepoint(kernel, "tcp_retransmit_skb");
		f.destroy = features_has_tracepoint(kernel, "tcp_destroy_sock");
		f.probe = features_has_tracepoint(kernel, "tcp_probe");
		f.refused = traces_refusals(kernel);
	}
	*ret = f;
}

void capture_features(struct capture_features *ret)
{
	struct btf *kernel = btf__load_vmlinux_btf();

	features_of(kernel, ret);
	btf__free(kernel);
}
