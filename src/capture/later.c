/* SPDX-License-Identifier: Apache-2.0 */
/*
 * later.c: see later.h. Warden only, once a second.
 *
 *   stamp   the first byte of a send: while there are sends that sleep
 *   ack     the acknowledgement of the last byte: while there are writes to distant or slow peers
 *           (acknowledge auto), always (on), or never (off)
 *   look    which Unix connections are still there: while there are any
 *   doors   what listeners in scope turned away: while there ever was one
 */
#include "capture/later.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define STAMP	    "pc_on_queue"
#define ACK	    "pc_on_ack"
#define LOOK	    "pc_look_around"
#define DOORS	    "pc_look_at_doors"
#define KEEP_NS	    (600 * NS_PER_S) /* attached, after the counter moved for the last time */
#define LINGER_NS   (60 * NS_PER_S) /* and after nothing asks any longer: for what was just asked */
#define LOOK_NS	    (5 * NS_PER_S)
#define EMPTY_LOOKS 2
#define LOOK_PART                                                                                  \
	200 /* of the time may be spent on looking: on a host with very many descriptors
			 there is more time between two looks */

bool later_is_ours(const struct bpf_program *p)
{
	const char *name = bpf_program__name(p);

	return strcmp(name, STAMP) == 0 || strcmp(name, ACK) == 0;
}

static struct bpf_program *find(struct bpf_object *obj, const char *name)
{
	struct bpf_program *p = bpf_object__find_program_by_name(obj, name);

	return p && bpf_program__autoload(p) ? p : NULL;
}

void later_init(struct later_hooks *l, struct bpf_object *obj, enum capture_acknowledge acknowledge)
{
	*l = (struct later_hooks){ .acknowledge = acknowledge };
	l->stamp.program = find(obj, STAMP);
	l->ack.program = acknowledge == CAPTURE_ACKNOWLEDGE_OFF ? NULL : find(obj, ACK);
	l->look = find(obj, LOOK);
	l->doors = find(obj, DOORS);
	l->doors_fd = bpf_object__find_map_fd_by_name(obj, "pc_doors");
}

/* count: of what the program is wanted for. An attach that fails is tried again at the next tick. It
 * leaves in two steps: a write that asked after the count was read is news at the next tick. */
static void while_wanted(struct later *l, uint64_t count, uint64_t now_ns)
{
	if (!l->program)
		return;
	if (count != l->count) {
		l->count = count;
		l->news_ns = now_ns;
		l->leaves_ns = 0;
		if (!l->link)
			l->link = bpf_program__attach(l->program);
	} else if (l->link && now_ns - l->news_ns > KEEP_NS) {
		if (!l->leaves_ns) {
			l->leaves_ns = now_ns + LINGER_NS;
		} else if (now_ns >= l->leaves_ns) {
			bpf_link__destroy(l->link);
			l->link = NULL;
			l->leaves_ns = 0;
		}
	}
}

static uint32_t acknowledge_now(const struct later_hooks *l)
{
	if (!l->ack.program)
		return PC_ACKNOWLEDGE_NONE;
	if (!l->ack.link || l->ack.leaves_ns)
		return PC_ACKNOWLEDGE_COUNT;
	return l->acknowledge == CAPTURE_ACKNOWLEDGE_ON ? PC_ACKNOWLEDGE_ALL : PC_ACKNOWLEDGE_FAR;
}

int later_run_iter(const struct bpf_program *p, int map)
{
	union bpf_iter_link_info info = { .map.map_fd = (uint32_t)map };
	const struct bpf_iter_attach_opts options = { .sz = sizeof(options),
						      .link_info = &info,
						      .link_info_len = sizeof(info) };
	struct bpf_link *link = bpf_program__attach_iter(p, map < 0 ? NULL : &options);
	char nothing[64]; /* the program prints nothing: reading is what runs it */
	int fd, err = 0;
	ssize_t n;

	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0) {
		err = -errno;
		goto out;
	}
	do {
		n = read(fd, nothing, sizeof(nothing));
	} while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	if (n < 0)
		err = -errno;
	close(fd);
out:
	bpf_link__destroy(link);
	return err;
}

/* After the last socket is gone two looks find nothing, and then there is nothing to look for. */
static void look_around(struct later_hooks *l, const struct family *family, void *skel,
			uint64_t now_ns)
{
	struct family_look at;
	uint64_t took_ns;
	int err;

	family->look_get(skel, &at);
	if (!l->look || now_ns < l->look_next_ns ||
	    (at.opened == l->unix_opened && !l->unix_found && !l->empty_left))
		return;
	l->empty_left =
		at.opened != l->unix_opened || l->unix_found ? EMPTY_LOOKS : l->empty_left - 1;
	l->unix_opened = at.opened;
	family->look_begin(skel, ++l->looks, now_ns);
	err = later_run_iter(l->look, -1);
	if (err)
		log_debug("cannot look for Unix sockets: %s", strerror(-err));
	family->look_get(skel, &at);
	l->unix_found = at.found;
	took_ns = clock_mono_ns() - now_ns;
	l->look_next_ns = now_ns + (took_ns > LOOK_NS / LOOK_PART ? took_ns * LOOK_PART : LOOK_NS);
}

void later_doors(struct later_hooks *l, const struct family *family, const void *skel)
{
	struct family_look at;
	int err;

	family->look_get(skel, &at);
	if (!l->doors || l->doors_fd < 0 || !at.doors)
		return;
	err = later_run_iter(l->doors, l->doors_fd);
	if (err)
		log_debug("cannot look at listeners: %s", strerror(-err));
}

void later_tick(struct later_hooks *l, const struct family *family, void *skel,
		const struct pc_counters *counters, struct pc_control *control, uint64_t now_ns)
{
	uint64_t blocked = 0, awaited = 0;

	for (int i = 0; i < PC_CPUS; i++) {
		blocked += __atomic_load_n(&counters[i].blocked, __ATOMIC_RELAXED);
		awaited += __atomic_load_n(&counters[i].awaited, __ATOMIC_RELAXED);
	}
	while_wanted(&l->stamp, blocked, now_ns);
	/* "on": wanted as if there were news each second */
	while_wanted(&l->ack, l->acknowledge == CAPTURE_ACKNOWLEDGE_ON ? l->ack.count + 1 : awaited,
		     now_ns);
	/* after the hook is there: what is awaited must be seen */
	__atomic_store_n(&control->acknowledge, acknowledge_now(l), __ATOMIC_SEQ_CST);
	look_around(l, family, skel, now_ns);
	later_doors(l, family, skel);
}

void later_done(struct later_hooks *l)
{
	bpf_link__destroy(l->stamp.link);
	bpf_link__destroy(l->ack.link);
	l->stamp.link = l->ack.link = NULL;
}
