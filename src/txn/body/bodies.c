/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bodies.c: the states of all bodies, made when first needed and used again, and the counts. A state has all
 * buffers of all readers: 120 KiB (60 more once it has read HTML), of which no page is touched before its reader
 * needs it; and the number of them is bounded.
 */
#include "txn/body/inside.h"

const struct body_limits body_limits_default = {
	.open = 256,
	.depth = 64,
	.text_bytes = 4096,
	.values = 4096,
	.steps = 4096,
	.ratio = 200,
	.output_bytes = 4 << 20,
	.coder_bytes = 64 << 20,
};

int bodies_new(const struct body_limits *limits, struct bodies **ret)
{
	struct bodies *all;

	if (!limits->open || !limits->text_bytes || !limits->ratio || !limits->steps)
		return -EINVAL;
	all = calloc(1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	all->limits = *limits;
	coder_pool_init(&all->pool, limits->coder_bytes);
	list_init(&all->free);
	list_init(&all->open);
	*ret = all;
	return 0;
}

static void state_free(struct body *b)
{
	json_read_done(&b->json);
	tree_free(&b->html);
	free(b->form.before);
	free(b->name.at);
	free(b->text.at);
	buf_done(&b->clean);
	free(b);
}

static struct body *state_new(struct bodies *all)
{
	const struct body_limits *l = &all->limits;
	struct body *b = calloc(1, sizeof(*b));
	size_t clean =
		(l->text_bytes > WANT_PATH_MAX ? l->text_bytes : WANT_PATH_MAX) * (size_t)3 + 1;

	if (!b)
		return NULL;
	list_init(&b->of);
	b->all = all;
	b->name = (struct text){ .at = malloc(WANT_PATH_MAX + 1), .max = WANT_PATH_MAX + 1 };
	b->text = (struct text){ .at = malloc(l->text_bytes), .max = l->text_bytes };
	b->form.before = calloc(l->steps, sizeof(*b->form.before));
	buf_init(&b->clean, clean);
	if (!b->name.at || !b->text.at || !b->form.before || buf_reserve(&b->clean, clean) ||
	    json_read_init(&b->json, l->depth, l->steps, l->text_bytes)) {
		state_free(b);
		return NULL;
	}
	return b;
}

struct body *body_state_take(struct bodies *all)
{
	struct body *b =
		list_empty(&all->free) ? NULL : list_entry(all->free.next, struct body, of);

	if (!b && all->made < all->limits.open) {
		b = state_new(all);
		all->made += b != NULL;
	}
	if (!b) {
		all->stats.refused++;
		return NULL;
	}
	list_remove(&b->of);
	list_append(&all->open, &b->of);
	all->stats.open++;
	all->stats.opened++;
	return b;
}

void body_state_give(struct body *b)
{
	struct bodies *all = b->all;

	inflate_close(&b->inflate);
	for (unsigned f = 0; f < BODY_FLAGS; f++)
		all->stats.flagged[f] += b->result.flags >> f & 1;
	all->stats.values += b->result.values;
	all->stats.encoded_bytes += b->result.encoded_bytes;
	all->stats.decoded_bytes += b->result.decoded_bytes;
	if (b->json.deepest > all->stats.deepest)
		all->stats.deepest = b->json.deepest;
	all->stats.open--;
	list_remove(&b->of);
	list_append(&all->free, &b->of);
}

void bodies_stats(const struct bodies *all, struct body_stats *ret)
{
	*ret = all->stats;
	ret->coder_bytes = all->pool.held_bytes;
}

void bodies_free(struct bodies *all)
{
	if (!all)
		return;
	while (!list_empty(&all->open))
		body_drop(list_entry(all->open.next, struct body, of));
	while (!list_empty(&all->free)) {
		struct body *b = list_entry(all->free.next, struct body, of);

		list_remove(&b->of);
		state_free(b);
	}
	html_match_free(all->matcher);
	coder_pool_done(&all->pool);
	free(all);
}
