/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.h: what stands inside of a token or a cookie that is JSON in base64. Pure; called by evidence.c.
 */
#ifndef PC_SESSION_TOKEN_H
#define PC_SESSION_TOKEN_H

#include "base/slice.h"

#define TOKEN_ROOM 4096 /* decoded; what is larger is taken as it is */

/* The value of "sub" in a JWT's payload (RFC 7519), as written, in `room`; at == NULL: none, or no JSON. */
struct slice token_subject(struct slice payload, char room[TOKEN_ROOM]);

/* An object in which nothing is said: {"token":""}. A session that is kept in its cookie looks so after
 * the logout, the same for everybody. */
bool token_is_empty(struct slice value);

#endif
