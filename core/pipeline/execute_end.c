/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a run: whether what came of it is taken. */
#include "core/pipeline/execute_private.h"

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
		const MlvHeld *held = mlv_held_get(execution->held, file);
		MlvHeld before = held ? *held : (MlvHeld){ .type = MLV_HELD_UNREAD };
		before.why = NULL;
		mlv_held_forget(execution->held, file);
		mlv_held_ask(execution->held, file, FALSE);
		if (!mlv_held_look(execution->held, error))
			return FALSE;
		if (!mlv_held_same(&before, mlv_held_get(execution->held, file)))
			mlv_params_cache_forget(execution->params, file);
	}
	return TRUE;
}

/* What was made of other inputs than those it began with is not taken. */
static gboolean check_inputs(Job *job, GError **error)
{
	Execution *execution = execution_of(job);

	for (guint i = 0; i < job->now->deps->len; i++) {
		const MlvLockPath *dep = job->now->deps->pdata[i];
		if (!dep->etag)
			mlv_held_forget(execution->held, dep->path);
	}
	if (!renew_params(job, error) || !mlv_decide_ask(&execution->decide, job->number, error) ||
	    !mlv_held_look(execution->held, error))
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

static gboolean take(Job *job, GError **error)
{
	Execution *execution = execution_of(job);
	g_autoptr(MlvLockStage) block = NULL;

	/* Outputs are looked at when they are taken. */
	for (guint i = 0; i < job->stage->outs->len; i++)
		mlv_held_forget(execution->held, ((MlvOut *)job->stage->outs->pdata[i])->path);
	if (!check_inputs(job, error))
		return FALSE;
	block = mlv_job_block(job);
	if (!mlv_outs_take(execution->held, job->stage, mlv_execution_writer(execution), block,
			   error))
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

void mlv_job_finish(Job *job)
{
	Execution *execution = execution_of(job);
	const MlvReproOptions *options = execution->options;
	g_autoptr(GError) log_error = NULL;
	GError *why = NULL;

	execution->running--;
	job->started = g_get_monotonic_time() - job->started;
	if (!mlv_runlog_finish(job->log, &log_error) && options->warn)
		options->warn(log_error->message, options->user);
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
	for (guint i = 0; i < job->stage->outs->len; i++)
		mlv_held_forget(execution->held, ((MlvOut *)job->stage->outs->pdata[i])->path);
	mlv_job_release(job);
}
