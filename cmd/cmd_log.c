/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/commits.h"
#include "cmd/look.h"

typedef struct {
	gboolean oneline, json, stat, patch, names, all;
	int count;
} Options;

/* "-5" is "-n 5", as for git, but for where it is the N of "-n". The words are the caller's; what
 * is made is kept in `made`. */
static void spell_out_counts(int argc, char **argv, GPtrArray *made)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "-n") == 0 || strcmp(argv[i], "--max-count") == 0) {
			i++;
			continue;
		}
		if (argv[i][0] != '-' || !argv[i][1] ||
		    strspn(argv[i] + 1, "0123456789") != strlen(argv[i] + 1))
			continue;
		argv[i] = g_strconcat("-n", argv[i] + 1, NULL);
		g_ptr_array_add(made, argv[i]);
	}
}

static gboolean push_all(MlvRepo *repo, MlvHistory *history, GError **error)
{
	g_autoptr(GPtrArray) refs = mlv_git_refs(repo, "refs/", error);

	for (guint i = 0; refs && i < refs->len; i++) {
		const MlvGitRef *ref = refs->pdata[i];

		/* Records of runs are no history of a branch. */
		if (!g_str_has_prefix(ref->name, "refs/mlv/") &&
		    !mlv_history_push_commit(history, &ref->commit, error))
			return FALSE;
	}
	return refs != NULL;
}

static gboolean push_start(const Options *opt, MlvRepo *repo, const GPtrArray *revs,
			   MlvHistory *history, GError **error)
{
	gboolean any = FALSE, unborn;
	MlvOid head;

	if (opt->all && !push_all(repo, history, error))
		return FALSE;
	for (guint i = 0; i < revs->len; i++) {
		any |= *(const char *)revs->pdata[i] != '^';
		if (!mlv_history_push(history, revs->pdata[i], error))
			return FALSE;
	}
	if (any)
		return TRUE;
	if (!mlv_git_head(repo, &head, &unborn, error))
		return FALSE;
	if (unborn && opt->all)
		return TRUE;
	if (unborn)
		return mlv_fail(error, MLV_ERROR_FAILED, "there are no commits yet");
	return mlv_history_push_commit(history, &head, error);
}

static gboolean print(const Options *opt, MlvCommits *commits, MlvHistory *history, GError **error)
{
	MlvJsonStream *stream =
		opt->json ? mlv_json_stream_new(commits->cmd, NULL, "commits") : NULL;
	gboolean ok = TRUE;

	for (int i = 0; ok && (opt->count < 0 || i < opt->count); i++) {
		g_autoptr(MlvHistoryEntry) entry = NULL;

		ok = mlv_history_next(history, commits->cmd->cancel, &entry, error);
		if (!ok || !entry)
			break;
		if (stream) {
			json_t *object = mlv_commits_json(commits, entry, error);

			ok = object && mlv_json_stream_add(stream, object, error);
		} else {
			ok = mlv_commits_print(commits, entry, error);
		}
	}
	/* A document that failed is ended all the same, and the error told. */
	if (stream && !mlv_json_stream_end(stream, NULL, ok ? error : NULL))
		ok = FALSE;
	return ok;
}

gboolean mlv_cmd_log(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Options opt = { .count = -1 };
	const GOptionEntry entries[] = {
		{ "max-count", 'n', 0, G_OPTION_ARG_INT, &opt.count, "at most so many commits",
		  "N" },
		{ "oneline", 0, 0, G_OPTION_ARG_NONE, &opt.oneline, "a line a commit", NULL },
		{ "stat", 0, 0, G_OPTION_ARG_NONE, &opt.stat, "also each changed file", NULL },
		{ "patch", 'p', 0, G_OPTION_ARG_NONE, &opt.patch,
		  "the same, with the changed lines of small texts", NULL },
		{ "name-status", 0, 0, G_OPTION_ARG_NONE, &opt.names,
		  "also letter and path of each changed file", NULL },
		{ "all", 0, 0, G_OPTION_ARG_NONE, &opt.all, "begin at every branch and tag", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};
	g_autoptr(GPtrArray) made = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) revs = NULL, words_left = NULL;
	MlvCommits commits = { .cmd = cmd };
	MlvWords words;

	spell_out_counts(argc, argv, made);
	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[REV... | A..B] [--] [PATH...]\nmlv log -n 5\n"
			       "mlv log v1.0..v2.0 -- data/images\nmlv log --oneline --all",
			       error))
		return FALSE;
	words = mlv_options_words(cmd, argc, argv);
	g_autoptr(MlvView) view = mlv_cmd_open_view(cmd, FALSE, error);
	if (!view || !mlv_cmd_split_revisions(cmd, mlv_view_repo(view), &words, G_MAXUINT, &revs,
					      &words_left, error))
		return FALSE;
	g_autoptr(MlvPathspec) paths = mlv_pathspec_new(
		mlv_view_repo(view), (char **)words_left->pdata, words_left->len, error);
	if (!paths)
		return FALSE;
	g_autoptr(MlvHistory) history = mlv_history_new(view, paths);
	commits.view = view;
	commits.paths = paths;
	commits.oneline = opt.oneline;
	commits.files = opt.stat || opt.patch || opt.names;
	commits.style = opt.patch   ? MLV_CHANGES_PATCH
			: opt.names ? MLV_CHANGES_NAME_STATUS
				    : MLV_CHANGES_LINES;
	return push_start(&opt, mlv_view_repo(view), revs, history, error) &&
	       print(&opt, &commits, history, error);
}
