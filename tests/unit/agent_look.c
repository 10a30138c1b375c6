/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_look.c: what /proc says of a process, on fixture trees: names, container and unit from the
 * cgroup, the service name, and a pid that was used again.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/warden/look.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct fixture {
	const char *exe, *stat, *cgroup, *comm, *status;
	const char *args, *environ; /* '|' stands for NUL */
};

static char root[64];

static void put(const char *name, const char *text, bool bars)
{
	char path[128];
	FILE *f;

	if (!text)
		return;
	snprintf(path, sizeof(path), "%s/7/%s", root, name);
	f = fopen(path, "w");
	assert_non_null(f);
	for (; *text; text++)
		fputc(bars && *text == '|' ? 0 : *text, f);
	fclose(f);
}

static void plant(const struct fixture *fix)
{
	char path[128];

	snprintf(root, sizeof(root), "/tmp/parcours-unit-XXXXXX");
	assert_non_null(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/7", root);
	assert_int_equal(mkdir(path, 0755), 0);
	put("stat",
	    fix->stat ? fix->stat : "7 (a b) c) S 3 7 7 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 250 9 9",
	    false);
	put("cgroup", fix->cgroup, false);
	put("comm", fix->comm, false);
	put("status", fix->status, false);
	put("cmdline", fix->args, true);
	put("environ", fix->environ, true);
	snprintf(path, sizeof(path), "%s/7/exe", root);
	if (fix->exe)
		assert_int_equal(symlink(fix->exe, path), 0);
}

static void uproot(void)
{
	static const char *const names[] = { "stat",	"cgroup",  "comm", "status",
					     "cmdline", "environ", "exe",  "" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/7/%s", root, names[i]);
		remove(path);
	}
	rmdir(root);
}

static void whole(void **state)
{
	const struct fixture fix = {
		.exe = "/usr/sbin/nginx (deleted)",
		.comm = "nginx\n",
		.status = "Name:\tnginx\nUmask:\t0022\nUid:\t33\t33\t33\t33\n",
		.cgroup = "1:name=systemd:/\n0::/system.slice/nginx.service\n",
		.args = "nginx: worker process|",
		.environ = "PATH=/bin|SECRET=x|",
	};
	struct pc_who who;

	plant(&fix);
	assert_u64(look_start_ns(root, 7), 2500000000);
	assert_int_equal(look_parent(root, 7), 3);
	assert_int_equal(look_at(root, 7, 2500000000, &who), 0);
	assert_int_equal(who.head.kind, PC_WHO);
	assert_int_equal(who.head.size, sizeof(who));
	assert_int_equal(who.tgid, 7);
	assert_int_equal(who.uid, 33);
	assert_string_equal(who.exe, "/usr/sbin/nginx");
	assert_string_equal(who.comm, "nginx");
	assert_string_equal(who.unit, "nginx.service");
	assert_string_equal(who.service, "nginx");
	assert_string_equal(who.cgroup, "/system.slice/nginx.service");
	assert_string_equal(who.container, "");
	uproot();
}

static void used_again(void **state)
{
	const struct fixture fix = { .exe = "/bin/sh" };
	struct pc_who who;

	plant(&fix);
	assert_int_equal(look_at(root, 7, 0, &who), 0);
	assert_u64(who.start_ns, 2500000000);
	/* /proc counts in 10 ms; the kernel's time has all its digits */
	assert_int_equal(look_at(root, 7, 2507654321, &who), 0);
	assert_u64(who.start_ns, 2507654321);
	assert_int_equal(look_at(root, 7, 2400000000, &who), -ESRCH);
	assert_int_equal(look_at(root, 7, 2600000000, &who), -ESRCH);
	assert_int_equal(look_at(root, 8, 0, &who), -ESRCH);
	uproot();
}

static void damaged_stat(void **state)
{
	static const char *const bad[] = {
		"7 (x",	   "7 (x)", "7 (x) S 1 2",
		"7 (x) S", "",	    "7 (x) S 3 7 7 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 x"
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct fixture fix = { .stat = bad[i] };
		struct pc_who who;

		plant(&fix);
		assert_u64(look_start_ns(root, 7), 0);
		assert_int_equal(look_at(root, 7, 0, &who), -ESRCH);
		uproot();
	}
}

static void names_fit(void **state)
{
	char path[600], args[900];
	struct fixture fix = { .exe = path, .args = args, .environ = args };
	struct pc_who who;

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = 0;
	memset(args, 'y', sizeof(args));
	memcpy(args, "OTEL_SERVICE_NAME=", 18);
	args[sizeof(args) - 1] = 0;
	plant(&fix);
	assert_int_equal(look_at(root, 7, 0, &who), 0);
	assert_int_equal(strlen(who.exe), sizeof(who.exe) - 1);
	assert_string_equal(who.args, "");
	assert_int_equal(strlen(who.service), sizeof(who.service) - 1);
	uproot();
}

static void cgroups(void **state)
{
	static const struct {
		const char *text, *path, *container, *unit;
	} cases[] = {
		{ "0::/\n", "/", "", "" },
		{ "0::/system.slice/docker-" ID ".scope\n", NULL, ID, "" },
		{ "0::/docker/" ID "\n", NULL, ID, "" },
		{ "12:cpu:/docker/x\n1:name=systemd:/docker/" ID "\n0::/\n", "/", ID, "" },
		{ "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-pod1.slice/"
		  "cri-containerd-" ID ".scope\n",
		  NULL, ID, "" },
		{ "0::/kubepods/burstable/pod7/" ID "\n", NULL, ID, "" },
		{ "0::/system.slice/containerd.service/kubepods-x.slice:cri-containerd:" ID "\n",
		  NULL, ID, "" },
		{ "0::/machine.slice/libpod-" ID ".scope/container\n", NULL, ID, "" },
		{ "0::/machine.slice/libpod-conmon-" ID ".scope\n", NULL, "", "" },
		{ "0::/kubepods.slice/crio-" ID ".scope\n", NULL, ID, "" },
		{ "0::/system.slice/x" ID "0\n", NULL, "", "" },
		{ "0::/system.slice/system-php.slice/php@8.2.service\n", NULL, "",
		  "php@8.2.service" },
		{ "0::/user.slice/user-1000.slice/user@1000.service/app.slice/shop.service\n", NULL,
		  "", "shop.service" },
		{ "0::/user.slice/user-1000.slice/user@1000.service/session.slice\n", NULL, "",
		  "" },
		{ "", "", "", "" },
		{ "garbage", "", "", "" },
		{ ":::::\n0", "", "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cgroup_names n = cgroup_parse(slice_str(cases[i].text));

		if (cases[i].path)
			assert_true(slice_eq(n.path, slice_str(cases[i].path)));
		if (!slice_eq(n.container, slice_str(cases[i].container)) ||
		    !slice_eq(n.unit, slice_str(cases[i].unit)))
			print_error("case %zu: container %.*s, unit %.*s\n", i,
				    (int)n.container.len, n.container.at, (int)n.unit.len,
				    n.unit.at);
		assert_true(slice_eq(n.container, slice_str(cases[i].container)));
		assert_true(slice_eq(n.unit, slice_str(cases[i].unit)));
	}
}

static void services(void **state)
{
	static const struct {
		const char *exe, *args; /* '|' = NUL */
		const char *unit, *container, *declared, *want;
	} cases[] = {
		{ "/usr/sbin/nginx", "nginx|", "", "", "", "nginx" },
		{ "/usr/sbin/nginx", "nginx|", "web.service", "", "", "web" },
		{ "/usr/sbin/nginx", "nginx|", "docker.service", ID, "", "nginx" },
		{ "/usr/sbin/nginx", "nginx|", "web.service", "", "named", "named" },
		{ "/usr/bin/python3.11", "python3|/srv/shop/app.py|", "", "", "", "shop" },
		{ "/usr/bin/python3.11", "python3|-u|-W|ignore|pay.py|x.py|", "", "", "", "pay" },
		{ "/usr/bin/python3.11", "python3|-m|http.server|80|", "", "", "", "http.server" },
		{ "/usr/bin/python3.11", "python3|-c|import x|", "", "", "", "python3.11" },
		{ "/usr/bin/python3.11", "/usr/bin/python3|/usr/bin/gunicorn|a:b|", "", "", "",
		  "gunicorn" },
		{ "/usr/bin/python3.11", "python3|", "", "", "", "python3.11" },
		{ "/opt/node/bin/node", "node|--require|x|/srv/cart/server.js|", "", "", "",
		  "cart" },
		{ "/opt/node/bin/node", "node|/srv/cart/dist/index.js|", "", "", "", "cart" },
		{ "/opt/node/bin/node", "node|index.js|", "", "", "", "index" },
		{ "/usr/lib/jvm/bin/java", "java|-Xmx1g|-jar|/opt/orders-1.2.jar|--x|", "", "", "",
		  "orders-1.2" },
		{ "/usr/lib/jvm/bin/java", "java|-cp|/a.jar:/b.jar|org.example.Shop|", "", "", "",
		  "Shop" },
		{ "/usr/lib/jvm/bin/java", "java|-cp|/a.jar|org.example.shop.Main|", "", "", "",
		  "shop.Main" },
		{ "/usr/sbin/php-fpm8.2", "php-fpm: pool www|", "", "", "", "php-fpm8.2" },
		{ "/usr/bin/ruby3.1", "ruby|bin/rails.rb|", "", "", "", "rails" },
		{ "", "", "", "", "", "" },
		{ "/usr/bin/java", "", "", "", "", "java" },
		{ "/usr/bin/node", "node|/|", "", "", "", "node" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char args[256], name[64];
		struct look_facts f = { .exe = slice_str(cases[i].exe),
					.unit = slice_str(cases[i].unit),
					.container = slice_str(cases[i].container),
					.declared = slice_str(cases[i].declared) };
		size_t len = strlen(cases[i].args);

		memcpy(args, cases[i].args, len + 1);
		for (size_t b = 0; b < len; b++)
			if (args[b] == '|')
				args[b] = 0;
		f.args = slice_of(args, len);
		service_name(&f, name, sizeof(name));
		if (strcmp(name, cases[i].want) != 0)
			print_error("case %zu: %s, want %s\n", i, name, cases[i].want);
		assert_string_equal(name, cases[i].want);
	}
}

static void itself(void **state)
{
	struct pc_who who;
	char exe[PC_PATH + 1];

	assert_int_equal(look_at("/proc", (uint32_t)getpid(), 0, &who), 0);
	assert_int_equal(who.uid, getuid());
	assert_non_null(strstr(who.exe, "agent_look"));
	assert_true(look_exe("/proc", (uint32_t)getpid(), exe, sizeof(exe)));
	assert_int_equal(look_parent("/proc", (uint32_t)getpid()), getppid());
}

UNIT_MAIN(T(whole), T(used_again), T(damaged_stat), T(names_fit), T(cgroups), T(services),
	  T(itself))
