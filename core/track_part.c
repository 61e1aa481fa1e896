/* SPDX-License-Identifier: Apache-2.0 */
#include "core/track_part.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/git_tree.h"
#include "core/snapshot.h"
#include "storage/file.h"

/* What the tree has at `path` below it; *found FALSE for nothing. */
static gboolean find_entry(const MlvPart *part, const MlvRef *tree, const char *path,
			   MlvTreeEntry *entry, gboolean *found, GError **error)
{
	MlvSource *source = mlv_store_source(part->local->store);
	g_auto(GStrv) names = g_strsplit(path, "/", -1);

	*entry = (MlvTreeEntry){ .mode = MLV_MODE_DIRECTORY, .ref = *tree };
	*found = TRUE;
	for (char **name = names; *name && *found; name++) {
		if (entry->mode != MLV_MODE_DIRECTORY) {
			*found = FALSE;
		} else if (!mlv_tree_find(source, &entry->ref, *name, entry, found, error)) {
			return mlv_snapshot_blame(part->target, error);
		}
	}
	return TRUE;
}

const char *mlv_part_below(const MlvPart *part)
{
	return part->path + strlen(part->target) + 1;
}

gboolean mlv_part_find(const MlvPart *part, const MlvPointer *base, MlvPointer *pointer,
		       gboolean *found, GError **error)
{
	MlvTreeEntry entry;

	if (!find_entry(part, &base->ref, mlv_part_below(part), &entry, found, error))
		return FALSE;
	*found = *found && mlv_pointer_from_entry(&entry, pointer);
	return TRUE;
}

gboolean mlv_part_read_target(const MlvPart *part, MlvPointer *pointer, GError **error)
{
	MlvPointer now;
	gboolean found;

	if (!mlv_git_read_pointer_file(part->local->repo, part->target, &now, &found, error))
		return FALSE;
	if (found)
		*pointer = now;
	return pointer->ref.kind == MLV_KIND_TREE ||
	       mlv_fail(error, MLV_ERROR_FAILED,
			"'%s' became a file meanwhile; run the command again", part->target);
}

static gboolean is_gone(const char *path, gpointer user)
{
	const MlvPart *top = user;
	g_autofree char *whole = g_strconcat(top->target, "/", path, NULL);
	g_auto(MlvFd) fd = mlv_file_open_beneath(mlv_repo_root_fd(top->local->repo), whole,
						 O_PATH | O_NOFOLLOW, 0);

	return fd < 0 && (errno == ENOENT || errno == ENOTDIR);
}

gboolean mlv_part_splice(MlvLocal *local, const char *target, GArray *edits, MlvStoreWriter *writer,
			 MlvPointer *pointer, GError **error)
{
	MlvPart top = { local, target, target };
	MlvTreeEntry tree = { .mode = MLV_MODE_DIRECTORY, .ref = pointer->ref };
	const MlvSpliceOptions options = { .source = mlv_store_source(local->store),
					   .put = mlv_store_writer_put,
					   .put_user = writer,
					   .gone = is_gone,
					   .user = &top };

	return mlv_splice(&options, &tree, edits, error) &&
	       mlv_store_writer_commit(writer, error) && mlv_pointer_from_entry(&tree, pointer);
}
