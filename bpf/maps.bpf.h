/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * maps.bpf.h: every map of both families. maps.bpf.c defines them, the families refer to them; the
 * loader sizes the rings and the hash and does not create what its family does not use.
 *
 * "warden" and "brain" are the two processes of the agent; the brain reaches only what can be mapped
 * (BPF_F_MMAPABLE arrays and rings), because it never calls bpf(2).
 */
#ifndef PC_BPF_MAPS_H
#define PC_BPF_MAPS_H

#include "parcours/abi.h"

#include <bpf/bpf_helpers.h>

#include "lib/content.h"
#include "lib/dns.h"
#include "lib/piece.h"
#include "lib/state.h"

/* A record under construction. `rest` holds the arrivals and then the bytes; twice the largest piece,
 * so that an offset and a length that are each at most PC_PIECE stay inside for the verifier. */
struct pc_scratch {
	__u32 busy;
	__u32 pressed; /* the ring is filling: only what begins a message is worth its bytes */
	struct pc_walk walk;
	struct pc_content head; /* of the call's first piece */
	struct iovec few[4];
	struct pc_data data;
	__u8 rest[PC_ARRIVALS * sizeof(struct pc_arrival) + 2 * PC_PIECE];
};

/* Ring: life, processes, ends. Kernel writes, brain reads. Small and its own, so that data can never
 * starve it. The loader sizes it (1 MiB holds 7,000 new connections between two drains). */
struct pc_map_control_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

/* DATA: one value a ring, its bytes and PC_RING_SLACK. Kernel writes, brain reads (mapped). One ring per
 * group of CPUs; one by default. The loader sets how many and how large (8 MiB in all). */
struct pc_map_ring_bytes {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 4096 + PC_RING_SLACK);
};

/* The two ends of each data ring. Kernel moves head, brain tail (mapped). */
struct pc_map_ring_ends {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pc_ring);
};

/* One entry: scope, budgets, generations. Warden and brain write (mapped), kernel reads. */
struct pc_map_control {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pc_control);
};

/* Key: pc_slot(connection). Brain writes (mapped), kernel reads. 512 KiB, direct-mapped. */
struct pc_map_directives {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PC_DIRECTIVES);
	__type(key, __u32);
	__type(value, struct pc_directive);
};

/* Key: CPU modulo PC_CPUS. Kernel adds, everyone reads (mapped). 104 KiB. */
struct pc_map_counters {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PC_CPUS);
	__type(key, __u32);
	__type(value, struct pc_counters);
};

/* Two bits a process (enum pc_scope_state), 32 processes a word. Warden sets (mapped), fork, exec,
 * exit and listen change it in the kernel. 1 MiB covers every pid there can be: no look-up in a hash,
 * no limit to reach, no memory to ask for. */
struct pc_map_procs {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PC_PIDS / 32);
	__type(key, __u32);
	__type(value, __u64);
};

/* One bit a port. Warden sets (mapped), kernel reads. 8 KiB. */
struct pc_map_ports {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 65536 / 64);
	__type(key, __u32);
	__type(value, __u64);
};

/* Socket source: state of a socket. Kernel writes, and frees it with the socket; a child of a
 * listener is born with a copy. No size: memory exists for watched sockets only. */
struct pc_map_socks {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct pc_sock);
};

/* Syscall source: state of a TCP socket, key: cookie. Kernel writes, and deletes when the socket is
 * destroyed. The loader sizes it (65,536); memory exists for watched sockets only. When it is full a
 * connection is refused: counted, not captured. */
struct pc_map_conns {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct pc_sock);
};

/* Syscall source: state of a Unix or MPTCP socket, key: inode number. Kernel writes. Nothing tells of
 * their end, so the least recently used is forgotten. 1.5 MiB, allocated at once. */
struct pc_map_others {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct pc_sock);
};

/* Syscall source: one bit a port that a watched listener had. Kernel writes. 8 KiB. */
struct pc_map_listening {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 65536 / 64);
	__type(key, __u32);
	__type(value, __u64);
};

/* State of a listener in scope, for both sources. Kernel writes, and frees it with the socket; children do
 * not get it. No size: memory exists for watched listeners only. */
struct pc_map_doors {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pc_door);
};

/* Ports that watched listeners had. Kernel writes; who listens there again deletes. The one that nobody asked
 * for the longest is forgotten. 64 KiB, allocated at once. */
struct pc_map_shut {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 512);
	__type(key, struct pc_shut_key);
	__type(value, struct pc_shut);
};

/* Processes that answer on port 53 themselves, key: tgid. Kernel writes. 16 KiB, allocated at once. */
struct pc_map_name_servers {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64); /* start_boottime: the number may be another's now */
};

/* Sockets that asked a name server, or had an error before it was known that they had, key: address of the socket.
 * Kernel writes. Nothing tells of their end, so the entry has its time and port. 64 KiB, allocated at once. */
struct pc_map_askers {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct pc_asker);
};

/* Two records under construction a CPU: the second for a program that interrupts the first. */
struct pc_map_scratch {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct pc_scratch);
};

#ifndef PC_MAPS_DEFINE
extern struct pc_map_control_ring pc_control_ring SEC(".maps");
extern struct pc_map_ring_bytes pc_ring_bytes SEC(".maps");
extern struct pc_map_ring_ends pc_ring_ends SEC(".maps");
extern struct pc_map_control pc_control SEC(".maps");
extern struct pc_map_directives pc_directives SEC(".maps");
extern struct pc_map_counters pc_counters SEC(".maps");
extern struct pc_map_procs pc_procs SEC(".maps");
extern struct pc_map_ports pc_ports SEC(".maps");
extern struct pc_map_socks pc_socks SEC(".maps");
extern struct pc_map_conns pc_conns SEC(".maps");
extern struct pc_map_others pc_others SEC(".maps");
extern struct pc_map_listening pc_listening SEC(".maps");
extern struct pc_map_doors pc_doors SEC(".maps");
extern struct pc_map_shut pc_shut SEC(".maps");
extern struct pc_map_name_servers pc_name_servers SEC(".maps");
extern struct pc_map_askers pc_askers SEC(".maps");
extern struct pc_map_scratch pc_scratch SEC(".maps");
#endif

#endif
