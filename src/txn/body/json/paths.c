/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths.c: see paths.h. Steps by name and by number are found from the key (few states each); wildcards
 * and descendants are taken for the whole set, 64 states at a time. The last state of a path has no step,
 * so a set shifted by one never runs from one path into the next.
 */
#include "txn/body/json/paths.h"

#include <string.h>

/* ---- making it ---- */

int names_add(struct names *n, struct slice name, uint32_t *ret_number)
{
	uint32_t found = n->count ? names_find(n, name) : NAMES_NONE;
	uint32_t mask = n->mask;
	struct slice *list;
	uint32_t *slot;
	char *copy;

	if (found != NAMES_NONE) {
		*ret_number = found;
		return 0;
	}
	list = realloc(n->list, (n->count + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	n->list = list;
	while ((n->count + 1) * 2 > mask)
		mask = mask ? mask * 2 + 1 : 7;
	slot = calloc((size_t)mask + 1, sizeof(*slot));
	copy = malloc(name.len);
	if (!slot || !copy) {
		free(slot);
		free(copy);
		return -ENOMEM;
	}
	memcpy(copy, name.at, name.len);
	list[n->count] = slice_of(copy, name.len);
	*ret_number = n->count++;
	for (uint32_t i = 0; i < n->count; i++) {
		uint64_t at = slice_mix(list[i], 0);

		while (slot[at & mask])
			at++;
		slot[at & mask] = i + 1;
	}
	free(n->slot);
	n->slot = slot;
	n->mask = mask;
	n->lengths |= 1ull << (name.len & 63);
	n->first[(uint8_t)name.at[0] >> 6] |= 1ull << ((uint8_t)name.at[0] & 63);
	return 0;
}

void names_done(struct names *n)
{
	for (uint32_t i = 0; i < n->count; i++)
		free((void *)(uintptr_t)n->list[i].at);
	free(n->list);
	free(n->slot);
	*n = (struct names){ 0 };
}

static void set_bit(uint64_t *set, uint32_t state)
{
	set[state >> 6] |= 1ull << (state & 63);
}

/* Until it is sealed, the group of a path stands in the number of its last state. */
int paths_add(struct paths *p, enum path_group group, const struct json_path *path, unsigned slots,
	      uint32_t target, uint8_t flags)
{
	struct path_state *state = realloc(p->state, (p->count + path->count + 1) * sizeof(*state));

	if (!state)
		return -ENOMEM;
	p->state = state;
	state += p->count;
	for (unsigned i = 0; i < path->count; i++) {
		const struct path_step *step = &path->step[i];
		int err = 0;

		state[i] = (struct path_state){ .kind = step->kind,
						.descendant = step->descendant,
						.number = step->number,
						.name = NAMES_NONE,
						.container_slot = PATH_NO_SLOT,
						.child_slot = PATH_NO_SLOT };
		if (step->descendant)
			state[i].container_slot = (uint8_t)slots++;
		if (step->kind >= PATH_WILD)
			state[i].child_slot = (uint8_t)slots++;
		if (step->kind != PATH_NAME)
			continue;
		err = names_add(&p->names, slice_of(step->name, step->name_len), &state[i].name);
		if (err)
			return err;
		if (step->name_len > p->name_max)
			p->name_max = step->name_len;
	}
	state[path->count] = (struct path_state){
		.last = true, .target = target, .flags = flags, .number = group
	};
	p->count += path->count + 1;
	return 0;
}

static int by_key(const void *a, const void *b)
{
	uint32_t x = ((const struct path_fit *)a)->key, y = ((const struct path_fit *)b)->key;

	return (x > y) - (x < y);
}

static struct path_fit *number_of(const struct paths *p, uint32_t number)
{
	struct path_fit key = { .key = number };

	return p->numbers ? bsearch(&key, p->by_number, p->numbers, sizeof(key), by_key) : NULL;
}

/* Lists of states: first how many each has, then where each begins, then the states. */
static int seal_fits(struct paths *p)
{
	uint32_t at = 0;

	p->by_name = calloc(p->names.count + 1, sizeof(*p->by_name));
	p->by_number = calloc(p->count + 1, sizeof(*p->by_number));
	p->fit = calloc(p->count + 1, sizeof(*p->fit));
	if (!p->by_name || !p->by_number || !p->fit)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->count; i++) {
		const struct path_state *s = &p->state[i];

		if (s->last || s->kind >= PATH_WILD)
			continue;
		if (s->kind == PATH_NAME) {
			p->by_name[s->name].count++;
		} else if (number_of(p, s->number)) {
			number_of(p, s->number)->count++;
		} else {
			p->by_number[p->numbers++] = (struct path_fit){ s->number, 0, 1 };
			qsort(p->by_number, p->numbers, sizeof(*p->by_number), by_key);
		}
	}
	for (uint32_t i = 0; i < p->names.count + p->numbers; i++) {
		struct path_fit *f =
			i < p->names.count ? &p->by_name[i] : &p->by_number[i - p->names.count];

		f->from = at;
		at += f->count;
		f->count = 0;
	}
	for (uint32_t i = 0; i < p->count; i++) {
		const struct path_state *s = &p->state[i];
		struct path_fit *f;

		if (s->last || s->kind >= PATH_WILD)
			continue;
		f = s->kind == PATH_NAME ? &p->by_name[s->name] : number_of(p, s->number);
		p->fit[f->from + f->count++] = i;
	}
	return 0;
}

int paths_seal(struct paths *p)
{
	uint32_t begin = 0;
	uint64_t *sets;

	p->words = (p->count + 63) / 64;
	sets = calloc((size_t)p->words * (4 + PATH_GROUPS) + 1, sizeof(*sets));
	if (!sets)
		return -ENOMEM;
	p->wild[0] = sets;
	p->wild[1] = sets + p->words;
	p->self = sets + 2 * (size_t)p->words;
	p->last = sets + 3 * (size_t)p->words;
	for (unsigned g = 0; g < PATH_GROUPS; g++)
		p->start[g] = sets + (4 + (size_t)g) * p->words;
	for (uint32_t i = 0; i < p->count; i++) {
		const struct path_state *s = &p->state[i];

		if (s->last) {
			set_bit(p->last, i);
			set_bit(p->start[s->number], begin);
			begin = i + 1;
			continue;
		}
		if (s->kind == PATH_WILD)
			set_bit(p->wild[0], i);
		if (s->kind >= PATH_WILD)
			set_bit(p->wild[1], i);
		if (s->descendant)
			set_bit(p->self, i);
		p->has_sets |= s->descendant || s->kind >= PATH_WILD;
	}
	return seal_fits(p);
}

void paths_done(struct paths *p)
{
	names_done(&p->names);
	free(p->state);
	free(p->by_name);
	free(p->by_number);
	free(p->fit);
	free(p->wild[0]);
	*p = (struct paths){ 0 };
}

/* ---- walking ---- */

bool paths_step(const struct paths *p, const uint64_t *from, struct path_key key, uint64_t *ret_to)
{
	const struct path_fit *f = NULL;
	uint64_t any = 0, carry = 0;

	if (p->has_sets) {
		const uint64_t *wild = p->wild[key.array];

		for (uint32_t w = 0; w < p->words; w++) {
			uint64_t moved = from[w] & wild[w];

			ret_to[w] = moved << 1 | carry | (from[w] & p->self[w]);
			carry = moved >> 63;
			any |= ret_to[w];
		}
	} else {
		memset(ret_to, 0, p->words * sizeof(*ret_to));
	}
	if (!key.array && key.name != NAMES_NONE)
		f = &p->by_name[key.name];
	else if (key.array && p->numbers)
		f = number_of(p, key.child);
	for (uint32_t i = 0; f && i < f->count; i++) {
		uint32_t state = p->fit[f->from + i];

		if (!paths_in(from, state))
			continue;
		set_bit(ret_to, state + 1);
		any = 1;
	}
	return any;
}

bool paths_has_last(const struct paths *p, const uint64_t *set)
{
	uint64_t any = 0;

	for (uint32_t w = 0; w < p->words; w++)
		any |= set[w] & p->last[w];
	return any;
}

static bool fits(const struct path_state *s, struct path_key key)
{
	switch (s->kind) {
	case PATH_NAME:
		return !key.array && s->name == key.name;
	case PATH_NUMBER:
		return key.array && s->number == key.child;
	case PATH_ELEMENT:
		return key.array;
	default:
		return true;
	}
}

/* From the value up to the root. Whatever state is in a set came there from a state of the set above, by
 * its step or by staying; so each choice leads to the root. */
void paths_trace(const struct paths *p, uint32_t state, const uint64_t *sets,
		 const struct path_level *level, uint32_t depth, uint32_t index[BODY_INDICES])
{
	while (depth) {
		const uint64_t *above = sets + (size_t)(depth - 1) * p->words;
		const struct path_level *at = &level[depth--];
		const struct path_state *before;

		if (!state || p->state[state - 1].last)
			continue; /* at the path's beginning: it stayed here */
		before = &p->state[state - 1];
		if (!paths_in(above, state - 1) || !fits(before, at->key))
			continue;
		state--;
		if (before->child_slot != PATH_NO_SLOT)
			index[before->child_slot] = at->key.child;
		if (before->container_slot != PATH_NO_SLOT)
			index[before->container_slot] = at->container;
	}
}
