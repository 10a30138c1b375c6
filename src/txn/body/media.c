/* SPDX-License-Identifier: Apache-2.0 */
/*
 * media.c: what a body is by its fields (RFC 9110 section 8.3), and which wants it may answer. Types are what
 * the wild sends, not only what is registered.
 */
#include "txn/body/inside.h"

enum media media_of(const struct body_kind *kind)
{
	static const struct {
		struct slice name;
		enum media media;
	} types[] = {
		{ SLICE("application/json"), MEDIA_JSON },
		{ SLICE("text/json"), MEDIA_JSON },
		{ SLICE("application/x-ndjson"), MEDIA_JSON },
		{ SLICE("application/ndjson"), MEDIA_JSON },
		{ SLICE("application/jsonl"), MEDIA_JSON },
		{ SLICE("application/graphql"), MEDIA_DOCUMENT },
		{ SLICE("application/x-www-form-urlencoded"), MEDIA_FORM },
		{ SLICE("multipart/form-data"), MEDIA_MULTIPART },
		{ SLICE("text/html"), MEDIA_HTML },
		{ SLICE("application/xhtml+xml"), MEDIA_HTML },
		/* what scripts and careless servers send JSON as */
		{ SLICE(""), MEDIA_TEXT },
		{ SLICE("text/plain"), MEDIA_TEXT },
		{ SLICE("text/javascript"), MEDIA_TEXT },
		{ SLICE("application/javascript"), MEDIA_TEXT },
		{ SLICE("application/x-javascript"), MEDIA_TEXT },
	};
	struct slice rest = kind->content_type, type = slice_trim(slice_next(&rest, ';'));

	if (kind->query)
		return MEDIA_FORM;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (slice_ieq(type, types[i].name))
			return types[i].media;
	return type.len > 5 && slice_ieq(slice_sub(type, type.len - 5, type.len), SLICE("+json"))
		       ? MEDIA_JSON
		       : MEDIA_NONE;
}

/* The sources that a body of this kind may have, as bits. */
static uint32_t sources_of(enum media media, bool response)
{
	const uint32_t operation = response ? 0 : BODY_OPERATION;
	const uint32_t request = response ? 0 : operation | 1u << BODY_GRAPHQL_VARIABLE;
	const uint32_t json = 1u << BODY_JSON | request |
			      (response ? 1u << BODY_GRAPHQL_DATA | 1u << BODY_GRAPHQL_ERROR : 0);

	switch (media) {
	case MEDIA_JSON:
	case MEDIA_TEXT:
		return json;
	case MEDIA_DOCUMENT:
		return operation;
	case MEDIA_FORM:
	case MEDIA_MULTIPART:
		return 1u << BODY_FORM | request;
	case MEDIA_HTML:
		return json | 1u << BODY_LD_JSON | 1u << BODY_META | 1u << BODY_HTML;
	default:
		return 0;
	}
}

bool body_is_wanted(const struct body_wants *wants, const struct body_kind *kind)
{
	return sources_of(media_of(kind), kind->response) & wants->has;
}

/* The next parameter's value, *rest behind it. A backslash in quotes makes the next octet plain. */
static struct slice parameter_value(struct slice *rest, struct text *room)
{
	size_t i = 1;

	if (!rest->len || rest->at[0] != '"')
		return slice_trim(slice_next(rest, ';'));
	room->len = 0;
	room->cut = false;
	for (; i < rest->len && rest->at[i] != '"'; i++) {
		if (rest->at[i] == '\\' && i + 1 < rest->len)
			i++;
		text_add(room, slice_sub(*rest, i, i + 1));
	}
	*rest = slice_sub(*rest, i, rest->len);
	slice_next(rest, ';');
	return text_slice(room);
}

struct slice media_parameter(struct slice field, struct slice name, struct text *room)
{
	struct slice rest = field;

	slice_next(&rest, ';');
	while (rest.at && rest.len) {
		size_t n = 0;
		struct slice key, value;

		while (n < rest.len && rest.at[n] != '=' && rest.at[n] != ';')
			n++;
		key = slice_trim(slice_sub(rest, 0, n));
		if (n == rest.len || rest.at[n] == ';') {
			rest = slice_sub(rest, n + 1, rest.len);
			continue;
		}
		rest = slice_sub(rest, n + 1, rest.len);
		while (rest.len && slice_is_space(rest.at[0]))
			rest = slice_sub(rest, 1, rest.len);
		value = parameter_value(&rest, room);
		if (slice_ieq(key, name))
			return value;
	}
	return slice_of(NULL, 0);
}
