/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c: defaults, then file, environment and command line on top, then what can only be judged
 * when all is known. Run by `check` (any user), by `run` before it does anything, and again by both
 * processes at a reload.
 */
#include "agent/config/setting.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "session/who.h"

#define ARENA_BYTES (16 * 1024 * 1024)

static void set_defaults(struct config *c)
{
	c->ring_bytes = 8 << 20;
	c->control_ring_bytes = 4 << 20;
	c->data_rings = 1;
	c->capture_connections = 65536;
	c->stats_interval_ns = 10000000000;
	c->log_level = LOG_INFO;
	c->otlp.timeout_ns = 10000000000;
	c->otlp.compression = 1;
	c->traces.enabled = c->metrics.enabled = c->logs.enabled = true;
	c->traces.compression = c->metrics.compression = c->logs.compression = -1;
	c->metric_interval_ns = 60000000000;
	c->batch_delay_ns = 500000000;
	c->batch_bytes = 512 << 10;
	c->queue_bytes = 16 << 20;
	c->drain_ns = 5000000000;
	c->sampler = NAME_PARENT_ON;
	c->ratio = 1;
	c->keep_errors = true;
	c->connections = 65536;
	c->stream_bytes = 16 << 20;
	c->transactions = 65536;
	c->transaction_bytes = 32 << 20;
	c->templates = 1000;
	c->processes = 16384;
	c->metric_series = 2000;
	c->visits = 100000;
	c->carts = 100000;
	c->cart_bytes = 64 << 20;
	c->session_timeout_ns = 30ull * 60 * 1000000000;
}

static const struct origin *origin_by_key(const struct config *c, const char *key)
{
	return &c->origin[setting_find(key) - settings];
}

static void check_signal(const struct config *c, struct problems *p, const char *name,
			 const struct signal_config *s)
{
	if (!s->client_certificate != !s->client_key)
		problem_error(p, NULL, "%s: client_certificate and client_key go together", name);
}

/* A setting that the sampler leaves without effect was meant otherwise; not where a variable or an
 * option switched off what the file has. */
static void check_sampling(const struct config *c, struct problems *p)
{
	static const char *const keep[] = { "sampling.keep_errors", "sampling.keep_slow" };
	bool ratio = c->sampler == NAME_RATIO || c->sampler == NAME_PARENT_RATIO;
	bool off = c->sampler == NAME_OFF || c->sampler == NAME_PARENT_OFF;
	const bool on[] = { c->keep_errors, c->keep_slow_ns > 0 };

	if (!ratio && origin_by_key(c, "sampling.ratio")->level != LEVEL_DEFAULT)
		problem_warn(p, origin_by_key(c, "sampling.ratio"),
			     "sampling.ratio has no effect with this sampling.sampler");
	for (unsigned i = 0; i < 2; i++)
		if (off && on[i] &&
		    origin_by_key(c, keep[i])->level >= origin_by_key(c, "sampling.sampler")->level)
			problem_warn(
				p, origin_by_key(c, keep[i]),
				"%s has no effect with an always_off sampler; for nothing else "
				"than these spans use traceidratio with ratio 0",
				keep[i]);
}

/* Who follows customers says on what ground. On the command line it is somebody's trial. */
static void check_privacy(const struct config *c, struct problems *p)
{
	static const char text[] =
		"privacy customer follows people over months: say on what ground in "
		"privacy.legal_basis (share/privacy.md)";
	const struct origin *o = origin_by_key(c, "privacy.mode");

	if (c->privacy != PRIVACY_CUSTOMER || (c->legal_basis && *c->legal_basis))
		return;
	if (o->level == LEVEL_FILE)
		problem_error(p, o, text);
	else
		problem_warn(p, o, text);
}

/* Whoever reads what is exported is told it. */
static int state_legal_basis(struct config *c)
{
	static const char name[] = "parcours.privacy.legal_basis=";
	size_t len = c->legal_basis ? strlen(c->legal_basis) : 0;
	char *entry;

	if (c->privacy != PRIVACY_CUSTOMER || !len)
		return 0;
	entry = arena_alloc(&c->arena, sizeof(name) + len);
	if (!entry)
		return -ENOMEM;
	memcpy(entry, name, sizeof(name) - 1);
	memcpy(entry + sizeof(name) - 1, c->legal_basis, len + 1);
	return strings_add(c, &c->resource, entry);
}

static void check_whole(const struct config *c, struct problems *p)
{
	struct trust trust;

	if (c->console && c->ndjson && strcmp(c->ndjson, "-") == 0)
		problem_error(p, origin_by_key(c, "output.ndjson"),
			      "output.ndjson: \"-\" and the console view would share standard "
			      "output; name a file for one of them");
	if (c->ndjson && !*c->ndjson)
		problem_error(p, origin_by_key(c, "output.ndjson"), "output.ndjson: empty path");
	if (c->cgroups.count > PC_CGROUPS)
		problem_error(p, origin_by_key(c, "scope.cgroups"),
			      "scope.cgroups: %u given, at most %d are possible", c->cgroups.count,
			      PC_CGROUPS);
	if (trust_read(&trust, c->trusted_proxies.at))
		problem_error(p, origin_by_key(c, "client.trusted_proxies"),
			      "client.trusted_proxies: more than %d networks", TRUST_NETS);
	if (c->touchpoints.count + c->classes.count > RULES_MAX)
		problem_error(p, origin_by_key(c, "segment.classes"),
			      "segment: more than %d conditions", RULES_MAX);
	check_sampling(c, p);
	check_privacy(c, p);
	if (c->stream_bytes / 4 < HEAD_BYTES)
		problem_error(p, origin_by_key(c, "limits.stream_memory"),
			      "limits.stream_memory is too small for a few heads of 64 KiB");
	check_signal(c, p, "otlp", &c->otlp);
	check_signal(c, p, "otlp.traces", &c->traces);
	check_signal(c, p, "otlp.metrics", &c->metrics);
	check_signal(c, p, "otlp.logs", &c->logs);
}

/* "OTLP Exporter Configuration": a signal's own endpoint is used as it is, the common one is a base. */
static const char *signal_url(struct config *c, const struct signal_config *s, const char *path)
{
	const char *base = c->otlp_endpoint;
	struct slice root = slice_str(base);
	char *url;

	if (c->otlp_disabled || !s->enabled)
		return NULL;
	if (s->endpoint || !base)
		return s->endpoint;
	while (root.len && root.at[root.len - 1] == '/')
		root.len--;
	url = arena_alloc(&c->arena, root.len + strlen(path) + 1);
	if (!url)
		return NULL;
	memcpy(url, root.at, root.len);
	memcpy(url + root.len, path, strlen(path) + 1);
	return url;
}

/* What a signal does not say itself, it takes from the common part. */
static void inherit(const struct signal_config *common, struct signal_config *s)
{
	if (!s->headers.count)
		s->headers = common->headers;
	if (!s->timeout_ns)
		s->timeout_ns = common->timeout_ns;
	if (s->compression < 0)
		s->compression = common->compression;
	if (!s->certificate)
		s->certificate = common->certificate;
	if (!s->client_certificate)
		s->client_certificate = common->client_certificate;
	if (!s->client_key)
		s->client_key = common->client_key;
}

int config_load(const struct config_sources *from, struct problems *p, struct config **ret)
{
	struct config *c = calloc(1, sizeof(*c));
	uint32_t errors = p->errors;

	if (!c)
		return -ENOMEM;
	arena_pool_init(&c->pool, 16384, ARENA_BYTES);
	arena_init(&c->arena, &c->pool);
	set_defaults(c);
	if (from->file)
		yaml_apply(c, p, from->file, from->text);
	if (from->environ)
		env_apply(c, p, from->environ);
	for (uint32_t i = 0; i < from->option_count; i++) {
		struct origin o = { LEVEL_OPTION, from->options[i].option, 0 };

		setting_apply_key(c, p, from->options[i].key, &o, from->options[i].value);
	}
	if (state_legal_basis(c))
		problem_error(p, NULL, "the configuration is too large");
	inherit(&c->otlp, &c->traces);
	inherit(&c->otlp, &c->metrics);
	inherit(&c->otlp, &c->logs);
	check_whole(c, p);
	c->traces.url = signal_url(c, &c->traces, "/v1/traces");
	c->metrics.url = signal_url(c, &c->metrics, "/v1/metrics");
	c->logs.url = signal_url(c, &c->logs, "/v1/logs");
	if (p->errors != errors) {
		config_free(c);
		return -EINVAL;
	}
	*ret = c;
	return 0;
}

struct config *config_hold(const struct config *c)
{
	struct config *owned = (struct config *)c; /* only the count changes */

	owned->references++;
	return owned;
}

void config_free(struct config *c)
{
	if (!c || c->references-- > 0)
		return;
	arena_clear(&c->arena);
	arena_pool_done(&c->pool);
	free(c);
}

int config_read(const char *path, struct buf *ret_text)
{
	struct stat st;
	ssize_t n = 0;
	int err = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || S_ISDIR(st.st_mode)) {
		err = -EISDIR;
		goto out;
	}
	for (;;) {
		if (ret_text->len > CONFIG_FILE_BYTES) {
			err = -EFBIG;
			goto out;
		}
		err = buf_reserve(ret_text, 65536);
		if (err)
			goto out;
		n = read(fd, ret_text->at + ret_text->len, 65536);
		if (n <= 0)
			break;
		ret_text->len += (size_t)n;
	}
	err = n < 0 ? -errno : 0;
out:
	close(fd);
	return err;
}

bool config_is_scoped(const struct config *c)
{
	return c->pids.count || c->ports.count || c->executables.count || c->cgroups.count;
}

bool config_glob(const char *glob, const char *path)
{
	const char *name = path;

	if (!*path)
		return false;
	if (!strchr(glob, '/')) {
		const char *slash = strrchr(path, '/');

		name = slash ? slash + 1 : path;
	}
	return fnmatch(glob, name, 0) == 0;
}
