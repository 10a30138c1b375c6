/* SPDX-License-Identifier: Apache-2.0 */
/*
 * micro.c: what one call costs a process that nobody watches: with nothing attached, with programs that do
 * nothing on the hooks of a source, and with those of the agent. A busy machine drifts by more than is
 * measured within a second, so the three take turns in slices of a few milliseconds, in a changing order, on
 * the same sockets of the same process; what is told are medians of the differences within each round.
 *
 *   micro sock|syscall getppid|socket|datagram|loose EMPTY.bpf.o [ROUNDS [watched]]
 *
 * The parent loads all, attaches and detaches, and reads what the rings have; its child, who is out of the
 * scope, makes the calls: getppid, or the two ends of a TCP connection to itself over loopback in turns, or two
 * UDP sockets that are connected to each other (datagram) or to nobody (loose: each datagram says where it goes).
 * `watched`: it is in the scope, and all that it moves is copied; that must show. Of datagrams nothing is copied.
 */
#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/capture.h"

#define GETPPID_CALLS 20000
#define ROUND_TRIPS   1000 /* of four calls each */
#define WARM_PART     4
#define ROUNDS_MOST   2000

enum phase { BARE, EMPTY, AGENT, PHASES };
enum what { GETPPID, SOCKET, DATAGRAM, LOOSE };

struct pair {
	int ends[2];
	struct sockaddr_in names[2];
};

struct bench {
	const char *source;
	enum what what;
	bool watched;
	struct bpf_object *empty;
	struct bpf_link *links[8];
	unsigned link_count;
	struct capture *capture;
	struct reader *reader;
	int ask, answer; /* pipes to the child */
	double ns[PHASES][ROUNDS_MOST];
};

static void die(const char *what)
{
	fprintf(stderr, "micro: %s\n", what);
	exit(1);
}

/* ---- the child ---- */

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static const struct sockaddr_in anywhere = { .sin_family = AF_INET,
					     .sin_addr = { .s_addr = 0x0100007f } };

static void make_streams(struct pair *p)
{
	struct sockaddr_in a = anywhere;
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(a);

	p->ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&a, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&a, &len) ||
	    connect(p->ends[0], (struct sockaddr *)&a, len))
		die("no connection");
	p->ends[1] = accept(listener, NULL, NULL);
	close(listener);
	for (int i = 0; i < 2; i++)
		if (setsockopt(p->ends[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
			die("no connection");
}

static void make_datagrams(struct pair *p, bool loose)
{
	socklen_t len = sizeof(anywhere);

	for (int i = 0; i < 2; i++) {
		p->ends[i] = socket(AF_INET, SOCK_DGRAM, 0);
		if (bind(p->ends[i], (const struct sockaddr *)&anywhere, len) ||
		    getsockname(p->ends[i], (struct sockaddr *)&p->names[i], &len))
			die("no datagrams");
	}
	for (int i = 0; i < 2 && !loose; i++)
		if (connect(p->ends[i], (struct sockaddr *)&p->names[!i], len))
			die("no datagrams");
}

static void make_pair(struct pair *p, enum what what)
{
	if (what == SOCKET)
		make_streams(p);
	else if (what != GETPPID)
		make_datagrams(p, what == LOOSE);
}

static void round_trips(const struct pair *p, unsigned count, bool loose)
{
	char buf[64] = "x";

	for (unsigned i = 0; i < count; i++)
		for (int from = 0; from < 2; from++) {
			ssize_t sent = loose ? sendto(p->ends[from], buf, sizeof(buf), 0,
						      (const struct sockaddr *)&p->names[!from],
						      sizeof(p->names[0]))
					     : write(p->ends[from], buf, sizeof(buf));

			if (sent != sizeof(buf) ||
			    read(p->ends[!from], buf, sizeof(buf)) != sizeof(buf))
				die("the connection broke");
		}
}

static void getppids(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		syscall(SYS_getppid);
}

/* ns a call. */
static double slice(enum what what, const struct pair *p)
{
	unsigned count = what == GETPPID ? GETPPID_CALLS : ROUND_TRIPS;
	double begin;

	if (what == GETPPID) {
		getppids(count / WARM_PART);
		begin = cpu_ns();
		getppids(count);
		return (cpu_ns() - begin) / count;
	}
	round_trips(p, count / WARM_PART, what == LOOSE);
	begin = cpu_ns();
	round_trips(p, count, what == LOOSE);
	return (cpu_ns() - begin) / (4 * count);
}

static void serve(enum what what, int ask, int answer)
{
	struct pair p;
	bool made = false;
	char one;

	while (read(ask, &one, 1) == 1) {
		double ns;

		if (!made)
			make_pair(&p, what); /* now it is known whether it is watched */
		made = true;
		ns = slice(what, &p);

		if (write(answer, &ns, sizeof(ns)) != sizeof(ns))
			die("the parent is gone");
	}
	exit(0);
}

/* ---- the parent ---- */

/* Does the source use this hook? What neither list names belongs to both. */
static bool is_wanted(const char *program, const char *source)
{
	static const char *const only[][2] = { { "on_sock_send_length", "sock" },
					       { "on_sock_recv_length", "sock" },
					       { "on_sys_exit", "syscall" },
					       { "on_tcp_rcv_space_adjust", "syscall" } };

	for (unsigned i = 0; i < sizeof(only) / sizeof(only[0]); i++)
		if (!strcmp(program, only[i][0]))
			return !strcmp(source, only[i][1]);
	return true;
}

static void load_empty(struct bench *b, const char *path)
{
	struct bpf_program *p;

	b->empty = bpf_object__open(path);
	if (!b->empty)
		die("the empty programs do not open");
	bpf_object__for_each_program(p, b->empty)
		bpf_program__set_autoload(p, is_wanted(bpf_program__name(p), b->source));
	if (bpf_object__load(b->empty))
		die("the empty programs do not load");
}

static void attach_empty(struct bench *b)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, b->empty)
	{
		if (!bpf_program__autoload(p))
			continue;
		b->links[b->link_count] = bpf_program__attach(p);
		if (!b->links[b->link_count++])
			die("the empty programs do not attach");
	}
}

static void on_record(void *ctx, const struct pc_head *rec)
{
}

/* As the agent does with --pid of somebody else. */
static void load_agent(struct bench *b)
{
	const struct capture_options options = { .source = strcmp(b->source, "sock")
								   ? CAPTURE_SYSCALL
								   : CAPTURE_SOCK };
	const struct capture_scope scope = { .kinds = PC_SCOPE_BY_PROCESS };
	const struct reader_sink sink = { .record = on_record };
	struct capture_fds fds;
	const char *why = "";

	if (capture_new(&options, &b->capture, &why) || capture_set_scope(b->capture, &scope) ||
	    capture_attach(b->capture, &why))
		die(*why ? why : "the agent's programs do not load");
	capture_fds(b->capture, &fds);
	if (reader_new(&fds, &sink, &b->reader))
		die("no reader");
	reader_begin(b->reader, (uint32_t)getpid());
	if (capture_scan(b->capture) < 0)
		die("no scan");
}

static void drain(struct bench *b)
{
	while (reader_drain(b->reader, UINT64_MAX) > 0)
		;
}

static double measure(struct bench *b, enum phase phase)
{
	const char *why = "";
	double ns;

	if (phase == EMPTY)
		attach_empty(b);
	if (phase == AGENT && capture_attach(b->capture, &why))
		die(why);
	if (write(b->ask, "", 1) != 1 || read(b->answer, &ns, sizeof(ns)) != sizeof(ns))
		die("the child is gone");
	while (b->link_count)
		bpf_link__destroy(b->links[--b->link_count]);
	if (phase == AGENT) {
		capture_detach(b->capture);
		drain(b);
	}
	return ns;
}

static void start_child(struct bench *b)
{
	int ask[2], answer[2];
	pid_t child;

	if (pipe(ask) || pipe(answer))
		die("no pipe");
	child = fork();
	if (child < 0)
		die("no child");
	if (!child) {
		close(ask[1]);
		close(answer[0]);
		serve(b->what, ask[0], answer[1]);
	}
	if (b->watched && capture_set_process(b->capture, (uint32_t)child, PC_SCOPE_PINNED))
		die("the child cannot be watched");
	close(ask[0]);
	close(answer[1]);
	b->ask = ask[1];
	b->answer = answer[0];
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Median, and the quarters around it. */
static void tell(const char *name, double *ns, unsigned rounds)
{
	qsort(ns, rounds, sizeof(*ns), by_value);
	printf("%s %.2f %.2f %.2f\n", name, ns[rounds / 2], ns[rounds / 4], ns[rounds * 3 / 4]);
}

static void tell_difference(struct bench *b, const char *name, enum phase more, enum phase less,
			    unsigned rounds)
{
	static double ns[ROUNDS_MOST];

	for (unsigned i = 0; i < rounds; i++)
		ns[i] = b->ns[more][i] - b->ns[less][i];
	tell(name, ns, rounds);
}

static enum what what_of(const char *word)
{
	static const char *const words[] = { "getppid", "socket", "datagram", "loose" };

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i], word))
			return (enum what)i;
	die("getppid, socket, datagram or loose");
	return GETPPID;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 300;
	static struct bench b;

	if (argc < 4 || !rounds || rounds > ROUNDS_MOST)
		return 2;
	b.source = argv[1];
	b.what = what_of(argv[2]);
	b.watched = argc > 5;
	load_empty(&b, argv[3]);
	load_agent(&b);
	start_child(
		&b); /* its connection is made while the agent looks: judged, as one that is old */
	measure(&b, BARE);
	capture_detach(b.capture);
	for (unsigned i = 0; i < rounds; i++)
		for (unsigned turn = 0; turn < PHASES; turn++) {
			enum phase phase =
				(enum phase)((i + (i / PHASES % 2 ? turn : 2 * turn)) % PHASES);

			b.ns[phase][i] = measure(&b, phase);
		}
	tell_difference(&b, "agent-bare", AGENT, BARE, rounds);
	tell_difference(&b, "agent-empty", AGENT, EMPTY, rounds);
	tell_difference(&b, "empty-bare", EMPTY, BARE, rounds);
	tell("bare", b.ns[BARE], rounds);
	tell("empty", b.ns[EMPTY], rounds);
	tell("agent", b.ns[AGENT], rounds);
	close(b.ask);
	reader_free(b.reader);
	capture_free(b.capture);
	bpf_object__close(b.empty);
	return 0;
}
