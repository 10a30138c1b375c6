/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule.c: the top of a file (site, amounts, rules), and one rule: name, when, take, say. `say` is read before
 * `take`, which depends on it, wherever they stand.
 */
#include "base/text/suggest.h"
#include "journey/rule/file/file.h"

/* ---- groups ---- */

bool group_is(struct file *f, const struct node *n, const char *what)
{
	if (n->kind == NODE_GROUP && n->first)
		return true;
	file_error(f, n, "expected %s, found %s", what,
		   node_is_null(n) || n->kind == NODE_GROUP ? "nothing" : node_kind_name(n));
	return false;
}

/* Whether its key stands there for the first time; told where it does not. */
static bool is_new(struct file *f, const struct node *group, const struct node *m)
{
	for (const struct node *i = group->first; i != m; i = i->next)
		if (slice_eq(i->key->text, m->key->text)) {
			file_error(f, m->key, "%.*s: given twice, first in line %u",
				   (int)slice_sub(m->key->text, 0, 60).len, m->key->text.at,
				   i->key->line);
			return false;
		}
	return true;
}

static const struct node *next_new(struct file *f, const struct node *group, const struct node *m)
{
	unsigned count = 0;

	for (const struct node *i = group->first; i != m; i = i->next)
		count++;
	for (; m; m = m->next) {
		if (count++ == GROUP_KEYS) {
			file_error(f, m->key, "more than %d keys in one group", GROUP_KEYS);
			return NULL;
		}
		if (is_new(f, group, m))
			return m;
	}
	return NULL;
}

const struct node *group_first(struct file *f, const struct node *group)
{
	return next_new(f, group, group->first);
}

const struct node *group_next(struct file *f, const struct node *group, const struct node *m)
{
	return next_new(f, group, m->next);
}

/* ---- a rule ---- */

static const struct node *member(const struct node *n, const char *key)
{
	for (const struct node *m = n->first; m; m = m->next)
		if (slice_eq(m->key->text, slice_str(key)))
			return m;
	return NULL;
}

static void own_say(struct parse *p, const struct node *n)
{
	const struct node *own = member(n, "own");
	struct slice s;
	enum say say;

	if (!own || n->first->next) {
		file_error(p->f, n,
			   "expected the name of an event, or own: and a name of the site's own");
		return;
	}
	if (!node_text(p->f, own, "a name such as newsletter_signup"))
		return;
	s = own->text;
	for (size_t i = 0; i < s.len; i++)
		if (!(s.at[i] >= 'a' && s.at[i] <= 'z') &&
		    !(i && (s.at[i] == '_' || (s.at[i] >= '0' && s.at[i] <= '9')))) {
			file_error_in(p->f, own, i,
				      "a name has small letters, digits and '_', and begins with a "
				      "letter");
			return;
		}
	if (s.len > 40)
		file_error(p->f, own, "a name of more than 40 letters");
	if (say_of(s, &say))
		file_error(p->f, own, "%.*s is no name of the site's own: write say: %s",
			   (int)s.len, s.at, say_name(say));
	p->rule->say = SAY_OWN;
	p->rule->own = s;
}

static void say_read(struct parse *p, const struct node *n)
{
	const char *list[SAYS + 1];
	unsigned count = 0;

	if (n->kind == NODE_GROUP && n->first) {
		own_say(p, n);
		return;
	}
	if (!node_text(p->f, n, "the name of an event such as add_to_cart"))
		return;
	if (say_of(n->text, &p->rule->say))
		return;
	for (unsigned i = 0; i < SAYS; i++)
		if (say_name((enum say)i))
			list[count++] = say_name((enum say)i);
	list[count] = NULL;
	file_unknown(p->f, n, "event", n->text, list);
	file_error(p->f, n, "an event of the site's own is written say: { own: name }");
}

static void name_read(struct parse *p, const struct node *n)
{
	if (!node_text(p->f, n, "a name for people"))
		return;
	if (n->text.len > 100)
		file_error(p->f, n, "a name of more than 100 octets");
	p->rule->name = n->text.at; /* ends with a NUL */
}

/* Any rule before it, of all files, with its name. */
static void check_name(struct parse *p, const struct rule *first, const struct node *n)
{
	for (const struct rule *i = first; i && i != p->rule; i = i->next)
		if (i->name && strcmp(i->name, p->rule->name) == 0) {
			file_error(p->f, n, "a rule of this name stands in %s:%u", i->file,
				   i->line);
			return;
		}
}

static void rule_read(struct parse *p, const struct rule *first, const struct node *n)
{
	static const char *const list[] = { "name", "when", "take", "say", NULL };
	const struct node *part[4] = { 0 };

	if (!group_is(p->f, n, "a rule: name, when, take, say"))
		return;
	group_each(p->f, n, m)
	{
		unsigned i = 0;

		while (list[i] && !slice_eq(m->key->text, slice_str(list[i])))
			i++;
		if (list[i])
			part[i] = m;
		else
			file_unknown(p->f, m->key, "key", m->key->text, list);
	}
	if (part[0])
		name_read(p, part[0]);
	else
		file_error(p->f, n, "a rule has a name: `name: product page`");
	if (part[0] && p->rule->name)
		check_name(p, first, part[0]);
	if (part[3])
		say_read(p, part[3]);
	else
		file_error(p->f, n, "a rule says something: `say: view_item`");
	if (part[1])
		when_read(p, part[1]);
	else
		file_error(p->f, n, "a rule is about something: `when:` and what must hold");
	if (part[2] && part[3])
		take_read(p, part[2]);
}

static struct rule *rule_new(struct file *f, const struct node *n, const struct text_list *sites)
{
	struct rule *rule = file_alloc(f, sizeof(*rule));

	if (!rule)
		return NULL;
	rule->file = f->name;
	rule->line = n->line;
	rule->methods = USUAL;
	rule->sides = 1 << SIDE_SERVER;
	rule->sites = sites;
	return rule;
}

/* ---- a file ---- */

static void amounts_read(struct parse *p, const struct node *n)
{
	static const char *const list[] = { "scale", "currency", "decimal", NULL };

	if (!group_is(p->f, n, "scale, currency or decimal"))
		return;
	group_each(p->f, n, m)
	{
		if (!hint_key(p, m, &p->hint))
			file_unknown(p->f, m->key, "key", m->key->text, list);
	}
}

static void rules_read(struct parse *p, const struct node *n, const struct text_list *sites,
		       struct rule ***end)
{
	const struct rule *const *first = (const struct rule *const *)&p->rules->first_rule;

	if (n->kind != NODE_LIST) {
		file_error(p->f, n, "expected a list of rules (- name: …), found %s",
			   node_is_null(n) ? "nothing" : node_kind_name(n));
		return;
	}
	if (!n->first)
		file_error(p->f, n, "expected rules, found an empty list");
	for (const struct node *i = n->first; i && !p->f->no_memory; i = i->next) {
		if (p->rules->count == RULES_RULES_MAX) {
			file_error(p->f, i, "more than %d rules", RULES_RULES_MAX);
			return;
		}
		p->rule = rule_new(p->f, i, sites);
		if (!p->rule)
			return;
		p->rule->number = p->rules->count++;
		**end = p->rule;
		*end = &p->rule->next;
		rule_read(p, *first, i);
	}
}

void file_rules(struct rules *r, struct file *f, const struct node *root, struct rule ***end)
{
	static const char *const list[] = { "site", "amounts", "rules", NULL };
	struct parse p = { .f = f, .rules = r, .hint = { .scale = SCALE_NONE } };
	const struct text_list *sites = NULL;
	const struct node *rules = NULL;

	if (!group_is(f, root, "`rules:` and a list of rules"))
		return;
	group_each(f, root, m)
	{
		if (slice_eq(m->key->text, SLICE("site")))
			sites = sites_read(&p, m);
		else if (slice_eq(m->key->text, SLICE("amounts")))
			amounts_read(&p, m);
		else if (slice_eq(m->key->text, SLICE("rules")))
			rules = m;
		else
			file_unknown(f, m->key, "key", m->key->text, list);
	}
	if (rules)
		rules_read(&p, rules, sites, end);
	else
		file_error(f, root, "no `rules:` and a list of rules");
}
