/* SPDX-License-Identifier: Apache-2.0 */
/* One stage: whether it runs, and from where else its outputs come. */
#include <string.h>

#include "core/pipeline/execute_private.h"

static Execution *execution_of(const Job *job)
{
	return job->execution;
}

void mlv_job_release(Job *job)
{
	Execution *execution = execution_of(job);

	if (job->holds_key)
		mlv_runlocks_drop_key(execution->locks, &job->key);
	if (job->holds_stage)
		mlv_runlocks_drop_stage(execution->locks, job->stage->address);
	job->holds_key = job->holds_stage = FALSE;
}

/* --- deciding --------------------------------------------------------------------------------- */

static void ask_params(Job *job)
{
	for (guint i = 0; i < job->stage->params->len; i++) {
		const MlvParamsDep *dep = job->stage->params->pdata[i];
		mlv_held_ask(execution_of(job)->held, dep->file, FALSE);
	}
}

static gboolean look(Job *job, GError **error)
{
	Execution *execution = execution_of(job);

	if (!mlv_decide_ask(&execution->decide, job->number, error))
		return FALSE;
	ask_params(job);
	return mlv_held_look(execution->held, error);
}

static gboolean decide(Job *job, GError **error)
{
	g_clear_pointer(&job->now, mlv_stage_now_free);
	if (!look(job, error))
		return FALSE;
	job->now = mlv_decide(&execution_of(job)->decide, job->number, error);
	return job->now != NULL;
}

static gboolean has_reason(const Job *job, MlvReasonType type)
{
	for (guint i = 0; i < job->now->reasons->len; i++)
		if (((MlvReason *)job->now->reasons->pdata[i])->type == type)
			return TRUE;
	return FALSE;
}

/* What a run follows from is known, and nothing else has a say in what it makes. */
static void compute_key(Job *job)
{
	const Execution *execution = execution_of(job);
	const MlvStage *stage = job->stage;
	MlvRunInputs inputs = { .cmds = stage->cmds,
				.shell = stage->shell,
				.wdir = stage->wdir,
				.deps = job->now->deps,
				.params = job->now->params,
				.environ = execution->declared };
	gboolean persist = FALSE;

	for (guint i = 0; i < stage->outs->len; i++)
		persist |= ((MlvOut *)stage->outs->pdata[i])->persist;
	job->has_key = !persist && stage->outs->len > 0 && !execution->options->no_run_cache &&
		       !execution->options->rebuild && job->now->made->len == 0 &&
		       !has_reason(job, MLV_REASON_ALWAYS) &&
		       !has_reason(job, MLV_REASON_DEP_MISSING) &&
		       !has_reason(job, MLV_REASON_NO_INPUTS);
	if (job->has_key)
		mlv_runcache_key(&inputs, &job->key);
}

/* --- restoring -------------------------------------------------------------------------------- */

static void restore(Job *job, const MlvLockStage *entry)
{
	Execution *execution = execution_of(job);

	mlv_restore_plan(execution->restore, job->stage, entry);
	if (execution->options->dry_run)
		return;
	MlvLockStage *block = mlv_job_block(job);
	for (guint i = 0; i < job->stage->outs->len; i++) {
		const MlvOut *out = job->stage->outs->pdata[i];
		const MlvLockPath *was = mlv_lock_stage_out(entry, out->path);
		MlvLockPath *made = mlv_lock_path_new(out->path, &was->held, NULL);
		made->no_cache = !out->cache;
		made->no_push = !out->push;
		g_ptr_array_add(block->outs, made);
	}
	mlv_execution_take(job, block);
}

/* Whether the outputs can be had as `entry` has them; with --pull they are fetched for it. */
static gboolean can_restore(Job *job, const MlvLockStage *entry, gboolean *can, GError **error)
{
	Execution *execution = execution_of(job);
	g_autoptr(GPtrArray) paths = g_ptr_array_new();

	if (!mlv_restore_can(execution->restore, job->stage, entry, can, error))
		return FALSE;
	if (*can || !execution->options->pull || execution->options->dry_run)
		return TRUE;
	for (guint i = 0; i < job->stage->outs->len; i++)
		g_ptr_array_add(paths, ((MlvOut *)job->stage->outs->pdata[i])->path);
	return mlv_execution_fetch(execution, paths, error) &&
	       mlv_restore_can(execution->restore, job->stage, entry, can, error);
}

/* Its inputs are as they were and its outputs not: they are as the lock says. */
static gboolean try_lock(Job *job, gboolean *restored, GError **error)
{
	Execution *execution = execution_of(job);
	const MlvLockStage *entry = mlv_record_get(execution->record, job->stage);

	*restored = FALSE;
	if (!job->now->only_outs || !entry)
		return TRUE;
	if (!can_restore(job, entry, restored, error))
		return FALSE;
	if (*restored)
		mlv_restore_plan(execution->restore, job->stage, entry);
	return TRUE;
}

static gboolean try_run_cache(Job *job, gboolean *restored, GError **error)
{
	Execution *execution = execution_of(job);

	*restored = FALSE;
	if (!job->has_key || execution->options->force || execution->options->trace)
		return TRUE;
	g_autoptr(GError) why = NULL;
	g_autoptr(MlvLock) hit =
		mlv_runcache_find(execution->options->local->repo, &job->key, &why);
	if (why) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	const MlvLockStage *entry = hit ? mlv_runcache_stage(hit) : NULL;
	if (!entry)
		return TRUE;
	if (!mlv_restore_can(execution->restore, job->stage, entry, restored, error))
		return FALSE;
	if (*restored)
		restore(job, entry);
	return TRUE;
}

/* --- running ---------------------------------------------------------------------------------- */

static gboolean fail_missing(Job *job, const char *path, GError **error)
{
	Execution *execution = execution_of(job);
	const MlvHeld *held = mlv_held_get(execution->held, path);
	gint maker = mlv_pipeline_producer(execution->options->pipeline, path, NULL);

	if (held && held->type == MLV_HELD_AWAY)
		return mlv_fail(
			error, MLV_ERROR_MISSING,
			"its dependency '%s' is not here; 'mlv pull -- %s' brings it, as does "
			"--pull",
			path, path);
	if (held && held->type == MLV_HELD_PARTLY)
		return mlv_fail(
			error, MLV_ERROR_MISSING,
			"only parts of its dependency '%s' are here; 'mlv pull -- %s' brings "
			"the rest, as does --pull",
			path, path);
	if (maker >= 0)
		return mlv_fail(error, MLV_ERROR_MISSING,
				"its dependency '%s' is not there; the stage '%s' makes it", path,
				mlv_pipeline_node(execution->options->pipeline, (guint)maker)
					->stage->address);
	return mlv_fail(error, MLV_ERROR_MISSING,
			"its dependency '%s' is not there, and no stage makes it", path);
}

/* Brings tracked data that the stage needs. */
static gboolean pull_missing(Job *job, GError **error)
{
	Execution *execution = execution_of(job);
	const GPtrArray *targets = mlv_held_targets(execution->held, error);
	g_autoptr(GPtrArray) wanted = g_ptr_array_new();
	const char *rest;

	if (!targets)
		return FALSE;
	for (guint i = 0; i < job->now->missing->len; i++) {
		const MlvTracked *target =
			mlv_tracked_cover(targets, job->now->missing->pdata[i], &rest);
		gboolean has;
		if (!target || target->error)
			return fail_missing(job, job->now->missing->pdata[i], error);
		if (!mlv_restore_has(execution->restore, &target->pointer, &has, error))
			return FALSE;
		if (!has)
			g_ptr_array_add(wanted, target->path);
	}
	if (wanted->len > 0 && !mlv_execution_fetch(execution, wanted, error))
		return FALSE;
	for (guint i = 0; i < job->now->missing->len; i++) {
		const MlvTracked *target =
			mlv_tracked_cover(targets, job->now->missing->pdata[i], &rest);
		mlv_restore_plan_path(execution->restore, target->path, &target->pointer);
	}
	return mlv_execution_flush(execution, error) && decide(job, error);
}

static gboolean prepare(Job *job, GError **error)
{
	Execution *execution = execution_of(job);

	if (job->now->missing->len > 0 && execution->options->pull && !pull_missing(job, error))
		return FALSE;
	if (job->now->missing->len > 0)
		return fail_missing(job, job->now->missing->pdata[0], error);
	if (!mlv_params_check(job->now->params, job->stage, error) ||
	    !mlv_outs_check(execution->held, job->stage, error))
		return FALSE;
	/* What it needs must lie in the work tree by now. */
	if (mlv_restore_is_planned(execution->restore) && !mlv_execution_flush(execution, error))
		return FALSE;
	return mlv_outs_clear(execution->held, job->stage, execution->options->rebuild, error);
}

static void pass_output(const guint8 *data, gsize length, gpointer user)
{
	Job *job = user;
	const MlvReproOptions *options = execution_of(job)->options;

	if (job->log)
		mlv_runlog_write(job->log, data, length);
	if (options->output)
		options->output(job->stage, data, length, options->user);
}

static void make_environ(Job *job)
{
	const MlvReproOptions *options = execution_of(job)->options;

	job->stage_variable = g_strconcat("MLV_STAGE=", job->stage->address, NULL);
	job->run_variable = g_strconcat("MLV_RUN=", options->run, NULL);
	job->environ = g_ptr_array_new();
	for (const char *const *one = options->environ; *one; one++)
		if (!g_str_has_prefix(*one, "MLV_STAGE=") && !g_str_has_prefix(*one, "MLV_RUN="))
			g_ptr_array_add(job->environ, (gpointer)*one);
	/* Python keeps back for long what goes into a pipe. */
	if (!g_environ_getenv((char **)options->environ, "PYTHONUNBUFFERED"))
		g_ptr_array_add(job->environ, (gpointer) "PYTHONUNBUFFERED=1");
	g_ptr_array_add(job->environ, job->stage_variable);
	g_ptr_array_add(job->environ, job->run_variable);
	g_ptr_array_add(job->environ, NULL);
}

static void note_params(Job *job)
{
	job->param_files = g_array_new(FALSE, FALSE, sizeof(MlvHeld));
	for (guint i = 0; i < job->stage->params->len; i++) {
		const MlvParamsDep *dep = job->stage->params->pdata[i];
		const MlvHeld *held = mlv_held_get(execution_of(job)->held, dep->file);
		MlvHeld copy = held ? *held : (MlvHeld){ .type = MLV_HELD_UNREAD };
		copy.why = NULL;
		g_array_append_val(job->param_files, copy);
	}
}

static gboolean start(Job *job, GError **error)
{
	Execution *execution = execution_of(job);
	const MlvReproOptions *options = execution->options;
	MlvRepo *repo = options->local->repo;

	if (!prepare(job, error))
		return FALSE;
	if (job->stage->shell)
		job->shell = mlv_child_shell(job->stage->shell, options->environ, error);
	else if (!execution->shell)
		execution->shell = mlv_child_shell(NULL, options->environ, error);
	if (job->stage->shell ? !job->shell : !execution->shell)
		return FALSE;
	note_params(job);
	make_environ(job);
	job->directory = g_build_filename(mlv_repo_root(repo), job->stage->wdir, NULL);
	if (!options->rebuild)
		job->log =
			mlv_runlog_new(repo, options->run, job->stage->address, execution->max_log);
	job->trace = options->trace ? mlv_trace_new() : NULL;
	MlvChildOptions child = { .cmds = job->stage->cmds,
				  .shell = (const char *const *)(job->shell ? job->shell
									    : execution->shell),
				  .any_shell = !job->shell && execution->any_shell,
				  .directory = job->directory,
				  .environ = (const char *const *)job->environ->pdata,
				  .keep_fd = mlv_runlocks_fd(execution->locks),
				  .trace = job->trace,
				  .output = pass_output,
				  .user = job };
	job->started = g_get_monotonic_time();
	if (options->begin)
		options->begin(job->stage, job->now->reasons, options->user);
	job->child = mlv_child_start(&child, error);
	if (!job->child)
		return FALSE;
	job->state = JOB_RUNNING;
	execution->running++;
	return TRUE;
}

/* --- beginning -------------------------------------------------------------------------------- */

/* The locks on the stage, and on what it makes. */
static gboolean take_locks(Job *job, gboolean *taken, GError **error)
{
	Execution *execution = execution_of(job);

	if (!job->holds_stage && !mlv_runlocks_take_stage(execution->locks, job->stage->address,
							  &job->holds_stage, error))
		return FALSE;
	if (job->holds_stage && job->has_key && !job->holds_key &&
	    !mlv_runlocks_take_key(execution->locks, &job->key, &job->holds_key, error))
		return FALSE;
	*taken = job->holds_stage && (!job->has_key || job->holds_key);
	return TRUE;
}

/* Another process has made something: store, locks and work tree are looked at anew. */
static gboolean look_again(Job *job, GError **error)
{
	Execution *execution = execution_of(job);

	mlv_held_forget_all(execution->held);
	mlv_held_forget_targets(execution->held);
	mlv_params_cache_forget(execution->params, NULL);
	return mlv_store_refresh(execution->options->local->store, error) &&
	       mlv_record_reload(execution->record, error);
}

/* Waits for another process that makes the stage, or the same thing. */
static void wait_for_other(Job *job)
{
	const MlvReproOptions *options = execution_of(job)->options;

	if (!job->waited && options->waiting)
		options->waiting(job->stage, options->user);
	job->waited = TRUE;
	job->state = JOB_LOCKED;
}

/* A frozen stage never runs, but its outputs may have to be brought. */
static gboolean begin_frozen(Job *job, GError **error)
{
	Execution *execution = execution_of(job);
	const MlvLockStage *entry = mlv_record_get(execution->record, job->stage);
	gboolean can = FALSE;

	for (guint i = 0; i < job->stage->outs->len; i++)
		mlv_held_ask(execution->held, ((MlvOut *)job->stage->outs->pdata[i])->path, TRUE);
	if (!mlv_held_look(execution->held, error))
		return FALSE;
	for (guint i = 0; entry && !entry->conflict && i < job->stage->outs->len; i++) {
		const char *path = ((MlvOut *)job->stage->outs->pdata[i])->path;
		const MlvHeld *held = mlv_held_get(execution->held, path);
		const MlvLockPath *was = mlv_lock_stage_out(entry, path);
		if (held && (held->type == MLV_HELD_NOTHING || held->type == MLV_HELD_AWAY) && was)
			can = TRUE;
	}
	if (can && !can_restore(job, entry, &can, error))
		return FALSE;
	if (can)
		mlv_restore_plan(execution->restore, job->stage, entry);
	mlv_job_done(job, can ? MLV_REPRO_RESTORED : MLV_REPRO_FROZEN, NULL, 0);
	return TRUE;
}

static gboolean begin_dry(Job *job, GError **error)
{
	gboolean restored = FALSE;

	compute_key(job);
	if (job->now->made->len == 0 && (!try_lock(job, &restored, error) ||
					 (!restored && !try_run_cache(job, &restored, error))))
		return FALSE;
	job->about_to_run = !restored;
	mlv_job_done(job, restored ? MLV_REPRO_RESTORED : MLV_REPRO_RAN, NULL, 0);
	return TRUE;
}

static gboolean begin(Job *job, GError **error)
{
	Execution *execution = execution_of(job);
	gboolean taken, restored;

	if (job->stage->frozen)
		return begin_frozen(job, error);
	if (job->state == JOB_LOCKED) {
		if (!take_locks(job, &taken, error))
			return FALSE;
		if (!taken)
			return TRUE;
		if (!look_again(job, error))
			return FALSE;
	}
	if (!decide(job, error))
		return FALSE;
	if (job->now->reasons->len == 0) {
		mlv_job_release(job);
		mlv_job_done(job, MLV_REPRO_KEPT, NULL, 0);
		return TRUE;
	}
	if (execution->options->dry_run)
		return begin_dry(job, error);
	if (job->holds_key)
		mlv_runlocks_drop_key(execution->locks, &job->key);
	job->holds_key = FALSE;
	compute_key(job);
	if (!take_locks(job, &taken, error))
		return FALSE;
	if (!taken) {
		wait_for_other(job);
		return TRUE;
	}
	if (!try_lock(job, &restored, error))
		return FALSE;
	if (restored)
		mlv_job_release(job);
	if (!restored && !try_run_cache(job, &restored, error))
		return FALSE;
	if (!restored)
		return start(job, error);
	mlv_job_done(job, MLV_REPRO_RESTORED, NULL, 0);
	return TRUE;
}

void mlv_job_begin(Job *job)
{
	GError *why = NULL;

	if (begin(job, &why))
		return;
	if (!g_error_matches(why, MLV_ERROR, MLV_ERROR_CANCELLED)) {
		mlv_job_failed(job, why, 0);
		return;
	}
	/* Nothing has begun. */
	g_error_free(why);
	mlv_job_release(job);
}
