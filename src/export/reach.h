/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach.h: connections that came to nothing and listeners that turned somebody away (txn/attempt.h) → rows,
 * events and metrics. What may leave of them is as privacy.h has it for transactions. Loop thread.
 *
 *   parcours.client.connection.failures      {connection}  sum
 *   parcours.server.connections.overflowed   {attempt}     sum
 *   parcours.server.connections.refused      {attempt}     sum
 *   parcours.server.connections.reset        {connection}  sum
 *   parcours.server.connections.unaccepted   {connection}  sum
 *   parcours.server.connections.waiting      {connection}  goes up and down
 */
#ifndef PC_EXPORT_REACH_H
#define PC_EXPORT_REACH_H

#include "export/event.h"
#include "export/privacy.h"

/* Valid as long as what it was made of, and until it is made again. */
struct reach_view {
	const struct attempt *attempt; /* one of these two */
	const struct listener_news *news;
	const struct process *process;
	const char *service;		       /* as configured, else of the process; NULL: none */
	uint64_t start_unix_ns, end_unix_ns;   /* 0 = unobserved */
	struct slice server, site, executable; /* at == NULL: none */
	uint16_t server_port;		       /* 0: none was asked for (DNS) */
	char peer[46], local[46];
	char host_text[PRIVACY_HOST], site_text[PRIVACY_HOST];
	struct buf scratch;
};

void reach_view_init(struct reach_view *v);
void reach_view_done(struct reach_view *v);
/* -ENOMEM: nothing of it may be exported. `service`: of everything, or NULL. */
int reach_view_attempt(struct reach_view *v, const struct privacy_rules *rules,
		       const struct attempt *a, int64_t wall_minus_mono_ns, const char *service);
int reach_view_listener(struct reach_view *v, const struct privacy_rules *rules,
			const struct listener_news *n, int64_t wall_minus_mono_ns,
			const char *service);

void reach_row(struct buf *out, const struct reach_view *v);
/* -ENOBUFS as events_add. */
int reach_event(struct events *e, const struct reach_view *v, uint64_t observed_unix_ns);

struct reach_metrics;

int reach_metrics_new(uint32_t series, struct reach_metrics **ret);
void reach_metrics_free(struct reach_metrics *m);
void reach_metrics_add(struct reach_metrics *m, const struct reach_view *v, uint64_t wall_ns);
/* As page_metrics_encode. */
uint32_t reach_metrics_encode(const struct reach_metrics *m, uint64_t wall_ns, struct buf *out);
uint64_t reach_metrics_overflow(const struct reach_metrics *m);
uint64_t reach_metrics_lost(const struct reach_metrics *m);

#endif
