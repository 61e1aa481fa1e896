/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "cmd/sync_words.h"
#include "core/follow.h"
#include "core/git_run.h"

typedef struct {
	char *branch, *origin, *depth;
	gboolean no_pull, json;
} Options;

static void options_clear(Options *opt)
{
	g_free(opt->branch);
	g_free(opt->origin);
	g_free(opt->depth);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

/* git's own rule: the last part of the URL, without "/.git" and ".git" at its end. */
static char *default_directory(const char *url)
{
	g_autofree char *text = g_strdup(url);
	gsize length = strlen(text);

	while (length > 0 && text[length - 1] == '/')
		text[--length] = '\0';
	if (g_str_has_suffix(text, "/.git"))
		text[length - 5] = '\0';
	if (g_str_has_suffix(text, ".git"))
		text[strlen(text) - 4] = '\0';
	const char *start = strrchr(text, '/');
	const char *colon = strrchr(start ? start : text, ':');
	return g_strdup(colon ? colon + 1 : start ? start + 1 : text);
}

static gboolean git_clone(MlvCmd *cmd, const Options *opt, const char *url, const char *directory,
			  GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();

	g_ptr_array_add(argv, (char *)"clone");
	if (cmd->ui->quiet)
		g_ptr_array_add(argv, (char *)"--quiet");
	if (opt->branch) {
		g_ptr_array_add(argv, (char *)"--branch");
		g_ptr_array_add(argv, opt->branch);
	}
	if (opt->origin) {
		g_ptr_array_add(argv, (char *)"--origin");
		g_ptr_array_add(argv, opt->origin);
	}
	if (opt->depth) {
		g_ptr_array_add(argv, (char *)"--depth");
		g_ptr_array_add(argv, opt->depth);
	}
	g_ptr_array_add(argv, (char *)"--");
	g_ptr_array_add(argv, (char *)url);
	g_ptr_array_add(argv, (char *)directory);
	g_ptr_array_add(argv, NULL);
	return mlv_git_run(NULL, (const char *const *)argv->pdata, error);
}

static void tell_progress(guint64 bytes, guint64 files, gpointer data)
{
	mlv_ui_progress_add(((MlvSyncWords *)data)->progress, bytes, files);
}

static gboolean bring_data(MlvCmd *cmd, MlvRepo *repo, GError **error)
{
	g_auto(MlvSyncWords) words = { 0 };
	char *argv[] = { (char *)"clone", NULL };
	MlvSyncOptions options;
	MlvSyncResult result;
	MlvCheckoutTotals totals;
	g_autoptr(MlvLocal) local = mlv_local_open(repo, mlv_cmd_waiting, cmd, error);

	if (!local || !mlv_sync_words_take(&words, cmd, repo, 1, argv, TRUE, error))
		return FALSE;
	g_autoptr(MlvSync) sync = mlv_sync_open(repo, NULL, FALSE, error);
	if (!sync || !mlv_sync_words_options(&words, "fetching", &options, error) ||
	    !mlv_sync_fetch(sync, local, words.selection, &options, &result, error))
		return FALSE;
	mlv_sync_words_done(&words, sync->config->name, &result, "fetched", NULL);
	MlvCheckoutOptions how = { .repo = repo,
				   .store = local->store,
				   .cache = local->cache,
				   .partial = local->partial,
				   .threads = options.threads,
				   .cancel = cmd->cancel,
				   .progress = tell_progress,
				   .data = &words };
	words.progress = mlv_ui_progress_begin(cmd->ui, "writing");
	return mlv_follow_checkout(&how, NULL, &totals, error);
}

/* Whether the clone tracks anything; a repository without data needs no remote. */
static gboolean has_data(MlvRepo *repo, gboolean *has, GError **error)
{
	g_autoptr(GPtrArray) pointers = mlv_git_pointers_in_workspace(repo, FALSE, error);

	*has = pointers && pointers->len > 0;
	return pointers != NULL;
}

static gboolean clone_and_pull(MlvCmd *cmd, const Options *opt, const char *url,
			       const char *directory, GError **error)
{
	gboolean has;

	if (!git_clone(cmd, opt, url, directory, error))
		return FALSE;
	g_autoptr(MlvRepo) repo = mlv_repo_open(directory, error);
	if (!repo)
		return FALSE;
	mlv_cmd_serve(cmd, repo);
	if (!has_data(repo, &has, error))
		return FALSE;
	if (opt->no_pull || !has)
		return TRUE;
	if (bring_data(cmd, repo, error))
		return TRUE;
	g_prefix_error(error,
		       "the clone is made, its data are not here yet (run 'mlv pull' in it): ");
	return FALSE;
}

gboolean mlv_cmd_clone(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_auto(Options) opt = { 0 };
	const GOptionEntry entries[] = {
		{ "branch", 'b', 0, G_OPTION_ARG_STRING, &opt.branch,
		  "check out this branch or tag", "NAME" },
		{ "origin", 'o', 0, G_OPTION_ARG_STRING, &opt.origin, "call git's remote NAME",
		  "NAME" },
		{ "depth", 0, 0, G_OPTION_ARG_STRING, &opt.depth, "only so many of git's commits",
		  "N" },
		{ "no-pull", 0, 0, G_OPTION_ARG_NONE, &opt.no_pull,
		  "clone the code, leave the data", NULL },
		{ NULL },
	};

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "URL [DIR]\nmlv clone https://example.org/team/project.git",
			       error) ||
	    !mlv_options_count(cmd, argc, 1, 2, error))
		return FALSE;
	g_autofree char *directory = argc > 2 ? g_strdup(argv[2]) : default_directory(argv[1]);
	if (!*directory)
		return mlv_fail(error, MLV_ERROR_USAGE, "name the directory to clone '%s' into",
				argv[1]);
	return clone_and_pull(cmd, &opt, argv[1], directory, error);
}
