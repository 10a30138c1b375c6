/* SPDX-License-Identifier: Apache-2.0 */
/*
 * empty.c: loads empty.bpf.o, attaches the programs on the hooks of one source, says `ready` and waits
 * for a signal.
 *
 *   empty OBJECT sock|syscall
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

/* Does the source use this hook? What neither list names belongs to both. */
static bool wanted(const char *program, const char *source)
{
	static const char *const sock[] = { "on_sock_send_length", "on_sock_recv_length", NULL };
	static const char *const calls[] = { "on_sys_exit", "on_tcp_rcv_space_adjust", NULL };

	return !is_one_of(program, strcmp(source, "syscall") ? calls : sock);
}

int main(int argc, char **argv)
{
	struct bpf_object *object = argc == 3 ? bpf_object__open(argv[1]) : NULL;
	struct bpf_program *program;

	if (!object)
		return 2;
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, wanted(bpf_program__name(program), argv[2]));
	if (bpf_object__load(object))
		return 1;
	bpf_object__for_each_program(program, object) if (bpf_program__autoload(program) &&
							  !bpf_program__attach(program)) return 1;
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
