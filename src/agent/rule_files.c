/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_files.c: see rule_files.h. Runs at the start and at a reload.
 */
#include "agent/rule_files.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static int read_file(const char *path, struct buf *ret)
{
	/* without waiting: a FIFO would hold us for ever */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	ssize_t n = 0;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	while (!err) {
		if (ret->len > RULES_TEXT_MAX) {
			err = -EFBIG;
			break;
		}
		err = buf_reserve(ret, 65536);
		n = err ? 0 : read(fd, ret->at + ret->len, 65536);
		if (n <= 0)
			break;
		ret->len += (size_t)n;
	}
	if (!err && n < 0)
		err = -errno;
	close(fd);
	return err;
}

static int add_file(const char *path, struct buf *bundle)
{
	struct buf text;
	int err;

	buf_init(&text, RULES_TEXT_MAX + 131072);
	err = read_file(path, &text);
	if (err) {
		log_error("rules: cannot read %s: %s", path,
			  err == -EFBIG	   ? "larger than 1 MiB"
			  : err == -EINVAL ? "is no regular file"
					   : strerror(-err));
	} else {
		buf_add_str(bundle, path);
		buf_add_byte(bundle, 0);
		buf_add_u64(bundle, text.len);
		buf_add_byte(bundle, 0);
		buf_add(bundle, buf_slice(&text));
		if (bundle->failed) {
			err = -EFBIG;
			log_error("rules: more than %u MiB in all", RULE_BUNDLE_BYTES >> 20);
		}
	}
	buf_done(&text);
	return err;
}

static bool has_wildcard(const char *name)
{
	return strpbrk(name, "*?[") != NULL;
}

static int add_named(const char *name, struct buf *bundle)
{
	glob_t found;
	int err = 0;

	if (!has_wildcard(name))
		return add_file(name, bundle);
	switch (glob(name, GLOB_ERR, NULL, &found)) {
	case 0:
		break;
	case GLOB_NOMATCH:
		log_warn("rules: %s matches no file", name);
		return 0;
	case GLOB_NOSPACE:
		return -ENOMEM;
	default:
		log_error("rules: cannot look for %s: %s", name, strerror(errno));
		return -EACCES;
	}
	for (size_t i = 0; i < found.gl_pathc && !err; i++)
		err = add_file(found.gl_pathv[i], bundle);
	globfree(&found);
	return err;
}

int rule_files_read(const struct config *c, struct buf *bundle)
{
	int err = 0;

	buf_clear(bundle);
	for (uint32_t i = 0; i < c->rules.count && !err; i++)
		err = add_named(c->rules.at[i], bundle);
	return err;
}

/* ---- bundle → rules ---- */

static bool next_file(struct slice *bundle, struct slice *ret_name, struct slice *ret_text)
{
	struct slice name = slice_next(bundle, 0), length;
	uint64_t len;

	if (!bundle->at || !name.len)
		return false;
	length = slice_next(bundle, 0);
	if (!bundle->at || slice_u64(length, &len) || len > bundle->len)
		return false;
	*ret_name = name; /* ends with NUL, by its place */
	*ret_text = slice_sub(*bundle, 0, len);
	*bundle = slice_sub(*bundle, len, bundle->len);
	return true;
}

static void say(void *ctx, const struct rules_error *e)
{
	if (*(const bool *)ctx)
		return;
	if (e->line)
		log_error("%s:%u:%u: %s", e->file ? e->file : "rules", e->line, e->column, e->text);
	else
		log_error("%s: %s", e->file ? e->file : "rules", e->text);
}

int rule_files_compile(struct slice bundle, bool quiet, struct rules **ret)
{
	struct rules_builder *b = NULL;
	struct rules *made = NULL;
	bool bad = false;
	int err;

	if (!bundle.len) {
		*ret = NULL;
		return 0;
	}
	err = rules_begin(&b);
	if (err)
		return err;
	while (bundle.len) {
		struct slice name, text;

		if (!next_file(&bundle, &name, &text)) {
			rules_builder_free(b);
			return -EBADMSG;
		}
		/* of every file, not only of the first that is wrong */
		err = rules_add(b, name.at, text, say, &quiet);
		bad |= err == -EINVAL;
		if (err && err != -EINVAL) {
			rules_builder_free(b);
			return err;
		}
	}
	err = rules_end(b, say, &quiet, &made);
	if (err || bad) {
		rules_free(made);
		return err ? err : -EINVAL;
	}
	*ret = made;
	return 0;
}
