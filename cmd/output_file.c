/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/file.h"
#include "storage/id.h"

struct MlvOutputFile {
	MlvCmd *cmd;
	int fd;          /* -1: the standard output */
	char *name;      /* as the user wrote it */
	char *final;     /* where it goes, symlinks followed; NULL: written in place */
	char *temporary; /* beside it */
};

/* A name beside the final one that nobody else has. */
static gboolean open_temporary(MlvOutputFile *out, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(out->final);
	guint64 random;

	mlv_random_bytes(&random, sizeof(random));
	out->temporary = g_strdup_printf("%s/.mlv-%016" G_GINT64_MODIFIER "x.tmp", folder, random);
	out->fd = open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (out->fd >= 0)
		return TRUE;
	mlv_fail_errno(error, "cannot make a file for '%s' in '%s'", out->name, folder);
	g_clear_pointer(&out->temporary, g_free);
	return FALSE;
}

static gboolean open_file(MlvOutputFile *out, GError **error)
{
	g_autofree char *real = realpath(out->name, NULL);
	struct stat st;

	if (real && stat(real, &st) == 0 && S_ISDIR(st.st_mode))
		return mlv_fail(error, MLV_ERROR_FAILED, "cannot write '%s': it is a folder",
				out->name);
	if (!real || S_ISREG(st.st_mode)) {
		out->final = g_strdup(real ? real : out->name);
		return open_temporary(out, error);
	}
	out->fd = open(real, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return out->fd >= 0 || mlv_fail_errno(error, "cannot open '%s'", out->name);
}

MlvOutputFile *mlv_output_file_open(MlvCmd *cmd, const char *file, const char *what, GError **error)
{
	g_autoptr(MlvOutputFile) out = g_new0(MlvOutputFile, 1);

	out->cmd = cmd;
	out->fd = -1;
	if (file && strcmp(file, "-") != 0) {
		out->name = g_strdup(file);
		return open_file(out, error) ? g_steal_pointer(&out) : NULL;
	}
	if (isatty(STDOUT_FILENO)) {
		mlv_fail(error, MLV_ERROR_FAILED,
			 "%s does not go to a terminal; name a file, or redirect the output", what);
		return NULL;
	}
	return g_steal_pointer(&out);
}

gboolean mlv_output_file_write(const void *data, gsize length, gpointer user, GError **error)
{
	MlvOutputFile *out = user;

	if (out->fd < 0)
		return mlv_cmd_write(out->cmd, data, length, error);
	return mlv_file_write(out->fd, data, length, out->name, error) &&
	       mlv_cmd_keep_going(out->cmd, error);
}

gboolean mlv_output_file_close(MlvOutputFile *out, gboolean sync, GError **error)
{
	g_autofree char *folder = NULL;

	if (out->fd < 0)
		return fflush(stdout) == 0 ||
		       mlv_fail_errno(error, "cannot write to the standard output");
	if (sync && out->final && fsync(out->fd) < 0)
		return mlv_fail_errno(error, "cannot sync '%s'", out->name);
	/* Some file systems say only now that there was no room. */
	if (close(out->fd) < 0 && errno != EINTR) {
		out->fd = -1;
		return mlv_fail_errno(error, "cannot write '%s'", out->name);
	}
	out->fd = -1;
	if (!out->final)
		return TRUE;
	if (rename(out->temporary, out->final) < 0)
		return mlv_fail_errno(error, "cannot rename the finished file to '%s'", out->name);
	g_clear_pointer(&out->temporary, g_free);
	folder = g_path_get_dirname(out->final);
	return !sync || mlv_file_sync_dir(AT_FDCWD, folder, error);
}

void mlv_output_file_free(MlvOutputFile *out)
{
	if (!out)
		return;
	if (out->fd >= 0)
		close(out->fd);
	if (out->temporary)
		unlink(out->temporary);
	g_free(out->name);
	g_free(out->final);
	g_free(out->temporary);
	g_free(out);
}
