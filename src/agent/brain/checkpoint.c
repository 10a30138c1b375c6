/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.c: see checkpoint.h. Nothing is synced: the file is for a process that ends, not for a
 * machine that loses power, after which visits are over anyway.
 */
#include "agent/brain/checkpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sip.h"

#define LEAST_NS NS_PER_S /* between two */
#define MOST_NS	 (10 * NS_PER_S)
#define SHARE	 100 /* … so many times what the latest took */
#define PAGE	 4096ull
#define MOST	 (1ull << 30)
#define PIECE	 (64u << 10)

/* Before there were carts the text was that of visits alone. */
static const char magic[16] = "parcours state\n", magic_visits[16] = "parcours visit\n";

/* The text: that of session, then that of journey. */
struct file_head {
	char magic[16];
	uint64_t offset, len, sum;
	uint64_t visits_len; /* of session's */
};

/* Against damage, not against an enemy: who may write the file may as well write a true sum. */
static uint64_t sum_of(uint64_t before, struct slice s)
{
	const struct sip_key key = { 0x706172636f757273, before };

	return sip13(&key, s.at, s.len);
}

static int read_all(int fd, uint64_t offset, char *to, size_t len)
{
	while (len) {
		ssize_t n = pread(fd, to, len, (off_t)offset);

		if (n <= 0)
			return n ? -errno : -EBADMSG;
		to += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_all(int fd, uint64_t offset, struct slice s)
{
	while (s.len) {
		ssize_t n = pwrite(fd, s.at, s.len, (off_t)offset);

		if (n < 0)
			return -errno;
		offset += (uint64_t)n;
		s = slice_sub(s, (size_t)n, s.len);
	}
	return 0;
}

/* Without its visit no cart goes on. */
static int take_up(struct core *core, struct slice visits, struct slice carts)
{
	int err = session_load(core->session, visits);

	if (err || !carts.len)
		return err;
	err = journey_load(core->journey, carts);
	if (err)
		log_warn("carts of before are not taken up: their part of the checkpoint %s",
			 err == -EPROTO ? "was written by another version of parcours"
					: "is damaged");
	return 0;
}

static int load(struct checkpoint *c, struct core *core)
{
	struct file_head h;
	uint64_t sum = 0;
	char *text;
	int err;

	if (lseek(c->fd, 0, SEEK_END) == 0)
		return 0; /* new */
	err = read_all(c->fd, 0, (char *)&h, sizeof(h));
	if (err)
		return err;
	if (!memcmp(h.magic, magic_visits, sizeof(magic)))
		h.visits_len = h.len;
	else if (memcmp(h.magic, magic, sizeof(magic)))
		return -EBADMSG;
	if (h.visits_len > h.len || h.offset < PAGE || h.offset > 2 * MOST || h.len > MOST)
		return -EBADMSG;
	text = malloc(h.len + 1);
	if (!text)
		return -ENOMEM;
	err = read_all(c->fd, h.offset, text, h.len);
	for (uint64_t at = 0; !err && at < h.len; at += PIECE)
		sum = sum_of(sum, slice_sub(slice_of(text, h.len), at, at + PIECE));
	if (!err && sum != h.sum)
		err = -EBADMSG;
	if (!err)
		err = take_up(core, slice_of(text, h.visits_len),
			      slice_of(text + h.visits_len, h.len - h.visits_len));
	free(text);
	if (err)
		return err;
	c->offset = h.offset;
	c->len = h.len;
	return 0;
}

struct writing {
	int fd;
	uint64_t at, len, sum;
	char piece[PIECE];
	size_t used;
};

static int flush(struct writing *w)
{
	struct slice piece = slice_of(w->piece, w->used);
	int err = write_all(w->fd, w->at + w->len, piece);

	if (err)
		return err;
	w->sum = sum_of(w->sum, piece);
	w->len += w->used;
	w->used = 0;
	return 0;
}

static int add(void *ctx, struct slice s)
{
	struct writing *w = ctx;

	while (s.len) {
		size_t n = PIECE - w->used < s.len ? PIECE - w->used : s.len;
		int err;

		memcpy(w->piece + w->used, s.at, n);
		w->used += n;
		s = slice_sub(s, n, s.len);
		err = w->used == PIECE ? flush(w) : 0;
		if (err)
			return err;
	}
	return 0;
}

static int write_at(struct checkpoint *c, const struct core *core, uint64_t offset,
		    struct writing *w)
{
	struct file_head h = { .offset = offset };
	int err;

	*w = (struct writing){ .fd = c->fd, .at = offset };
	err = session_save(core->session, w, add);
	h.visits_len = w->len + w->used;
	if (!err)
		err = journey_save(core->journey, w, add);
	if (!err && w->used)
		err = flush(w);
	if (err)
		return err;
	memcpy(h.magic, magic, sizeof(magic));
	h.len = w->len;
	h.sum = w->sum;
	return write_all(c->fd, 0, slice_of(&h, sizeof(h)));
}

static int count(void *ctx, struct slice s)
{
	*(uint64_t *)ctx += s.len;
	return 0;
}

static int save(struct checkpoint *c, const struct core *core)
{
	struct writing *w = malloc(sizeof(*w));
	uint64_t need = 0, offset = PAGE;
	int err = -ENOMEM;

	if (!w)
		return err;
	session_save(core->session, &need, count);
	journey_save(core->journey, &need, count);
	if (c->len && need > c->offset - PAGE)
		offset = (c->offset + c->len + PAGE - 1) & ~(PAGE - 1);
	err = write_at(c, core, offset, w);
	if (!err) {
		c->offset = offset;
		c->len = w->len;
		if (offset == PAGE && ftruncate(c->fd, (off_t)(offset + w->len)))
			err = -errno;
	}
	free(w);
	return err;
}

static void tell(struct checkpoint *c, int err)
{
	if (err && !c->failed)
		log_warn(
			"cannot write the checkpoint of visits: %s; a restart may begin them twice",
			strerror(-err));
	c->failed = err;
}

/* What was the last word of the process before is that no more: should this one end without a word, the next
 * must not take it for such. */
void checkpoint_open(struct checkpoint *c, int fd, struct core *core)
{
	int err;

	*c = (struct checkpoint){ .fd = fd };
	if (fd < 0)
		return;
	err = load(c, core);
	if (!err && c->len) {
		tell(c, save(c, core));
		return;
	}
	if (err)
		log_warn("visits and pages of before are not taken up: the checkpoint %s",
			 err == -EBADMSG	? "is damaged"
			 : err == -EPROTO	? "was written by another version of parcours"
			 : err == -EKEYREJECTED ? "was written with another secret of the site"
						: strerror(-err));
}

static uint64_t interval(uint64_t took_ns)
{
	uint64_t ns = took_ns * SHARE;

	return ns < LEAST_NS ? LEAST_NS : ns > MOST_NS ? MOST_NS : ns;
}

void checkpoint_tick(struct checkpoint *c, const struct core *core, uint64_t now_ns, bool now)
{
	struct session_stats stats;
	struct journey_stats carts;
	uint64_t changes, begin_ns;
	int err;

	if (c->fd < 0 || (now_ns < c->next_ns && !now))
		return;
	c->next_ns = now_ns + LEAST_NS;
	session_stats(core->session, &stats);
	journey_stats(core->journey, &carts);
	changes = stats.in_visits + stats.started + stats.ended[END_TIMEOUT] +
		  stats.ended[END_CAP] + stats.ended[END_EVICTED] + stats.ended[END_SHUTDOWN] +
		  stats.pages.told + stats.pages.measured + carts.matched + carts.carts_abandoned;
	if (changes == c->changes && !now)
		return;
	begin_ns = clock_mono_ns();
	err = save(c, core);
	c->next_ns = now_ns + interval(clock_mono_ns() - begin_ns);
	tell(c, err);
	if (!err)
		c->changes = changes;
}
