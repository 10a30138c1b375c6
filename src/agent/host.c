/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.c: see host.h.
 */
#include "agent/host.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

/* First line of a file that begins with `key`, without key, quotes and newline. */
static void line_of(const char *path, const char *key, char *to, size_t room)
{
	char line[512];
	FILE *f = fopen(path, "re");

	to[0] = 0;
	if (!f)
		return;
	while (!to[0] && fgets(line, sizeof(line), f)) {
		char *value = line + strlen(key);

		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		value[strcspn(value, "\n")] = 0;
		if (*value == '"') {
			value++;
			value[strcspn(value, "\"")] = 0;
		}
		snprintf(to, room, "%s", value);
	}
	fclose(f);
}

void host_read(struct host *ret)
{
	struct utsname u = { 0 };

	uname(&u);
	snprintf(ret->name, sizeof(ret->name), "%s", u.nodename);
	line_of("/etc/machine-id", "", ret->id, sizeof(ret->id));
	line_of("/etc/os-release", "PRETTY_NAME=", ret->os_version, sizeof(ret->os_version));
	if (!ret->os_version[0])
		snprintf(ret->os_version, sizeof(ret->os_version), "%s", u.release);
}
