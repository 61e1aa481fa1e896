/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/look.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/session.h"
#include "core/remote_config.h"
#include "core/sync.h"

/* The remote behind a view. */
typedef struct {
	MlvCmd *cmd;
	MlvRepo *repo;
	MlvSync *sync; /* opened when first needed */
} Remote;

static MlvSource *open_remote(gpointer user, GError **error)
{
	Remote *remote = user;
	g_autofree char *name = mlv_remote_config_default(remote->repo);

	if (!name)
		return NULL;
	mlv_ui_detail(remote->cmd->ui, "reading what is not here from the remote '%s'", name);
	remote->sync = mlv_sync_open(remote->repo, NULL, FALSE, error);
	return remote->sync ? mlv_remote_source(remote->sync->remote) : NULL;
}

static void free_remote(gpointer user)
{
	Remote *remote = user;

	mlv_sync_close(remote->sync);
	g_free(remote);
}

MlvView *mlv_cmd_open_view(MlvCmd *cmd, gboolean remote, GError **error)
{
	MlvRepo *repo = mlv_cmd_open_repo(cmd, error);
	MlvView *view = repo ? mlv_view_open(repo, mlv_cmd_waiting, cmd, error) : NULL;

	if (view && remote) {
		Remote *user = g_new0(Remote, 1);

		user->cmd = cmd;
		user->repo = repo;
		mlv_view_set_fallback(view, open_remote, user, free_remote);
	}
	return view;
}

/* --- revisions and paths ---------------------------------------------------------------------- */

static gboolean is_revision(MlvRepo *repo, const char *word)
{
	g_autofree char *from = NULL, *to = NULL;
	gboolean symmetric;
	MlvOid oid;

	if (*word == '^' && word[1])
		word++;
	if (!mlv_git_split_range(word, &from, &to, &symmetric))
		return mlv_git_resolve(repo, word, &oid, NULL);
	return mlv_git_resolve(repo, from, &oid, NULL) && mlv_git_resolve(repo, to, &oid, NULL);
}

/* Whether a word can be a path: it exists, is tracked, or is a pattern. */
static gboolean is_path(MlvRepo *repo, const char *word)
{
	g_autofree char *path = mlv_repo_relative(repo, word, NULL);
	g_autoptr(GPtrArray) staged = NULL;
	const char *rest;
	struct stat st;

	if (!path)
		return FALSE;
	if (strpbrk(word, "*?[") || !*path ||
	    fstatat(mlv_repo_root_fd(repo), path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return TRUE;
	/* Data that are not here now, or never were. */
	staged = mlv_git_pointers_in_workspace(repo, FALSE, NULL);
	return staged && mlv_tracked_cover(staged, path, &rest);
}

static gboolean check_word(MlvRepo *repo, const char *word, gboolean *revision, GError **error)
{
	gboolean path = is_path(repo, word);

	*revision = is_revision(repo, word);
	if (*revision && path && !strstr(word, ".."))
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' is both a revision and a path; write '%s --' or '-- %s'",
				word, word, word);
	if (!*revision && !path)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"'%s' is neither a revision nor a path here; write '-- %s' for a "
				"path that is gone",
				word, word);
	return TRUE;
}

gboolean mlv_cmd_split_revisions(MlvCmd *cmd, MlvRepo *repo, const MlvWords *words, guint max,
				 GPtrArray **revisions, GPtrArray **paths, GError **error)
{
	g_autoptr(GPtrArray) revs = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) rest = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < words->n_before; i++) {
		gboolean revision = words->separator;

		if (!words->separator && !check_word(repo, words->before[i], &revision, error))
			return FALSE;
		if (revision && rest->len > 0)
			return mlv_fail(
				error, MLV_ERROR_USAGE,
				"the revision '%s' stands behind a path; revisions come first",
				words->before[i]);
		g_ptr_array_add(revision ? revs : rest, g_strdup(words->before[i]));
	}
	if (revs->len > max)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"too many revisions: '%s' is one more than '%s' takes",
				(char *)revs->pdata[max], cmd->name);
	for (guint i = 0; i < words->n_after; i++)
		g_ptr_array_add(rest, g_strdup(words->after[i]));
	*revisions = g_steal_pointer(&revs);
	*paths = g_steal_pointer(&rest);
	return TRUE;
}

/* --- texts ------------------------------------------------------------------------------------ */

const char *mlv_cmd_kind(guint8 mode)
{
	switch (mode) {
	case MLV_MODE_DIRECTORY:
		return "directory";
	case MLV_MODE_EXECUTABLE:
		return "executable";
	case MLV_MODE_SYMLINK:
		return "symlink";
	default:
		return "file";
	}
}

char *mlv_cmd_date(gint64 seconds, int offset)
{
	g_autoptr(GTimeZone) zone = g_time_zone_new_offset(offset * 60);
	g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(seconds);
	g_autoptr(GDateTime) local = utc && zone ? g_date_time_to_timezone(utc, zone) : NULL;

	/* A commit may say any number of seconds. */
	return local ? g_date_time_format(local, "%Y-%m-%d %H:%M:%S %z")
		     : g_strdup_printf("%" G_GINT64_FORMAT, seconds);
}

void mlv_cmd_json_data(json_t *object, guint8 mode, const MlvRef *ref, guint64 files, guint64 bytes)
{
	char hex[MLV_ID_HEX + 1];

	mlv_json_set_text(object, "kind", mlv_cmd_kind(mode));
	mlv_json_set_size(object, "bytes", bytes);
	if (mode == MLV_MODE_DIRECTORY)
		mlv_json_set_size(object, "files", files);
	if (ref->kind != 0) {
		g_autofree char *id = NULL;

		mlv_id_format(&ref->id, hex);
		id = g_strconcat("sha256:", hex, NULL);
		mlv_json_set_text(object, "id", id);
	}
}
