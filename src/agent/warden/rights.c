/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rights.c: dropping privilege, both steps. The order matters and is the kernel's: the bounding set
 * needs CAP_SETPCAP, so it goes first; securebits next; then the capability sets; no_new_privs closes
 * the door of exec. The brain changes its ids while CAP_SETUID and CAP_SETGID are still there, then
 * proves that it cannot come back.
 */
#include "agent/warden/rights.h"

#include <errno.h>
#include <grp.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const cap_value_t kept[] = { CAP_BPF,	CAP_PERFMON, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH,
				    CAP_SETUID, CAP_SETGID };
#define KEPT (int)(sizeof(kept) / sizeof(kept[0]))

static bool is_kept(cap_value_t cap)
{
	for (int i = 0; i < KEPT; i++)
		if (kept[i] == cap)
			return true;
	return false;
}

bool rights_missing(char *ret_names, size_t room)
{
	cap_t have = cap_get_proc();
	size_t at = 0;

	ret_names[0] = 0;
	for (int i = 0; i < KEPT; i++) {
		cap_flag_value_t set = CAP_CLEAR;
		char *name;

		if (have)
			cap_get_flag(have, kept[i], CAP_PERMITTED, &set);
		if (set == CAP_SET)
			continue;
		name = cap_to_name(kept[i]);
		if (name && at < room)
			at += (size_t)snprintf(ret_names + at, room - at, "%s%s", at ? " " : "",
					       name);
		cap_free(name);
	}
	cap_free(have);
	return at > 0;
}

static int set_capabilities(const cap_value_t *list, int count)
{
	cap_t caps = cap_init();
	int err = 0;

	if (!caps)
		return -ENOMEM;
	if (count && (cap_set_flag(caps, CAP_PERMITTED, count, list, CAP_SET) ||
		      cap_set_flag(caps, CAP_EFFECTIVE, count, list, CAP_SET)))
		err = -errno;
	if (!err && cap_set_proc(caps))
		err = -errno;
	cap_free(caps);
	return err;
}

int rights_keep_warden(void)
{
	cap_t have = cap_get_proc();
	cap_flag_value_t may = CAP_CLEAR;

	if (have)
		cap_get_flag(have, CAP_SETPCAP, CAP_EFFECTIVE, &may);
	cap_free(have);
	/* without CAP_SETPCAP (started with just our six) there is no more to drop than
	 * no_new_privs already keeps from coming back */
	if (may == CAP_SET) {
		for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
			if (!is_kept(cap) && cap_get_bound(cap) > 0 && cap_drop_bound(cap))
				return -errno;
		if (cap_set_secbits(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED))
			return -errno;
	}
	if (cap_reset_ambient() && errno != EINVAL)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return set_capabilities(kept, KEPT);
}

int account_become(const struct account *a)
{
	const struct rlimit none = { 0, 0 };
	int err;

	if (setgroups(0, NULL) || setresgid(a->gid, a->gid, a->gid) ||
	    setresuid(a->uid, a->uid, a->uid))
		return -errno;
	err = set_capabilities(NULL, 0);
	if (err)
		return err;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ||
	    setrlimit(RLIMIT_CORE, &none))
		return -errno;
	if (setuid(0) == 0 || setgid(0) == 0)
		return -EPERM; /* it must not have worked */
	return 0;
}
