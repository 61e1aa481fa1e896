/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pipeline/execute_private.h"
#include "core/pipeline/plain_command.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define RETRY   50  /* milliseconds between looks whether another process is done */
#define WATCH   100 /* between looks whether the user wants an end */
#define MAX_LOG (64 << 20)

char *mlv_repro_run_name(void)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *time = g_date_time_format(now, "%Y%m%d-%H%M%S");

	return g_strdup_printf("%s-%08x", time, g_random_int());
}

/* --- jobs ------------------------------------------------------------------------------------- */

static void job_free(gpointer data)
{
	Job *job = data;

	mlv_stage_now_free(job->now);
	mlv_child_free(job->child);
	mlv_trace_free(job->trace);
	mlv_trace_report_free(job->report);
	mlv_runlog_free(job->log);
	g_strfreev(job->shell);
	if (job->environ)
		g_ptr_array_unref(job->environ);
	if (job->param_files)
		g_array_unref(job->param_files);
	g_free(job->stage_variable);
	g_free(job->run_variable);
	g_free(job->directory);
	g_free(job);
}

static Job *job_of(const Execution *execution, guint number)
{
	return g_hash_table_lookup(execution->by_number, GUINT_TO_POINTER(number + 1));
}

static void tell(Job *job, MlvReproResult result, const char *why, int status)
{
	Execution *execution = job->execution;
	const MlvReproOptions *options = execution->options;
	guint *const counts[] = {
		[MLV_REPRO_KEPT] = &execution->totals->kept,
		[MLV_REPRO_FROZEN] = &execution->totals->frozen,
		[MLV_REPRO_RAN] = &execution->totals->ran,
		[MLV_REPRO_RESTORED] = &execution->totals->restored,
		[MLV_REPRO_FAILED] = &execution->totals->failed,
		[MLV_REPRO_SKIPPED] = &execution->totals->skipped,
		[MLV_REPRO_INTERRUPTED] = &execution->totals->failed,
	};
	MlvReproOutcome outcome = { .stage = job->stage,
				    .result = result,
				    .reasons = job->now ? job->now->reasons : NULL,
				    .why = why,
				    .status = status,
				    .duration = job->child ? job->started : 0,
				    .block = mlv_record_get(execution->record, job->stage),
				    .trace = job->report };

	++*counts[result];
	if (job->report && mlv_trace_report_finds(job->report))
		execution->totals->undeclared++;
	if (options->done)
		options->done(&outcome, options->user);
}

/* What needs a stage that failed cannot run either. */
static void skip_downstream(Job *failed)
{
	Execution *execution = failed->execution;
	g_autoptr(GPtrArray) left = g_ptr_array_new();

	g_ptr_array_add(left, failed);
	for (guint i = 0; i < left->len; i++) {
		const Job *above = left->pdata[i];
		const MlvNode *node =
			mlv_pipeline_node(execution->options->pipeline, above->number);
		g_autofree char *why =
			g_strdup_printf("'%s', which it needs, failed", above->stage->address);
		for (guint j = 0; j < node->downstream->len; j++) {
			Job *job = job_of(execution, g_array_index(node->downstream, guint, j));
			if (!job || job->state != JOB_WAITING)
				continue;
			job->state = JOB_FAILED;
			tell(job, MLV_REPRO_SKIPPED, why, 0);
			g_ptr_array_add(left, job);
		}
	}
}

void mlv_job_done(Job *job, MlvReproResult result, const char *why, int status)
{
	Execution *execution = job->execution;
	const MlvNode *node = mlv_pipeline_node(execution->options->pipeline, job->number);
	gboolean well = result < MLV_REPRO_FAILED;

	job->state = well ? JOB_DONE : JOB_FAILED;
	tell(job, result, why, status);
	if (!well) {
		execution->stopping |= !execution->options->keep_going;
		if (execution->options->keep_going)
			skip_downstream(job);
		return;
	}
	for (guint i = 0; i < node->downstream->len; i++) {
		Job *next = job_of(execution, g_array_index(node->downstream, guint, i));
		if (next && next->state == JOB_WAITING && --next->waits == 0)
			next->state = JOB_READY;
	}
}

void mlv_job_failed(Job *job, GError *why, int status)
{
	mlv_job_release(job);
	mlv_job_done(job, MLV_REPRO_FAILED, why->message, status);
	g_error_free(why);
}

/* --- what deciding asks for ------------------------------------------------------------------- */

static const MlvLockStage *recorded(const MlvStage *stage, gpointer user)
{
	return mlv_record_get(((Execution *)user)->record, stage);
}

static gboolean about_to_run(guint number, gpointer user)
{
	const Job *job = job_of(user, number);

	return job && job->about_to_run;
}

/* --- the loop --------------------------------------------------------------------------------- */

static gboolean is_cancelled(const Execution *execution)
{
	const volatile sig_atomic_t *cancel = execution->options->cancel;

	return cancel && *cancel;
}

/* Begins what can begin. *locked: something waits for another process. What waits for a job stands
 * behind it. */
static void begin_jobs(Execution *execution, gboolean *locked)
{
	guint jobs = MAX(execution->options->jobs, 1);
	gboolean before = TRUE;

	*locked = FALSE;
	for (guint i = execution->next; i < execution->jobs->len; i++) {
		Job *job = execution->jobs->pdata[i];
		if (execution->stopping || execution->running >= jobs || is_cancelled(execution))
			break;
		if (job->state == JOB_READY || job->state == JOB_LOCKED)
			mlv_job_begin(job);
		*locked |= job->state == JOB_LOCKED;
		before &= job->state == JOB_DONE || job->state == JOB_FAILED;
		if (before)
			execution->next = i + 1;
	}
}

static void step_jobs(Execution *execution)
{
	for (guint i = execution->next; i < execution->jobs->len && execution->running > 0; i++) {
		Job *job = execution->jobs->pdata[i];
		gboolean finished = FALSE;
		GError *why = NULL;
		if (job->state != JOB_RUNNING)
			continue;
		if (!mlv_child_step(job->child, &finished, &why)) {
			execution->running--;
			mlv_job_failed(job, why, 0);
		} else if (finished) {
			mlv_job_finish(job);
		}
	}
}

static void wait_for_jobs(Execution *execution, gboolean locked)
{
	g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(struct pollfd));
	int timeout = locked ? RETRY : WATCH;

	for (guint i = execution->next; i < execution->jobs->len; i++) {
		const Job *job = execution->jobs->pdata[i];
		struct pollfd own[MLV_CHILD_FDS];
		if (job->state != JOB_RUNNING)
			continue;
		g_array_append_vals(fds, own, mlv_child_fds(job->child, own));
		int wanted = mlv_child_timeout(job->child);
		timeout = wanted >= 0 ? MIN(timeout, wanted) : timeout;
	}
	poll((struct pollfd *)(gpointer)fds->data, fds->len, timeout);
}

/* From now on a second ctrl-C is seen here, and not the end of this process alone. */
static void block_signals(Execution *execution)
{
	sigset_t set;

	if (execution->blocked)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	execution->blocked = TRUE;
}

static void unblock_signals(Execution *execution)
{
	const struct timespec none = { 0, 0 };
	sigset_t set;

	if (!execution->blocked)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	while (sigtimedwait(&set, NULL, &none) > 0)
		;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	execution->blocked = FALSE;
}

static gboolean was_asked_again(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 &&
	       (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM));
}

static void stop_jobs(Execution *execution)
{
	block_signals(execution);
	for (guint i = 0; i < execution->jobs->len; i++) {
		Job *job = execution->jobs->pdata[i];
		if (job->state != JOB_RUNNING)
			continue;
		job->interrupted = TRUE;
		mlv_child_stop(job->child, was_asked_again());
	}
}

static gboolean is_finished(const Execution *execution, gboolean locked)
{
	if (execution->running > 0)
		return FALSE;
	return execution->stopping || is_cancelled(execution) || !locked;
}

static gboolean run(Execution *execution, GError **error)
{
	g_autoptr(GError) failed = NULL;

	for (;;) {
		gboolean locked;
		begin_jobs(execution, &locked);
		if (is_finished(execution, locked))
			break;
		if (is_cancelled(execution))
			stop_jobs(execution);
		wait_for_jobs(execution, locked);
		step_jobs(execution);
		/* Without room, for example, nothing more is begun; what runs may end. */
		if (!failed && !mlv_execution_flush_some(execution, &failed))
			execution->stopping = TRUE;
	}
	if (!failed)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&failed));
	return FALSE;
}

/* --- the whole -------------------------------------------------------------------------------- */

static gint by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whether one of the patterns that mlv.env gives, with blanks between, matches the name. */
static gboolean is_declared(const GPtrArray *values, const char *name)
{
	for (guint i = 0; i < values->len; i++) {
		g_auto(GStrv) patterns = g_strsplit_set(values->pdata[i], " ,", -1);
		for (char **pattern = patterns; *pattern; pattern++)
			if (**pattern && g_pattern_match_simple(*pattern, name))
				return TRUE;
	}
	return FALSE;
}

/* The declared environment: the variables that mlv.env names. */
static GPtrArray *declared_environ(const MlvReproOptions *options)
{
	g_autoptr(GPtrArray) values =
		mlv_config_get_all(mlv_repo_config(options->local->repo), "mlv.env");
	GPtrArray *declared = g_ptr_array_new_with_free_func(g_free);

	for (const char *const *one = options->environ; values->len > 0 && *one; one++) {
		g_autofree char *name = g_strndup(*one, strcspn(*one, "="));
		if (is_declared(values, name))
			g_ptr_array_add(declared, g_strdup(*one));
	}
	g_ptr_array_sort(declared, by_text);
	return declared;
}

static gboolean open_all(Execution *execution, const GArray *targets, GError **error)
{
	const MlvReproOptions *options = execution->options;
	MlvRepo *repo = options->local->repo;
	MlvHeldOptions held = { .local = options->local,
				.threads = options->threads,
				.cancel = options->cancel };
	gint64 max_log;

	if (options->trace && !mlv_trace_check(error))
		return FALSE;
	if (!mlv_config_get_int(mlv_repo_config(repo), "mlv.maxLog", MAX_LOG, 0, G_MAXINT64,
				&max_log, error))
		return FALSE;
	execution->max_log = (guint64)max_log;
	execution->held = mlv_held_new(&held);
	execution->params = mlv_params_cache_new(options->files);
	execution->restore = mlv_restore_new(execution->held, &held);
	execution->declared = declared_environ(options);
	execution->any_shell = mlv_environ_is_plain(options->environ);
	execution->locks = options->dry_run ? NULL : mlv_runlocks_open(repo, error);
	if (!execution->locks && !options->dry_run)
		return FALSE;
	execution->record = mlv_record_new(repo, options->files, execution->locks);
	execution->decide =
		(MlvDecideContext){ .pipeline = options->pipeline,
				    .held = execution->held,
				    .params = execution->params,
				    .recorded = recorded,
				    .etag = mlv_execution_etag,
				    .about_to_run = options->dry_run ? about_to_run : NULL,
				    .user = execution,
				    .force = options->force || options->rebuild || options->trace };
	return mlv_execution_choose(execution, targets, error);
}

static void close_all(Execution *execution)
{
	unblock_signals(execution);
	g_ptr_array_unref(execution->jobs);
	g_hash_table_unref(execution->by_number);
	g_array_unref(execution->taken);
	g_clear_pointer(&execution->declared, g_ptr_array_unref);
	g_strfreev(execution->shell);
	g_hash_table_unref(execution->etags);
	mlv_entering_clear(&execution->entering);
	mlv_store_writer_free(execution->writer);
	mlv_restore_free(execution->restore);
	mlv_record_free(execution->record);
	mlv_runlocks_close(execution->locks);
	if (execution->params)
		mlv_params_cache_free(execution->params);
	mlv_held_free(execution->held);
}

/* All that is known to be looked at, at once. What cannot be said yet is told when its stage's turn
 * comes. */
static gboolean look_ahead(Execution *execution, GError **error)
{
	for (guint i = 0; i < execution->jobs->len; i++) {
		const Job *job = execution->jobs->pdata[i];
		if (!job->stage->frozen)
			mlv_decide_ask(&execution->decide, job->number, NULL);
		for (guint j = 0; j < job->stage->params->len; j++)
			mlv_held_ask(execution->held,
				     ((MlvParamsDep *)job->stage->params->pdata[j])->file, FALSE);
	}
	return mlv_held_look(execution->held, error);
}

static gboolean finish(Execution *execution, GError **error)
{
	if (execution->options->dry_run)
		return mlv_held_save(execution->held, NULL) || TRUE;
	if (execution->options->rebuild)
		return mlv_execution_flush(execution, error);
	if (!mlv_execution_flush(execution, error) ||
	    !mlv_record_check_staged(execution->record, &execution->entering, error) ||
	    !mlv_entering_commit(&execution->entering, execution->options->local->repo, error))
		return FALSE;
	return mlv_held_settle(execution->held, error);
}

gboolean mlv_repro(const MlvReproOptions *options, const GArray *targets, MlvReproTotals *totals,
		   GError **error)
{
	Execution execution = { .options = options, .totals = totals };

	memset(totals, 0, sizeof(*totals));
	execution.jobs = g_ptr_array_new_with_free_func(job_free);
	execution.by_number = g_hash_table_new(NULL, NULL);
	execution.etags = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	execution.taken = g_array_new(FALSE, FALSE, sizeof(Taken));
	execution.flushed = g_get_monotonic_time();
	mlv_entering_init(&execution.entering);
	gboolean ok = open_all(&execution, targets, error) && look_ahead(&execution, error) &&
		      run(&execution, error);
	gboolean opened = execution.record != NULL;
	/* What was made until then is kept, whatever went wrong. */
	if (opened && !finish(&execution, ok ? error : NULL))
		ok = FALSE;
	close_all(&execution);
	if (ok && options->cancel && *options->cancel)
		return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
	return ok;
}
