/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/recorder.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/run/recorder_private.h"
#include "core/run/run_tree.h"
#include "storage/file.h"

#define SUBJECT_MAX 72u

struct MlvRecorder {
	MlvRecorderOptions options;
	MlvRun *run;
	MlvRunLive live;
	MlvOid begin;    /* what it began from */
	gboolean rooted; /* there is such a commit */
	MlvOid record;   /* where the reference stands */
	char *who;
	GHashTable *memo; /* of the first snapshot, for the second */
};

static gint64 now(void)
{
	return g_get_real_time() / 1000;
}

/* --- commits ---------------------------------------------------------------------------------- */

static char *subject(const MlvRun *run)
{
	g_autofree char *command = mlv_run_command_text(run);
	g_autofree char *valid = g_utf8_make_valid(command, -1);

	g_strdelimit(valid, "\n\r\t", ' ');
	g_autofree char *line = g_strdup_printf("run %s: %s", run->name, valid);
	if (strlen(line) <= SUBJECT_MAX)
		return g_steal_pointer(&line);
	char *end = g_utf8_find_prev_char(line, line + SUBJECT_MAX - 2);
	return g_strdup_printf("%.*s...", (int)(end - line), line);
}

/* A record on top of what the run began from: `tree` with the record's own files in it. */
static gboolean store_record(MlvRecorder *recorder, const MlvOid *tree, GArray *edits,
			     MlvOid *record, GError **error)
{
	g_autofree char *text = mlv_run_format(recorder->run);
	g_autofree char *line = subject(recorder->run);
	g_autofree char *message = g_strconcat(line, "\n\n", text, NULL);
	MlvGitRecord commit = { .parents = &recorder->begin,
				.n_parents = recorder->rooted ? 1 : 0,
				.who = recorder->who,
				.time = now() / 1000,
				.message = message };
	MlvRepo *repo = recorder->options.repo;

	return mlv_git_edits_add(edits, repo, MLV_RUN_FOLDER "/run.json", text, strlen(text),
				 error) &&
	       mlv_git_edit_tree(repo, tree, edits, &commit.tree, error) &&
	       mlv_git_store_commit(repo, &commit, record, error);
}

static gboolean add_environment(MlvRecorder *recorder, GArray *edits, GError **error)
{
	if (!recorder->options.environment)
		return TRUE;
	g_autofree char *json = mlv_value_json(recorder->options.environment);
	g_autofree char *text = g_strconcat(json, "\n", NULL);
	return mlv_git_edits_add(edits, recorder->options.repo, MLV_RUN_FOLDER "/env.json", text,
				 strlen(text), error);
}

static gboolean snapshot(MlvRecorder *recorder, MlvOid *tree, GError **error)
{
	MlvGitSnapshotOptions options = { .max_file = recorder->options.max_file,
					  .left_out = recorder->options.left_out,
					  .user = recorder->options.user,
					  .memo = recorder->memo };
	return mlv_run_tree(recorder->options.repo, &options, tree, error);
}

/* HEAD, or a commit of `tree` on top of it where that is not HEAD's. */
static gboolean find_begin(MlvRecorder *recorder, const MlvOid *tree, GError **error)
{
	MlvRepo *repo = recorder->options.repo;
	MlvOid head, its;
	gboolean unborn;

	if (!mlv_git_head(repo, &head, &unborn, error))
		return FALSE;
	recorder->rooted = TRUE;
	if (!unborn) {
		char hex[MLV_OID_HEX + 1];
		mlv_oid_format(&head, hex);
		g_free(recorder->run->base);
		recorder->run->base = g_strdup(hex);
		if (!mlv_git_commit_tree_of(repo, &head, &its, error))
			return FALSE;
		recorder->begin = head;
		if (mlv_oid_equal(&its, tree))
			return TRUE;
	}
	g_autofree char *message = g_strdup_printf("work tree of run %s\n", recorder->run->name);
	MlvGitRecord commit = { .tree = *tree,
				.parents = &head,
				.n_parents = unborn ? 0 : 1,
				.who = recorder->who,
				.time = now() / 1000,
				.message = message };
	return mlv_git_store_commit(repo, &commit, &recorder->begin, error);
}

static gboolean point(MlvRecorder *recorder, const MlvOid *record, const MlvOid *old,
		      GError **error)
{
	g_autofree char *name = g_strconcat(MLV_RUN_REFS, recorder->run->name, NULL);
	g_autoptr(GError) problem = NULL;

	if (mlv_git_move_ref(recorder->options.repo, name, record, old, &problem)) {
		recorder->record = *record;
		return TRUE;
	}
	if (!old && g_error_matches(problem, MLV_ERROR, MLV_ERROR_EXISTS))
		return mlv_fail(error, MLV_ERROR_EXISTS,
				"there is a run '%s' already: give another name, or remove it with "
				"'mlv runs rm %s'",
				recorder->run->name, recorder->run->name);
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

/* --- beginning -------------------------------------------------------------------------------- */

static MlvRecorder *new_recorder(MlvRun *run, const MlvRecorderOptions *options)
{
	MlvRecorder *recorder = g_new0(MlvRecorder, 1);

	recorder->options = *options;
	recorder->run = run;
	recorder->live.lock = -1;
	recorder->memo = mlv_git_snapshot_memo();
	recorder->who = options->who ? g_strdup(options->who) : mlv_git_anyone(options->repo);
	if (!run->machine)
		run->machine = g_strdup(g_get_host_name());
	return recorder;
}

static gboolean take_queued(MlvRecorder *recorder, const MlvOid *queued, GError **error)
{
	g_autoptr(MlvCommit) commit = mlv_git_commit_read(recorder->options.repo, queued, error);

	if (!commit)
		return FALSE;
	recorder->rooted = commit->n_parents > 0;
	if (recorder->rooted)
		recorder->begin = commit->parents[0];
	return TRUE;
}

static char *boot_id(void)
{
	char *text = NULL;

	if (!g_file_get_contents("/proc/sys/kernel/random/boot_id", &text, NULL, NULL))
		return NULL;
	return g_strchomp(text);
}

/* The file that says that a run was queued in this clone: it holds the record's commit. */
static char *queue_mark(MlvRepo *repo, const char *name)
{
	return g_build_filename(mlv_repo_mlv_dir(repo), "queued", name, NULL);
}

gboolean mlv_recorder_is_queued_here(MlvRepo *repo, const char *name, const MlvOid *record)
{
	g_autofree char *path = queue_mark(repo, name);
	g_autofree char *text = NULL;
	char hex[MLV_OID_HEX + 1];

	mlv_oid_format(record, hex);
	return g_file_get_contents(path, &text, NULL, NULL) && strcmp(text, hex) == 0;
}

gboolean mlv_recorder_is_live(MlvRepo *repo, const char *name)
{
	g_autofree char *path = g_build_filename(mlv_repo_mlv_dir(repo), "running", name, NULL);
	return g_file_test(path, G_FILE_TEST_IS_DIR);
}

static gboolean mark_queued(MlvRepo *repo, const char *name, const MlvOid *record, GError **error)
{
	g_autofree char *path = queue_mark(repo, name);
	g_autofree char *folder = g_path_get_dirname(path);
	char hex[MLV_OID_HEX + 1];

	mlv_oid_format(record, hex);
	if (!mlv_repo_make_dirs(repo, error))
		return FALSE;
	if (g_mkdir_with_parents(folder, 0777) < 0)
		return mlv_fail_errno(error, "cannot make the folder '%s'", folder);
	return mlv_file_replace(AT_FDCWD, path, hex, MLV_OID_HEX, 0666, FALSE, error);
}

static void unmark_queued(MlvRepo *repo, const char *name)
{
	g_autofree char *path = queue_mark(repo, name);
	unlink(path);
}

static gboolean begin(MlvRecorder *recorder, const MlvOid *queued, GError **error)
{
	MlvRun *run = recorder->run;
	g_autoptr(GArray) edits = mlv_git_edits_new();
	MlvOid tree, record;

	if (!mlv_run_live_make(recorder->options.repo, run->name, &recorder->live, error) ||
	    !snapshot(recorder, &tree, error) ||
	    !(queued ? take_queued(recorder, queued, error) : find_begin(recorder, &tree, error)))
		return FALSE;
	run->state = MLV_RUN_RUNNING;
	run->started = now();
	if (run->created == 0)
		run->created = run->started;
	run->pid = getpid();
	g_free(run->boot);
	run->boot = boot_id();
	if (!add_environment(recorder, edits, error) ||
	    !store_record(recorder, &tree, edits, &record, error) ||
	    !point(recorder, &record, queued, error))
		return FALSE;
	if (queued)
		unmark_queued(recorder->options.repo, run->name);
	return TRUE;
}

MlvRecorder *mlv_recorder_start(MlvRun *run, const MlvOid *queued,
				const MlvRecorderOptions *options, GError **error)
{
	MlvRecorder *recorder = new_recorder(run, options);

	if (begin(recorder, queued, error))
		return recorder;
	mlv_run_live_remove(&recorder->live);
	mlv_recorder_free(recorder);
	return NULL;
}

gboolean mlv_recorder_queue(MlvRun *run, const MlvOid *tree, const MlvRecorderOptions *options,
			    MlvOid *record, GError **error)
{
	g_autoptr(MlvRecorder) recorder = new_recorder(run, options);
	g_autoptr(GArray) edits = mlv_git_edits_new();

	run->state = MLV_RUN_QUEUED;
	run->created = now();
	return find_begin(recorder, tree, error) &&
	       store_record(recorder, tree, edits, record, error) &&
	       point(recorder, record, NULL, error) &&
	       mark_queued(options->repo, run->name, record, error);
}

const char *mlv_recorder_folder(const MlvRecorder *recorder)
{
	return recorder->live.path;
}

MlvRun *mlv_recorder_run(const MlvRecorder *recorder)
{
	return recorder->run;
}

void mlv_recorder_free(MlvRecorder *recorder)
{
	if (!recorder)
		return;
	mlv_run_live_close(&recorder->live);
	mlv_run_free(recorder->run);
	g_free(recorder->who);
	g_hash_table_unref(recorder->memo);
	g_free(recorder);
}

/* --- the end ---------------------------------------------------------------------------------- */

static gboolean finish(MlvRecorder *recorder, const MlvOid *tree, GError **error)
{
	g_autoptr(GArray) edits = mlv_git_edits_new();
	MlvOid record;

	if (!add_environment(recorder, edits, error) ||
	    !mlv_run_files_add(recorder->options.repo, recorder->live.path, edits, error) ||
	    !store_record(recorder, tree, edits, &record, error) ||
	    !point(recorder, &record, &recorder->record, error))
		return FALSE;
	mlv_run_live_remove(&recorder->live);
	return TRUE;
}

gboolean mlv_recorder_finish(MlvRecorder *recorder, MlvRunState state, int status, MlvOid *record,
			     GError **error)
{
	MlvRun *run = recorder->run;
	MlvOid tree;

	if (run->duration == 0)
		run->duration = MAX(now() - run->started, 0);
	run->state = state;
	run->status = status;
	mlv_run_collect(recorder->options.repo, run, recorder->live.path, TRUE);
	if (!snapshot(recorder, &tree, error) || !finish(recorder, &tree, error))
		return FALSE;
	if (record)
		*record = recorder->record;
	return TRUE;
}

/* --- what died -------------------------------------------------------------------------------- */

/* The moment at which it last wrote something. */
static gint64 last_sign(const char *folder)
{
	static const char *const names[] = { MLV_RUN_LOG, "metrics.jsonl", "params.jsonl", "lock" };
	gint64 last = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(folder, names[i], NULL);
		struct stat st;
		if (stat(path, &st) == 0)
			last = MAX(last,
				   (gint64)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000);
	}
	return last;
}

/* The environment stays as it was recorded; the tree too. */
static gboolean interrupt(MlvRecorder *recorder, const MlvOid *old, GError **error)
{
	MlvRun *run = recorder->run;
	MlvOid tree;

	recorder->record = *old;
	run->state = MLV_RUN_INTERRUPTED;
	run->duration = MAX(last_sign(recorder->live.path) - run->started, 0);
	mlv_run_collect(recorder->options.repo, run, recorder->live.path, FALSE);
	return take_queued(recorder, old, error) &&
	       mlv_git_commit_tree_of(recorder->options.repo, old, &tree, error) &&
	       finish(recorder, &tree, error);
}

static gboolean settle(MlvRepo *repo, const char *name, guint *count, GError **error)
{
	MlvRecorderOptions options = { .repo = repo };
	g_autofree char *ref = g_strconcat(MLV_RUN_REFS, name, NULL);
	MlvRunLive live = { .lock = -1 };
	gboolean taken, found;
	MlvOid oid;

	if (!mlv_run_live_take(repo, name, &live, &taken, error))
		return FALSE;
	if (!taken)
		return TRUE;
	g_autofree char *message = NULL;
	g_autoptr(MlvRun) run = NULL;
	if (mlv_git_read_ref(repo, ref, &oid, &found, NULL) && found)
		message = mlv_git_commit_message(repo, &oid, NULL);
	const char *json = message ? strstr(message, "\n\n{") : NULL;
	if (json)
		run = mlv_run_parse(json + 2, strlen(json + 2), name, NULL);
	if (!run || run->state != MLV_RUN_RUNNING) {
		mlv_run_live_remove(&live);
		return TRUE;
	}
	g_autoptr(MlvRecorder) recorder = new_recorder(g_steal_pointer(&run), &options);
	recorder->live = live;
	if (!interrupt(recorder, &oid, error))
		return FALSE;
	(*count)++;
	return TRUE;
}

gboolean mlv_runs_settle(MlvRepo *repo, guint *count, GError **error)
{
	g_autoptr(GPtrArray) names = mlv_run_live_names(repo, error);
	guint settled = 0;

	for (guint i = 0; names && i < names->len; i++)
		if (!settle(repo, names->pdata[i], &settled, error))
			return FALSE;
	if (count)
		*count = settled;
	return names != NULL;
}
