/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup.c: asks the resolver of the C library it is linked with for each name on standard input, and says "ok",
 * or "failed". lookup NAME... : for these, without reading any.
 */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void look_up(const char *name)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;

	if (getaddrinfo(name, "80", &hints, &found)) {
		puts("failed");
	} else {
		freeaddrinfo(found);
		puts("ok");
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[512];

	for (int i = 1; i < argc; i++)
		look_up(argv[i]);
	while (argc == 1 && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		look_up(line);
	}
	return 0;
}
