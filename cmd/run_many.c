/* SPDX-License-Identifier: Apache-2.0 */
/* Queued runs, and many at once: each is an mlv of its own in a clean work tree. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/run_call.h"
#include "core/run/clean_tree.h"
#include "core/run/run_list.h"
#include "core/run/run_params.h"
#include "core/run/run_tree.h"

#define WAIT_US 10000

/* --- queueing --------------------------------------------------------------------------------- */

static void left_out(const char *path, const char *why, gpointer user)
{
	MlvRunCall *call = user;
	g_autofree char *name = mlv_ui_name(path);

	mlv_ui_note(call->cmd->ui, "%s is not recorded: %s", name, why);
}

static gboolean queue_one(MlvRunCall *call, const MlvOid *base, const MlvRecorderOptions *options,
			  guint number, GPtrArray *names, GError **error)
{
	g_autoptr(GArray) edits = mlv_git_edits_new();
	MlvValue *changes = NULL;
	MlvOid tree, record;
	g_autoptr(GPtrArray) files = mlv_run_params_edit(call->repo, mlv_repo_prefix(call->repo),
							 call->axes, number, &changes, error);

	if (!files)
		return FALSE;
	MlvRun *run = mlv_run_call_new_run(call, number, changes);
	g_autofree char *name = g_strdup(run->name);
	for (guint i = 0; i < files->len; i++) {
		const MlvRunParamsFile *file = files->pdata[i];
		if (file->changed && !mlv_git_edits_add(edits, call->repo, file->path, file->text,
							file->length, error)) {
			mlv_run_free(run);
			return FALSE;
		}
	}
	if (!mlv_git_edit_tree(call->repo, base, edits, &tree, error)) {
		mlv_run_free(run);
		return FALSE;
	}
	if (!mlv_recorder_queue(run, &tree, options, &record, error))
		return FALSE;
	g_ptr_array_add(names, g_steal_pointer(&name));
	return TRUE;
}

gboolean mlv_run_call_queue(MlvRunCall *call, GPtrArray *names, GError **error)
{
	MlvGitSnapshotOptions snapshot = { .max_file = call->max_file,
					   .left_out = left_out,
					   .user = call };
	g_autofree char *who = mlv_git_anyone(call->repo);
	MlvRecorderOptions options;
	MlvOid base;

	mlv_run_call_options(call, &options);
	options.who = who;
	if (!mlv_run_tree(call->repo, &snapshot, &base, error))
		return FALSE;
	for (guint i = 0; i < mlv_grid_size(call->axes); i++)
		if (!queue_one(call, &base, &options, i, names, error) ||
		    !mlv_cmd_keep_going(call->cmd, error))
			return FALSE;
	return TRUE;
}

/* --- many ------------------------------------------------------------------------------------- */

typedef struct {
	const char *name;
	pid_t pid;    /* 0: none */
	char *folder; /* of the run while it is under way */
	char *tree;
} Worker;

typedef struct {
	MlvRunCall *call;
	Worker *workers;
	guint jobs, running, failed, interrupted, broken;
	gboolean told; /* the workers were asked to end */
} Many;

static void worker_clear(Worker *worker)
{
	g_clear_pointer(&worker->folder, g_free);
	g_clear_pointer(&worker->tree, g_free);
	worker->name = NULL;
	worker->pid = 0;
}

/* The state that the run began from, in a work tree of its own. */
static gboolean make_tree(MlvRunCall *call, Worker *worker, GError **error)
{
	g_autofree char *begin = g_strconcat(MLV_RUN_REFS, worker->name, "^", NULL);

	if (g_mkdir_with_parents(worker->folder, 0777) < 0)
		return mlv_fail_errno(error, "cannot make the folder '%s'", worker->folder);
	return mlv_clean_tree_add(call->repo, worker->tree, begin, error);
}

static gboolean start_worker(Many *many, Worker *worker, const char *name, GError **error)
{
	MlvRunCall *call = many->call;
	g_autofree char *self = mlv_run_call_self();
	g_auto(GStrv) variables = g_get_environ();

	worker->name = name;
	worker->folder = g_build_filename(mlv_repo_mlv_dir(call->repo), "running", name, NULL);
	worker->tree = g_build_filename(worker->folder, "tree", NULL);
	if (!make_tree(call, worker, error))
		return FALSE;
	/* git's own variables name this repository's work tree */
	static const char *const gone[] = { "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE",
					    "GIT_PREFIX" };
	for (gsize i = 0; i < G_N_ELEMENTS(gone); i++)
		variables = g_environ_unsetenv(variables, gone[i]);
	char *argv[] = { self,
			 (char *)"-C",
			 worker->tree,
			 (char *)"run",
			 (char *)"--worker",
			 (char *)name,
			 (char *)(call->force ? "-f" : NULL),
			 NULL };
	int failed = posix_spawn(&worker->pid, self, NULL, NULL, argv, variables);
	if (failed) {
		worker->pid = 0;
		errno = failed;
		return mlv_fail_errno(error, "cannot start '%s'", self);
	}
	many->running++;
	return TRUE;
}

static void end_worker(Many *many, Worker *worker, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

	if (code == MLV_EXIT_CHECK)
		many->failed++;
	else if (code == 130 || code == 143)
		many->interrupted++;
	else if (code != 0)
		many->broken++;
	many->running--;
	worker_clear(worker);
}

static void wait_for_some(Many *many)
{
	gboolean any = FALSE;

	if (*many->call->cmd->cancel && !many->told) {
		many->told = TRUE;
		for (guint i = 0; i < many->jobs; i++)
			if (many->workers[i].pid)
				kill(many->workers[i].pid, SIGTERM);
	}
	for (guint i = 0; i < many->jobs; i++) {
		Worker *worker = &many->workers[i];
		int status;
		if (worker->pid && waitpid(worker->pid, &status, WNOHANG) == worker->pid) {
			end_worker(many, worker, status);
			any = TRUE;
		}
	}
	if (!any)
		g_usleep(WAIT_US);
}

static gboolean run_all(Many *many, const GPtrArray *names, GError **error)
{
	guint next = 0;
	gboolean ok = TRUE;

	while (many->running > 0 || (ok && next < names->len && !*many->call->cmd->cancel)) {
		for (guint i = 0; ok && i < many->jobs && next < names->len; i++)
			if (!many->workers[i].name && !*many->call->cmd->cancel)
				ok = start_worker(many, &many->workers[i], names->pdata[next++],
						  error);
		if (many->running > 0)
			wait_for_some(many);
	}
	return ok;
}

gboolean mlv_run_call_many(MlvRunCall *call, const GPtrArray *names, guint jobs, GError **error)
{
	g_autofree Worker *workers = g_new0(Worker, jobs);
	Many many = { .call = call, .workers = workers, .jobs = jobs };
	gboolean ok = mlv_repo_make_dirs(call->repo, error) && run_all(&many, names, error);

	for (guint i = 0; i < jobs; i++)
		worker_clear(&workers[i]);
	/* a worker that died leaves its end to us */
	if (!mlv_runs_settle(call->repo, NULL, ok ? error : NULL))
		ok = FALSE;
	mlv_clean_tree_prune(call->repo);
	if (!ok)
		return FALSE;
	if (many.failed > 0 || many.interrupted > 0 || many.broken > 0)
		call->cmd->status = MLV_EXIT_CHECK;
	return !*call->cmd->cancel || mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
}
