/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pipeline/enter.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/git_staging.h"

void mlv_entering_init(MlvEntering *entering)
{
	entering->ignore = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	entering->locks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void mlv_entering_clear(MlvEntering *entering)
{
	g_clear_pointer(&entering->ignore, g_hash_table_unref);
	g_clear_pointer(&entering->locks, g_hash_table_unref);
}

/* A lock that the user keeps out of git stays out. */
static gboolean wants_lock(MlvRepo *repo, const char *lock, gboolean *wants, GError **error)
{
	gboolean tracks, ignored;

	if (!mlv_git_tracks(repo, lock, &tracks, NULL, error))
		return FALSE;
	*wants = tracks;
	if (tracks)
		return TRUE;
	if (!mlv_git_ignores(repo, lock, FALSE, &ignored, error))
		return FALSE;
	*wants = !ignored;
	return TRUE;
}

static gboolean add_locks(MlvEntering *entering, MlvRepo *repo, MlvStaging *stage, GError **error)
{
	GHashTableIter at;
	gpointer lock;

	g_hash_table_iter_init(&at, entering->locks);
	while (g_hash_table_iter_next(&at, &lock, NULL)) {
		gboolean wants;
		if (!wants_lock(repo, lock, &wants, error))
			return FALSE;
		if (!wants)
			continue;
		if (faccessat(mlv_repo_root_fd(repo), lock, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			mlv_staging_file(stage, lock);
		else
			mlv_staging_forget(stage, lock);
	}
	return TRUE;
}

gboolean mlv_entering_commit(MlvEntering *entering, MlvRepo *repo, GError **error)
{
	g_autoptr(MlvStaging) stage = mlv_staging_new(repo);
	GHashTableIter at;
	gpointer path, ignore;

	g_hash_table_iter_init(&at, entering->ignore);
	while (g_hash_table_iter_next(&at, &path, &ignore))
		mlv_staging_ignore(stage, path, GPOINTER_TO_INT(ignore));
	if (!add_locks(entering, repo, stage, error))
		return FALSE;
	if (!mlv_staging_is_empty(stage) && !mlv_staging_commit(stage, error))
		return FALSE;
	g_hash_table_remove_all(entering->ignore);
	g_hash_table_remove_all(entering->locks);
	return TRUE;
}

gboolean mlv_entering_check_lock(MlvEntering *entering, MlvRepo *repo, const char *lock,
				 const void *data, gsize length, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(GBytes) staged = mlv_git_read_index_file(repo, lock, 0, &why);
	gsize size = 0;
	const void *bytes = staged ? g_bytes_get_data(staged, &size) : NULL;

	if (why) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	if (!staged || size != length || (size > 0 && memcmp(bytes, data, size) != 0))
		g_hash_table_add(entering->locks, g_strdup(lock));
	return TRUE;
}

gboolean mlv_entering_check_output(MlvRepo *repo, const char *path, GError **error)
{
	g_autofree char *example = NULL;
	gboolean tracks;

	if (!mlv_git_tracks(repo, path, &tracks, &example, error))
		return FALSE;
	return !tracks ||
	       mlv_fail(error, MLV_ERROR_FAILED,
			"git tracks '%s', an output that mlv is to keep; first run: git rm -r "
			"--cached '%s' (or say 'cache: false' of it, to leave it to git)",
			example, path);
}
