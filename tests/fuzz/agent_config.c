/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_config.c (fuzz): any text as configuration file, and its first line as OTEL_* variables: no
 * crash, no leak, no endless work; an error has a line, and what is accepted is within its bounds.
 */
#include <assert.h>
#include <stdlib.h>

#include "agent/config/setting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void say(void *ctx, bool error, const char *line)
{
	/* a terminal must not act on it */
	for (; *line; line++)
		assert((unsigned char)*line >= ' ' && *line != 0x7f);
}

static void check(const struct config *c)
{
	assert(!(c->ring_bytes & (c->ring_bytes - 1)));
	assert(c->data_rings >= 1 && c->data_rings <= CAPTURE_DATA_RINGS);
	assert(c->ratio >= 0 && c->ratio <= 1);
	assert(c->privacy >= PRIVACY_AUDIENCE && c->privacy <= PRIVACY_NONE);
	assert(c->cgroups.count <= PC_CGROUPS);
	for (uint32_t i = 0; i < c->ports.count; i++)
		assert(c->ports.at[i] >= 1 && c->ports.at[i] <= 65535);
	if (c->traces.headers.at)
		assert(!c->traces.headers.at[c->traces.headers.count]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {
		"OTEL_RESOURCE_ATTRIBUTES=", "OTEL_EXPORTER_OTLP_HEADERS=",
		"OTEL_TRACES_SAMPLER_ARG=", "OTEL_EXPORTER_OTLP_TIMEOUT=",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="
	};
	char variables[6][512];
	char *environ[7] = { variables[0], variables[1], variables[2], variables[3],
			     variables[4], variables[5], NULL };
	struct problems p = { .say = say };
	struct config_sources from = { .file = "f", .environ = environ };
	struct config *c;
	size_t line = 0;
	int err;

	from.text = slice_of(data, size);
	while (line < size && data[line] && data[line] != '\n' && line < 256)
		line++;
	for (size_t i = 0; i < 5; i++)
		snprintf(variables[i], sizeof(variables[i]), "%s%.*s", names[i],
			 data[0] == '#' ? (int)line - 1 : 0, size ? (const char *)data + 1 : "");
	snprintf(variables[5], sizeof(variables[5]), "OTEL_TRACES_SAMPLER=traceidratio");
	err = config_load(&from, &p, &c);
	assert(err ? p.errors > 0 : p.errors == 0);
	if (!err) {
		check(c);
		config_free(c);
	}
	return 0;
}
