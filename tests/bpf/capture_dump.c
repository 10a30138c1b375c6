/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_dump: loads the capture programs, prints each record as one JSON line, obeys commands on
 * standard input. A tool of the live tests (tests/live/capture_*.py), which compare what it prints
 * with what their own sockets did. One thread, no other stage of the product in it.
 *
 *   capture_dump [--source sock|syscall] [--pid N]... [--port N]... [--cgroup ID LEVEL] [--listeners]
 *                [--exec-asks] [--ring BYTES] [--control-ring BYTES] [--connections N]
 *   commands: direct CONN RX_UNTIL TX_UNTIL RX_BUDGET TX_BUDGET | process TGID STATE | begin | scan |
 *             stop (no drain from here on) | go; end of input ends it
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/capture.h"

#define LIST_MAX 64

struct options {
	struct capture_options capture;
	struct capture_scope scope;
	uint16_t ports[LIST_MAX];
	uint32_t pids[LIST_MAX], pid_count;
	uint64_t cgroup_id;
	uint32_t cgroup_level;
};

static const char *const kind_name[] = { "?",	  "data",   "open",  "end",    "close",	   "gone",
					 "fork",  "exec",   "exit",  "?",      "?",	   "?",
					 "acked", "resent", "alive", "looked", "listener", "dns" };
static const char *const why_name[] = { "",	  "budget", "directive", "sendfile",  "io_uring",
					"compat", "mmsg",   "zerocopy",	 "no_buffer", "trunc",
					"fault",  "kernel", "call" };

static void print_hex(const char *key, const unsigned char *at, size_t len)
{
	printf(",\"%s\":\"", key);
	for (size_t i = 0; i < len; i++)
		printf("%02x", at[i]);
	putchar('"');
}

static void print_data(const struct pc_data *d)
{
	const struct pc_arrival *a = (const struct pc_arrival *)(d + 1);

	printf(",\"conn\":%llu,\"pos\":%llu,\"begin\":%llu,\"len\":%u,\"captured\":%u,\"tgid\":%u,"
	       "\"tid\":%u,\"srtt\":%u,\"dir\":\"%s\",\"why\":\"%s\",\"unread\":%u,\"arrivals\":[",
	       d->conn, d->pos, d->begin_ns, d->len, d->captured, d->tgid, d->tid, d->srtt_us,
	       d->dir == PC_TX ? "tx" : "rx",
	       d->why < sizeof(why_name) / sizeof(*why_name) ? why_name[d->why] : "?", d->unread);
	for (unsigned i = 0; i < d->arrivals; i++)
		printf("%s[%llu,%llu]", i ? "," : "", a[i].end_pos, a[i].time_ns);
	putchar(']');
	if (d->head.size != sizeof(*d) + d->arrivals * sizeof(*a) + d->captured)
		printf(",\"bad\":1");
	print_hex("bytes", (const unsigned char *)(a + d->arrivals), d->captured);
}

static void print_open(const struct pc_open *o)
{
	printf(",\"conn\":%llu,\"rx_pos\":%llu,\"tx_pos\":%llu,\"peer\":%llu,\"cgroup\":%llu,"
	       "\"start\":%llu,\"handshake\":%llu,\"rx_isn\":%u,\"tx_isn\":%u,\"tgid\":%u,"
	       "\"family\":%u,\"lport\":%u,\"rport\":%u,\"tid\":%u",
	       o->conn, o->rx_pos, o->tx_pos, o->peer_conn, o->cgroup, o->start_ns, o->handshake_ns,
	       o->rx_isn, o->tx_isn, o->tgid, o->family, o->local.port, o->remote.port, o->tid);
	print_hex("lip", o->local.ip, 16);
	print_hex("rip", o->remote.ip, 16);
}

static void print_listener(const struct pc_listener *l)
{
	printf(",\"conn\":%llu,\"turned\":%llu,\"still\":%llu,\"waiting\":%u,\"backlog\":%u,"
	       "\"tgid\":%u,\"family\":%u,\"lport\":%u",
	       l->conn, l->turned, l->still_ns, l->waiting, l->backlog, l->tgid, l->family,
	       l->local.port);
	print_hex("lip", l->local.ip, 16);
}

static void print_dns(const struct pc_dns *d)
{
	printf(",\"tgid\":%u,\"tid\":%u,\"dir\":\"%s\",\"error\":%u,\"captured\":%u,\"family\":%u,"
	       "\"lport\":%u,\"rport\":%u",
	       d->tgid, d->tid, d->dir == PC_TX ? "tx" : "rx", d->error, d->captured, d->family,
	       d->local.port, d->remote.port);
	if (d->head.size != sizeof(*d) + d->captured && d->captured)
		printf(",\"bad\":1");
	print_hex("lip", d->local.ip, 16);
	print_hex("rip", d->remote.ip, 16);
	print_hex("bytes", (const unsigned char *)(d + 1), d->captured);
}

static void on_record(void *ctx, const struct pc_head *h)
{
	const struct pc_end *e = (const void *)h;
	const struct pc_close *c = (const void *)h;
	const struct pc_process *p = (const void *)h;
	const struct pc_sent *s = (const void *)h;
	const struct pc_alive *a = (const void *)h;

	if (h->kind >= sizeof(kind_name) / sizeof(*kind_name))
		return;
	printf("{\"kind\":\"%s\",\"flags\":%u,\"time\":%llu", kind_name[h->kind], h->flags,
	       h->time_ns);
	if (h->kind == PC_DATA)
		print_data((const void *)h);
	else if (h->kind == PC_OPEN)
		print_open((const void *)h);
	else if (h->kind == PC_LISTENER)
		print_listener((const void *)h);
	else if (h->kind == PC_DNS)
		print_dns((const void *)h);
	else if (h->kind == PC_END)
		printf(",\"conn\":%llu,\"pos\":%llu,\"error\":%d,\"dir\":\"%s\",\"tgid\":%u",
		       e->conn, e->pos, e->error, e->dir == PC_TX ? "tx" : "rx", e->tgid);
	else if (h->kind == PC_CLOSE || h->kind == PC_GONE)
		printf(",\"conn\":%llu,\"rx_pos\":%llu,\"tx_pos\":%llu,\"acked\":%llu,"
		       "\"unread\":%u,\"error\":%d",
		       c->conn, c->rx_pos, c->tx_pos, c->acked, c->unread, c->error);
	else if (h->kind == PC_ACKED || h->kind == PC_RESENT)
		printf(",\"conn\":%llu,\"pos\":%llu,\"segments\":%u,\"retrans\":%u", s->conn,
		       s->pos, s->segments, s->retrans);
	else if (h->kind == PC_ALIVE || h->kind == PC_LOOKED)
		printf(",\"conn\":%llu,\"since\":%llu", a->conn, a->since_ns);
	else
		printf(",\"tgid\":%u,\"parent\":%u,\"exit\":%d,\"comm\":\"%.16s\",\"file\":\"%."
		       "255s\"",
		       p->tgid, p->parent, p->exit_code, p->comm, p->file);
	puts("}");
}

static int parse(int argc, char **argv, struct options *o)
{
	o->scope.ports = o->ports;
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i], *v = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(a, "--listeners") == 0) {
			o->scope.kinds |= PC_SCOPE_BY_LISTENER;
		} else if (strcmp(a, "--exec-asks") == 0) {
			o->scope.kinds |= PC_SCOPE_BY_PROCESS | PC_SCOPE_EXEC_ASKS;
		} else if (strcmp(a, "--pid") == 0 && o->pid_count < LIST_MAX) {
			o->scope.kinds |= PC_SCOPE_BY_PROCESS;
			o->pids[o->pid_count++] = (uint32_t)strtoul(v, NULL, 10);
			i++;
		} else if (strcmp(a, "--port") == 0 && o->scope.port_count < LIST_MAX) {
			o->scope.kinds |= PC_SCOPE_BY_PORT;
			o->ports[o->scope.port_count++] = (uint16_t)strtoul(v, NULL, 10);
			i++;
		} else if (strcmp(a, "--ring") == 0) {
			o->capture.data_ring_bytes = (uint32_t)strtoul(v, NULL, 10);
			i++;
		} else if (strcmp(a, "--control-ring") == 0) {
			o->capture.control_ring_bytes = (uint32_t)strtoul(v, NULL, 10);
			i++;
		} else if (strcmp(a, "--connections") == 0) {
			o->capture.connections = (uint32_t)strtoul(v, NULL, 10);
			i++;
		} else if (strcmp(a, "--acknowledged") == 0) {
			o->capture.acknowledge = strcmp(v, "on") == 0	 ? CAPTURE_ACKNOWLEDGE_ON
						 : strcmp(v, "off") == 0 ? CAPTURE_ACKNOWLEDGE_OFF
									 : CAPTURE_ACKNOWLEDGE_AUTO;
			i++;
		} else if (strcmp(a, "--source") == 0) {
			o->capture.source =
				strcmp(v, "syscall") == 0 ? CAPTURE_SYSCALL : CAPTURE_SOCK;
			i++;
		} else if (strcmp(a, "--cgroup") == 0 && i + 2 < argc) {
			o->scope.kinds |= PC_SCOPE_BY_CGROUP;
			o->cgroup_id = strtoull(v, NULL, 10);
			o->cgroup_level = (uint32_t)strtoul(argv[i + 2], NULL, 10);
			o->scope.cgroup_ids = &o->cgroup_id;
			o->scope.cgroup_levels = &o->cgroup_level;
			o->scope.cgroup_count = 1;
			i += 2;
		} else {
			fprintf(stderr, "capture_dump: what is %s?\n", a);
			return -EINVAL;
		}
	}
	return o->scope.kinds ? 0 : -EINVAL;
}

/* False: end. */
static bool obey(struct capture *c, struct reader *r, char *line, bool *ret_stopped)
{
	struct pc_directive d = { 0 };
	uint64_t conn, rx, tx;
	unsigned a, b;

	if (sscanf(line, "direct %" SCNu64 " %" SCNu64 " %" SCNu64 " %u %u", &conn, &rx, &tx, &a,
		   &b) == 5) {
		d = (struct pc_directive){ .conn = conn, .until = { rx, tx }, .budget = { a, b } };
		reader_direct(r, &d);
	} else if (sscanf(line, "process %u %u", &a, &b) == 2) {
		if (capture_set_process(c, a, (enum pc_scope_state)b))
			return false;
	} else if (strncmp(line, "begin", 5) == 0) {
		reader_begin(r, (uint32_t)getpid());
	} else if (strncmp(line, "scan", 4) == 0) {
		printf("{\"kind\":\"scanned\",\"count\":%ld}\n", capture_scan(c));
	} else if (strncmp(line, "stop", 4) == 0) {
		*ret_stopped = true;
	} else if (strncmp(line, "go", 2) == 0) {
		*ret_stopped = false;
	} else {
		return false;
	}
	printf("{\"kind\":\"done\"}\n");
	return true;
}

static void print_stats(const struct reader *r)
{
	struct reader_stats s;

	reader_stats(r, &s);
	printf("{\"kind\":\"stats\",\"submitted\":[");
	for (int i = 0; i < PC_KINDS; i++)
		printf("%s%llu", i ? "," : "", s.kernel.submitted[i]);
	printf("],\"lost\":[");
	for (int i = 0; i < PC_KINDS; i++)
		printf("%s%llu", i ? "," : "", s.kernel.lost[i]);
	printf("],\"read\":[");
	for (int i = 0; i < PC_KINDS; i++)
		printf("%s%" PRIu64, i ? "," : "", s.records[i]);
	printf("],\"why_bytes\":[");
	for (int i = 0; i < 16; i++)
		printf("%s%llu", i ? "," : "", s.kernel.why_bytes[i]);
	printf("],\"lost_bytes\":%llu,\"uncertain\":%llu,\"refused\":%llu,\"malformed\":%" PRIu64
	       "}\n",
	       s.kernel.lost_bytes, s.kernel.uncertain, s.kernel.sockets_refused, s.malformed);
}

static int loop(struct capture *c, struct reader *r)
{
	struct pollfd fds[2] = { { .fd = 0, .events = POLLIN },
				 { .fd = reader_fd(r), .events = POLLIN } };
	bool stopped = false;
	char line[256];

	for (;;) {
		poll(fds, 2, 20);
		if (!stopped)
			reader_drain(r, UINT64_MAX);
		capture_tick(c, clock_mono_ns());
		if (fds[0].revents) {
			if (!fgets(line, sizeof(line), stdin) || !obey(c, r, line, &stopped))
				break;
		}
		fflush(stdout);
	}
	capture_last(c);
	while (reader_drain(r, UINT64_MAX) > 0)
		;
	print_stats(r);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct reader_sink sink = { .record = on_record };
	struct capture *c = NULL;
	struct reader *r = NULL;
	struct capture_fds fds;
	const char *why = "";
	int err = 1;

	setvbuf(stdin, NULL, _IONBF, 0);
	if (parse(argc, argv, &o)) {
		fprintf(stderr, "capture_dump: a scope is needed: --pid, --port, --cgroup or "
				"--listeners\n");
		return 2;
	}
	if (capture_new(&o.capture, &c, &why))
		goto out;
	capture_fds(c, &fds);
	why = "cannot map the rings";
	if (reader_new(&fds, &sink, &r))
		goto out;
	reader_begin(r, (uint32_t)getpid());
	for (uint32_t i = 0; i < o.pid_count; i++)
		capture_set_process(c, o.pids[i], PC_SCOPE_PINNED);
	why = "cannot set the scope";
	if (capture_set_scope(c, &o.scope) || capture_attach(c, &why))
		goto out;
	why = "cannot scan";
	if (capture_scan(c) < 0)
		goto out;
	fprintf(stderr, "ready\n");
	err = loop(c, r);
out:
	if (err)
		fprintf(stderr, "capture_dump: %s\n", why);
	reader_free(r);
	capture_free(c);
	return err;
}
