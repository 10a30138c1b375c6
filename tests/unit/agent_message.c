/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_message.c: messages between warden and brain: whole or not at all, descriptors with them, no
 * waiting, and nothing that is not a message of ours gets through.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/message.h"

static int ends[2];

static int connect_ends(void **state)
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

static int disconnect(void **state)
{
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void there_and_back(void **state)
{
	struct message sent = { .kind = MESSAGE_WHO, .tgid = 7, .start_ns = 9 };
	struct message got;
	int fds[MESSAGE_FDS];

	memcpy(sent.who.exe, "/bin/x", 7);
	assert_int_equal(message_receive(ends[1], &got, fds), -EAGAIN);
	assert_int_equal(message_send(ends[0], &sent, NULL, 0), 0);
	assert_int_equal(message_receive(ends[1], &got, fds), 0);
	assert_memory_equal(&sent, &got, sizeof(got));
	assert_int_equal(fds[0], -1);
	assert_int_equal(message_receive(ends[1], &got, fds), -EAGAIN);
}

static void descriptors(void **state)
{
	const struct message sent = { .kind = MESSAGE_RELOAD };
	int mine[2] = { memfd_create("a", 0), memfd_create("b", 0) };
	struct message got;
	int fds[MESSAGE_FDS];

	assert_int_equal(write(mine[1], "hello", 5), 5);
	assert_int_equal(message_send(ends[0], &sent, mine, 2), 0);
	close(mine[0]);
	close(mine[1]);
	assert_int_equal(message_receive(ends[1], &got, fds), 0);
	assert_true(fds[0] >= 0 && fds[1] >= 0);
	assert_int_equal(lseek(fds[1], 0, SEEK_END), 5);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	close(fds[0]);
	close(fds[1]);
}

static unsigned open_fds(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* A brain that was taken over may send anything. */
static void nonsense(void **state)
{
	struct message sent = { .kind = MESSAGE_END };
	char bytes[sizeof(struct message) + 100] = { 1 };
	struct message got;
	int fds[MESSAGE_FDS];
	int mine = memfd_create("a", 0);
	unsigned before = open_fds();

	assert_int_equal(message_send(ends[0], &sent, &mine, 1), 0);
	assert_int_equal(message_receive(ends[1], &got, fds), -EPROTO);
	sent.kind = 0;
	assert_int_equal(message_send(ends[0], &sent, NULL, 0), 0);
	assert_int_equal(message_receive(ends[1], &got, fds), -EPROTO);
	assert_int_equal(send(ends[0], bytes, sizeof(bytes), 0), sizeof(bytes));
	assert_int_equal(message_receive(ends[1], &got, fds), -EPROTO);
	assert_int_equal(send(ends[0], bytes, 8, 0), 8);
	assert_int_equal(message_receive(ends[1], &got, fds), -EPROTO);
	assert_int_equal(open_fds(), before); /* what came with it was closed */
	close(mine);
}

static void the_other_is_gone(void **state)
{
	const struct message sent = { .kind = MESSAGE_READY };
	struct message got;
	int fds[MESSAGE_FDS];

	close(ends[0]);
	assert_int_equal(message_receive(ends[1], &got, fds), -EPIPE);
	assert_int_equal(message_send(ends[1], &sent, NULL, 0), -EPIPE);
	ends[0] = dup(ends[1]);
}

static void full(void **state)
{
	const struct message sent = { .kind = MESSAGE_LOOK };
	struct message got;
	int fds[MESSAGE_FDS];
	unsigned n = 0;
	int err;

	while ((err = message_send(ends[0], &sent, NULL, 0)) == 0)
		n++;
	assert_int_equal(err, -EAGAIN);
	assert_true(n > 16);
	while (message_receive(ends[1], &got, fds) == 0)
		n--;
	assert_int_equal(n, 0);
	assert_int_equal(message_send(ends[0], &sent, NULL, 0), 0);
}

#define M(test) cmocka_unit_test_setup_teardown(test, connect_ends, disconnect)

UNIT_MAIN(M(there_and_back), M(descriptors), M(nonsense), M(the_other_is_gone), M(full))
