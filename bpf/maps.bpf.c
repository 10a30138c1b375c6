/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * maps.bpf.c: defines the maps that maps.bpf.h describes. Linked first into the object of each
 * family. The names of the maps differ from the types of their values only by their tag.
 */
#define PC_MAPS_DEFINE
#include "maps.bpf.h"

struct pc_map_control_ring pc_control_ring SEC(".maps");
struct pc_map_ring_bytes pc_ring_bytes SEC(".maps");
struct pc_map_ring_ends pc_ring_ends SEC(".maps");
struct pc_map_control pc_control SEC(".maps");
struct pc_map_directives pc_directives SEC(".maps");
struct pc_map_counters pc_counters SEC(".maps");
struct pc_map_procs pc_procs SEC(".maps");
struct pc_map_ports pc_ports SEC(".maps");
struct pc_map_socks pc_socks SEC(".maps");
struct pc_map_conns pc_conns SEC(".maps");
struct pc_map_others pc_others SEC(".maps");
struct pc_map_listening pc_listening SEC(".maps");
struct pc_map_doors pc_doors SEC(".maps");
struct pc_map_shut pc_shut SEC(".maps");
struct pc_map_name_servers pc_name_servers SEC(".maps");
struct pc_map_askers pc_askers SEC(".maps");
struct pc_map_scratch pc_scratch SEC(".maps");

_Static_assert(sizeof(struct pc_data) == 72, "abi: DATA has padding");
_Static_assert(sizeof(struct pc_dns) == 88, "abi: DNS has padding");
_Static_assert(sizeof(struct pc_directive) == 32, "abi: a directive is 32 bytes");
_Static_assert(sizeof(struct pc_ring) == 256, "abi: the ends of a ring share a cache line");
_Static_assert(PC_RECORD_MAX + PC_PIECE + 8 < PC_RING_SLACK,
	       "abi: a record does not fit the slack");
_Static_assert(sizeof(struct pc_counters) % 64 == 0, "abi: counters share a cache line");

char LICENSE[] SEC("license") = "Dual BSD/GPL";
