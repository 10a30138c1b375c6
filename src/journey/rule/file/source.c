/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.c: where a value comes from: "query.q", "json $.order.code", "html p.total @data-sum" → struct
 * source. Paths and selectors are tried here, each by itself, so that an error has its place in the file.
 */
#include <errno.h>
#include <stdio.h>

#include "base/text/suggest.h"
#include "journey/rule/file/file.h"
#include "txn/body/json/json_path.h"
#include "txn/fields.h"

static const char *const kinds[] = { "path",	 "query",	 "header", "response.header",
				     "location", "constant",	 "json",   "form",
				     "graphql",	 "ld+json",	 "meta",   "html",
				     "each",	 "request json", "cookie", NULL };

#define SOURCES                                                                                    \
	"path.PLACE, query.NAME, header.NAME, response.header.NAME, location.…, json PATH, "     \
	"form NAME, graphql …, ld+json PATH, meta NAME, html SELECTOR, constant TEXT"

/* A source that is being read: `text` without what was read; offsets are of the whole text. */
struct source_reader {
	struct parse *p;
	const struct node *n;
	struct slice whole, text;
};

static size_t at(const struct source_reader *r)
{
	return r->text.at ? (size_t)(r->text.at - r->whole.at) : r->whole.len;
}

static bool word(struct source_reader *r, const char *w)
{
	size_t len = strlen(w);

	if (!slice_starts(r->text, slice_of(w, len)) ||
	    (r->text.len > len && r->text.at[len] != ' '))
		return false;
	r->text = slice_trim(slice_sub(r->text, len, r->text.len));
	return true;
}

/* "query." with something behind it. */
static bool prefix(struct source_reader *r, const char *w)
{
	struct slice s = slice_str(w);

	if (!slice_starts(r->text, s) || r->text.len == s.len)
		return false;
	r->text = slice_sub(r->text, s.len, r->text.len);
	return true;
}

/* ---- heads ---- */

static bool place_of(struct source_reader *r, const struct place_names *names, const char *key,
		     struct source *ret)
{
	char all[200] = "";
	size_t n = 0;

	for (ret->place = 0; ret->place < names->count; ret->place++)
		if (slice_eq(names->at[ret->place], r->text))
			return true;
	for (uint32_t i = 0; i < names->count && n < sizeof(all); i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s{%.*s}", i ? ", " : "",
				      (int)names->at[i].len, names->at[i].at);
	file_error_in(r->p->f, r->n, at(r), "no {%.*s} in the rule's %s%s%s",
		      (int)slice_sub(r->text, 0, 40).len, r->text.at, key,
		      names->count ? ", which has " : ", which has no {names}", all);
	return false;
}

static bool add_field(struct source_reader *r, struct slice name)
{
	struct rules *rules = r->p->rules;
	struct text_list *one;
	uint32_t count = 0;

	for (const struct text_list *i = rules->fields; i; i = i->next, count++)
		if (slice_eq(i->text, name))
			return true;
	if (count == RULES_FIELDS_MAX) {
		file_error_in(r->p->f, r->n, at(r), "more than %d header fields in all rules",
			      RULES_FIELDS_MAX);
		return false;
	}
	one = file_alloc(r->p->f, sizeof(*one));
	if (!one)
		return false;
	*one = (struct text_list){ rules->fields, name };
	rules->fields = one;
	return true;
}

static bool field_of(struct source_reader *r, struct source *ret)
{
	struct slice name = file_copy(r->p->f, r->text);
	char *c = (char *)(uintptr_t)name.at;

	if (!name.at)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (c[i] >= 'A' && c[i] <= 'Z')
			c[i] = (char)(c[i] | 0x20);
	if (!field_is_name(name)) {
		file_error_in(r->p->f, r->n, at(r),
			      "a field's name has letters, digits, '-' and '_' (2 to 64)");
		return false;
	}
	if (field_is_secret(name)) {
		file_error_in(r->p->f, r->n, at(r),
			      "%.*s holds what identifies or authorises people: it is never "
			      "copied, so no rule can look at it",
			      (int)name.len, name.at);
		return false;
	}
	ret->name = name;
	return add_field(r, name);
}

static bool name_of(struct source_reader *r, struct source *ret)
{
	ret->name = r->text;
	return true;
}

static bool location_of(struct source_reader *r, struct source *ret)
{
	if (slice_eq(r->text, SLICE("location.host"))) {
		ret->from = FROM_LOCATION_HOST;
		return true;
	}
	if (prefix(r, "location.path.")) {
		ret->from = FROM_LOCATION_PLACE;
		return place_of(r, &r->p->rule->location_places, "location", ret);
	}
	if (prefix(r, "location.query.")) {
		ret->from = FROM_LOCATION_QUERY;
		return name_of(r, ret);
	}
	ret->from = FROM_LOCATION;
	if (slice_eq(r->text, SLICE("location")))
		return true;
	file_error_in(r->p->f, r->n, at(r),
		      "expected location, location.host, location.path.PLACE or "
		      "location.query.NAME");
	return false;
}

/* ---- contents ---- */

/* Parts of a selector: blanks outside of brackets part them. */
static uint32_t selector_parts(struct slice s)
{
	uint32_t parts = 0;
	char quote = 0;
	bool inside = false, bracket = false;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (quote)
			quote = c == quote ? 0 : quote;
		else if (bracket && (c == '"' || c == '\''))
			quote = c;
		else if (c == '[' || c == ']')
			bracket = c == '[';
		if (!bracket && !quote && slice_is_space(c)) {
			inside = false;
		} else if (!inside) {
			inside = true;
			parts++;
		}
		if (c == '\\')
			i++;
	}
	return parts;
}

/* Indices that values of a want have. */
static uint32_t slots_of(const struct body_want *w)
{
	static const uint8_t own[BODY_SOURCES] = {
		[BODY_FORM] = 1,	 [BODY_GRAPHQL_NAME] = 1,  [BODY_GRAPHQL_TYPE] = 1,
		[BODY_GRAPHQL_DATA] = 1, [BODY_GRAPHQL_ERROR] = 2, [BODY_GRAPHQL_VARIABLE] = 1,
		[BODY_LD_JSON] = 1,	 [BODY_META] = 1,
	};
	static struct json_path path;
	struct body_error error;

	if (w->source == BODY_HTML)
		return selector_parts(w->path);
	if (w->source == BODY_FORM || w->source == BODY_META || w->source == BODY_GRAPHQL_NAME ||
	    w->source == BODY_GRAPHQL_TYPE || !w->path.len ||
	    json_path_parse(w->path, &path, &error))
		return own[w->source];
	return own[w->source] + path.slots;
}

/* "… @name" at the end of a selector. */
static void cut_attribute(struct slice *selector, struct slice *ret)
{
	size_t i = selector->len;

	while (i &&
	       (selector->at[i - 1] == '-' || selector->at[i - 1] == '_' ||
		(selector->at[i - 1] | 0x20) >= 'a' ||
		(selector->at[i - 1] >= '0' && selector->at[i - 1] <= '9')) &&
	       selector->at[i - 1] != ']' && selector->at[i - 1] != '}')
		i--;
	if (!i || i == selector->len || selector->at[i - 1] != '@' ||
	    (i > 1 && selector->at[i - 2] != ' '))
		return;
	*ret = slice_sub(*selector, i, selector->len);
	for (i--; i && selector->at[i - 1] == ' ';)
		i--;
	*selector = slice_sub(*selector, 0, i);
}

/* `offset`: of the path in the text. */
static bool want(struct source_reader *r, bool request, struct body_want w, size_t offset,
		 struct source *ret)
{
	struct rule *rule = r->p->rule;
	struct body_wants *tried;
	struct body_error error;
	struct wish *wish;
	int err = wants_new(&w, 1, &error, &tried);

	if (err == -ENOMEM) {
		r->p->f->no_memory = true;
		return false;
	}
	if (err) {
		file_error_in(r->p->f, r->n, offset + error.place, "%s", error.text);
		return false;
	}
	wants_free(tried);
	wish = file_alloc(r->p->f, sizeof(*wish));
	if (!wish)
		return false;
	*wish = (struct wish){ .next = rule->wishes, .request = request, .want = w };
	rule->wishes = wish;
	rule->wants[request] = true;
	ret->from = FROM_BODY;
	ret->wish = wish;
	ret->slots = slots_of(&w);
	ret->batch = w.source >= BODY_GRAPHQL_NAME && w.source <= BODY_GRAPHQL_ERROR;
	rule->batch |= ret->batch;
	return true;
}

static bool graphql_of(struct source_reader *r, struct source *ret)
{
	static const struct {
		const char *word;
		enum body_source source;
		bool request, path;
	} parts[] = {
		{ "operation", BODY_GRAPHQL_NAME, true, false },
		{ "type", BODY_GRAPHQL_TYPE, true, false },
		{ "variable", BODY_GRAPHQL_VARIABLE, true, true },
		{ "data", BODY_GRAPHQL_DATA, false, true },
		{ "error", BODY_GRAPHQL_ERROR, false, true },
	};

	/* by the fields' names, which only the request tells from those in the answer */
	if (slice_starts(r->text, SLICE("data")) &&
	    !want(r, true, (struct body_want){ .source = BODY_GRAPHQL_ALIAS }, at(r), ret))
		return false;
	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (word(r, parts[i].word))
			return want(
				r, parts[i].request,
				(struct body_want){ .source = parts[i].source, .path = r->text },
				at(r), ret);
	file_error_in(r->p->f, r->n, at(r),
		      "expected graphql operation, graphql type, graphql variable PATH, graphql "
		      "data PATH or graphql error PATH");
	return false;
}

static bool html_of(struct source_reader *r, struct source *ret)
{
	struct body_want w = { .source = BODY_HTML, .path = r->text };
	size_t offset = at(r);

	cut_attribute(&w.path, &w.attribute);
	return want(r, false, w, offset, ret);
}

/* What follows `each` goes on with its path. */
static bool each_of(struct source_reader *r, struct source *ret)
{
	const struct each *e = r->p->each;
	struct body_want w = { .source = e ? e->source : BODY_JSON };
	struct slice rest = slice_sub(r->text, 4, r->text.len), attribute = { 0 };
	size_t offset = at(r) + 4;
	char joined[NODE_TEXT * 2 + 1];
	int n;

	if (!e) {
		file_error_in(r->p->f, r->n, at(r),
			      "`each` stands for a line of a list: it has a meaning only below "
			      "`items:` with an `each:`");
		return false;
	}
	if (w.source == BODY_HTML)
		cut_attribute(&rest, &attribute);
	if ((w.source == BODY_FORM || w.source == BODY_META) && rest.len) {
		file_error_in(r->p->f, r->n, offset,
			      "a form's field and a <meta> have nothing below them: write each");
		return false;
	}
	if (rest.len && (w.source == BODY_HTML) != (rest.at[0] == ' ')) {
		file_error_in(r->p->f, r->n, offset,
			      w.source == BODY_HTML
				      ? "a selector goes on behind a blank: each .price"
				      : "a path goes on at once: each.price, each['unit price']");
		return false;
	}
	n = snprintf(joined, sizeof(joined), "%.*s%.*s", (int)e->path.len, e->path.at,
		     (int)rest.len, rest.at);
	w.path = file_copy(r->p->f, slice_of(joined, (size_t)n));
	w.attribute = attribute;
	if (!w.path.at ||
	    !want(r, e->request, w, offset - (offset < e->path.len ? offset : e->path.len), ret))
		return false;
	ret->per_item = true;
	return true;
}

static bool content_of(struct source_reader *r, struct source *ret, bool *ret_known)
{
	bool request = word(r, "request");

	*ret_known = true;
	if (word(r, "json"))
		return want(r, request, (struct body_want){ .source = BODY_JSON, .path = r->text },
			    at(r), ret);
	*ret_known = !request;
	if (request)
		return false;
	if (word(r, "form")) {
		bool known =
			want(r, true, (struct body_want){ .source = BODY_FORM, .path = r->text },
			     at(r), ret);
		/* the n-th of one name belongs to the n-th of another */
		ret->per_item = known && r->p->each && r->p->each->source == BODY_FORM;
		return known;
	}
	if (word(r, "ld+json"))
		return want(r, false, (struct body_want){ .source = BODY_LD_JSON, .path = r->text },
			    at(r), ret);
	if (word(r, "meta"))
		return want(r, false, (struct body_want){ .source = BODY_META, .path = r->text },
			    at(r), ret);
	if (word(r, "graphql"))
		return graphql_of(r, ret);
	if (word(r, "html"))
		return html_of(r, ret);
	*ret_known = false;
	return false;
}

/* ---- all ---- */

static bool unknown(struct source_reader *r)
{
	char first[SUGGEST_WORD + 1] = "";
	size_t n = 0;
	const char *meant;

	while (n < r->whole.len && n < SUGGEST_WORD && r->whole.at[n] != ' ' &&
	       r->whole.at[n] != '.')
		n++;
	memcpy(first, r->whole.at, n);
	meant = suggest_of(first, kinds);
	if (meant)
		file_error(r->p->f, r->n, "no source: %.*s: did you mean %s?",
			   (int)slice_sub(r->whole, 0, 60).len, r->whole.at, meant);
	else
		file_error(r->p->f, r->n, "no source: %.*s; expected " SOURCES,
			   (int)slice_sub(r->whole, 0, 30).len, r->whole.at);
	return false;
}

static bool head_of(struct source_reader *r, struct source *ret, bool *ret_known)
{
	*ret_known = true;
	if (slice_eq(r->text, SLICE("path"))) {
		ret->from = FROM_PATH;
		return true;
	}
	if (prefix(r, "path.")) {
		ret->from = FROM_PLACE;
		return place_of(r, &r->p->rule->places, "path", ret);
	}
	if (prefix(r, "query.")) {
		ret->from = FROM_QUERY;
		return name_of(r, ret);
	}
	if (prefix(r, "header.")) {
		ret->from = FROM_FIELD;
		return field_of(r, ret);
	}
	if (prefix(r, "response.header.")) {
		ret->from = FROM_ANSWER_FIELD;
		return field_of(r, ret);
	}
	if (slice_starts(r->text, SLICE("location")))
		return location_of(r, ret);
	if (prefix(r, "cookie.")) {
		file_error_in(
			r->p->f, r->n, at(r),
			"cookies are never copied, so no rule can look at them; a cart is known "
			"by its visit, and ids of carts in cookies by the setting "
			"session.carts");
		return false;
	}
	if (word(r, "constant")) {
		ret->from = FROM_CONSTANT;
		if (!r->text.len)
			file_error_in(r->p->f, r->n, at(r), "expected a text: constant EUR");
		return name_of(r, ret) && r->text.len;
	}
	*ret_known = false;
	return false;
}

bool source_read(struct parse *p, const struct node *n, struct slice text, struct source *ret)
{
	struct source_reader r = { p, n, text, text };
	struct source s = { 0 };
	bool known, read;

	if (slice_starts(text, SLICE("each")) && (text.len == 4 || memchr(".[ ", text.at[4], 3))) {
		read = each_of(&r, &s);
		known = true;
	} else {
		read = head_of(&r, &s, &known);
		if (!known)
			read = content_of(&r, &s, &known);
	}
	if (!known)
		return unknown(&r);
	if (read && p->each && s.from == FROM_BODY && !s.per_item && s.slots) {
		file_error(p->f, n,
			   "a value of a list must be below its each: write each, or each and how "
			   "the path goes on from there");
		return false;
	}
	if (read)
		*ret = s;
	return read;
}

/* ---- each ---- */

/* The path without its last wildcard: the array or object that has them all. */
static bool container_of(struct slice path, struct slice *ret)
{
	if (slice_ends(path, SLICE("[*]"))) {
		*ret = slice_sub(path, 0, path.len - 3);
		return !slice_ends(*ret, SLICE(".."));
	}
	if (slice_ends(path, SLICE(".*"))) {
		*ret = slice_sub(path, 0, path.len - 2);
		return !slice_ends(*ret, SLICE("."));
	}
	return false;
}

bool source_each(struct parse *p, const struct node *n, struct items_take *take, struct each *ret)
{
	struct source_reader r = { p, n, n->text, n->text };
	struct slice path;
	const struct body_want *w;

	if (!source_read(p, n, n->text, &take->each))
		return false;
	if (take->each.from != FROM_BODY || !take->each.slots) {
		file_error(
			p->f, n,
			"each must be something of which there are several: json $.lines[*], html "
			"table.cart tr, form product[*]");
		return false;
	}
	w = &take->each.wish->want;
	*ret = (struct each){ take->each.wish->request, w->source, w->path, take->each.slots };
	if (w->attribute.len)
		file_error(p->f, n, "each is an element, not one of its attributes");
	if (w->source == BODY_FORM || w->source == BODY_META || w->source == BODY_HTML ||
	    !container_of(w->path, &path) || path.len == 0)
		return true;
	path = file_copy(p->f, path);
	take->has_container =
		path.at &&
		want(&r, ret->request, (struct body_want){ .source = w->source, .path = path }, 0,
		     &take->container);
	return true;
}
