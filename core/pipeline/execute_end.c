/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a run: whether what came of it is taken. */
#include "core/pipeline/execute_private.h"

#define LONG_RUN   (G_USEC_PER_SEC / 10)
#define TICK       10000 /* microseconds that a tick of the kernel's clock lasts at most */
#define TICK_TRIES 20

static Execution *execution_of(const Job *job)
{
	return job->execution;
}

MlvLockStage *mlv_job_block(Job *job)
{
	MlvLockStage *block = mlv_lock_stage_new(job->stage->name);

	for (guint i = 0; i < job->stage->cmds->len; i++)
		g_ptr_array_add(block->cmds, g_strdup(job->stage->cmds->pdata[i]));
	g_ptr_array_extend_and_steal(block->deps, g_steal_pointer(&job->now->deps));
	g_ptr_array_extend_and_steal(block->params, g_steal_pointer(&job->now->params));
	job->now->deps = g_ptr_array_new();
	return block;
}

/* Parameter files are read again only if they are not what they were. */
static gboolean renew_params(Job *job, GError **error)
{
	Execution *execution = execution_of(job);

	for (guint i = 0; i < job->stage->params->len; i++) {
		const char *file = ((MlvParamsDep *)job->stage->params->pdata[i])->file;
		mlv_held_ask(execution->held, file, FALSE);
	}
	if (!mlv_held_look(execution->held, error))
		return FALSE;
	for (guint i = 0; i < job->stage->params->len; i++) {
		const char *file = ((MlvParamsDep *)job->stage->params->pdata[i])->file;
		const MlvHeld *before = &g_array_index(job->param_files, MlvHeld, i);
		if (!mlv_held_same(before, mlv_held_get(execution->held, file)))
			mlv_params_cache_forget(execution->params, file);
	}
	return TRUE;
}

/* What was made of other inputs than those it began with is not taken. */
static gboolean check_inputs(Job *job, GError **error)
{
	Execution *execution = execution_of(job);

	if (!mlv_decide_ask_inputs(&execution->decide, job->number, error) ||
	    !renew_params(job, error))
		return FALSE;
	g_autoptr(MlvStageNow) after = mlv_decide_inputs(&execution->decide, job->number, error);
	if (!after)
		return FALSE;
	g_autofree char *changed = mlv_decide_difference(job->now, after);
	return !changed ||
	       mlv_fail(error, MLV_ERROR_FAILED,
			"'%s' changed while it ran, so what it made is not taken; run it "
			"again when nothing else writes there",
			changed);
}

/* What was written within the clock tick in which it is hashed would have to be read again by the
 * next command. Of a stage that took its time nobody notices that the tick is waited for. */
static void wait_for_tick(const Job *job)
{
	MlvRepo *repo = execution_of(job)->options->local->repo;
	gint64 end = mlv_stat_fs_now(repo);

	for (int i = 0; job->started > LONG_RUN && i < TICK_TRIES && mlv_stat_fs_now(repo) <= end;
	     i++)
		g_usleep(TICK / TICK_TRIES);
}

static gboolean take(Job *job, GError **error)
{
	Execution *execution = execution_of(job);
	g_autoptr(MlvLockStage) block = NULL;

	wait_for_tick(job);
	if (!check_inputs(job, error))
		return FALSE;
	block = mlv_job_block(job);
	MlvStoreWriter *writer =
		execution->options->rebuild ? NULL : mlv_execution_writer(execution);
	if (!mlv_outs_take(execution->held, job->stage, writer, block, error))
		return FALSE;
	mlv_execution_take(job, g_steal_pointer(&block));
	return TRUE;
}

static char *ended_text(const Job *job)
{
	g_autofree char *ended = mlv_child_ended(job->child);

	if (job->stage->cmds->len == 1)
		return g_steal_pointer(&ended);
	return g_strdup_printf("%s: %s", ended, mlv_child_command(job->child));
}

/* While the work tree is as the commands left it. */
static void report_trace(Job *job)
{
	const MlvReproOptions *options = execution_of(job)->options;
	g_autoptr(GPtrArray) deps = g_ptr_array_new();

	for (guint i = 0; i < job->now->deps->len; i++)
		g_ptr_array_add(deps, ((MlvLockPath *)job->now->deps->pdata[i])->path);
	job->report = mlv_trace_report_new(job->trace, options->local->repo, job->stage, deps,
					   options->trace_all);
	/* The child, which has ended, needs it no more. */
	g_clear_pointer(&job->trace, mlv_trace_free);
}

void mlv_job_finish(Job *job)
{
	Execution *execution = execution_of(job);
	const MlvReproOptions *options = execution->options;
	g_autoptr(GError) log_error = NULL;
	GError *why = NULL;

	execution->running--;
	job->started = g_get_monotonic_time() - job->started;
	if (job->log && !mlv_runlog_finish(job->log, &log_error) && options->warn)
		options->warn(log_error->message, options->user);
	/* Nobody knows what it wrote beside its outputs: all that is decided from now on is
	 * decided by what is there now. */
	mlv_held_forget_all(execution->held);
	if (job->trace)
		report_trace(job);
	if (job->interrupted) {
		mlv_job_done(job, MLV_REPRO_INTERRUPTED, NULL, 0);
	} else if (!mlv_child_succeeded(job->child)) {
		g_autofree char *text = ended_text(job);
		mlv_job_done(job, MLV_REPRO_FAILED, text, mlv_child_status(job->child));
	} else if (take(job, &why)) {
		mlv_job_done(job, MLV_REPRO_RAN, NULL, 0);
		return;
	} else if (g_error_matches(why, MLV_ERROR, MLV_ERROR_CANCELLED)) {
		g_error_free(why);
		mlv_job_done(job, MLV_REPRO_INTERRUPTED, NULL, 0);
	} else {
		mlv_job_failed(job, why, 0);
	}
	mlv_job_release(job);
}
