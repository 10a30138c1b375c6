/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h: who is behind a pid. A bounded table keyed by tgid, fed by FORK, EXEC, EXIT and WHO
 * records; keeps a dead process for a while because its last records may still be on their way.
 * Owned by txn/. Pointers are valid until the next push or tick.
 */
#ifndef PC_TXN_PROCESS_H
#define PC_TXN_PROCESS_H

#include "base/slice.h"
#include "parcours/abi.h"

struct process {
	uint32_t tgid; /* key, must be first */
	uint32_t parent;
	uint32_t uid;
	bool who; /* the warden answered */
	bool asked;
	bool gone;
	uint64_t gone_ns;
	uint64_t start_ns;
	uint64_t cgroup;
	char comm[PC_COMM + 1];
	char exe[PC_PATH + 1];
	char service[129];
	char container[73];
	char unit[129];
};

struct process_limits {
	uint32_t processes; /* 16,384 */
	uint64_t keep_ns;   /* after EXIT: 30 s */
};

struct process_table;

int process_table_new(const struct process_limits *limits, struct process_table **ret);
void process_table_push(struct process_table *t, const struct pc_head *rec);
/* NULL: never heard of. A forked child that never called exec answers with its parent's names. */
struct process *process_find(struct process_table *t, uint32_t tgid);
void process_table_tick(struct process_table *t, uint64_t now_ns);
void process_table_free(struct process_table *t);

#endif
