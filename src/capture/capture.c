/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture.c: loads the programs of one family, attaches them, sizes and fills the maps, runs the scan
 * of what was there before. First stage of the flow, privileged half: the warden owns the one struct
 * capture, on its only thread.
 *
 * The families are told apart by family.h; everything here goes by the names of the maps in
 * bpf/maps.bpf.h. A program whose tracepoint is not in the kernel's BTF is not loaded.
 */
#include "capture/capture.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "capture/family.h"
#include "capture/later.h"
#include "capture/scope.h"

#define DEFAULT_DATA_RING (8u << 20)
/* a connection's life is about 400 octets: some 10,000 begin and end before a brain without processor loses one */
#define DEFAULT_CONTROL_RING (4u << 20)
#define DEFAULT_CONNECTIONS  65536
#define PROVISIONAL_BYTES    16384
#define RINGS_MAX	     CAPTURE_DATA_RINGS
#define PROGRAMS_MAX	     32
#define PORT_WORDS	     (65536 / 64)
#define PROC_WORDS	     (PC_PIDS / 32)

struct capture {
	enum capture_source source;
	const struct family *family;
	void *skel;
	struct bpf_object *obj;
	struct bpf_link *links[PROGRAMS_MAX];
	unsigned link_count;
	struct later_hooks later;
	bool sweep; /* the next scan parts those who serve from those who were named */
	struct capture_fds fds;
	struct pc_control *control;	    /* mapped */
	uint64_t *procs;		    /* mapped, PROC_WORDS */
	uint64_t *ports;		    /* mapped, PORT_WORDS */
	const struct pc_counters *counters; /* mapped, PC_CPUS */
};

/* libbpf's last complaint: the sentence of last resort. */
static char libbpf_said[256];

static int on_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(libbpf_said, sizeof(libbpf_said), fmt, args);
	libbpf_said[strcspn(libbpf_said, "\n")] = '\0';
	log_debug("%s", libbpf_said);
	return 0;
}

static const char *why_not(const struct capture_features *f, enum capture_source source)
{
	if (!f->privileged)
		return "capture needs CAP_BPF and CAP_PERFMON: run as root, or give the "
		       "program these capabilities";
	if (!f->btf)
		return "this kernel has no BTF (/sys/kernel/btf/vmlinux is missing): it must be "
		       "built "
		       "with CONFIG_DEBUG_INFO_BTF, as the kernels of all large distributions are";
	if (source == CAPTURE_SOCK && !f->sock_length)
		return "this kernel has no tracepoints sock_send_length and sock_recv_length (they "
		       "came with 6.3): use --capture syscall";
	return NULL;
}

static const char *why_load_failed(int err)
{
	static char text[512];

	if (err == -EPERM)
		return "the kernel refused the capture programs: CAP_BPF and CAP_PERFMON are "
		       "needed, "
		       "and lockdown (/sys/kernel/security/lockdown) must not be "
		       "\"confidentiality\"";
	if (err == -ENOMEM)
		return "no memory for the capture maps: make the rings smaller (--ring-size) or "
		       "raise the memory limit of this service";
	if (err == -EINVAL && libbpf_said[0] == '\0')
		return "the kernel is too old for the capture programs";
	snprintf(text, sizeof(text), "the kernel did not load the capture programs (%s)%s%s",
		 strerror(-err), libbpf_said[0] ? ": " : "", libbpf_said);
	return text;
}

static const struct family *family_of(enum capture_source s)
{
	return s == CAPTURE_SOCK ? &family_sock : &family_syscall;
}

static uint32_t power_of_two(uint32_t bytes)
{
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE), n = page;

	while (n < bytes && n < 1u << 30)
		n *= 2;
	return n;
}

/* Programs for tracepoints that this kernel does not have stay out. */
static void choose_programs(struct capture *c, const struct btf *kernel)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, c->obj)
	{
		const char *section = bpf_program__section_name(p);

		if (strncmp(section, "tp_btf/", 7) == 0 &&
		    !features_has_tracepoint(kernel, section + 7))
			bpf_program__set_autoload(p, false);
	}
}

static int size_maps(struct capture *c, const struct capture_options *o)
{
	struct bpf_map *control = bpf_object__find_map_by_name(c->obj, "pc_control_ring");
	struct bpf_map *bytes = bpf_object__find_map_by_name(c->obj, "pc_ring_bytes");
	struct bpf_map *ends = bpf_object__find_map_by_name(c->obj, "pc_ring_ends");
	struct bpf_map *conns = bpf_object__find_map_by_name(c->obj, "pc_conns");
	int err = 0;

	if (!control || !bytes || !ends || !conns)
		return -ENOENT;
	err = bpf_map__set_max_entries(control, c->fds.control_ring_bytes);
	err = err ?: bpf_map__set_value_size(bytes, c->fds.data_ring_bytes + PC_RING_SLACK);
	err = err ?: bpf_map__set_max_entries(bytes, c->fds.data_rings);
	err = err ?: bpf_map__set_max_entries(ends, c->fds.data_rings);
	err = err ?: bpf_map__set_max_entries(conns, o->connections ?: DEFAULT_CONNECTIONS);
	for (const char *const *name = c->family->unused; !err && *name; name++) {
		struct bpf_map *unused = bpf_object__find_map_by_name(c->obj, *name);

		err = unused ? bpf_map__set_autocreate(unused, false) : -ENOENT;
	}
	return err;
}

static int find_fd(const struct capture *c, const char *map, int *ret_fd)
{
	struct bpf_map *m = bpf_object__find_map_by_name(c->obj, map);

	if (!m || bpf_map__fd(m) < 0)
		return -ENOENT;
	*ret_fd = bpf_map__fd(m);
	return 0;
}

/* NULL with errno. */
static void *map_array(const struct capture *c, const char *map, size_t bytes)
{
	struct bpf_map *m = bpf_object__find_map_by_name(c->obj, map);
	void *at;

	if (!m) {
		errno = ENOENT;
		return NULL;
	}
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(m), 0);
	if (at == MAP_FAILED)
		return NULL;
	/* the brain is a fork of ours: it maps what it was given, and has nothing else */
	if (madvise(at, bytes, MADV_DONTFORK)) {
		munmap(at, bytes);
		return NULL;
	}
	return at;
}

static int open_maps(struct capture *c)
{
	int err = find_fd(c, "pc_control_ring", &c->fds.control_ring);

	err = err ?: find_fd(c, "pc_ring_bytes", &c->fds.ring_bytes);
	err = err ?: find_fd(c, "pc_ring_ends", &c->fds.ring_ends);
	err = err ?: find_fd(c, "pc_directives", &c->fds.directives);
	err = err ?: find_fd(c, "pc_control", &c->fds.control);
	err = err ?: find_fd(c, "pc_counters", &c->fds.counters);
	if (err)
		return err;
	c->control = map_array(c, "pc_control", sizeof(*c->control));
	c->procs = map_array(c, "pc_procs", PROC_WORDS * 8);
	c->ports = map_array(c, "pc_ports", PORT_WORDS * 8);
	c->counters = map_array(c, "pc_counters", PC_CPUS * sizeof(*c->counters));
	if (!c->control || !c->procs || !c->ports || !c->counters)
		return -errno;
	return 0;
}

static void set_defaults(struct capture *c)
{
	c->control->budget[PC_RX] = PC_BUDGET;
	c->control->budget[PC_TX] = PC_BUDGET;
	c->control->provisional_bytes = PROVISIONAL_BYTES;
	c->control->warden_tgid = (uint32_t)getpid();
	c->control->brain_generation = 1;
	c->control->scope_generation = 1;
}

static int load(struct capture *c, const struct capture_options *o, const struct btf *kernel)
{
	struct family_knobs k = { .rings = c->fds.data_rings,
				  .ring_bytes = c->fds.data_ring_bytes,
				  .wake_bytes = c->fds.data_ring_bytes / 8 };
	int err;

	if (getrandom(&k.ring_key, sizeof(k.ring_key), 0) != sizeof(k.ring_key))
		return -EIO;
	c->fds.ring_key = k.ring_key;
	c->skel = c->family->open(&k, &c->obj);
	if (!c->skel)
		return -errno;
	choose_programs(c, kernel);
	err = size_maps(c, o);
	err = err ?: c->family->load(c->skel);
	return err ?: open_maps(c);
}

static int new_on(const struct btf *kernel, const struct capture_options *o, struct capture **ret,
		  const char **ret_why)
{
	struct capture_features f;
	enum capture_source source = o->source;
	struct capture *c;
	int err;

	features_of(kernel, &f);
	if (source == CAPTURE_AUTO)
		source = f.sock_length ? CAPTURE_SOCK : CAPTURE_SYSCALL;
	*ret_why = why_not(&f, source);
	if (*ret_why)
		return f.privileged ? -ENOTSUP : -EPERM;
	c = calloc(1, sizeof(*c));
	if (!c) {
		*ret_why = "no memory";
		return -ENOMEM;
	}
	c->source = source;
	c->family = family_of(source);
	c->fds.data_rings = o->data_rings ?: 1;
	if (c->fds.data_rings > RINGS_MAX)
		c->fds.data_rings = RINGS_MAX;
	c->fds.data_ring_bytes =
		power_of_two((o->data_ring_bytes ?: DEFAULT_DATA_RING) / c->fds.data_rings);
	c->fds.control_ring_bytes = power_of_two(o->control_ring_bytes ?: DEFAULT_CONTROL_RING);
	err = load(c, o, kernel);
	if (err) {
		*ret_why = why_load_failed(err);
		capture_free(c);
		return err;
	}
	set_defaults(c);
	later_init(&c->later, c->obj, o->acknowledge);
	*ret = c;
	return 0;
}

int capture_new(const struct capture_options *o, struct capture **ret, const char **ret_why)
{
	struct btf *kernel;
	int err;

	libbpf_set_print(on_libbpf);
	libbpf_said[0] = '\0';
	/* once for all that we want to know: reading and sorting it takes tens of milliseconds */
	kernel = btf__load_vmlinux_btf();
	err = new_on(kernel, o, ret, ret_why);
	btf__free(kernel);
	return err;
}

enum capture_source capture_source(const struct capture *c)
{
	return c->source;
}

void capture_fds(const struct capture *c, struct capture_fds *ret)
{
	*ret = c->fds;
}

/*
 * The kernel decides while the scope changes, and what is in both, the old and the new, must never be
 * out: first everything new is added, then the kinds change, then what was only in the old goes. For
 * some microseconds either counts. Sockets that were judged then judge again, because the generation
 * is raised last.
 */
int capture_set_scope(struct capture *c, const struct capture_scope *scope)
{
	uint32_t before = c->control->scope_kinds;
	uint64_t *ports;

	if (scope->cgroup_count > PC_CGROUPS)
		return -E2BIG;
	ports = calloc(PORT_WORDS, sizeof(*ports));
	if (!ports)
		return -ENOMEM;
	for (uint32_t i = 0; i < scope->port_count; i++)
		ports[scope->ports[i] / 64] |= 1ull << (scope->ports[i] % 64);
	for (uint32_t i = 0; i < PORT_WORDS; i++)
		__atomic_or_fetch(&c->ports[i], ports[i], __ATOMIC_SEQ_CST);
	scope_cgroups_add(c->control, scope);
	if (scope->kinds & PC_SCOPE_BY_LISTENER && before & PC_SCOPE_BY_PROCESS)
		scope_procs_age(c->procs, PROC_WORDS);
	__atomic_store_n(&c->control->scope_kinds, scope->kinds, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; i < PORT_WORDS; i++)
		__atomic_store_n(&c->ports[i], ports[i], __ATOMIC_SEQ_CST);
	scope_cgroups_keep(c->control, scope);
	__atomic_add_fetch(&c->control->scope_generation, 1, __ATOMIC_SEQ_CST);
	free(ports);
	/* Who was named is not who listens: the next scan marks those, and the others go. */
	c->sweep = scope->kinds & PC_SCOPE_BY_LISTENER && before & PC_SCOPE_BY_PROCESS;
	return 0;
}

int capture_set_process(struct capture *c, uint32_t tgid, enum pc_scope_state state)
{
	uint64_t *word = &c->procs[tgid / 32];
	unsigned shift = tgid % 32 * 2;

	if (tgid >= PC_PIDS)
		return -EINVAL;
	/* The kernel changes its neighbours' bits (fork, exit) at the same time. */
	__atomic_or_fetch(word, (uint64_t)state << shift, __ATOMIC_SEQ_CST);
	__atomic_and_fetch(word, ~((~(uint64_t)state & 3) << shift), __ATOMIC_SEQ_CST);
	return 0;
}

static bool attaches_at_start(const struct bpf_program *p)
{
	return bpf_program__autoload(p) && !later_is_ours(p) &&
	       strncmp(bpf_program__section_name(p), "iter/", 5) != 0;
}

int capture_attach(struct capture *c, const char **ret_why)
{
	static char text[256];
	struct bpf_program *p;

	bpf_object__for_each_program(p, c->obj)
	{
		if (!attaches_at_start(p))
			continue;
		if (c->link_count == PROGRAMS_MAX) {
			*ret_why = "more programs than links";
			return -E2BIG;
		}
		c->links[c->link_count] = bpf_program__attach(p);
		if (!c->links[c->link_count]) {
			int err = -errno;

			snprintf(text, sizeof(text), "cannot attach to %s: %s",
				 bpf_program__section_name(p), strerror(-err));
			*ret_why = text;
			return err;
		}
		c->link_count++;
	}
	capture_tick(c, clock_mono_ns());
	return 0;
}

void capture_last(struct capture *c)
{
	later_doors(&c->later, c->family, c->skel);
}

void capture_tick(struct capture *c, uint64_t now_ns)
{
	later_tick(&c->later, c->family, c->skel, c->counters, c->control, now_ns);
}

long capture_scan(struct capture *c)
{
	struct bpf_program *p = bpf_object__find_program_by_name(c->obj, "pc_scan");
	uint64_t before = c->family->scanned(c->skel);

	if (!p)
		return -ENOENT;
	for (uint32_t pass = 1; pass <= 2; pass++) {
		int err;

		c->family->scan_pass(c->skel, pass);
		err = later_run_iter(p, -1);
		if (err)
			return err;
		if (pass == 1 && c->sweep)
			scope_procs_sweep(c->procs, PROC_WORDS);
		c->sweep = false;
	}
	return (long)(c->family->scanned(c->skel) - before);
}

void capture_detach(struct capture *c)
{
	while (c->link_count)
		bpf_link__destroy(c->links[--c->link_count]);
	later_done(&c->later);
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	capture_detach(c);
	if (c->control)
		munmap(c->control, sizeof(*c->control));
	if (c->counters)
		munmap((void *)c->counters, PC_CPUS * sizeof(*c->counters));
	if (c->procs)
		munmap(c->procs, PROC_WORDS * 8);
	if (c->ports)
		munmap(c->ports, PORT_WORDS * 8);
	if (c->skel)
		c->family->destroy(c->skel);
	free(c);
}
