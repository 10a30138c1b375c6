/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h: a circular doubly linked list through the things themselves (a node is a member), so that
 * joining and leaving never allocates. A node that is on no list points to itself.
 */
#ifndef PC_BASE_LIST_H
#define PC_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define list_entry(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Of a node: is it on a list? */
static inline bool list_is_on(const struct list *node)
{
	return node->next != node;
}

static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

static inline void list_append(struct list *l, struct list *node)
{
	node->prev = l->prev;
	node->next = l;
	l->prev->next = node;
	l->prev = node;
}

#endif
