/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wants.c: the configuration's list → tables and automata (inside.h). Runs once; nothing here is in a hurry,
 * and the first error ends it. GraphQL's wants become JSON paths: of a request by itself and, with one
 * element step more, of one in a batch. The index of a batch is always index[0], so the paths of a single
 * request leave it alone (0).
 */
#include "txn/body/wants.h"

#include <stdio.h>

#include "txn/body/inside.h"

static int fail(struct body_error *error, size_t place, const char *why)
{
	error->place = (uint32_t)place;
	snprintf(error->text, sizeof(error->text), "%s", why);
	return -EINVAL;
}

/* ---- JSON and GraphQL ---- */

struct own_step {
	enum path_step_kind kind;
	const char *name;
};

/* `steps` in front of a path. */
static int add_below(struct paths *p, enum path_group group, const struct own_step *steps,
		     unsigned count, const struct json_path *path, unsigned slots, uint32_t target,
		     uint8_t flags)
{
	struct json_path whole = { .count = count };

	for (unsigned i = 0; i < count; i++)
		whole.step[i] =
			(struct path_step){ .kind = steps[i].kind,
					    .name = steps[i].name,
					    .name_len = steps[i].name ? strlen(steps[i].name) : 0 };
	for (unsigned i = 0; path && i < path->count; i++)
		whole.step[whole.count++] = path->step[i];
	return paths_add(p, group, &whole, slots, target, flags);
}

/* By itself, and in a batch. `steps`: at most 2. */
static int add_graphql(struct paths *p, enum path_group group, const struct own_step *steps,
		       unsigned count, const struct json_path *path, uint32_t target, uint8_t flags)
{
	struct own_step batch[3] = { { PATH_ELEMENT, NULL } };
	int err = add_below(p, group, steps, count, path, 1, target, flags);

	for (unsigned i = 0; i < count; i++)
		batch[i + 1] = steps[i];
	return err ? err : add_below(p, group, batch, count + 1, path, 0, target, flags);
}

/* Whatever is needed to tell an operation. */
static int add_operation(struct paths *p)
{
	const struct own_step name = { PATH_NAME, "operationName" }, query = { PATH_NAME, "query" };
	int err = add_graphql(p, PATHS_REQUEST, NULL, 0, NULL, GRAPHQL_OPERATION, PATH_CLOSED);

	if (!err)
		err = add_graphql(p, PATHS_REQUEST, &name, 1, NULL, GRAPHQL_NAME, 0);
	if (!err)
		err = add_graphql(p, PATHS_REQUEST, &query, 1, NULL, GRAPHQL_QUERY, PATH_PIECES);
	return err;
}

static int add_path(struct body_wants *w, uint32_t number, const struct body_want *in,
		    struct body_error *error)
{
	static const struct own_step variables = { PATH_NAME, "variables" },
				     data = { PATH_NAME, "data" },
				     errors[] = { { PATH_NAME, "errors" }, { PATH_ELEMENT, NULL } };
	const bool of_error = in->source == BODY_GRAPHQL_ERROR;
	const unsigned own = in->source == BODY_JSON ? 0
			     : of_error		     ? 2
						     : 1; /* indices before the path's */
	struct json_path path;
	int err = json_path_parse(of_error && !in->path.len ? SLICE("$.message") : in->path, &path,
				  error);

	if (err)
		return err;
	if (path.slots + own > BODY_INDICES)
		return fail(error, 0,
			    of_error ? "more than two wildcards and descendants below an error"
				     : "more than three wildcards and descendants; a block or a "
				       "batch needs an index");
	if (path.count + 3 > PATH_STEPS)
		return fail(error, 0, "more than 29 steps");
	switch (in->source) {
	case BODY_JSON:
		return paths_add(&w->paths, PATHS_JSON, &path, 0, number, 0);
	case BODY_LD_JSON:
		return paths_add(&w->paths, PATHS_LD, &path, 1, number, 0);
	case BODY_GRAPHQL_DATA:
		return add_graphql(&w->paths, PATHS_RESPONSE, &data, 1, &path, number, 0);
	case BODY_GRAPHQL_ERROR:
		return add_graphql(&w->paths, PATHS_RESPONSE, errors, 2, &path, number, 0);
	default:
		err = paths_add(&w->paths, PATHS_VARIABLES, &path, 1, number, 0);
		return err ? err
			   : add_graphql(&w->paths, PATHS_REQUEST, &variables, 1, &path, number, 0);
	}
}

/* ---- forms ---- */

static int keep(struct slice s, struct slice *ret)
{
	char *at = malloc(s.len + 1);

	if (!at)
		return -ENOMEM;
	if (s.len)
		memcpy(at, s.at, s.len);
	*ret = slice_of(at, s.len);
	return 0;
}

static int add_form(struct body_wants *w, uint32_t number, const struct body_want *in,
		    struct body_error *error)
{
	struct want *want = &w->want[number];
	long star = slice_find(in->path, '*');
	uint32_t name, had = w->form.count, *first;
	int err;

	if (!in->path.len)
		return fail(error, 0, "the name of a field must stand here");
	if (in->path.len > WANT_PATH_MAX)
		return fail(error, WANT_PATH_MAX, "the name is too long");
	want->number = w->form_wants++;
	if (star >= 0) {
		struct slice back = slice_sub(in->path, (size_t)star + 1, in->path.len);

		if (slice_find(back, '*') >= 0)
			return fail(error, (size_t)star + 1 + (size_t)slice_find(back, '*'),
				    "only one '*' is supported");
		want->starred = true;
		want->same = w->starred;
		w->starred = number;
		err = keep(slice_sub(in->path, 0, (size_t)star), &want->front);
		return err ? err : keep(back, &want->back);
	}
	err = names_add(&w->form, in->path, &name);
	if (err)
		return err;
	first = realloc(w->form_first, w->form.count * sizeof(*first));
	if (!first)
		return -ENOMEM;
	w->form_first = first;
	want->same = name < had ? first[name] : NAMES_NONE;
	first[name] = number;
	return 0;
}

/* ---- all ---- */

static int add(struct body_wants *w, uint32_t number, const struct body_want *in,
	       struct body_error *error)
{
	w->want[number] = (struct want){ .source = in->source, .same = NAMES_NONE };
	w->has |= 1u << in->source;
	if (in->source == BODY_GRAPHQL_ALIAS)
		w->alias = number;
	switch (in->source) {
	case BODY_JSON:
	case BODY_GRAPHQL_VARIABLE:
	case BODY_GRAPHQL_DATA:
	case BODY_GRAPHQL_ERROR:
	case BODY_LD_JSON:
		return add_path(w, number, in, error);
	case BODY_FORM:
		return add_form(w, number, in, error);
	case BODY_GRAPHQL_NAME:
	case BODY_GRAPHQL_TYPE:
	case BODY_GRAPHQL_ALIAS:
		return in->path.len ? fail(error, 0, "the operation has no path") : 0;
	case BODY_META:
	case BODY_HTML:
		return html_wants_add(&w->html, number, in, error);
	default:
		return fail(error, 0, "no such source");
	}
}

int wants_new(const struct body_want *list, uint32_t count, struct body_error *ret_error,
	      struct body_wants **ret)
{
	struct body_wants *w;
	int err = -ENOMEM;

	*ret_error = (struct body_error){ 0 };
	if (count > WANTS_MAX)
		return -E2BIG;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->starred = w->html.any = NAMES_NONE;
	w->alias = UINT32_MAX;
	w->want = calloc((size_t)count + 1, sizeof(*w->want));
	if (!w->want)
		goto fail;
	for (; w->count < count; w->count++) {
		ret_error->want = w->count;
		err = add(w, w->count, &list[w->count], ret_error);
		if (err) {
			w->count++;
			goto fail;
		}
	}
	err = 0;
	if (w->has & BODY_OPERATION)
		err = add_operation(&w->paths);
	if (!err)
		err = paths_seal(&w->paths);
	if (!err)
		err = html_wants_seal(&w->html);
	if (err)
		goto fail;
	*ret = w;
	return 0;
fail:
	wants_free(w);
	return err;
}

void wants_free(struct body_wants *w)
{
	if (!w)
		return;
	for (uint32_t i = 0; i < w->count; i++) {
		free((void *)(uintptr_t)w->want[i].front.at);
		free((void *)(uintptr_t)w->want[i].back.at);
	}
	free(w->want);
	paths_done(&w->paths);
	names_done(&w->form);
	html_wants_done(&w->html);
	free(w->form_first);
	free(w);
}

/* Every user has it const but for this. */
void wants_hold(const struct body_wants *w)
{
	((struct body_wants *)(uintptr_t)w)->users++;
}

void wants_release(const struct body_wants *w)
{
	((struct body_wants *)(uintptr_t)w)->users--;
}

uint32_t wants_users(const struct body_wants *w)
{
	return w->users;
}

uint32_t wants_alias(const struct body_wants *w)
{
	return w->alias;
}

uint32_t wants_steps(const struct body_wants *w)
{
	uint32_t most = w->paths.count > w->form_wants ? w->paths.count : w->form_wants;

	return w->html.count > most ? w->html.count : most;
}
