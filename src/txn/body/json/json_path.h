/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_path.h: JSON paths as RFC 9535 writes them, as far as a stream can follow: `$`, names, indices from
 * the start, wildcards, descendants. What needs the whole document, or several paths, is refused; the error
 * says where, and what to write instead.
 */
#ifndef PC_TXN_BODY_JSON_PATH_H
#define PC_TXN_BODY_JSON_PATH_H

#include "txn/body/wants.h"

#define PATH_STEPS 32

/* PATH_ELEMENT, of an array only, is no part of the language: our own paths have it. */
enum path_step_kind { PATH_NAME, PATH_NUMBER, PATH_WILD, PATH_ELEMENT };

struct path_step {
	enum path_step_kind kind;
	bool descendant;  /* of a child, or of whatever is below it */
	const char *name; /* PATH_NAME: in json_path.text */
	size_t name_len;
	uint32_t number; /* PATH_NUMBER */
};

struct json_path {
	unsigned count;
	unsigned slots; /* indices that it has: wildcards and descendants */
	struct path_step step[PATH_STEPS];
	char text[WANT_PATH_MAX + 1]; /* names, unescaped */
};

/* 0, or -EINVAL with place and text of *ret_error set (not `want`). */
int json_path_parse(struct slice text, struct json_path *ret, struct body_error *ret_error);

#endif
