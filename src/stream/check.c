/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.c: can a record be believed? Records come from our own programs, but also from files that
 * anybody may have made, so every size, enum and string is looked at once, here; the rest of the
 * core relies on it. Unknown content inside a known shape (an odd address family, a strange time) is
 * no error: it is passed on as it came.
 */
#include "stream/link.h"

/* Sums of positions never wrap, and PC_NEVER is no position. */
#define POS_MAX ((uint64_t)1 << 62)
/* 146 years: a later time would stop our clock, which only goes forward. */
#define TIME_MAX ((uint64_t)1 << 62)

static bool data_ok(const struct pc_data *rec)
{
	uint64_t need = sizeof(*rec) + rec->arrivals * sizeof(struct pc_arrival) + rec->captured;

	if (rec->head.size < sizeof(*rec) || rec->arrivals > PC_ARRIVALS || rec->dir > PC_TX)
		return false;
	if (rec->head.size < need || !rec->len || rec->captured > rec->len || rec->pos > POS_MAX)
		return false;
	/* Causes that only we can know never stand in a record. */
	return rec->captured == rec->len || (rec->why != PC_WHY_NONE && rec->why < PC_WHY_RING);
}

static bool ends_with_nul(const char *text, size_t room)
{
	return memchr(text, 0, room) != NULL;
}

static bool process_ok(const struct pc_process *rec)
{
	return rec->head.size >= sizeof(*rec) && ends_with_nul(rec->comm, sizeof(rec->comm)) &&
	       ends_with_nul(rec->file, sizeof(rec->file));
}

static bool who_ok(const struct pc_who *rec)
{
	return rec->head.size >= sizeof(*rec) && ends_with_nul(rec->comm, sizeof(rec->comm)) &&
	       ends_with_nul(rec->exe, sizeof(rec->exe)) &&
	       ends_with_nul(rec->service, sizeof(rec->service)) &&
	       ends_with_nul(rec->container, sizeof(rec->container)) &&
	       ends_with_nul(rec->unit, sizeof(rec->unit)) &&
	       ends_with_nul(rec->cgroup, sizeof(rec->cgroup)) &&
	       ends_with_nul(rec->args, sizeof(rec->args));
}

static bool open_ok(const struct pc_open *rec)
{
	return rec->head.size >= sizeof(*rec) && rec->rx_pos <= POS_MAX && rec->tx_pos <= POS_MAX;
}

static bool end_ok(const struct pc_end *rec)
{
	return rec->head.size >= sizeof(*rec) && rec->dir <= PC_TX && rec->pos <= POS_MAX;
}

static bool close_ok(const struct pc_close *rec)
{
	return rec->head.size >= sizeof(*rec) && rec->rx_pos <= POS_MAX && rec->tx_pos <= POS_MAX;
}

static bool sent_ok(const struct pc_sent *rec)
{
	return rec->head.size >= sizeof(*rec) && rec->pos <= POS_MAX &&
	       (rec->head.kind == PC_ACKED || rec->segments);
}

static bool listener_ok(const struct pc_listener *rec)
{
	return rec->head.size >= sizeof(*rec);
}

static bool dns_ok(const struct pc_dns *rec)
{
	return rec->head.size >= sizeof(*rec) && rec->captured <= PC_DNS_BYTES &&
	       rec->captured <= rec->head.size - sizeof(*rec) && rec->dir <= PC_TX;
}

bool record_ok(const struct pc_head *rec)
{
	if (rec->size < sizeof(*rec) || rec->time_ns > TIME_MAX)
		return false;
	switch (rec->kind) {
	case PC_DATA:
		return data_ok((const struct pc_data *)rec);
	case PC_OPEN:
		return open_ok((const struct pc_open *)rec);
	case PC_END:
		return end_ok((const struct pc_end *)rec);
	case PC_CLOSE:
	case PC_GONE:
		return close_ok((const struct pc_close *)rec);
	case PC_FORK:
	case PC_EXEC:
	case PC_EXIT:
		return process_ok((const struct pc_process *)rec);
	case PC_ACKED:
	case PC_RESENT:
		return sent_ok((const struct pc_sent *)rec);
	case PC_ALIVE:
	case PC_LOOKED:
		return rec->size >= sizeof(struct pc_alive);
	case PC_LISTENER:
		return listener_ok((const struct pc_listener *)rec);
	case PC_DNS:
		return dns_ok((const struct pc_dns *)rec);
	case PC_WHO:
		return who_ok((const struct pc_who *)rec);
	case PC_CLOCK:
		return rec->size >= sizeof(struct pc_clock);
	case PC_TICK:
		return true;
	}
	return false;
}
