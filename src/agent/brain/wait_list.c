/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait_list.c: see wait_list.h. Held records are few (a verdict takes a millisecond), so a scan is enough.
 */
#include "agent/brain/wait_list.h"

struct wait_mark {
	uint32_t tgid;
	uint32_t len; /* of the record, padded */
	uint64_t conn;
};

void wait_list_init(struct wait_list *h)
{
	h->count = 0;
	buf_init(&h->records, WAIT_LIST_BYTES);
}

void wait_list_done(struct wait_list *h)
{
	buf_done(&h->records);
}

int wait_list_add(struct wait_list *h, uint32_t tgid, uint64_t conn, const struct pc_head *rec)
{
	static const char zeroes[8];
	struct wait_mark mark = { tgid, (rec->size + 7) & ~7u, conn };
	int err = buf_reserve(&h->records, sizeof(mark) + mark.len);

	if (err) {
		h->records.failed = false; /* what is there stays whole */
		return err;
	}
	buf_add(&h->records, slice_of(&mark, sizeof(mark)));
	buf_add(&h->records, slice_of(rec, rec->size));
	buf_add(&h->records, slice_of(zeroes, mark.len - rec->size));
	h->count++;
	return 0;
}

uint32_t wait_list_owner(const struct wait_list *h, uint64_t conn)
{
	struct wait_mark mark;

	for (size_t at = 0; at < h->records.len; at += sizeof(mark) + mark.len) {
		memcpy(&mark, h->records.at + at, sizeof(mark));
		if (mark.conn == conn)
			return mark.tgid;
	}
	return 0;
}

uint64_t wait_list_release(struct wait_list *h, uint32_t tgid, void *ctx,
			   void (*take)(void *ctx, const struct pc_head *rec))
{
	struct wait_mark mark;
	uint64_t released = 0;
	size_t kept = 0;
	size_t whole;

	for (size_t at = 0; at < h->records.len; at += whole) {
		memcpy(&mark, h->records.at + at, sizeof(mark));
		whole = sizeof(mark) + mark.len;
		if (mark.tgid == tgid) {
			if (take)
				take(ctx, (const void *)(h->records.at + at + sizeof(mark)));
			released++;
			continue;
		}
		memmove(h->records.at + kept, h->records.at + at, whole);
		kept += whole;
	}
	h->records.len = kept;
	h->count -= released;
	if (!kept)
		buf_shrink(&h->records, 65536);
	return released;
}
