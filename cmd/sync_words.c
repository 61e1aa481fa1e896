/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sync_words.h"

#include "cmd/ui_json.h"

static gboolean take_revisions(MlvSyncWords *words, MlvRepo *repo, char **revs, guint count,
			       gboolean workspace, GError **error)
{
	MlvOid head;
	gboolean unborn;

	if (words->all && !mlv_selection_add_refs(words->selection, "refs/", TRUE, error))
		return FALSE;
	if (words->tags && !mlv_selection_add_refs(words->selection, "refs/tags/", FALSE, error))
		return FALSE;
	for (guint i = 0; i < count; i++)
		if (!mlv_selection_add_rev(words->selection, revs[i], FALSE, error))
			return FALSE;
	if (words->all || words->tags || count > 0)
		return TRUE;
	if (workspace) {
		mlv_selection_add_workspace(words->selection);
		return TRUE;
	}
	if (!mlv_git_head(repo, &head, &unborn, error))
		return FALSE;
	if (unborn)
		return mlv_fail(error, MLV_ERROR_MISSING,
				"there is no commit yet; commit something first");
	mlv_selection_add_commit(words->selection, &head, FALSE);
	return TRUE;
}

/* A first word that is no revision may have been meant for a remote. */
static void explain_word(MlvRepo *repo, const char *word, GError **error)
{
	MlvOid commit;

	if (mlv_git_resolve(repo, word, &commit, NULL))
		return;
	g_autoptr(GPtrArray) remotes = mlv_remote_config_list(repo, NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (guint i = 0; remotes && i < remotes->len; i++)
		g_ptr_array_add(names, ((MlvRemoteConfig *)remotes->pdata[i])->name);
	g_ptr_array_add(names, NULL);
	const char *near = mlv_options_nearest(word, (const char *const *)names->pdata);
	if (near) {
		g_clear_error(error);
		mlv_fail(error, MLV_ERROR_MISSING,
			 "'%s' is neither a remote nor a revision; did you mean '%s'?", word, near);
	} else {
		g_prefix_error(error, "'%s' is neither a remote nor a revision: ", word);
	}
}

gboolean mlv_sync_words_take(MlvSyncWords *words, MlvCmd *cmd, MlvRepo *repo, int argc, char **argv,
			     gboolean workspace, GError **error)
{
	MlvWords split = mlv_options_words(cmd, argc, argv);
	char **revs = split.before;
	guint count = split.n_before;

	words->cmd = cmd;
	if (count > 0 && mlv_remote_config_exists(repo, revs[0])) {
		words->remote = revs[0];
		revs++;
		count--;
	}
	words->paths = mlv_pathspec_new(repo, split.after, split.n_after, error);
	if (!words->paths)
		return FALSE;
	words->selection = mlv_selection_new(repo);
	mlv_selection_set_paths(words->selection, words->paths);
	if (take_revisions(words, repo, revs, count, workspace, error))
		return TRUE;
	if (count > 0 && !words->remote)
		explain_word(repo, revs[0], error);
	return FALSE;
}

void mlv_sync_words_clear(MlvSyncWords *words)
{
	mlv_ui_progress_end(words->progress);
	mlv_selection_free(words->selection);
	mlv_pathspec_free(words->paths);
}

static void tell_progress(guint64 done, guint64 total, gpointer user)
{
	MlvSyncWords *words = user;

	mlv_ui_progress_total(words->progress, total, 0);
	mlv_ui_progress_set(words->progress, done, 0);
}

static void tell_waiting(gpointer user)
{
	mlv_ui_note(((MlvSyncWords *)user)->cmd->ui,
		    "waiting for another mlv that uses the remote ...");
}

gboolean mlv_sync_words_options(MlvSyncWords *words, const char *title, MlvSyncOptions *options,
				GError **error)
{
	*options = (MlvSyncOptions){ .dry_run = words->dry_run,
				     .recheck = words->recheck,
				     .runs = words->runs,
				     .cancel = words->cmd->cancel,
				     .progress = tell_progress,
				     .waiting = tell_waiting,
				     .user = words };
	if (!mlv_cmd_jobs(words->cmd, &options->threads, error))
		return FALSE;
	words->progress = mlv_ui_progress_begin(words->cmd->ui, title);
	return TRUE;
}

static void set_recheck(const MlvSyncResult *result, json_t *document)
{
	mlv_json_set_size(document, "checked", result->checked);
	mlv_json_set_size(document, "packs_lost", result->packs_lost);
	mlv_json_set_size(document, "indexed_again", result->reused);
	mlv_json_set_size(document, "lost", result->lost);
}

/* What was found wrong; what was sent for it comes after. */
static void tell_recheck(MlvSyncWords *words, const char *remote, const MlvSyncResult *result)
{
	g_autofree char *checked = mlv_ui_plural(result->checked, "object");
	g_autofree char *packs = mlv_ui_plural(result->packs_lost, "pack");
	g_autofree char *again = mlv_ui_plural(result->reused, "object");
	g_autofree char *lost = mlv_ui_plural(result->lost, "object");

	mlv_ui_note(words->cmd->ui, "%s: checked %s", remote, checked);
	if (result->packs_lost > 0)
		mlv_ui_note(words->cmd->ui, "%s: %s gone or cut short", remote, packs);
	if (result->reused > 0)
		mlv_ui_note(words->cmd->ui, "%s: %s found in packs that no index named", remote,
			    again);
	if (result->lost > 0)
		mlv_ui_warn(words->cmd->ui,
			    "%s: %s that earlier pushes sent %s neither there nor here; run "
			    "'mlv push --recheck --all' in a clone that has %s",
			    remote, lost, result->lost == 1 ? "is" : "are",
			    result->lost == 1 ? "it" : "them");
}

void mlv_sync_words_done(MlvSyncWords *words, const char *remote, const MlvSyncResult *result,
			 const char *verb, json_t *document)
{
	g_clear_pointer(&words->progress, mlv_ui_progress_end);
	if (document) {
		mlv_json_set_text(document, "remote", remote);
		mlv_json_set_bool(document, "up_to_date", result->up_to_date);
		mlv_json_set_bool(document, "dry_run", words->dry_run);
		mlv_json_set_size(document, "packs", result->packs);
		mlv_json_set_size(document, "objects", result->chunks);
		mlv_json_set_size(document, "bytes", result->bytes);
		if (words->recheck)
			set_recheck(result, document);
		return;
	}
	if (words->recheck)
		tell_recheck(words, remote, result);
	if (result->up_to_date || result->chunks == 0) {
		mlv_ui_note(words->cmd->ui,
			    result->reused + result->packs_lost > 0 ? "%s: nothing had to be sent"
								    : "%s: up to date",
			    remote);
		return;
	}
	g_autofree char *objects = mlv_ui_plural(result->chunks, "object");
	g_autofree char *size = mlv_ui_size(result->bytes);
	if (words->dry_run)
		printf("%s: %s, %s would be %s\n", remote, objects, size, verb);
	else
		mlv_ui_note(words->cmd->ui, "%s: %s, %s %s", remote, objects, size, verb);
}
