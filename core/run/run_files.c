/* SPDX-License-Identifier: Apache-2.0 */
/* What a run leaves in its folder becomes part of its record. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/local.h"
#include "core/run/recorder_private.h"
#include "storage/file.h"
#include "storage/ingest.h"

#define FILES_MAX 100000u
#define DEPTH_MAX 64u

typedef struct {
	MlvRepo *repo;
	int root; /* the folder */
	GArray *edits;
	GPtrArray *large; /* paths in the folder of what goes to the store, of char * */
	GArray *sizes;    /* of guint64 */
	guint files;
	GError *error; /* of a result */
} Files;

static char *record_path(const char *path)
{
	return g_build_filename(MLV_RUN_FOLDER, path, NULL);
}

/* --- to git ----------------------------------------------------------------------------------- */

static gboolean add_small(Files *files, const char *path, GError **error)
{
	g_autofree char *name = record_path(path);
	g_autoptr(GBytes) bytes = mlv_file_read(files->root, path, MLV_RUN_GIT_MAX, error);
	gsize length;

	if (!bytes)
		return FALSE;
	const void *data = g_bytes_get_data(bytes, &length);
	return mlv_git_edits_add(files->edits, files->repo, name, data, length, error);
}

static gboolean add_file(Files *files, const char *path, guint64 size, GError **error)
{
	if (++files->files > FILES_MAX)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"the run has logged more than %u files: keep them as outputs, or "
				"add them with 'mlv add'",
				FILES_MAX);
	if (size <= MLV_RUN_GIT_MAX)
		return add_small(files, path, error);
	g_ptr_array_add(files->large, g_strdup(path));
	g_array_append_val(files->sizes, size);
	return TRUE;
}

static gboolean walk(Files *files, const char *folder, guint depth, GError **error)
{
	g_autoptr(GPtrArray) names = mlv_file_list(files->root, *folder ? folder : ".", error);

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *path =
			*folder ? g_build_filename(folder, name, NULL) : g_strdup(name);
		struct stat st;

		if ((depth == 0 && strcmp(name, "lock") == 0) || strcmp(name, ".git") == 0 ||
		    fstatat(files->root, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		/* the clean work tree of a run lies beside its files */
		if (depth == 0 && strcmp(name, "tree") == 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
			if (!walk(files, path, depth + 1, error))
				return FALSE;
		} else if (S_ISREG(st.st_mode) &&
			   !add_file(files, path, (guint64)st.st_size, error)) {
			return FALSE;
		}
	}
	return names != NULL;
}

/* --- to the store ----------------------------------------------------------------------------- */

static void stored(MlvIngested *result, gpointer user)
{
	Files *files = user;
	const char *path = result->tag;
	MlvPointer pointer = {
		.ref = result->ref, .mode = MLV_MODE_FILE, .files = 1, .bytes = result->ref.size
	};
	gsize length;

	if (result->error) {
		if (!files->error)
			files->error = g_steal_pointer(&result->error);
		return;
	}
	g_autofree char *name = record_path(path);
	g_autofree char *pointer_name = mlv_pointer_path(name);
	g_autofree char *text = mlv_pointer_format(&pointer, &length);
	if (!files->error)
		mlv_git_edits_add(files->edits, files->repo, pointer_name, text, length,
				  &files->error);
}

static gboolean store_large(Files *files, GError **error)
{
	if (files->large->len == 0)
		return TRUE;
	g_autoptr(MlvLocal) local = mlv_local_open(files->repo, NULL, NULL, error);
	if (!local)
		return FALSE;
	g_autoptr(MlvStoreWriter) writer = mlv_store_writer_new(local->store, &local->write);
	g_autoptr(MlvIngest) ingest = mlv_ingest_new(writer, 0, NULL, stored, files);
	for (guint i = 0; i < files->large->len; i++)
		if (!mlv_ingest_file(ingest, files->root, files->large->pdata[i],
				     g_array_index(files->sizes, guint64, i),
				     files->large->pdata[i], error))
			return FALSE;
	if (!mlv_ingest_finish(ingest, error) || !mlv_store_writer_commit(writer, error))
		return FALSE;
	if (!files->error)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&files->error));
	return FALSE;
}

gboolean mlv_run_files_add(MlvRepo *repo, const char *folder, GArray *edits, GError **error)
{
	g_auto(MlvFd) root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autoptr(GPtrArray) large = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) sizes = g_array_new(FALSE, FALSE, sizeof(guint64));
	Files files = {
		.repo = repo, .root = root, .edits = edits, .large = large, .sizes = sizes
	};

	if (root < 0)
		return mlv_fail_errno(error, "cannot open '%s'", folder);
	gboolean ok = walk(&files, "", 0, error) && store_large(&files, error);
	g_clear_error(&files.error);
	return ok;
}
