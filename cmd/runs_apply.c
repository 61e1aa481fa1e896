/* SPDX-License-Identifier: Apache-2.0 */
/* `mlv runs apply` and `mlv runs branch`: a run comes back. */
#include <string.h>

#include "cmd/run_call.h"
#include "cmd/runs_call.h"
#include "core/git_commit.h"
#include "core/git_run.h"

#define SHOWN 5u

typedef struct {
	MlvCmd *cmd;
	MlvRepo *repo;
	const MlvRunEntry *entry;
	gboolean force;
	MlvOid here, head, wanted; /* trees: the work tree's, HEAD's, the run's */
	gboolean unborn;
	GPtrArray *write, *remove; /* paths, of char * */
	GPtrArray *unsaved;        /* those among them that would be lost */
} Apply;

static gboolean is_records(const char *path)
{
	return g_str_has_prefix(path, MLV_RUN_FOLDER "/");
}

static gboolean open_trees(Apply *apply, GError **error)
{
	MlvGitSnapshotOptions options = { .max_file = G_MAXUINT64 };
	MlvOid commit;

	return mlv_git_snapshot(apply->repo, &options, &apply->here, error) &&
	       mlv_git_head(apply->repo, &commit, &apply->unborn, error) &&
	       (apply->unborn ||
		mlv_git_commit_tree_of(apply->repo, &commit, &apply->head, error)) &&
	       mlv_git_commit_tree_of(apply->repo, &apply->entry->record, &apply->wanted, error);
}

/* Whether two trees have the same at a path; *has: `a` has something there. */
static gboolean same_at(MlvRepo *repo, const MlvOid *a, const MlvOid *b, const char *path,
			gboolean *has)
{
	MlvOid first, second;
	guint32 first_mode, second_mode;
	gboolean there = FALSE;

	*has = FALSE;
	return mlv_git_tree_entry(repo, a, path, &first, &first_mode, has, NULL) && *has &&
	       mlv_git_tree_entry(repo, b, path, &second, &second_mode, &there, NULL) && there &&
	       mlv_oid_equal(&first, &second) && first_mode == second_mode;
}

/* What git has in HEAD, or some run has kept, is not lost when it is overwritten. */
static void drop_saved(Apply *apply)
{
	g_autoptr(GPtrArray) refs = mlv_git_list_refs(apply->repo, MLV_RUN_REFS, NULL);

	for (guint i = 0; refs && i < refs->len && apply->unsaved->len > 0; i++) {
		const MlvGitRef *ref = refs->pdata[i];
		MlvOid tree;
		if (!mlv_git_commit_tree_of(apply->repo, &ref->commit, &tree, NULL))
			continue;
		for (guint j = apply->unsaved->len; j-- > 0;) {
			gboolean has;
			if (same_at(apply->repo, &apply->here, &tree, apply->unsaved->pdata[j],
				    &has))
				g_ptr_array_remove_index(apply->unsaved, j);
		}
	}
}

static gboolean decide(Apply *apply, GError **error)
{
	g_autoptr(GArray) edits =
		mlv_git_tree_edits(apply->repo, &apply->here, &apply->wanted, error);

	if (!edits)
		return FALSE;
	for (guint i = 0; i < edits->len; i++) {
		const MlvGitEdit *edit = &g_array_index(edits, MlvGitEdit, i);
		gboolean here = FALSE, in_head = FALSE;
		gboolean clean = !apply->unborn && same_at(apply->repo, &apply->here, &apply->head,
							   edit->path, &here);
		MlvOid oid;
		guint32 mode;

		if (is_records(edit->path))
			continue;
		/* what neither HEAD nor the run knows is none of our business */
		if (edit->mode == 0 && (apply->unborn ||
					!mlv_git_tree_entry(apply->repo, &apply->head, edit->path,
							    &oid, &mode, &in_head, NULL) ||
					!in_head))
			continue;
		g_ptr_array_add(edit->mode ? apply->write : apply->remove, g_strdup(edit->path));
		if (!clean && (here || apply->unborn))
			g_ptr_array_add(apply->unsaved, g_strdup(edit->path));
	}
	drop_saved(apply);
	return TRUE;
}

static gboolean refuse_unsaved(Apply *apply, GError **error)
{
	g_autoptr(GString) names = g_string_new(NULL);

	if (apply->unsaved->len == 0 || apply->force)
		return TRUE;
	for (guint i = 0; i < MIN(apply->unsaved->len, SHOWN); i++)
		g_string_append_printf(names, "%s'%s'", i ? ", " : "",
				       (char *)apply->unsaved->pdata[i]);
	return mlv_fail(error, MLV_ERROR_EXISTS,
			"%s%s %s changes that no commit and no run has: commit or stash them, or "
			"give them up with --force",
			names->str, apply->unsaved->len > SHOWN ? " and others" : "",
			apply->unsaved->len == 1 ? "has" : "have");
}

/* By git: modes, links and the filters of attributes are its own; the index stays as it is. */
static gboolean write_files(Apply *apply, GError **error)
{
	char hex[MLV_OID_HEX + 1];
	g_autoptr(GByteArray) input = g_byte_array_new();
	g_autoptr(GBytes) output = NULL;

	if (apply->write->len == 0)
		return TRUE;
	mlv_oid_format(&apply->entry->record, hex);
	g_autofree char *source = g_strconcat("--source=", hex, NULL);
	const char *argv[] = {
		"-C",   mlv_repo_root(apply->repo), "--literal-pathspecs", "restore", "--worktree",
		source, "--pathspec-from-file=-",   "--pathspec-file-nul", NULL
	};
	for (guint i = 0; i < apply->write->len; i++) {
		const char *path = apply->write->pdata[i];
		g_byte_array_append(input, (const guint8 *)path, (guint)strlen(path) + 1);
	}
	g_autoptr(GBytes) bytes = g_byte_array_free_to_bytes(g_steal_pointer(&input));
	return mlv_git_capture(apply->repo, argv, bytes, &output, NULL, error);
}

/* Data by what pointers and locks say now. */
static gboolean bring_data(Apply *apply, GError **error)
{
	g_autofree char *self = mlv_run_call_self();
	char *words[] = { self,
			  (char *)"-C",
			  (char *)mlv_repo_root(apply->repo),
			  (char *)"checkout",
			  (char *)"-q",
			  (char *)(apply->force ? "-f" : NULL),
			  NULL };
	g_autoptr(GBytes) output = NULL;

	if (mlv_program_capture(apply->repo, words, NULL, &output, NULL, error))
		return TRUE;
	g_prefix_error(
		error,
		"code and parameters are as run '%s' left them, data are not yet (go on with "
		"'mlv pull' or 'mlv checkout'): ",
		apply->entry->name);
	return FALSE;
}

static gboolean apply_run(Apply *apply, GError **error)
{
	if (!open_trees(apply, error) || !decide(apply, error) || !refuse_unsaved(apply, error))
		return FALSE;
	for (guint i = 0; i < apply->remove->len; i++)
		if (!mlv_repo_remove_file(apply->repo, apply->remove->pdata[i], error))
			return FALSE;
	if (!write_files(apply, error) || !bring_data(apply, error))
		return FALSE;
	g_autofree char *written = mlv_ui_plural(apply->write->len, "file");
	mlv_ui_note(apply->cmd->ui, "applied run %s: %s written, %u removed", apply->entry->name,
		    written, apply->remove->len);
	return TRUE;
}

gboolean mlv_cmd_runs_apply(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Apply apply = { .cmd = cmd };
	const GOptionEntry entries[] = {
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &apply.force,
		  "give up changes that nothing has kept", NULL },
		{ NULL },
	};

	if (!mlv_options_parse(cmd, entries, &argc, &argv, "RUN\nmlv runs apply baseline", error) ||
	    !mlv_options_count(cmd, argc, 1, 1, error))
		return FALSE;
	apply.repo = mlv_runs_open(cmd, error);
	g_autoptr(MlvRunEntry) entry =
		apply.repo ? mlv_runs_find(apply.repo, argv[1], error) : NULL;
	if (!entry)
		return FALSE;
	g_autoptr(GPtrArray) write = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) removed = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) unsaved = g_ptr_array_new_with_free_func(g_free);
	apply.entry = entry;
	apply.write = write;
	apply.remove = removed;
	apply.unsaved = unsaved;
	return apply_run(&apply, error);
}

/* --- branch ----------------------------------------------------------------------------------- */

/* The run's tree without its record, on top of the commit that it began from. */
static gboolean commit_run(MlvRepo *repo, const MlvRunEntry *entry, MlvOid *commit, GError **error)
{
	g_autoptr(GArray) edits = mlv_git_edits_new();
	g_autofree char *command = mlv_run_command_text(entry->run);
	g_autofree char *message = g_strdup_printf("run %s\n\n%s\n", entry->name, command);
	MlvOid tree, parent;
	gboolean rooted = entry->run->base && mlv_oid_parse(entry->run->base, &parent);

	mlv_git_edits_remove(edits, MLV_RUN_FOLDER);
	return mlv_git_commit_tree_of(repo, &entry->record, &tree, error) &&
	       mlv_git_edit_tree(repo, &tree, edits, &tree, error) &&
	       mlv_git_commit_tree(repo, &tree, &parent, rooted ? 1 : 0, message, commit, error);
}

gboolean mlv_cmd_runs_branch(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	const GOptionEntry entries[] = { { NULL } };
	MlvOid commit;

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "RUN BRANCH\nmlv runs branch baseline try-it", error) ||
	    !mlv_options_count(cmd, argc, 2, 2, error))
		return FALSE;
	MlvRepo *repo = mlv_runs_open(cmd, error);
	g_autoptr(MlvRunEntry) entry = repo ? mlv_runs_find(repo, argv[1], error) : NULL;
	if (!entry)
		return FALSE;
	g_autofree char *ref = g_strconcat("refs/heads/", argv[2], NULL);
	if (*argv[2] == '-' || !mlv_git_ref_is_valid(ref))
		return mlv_fail(error, MLV_ERROR_USAGE, "'%s' is no name for a branch", argv[2]);
	if (!commit_run(repo, entry, &commit, error))
		return FALSE;
	g_autoptr(GError) problem = NULL;
	if (!mlv_git_move_ref(repo, ref, &commit, NULL, &problem)) {
		if (g_error_matches(problem, MLV_ERROR, MLV_ERROR_EXISTS))
			return mlv_fail(error, MLV_ERROR_EXISTS, "there is a branch '%s' already",
					argv[2]);
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	mlv_ui_note(cmd->ui, "branch %s is run %s; 'git switch %s' and 'mlv checkout' bring it",
		    argv[2], entry->name, argv[2]);
	return TRUE;
}
