/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_later.c: the hook of acknowledgements comes with the first write that is worth one and leaves
 * when there was none for long: in between nothing may ask, so that nobody waits for a hook that is
 * gone. libbpf's two functions are ours here.
 */
#include "unit.h"

#include "capture/later.h"

#define S 1000000000ull

static struct bpf_link *const fake_link = (struct bpf_link *)&fake_link;
static int attached;

struct bpf_link *bpf_program__attach(const struct bpf_program *p)
{
	attached++;
	return fake_link;
}

int bpf_link__destroy(struct bpf_link *link)
{
	if (link)
		attached--;
	return 0;
}

static void no_look(const void *skel, struct family_look *ret)
{
	*ret = (struct family_look){ 0 };
}

static struct pc_counters counters[PC_CPUS];
static struct pc_control control;
static const struct family family = { .look_get = no_look };

static void tick(struct later_hooks *l, uint64_t at_s, int hooks, uint32_t acknowledge)
{
	later_tick(l, &family, NULL, counters, &control, at_s * S);
	assert_int_equal(attached, hooks);
	assert_int_equal(control.acknowledge, acknowledge);
}

static struct later_hooks hooks_of(enum capture_acknowledge acknowledge)
{
	attached = 0;
	memset(counters, 0, sizeof(counters));
	return (struct later_hooks){ .acknowledge = acknowledge,
				     .ack.program = (struct bpf_program *)&control };
}

static void nothing_asks_before_it_leaves(void **state)
{
	struct later_hooks l = hooks_of(CAPTURE_ACKNOWLEDGE_AUTO);

	tick(&l, 1, 0, PC_ACKNOWLEDGE_COUNT);
	counters[1].awaited++;
	tick(&l, 2, 1, PC_ACKNOWLEDGE_FAR);
	tick(&l, 602, 1, PC_ACKNOWLEDGE_FAR);
	tick(&l, 603, 1, PC_ACKNOWLEDGE_COUNT);
	tick(&l, 604, 1, PC_ACKNOWLEDGE_COUNT);
	tick(&l, 663, 0, PC_ACKNOWLEDGE_COUNT);
	counters[0].awaited++;
	tick(&l, 664, 1, PC_ACKNOWLEDGE_FAR);
	/* after a long sleep of the machine, too: the two steps are two ticks */
	tick(&l, 90000, 1, PC_ACKNOWLEDGE_COUNT);
	tick(&l, 99999, 0, PC_ACKNOWLEDGE_COUNT);
	later_done(&l);
}

/* The one that asked between the reading of the counter and the word that nothing may ask. */
static void a_late_one_keeps_it(void **state)
{
	struct later_hooks l = hooks_of(CAPTURE_ACKNOWLEDGE_AUTO);

	counters[0].awaited++;
	tick(&l, 1, 1, PC_ACKNOWLEDGE_FAR);
	tick(&l, 602, 1, PC_ACKNOWLEDGE_COUNT);
	counters[0].awaited++;
	tick(&l, 603, 1, PC_ACKNOWLEDGE_FAR);
	tick(&l, 1203, 1, PC_ACKNOWLEDGE_FAR);
	tick(&l, 1204, 1, PC_ACKNOWLEDGE_COUNT);
	tick(&l, 1264, 0, PC_ACKNOWLEDGE_COUNT);
	later_done(&l);
}

static void always_on_never_leaves(void **state)
{
	struct later_hooks l = hooks_of(CAPTURE_ACKNOWLEDGE_ON);

	for (uint64_t at = 1; at < 3000; at += 100)
		tick(&l, at, 1, PC_ACKNOWLEDGE_ALL);
	later_done(&l);
	assert_int_equal(attached, 0);
}

UNIT_MAIN(T(nothing_asks_before_it_leaves), T(a_late_one_keeps_it), T(always_on_never_leaves))
