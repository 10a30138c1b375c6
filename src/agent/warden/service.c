/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.c: names for people. Where a process belongs (cgroup → container, systemd unit) and what it
 * should be called when nobody configured a name. Pure: text in, slices out.
 */
#include "agent/warden/look.h"

#define CONTAINER_ID 64

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/*
 * Docker: docker-ID.scope or /docker/ID. containerd: cri-containerd-ID.scope, or …:cri-containerd:ID.
 * CRI-O: crio-ID.scope. Podman: libpod-ID.scope, with libpod-conmon-ID.scope for its monitor, which is
 * not in the container. All: 64 hexadecimal digits that stand alone in one component.
 */
static struct slice container_of(struct slice part)
{
	size_t run = 0;

	if (slice_find_slice(part, SLICE("conmon")) >= 0)
		return slice_of(NULL, 0);
	for (size_t i = 0; i <= part.len; i++) {
		if (i < part.len && is_hex(part.at[i])) {
			run++;
			continue;
		}
		if (run == CONTAINER_ID)
			return slice_of(part.at + i - run, run);
		run = 0;
	}
	return slice_of(NULL, 0);
}

static void parse_path(struct slice path, struct cgroup_names *ret)
{
	struct slice rest = path;

	while (rest.at) {
		struct slice part = slice_next(&rest, '/');
		struct slice container = container_of(part);

		if (container.len)
			ret->container = container;
		/* user@1000.service holds a whole session, not one service */
		if (slice_ends(part, SLICE(".service")) && !slice_starts(part, SLICE("user@")))
			ret->unit = part;
	}
	if (ret->container.len)
		ret->unit = slice_of(NULL, 0); /* of the engine, not of what runs in it */
}

struct cgroup_names cgroup_parse(struct slice text)
{
	struct cgroup_names ret = { 0 };
	struct slice systemd = { 0 };

	while (text.at) {
		struct slice line = slice_next(&text, '\n');
		struct slice id = slice_next(&line, ':');
		struct slice controllers = slice_next(&line, ':');

		if (slice_eq(id, SLICE("0")) && !controllers.len)
			ret.path = line;
		else if (slice_eq(controllers, SLICE("name=systemd")))
			systemd = line;
	}
	parse_path(ret.path, &ret);
	if (!ret.container.len && !ret.unit.len)
		parse_path(systemd, &ret);
	return ret;
}

static struct slice base_name(struct slice path)
{
	for (size_t i = path.len; i > 0; i--)
		if (path.at[i - 1] == '/')
			return slice_sub(path, i, path.len);
	return path;
}

static struct slice without(struct slice s, struct slice suffix)
{
	if (slice_ends(s, suffix) && s.len > suffix.len)
		s.len -= suffix.len;
	return s;
}

/* Names that say nothing: the directory above says more (/srv/shop/index.js → shop). */
static bool says_nothing(struct slice name)
{
	static const char *const dull[] = { "index",  "main", "app", "server", "start", "__main__",
					    "manage", "wsgi", "run", "dist",   "src",	"build" };

	for (size_t i = 0; i < sizeof(dull) / sizeof(dull[0]); i++)
		if (slice_eq(name, slice_str(dull[i])))
			return true;
	return false;
}

static struct slice script_name(struct slice path)
{
	static const char *const endings[] = { ".jar", ".war", ".py", ".js",  ".mjs",
					       ".cjs", ".ts",  ".rb", ".php", ".pl" };
	struct slice first = { 0 };

	/* at most three steps up */
	for (int step = 0; step < 3 && path.len; step++) {
		struct slice name = base_name(path);

		for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
			name = without(name, slice_str(endings[i]));
		if (!first.len)
			first = name;
		if (!says_nothing(name) && name.len)
			return name;
		path.len -= base_name(path).len;
		while (path.len && path.at[path.len - 1] == '/')
			path.len--;
	}
	return first;
}

/* Options of an interpreter whose value is the next argument. */
static bool takes_value(struct slice arg, bool java)
{
	static const char *const of_java[] = { "-cp", "-classpath",    "--class-path",
					       "-p",  "--module-path", "--add-modules" };
	static const char *const of_others[] = { "-r", "--require", "--import", "--loader",
						 "-W", "-X",	    "-I" };
	const char *const *list = java ? of_java : of_others;
	size_t n = java ? sizeof(of_java) / sizeof(of_java[0])
			: sizeof(of_others) / sizeof(of_others[0]);

	for (size_t i = 0; i < n; i++)
		if (slice_eq(arg, slice_str(list[i])))
			return true;
	return false;
}

/* What an interpreter was told to run; empty when it cannot be told. */
static struct slice program_of(struct slice args, bool java)
{
	slice_next(&args, 0); /* the interpreter itself */
	while (args.at && args.len) {
		struct slice arg = slice_next(&args, 0);

		if (slice_eq(arg, SLICE("-jar")) || slice_eq(arg, SLICE("-m")) ||
		    slice_eq(arg, SLICE("--module")))
			return slice_next(&args, 0);
		if (slice_eq(arg, SLICE("-c")) || slice_eq(arg, SLICE("-e")) ||
		    slice_eq(arg, SLICE("-")))
			return slice_of(NULL, 0);
		if (takes_value(arg, java))
			slice_next(&args, 0);
		else if (arg.len && arg.at[0] != '-')
			return arg;
	}
	return slice_of(NULL, 0);
}

/* org.example.shop.Main → shop.Main says more than Main; a module path is kept as it is. */
static struct slice class_name(struct slice name)
{
	struct slice last = name;
	size_t dots = 0;

	for (size_t i = name.len; i > 0; i--) {
		if (name.at[i - 1] != '.')
			continue;
		last = slice_sub(name, i, name.len);
		if (++dots == 2 || !slice_ieq(last, SLICE("Main")))
			break;
	}
	return last;
}

static struct slice interpreted(const struct look_facts *f, struct slice executable)
{
	static const char *const interpreters[] = { "python", "node", "nodejs", "ruby",
						    "perl",   "php",  "bun",	"deno" };
	struct slice program = { 0 };

	if (slice_eq(executable, SLICE("java"))) {
		program = program_of(f->args, true);
		return slice_ends(program, SLICE(".jar")) || slice_find(program, '/') >= 0
			       ? script_name(program)
			       : class_name(program);
	}
	for (size_t i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++) {
		struct slice name = slice_str(interpreters[i]);

		/* python3.11, ruby3.1, php8.2; not php-fpm8.2 */
		if (slice_starts(executable, name) &&
		    (executable.len == name.len ||
		     (executable.at[name.len] >= '0' && executable.at[name.len] <= '9')))
			program = program_of(f->args, false);
	}
	return script_name(program);
}

void service_name(const struct look_facts *f, char *ret, size_t room)
{
	struct slice executable = base_name(f->exe);
	struct slice name = f->declared;
	size_t n;

	if (!name.len && !f->container.len)
		name = without(f->unit, SLICE(".service"));
	if (!name.len)
		name = interpreted(f, executable);
	if (!name.len)
		name = executable;
	n = name.len < room - 1 ? name.len : room - 1;
	if (n)
		memcpy(ret, name.at, n);
	memset(ret + n, 0, room - n);
}
