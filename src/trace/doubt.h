/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doubt.h: until when something may have happened that nobody heard of. A record that found no room hides
 * requests of any process; a hole in a connection hides one of its own. What is concluded from there being
 * no other request (inside.h, thread.h) is not to be believed of what began before that time.
 *
 * So does a connection that was in use before we came, and a transaction that had to be handed out before its end.
 *
 * A loss without a record is told before what was written after it is read (reader.h), but not its time: it
 * lasts until the second tick from then on, whose time is surely later.
 *
 * Bounded: for a process that has to go, its doubt becomes that of all.
 */
#ifndef PC_TRACE_DOUBT_H
#define PC_TRACE_DOUBT_H

#include <stdint.h>

struct doubt;

int doubt_new(uint32_t processes, struct doubt **ret);
void doubt_all(struct doubt *d);
/* tgid 0: nobody knows whose. until_ns: what began later was heard of as soon as all else. */
void doubt_process(struct doubt *d, uint32_t tgid, uint64_t until_ns);
/* 0: never. UINT64_MAX: it lasts. */
uint64_t doubt_until(const struct doubt *d, uint32_t tgid);
void doubt_tick(struct doubt *d, uint64_t now_ns);
void doubt_free(struct doubt *d);

#endif
