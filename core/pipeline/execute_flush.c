/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recording what stages made. A sync for each stage would cost more than many a stage: what
 * finishes within a second is recorded together. Until then a kill loses it, and it is made
 * again.
 */
#include "core/pipeline/execute_private.h"

#define INTERVAL    G_USEC_PER_SEC
#define FILES_MAX   1000         /* that a look would have to read again until then */
#define WRITTEN_MAX (256u << 20) /* bytes */

MlvStoreWriter *mlv_execution_writer(Execution *execution)
{
	MlvLocal *local = execution->options->local;

	if (!execution->writer)
		execution->writer = mlv_store_writer_new(local->store, &local->write);
	return execution->writer;
}

/* Outputs get a line in .gitignore; those that a stage had and has no more lose it. */
static void enter_outputs(Execution *execution, const MlvLockStage *old, const MlvLockStage *block)
{
	GHashTable *ignore = execution->entering.ignore;

	for (guint i = 0; i < block->outs->len; i++) {
		const MlvLockPath *out = block->outs->pdata[i];
		if (!out->no_cache)
			g_hash_table_replace(ignore, g_strdup(out->path), GINT_TO_POINTER(TRUE));
	}
	for (guint i = 0; old && i < old->outs->len; i++) {
		const MlvLockPath *out = old->outs->pdata[i];
		const MlvLockPath *now = mlv_lock_stage_out(block, out->path);
		if (!out->no_cache && now && now->no_cache)
			g_hash_table_replace(ignore, g_strdup(out->path), GINT_TO_POINTER(FALSE));
	}
}

void mlv_execution_take(Job *job, MlvLockStage *block)
{
	Execution *execution = job->execution;
	Taken taken = { job, job->has_key, job->key };

	if (!execution->options->rebuild)
		enter_outputs(execution, mlv_record_get(execution->record, job->stage), block);
	mlv_record_set(execution->record, job->stage, block);
	g_array_append_val(execution->taken, taken);
}

static gboolean put_entries(Execution *execution, GError **error)
{
	for (guint i = 0; i < execution->taken->len; i++) {
		const Taken *taken = &g_array_index(execution->taken, Taken, i);
		const MlvLockStage *block = mlv_record_get(execution->record, taken->job->stage);
		if (taken->has_key && block &&
		    !mlv_runcache_put(execution->options->local->repo, &taken->key, block, error))
			return FALSE;
	}
	return TRUE;
}

/* Run cache, locks, and git's index. */
static gboolean record_taken(Execution *execution, GError **error)
{
	MlvRepo *repo = execution->options->local->repo;

	return put_entries(execution, error) &&
	       mlv_record_write(execution->record, &execution->entering, error) &&
	       mlv_entering_commit(&execution->entering, repo, error);
}

gboolean mlv_execution_flush(Execution *execution, GError **error)
{
	execution->flushed = g_get_monotonic_time();
	if (execution->writer && !mlv_store_writer_commit(execution->writer, error))
		return FALSE;
	g_clear_pointer(&execution->writer, mlv_store_writer_free);
	mlv_held_committed(execution->held);
	if (!execution->options->dry_run && !mlv_restore_run(execution->restore, error))
		return FALSE;
	if (execution->taken->len > 0) {
		if (!execution->options->rebuild && !record_taken(execution, error))
			return FALSE;
		for (guint i = 0; i < execution->taken->len; i++)
			mlv_job_release(g_array_index(execution->taken, Taken, i).job);
		g_array_set_size(execution->taken, 0);
		mlv_held_forget_targets(execution->held);
	}
	return TRUE;
}

gboolean mlv_execution_flush_some(Execution *execution, GError **error)
{
	gboolean due =
		g_get_monotonic_time() - execution->flushed > INTERVAL ||
		mlv_held_uncommitted(execution->held) > FILES_MAX ||
		(execution->writer && mlv_store_writer_written(execution->writer) > WRITTEN_MAX);

	return !due || execution->taken->len == 0 || mlv_execution_flush(execution, error);
}
