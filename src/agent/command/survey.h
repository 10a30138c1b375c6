/* SPDX-License-Identifier: Apache-2.0 */
/*
 * survey.h: what runs on this host that bears on what can be seen. For doctor only.
 */
#ifndef PC_AGENT_SURVEY_H
#define PC_AGENT_SURVEY_H

#include <stdbool.h>

struct survey {
	unsigned processes; /* looked at */
	bool partial;	    /* some could not be read */
	bool cgroup2;
	char lockdown[24]; /* empty = none */
	unsigned io_uring, compat, tls;
	char io_uring_names[96], compat_names[96], tls_names[96]; /* the first few */
};

void survey_host(const char *proc, struct survey *ret);

#endif
