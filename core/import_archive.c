/* SPDX-License-Identifier: Apache-2.0 */
#include "core/import_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/archive_reader.h"
#include "core/git_staging.h"
#include "core/member_tree.h"
#include "core/snapshot.h"
#include "core/target.h"
#include "storage/file.h"
#include "storage/ingest.h"

#define TARGET_MAX 4095 /* bytes of a symlink's target: more no system takes */

typedef struct {
	const MlvImportOptions *options;
	MlvImportResult *result;
	MlvArchiveReader *reader;
	MlvMemberTree *tree;
	MlvIngest *ingest;
	guint64 members;
	GError *failure;  /* of a stream, noticed when its result came */
	gboolean on_disk; /* what the target held before is here */
} Import;

/* --- where it goes ---------------------------------------------------------------------------- */

/* `old` gets the pointer that is there, if it can be read. */
static gboolean check_tracked(MlvLocal *local, const char *path, gboolean force, MlvPointer *old,
			      gboolean *has_old, GError **error)
{
	g_autoptr(GPtrArray) pointers = mlv_git_pointers_in_workspace(local->repo, FALSE, error);
	const MlvTracked *cover;
	const char *rest = "";
	gboolean found;

	*has_old = FALSE;
	if (!pointers)
		return FALSE;
	cover = mlv_tracked_cover(pointers, path, &rest);
	if (cover && *rest)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"'%s' lies in '%s', which is tracked; import to another place",
				path, cover->path);
	if (cover && !mlv_target_check_own(cover, error))
		return FALSE;
	if (!mlv_git_read_pointer_file(local->repo, path, old, has_old, error)) {
		if (!force)
			return FALSE;
		g_clear_error(error);
	}
	found = cover || *has_old;
	if (found && !force)
		return mlv_fail(error, MLV_ERROR_EXISTS,
				"'%s' is tracked already; use -f to put this in its place", path);
	return TRUE;
}

static gboolean check_git(MlvLocal *local, const char *path, gboolean force, GError **error)
{
	g_autofree char *pointer = mlv_pointer_path(path);
	g_autofree char *example = NULL;
	gboolean yes;

	if (!mlv_git_check_own(local->repo, path, error) ||
	    !mlv_git_tracks(local->repo, path, &yes, &example, error))
		return FALSE;
	if (yes)
		return mlv_fail(error, MLV_ERROR_EXISTS,
				"git tracks '%s'; import to another place, or first run: git rm -r "
				"--cached '%s'",
				example, path);
	if (force)
		return TRUE;
	if (!mlv_git_ignores(local->repo, pointer, FALSE, &yes, error))
		return FALSE;
	return !yes ||
	       mlv_fail(error, MLV_ERROR_FAILED,
			"git ignores the pointer '%s'; change the .gitignore that says so, or "
			"use -f",
			pointer);
}

gboolean mlv_import_check_tracked(MlvLocal *local, const char *path, gboolean force, GError **error)
{
	gboolean has_old;
	MlvPointer old;

	return mlv_pointer_check_target(path, error) &&
	       check_tracked(local, path, force, &old, &has_old, error) &&
	       check_git(local, path, force, error);
}

static void take_same(const MlvSnapshotResult *result, gpointer user)
{
	*(gboolean *)user = result->same && result->complete;
}

static void pass_over(MlvProblemType type, const char *path, const char *why, gpointer user)
{
}

/* Whether what is on disk is just what the pointer says: then it can be brought again. */
static gboolean is_unchanged(MlvLocal *local, const char *path, const MlvPointer *pointer,
			     const MlvImportOptions *import, gboolean *same, GError **error)
{
	MlvSnapshotOptions options = { .repo = local->repo,
				       .store = local->store,
				       .cache = local->cache,
				       .partial = local->partial,
				       .threads = import->threads,
				       .cancel = import->cancel,
				       .done = take_same,
				       .problem = pass_over,
				       .data = same };
	g_autoptr(MlvSnapshot) snapshot = mlv_snapshot_new(&options);

	*same = FALSE;
	return mlv_snapshot_target(snapshot, path, path, pointer, NULL, error) &&
	       mlv_snapshot_finish(snapshot, error);
}

static gboolean check(Import *import, MlvLocal *local, GError **error)
{
	const char *path = import->options->path;
	gboolean force = import->options->force, has_old, same = FALSE;
	g_auto(MlvFd) fd = -1;
	MlvPointer old;

	if (!mlv_pointer_check_target(path, error) ||
	    !check_tracked(local, path, force, &old, &has_old, error) ||
	    !check_git(local, path, force, error))
		return FALSE;
	fd = mlv_file_open_beneath(mlv_repo_root_fd(local->repo), path, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0)
		return errno == ENOENT || mlv_fail_errno(error, "cannot import to '%s'", path);
	if (has_old && !is_unchanged(local, path, &old, import->options, &same, error))
		return FALSE;
	import->on_disk = same;
	if (same)
		return TRUE;
	return mlv_fail(error, MLV_ERROR_EXISTS,
			has_old ? "'%s' is on disk with changes that were not added; 'mlv add' "
				  "them, move it away, or import to another place"
				: "'%s' is on disk; move it away, or import to another place",
			path);
}

/* --- members ---------------------------------------------------------------------------------- */

static void stored(MlvIngested *result, gpointer user)
{
	Import *import = user;
	MlvMemberContent *content = result->tag;

	content->ref = result->ref;
	if (result->error && !import->failure)
		import->failure = g_steal_pointer(&result->error);
}

static void report(Import *import)
{
	const MlvImportOptions *options = import->options;

	if (options->progress)
		options->progress(mlv_archive_reader_consumed(import->reader), import->members,
				  options->user);
}

/* The member's data become the content. */
static gboolean store_data(Import *import, MlvMemberContent *content, GError **error)
{
	const void *data;
	gsize length;

	if (!mlv_ingest_stream_begin(import->ingest, content, error))
		return FALSE;
	for (;;) {
		if (!mlv_archive_reader_read(import->reader, &data, &length, error))
			return FALSE;
		if (length == 0)
			return mlv_ingest_stream_end(import->ingest, error);
		if (!mlv_ingest_stream_write(import->ingest, data, length, error))
			return FALSE;
		report(import);
	}
}

static gboolean take_file(Import *import, const MlvMember *member, GError **error)
{
	MlvMode mode = member->executable ? MLV_MODE_EXECUTABLE : MLV_MODE_FILE;
	MlvMemberContent *content;

	return mlv_member_tree_file(import->tree, member->path, mode, &content, error) &&
	       (!content || store_data(import, content, error));
}

static gboolean take_symlink(Import *import, const MlvMember *member, GError **error)
{
	gsize length = strlen(member->target);
	MlvMemberContent *content;

	if (length == 0 || length > TARGET_MAX)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"the symlink '%s' has a target of %" G_GSIZE_FORMAT
				" bytes, and that must be 1 to %d",
				member->path, length, TARGET_MAX);
	if (!mlv_member_tree_file(import->tree, member->path, MLV_MODE_SYMLINK, &content, error))
		return FALSE;
	return !content ||
	       (mlv_ingest_stream_begin(import->ingest, content, error) &&
		mlv_ingest_stream_write(import->ingest, member->target, length, error) &&
		mlv_ingest_stream_end(import->ingest, error));
}

static gboolean take_hardlink(Import *import, const MlvMember *member, GError **error)
{
	MlvMemberContent *content;

	/* In cpio the data of all names stand behind the last of them. */
	return mlv_member_tree_link(import->tree, member->path, member->target, &content, error) &&
	       (!content || !member->has_data || store_data(import, content, error));
}

static gboolean take_other(Import *import, const MlvMember *member, GError **error)
{
	if (!mlv_member_tree_check(import->tree, member->path, error))
		return FALSE;
	import->result->left_out++;
	if (import->options->left_out)
		import->options->left_out(member->path, member->what, import->options->user);
	return TRUE;
}

static gboolean take_member(Import *import, const MlvMember *member, GError **error)
{
	import->members++;
	report(import);
	switch (member->type) {
	case MLV_MEMBER_FILE:
		return take_file(import, member, error);
	case MLV_MEMBER_DIRECTORY:
		return mlv_member_tree_directory(import->tree, member->path, error);
	case MLV_MEMBER_SYMLINK:
		return take_symlink(import, member, error);
	case MLV_MEMBER_HARDLINK:
		return take_hardlink(import, member, error);
	case MLV_MEMBER_OTHER:
		break;
	}
	return take_other(import, member, error);
}

static gboolean take_members(Import *import, GError **error)
{
	MlvMember member;

	for (;;) {
		if (import->options->cancel && *import->options->cancel)
			return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
		if (!mlv_archive_reader_next(import->reader, &member, error))
			return FALSE;
		if (!member.path)
			break;
		if (!take_member(import, &member, error))
			return FALSE;
	}
	if (!mlv_ingest_finish(import->ingest, error))
		return FALSE;
	if (!import->failure)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&import->failure));
	return FALSE;
}

/* --- the whole -------------------------------------------------------------------------------- */

static gboolean store_archive(Import *import, MlvLocal *local, GError **error)
{
	const MlvImportOptions *options = import->options;
	g_autoptr(MlvStoreWriter) writer = mlv_store_writer_new(local->store, &local->write);
	g_autoptr(MlvTemp) spool = mlv_store_temp(local->store, error);
	g_autoptr(MlvArchiveReader) reader =
		spool ? mlv_archive_reader_new(options->fd, mlv_temp_fd(spool), options->label,
					       options->format, error)
		      : NULL;
	g_autoptr(MlvMemberTree) tree = mlv_member_tree_new(options->strip);
	g_autoptr(MlvIngest) ingest =
		mlv_ingest_new(writer, options->threads, options->cancel, stored, import);
	g_autoptr(GError) failed = NULL;
	gboolean ok;

	if (!reader)
		return FALSE;
	import->reader = reader;
	import->tree = tree;
	import->ingest = ingest;
	ok = take_members(import, &failed) &&
	     mlv_member_tree_build(tree, mlv_store_writer_put, writer, &import->result->pointer,
				   &failed) &&
	     mlv_store_writer_commit(writer, &failed);
	import->result->stored = mlv_store_writer_written(writer);
	g_clear_error(&import->failure);
	if (!ok)
		g_propagate_error(error, g_steal_pointer(&failed));
	return ok;
}

/* What was not brought is recorded before it is tracked: at no time does it count as deleted. */
static gboolean track(const Import *import, MlvLocal *local, GError **error)
{
	g_autoptr(MlvStaging) stage = mlv_staging_new(local->repo);
	const char *path = import->options->path;

	/* Where the old data are here, the new are brought over them, as after git has moved the
	 * pointer. */
	if (!import->on_disk) {
		mlv_partial_forget(local->partial, path);
		mlv_partial_begin(local->partial, path);
	}
	mlv_staging_pointer(stage, path, &import->result->pointer);
	return mlv_partial_save(local->partial, error) && mlv_staging_commit(stage, error);
}

gboolean mlv_import(MlvLocal *local, const MlvImportOptions *options, MlvImportResult *result,
		    GError **error)
{
	Import import = { .options = options, .result = result };

	memset(result, 0, sizeof(*result));
	return check(&import, local, error) && store_archive(&import, local, error) &&
	       track(&import, local, error);
}

char *mlv_import_default_name(const char *file)
{
	static const char *const endings[] = {
		".gz",  ".bz2", ".xz",   ".zst",  ".zstd", ".lz4",  ".lz",  ".lzma",
		".Z",   ".tgz", ".tbz",  ".tbz2", ".txz",  ".tzst", ".taz", ".tar",
		".zip", ".7z",  ".cpio", ".iso",  ".rar",  ".cab",  ".xar", ".lha",
		".lzh", ".ar",  ".warc", ".jar",  ".npz",
	};
	char *name = g_path_get_basename(file);
	gboolean again = TRUE;

	while (again) {
		again = FALSE;
		for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
			gsize length = strlen(name), end = strlen(endings[i]);

			if (length >= end &&
			    g_ascii_strcasecmp(name + length - end, endings[i]) == 0) {
				name[length - end] = '\0';
				again = TRUE;
			}
		}
	}
	if (*name && strcmp(name, "/") != 0 && strcmp(name, ".") != 0)
		return name;
	g_free(name);
	return NULL;
}
