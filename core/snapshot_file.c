/* SPDX-License-Identifier: Apache-2.0 */
/* One file of the work tree: what is known of it without reading its content. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/snapshot_private.h"
#include "storage/file.h"

void mlv_snapshot_problem(MlvSnapshot *snapshot, SnapTarget *target, MlvProblemType type,
			  const char *path, const char *why)
{
	if (type != MLV_PROBLEM_KIND)
		target->incomplete = TRUE;
	if (snapshot->options.problem)
		snapshot->options.problem(type, path, why, snapshot->options.data);
}

gboolean mlv_snapshot_is_stored(MlvSnapshot *snapshot, const MlvRef *ref)
{
	MlvSource *source = mlv_store_source(snapshot->options.store);
	guint64 offset, length;
	MlvId id;
	gboolean has = TRUE;

	if (ref->size == 0)
		return TRUE;
	if (!source->has(source, mlv_ref_chunk_kind(ref), &ref->id, &has, NULL) || !has)
		return FALSE;
	g_autoptr(MlvLeafCursor) cursor =
		ref->depth == 0 ? NULL : mlv_leaf_cursor_new(source, ref, 0, NULL);
	if (!cursor)
		return ref->depth == 0;
	while (mlv_leaf_cursor_next(cursor, &id, &offset, &length, NULL)) {
		if (length == 0)
			return TRUE;
		if (!source->has(source, MLV_KIND_BLOB, &id, &has, NULL) || !has)
			return FALSE;
	}
	return FALSE;
}

gboolean mlv_snapshot_known_file(MlvSnapshot *snapshot, const MlvStatRecord *record,
				 MlvTreeEntry *entry)
{
	gboolean stored = (record->flags & MLV_STAT_STORED) &&
			  !mlv_statcache_is_stale(snapshot->options.cache);
	MlvRef ref = { .kind = MLV_KIND_BLOB, .depth = record->depth, .size = record->size };

	memcpy(ref.id.b, record->id, MLV_ID_SIZE);
	if (snapshot->options.writer && !stored && !mlv_snapshot_is_stored(snapshot, &ref))
		return FALSE;
	entry->mode = record->mode;
	entry->ref = ref;
	entry->files = 1;
	entry->bytes = ref.size;
	return TRUE;
}

gboolean mlv_snapshot_read_symlink(MlvSnapshot *snapshot, SnapTarget *target, const char *path,
				   MlvTreeEntry *entry, GError **error)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *folder = slash ? g_strndup(path, (gsize)(slash - path)) : g_strdup(".");
	char text[4096];
	g_auto(MlvFd) fd = mlv_file_open_beneath(mlv_repo_root_fd(snapshot->options.repo), folder,
						 O_RDONLY | O_DIRECTORY, 0);
	ssize_t length = fd < 0 ? -1 : readlinkat(fd, slash ? slash + 1 : path, text, sizeof(text));

	if (length <= 0 || length >= (ssize_t)sizeof(text)) {
		mlv_snapshot_problem(snapshot, target, MLV_PROBLEM_UNREADABLE, path,
				     length < 0 ? g_strerror(errno)
						: "the symlink's target is too long");
		return TRUE;
	}
	entry->mode = MLV_MODE_SYMLINK;
	entry->ref = (MlvRef){ .kind = MLV_KIND_BLOB, .size = (guint64)length };
	entry->files = 1;
	entry->bytes = (guint64)length;
	mlv_id_of(text, (gsize)length, &entry->ref.id);
	return mlv_snapshot_put(MLV_KIND_BLOB, &entry->ref.id, (guint8 *)text, (gsize)length,
				snapshot, error);
}

gboolean mlv_snapshot_is_pointer_file(MlvSnapshot *snapshot, const char *path, guint64 size)
{
	MlvPointer pointer;

	if (size > MLV_POINTER_MAX || !mlv_pointer_is_path(path))
		return FALSE;
	g_autoptr(GBytes) bytes = mlv_file_read(mlv_repo_root_fd(snapshot->options.repo), path,
						MLV_POINTER_MAX, NULL);
	return bytes && mlv_pointer_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
					  path, &pointer, NULL);
}

gboolean mlv_snapshot_is_unbrought(const MlvSnapshotOptions *options, const char *target,
				   const MlvPointer *base)
{
	g_auto(MlvFd) fd = mlv_file_open_beneath(mlv_repo_root_fd(options->repo), target,
						 O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	guint64 all = 0, here = 0;
	MlvTreeEntry entry;
	MlvStatDir known;

	if (base->ref.kind != MLV_KIND_TREE || mlv_partial_has(options->partial, target) ||
	    mlv_statcache_dir(options->cache, target, &known) || fd < 0)
		return FALSE;
	g_autoptr(MlvTreeCursor) cursor =
		mlv_tree_cursor_new(mlv_store_source(options->store), &base->ref, NULL);
	gboolean readable = cursor != NULL;
	while (readable && (readable = mlv_tree_cursor_next(cursor, &entry, NULL)) && entry.name) {
		all++;
		here += faccessat(fd, entry.name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	}
	return !readable || 2 * here < all;
}
