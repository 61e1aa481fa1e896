/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/changes.h"
#include "cmd/look.h"
#include "cmd/session.h"
#include "core/diff_workspace.h"

typedef struct {
	MlvChangesOptions show;
	gboolean cached, staged, exit_code, no_renames, zero;
} Options;

/* What is compared: the new side is the work tree where `workspace` is set. */
typedef struct {
	MlvRevision from, to;
	gboolean workspace;
	char *from_text, *to_text; /* for JSON */
} Sides;

static void sides_clear(Sides *sides)
{
	g_free(sides->from_text);
	g_free(sides->to_text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sides, sides_clear)

typedef struct {
	MlvCmd *cmd;
	MlvLocal *local;
	MlvView *view;
	MlvProgress *progress;
	gboolean problems;
} Diff;

/* "A...B": what B did since it left A. */
static gboolean take_merge_base(MlvRepo *repo, Sides *sides, GError **error)
{
	MlvOid base;
	gboolean found;

	if (!mlv_git_merge_base(repo, &sides->from.commit, &sides->to.commit, &base, &found, error))
		return FALSE;
	if (!found)
		return mlv_fail(error, MLV_ERROR_FAILED, "'%s' and '%s' have no common ancestor",
				sides->from_text, sides->to_text);
	sides->from.commit = base;
	return TRUE;
}

static gboolean choose_sides(Diff *diff, const Options *opt, const GPtrArray *revs, Sides *sides,
			     GError **error)
{
	const char *first = revs->len > 0 ? revs->pdata[0] : NULL;
	gboolean cached = opt->cached || opt->staged, symmetric = FALSE;

	if (first && mlv_git_split_range(first, &sides->from_text, &sides->to_text, &symmetric)) {
		if (revs->len > 1 || cached)
			return mlv_fail(error, MLV_ERROR_USAGE,
					"the range '%s' is both sides already", first);
	} else {
		sides->from_text = g_strdup(first ? first : cached ? "HEAD" : "");
		sides->to_text = revs->len > 1 ? g_strdup(revs->pdata[1]) : NULL;
		if (cached && revs->len > 1)
			return mlv_fail(error, MLV_ERROR_USAGE,
					"--cached compares one revision with the index");
		if (cached)
			sides->to_text = g_strdup("");
	}
	sides->workspace = !sides->to_text;
	return mlv_view_revision(diff->view, sides->from_text, &sides->from, error) &&
	       mlv_view_revision(diff->view, sides->to_text, &sides->to, error) &&
	       (!symmetric || take_merge_base(diff->local->repo, sides, error));
}

static void tell_problem(const char *path, const char *why, gpointer user)
{
	Diff *diff = user;

	mlv_cmd_tell_problem(diff->cmd, diff->local->repo, path, why);
}

static void tell_progress(guint64 bytes, guint64 files, gpointer user)
{
	mlv_ui_progress_set(((Diff *)user)->progress, bytes, files);
}

static gboolean compare_workspace(Diff *diff, const GPtrArray *from, const MlvPathspec *paths,
				  MlvCompare *compare, GError **error)
{
	MlvDiffWorkspaceOptions options = {
		.cancel = diff->cmd->cancel,
		.paths = paths,
		.problem = tell_problem,
		.progress = tell_progress,
		.user = diff,
	};
	gboolean ok;

	if (!mlv_cmd_jobs(diff->cmd, &options.threads, error))
		return FALSE;
	diff->progress = mlv_ui_progress_begin(diff->cmd->ui, "looking at files");
	ok = mlv_diff_workspace(diff->local, from, &options, compare, &diff->problems, error);
	g_clear_pointer(&diff->progress, mlv_ui_progress_end);
	return ok;
}

/* Of what is in conflict our side is compared; that it is has to be said. */
static gboolean tell_unmerged(Diff *diff, const MlvPathspec *paths, GError **error)
{
	g_autoptr(GPtrArray) index = mlv_git_pointers_in_index(diff->local->repo, error);
	const char *last = NULL;

	for (guint i = 0; index && i < index->len; i++) {
		const MlvTracked *tracked = index->pdata[i];

		if (tracked->stage == 0 || g_strcmp0(last, tracked->path) == 0 ||
		    !mlv_pathspec_may_match_below(paths, tracked->path))
			continue;
		last = tracked->path;
		mlv_ui_note(diff->cmd->ui, "unmerged: %s", tracked->path);
	}
	return index != NULL;
}

static gboolean compare(Diff *diff, const Options *opt, const Sides *sides,
			const MlvPathspec *paths, MlvChanges *changes, GError **error)
{
	MlvCompareOptions options = {
		.files = TRUE,
		.renames = !opt->no_renames,
		.sorted = TRUE,
		.paths = paths,
		.visit = mlv_changes_visit,
		.user = changes,
	};
	g_autoptr(MlvCompare) comparison = mlv_compare_new(mlv_view_source(diff->view), &options);
	g_autoptr(GPtrArray) from = mlv_view_pointers(diff->view, &sides->from, error);
	g_autoptr(GPtrArray) to = NULL;

	if (!from)
		return FALSE;
	if ((sides->workspace || sides->to.at == MLV_AT_INDEX) &&
	    !tell_unmerged(diff, paths, error))
		return FALSE;
	if (sides->workspace) {
		if (!compare_workspace(diff, from, paths, comparison, error))
			return FALSE;
	} else {
		to = mlv_view_pointers(diff->view, &sides->to, error);
		if (!to || !mlv_compare_pointers(comparison, from, to, error))
			return FALSE;
	}
	if (!mlv_compare_finish(comparison, error) || !mlv_changes_end(changes, error))
		return FALSE;
	if (mlv_compare_renames_skipped(comparison))
		mlv_ui_note(diff->cmd->ui, "too many changes to look for renames");
	return TRUE;
}

static void set_side(json_t *head, const char *key, const MlvRevision *revision)
{
	char hex[MLV_OID_HEX + 1];

	mlv_oid_format(&revision->commit, hex);
	mlv_json_set_text(head, key,
			  revision->at == MLV_AT_COMMIT      ? hex
			  : revision->at == MLV_AT_INDEX     ? "index"
			  : revision->at == MLV_AT_WORKSPACE ? "workspace"
							     : NULL);
}

static gboolean print(Diff *diff, const Options *opt, const Sides *sides, const MlvPathspec *paths,
		      GError **error)
{
	MlvChanges changes = { .cmd = diff->cmd,
			       .view = diff->view,
			       .workspace = sides->workspace,
			       .zero = opt->zero };
	json_t *tail;
	gboolean ok;

	if (!mlv_changes_style(&opt->show, &changes.style, error))
		return FALSE;
	if (changes.style == MLV_CHANGES_JSON) {
		json_t *head = json_object();

		set_side(head, "old", &sides->from);
		set_side(head, "new", &sides->to);
		changes.stream = mlv_json_stream_new(diff->cmd, head, "changes");
	}
	ok = compare(diff, opt, sides, paths, &changes, error);
	if (changes.stream) {
		tail = json_object();
		json_object_set_new(tail, "summary", mlv_changes_totals_json(&changes.totals));
		/* A document that failed is ended all the same, and the error told. */
		if (!mlv_json_stream_end(changes.stream, tail, ok ? error : NULL))
			ok = FALSE;
	}
	g_clear_pointer(&changes.target, g_free);
	if (ok && opt->exit_code && (diff->problems || changes.count > 0))
		diff->cmd->status = MLV_EXIT_CHECK;
	return ok;
}

gboolean mlv_cmd_diff(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Options opt = { 0 };
	const GOptionEntry entries[] = {
		{ "cached", 0, 0, G_OPTION_ARG_NONE, &opt.cached,
		  "compare what is staged with HEAD or the revision", NULL },
		{ "staged", 0, 0, G_OPTION_ARG_NONE, &opt.staged, "the same", NULL },
		{ "patch", 'p', 0, G_OPTION_ARG_NONE, &opt.show.patch,
		  "also the changed lines of tables, JSON and other small texts", NULL },
		{ "summary", 0, 0, G_OPTION_ARG_NONE, &opt.show.summary, "only sums", NULL },
		{ "stat", 0, 0, G_OPTION_ARG_NONE, &opt.show.stat, "the same", NULL },
		{ "name-only", 0, 0, G_OPTION_ARG_NONE, &opt.show.names, "only paths", NULL },
		{ "name-status", 0, 0, G_OPTION_ARG_NONE, &opt.show.name_status,
		  "only letters and paths", NULL },
		{ "null", 'z', 0, G_OPTION_ARG_NONE, &opt.zero,
		  "names as they are, ended by NUL, with --name-only and --name-status", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.show.json, "print one JSON document",
		  NULL },
		{ "exit-code", 0, 0, G_OPTION_ARG_NONE, &opt.exit_code,
		  "exit with 1 if there are differences", NULL },
		{ "no-renames", 0, 0, G_OPTION_ARG_NONE, &opt.no_renames, "do not look for renames",
		  NULL },
		{ NULL },
	};
	g_autoptr(GPtrArray) revs = NULL, words_left = NULL;
	g_auto(Sides) sides = { 0 };
	Diff diff = { .cmd = cmd };
	MlvWords words;

	if (!mlv_options_parse(
		    cmd, entries, &argc, &argv,
		    "[A [B] | A..B] [--] [PATH...]\nmlv diff\nmlv diff HEAD~1 -- data/labels.csv\n"
		    "mlv diff --name-status v1.0 v2.0",
		    error))
		return FALSE;
	words = mlv_options_words(cmd, argc, argv);
	/* Names that end in NUL are names. */
	if (opt.zero && !opt.show.name_status)
		opt.show.names = TRUE;
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);
	if (!local)
		return FALSE;
	g_autoptr(MlvView) view = mlv_view_new(local->repo, local->store);
	if (!mlv_cmd_split_revisions(cmd, local->repo, &words, 2, &revs, &words_left, error))
		return FALSE;
	g_autoptr(MlvPathspec) paths =
		mlv_pathspec_new(local->repo, (char **)words_left->pdata, words_left->len, error);
	diff.local = local;
	diff.view = view;
	return paths && choose_sides(&diff, &opt, revs, &sides, error) &&
	       print(&diff, &opt, &sides, paths, error);
}
