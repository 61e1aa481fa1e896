/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/checkout_call.h"
#include "cmd/look.h"
#include "core/switch.h"
#include "core/target.h"

/* --- in line with the work tree's pointers ---------------------------------------------------- */

static gint by_path(gconstpointer a, gconstpointer b)
{
	const MlvTracked *first = *(const MlvTracked *const *)a,
			 *second = *(const MlvTracked *const *)b;

	return strcmp(first->path, second->path);
}

/* Pointers that were named and are not in the work tree any more come back from the index. */
static gboolean restore_pointers(MlvCheckoutCall *call, GPtrArray *pointers, GError **error)
{
	g_autoptr(GPtrArray) index = mlv_git_pointers_in_index(call->local->repo, error);
	gboolean any = FALSE;

	if (!index)
		return FALSE;
	for (guint i = 0; i < index->len; i++) {
		const MlvTracked *staged = index->pdata[i];
		gsize length;

		if (staged->error || staged->stage != 0 || staged->lock ||
		    mlv_tracked_find(pointers, staged->path) ||
		    !mlv_pathspec_matches(call->paths, staged->path))
			continue;
		g_ptr_array_add(pointers, mlv_tracked_copy(staged));
		any = TRUE;
		if (call->opt->dry_run)
			continue;
		g_autofree char *text = mlv_pointer_format(&staged->pointer, &length);
		g_autofree char *path = mlv_pointer_path(staged->path);
		if (!mlv_repo_write_file(call->local->repo, path, text, length, 0666, error))
			return FALSE;
	}
	if (any)
		g_ptr_array_sort(pointers, by_path);
	return TRUE;
}

static gboolean finish(MlvCheckoutCall *call, MlvCheckout *checkout, GError **error)
{
	if (call->opt->dry_run)
		return mlv_checkout_call_tell(call, checkout, error);
	return mlv_checkout_call_check(call, checkout, error) &&
	       mlv_cmd_checkout_apply(call->cmd, checkout, error) &&
	       mlv_checkout_call_tell(call, checkout, error);
}

static gboolean run_workspace(MlvCheckoutCall *call, GError **error)
{
	g_autoptr(GPtrArray) pointers =
		mlv_git_pointers_in_workspace(call->local->repo, FALSE, error);

	if (!pointers ||
	    (call->paths && (!restore_pointers(call, pointers, error) ||
			     !mlv_checkout_call_check_paths(call, pointers, NULL, error))))
		return FALSE;
	call->unreadable =
		mlv_cmd_checkout_warn(call->cmd, call->local->repo, pointers, call->paths);
	g_autoptr(MlvCheckout) checkout = mlv_checkout_call_plan(call, pointers, NULL, error);
	return checkout && finish(call, checkout, error);
}

/* --- words ------------------------------------------------------------------------------------ */

/* Sorts the words into a revision and paths. */
static gboolean read_words(MlvCheckoutCall *call, const MlvWords *words, char **rev, GError **error)
{
	MlvRepo *repo = call->local->repo;
	g_autoptr(GPtrArray) revs = NULL;
	g_autoptr(GPtrArray) paths = NULL;
	gboolean found = FALSE;

	if (words->n_before == 1 &&
	    !mlv_switch_find(repo, words->before[0], &call->commit, &found, error))
		return FALSE;
	if (found && strcmp(words->before[0], "-") == 0) {
		*rev = g_strdup("-");
		paths = g_ptr_array_new();
		for (guint i = 0; i < words->n_after; i++)
			g_ptr_array_add(paths, words->after[i]);
	} else {
		g_autoptr(GError) local = NULL;

		if (!mlv_cmd_split_revisions(call->cmd, repo, words, 1, &revs, &paths, &local)) {
			if (!found || local->code == MLV_ERROR_USAGE || words->n_after > 0) {
				g_propagate_error(error, g_steal_pointer(&local));
				return FALSE;
			}
			paths = g_ptr_array_new();
			*rev = g_strdup(words->before[0]); /* a remote's branch */
		} else if (revs->len > 0) {
			*rev = g_strdup(revs->pdata[0]);
			if (!mlv_switch_find(repo, *rev, &call->commit, &found, error))
				return FALSE;
			if (!found)
				return mlv_git_resolve(repo, *rev, &call->commit, error);
		}
	}
	if (paths->len > 0)
		call->paths =
			mlv_pathspec_new(repo, (char *const *)paths->pdata, paths->len, error);
	return paths->len == 0 || call->paths;
}

gboolean mlv_cmd_checkout(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	MlvCheckoutFlags opt = { 0 };
	const GOptionEntry entries[] = {
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &opt.force, "give up data that is not saved",
		  NULL },
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &opt.dry_run, "only say what would be done",
		  NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};
	MlvCheckoutCall call = { .cmd = cmd, .opt = &opt };
	g_autofree char *rev = NULL;

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[REV] [-- PATH...]\nmlv checkout\nmlv checkout v1.0\n"
			       "mlv checkout HEAD~1 -- data/train",
			       error))
		return FALSE;
	MlvWords words = mlv_options_words(cmd, argc, argv);
	if (!mlv_checkout_call_reopen(&call, error))
		return FALSE;
	gboolean ok = read_words(&call, &words, &rev, error);
	call.rev = rev;
	if (ok)
		ok = !rev         ? run_workspace(&call, error)
		     : call.paths ? mlv_checkout_call_paths(&call, error)
				  : mlv_checkout_call_switch(&call, error);
	mlv_pathspec_free(call.paths);
	mlv_local_close(call.local);
	return ok;
}
