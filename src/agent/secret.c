/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.c: see secret.h. A secret is never replaced: with another one every visitor would be a new one,
 * on this host and against the others, so a damaged file ends the start.
 */
#include "agent/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define TEXT (2 * SECRET_BYTES + 1) /* digits and a newline */

int state_path(const struct config *c, const char *name, char ret_path[STATE_PATH])
{
	const char *directory = c->state_directory ? c->state_directory : STATE_DIRECTORY;
	int n = snprintf(ret_path, STATE_PATH, "%s/%s", directory, name);

	return n < STATE_PATH ? 0 : -ENAMETOOLONG;
}

int secret_path(const struct config *c, char ret_path[STATE_PATH])
{
	if (!c->secret_file)
		return state_path(c, "secret", ret_path);
	return snprintf(ret_path, STATE_PATH, "%s", c->secret_file) < STATE_PATH ? 0
										 : -ENAMETOOLONG;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int secret_read(const char *path, uint8_t ret[SECRET_BYTES])
{
	/* without waiting: a FIFO would hold us for ever */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	uint8_t made[SECRET_BYTES];
	char text[TEXT + 1];
	struct stat st;
	ssize_t n = -1;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	else
		n = read(fd, text, sizeof(text));
	if (!err && n < 0)
		err = -errno;
	close(fd);
	if (err)
		return err;
	if (n > 2 * SECRET_BYTES && text[2 * SECRET_BYTES] != '\n')
		return -EBADMSG;
	if (n < 2 * SECRET_BYTES || n > TEXT)
		return -EBADMSG;
	for (unsigned i = 0; i < SECRET_BYTES; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EBADMSG;
		made[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret, made, SECRET_BYTES);
	explicit_bzero(made, sizeof(made));
	explicit_bzero(text, sizeof(text));
	return 0;
}

static int make(uint8_t ret[SECRET_BYTES])
{
	return getrandom(ret, SECRET_BYTES, 0) == SECRET_BYTES ? 0 : -EIO;
}

/* Whole or not at all: written beside it, then linked into place; whoever comes second reads it. */
static int write_new(const char *path, const uint8_t secret[SECRET_BYTES])
{
	char beside[STATE_PATH + 24], text[TEXT];
	int fd, err = 0;

	for (unsigned i = 0; i < 2 * SECRET_BYTES; i++)
		text[i] = "0123456789abcdef"[secret[i / 2] >> (i % 2 ? 0 : 4) & 15];
	text[TEXT - 1] = '\n';
	snprintf(beside, sizeof(beside), "%s.%d", path, (int)getpid());
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, text, TEXT) != TEXT || fsync(fd))
		err = errno ? -errno : -EIO;
	close(fd);
	if (!err && link(beside, path))
		err = -errno;
	unlink(beside);
	explicit_bzero(text, sizeof(text));
	return err;
}

/* The directory is made where it is the only thing that is missing. */
static int make_directory(const char *path)
{
	char directory[STATE_PATH];
	char *slash;

	snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	if (!slash || slash == directory)
		return 0;
	*slash = 0;
	return mkdir(directory, 0700) && errno != EEXIST ? -errno : 0;
}

static int create(const char *path, uint8_t ret[SECRET_BYTES])
{
	int err = make_directory(path);

	if (!err)
		err = make(ret);
	if (!err)
		err = write_new(path, ret);
	return err == -EEXIST ? secret_read(path, ret) : err;
}

static void warn_of_mode(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && st.st_mode & 077)
		log_warn("%s can be read by others: whoever has it can tell whose a pseudonym is; "
			 "chmod 600 %s",
			 path, path);
}

int secret_open(const struct config *c, uint8_t ret[SECRET_BYTES])
{
	char path[STATE_PATH];
	int err = secret_path(c, path);

	if (!err)
		err = secret_read(path, ret);
	if (!err) {
		warn_of_mode(path);
		return 0;
	}
	if (err == -ENOENT) {
		err = create(path, ret);
		if (!err) {
			log_debug("made the site secret %s; hosts of the same site need a copy",
				  path);
			return 0;
		}
		if (!c->secret_file && !c->state_directory) {
			log_warn("cannot make the site secret %s: %s; keys of visitors hold until "
				 "this process ends. Name a directory with --state-directory",
				 path, strerror(-err));
			return make(ret);
		}
	}
	log_error("site secret %s: %s", path,
		  err == -EBADMSG  ? "is not 64 hexadecimal digits; restore the file, or remove it "
				     "to begin with new pseudonyms"
		  : err == -EINVAL ? "is no regular file"
				   : strerror(-err));
	return err;
}
