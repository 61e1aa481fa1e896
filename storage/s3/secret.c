/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "storage/file.h"

/* Into memory of max + 1 bytes, that no copy is left behind by growing. */
static gboolean fill(int fd, char *text, gsize max, const char *path, GError **error)
{
	gsize length = 0;

	for (;;) {
		ssize_t got = read(fd, text + length, max + 1 - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return mlv_fail_errno(error, "cannot read '%s'", path);
		if (got == 0)
			break;
		length += (gsize)got;
		if (length > max)
			return mlv_fail(error, MLV_ERROR_CORRUPT,
					"'%s' has more than %" G_GSIZE_FORMAT " bytes", path, max);
	}
	if (memchr(text, '\0', length))
		return mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' is no text", path);
	text[length] = '\0';
	return TRUE;
}

char *mlv_secret_read(const char *path, gsize max, GError **error)
{
	g_auto(MlvFd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text, *copy = NULL;

	if (fd < 0) {
		mlv_fail_errno(error, "cannot open '%s'", path);
		return NULL;
	}
	text = g_malloc(max + 1);
	if (fill(fd, text, max, path, error))
		copy = g_strdup(text);
	explicit_bzero(text, max + 1);
	g_free(text);
	return copy;
}
