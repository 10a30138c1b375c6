/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal.c: what the console view may do with standard output: show anything, use colours, and how wide
 * it is. Asked once at the start, by the brain and by `replay`; a pipe or a file gets neither colour nor
 * width. A size of zero is what a serial line says: no width.
 */
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/wire.h"

void terminal_open(const struct config *c, struct core_outside *ret)
{
	bool terminal = isatty(STDOUT_FILENO);
	struct winsize size = { 0 };

	ret->console_fd = c->console ? STDOUT_FILENO : -1;
	ret->console_show = (enum console_show)c->console;
	ret->console_color = c->color == COLOR_ALWAYS || (c->color == COLOR_AUTO && terminal);
	if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		ret->console_width = size.ws_col;
}
