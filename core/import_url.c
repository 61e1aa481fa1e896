/* SPDX-License-Identifier: Apache-2.0 */
#include "core/import_url.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/checkout.h"
#include "core/git_staging.h"
#include "core/import_archive.h"
#include "core/import_fetch.h"
#include "core/snapshot.h"
#include "storage/file.h"
#include "storage/ingest.h"

#define TRACKED_MAX (64u << 10) /* bytes of a pointer or a record */

/* Bytes on their way into the store. Each beginning has a session of its own, so that what came of
 * one that broke off is never kept. */
typedef struct {
	MlvLocal *local;
	const MlvImportUrlOptions *options;
	MlvStoreWriter *writer;
	MlvIngest *ingest;
	guint64 size, done;
	gboolean known; /* ref is what was stored */
	MlvRef ref;
	GError *failure; /* of the stream, noticed when its result came */
} Intake;

static void drop(Intake *intake)
{
	g_clear_pointer(&intake->ingest, mlv_ingest_free);
	g_clear_pointer(&intake->writer, mlv_store_writer_free);
	g_clear_error(&intake->failure);
	intake->known = FALSE;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Intake, drop)

static void stored(MlvIngested *result, gpointer user)
{
	Intake *intake = user;

	intake->ref = result->ref;
	intake->known = TRUE;
	if (result->error && !intake->failure)
		intake->failure = g_steal_pointer(&result->error);
}

static gboolean begin(guint64 size, gpointer user, GError **error)
{
	Intake *intake = user;

	drop(intake);
	intake->size = size == G_MAXUINT64 ? 0 : size;
	intake->done = 0;
	intake->writer = mlv_store_writer_new(intake->local->store, &intake->local->write);
	intake->ingest = mlv_ingest_new(intake->writer, intake->options->threads,
					intake->options->cancel, stored, intake);
	return mlv_ingest_stream_begin(intake->ingest, NULL, error);
}

static gboolean take(const void *data, gsize length, gpointer user, GError **error)
{
	Intake *intake = user;
	const MlvImportUrlOptions *options = intake->options;

	intake->done += length;
	if (options->progress)
		options->progress(intake->done, intake->size, options->user);
	return mlv_ingest_stream_write(intake->ingest, data, length, error);
}

/* All bytes have come: makes them durable. */
static gboolean finish(Intake *intake, guint64 *grown, GError **error)
{
	g_autoptr(GError) failed = NULL;
	gboolean ok = mlv_ingest_stream_end(intake->ingest, &failed) &&
		      mlv_ingest_finish(intake->ingest, &failed);

	if (ok && intake->failure) {
		g_propagate_error(&failed, g_steal_pointer(&intake->failure));
		ok = FALSE;
	}
	if (ok)
		ok = mlv_store_writer_commit(intake->writer, &failed);
	*grown = mlv_store_writer_written(intake->writer);
	if (!ok)
		g_propagate_error(error, g_steal_pointer(&failed));
	return ok;
}

/* Fetches into the store. known NULL: in any case. A mode that result->pointer has stays where the
 * source knows none. */
static gboolean fetch(MlvLocal *local, const MlvImportUrlOptions *options, MlvImportRecord *record,
		      const MlvImportStamp *known, gboolean *changed, MlvImportUrlResult *result,
		      GError **error)
{
	g_auto(Intake) intake = { .local = local, .options = options };
	const MlvImportFetch what = { .repo = local->repo,
				      .url = record->url,
				      .known = known,
				      .look = options->look,
				      .begin = begin,
				      .take = take,
				      .user = &intake,
				      .cancel = options->cancel };
	g_auto(MlvImportStamp) stamp = { 0 };
	guint8 mode = result->pointer.mode ? result->pointer.mode : MLV_MODE_FILE;
	int executable;

	if (!mlv_import_fetch(&what, changed, &stamp, &executable, error))
		return FALSE;
	if (!*changed || options->look)
		return TRUE;
	if (!finish(&intake, &result->stored, error))
		return FALSE;
	if (executable >= 0)
		mode = executable ? MLV_MODE_EXECUTABLE : MLV_MODE_FILE;
	result->pointer = (MlvPointer){
		.ref = intake.ref, .mode = mode, .files = 1, .bytes = intake.ref.size
	};
	mlv_import_stamp_clear(&record->stamp);
	record->stamp = stamp;
	record->stamp.size = intake.ref.size;
	stamp.etag = NULL;
	record->id = intake.ref.id;
	return TRUE;
}

/* --- tracking --------------------------------------------------------------------------------- */

static gboolean stage(MlvLocal *local, const char *path, const MlvPointer *pointer,
		      const MlvImportRecord *record, GError **error)
{
	g_autoptr(MlvStaging) both = mlv_staging_new(local->repo);
	g_autoptr(GBytes) text = mlv_import_record_format(record);
	g_autofree char *file = mlv_import_record_path(path);

	/* In this order: see is_half_done(). */
	mlv_staging_bytes(both, file, text, 0100644, TRUE);
	if (pointer)
		mlv_staging_pointer(both, path, pointer);
	return mlv_staging_commit(both, error);
}

static gboolean is_staged(MlvRepo *repo, const char *file)
{
	g_autoptr(GBytes) index = mlv_git_read_index_file(repo, file, 0, NULL);
	g_autoptr(GBytes) here = mlv_repo_read_file(repo, file, TRACKED_MAX, NULL);

	return index && here && g_bytes_equal(index, here);
}

/* An update that broke off between its files and git's index is staged by the next. */
static gboolean stage_rest(MlvLocal *local, const MlvImported *imported, GError **error)
{
	g_autofree char *pointer = mlv_pointer_path(imported->path);
	g_autofree char *record = mlv_import_record_path(imported->path);

	return (is_staged(local->repo, pointer) && is_staged(local->repo, record)) ||
	       stage(local, imported->path, &imported->pointer, &imported->record, error);
}

static void take_ref(const MlvSnapshotResult *result, gpointer user)
{
	if (result->present && result->complete)
		*(MlvRef *)user = result->pointer.ref;
}

/* Pointer and record do not fit each other, and the data are what the record says: an update broke
 * off between the two. Where the data were edited and added they are what the pointer says. */
static gboolean is_half_done(MlvLocal *local, const MlvImported *imported)
{
	MlvRef ref = { 0 };
	const MlvSnapshotOptions options = { .repo = local->repo,
					     .store = local->store,
					     .cache = local->cache,
					     .partial = local->partial,
					     .done = take_ref,
					     .data = &ref };
	g_autoptr(MlvSnapshot) snapshot = mlv_snapshot_new(&options);

	return mlv_snapshot_target(snapshot, imported->path, imported->path, &imported->pointer,
				   NULL, NULL) &&
	       mlv_snapshot_finish(snapshot, NULL) && ref.kind == MLV_KIND_BLOB &&
	       mlv_id_equal(&ref.id, &imported->record.id);
}

/* What is to stand at the path, over what stood there by `base` (may be NULL). Planned and checked
 * before anything is tracked. */
static MlvCheckout *plan(MlvLocal *local, const MlvPathspec *paths, const char *path,
			 const MlvPointer *pointer, const MlvPointer *base,
			 const MlvImportUrlOptions *options, GError **error)
{
	const MlvCheckoutOptions how = { .repo = local->repo,
					 .store = local->store,
					 .cache = local->cache,
					 .partial = local->partial,
					 .paths = paths,
					 .force = options->force,
					 .threads = options->threads,
					 .cancel = options->cancel };
	g_autoptr(MlvCheckout) checkout = mlv_checkout_new(&how);

	if (!mlv_checkout_target(checkout, path, pointer, base, error) ||
	    !mlv_checkout_plan(checkout, error) || !mlv_checkout_check(checkout, error))
		return NULL;
	return g_steal_pointer(&checkout);
}

/* New data at the path. Until they are written they count as not brought, not as deleted. */
static gboolean track_new(MlvLocal *local, const char *path, const MlvPointer *base,
			  const MlvImportUrlOptions *options, const MlvImportUrlResult *result,
			  const MlvImportRecord *record, GError **error)
{
	g_autoptr(MlvPathspec) only = mlv_pathspec_literal(&path, 1);
	g_autoptr(MlvCheckout) checkout = NULL;

	if (!options->no_write) {
		checkout = plan(local, only, path, &result->pointer, base, options, error);
		if (!checkout)
			return FALSE;
	}
	mlv_partial_forget(local->partial, path);
	mlv_partial_begin(local->partial, path);
	return mlv_partial_save(local->partial, error) &&
	       stage(local, path, &result->pointer, record, error) &&
	       (!checkout || mlv_checkout_apply(checkout, error));
}

static gboolean check_path(MlvLocal *local, const char *path, const MlvImportUrlOptions *options,
			   GError **error)
{
	const char *slash = strrchr(path, '/');
	g_auto(MlvFd) fd = -1;

	if (strlen(slash ? slash + 1 : path) > MLV_IMPORT_NAME_MAX)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' cannot have a record of where it came from: its name is "
				"longer than %d bytes",
				path, MLV_IMPORT_NAME_MAX);
	if (!mlv_import_check_tracked(local, path, options->force, error))
		return FALSE;
	if (options->force)
		return TRUE;
	fd = mlv_file_open_beneath(mlv_repo_root_fd(local->repo), path, O_PATH | O_NOFOLLOW, 0);
	if (fd >= 0)
		return mlv_fail(error, MLV_ERROR_EXISTS,
				"'%s' is on disk; move it away, import to another place, or use -f",
				path);
	return errno == ENOENT || mlv_fail_errno(error, "cannot import to '%s'", path);
}

gboolean mlv_import_url(MlvLocal *local, const char *url, const char *path,
			const MlvImportUrlOptions *options, MlvImportUrlResult *result,
			GError **error)
{
	g_auto(MlvImportRecord) record = { .url = g_strdup(url) };
	g_autoptr(GError) unread = NULL;
	gboolean changed, found = FALSE;

	memset(result, 0, sizeof(*result));
	if (!check_path(local, path, options, error) || !mlv_import_url_check(url, error))
		return FALSE;
	mlv_git_read_pointer_file(local->repo, path, &result->before, &found, &unread);
	if (!fetch(local, options, &record, NULL, &changed, result, error))
		return FALSE;
	result->state = MLV_IMPORT_CHANGED;
	return track_new(local, path, found && !unread ? &result->before : NULL, options, result,
			 &record, error);
}

/* --- what is imported ------------------------------------------------------------------------- */

static void imported_free(gpointer data)
{
	MlvImported *one = data;

	g_free(one->path);
	mlv_import_record_clear(&one->record);
	g_clear_error(&one->error);
	g_free(one);
}

GPtrArray *mlv_import_list(MlvRepo *repo, GError **error)
{
	g_autoptr(GPtrArray) pointers = mlv_git_pointers_in_workspace(repo, FALSE, error);
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(imported_free);

	if (!pointers)
		return NULL;
	for (guint i = 0; i < pointers->len; i++) {
		const MlvTracked *tracked = pointers->pdata[i];
		MlvImported *one = g_new0(MlvImported, 1);
		gboolean found;

		one->path = g_strdup(tracked->path);
		if (!mlv_import_record_read(repo, tracked->path, &one->record, &found,
					    &one->error) ||
		    found) {
			if (tracked->error && !one->error)
				one->error = g_error_copy(tracked->error);
			one->pointer = tracked->pointer;
			g_ptr_array_add(all, one);
		} else {
			imported_free(one);
		}
	}
	return g_steal_pointer(&all);
}

/* --- updating --------------------------------------------------------------------------------- */

static gboolean same_content(const MlvImported *imported, const MlvPointer *pointer)
{
	return mlv_ref_equal(&imported->pointer.ref, &pointer->ref) &&
	       imported->pointer.mode == pointer->mode;
}

/* What has changed there takes the place of what is here. The data come first: a pointer that has
 * been replaced says that there is nothing to do. */
static gboolean replace(MlvLocal *local, const MlvImported *imported,
			const MlvImportUrlOptions *options, const MlvImportUrlResult *result,
			const MlvImportRecord *record, GError **error)
{
	g_autoptr(MlvCheckout) checkout = NULL;

	if (!options->no_write) {
		checkout = plan(local, NULL, imported->path, &result->pointer, &imported->pointer,
				options, error);
		if (!checkout)
			return FALSE;
	}
	return (!checkout || mlv_checkout_apply(checkout, error)) &&
	       stage(local, imported->path, &result->pointer, record, error);
}

gboolean mlv_import_update(MlvLocal *local, const MlvImported *imported,
			   const MlvImportUrlOptions *options, MlvImportUrlResult *result,
			   GError **error)
{
	const MlvImportRecord *old = &imported->record;
	g_auto(MlvImportRecord) record = { .url = g_strdup(old->url), .id = old->id };
	gboolean edited, changed;

	memset(result, 0, sizeof(*result));
	if (imported->error) {
		g_propagate_error(error, g_error_copy(imported->error));
		return FALSE;
	}
	result->before = result->pointer = imported->pointer;
	edited = imported->pointer.ref.kind != MLV_KIND_BLOB ||
		 !mlv_id_equal(&imported->pointer.ref.id, &old->id);
	result->state = edited ? MLV_IMPORT_EDITED : MLV_IMPORT_UNCHANGED;
	if (edited && !options->force && !is_half_done(local, imported))
		return TRUE;
	if (!fetch(local, options, &record, edited ? NULL : &old->stamp, &changed, result, error))
		return FALSE;
	result->state = changed ? MLV_IMPORT_CHANGED : MLV_IMPORT_UNCHANGED;
	if (options->look)
		return TRUE;
	if (!changed)
		return stage_rest(local, imported, error);
	if (!same_content(imported, &result->pointer))
		return replace(local, imported, options, result, &record, error);
	result->state = MLV_IMPORT_SAME;
	return stage(local, imported->path, NULL, &record, error);
}
