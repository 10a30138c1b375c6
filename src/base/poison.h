/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poison.h: the functions that the house style bans, made impossible to name. The Makefile includes
 * it in front of every file (-include), so it first pulls in the system headers that declare them:
 * a header that comes later may no longer say their names.
 */
#ifndef PC_BASE_POISON_H
#define PC_BASE_POISON_H

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The pragma warns of macros that exist. */
#undef alloca
#pragma GCC poison strcpy strcat sprintf vsprintf strncpy strncat strtok atoi atol gets
#pragma GCC poison alloca system

#endif
