/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fsck.h"

#include <string.h>

#include "core/fsck_walk.h"
#include "core/git_tree.h"
#include "core/reach.h"
#include "storage/error.h"

typedef struct {
	MlvRepo *repo;
	MlvStore *store;
	const MlvFsckOptions *options;
	MlvFsckResult *result;
	MlvCheck *check;
	MlvFsckRemotes *remotes;
	MlvFsckWalk *walk;
} Fsck;

static void fsck_clear(Fsck *fsck)
{
	mlv_fsck_walk_free(fsck->walk);
	mlv_check_free(fsck->check);
	mlv_fsck_remotes_free(fsck->remotes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fsck, fsck_clear)

/* --- the store -------------------------------------------------------------------------------- */

static void pass_on(const MlvFault *fault, gpointer user)
{
	static const char *const kinds[] = {
		[MLV_FAULT_FORMAT] = "format", [MLV_FAULT_INDEX] = "index",
		[MLV_FAULT_GONE] = "index",    [MLV_FAULT_ENTRIES] = "index",
		[MLV_FAULT_PACK] = "pack",     [MLV_FAULT_OBJECT] = "object",
	};
	const Fsck *fsck = user;
	const MlvFsckFault out = {
		.kind = kinds[fault->kind],
		.file = fault->file,
		.has_object = fault->has_object,
		.object_kind = fault->object_kind,
		.object = fault->object,
		.message = fault->message,
	};

	fsck->result->faults++;
	fsck->result->left++;
	fsck->options->found(&out, fsck->options->user);
}

static void show_progress(guint64 bytes, guint64 total, gpointer user)
{
	const Fsck *fsck = user;

	if (fsck->options->progress)
		fsck->options->progress(bytes, total, fsck->options->user);
}

static gboolean check_store(Fsck *fsck, GError **error)
{
	const MlvFsckOptions *options = fsck->options;
	MlvFsckResult *result = fsck->result;
	const MlvCheckOptions how = {
		.threads = options->threads,
		.sync = options->sync,
		.cancel = options->cancel,
		.found = pass_on,
		.progress = show_progress,
		.user = fsck,
	};

	fsck->check = mlv_check_new(fsck->store, &how);
	if (!mlv_check_run(fsck->check, &result->store, error))
		return FALSE;
	if (!options->repair || (result->store.faults == 0 && result->store.unindexed == 0))
		return TRUE;
	if (!mlv_check_repair(fsck->check, mlv_fsck_remotes_fetch, fsck->remotes, &result->mended,
			      error))
		return FALSE;
	result->repaired = TRUE;
	/* What was lost and is needed, the walk will find. */
	result->left = 0;
	return TRUE;
}

/* --- the pointers ----------------------------------------------------------------------------- */

/* A file that is called a pointer and begins as one. Conflict markers are the user's to resolve. */
static gboolean is_broken_pointer(const MlvReached *reached)
{
	gsize length;
	const char *text = g_bytes_get_data(reached->text, &length);

	return g_error_matches(reached->error, MLV_ERROR, MLV_ERROR_CORRUPT) && length >= 4 &&
	       memcmp(text, "mlv ", 4) == 0;
}

static gboolean check_pointer(const MlvReached *reached, gpointer user, GError **error)
{
	Fsck *fsck = user;

	if (!reached->error)
		return mlv_fsck_walk_add(fsck->walk, &reached->pointer, reached->path,
					 reached->where, error);
	if (!is_broken_pointer(reached))
		return TRUE;
	g_autofree char *message =
		g_strdup_printf("the pointer of '%s' (%s) is broken: %s", reached->path,
				reached->where, reached->error->message);
	mlv_fsck_report(fsck->options, fsck->result, "pointer", reached->path, MLV_KIND_BLOB, NULL,
			message);
	return TRUE;
}

/* Whether it was told of already, or is the user's to resolve. */
static gboolean is_settled(MlvRepo *repo, const char *path)
{
	g_autofree char *file = mlv_pointer_path(path);
	g_autoptr(GBytes) text = mlv_repo_read_file(repo, file, 64 * MLV_POINTER_MAX, NULL);
	gsize length;
	const char *data = text ? g_bytes_get_data(text, &length) : NULL;

	return data && ((length >= 4 && memcmp(data, "mlv ", 4) == 0) ||
			memmem(data, length, "<<<<<<< ", 8));
}

/* A pointer file of the work tree that is none any more, where git's index has one. */
static gboolean check_files(Fsck *fsck, GError **error)
{
	g_autoptr(GPtrArray) index = NULL, files = NULL;

	if (!mlv_repo_root(fsck->repo))
		return TRUE;
	index = mlv_git_pointers_in_index(fsck->repo, error);
	files = index ? mlv_git_pointers_in_workspace(fsck->repo, FALSE, error) : NULL;
	for (guint i = 0; files && i < files->len; i++) {
		const MlvTracked *file = files->pdata[i];
		const MlvTracked *staged = mlv_tracked_find(index, file->path);

		if (!file->error || !staged || staged->error || staged->stage != 0 ||
		    is_settled(fsck->repo, file->path))
			continue;
		g_autofree char *pointer = mlv_pointer_path(file->path);
		g_autofree char *message = g_strdup_printf(
			"the pointer of '%s' (work tree) is broken: %s; 'git checkout -- %s' "
			"brings back what git's index has",
			file->path, file->error->message, pointer);
		mlv_fsck_report(fsck->options, fsck->result, "pointer", file->path, MLV_KIND_BLOB,
				NULL, message);
	}
	return files != NULL;
}

gboolean mlv_fsck_run(MlvRepo *repo, MlvStore *store, const MlvFsckOptions *options,
		      MlvFsckResult *result, GError **error)
{
	g_auto(Fsck) fsck = { .repo = repo, .store = store, .options = options, .result = result };
	g_autoptr(MlvReach) reach = mlv_reach_new(repo, NULL);
	gboolean fresh;

	*result = (MlvFsckResult){ 0 };
	fsck.remotes = mlv_fsck_remotes_new(repo);
	if (!check_store(&fsck, error))
		return FALSE;
	fsck.walk = mlv_fsck_walk_new(store, fsck.check, fsck.remotes, options, result);
	if (!mlv_reach_read(reach, check_pointer, &fsck, &fresh, error) ||
	    !check_files(&fsck, error) || !mlv_fsck_walk_finish(fsck.walk, error))
		return FALSE;
	result->trouble = g_strdup(mlv_fsck_remotes_trouble(fsck.remotes));
	return TRUE;
}
