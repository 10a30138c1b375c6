/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journeys.c: the part `journeys` of the configuration file → funnels and objectives (journey/definition.h). It is
 * the one part that is no list of settings, so it has a walk of its own; every problem is told with its line.
 *
 *   journeys:
 *     purchase:                        a funnel
 *       site: shop.example
 *       steps:
 *         - view_item                  an event
 *         - name: checkout
 *           event: begin_checkout
 *           pages: [/checkout*]
 *       objectives:
 *         - { step: checkout, device: mobile, country: FR, under: 2s, share: 95% }
 */
#include "agent/config/setting.h"

#include <ctype.h>
#include <stdio.h>
#include <yaml.h>

#include "journey/event.h"
#include "session/who.h"

/* Where the walk is. Arrays are in the arena of the configuration, at their full size. */
struct reading_of {
	struct config *config;
	struct problems *problems;
	const char *file;
	yaml_document_t *doc;
	struct funnel *funnels;
	struct objective *objectives;
};

static struct origin origin_of(const struct reading_of *r, const yaml_node_t *n)
{
	return (struct origin){ LEVEL_FILE, r->file, (unsigned)n->start_mark.line + 1 };
}

#define wrong(r, node, ...)                                                                        \
	do {                                                                                       \
		struct origin where_ = origin_of(r, node);                                         \
		problem_error((r)->problems, &where_, __VA_ARGS__);                                \
	} while (0)

static const char *scalar(const yaml_node_t *n)
{
	if (!n || n->type != YAML_SCALAR_NODE ||
	    memchr(n->data.scalar.value, 0, n->data.scalar.length))
		return NULL;
	return (const char *)n->data.scalar.value;
}

static const yaml_node_t *node_of(const struct reading_of *r, int index)
{
	return yaml_document_get_node(r->doc, index);
}

static void *room(struct reading_of *r, const yaml_node_t *n, size_t len)
{
	void *at = arena_alloc(&r->config->arena, len);

	if (at)
		memset(at, 0, len);
	else
		wrong(r, n, "journeys: the configuration is too large");
	return at;
}

static const char *keep(struct reading_of *r, const yaml_node_t *n, const char *text)
{
	const char *copy = config_string(r->config, text, strlen(text));

	if (!copy)
		wrong(r, n, "journeys: the configuration is too large");
	return copy;
}

/* A text of a key, without what a terminal would obey; NULL after it was told. */
static const char *text_of(struct reading_of *r, const yaml_node_t *n, const char *key)
{
	const char *text = scalar(n);

	if (!text || !*text || check_line(text)) {
		wrong(r, n, "%s: expected a text", key);
		return NULL;
	}
	return keep(r, n, text);
}

static const char *name_of(struct reading_of *r, const yaml_node_t *n, const char *what)
{
	const char *text = scalar(n);

	if (!text || !*text || strlen(text) >= DEFINITION_NAME || check_line(text)) {
		wrong(r, n, "%s: expected a name of at most %d octets", what, DEFINITION_NAME - 1);
		return NULL;
	}
	return keep(r, n, text);
}

/* ---- pairs of a mapping, by a table ---- */

struct member {
	const char *key;
	void (*take)(struct reading_of *r, const yaml_node_t *n, void *to);
};

static void take_members(struct reading_of *r, const yaml_node_t *map, const struct member *members,
			 const char *what, void *to)
{
	uint32_t seen = 0;

	for (yaml_node_pair_t *i = map->data.mapping.pairs.start; i < map->data.mapping.pairs.top;
	     i++) {
		const yaml_node_t *key = node_of(r, i->key);
		const char *name = scalar(key);
		unsigned m = 0;

		while (members[m].key && (!name || strcmp(members[m].key, name) != 0))
			m++;
		if (!members[m].key)
			wrong(r, key, "%s: unknown key %.80s", what, name ? name : "");
		else if (seen & 1u << m)
			wrong(r, key, "%s: %s is given twice", what, name);
		else
			members[m].take(r, node_of(r, i->value), to);
		seen |= m < 32 ? 1u << m : 0;
	}
}

/* ---- steps ---- */

/* What the words of carts' steps stand for. */
static const char *event_of_word(const char *word)
{
	static const char *const steps[][2] = {
		{ "cart", "add_to_cart" },
		{ "checkout", "begin_checkout" },
		{ "contact", "parcours.add_contact_info" },
		{ "address", "parcours.add_address_info" },
		{ "shipping", "add_shipping_info" },
		{ "payment", "add_payment_info" },
		{ "order", "purchase" },
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!strcmp(steps[i][0], word))
			return steps[i][1];
	for (unsigned k = 0; k < EVENTS; k++) {
		const char *name = event_kind_name((enum event_kind)k);

		if (name && !strcmp(name, word))
			return name;
	}
	return NULL;
}

static void take_step_name(struct reading_of *r, const yaml_node_t *n, void *to)
{
	((struct funnel_step *)to)->name = name_of(r, n, "step");
}

static void take_step_event(struct reading_of *r, const yaml_node_t *n, void *to)
{
	((struct funnel_step *)to)->event = text_of(r, n, "event");
}

/* As SQL's GLOB and fnmatch() both understand it. */
static bool is_page(const char *text)
{
	return text[0] == '/' && !strchr(text, '\\') && !strchr(text, '[') && !check_line(text);
}

static void take_step_pages(struct reading_of *r, const yaml_node_t *n, void *to)
{
	struct funnel_step *s = to;
	const char **pages = room(r, n, (STEP_PAGES + 1) * sizeof(*pages));
	unsigned count = 0;

	if (!pages)
		return;
	if (n->type != YAML_SEQUENCE_NODE) {
		wrong(r, n, "pages: expected a list of paths such as [/checkout/*]");
		return;
	}
	for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top;
	     i++) {
		const yaml_node_t *item = node_of(r, *i);
		const char *text = scalar(item);

		if (!text || !is_page(text)) {
			wrong(r, item,
			      "pages: expected a path that begins with /, * and ? as wildcards");
			continue;
		}
		if (count == STEP_PAGES) {
			wrong(r, item, "pages: more than %d", STEP_PAGES);
			return;
		}
		pages[count++] = keep(r, item, text);
	}
	s->pages = pages;
}

static const struct member step_members[] = {
	{ "name", take_step_name },
	{ "event", take_step_event },
	{ "pages", take_step_pages },
	{ NULL, NULL },
};

static void take_step(struct reading_of *r, const yaml_node_t *n, struct funnel_step *s)
{
	const char *word = scalar(n);

	if (word) {
		s->name = name_of(r, n, "step");
	} else if (n->type == YAML_MAPPING_NODE) {
		take_members(r, n, step_members, "step", s);
		if (!s->name)
			wrong(r, n, "step: name is missing");
	} else {
		wrong(r, n, "step: expected the name of an event, or name, event and pages");
	}
	if (s->name && !s->event && !s->pages) {
		s->event = event_of_word(s->name);
		if (!s->event)
			wrong(r, n,
			      "step \"%s\": is no event that is known; say which event or which "
			      "pages reach it",
			      s->name);
	}
}

static void take_steps(struct reading_of *r, const yaml_node_t *n, void *to)
{
	struct funnel *f = to;
	struct funnel_step *steps = room(r, n, FUNNEL_STEPS * sizeof(*steps));

	if (!steps)
		return;
	if (n->type != YAML_SEQUENCE_NODE) {
		wrong(r, n, "steps: expected a list");
		return;
	}
	f->steps = steps;
	for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top;
	     i++) {
		const yaml_node_t *item = node_of(r, *i);
		struct funnel_step *s = &steps[f->step_count];

		if (f->step_count == FUNNEL_STEPS) {
			wrong(r, item, "steps: more than %d", FUNNEL_STEPS);
			return;
		}
		take_step(r, item, s);
		for (uint32_t k = 0; k < f->step_count; k++)
			if (s->name && steps[k].name && !strcmp(steps[k].name, s->name))
				wrong(r, item, "step \"%s\": is there already", s->name);
		f->step_count++;
	}
}

/* ---- objectives ---- */

struct wish { /* of an objective, before its step is looked up */
	struct objective *o;
	const char *step;
};

static void take_objective_name(struct reading_of *r, const yaml_node_t *n, void *to)
{
	((struct wish *)to)->o->name = name_of(r, n, "objective");
}

static void take_objective_step(struct reading_of *r, const yaml_node_t *n, void *to)
{
	((struct wish *)to)->step = name_of(r, n, "step");
}

static void take_checked(struct reading_of *r, const yaml_node_t *n, const char *key,
			 const char *(*check)(const char *text), const char **ret)
{
	const char *text = text_of(r, n, key), *why = text ? check(text) : NULL;

	if (why)
		wrong(r, n, "%s: \"%.80s\" %s", key, text, why);
	else
		*ret = text;
}

static const char *check_device(const char *text)
{
	for (unsigned d = 0; d < DEVICES; d++) {
		const char *name = device_name((enum device)d);

		if (name && !strcmp(name, text))
			return NULL;
	}
	return "is no device (desktop, mobile, tablet, tv, console, wearable, bot, program, other)";
}

static const char *check_country(const char *text)
{
	return isupper((unsigned char)text[0]) && isupper((unsigned char)text[1]) && !text[2]
		       ? NULL
		       : "is no code of a country: two capital letters (ISO 3166-1)";
}

static const char *check_visitor(const char *text)
{
	return !strcmp(text, "new") || !strcmp(text, "returning") ? NULL
								  : "is none of: new, returning";
}

static const char *check_channel(const char *text)
{
	for (unsigned c = 0; c < CHANNELS; c++) {
		const char *name = channel_name((enum channel)c);

		if (name && !strcmp(name, text))
			return NULL;
	}
	return "is no channel (share/schema.md, parcours.channel)";
}

#define TAKE_CHECKED(field, key, check)                                                            \
	static void take_##field(struct reading_of *r, const yaml_node_t *n, void *to)             \
	{                                                                                          \
		take_checked(r, n, key, check, &((struct wish *)to)->o->field);                    \
	}
TAKE_CHECKED(device, "device", check_device)
TAKE_CHECKED(country, "country", check_country)
TAKE_CHECKED(touchpoint, "touchpoint", check_touchpoint)
TAKE_CHECKED(customer, "class", check_class)
TAKE_CHECKED(visitor, "visitor", check_visitor)
TAKE_CHECKED(channel, "channel", check_channel)

static void take_under(struct reading_of *r, const yaml_node_t *n, void *to)
{
	const char *text = scalar(n);
	uint64_t ns = 0;

	if (!text || value_duration(text, &ns) || !ns)
		wrong(r, n, "under: expected a duration (such as 500ms, 2s)");
	((struct wish *)to)->o->under_ns = ns;
}

static void take_share(struct reading_of *r, const yaml_node_t *n, void *to)
{
	const char *text = scalar(n);
	double share = 0;

	if (!text || value_ratio(text, &share) || share <= 0)
		wrong(r, n, "share: expected a share above 0 and up to 1 (such as 95%%, 0.95)");
	((struct wish *)to)->o->share_ppm = (uint32_t)(share * 1e6 + 0.5);
}

static const struct member objective_members[] = {
	{ "name", take_objective_name },
	{ "step", take_objective_step },
	{ "device", take_device },
	{ "country", take_country },
	{ "touchpoint", take_touchpoint },
	{ "class", take_customer },
	{ "visitor", take_visitor },
	{ "channel", take_channel },
	{ "under", take_under },
	{ "share", take_share },
	{ NULL, NULL },
};

/* purchase/checkout/mobile/FR: what it asks for, where it has no name of its own. */
static const char *name_objective(struct reading_of *r, const yaml_node_t *n,
				  const struct objective *o)
{
	const char *const parts[] = { o->device,   o->country, o->touchpoint,
				      o->customer, o->visitor, o->channel };
	char text[8 * DEFINITION_NAME];
	int at = snprintf(text, sizeof(text), "%s/%s", o->funnel->name, o->step->name);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i] && at > 0 && (size_t)at < sizeof(text))
			at += snprintf(text + at, sizeof(text) - (size_t)at, "/%s", parts[i]);
	if (at < 0 || at >= DEFINITION_NAME) {
		wrong(r, n,
		      "objective: give it a name: what it asks for makes a longer one than %d",
		      DEFINITION_NAME - 1);
		return NULL;
	}
	return keep(r, n, text);
}

static void take_objective(struct reading_of *r, const yaml_node_t *n, const struct funnel *f)
{
	struct definitions *d = &r->config->definitions;
	struct objective *o = &r->objectives[d->objective_count];
	struct wish w = { .o = o };

	if (n->type != YAML_MAPPING_NODE) {
		wrong(r, n, "objective: expected step, under and share");
		return;
	}
	if (d->objective_count == OBJECTIVES_MAX) {
		wrong(r, n, "objectives: more than %d", OBJECTIVES_MAX);
		return;
	}
	o->funnel = f;
	take_members(r, n, objective_members, "objective", &w);
	for (uint32_t i = 0; w.step && i < f->step_count; i++)
		if (f->steps[i].name && !strcmp(f->steps[i].name, w.step))
			o->step = &f->steps[i];
	if (!w.step || !o->under_ns || !o->share_ppm)
		wrong(r, n, "objective: step, under and share are needed");
	else if (!o->step)
		wrong(r, n, "objective: \"%s\" is no step of %s", w.step, f->name);
	else if (!o->step->pages)
		wrong(r, n, "objective: step \"%s\" has no pages whose time could be looked at",
		      w.step);
	else if (!o->name)
		o->name = name_objective(r, n, o);
	for (uint32_t i = 0; o->name && i < d->objective_count; i++)
		if (r->objectives[i].name && !strcmp(r->objectives[i].name, o->name))
			wrong(r, n, "objective \"%s\": is there already", o->name);
	d->objective_count++;
}

/* ---- funnels ---- */

static void take_site(struct reading_of *r, const yaml_node_t *n, void *to)
{
	((struct funnel *)to)->site = text_of(r, n, "site");
}

/* After the steps, wherever it stands. */
static void leave(struct reading_of *r, const yaml_node_t *n, void *to)
{
}

static const struct member funnel_members[] = {
	{ "site", take_site },
	{ "steps", take_steps },
	{ "objectives", leave },
	{ NULL, NULL },
};

static void take_objectives(struct reading_of *r, const yaml_node_t *map, const struct funnel *f)
{
	for (yaml_node_pair_t *i = map->data.mapping.pairs.start; i < map->data.mapping.pairs.top;
	     i++) {
		const char *key = scalar(node_of(r, i->key));
		const yaml_node_t *list = node_of(r, i->value);

		if (!key || strcmp(key, "objectives") != 0)
			continue;
		if (list->type != YAML_SEQUENCE_NODE) {
			wrong(r, list, "objectives: expected a list");
			continue;
		}
		for (yaml_node_item_t *k = list->data.sequence.items.start;
		     k < list->data.sequence.items.top; k++)
			take_objective(r, node_of(r, *k), f);
	}
}

static void take_funnel(struct reading_of *r, const yaml_node_t *key, const yaml_node_t *value)
{
	struct definitions *d = &r->config->definitions;
	struct funnel *f = &r->funnels[d->funnel_count];

	if (d->funnel_count == FUNNELS_MAX) {
		wrong(r, key, "journeys: more than %d", FUNNELS_MAX);
		return;
	}
	f->name = name_of(r, key, "journeys");
	if (!f->name)
		return;
	for (uint32_t i = 0; i < d->funnel_count; i++)
		if (!strcmp(r->funnels[i].name, f->name))
			wrong(r, key, "journeys.%s: given twice", f->name);
	if (value->type != YAML_MAPPING_NODE) {
		wrong(r, value, "journeys.%s: expected steps", f->name);
		return;
	}
	d->funnel_count++;
	take_members(r, value, funnel_members, f->name, f);
	if (!f->step_count)
		wrong(r, key, "journeys.%s: steps are missing", f->name);
	take_objectives(r, value, f);
}

void journeys_apply(struct config *c, struct problems *p, const char *file,
		    struct yaml_document_s *doc, const struct yaml_node_s *node)
{
	struct reading_of r = { .config = c, .problems = p, .file = file, .doc = doc };

	if (node->type != YAML_MAPPING_NODE) {
		wrong(&r, node, "journeys: expected names with their steps");
		return;
	}
	r.funnels = room(&r, node, FUNNELS_MAX * sizeof(*r.funnels));
	/* one more than may be, so that the place that is looked at is always there */
	r.objectives = room(&r, node, (OBJECTIVES_MAX + 1) * sizeof(*r.objectives));
	if (!r.funnels || !r.objectives)
		return;
	c->definitions.funnels = r.funnels;
	c->definitions.objectives = r.objectives;
	for (yaml_node_pair_t *i = node->data.mapping.pairs.start; i < node->data.mapping.pairs.top;
	     i++)
		take_funnel(&r, node_of(&r, i->key), node_of(&r, i->value));
}
