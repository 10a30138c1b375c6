/* SPDX-License-Identifier: Apache-2.0 */
/*
 * configured.c: see configured.h. What could never work is refused with what to write instead, when the
 * configuration is read and not when a visitor comes.
 */
#include "session/evidence/configured.h"

#include <errno.h>

#include "session/evidence.h"

#define PLACES "must be cookie:NAME, header:NAME, query:NAME or json:PATH"

static int wrong(struct body_error *error, size_t place, const char *why)
{
	*error = (struct body_error){ .place = (uint32_t)place };
	memcpy(error->text, why, strlen(why));
	return -EINVAL;
}

/* One value: names and indices, and no more. A '*' or ".." in a quoted name is part of it. */
static int check_single(struct slice path, struct body_error *error)
{
	char quote = 0;

	for (size_t i = 0; i < path.len; i++) {
		char c = path.at[i];

		if (quote && c == '\\')
			i++;
		else if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '\'' || c == '"')
			quote = c;
		else if (c == '*' || (c == '.' && i + 1 < path.len && path.at[i + 1] == '.'))
			return wrong(error, i,
				     "must lead to one value: names and indices, such as "
				     "$.session.id or $['items'][0]");
	}
	return 0;
}

static int check_path(struct slice path, struct body_error *error)
{
	const struct body_want want = { .source = BODY_JSON, .path = path };
	struct body_wants *wants;
	int err = check_single(path, error);

	if (err)
		return err;
	err = wants_new(&want, 1, error, &wants);
	if (!err)
		wants_free(wants);
	return err;
}

int configured_parse(const char *text, struct configured *ret, struct body_error *error)
{
	static const struct slice places[] = { SLICE("cookie:"), SLICE("header:"), SLICE("query:"),
					       SLICE("json:") };
	struct slice s = slice_str(text);
	int err = 0;

	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct slice name = slice_sub(s, places[i].len, s.len);

		if (!slice_starts(s, places[i]) || !name.len)
			continue;
		if (i == PLACE_JSON)
			err = check_path(name, error);
		if (err)
			error->place += (uint32_t)places[i].len;
		else
			*ret = (struct configured){ .place = (enum place)i, .name = name };
		return err;
	}
	return wrong(error, 0, PLACES);
}

int evidence_check(const char *configured, struct body_error *ret_error)
{
	struct configured c;

	return configured_parse(configured, &c, ret_error);
}
