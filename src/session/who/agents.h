/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agents.h: the words of User-Agents, as data (agents_words.c, agents_robots.c), for user_agent.c; and what that
 * one and hints.c have of each other.
 * Text in lower case; see struct agent_word in who.h for what a row means.
 */
#ifndef PC_SESSION_WHO_AGENTS_H
#define PC_SESSION_WHO_AGENTS_H

#include "session/who.h"

/* Both end with a row without text. */
extern const struct agent_word agents_words[];
extern const struct agent_word agents_robots[];

/* value of a WORD_PROGRAM: common words that count only at the start of the field. */
#define AGENT_ANYWHERE 0
#define AGENT_AT_START 1
/* value of a WORD_VERSION. */
#define VERSION_SAFARI 0
#define VERSION_IE     1

/* The digits after a name and at most one of "/ :", as in Chrome/120.0.0.0, MSIE 7.0, rv:11.0. */
uint32_t agent_version_at(struct slice s, size_t at);
void agent_apply_hints(const struct who_fields *w, struct agent *ret);

#endif
