/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/hook_merge.h"

#include <fcntl.h>
#include <string.h>

#include "cmd/look.h"
#include "cmd/session.h"
#include "core/compare.h"
#include "core/follow.h"
#include "core/merge.h"
#include "storage/file.h"

/* A pointer in a file that git wrote for a driver; an empty file, or /dev/null, is none. */
static gboolean read_side(const char *file, MlvPointer *pointer, gboolean *there, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;

	*there = FALSE;
	if (strcmp(file, "/dev/null") == 0)
		return TRUE;
	bytes = mlv_file_read(AT_FDCWD, file, MLV_POINTER_MAX, error);
	if (!bytes)
		return FALSE;
	if (g_bytes_get_size(bytes) == 0)
		return TRUE;
	*there = TRUE;
	return mlv_pointer_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), file,
				 pointer, error);
}

/* --- merge ------------------------------------------------------------------------------------ */

typedef struct {
	MlvCmd *cmd;
	const char *path; /* of the data */
} Conflicts;

static void tell_conflict(const char *path, const char *theirs, gpointer user)
{
	Conflicts *conflicts = user;
	g_autofree char *full = g_strconcat(conflicts->path, *path ? "/" : "", path, NULL);
	g_autofree char *name = mlv_ui_name(full);

	if (theirs) {
		g_autofree char *beside = mlv_ui_name(theirs);
		mlv_ui_warn(conflicts->cmd->ui,
			    "CONFLICT: both sides changed %s; theirs is kept as %s", name, beside);
	} else if (*path) {
		mlv_ui_warn(conflicts->cmd->ui,
			    "CONFLICT: one side changed %s and the other removed it; it is kept",
			    name);
	} else {
		mlv_ui_warn(conflicts->cmd->ui, "CONFLICT: both sides changed %s; ours is kept",
			    name);
	}
}

static gboolean write_result(const char *file, const MlvPointer *pointer, GError **error)
{
	gsize length;
	g_autofree char *text = mlv_pointer_format(pointer, &length);
	g_auto(MlvFd) fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		return mlv_fail_errno(error, "cannot write '%s'", file);
	return mlv_file_write(fd, text, length, file, error);
}

/* With conflicts both versions are brought to the work tree at once, to be looked at; unsaved
 * data stay as they are. */
static void show_conflicts(MlvCmd *cmd, MlvLocal *local, const char *path, const MlvPointer *merged,
			   const MlvPointer *ours)
{
	MlvCheckoutOptions options = { .repo = local->repo,
				       .store = local->store,
				       .cache = local->cache,
				       .partial = local->partial,
				       .cancel = cmd->cancel };
	g_autoptr(MlvCheckout) checkout = mlv_checkout_new(&options);
	g_autoptr(GError) local_error = NULL;

	if (mlv_checkout_target(checkout, path, merged, ours, &local_error) &&
	    mlv_checkout_plan(checkout, &local_error) && mlv_checkout_check(checkout, &local_error))
		mlv_checkout_apply(checkout, &local_error);
	if (local_error)
		mlv_ui_warn(cmd->ui,
			    "the conflicting versions are not in the work tree yet: %s; run "
			    "'mlv checkout'",
			    local_error->message);
}

static gboolean merge_files(MlvCmd *cmd, char **argv, GError **error)
{
	MlvPointer base, ours, theirs, result;
	gboolean has_base, has_ours, has_theirs;
	guint64 conflicts;
	g_autofree char *path =
		mlv_pointer_is_path(argv[4]) ? mlv_pointer_data_path(argv[4]) : g_strdup(argv[4]);
	Conflicts tell = { cmd, path };

	if (!read_side(argv[1], &base, &has_base, error) ||
	    !read_side(argv[2], &ours, &has_ours, error) ||
	    !read_side(argv[3], &theirs, &has_theirs, error))
		return FALSE;
	if (!has_ours || !has_theirs)
		return mlv_fail(error, MLV_ERROR_CHECK, "'%s' is no pointer on one side", argv[4]);
	g_autoptr(MlvView) view = mlv_cmd_open_view(cmd, TRUE, error);
	g_autoptr(MlvLocal) local = view ? mlv_cmd_open_local(cmd, error) : NULL;
	if (!local)
		return FALSE;
	g_autoptr(MlvStoreWriter) writer = mlv_store_writer_new(local->store, &local->write);
	MlvMergeOptions options = { .source = mlv_view_source(view),
				    .put = mlv_store_writer_put,
				    .put_user = writer,
				    .conflict = tell_conflict,
				    .user = &tell };
	if (!mlv_merge_pointers(&options, has_base ? &base : NULL, &ours, &theirs, &result,
				&conflicts, error) ||
	    !mlv_store_writer_commit(writer, error) || !write_result(argv[2], &result, error))
		return FALSE;
	if (conflicts > 0) {
		show_conflicts(cmd, local, path, &result, &ours);
		cmd->status = MLV_EXIT_CHECK;
	}
	return TRUE;
}

gboolean mlv_hook_merge(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	const GOptionEntry entries[] = { { NULL } };

	return mlv_options_parse(cmd, entries, &argc, &argv, "BASE OURS THEIRS PATH", error) &&
	       mlv_options_count(cmd, argc, 4, 4, error) && merge_files(cmd, argv, error);
}

/* --- diff ------------------------------------------------------------------------------------- */

static gboolean print_change(const MlvChange *change, gpointer user, GError **error)
{
	g_autofree char *name = mlv_ui_name(change->path);
	g_autofree char *from = mlv_ui_size(change->from.bytes);
	g_autofree char *to = mlv_ui_size(change->to.bytes);

	if (change->from_path) {
		g_autofree char *old = mlv_ui_name(change->from_path);
		printf("%c %s -> %s  %s\n", change->kind, old, name, to);
	} else if (change->kind == MLV_CHANGE_ADDED) {
		printf("A %s  %s\n", name, to);
	} else if (change->kind == MLV_CHANGE_REMOVED) {
		printf("D %s  %s\n", name, from);
	} else {
		printf("%c %s  %s -> %s\n", change->kind, name, from, to);
	}
	return mlv_cmd_keep_going(user, error);
}

/* path old-file old-hex old-mode new-file new-hex new-mode, as git gives them; an unmerged path
 * comes alone. */
static gboolean diff_files(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	MlvPointer from, to;
	gboolean has_from, has_to;
	g_autofree char *path =
		mlv_pointer_is_path(argv[1]) ? mlv_pointer_data_path(argv[1]) : g_strdup(argv[1]);
	g_autofree char *name = mlv_ui_name(path);

	if (argc < 8) {
		printf("unmerged %s\n", name);
		return TRUE;
	}
	if (!read_side(argv[2], &from, &has_from, error) ||
	    !read_side(argv[5], &to, &has_to, error))
		return FALSE;
	g_autoptr(MlvView) view = mlv_cmd_open_view(cmd, TRUE, error);
	if (!view)
		return FALSE;
	MlvCompareOptions options = {
		.files = TRUE, .renames = TRUE, .visit = print_change, .user = cmd
	};
	g_autoptr(MlvCompare) compare = mlv_compare_new(mlv_view_source(view), &options);
	printf("mlv diff %s\n", name);
	return mlv_compare_target(compare, path, has_from ? &from : NULL, has_to ? &to : NULL,
				  error) &&
	       mlv_compare_finish(compare, error);
}

gboolean mlv_hook_diff(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	const GOptionEntry entries[] = { { NULL } };

	return mlv_options_parse(cmd, entries, &argc, &argv,
				 "PATH OLD-FILE OLD-HEX OLD-MODE NEW-FILE NEW-HEX NEW-MODE",
				 error) &&
	       mlv_options_count(cmd, argc, 1, 9, error) && diff_files(cmd, argc, argv, error);
}
