/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/bundle_show.h"
#include "cmd/output_file.h"
#include "cmd/session.h"
#include "core/bundle_apply.h"
#include "core/bundle_plan.h"

/* --- create ----------------------------------------------------------------------------------- */

typedef struct {
	char **since;
	gboolean all, history, json;
} CreateOptions;

static void create_options_clear(CreateOptions *opt)
{
	g_strfreev(opt->since);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CreateOptions, create_options_clear)

/* A running create: the user of its callbacks. */
typedef struct {
	MlvCmd *cmd;
	MlvProgress *progress;
} Work;

static void tell_problem(const char *path, const char *why, gpointer user)
{
	Work *work = user;

	mlv_cmd_tell_problem(work->cmd, work->cmd->repo, path, why);
	work->cmd->status = MLV_EXIT_CHECK;
}

static void tell_progress(guint64 bytes, guint64 chunks, gpointer user)
{
	mlv_ui_progress_set(((Work *)user)->progress, bytes, chunks);
}

static gboolean write_bundle(MlvCmd *cmd, MlvBundlePlan *plan, const char *file, guint64 *size,
			     GError **error)
{
	g_autoptr(MlvOutputFile) out = mlv_output_file_open(cmd, file, "a bundle", error);

	return out && mlv_bundle_plan_write(plan, mlv_output_file_write, out, size, error) &&
	       mlv_output_file_close(out, TRUE, error);
}

static gboolean create(MlvCmd *cmd, const CreateOptions *opt, const MlvWords *words, GError **error)
{
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);
	g_autoptr(MlvBundlePlan) plan = NULL;
	g_autoptr(MlvProgress) progress = NULL;
	Work work = { .cmd = cmd };
	MlvBundleOptions options = {
		.revs = words->before + 1,
		.n_revs = words->n_before - 1,
		.since = opt->since,
		.n_since = opt->since ? g_strv_length(opt->since) : 0,
		.all = opt->all,
		.history = opt->history,
		.words = words->after,
		.n_words = words->n_after,
		.cancel = cmd->cancel,
		.problem = tell_problem,
		.progress = tell_progress,
		.user = &work,
	};
	const char *file = words->before[0];
	guint64 size;

	if (!local || !mlv_cmd_jobs(cmd, &options.threads, error))
		return FALSE;
	options.level = local->write.level;
	work.progress = progress = mlv_ui_progress_begin(cmd->ui, "bundling");
	plan = mlv_bundle_plan_new(local->repo, local->store, &options, error);
	if (!plan)
		return FALSE;
	mlv_ui_progress_total(progress, 0, mlv_bundle_plan_manifest(plan)->objects);
	if (!write_bundle(cmd, plan, file, &size, error))
		return FALSE;
	g_clear_pointer(&progress, mlv_ui_progress_end);
	if (opt->json)
		return mlv_bundle_show_created(cmd, file, mlv_bundle_plan_manifest(plan), size,
					       error);
	mlv_bundle_note_created(cmd, file, mlv_bundle_plan_manifest(plan), size);
	return TRUE;
}

static gboolean run_create(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_auto(CreateOptions) opt = { 0 };
	const GOptionEntry entries[] = {
		{ "since", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &opt.since,
		  "leave out what REV has: whoever applies it must have that", "REV" },
		{ "all", 0, 0, G_OPTION_ARG_NONE, &opt.all, "every branch and tag with its history",
		  NULL },
		{ "history", 0, 0, G_OPTION_ARG_NONE, &opt.history, "the commits before REV too",
		  NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};
	MlvWords words;

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "FILE [REV...] [-- PATH...]\n"
			       "mlv bundle create data.mlvb\n"
			       "mlv bundle create week.mlvb main --since v1.0",
			       error))
		return FALSE;
	words = mlv_options_words(cmd, argc, argv);
	if (words.n_before == 0)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"name the bundle's file, or '-' for stdout");
	if (opt.json && strcmp(words.before[0], "-") == 0)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"--json and the bundle cannot both go to the standard output");
	return create(cmd, &opt, &words, error);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The bundle's descriptor; "-" is the standard input. Tells its size where that is known. */
static gboolean open_bundle(const char *file, int *fd, guint64 *size, GError **error)
{
	struct stat st;

	*size = 0;
	if (strcmp(file, "-") == 0)
		*fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		*fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*fd < 0 || fstat(*fd, &st) < 0)
		return mlv_fail_errno(error, "cannot open '%s'", file);
	if (isatty(*fd) || S_ISDIR(st.st_mode))
		return mlv_fail(error, MLV_ERROR_FAILED, "'%s' is no bundle of mlv", file);
	if (S_ISREG(st.st_mode))
		*size = (guint64)st.st_size;
	return TRUE;
}

/* Options and the one word that verify, list and apply share. */
static const char *parse_file(MlvCmd *cmd, int argc, char **argv, const char *examples,
			      gboolean *json, GError **error)
{
	const GOptionEntry entries[] = {
		{ "json", 0, 0, G_OPTION_ARG_NONE, json, "print one JSON document", NULL },
		{ NULL },
	};
	MlvWords words;

	if (!mlv_options_parse(cmd, entries, &argc, &argv, examples, error) ||
	    !mlv_options_count(cmd, argc, 1, 1, error))
		return NULL;
	words = mlv_options_words(cmd, argc, argv);
	return words.n_before > 0 ? words.before[0] : words.after[0];
}

static gboolean run_list(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean json = FALSE;
	const char *file =
		parse_file(cmd, argc, argv, "FILE\nmlv bundle list data.mlvb", &json, error);
	g_autoptr(MlvBundleReader) reader = NULL;
	g_auto(MlvFd) fd = -1;
	guint64 size;

	if (!file || !open_bundle(file, &fd, &size, error))
		return FALSE;
	reader = mlv_bundle_reader_new(fd, file, error);
	if (!reader)
		return FALSE;
	return mlv_bundle_show_list(cmd, json, file, mlv_bundle_reader_manifest(reader), size,
				    error);
}

/* Prerequisites can be asked for only in a repository that has a store. */
static gboolean open_store(MlvCmd *cmd, MlvStore **store, GError **error)
{
	g_autoptr(GError) failed = NULL;
	MlvRepo *repo = mlv_cmd_open_repo(cmd, &failed);

	*store = NULL;
	if (repo)
		*store = mlv_store_open(mlv_repo_store_dir(repo), FALSE, mlv_cmd_waiting, cmd,
					&failed);
	if (!failed || g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&failed));
	return FALSE;
}

/* Damage is what was looked for: a check that failed. */
static gboolean blame(GError *failed, GError **error)
{
	if (g_error_matches(failed, MLV_ERROR, MLV_ERROR_CORRUPT))
		failed->code = MLV_ERROR_CHECK;
	g_propagate_error(error, failed);
	return FALSE;
}

static gboolean run_verify(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean json = FALSE;
	const char *file =
		parse_file(cmd, argc, argv, "FILE\nmlv bundle verify data.mlvb", &json, error);
	g_autoptr(MlvStore) store = NULL;
	g_autoptr(MlvBundleReader) reader = NULL;
	g_autoptr(MlvProgress) progress = NULL;
	g_auto(MlvFd) fd = -1;
	Work work = { .cmd = cmd };
	MlvBundleReadOptions options = { .cancel = cmd->cancel,
					 .progress = tell_progress,
					 .user = &work };
	MlvBundleResult result;
	GError *failed = NULL;
	guint64 size;

	if (!file || !open_bundle(file, &fd, &size, error) || !open_store(cmd, &store, error) ||
	    !mlv_cmd_jobs(cmd, &options.threads, error))
		return FALSE;
	work.progress = progress = mlv_ui_progress_begin(cmd->ui, "verifying");
	mlv_ui_progress_total(progress, size, 0);
	reader = mlv_bundle_reader_new(fd, file, &failed);
	if (!reader || !mlv_bundle_verify(reader, store, &options, &result, &failed))
		return blame(failed, error);
	g_clear_pointer(&progress, mlv_ui_progress_end);
	/* Where nothing was stored yet everything is lacking. */
	if (!store && cmd->repo)
		result.lacking = mlv_bundle_reader_manifest(reader)->have->len;
	return mlv_bundle_show_verified(cmd, json, file, mlv_bundle_reader_manifest(reader),
					&result, cmd->repo != NULL, error);
}

static gboolean run_apply(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean json = FALSE;
	const char *file =
		parse_file(cmd, argc, argv, "FILE\nmlv bundle apply data.mlvb", &json, error);
	g_autoptr(MlvLocal) local = NULL;
	g_autoptr(MlvBundleReader) reader = NULL;
	g_autoptr(MlvProgress) progress = NULL;
	g_auto(MlvFd) fd = -1;
	Work work = { .cmd = cmd };
	MlvBundleReadOptions options = { .cancel = cmd->cancel,
					 .progress = tell_progress,
					 .user = &work };
	const MlvBundleManifest *manifest;
	MlvBundleResult result;
	guint64 size;

	if (!file || !open_bundle(file, &fd, &size, error))
		return FALSE;
	local = mlv_cmd_open_local(cmd, error);
	if (!local || !mlv_cmd_jobs(cmd, &options.threads, error))
		return FALSE;
	reader = mlv_bundle_reader_new(fd, file, error);
	if (!reader)
		return FALSE;
	manifest = mlv_bundle_reader_manifest(reader);
	if (*manifest->repo && g_strcmp0(manifest->repo, mlv_repo_id(local->repo)) != 0)
		mlv_ui_warn(cmd->ui, "'%s' is of another repository (%s)", file, manifest->repo);
	work.progress = progress = mlv_ui_progress_begin(cmd->ui, "applying");
	mlv_ui_progress_total(progress, size, 0);
	if (!mlv_bundle_apply(reader, local->store, &local->write, &options, &result, error))
		return FALSE;
	g_clear_pointer(&progress, mlv_ui_progress_end);
	return mlv_bundle_show_applied(cmd, json, file, manifest, &result, error);
}

gboolean mlv_cmd_bundle(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	static const MlvSubcommand rows[] = {
		{ "create", run_create, "write what revisions need into one file" },
		{ "verify", run_verify, "prove that a bundle is whole" },
		{ "list", run_list, "say what is in a bundle" },
		{ "apply", run_apply, "take a bundle's objects into the store" },
		{ NULL, NULL, NULL },
	};

	return mlv_options_dispatch(cmd, rows, NULL, argc, argv, error);
}
