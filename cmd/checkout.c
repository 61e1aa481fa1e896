/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/checkout_tell.h"
#include "cmd/look.h"
#include "cmd/session.h"
#include "core/git_stage.h"
#include "core/switch.h"
#include "core/track.h"

typedef struct {
	gboolean force, dry_run, json;
} Options;

typedef struct {
	MlvCmd *cmd;
	MlvLocal *local;
	const Options *opt;
	const char *rev;    /* as it was written; NULL: none */
	MlvOid commit;      /* of rev */
	MlvPathspec *paths; /* NULL: none were named */
	gboolean unreadable; /* a pointer was */
} Call;

static MlvCheckout *new_checkout(Call *call, GError **error)
{
	MlvCheckoutOptions options;

	if (!mlv_cmd_checkout_options(call->cmd, call->local, &options, error))
		return NULL;
	options.paths = call->paths;
	options.force = call->opt->force;
	if (call->rev)
		options.advice = "mlv fetch REV";
	return mlv_checkout_new(&options);
}

/* A plan for these pointers, all decided. */
static MlvCheckout *plan(Call *call, const GPtrArray *wanted, const GPtrArray *base, GError **error)
{
	g_autoptr(MlvCheckout) checkout = new_checkout(call, error);

	if (!checkout || !mlv_checkout_pointers(checkout, wanted, base, error) ||
	    !mlv_cmd_checkout_plan(call->cmd, checkout, error))
		return NULL;
	return g_steal_pointer(&checkout);
}

static gboolean check(Call *call, MlvCheckout *checkout, GError **error)
{
	return mlv_cmd_checkout_check(call->cmd, call->local->repo, checkout, error);
}

/* The result, done or (with -n) planned. */
static gboolean tell(Call *call, MlvCheckout *checkout, GError **error)
{
	MlvCheckoutTotals totals;

	mlv_checkout_totals(checkout, &totals);
	if (call->unreadable || (call->opt->dry_run && (totals.conflicts > 0 || totals.missing > 0)))
		call->cmd->status = MLV_EXIT_CHECK;
	if (call->opt->json) {
		json_t *document = mlv_json_new(call->cmd);

		if (call->rev) {
			char hex[MLV_OID_HEX + 1];
			mlv_oid_format(&call->commit, hex);
			mlv_json_set_text(document, "revision", hex);
		}
		mlv_json_set_bool(document, "dry_run", call->opt->dry_run);
		if (!mlv_cmd_checkout_json(checkout, document, call->opt->dry_run, error)) {
			json_decref(document);
			return FALSE;
		}
		return mlv_json_print(call->cmd, document, error);
	}
	if (call->opt->dry_run)
		return mlv_cmd_checkout_print(call->cmd, call->local->repo, checkout, error);
	mlv_cmd_checkout_note(call->cmd, checkout);
	return TRUE;
}

static gboolean finish(Call *call, MlvCheckout *checkout, GError **error)
{
	if (call->opt->dry_run)
		return tell(call, checkout, error);
	return check(call, checkout, error) && mlv_cmd_checkout_apply(call->cmd, checkout, error) &&
	       tell(call, checkout, error);
}

/* After a checkout or before a second one: the stat cache and the record of what is partial are read anew. */
static gboolean reopen(Call *call, GError **error)
{
	mlv_local_close(call->local);
	call->local = mlv_cmd_open_local(call->cmd, error);
	return call->local != NULL;
}

/* --- in line with the work tree's pointers --------------------------------------------------------- */

static gint by_path(gconstpointer a, gconstpointer b)
{
	const MlvTracked *first = *(const MlvTracked *const *)a, *second = *(const MlvTracked *const *)b;

	return strcmp(first->path, second->path);
}

/* Pointers that were named and are not in the work tree any more come back from the index. */
static gboolean restore_pointers(Call *call, GPtrArray *pointers, GError **error)
{
	g_autoptr(GPtrArray) index = mlv_git_pointers_in_index(call->local->repo, error);
	gboolean any = FALSE;

	if (!index)
		return FALSE;
	for (guint i = 0; i < index->len; i++) {
		const MlvTracked *staged = index->pdata[i];
		gsize length;

		if (staged->error || staged->stage != 0 || mlv_tracked_find(pointers, staged->path) ||
		    !mlv_pathspec_matches(call->paths, staged->path))
			continue;
		MlvTracked *copy = g_new0(MlvTracked, 1);
		copy->path = g_strdup(staged->path);
		copy->pointer = staged->pointer;
		g_ptr_array_add(pointers, copy);
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

/* Every path that was named must mean something. */
static gboolean check_paths(Call *call, const GPtrArray *pointers, const char *where, GError **error)
{
	for (guint i = 0; i < pointers->len; i++) {
		const MlvTracked *tracked = pointers->pdata[i];
		if (mlv_pathspec_may_match_below(call->paths, tracked->path))
			return TRUE;
	}
	return mlv_fail(error, MLV_ERROR_MISSING, "no tracked data at these paths%s%s; 'mlv status' and 'mlv ls' show "
			"what there is", where ? " in " : "", where ? where : "");
}

static gboolean run_workspace(Call *call, GError **error)
{
	g_autoptr(GPtrArray) pointers = mlv_git_pointers_in_workspace(call->local->repo, FALSE, error);

	if (!pointers || (call->paths && (!restore_pointers(call, pointers, error) ||
					  !check_paths(call, pointers, NULL, error))))
		return FALSE;
	call->unreadable = mlv_cmd_checkout_warn(call->cmd, call->local->repo, pointers, call->paths);
	g_autoptr(MlvCheckout) checkout = plan(call, pointers, NULL, error);
	return checkout && finish(call, checkout, error);
}

/* --- single paths of a revision -------------------------------------------------------------------- */

static void ignore_added(const char *path, const MlvPointer *pointer, gboolean is_new, gboolean changed, gboolean gone,
			 gpointer data)
{
}

/* The pointers follow the data: a whole target gets the revision's, one of which a part was brought is put together
 * anew. */
static gboolean stage_brought(Call *call, MlvCheckout *checkout, const GPtrArray *wanted, const GPtrArray *before,
			      GError **error)
{
	g_autoptr(GPtrArray) brought = mlv_checkout_brought(checkout);
	g_autoptr(GPtrArray) parts = g_ptr_array_new();
	g_autoptr(MlvStage) stage = mlv_stage_new(call->local->repo);
	MlvTrackOptions options = { .cancel = call->cmd->cancel, .added = ignore_added };
	MlvTrackResult result;

	for (guint i = 0; i < brought->len; i++) {
		const char *rest;
		const MlvTracked *tracked = mlv_tracked_cover(wanted, brought->pdata[i], &rest);

		if (!tracked || tracked->error)
			continue;
		if (*rest && mlv_tracked_find(before, tracked->path))
			g_ptr_array_add(parts, brought->pdata[i]);
		else
			mlv_stage_pointer(stage, tracked->path, &tracked->pointer);
	}
	if (!mlv_stage_commit(stage, error))
		return FALSE;
	return parts->len == 0 ||
	       (reopen(call, error) && mlv_cmd_jobs(call->cmd, &options.threads, error) &&
		mlv_track_add(call->local, (const char *const *)parts->pdata, parts->len, &options, &result, error));
}

static gboolean run_paths(Call *call, GError **error)
{
	g_autoptr(GPtrArray) wanted = mlv_git_pointers_in_commit(call->local->repo, &call->commit, error);
	g_autoptr(GPtrArray) before =
		wanted ? mlv_git_pointers_in_workspace(call->local->repo, FALSE, error) : NULL;
	g_autoptr(GPtrArray) base = g_ptr_array_new();

	if (!before || !check_paths(call, wanted, call->rev, error))
		return FALSE;
	for (guint i = 0; i < before->len; i++)
		if (mlv_tracked_find(wanted, ((MlvTracked *)before->pdata[i])->path))
			g_ptr_array_add(base, before->pdata[i]);
	call->unreadable = mlv_cmd_checkout_warn(call->cmd, call->local->repo, wanted, call->paths);
	g_autoptr(MlvCheckout) checkout = plan(call, wanted, base, error);
	if (!checkout)
		return FALSE;
	if (call->opt->dry_run)
		return tell(call, checkout, error);
	return check(call, checkout, error) && mlv_cmd_checkout_apply(call->cmd, checkout, error) &&
	       stage_brought(call, checkout, wanted, before, error) && tell(call, checkout, error);
}

/* --- switching ------------------------------------------------------------------------------------- */

static gboolean run_git(Call *call, GError **error)
{
	return mlv_switch_run(call->local->repo, call->rev, call->opt->force,
			      call->opt->json || call->cmd->ui->quiet, error);
}

/* Git switches; data whose names git itself needs goes first, and comes back if git will not. */
static gboolean git_switch(Call *call, const MlvSwitch *change, GError **error)
{
	if (change->taken->len == 0)
		return run_git(call, error);
	g_autoptr(MlvCheckout) away = plan(call, NULL, change->taken, error);
	if (!away || !mlv_cmd_checkout_apply(call->cmd, away, error) || !reopen(call, error))
		return FALSE;
	if (run_git(call, error))
		return TRUE;
	g_autoptr(MlvCheckout) back = plan(call, change->taken, NULL, NULL);
	if (back)
		mlv_cmd_checkout_apply(call->cmd, back, NULL);
	return FALSE;
}

/* The targets that are there before or after; those that git took are done with. */
static GPtrArray *remaining(const MlvSwitch *change)
{
	GPtrArray *base = g_ptr_array_new();

	for (guint i = 0; i < change->before->len; i++) {
		MlvTracked *tracked = change->before->pdata[i];
		gboolean gone = g_ptr_array_find(change->gone, tracked, NULL);
		if (!g_ptr_array_find(change->taken, tracked, NULL) &&
		    (gone || mlv_tracked_find(change->after, tracked->path)))
			g_ptr_array_add(base, tracked);
	}
	return base;
}

static gboolean run_switch(Call *call, GError **error)
{
	MlvRepo *repo = call->local->repo;
	g_autoptr(MlvSwitch) change = mlv_switch_new(repo, &call->commit, call->opt->force, error);
	gboolean holds;

	if (!change)
		return FALSE;
	g_autoptr(MlvCheckout) checkout = plan(call, change->after, change->before, error);
	if (!checkout)
		return FALSE;
	if (call->opt->dry_run)
		return tell(call, checkout, error);
	if (!check(call, checkout, error) || !git_switch(call, change, error) ||
	    !mlv_switch_holds(change, repo, &holds, error))
		return FALSE;
	if (!holds || change->taken->len > 0) {
		/* Git did otherwise than foretold: what it left is what counts. */
		g_autoptr(GPtrArray) now = mlv_git_pointers_in_workspace(repo, FALSE, error);
		g_autoptr(GPtrArray) base = remaining(change);
		g_clear_pointer(&checkout, mlv_checkout_free);
		checkout = now ? plan(call, now, base, error) : NULL;
		if (!checkout || !check(call, checkout, error))
			return FALSE;
	}
	call->unreadable = mlv_cmd_checkout_warn(call->cmd, repo, change->after, NULL);
	return mlv_cmd_checkout_apply(call->cmd, checkout, error) && tell(call, checkout, error);
}

/* --- words ----------------------------------------------------------------------------------------- */

/* Sorts the words into a revision and paths. */
static gboolean read_words(Call *call, const MlvWords *words, char **rev, GError **error)
{
	MlvRepo *repo = call->local->repo;
	g_autoptr(GPtrArray) revs = NULL;
	g_autoptr(GPtrArray) paths = NULL;
	gboolean found = FALSE;

	if (words->n_before == 1 && !mlv_switch_find(repo, words->before[0], &call->commit, &found, error))
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
		call->paths = mlv_pathspec_new(repo, (char *const *)paths->pdata, paths->len, error);
	return paths->len == 0 || call->paths;
}

gboolean mlv_cmd_checkout(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Options opt = { 0 };
	const GOptionEntry entries[] = {
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &opt.force, "give up data that is not saved", NULL },
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &opt.dry_run, "only say what would be done", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};
	Call call = { .cmd = cmd, .opt = &opt };
	g_autofree char *rev = NULL;

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[REV] [-- PATH...]\nmlv checkout\nmlv checkout v1.0\nmlv checkout HEAD~1 -- data/train",
			       error))
		return FALSE;
	MlvWords words = mlv_options_words(cmd, argc, argv);
	if (!reopen(&call, error))
		return FALSE;
	gboolean ok = read_words(&call, &words, &rev, error);
	call.rev = rev;
	if (ok)
		ok = !rev ? run_workspace(&call, error) : call.paths ? run_paths(&call, error) : run_switch(&call, error);
	mlv_pathspec_free(call.paths);
	mlv_local_close(call.local);
	return ok;
}
