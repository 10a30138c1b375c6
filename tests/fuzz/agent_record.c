/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_record.c (fuzz): any bytes as a recording, through the reader and the whole core with NDJSON
 * switched on: no crash, no leak, and everything that came is accounted for.
 *
 * The input is what follows the page of text: with it in front, random bytes would seldom get far.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/recording.h"
#include "agent/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config *config;
static int sink_fd = -1;

static void set_up(void)
{
	static const char small[] = "limits: {connections: 64, stream_memory: 1MiB, "
				    "transactions: 64, transaction_memory: 1MiB, "
				    "path_templates: 8, processes: 16}\n"
				    "privacy: none\n";
	struct config_sources from = { .file = "f", .text = SLICE(small) };
	struct problems p = { 0 };

	if (config)
		return;
	sink_fd = open("/dev/null", O_WRONLY);
	assert(sink_fd >= 0 && !config_load(&from, &p, &config));
}

/* A file with a good page of text and these bytes behind it. */
static int recording_of(const uint8_t *data, size_t size)
{
	static char page[RECORDING_HEADER];
	int fd = memfd_create("fuzz", 0);

	if (!page[0]) {
		static const char path[] = "/tmp/parcours-fuzz-page";
		int made;

		assert(!recording_create(path, true, &made));
		close(made);
		made = open(path, O_RDONLY);
		assert(read(made, page, sizeof(page)) == sizeof(page));
		close(made);
		unlink(path);
	}
	assert(write(fd, page, sizeof(page)) == sizeof(page));
	assert(write(fd, data, size) == (ssize_t)size);
	assert(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static uint32_t no_figures(void *ctx, struct counter *ret, uint32_t max)
{
	return 0;
}

static void reconcile(const struct core *c)
{
	struct stream_stats stream;
	struct txn_stats txn;
	uint64_t closed = 0;

	stream_stats(c->stream, &stream);
	txn_stats(c->txn, &txn);
	for (size_t i = 0; i < 8; i++)
		closed += txn.closed[i];
	assert(txn.opened == closed + txn.open);
	assert(txn.open == 0);
	assert(stream.opened == stream.closed && stream.connections == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct core_outside outside = { .ndjson_fd = -1, .console_fd = -1, .patient = true };
	struct recording *r;
	const struct pc_head *rec;
	const char *why = NULL;
	struct core *core;
	int fd, got;

	set_up();
	fd = recording_of(data, size);
	outside.config = config;
	outside.ndjson_fd = sink_fd;
	outside.figures = no_figures;
	assert(!core_new(&outside, &core));
	assert(!recording_open(fd, &r, &why));
	while ((got = recording_next(r, &rec, &why)) > 0)
		core_push(core, rec);
	assert(got == 0 || why);
	core_finish(core, 0);
	reconcile(core);
	core_free(core);
	recording_close(r);
	close(fd);
	return 0;
}
