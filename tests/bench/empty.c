/* SPDX-License-Identifier: Apache-2.0 */
/*
 * empty.c: loads empty.bpf.o, attaches either its socket programs or its sys_exit program, says `ready`
 * and waits for a signal.
 *
 *   empty OBJECT sock|syscall
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct bpf_object *object = argc == 3 ? bpf_object__open(argv[1]) : NULL;
	struct bpf_program *program;
	bool syscall_source = argc == 3 && !strcmp(argv[2], "syscall");

	if (!object)
		return 2;
	bpf_object__for_each_program(program, object)
	{
		bool is_syscall = !strcmp(bpf_program__name(program), "on_sys_exit");

		bpf_program__set_autoload(program, is_syscall == syscall_source);
	}
	if (bpf_object__load(object))
		return 1;
	bpf_object__for_each_program(program, object) if (bpf_program__autoload(program) &&
							  !bpf_program__attach(program)) return 1;
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
