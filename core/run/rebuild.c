/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/rebuild.h"

#include <string.h>

#include "core/pipeline/runcache.h"
#include "core/run/rebuild_private.h"

/* --- results ---------------------------------------------------------------------------------- */

const char *mlv_layer_name(MlvLayer layer)
{
	static const char *const names[] = { NULL,     "code",        "data",
					     "params", "environment", "program" };
	return names[layer];
}

static void cause_free(gpointer data)
{
	MlvRebuildCause *cause = data;

	g_free(cause->what);
	g_free(cause->was);
	g_free(cause->now);
	g_free(cause->text);
	g_free(cause->stage);
	g_free(cause);
}

static void out_free(gpointer data)
{
	MlvRebuildOut *out = data;

	g_free(out->path);
	g_clear_pointer(&out->files, g_ptr_array_unref);
	g_free(out);
}

static void stage_free(gpointer data)
{
	MlvRebuildStage *stage = data;

	g_free(stage->address);
	g_free(stage->why);
	g_ptr_array_unref(stage->causes);
	g_ptr_array_unref(stage->outs);
	g_ptr_array_unref(stage->metrics);
	g_string_free(stage->log, TRUE);
	mlv_lock_stage_free(stage->made);
	g_free(stage);
}

MlvRebuildStage *mlv_rebuild_stage_new(const char *address)
{
	MlvRebuildStage *stage = g_new0(MlvRebuildStage, 1);

	stage->address = g_strdup(address);
	stage->causes = g_ptr_array_new_with_free_func(cause_free);
	stage->outs = g_ptr_array_new_with_free_func(out_free);
	stage->metrics = g_ptr_array_new_with_free_func(mlv_rebuild_metric_free);
	stage->log = g_string_new(NULL);
	return stage;
}

MlvRebuild *mlv_rebuild_new(void)
{
	MlvRebuild *rebuild = g_new0(MlvRebuild, 1);

	rebuild->stages = g_ptr_array_new_with_free_func(stage_free);
	rebuild->metrics = g_ptr_array_new_with_free_func(mlv_rebuild_metric_free);
	rebuild->environment = g_ptr_array_new_with_free_func(cause_free);
	rebuild->problems = g_ptr_array_new_with_free_func(g_free);
	return rebuild;
}

void mlv_rebuild_free(MlvRebuild *rebuild)
{
	if (!rebuild)
		return;
	g_ptr_array_unref(rebuild->stages);
	g_ptr_array_unref(rebuild->metrics);
	g_ptr_array_unref(rebuild->environment);
	g_ptr_array_unref(rebuild->problems);
	g_free(rebuild->environment_run);
	g_free(rebuild);
}

MlvRebuildStage *mlv_rebuild_find(const MlvRebuild *rebuild, const char *address)
{
	for (guint i = 0; i < rebuild->stages->len; i++) {
		MlvRebuildStage *stage = rebuild->stages->pdata[i];
		if (strcmp(stage->address, address) == 0)
			return stage;
	}
	return NULL;
}

void mlv_rebuild_log(MlvRebuildStage *stage, const guint8 *data, gsize length)
{
	g_string_append_len(stage->log, (const char *)data, (gssize)length);
	if (stage->log->len > 2 * MLV_REBUILD_LOG)
		g_string_erase(stage->log, 0, (gssize)(stage->log->len - MLV_REBUILD_LOG));
}

/* --- what was recorded ------------------------------------------------------------------------ */

static void lock_free(gpointer lock)
{
	mlv_lock_free(lock);
}

static gboolean read_locks(Rebuilding *rebuilding, GError **error)
{
	const MlvReproOptions *repro = &rebuilding->options->repro;

	for (guint i = 0; i < repro->pipeline->files->len; i++) {
		const MlvPipelineFile *file = repro->pipeline->files->pdata[i];
		MlvLock *lock = mlv_lock_read(repro->files, file->folder, error);
		if (!lock)
			return FALSE;
		g_hash_table_insert(rebuilding->locks, g_strdup(file->folder), lock);
	}
	return TRUE;
}

const MlvLockStage *mlv_rebuild_recorded(const Rebuilding *rebuilding, const MlvStage *stage)
{
	const MlvLock *lock = g_hash_table_lookup(rebuilding->locks, stage->file->folder);

	return lock ? mlv_lock_get(lock, stage->name) : NULL;
}

static gboolean check_recorded(const Rebuilding *rebuilding, const MlvStage *stage, GError **error)
{
	const MlvLockStage *block = mlv_rebuild_recorded(rebuilding, stage);

	if (block && !block->conflict)
		return TRUE;
	if (block)
		return mlv_fail(error, MLV_ERROR_CHECK,
				"the stage '%s' has two versions in its mlv.lock, as a merge left "
				"them; run 'mlv repro' and commit the lock",
				stage->address);
	return mlv_fail(error, MLV_ERROR_MISSING,
			"the stage '%s' never ran there: its mlv.lock does not know it, so there "
			"is nothing to compare; run 'mlv repro' and commit mlv.lock",
			stage->address);
}

/* What is to run has a record: the targets and what they need, but not what only frozen ones do. */
static gboolean check_all(const Rebuilding *rebuilding, const GArray *targets, GError **error)
{
	const MlvPipeline *pipeline = rebuilding->options->repro.pipeline;
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	g_autoptr(GArray) left = g_array_new(FALSE, FALSE, sizeof(guint));

	g_array_append_vals(left, targets->data, targets->len);
	for (guint i = 0; i < left->len; i++) {
		guint number = g_array_index(left, guint, i);
		const MlvNode *node = mlv_pipeline_node(pipeline, number);
		if (!g_hash_table_add(seen, GUINT_TO_POINTER(number + 1)) || node->stage->frozen)
			continue;
		if (!check_recorded(rebuilding, node->stage, error))
			return FALSE;
		g_array_append_vals(left, node->upstream->data, node->upstream->len);
	}
	return TRUE;
}

gboolean mlv_rebuild_take_locks(MlvRepo *repo, const MlvPipeline *pipeline, const char *rev,
				GError **error)
{
	MlvOid commit;

	if (!mlv_git_resolve(repo, rev, &commit, error))
		return FALSE;
	for (guint i = 0; i < pipeline->files->len; i++) {
		const MlvPipelineFile *file = pipeline->files->pdata[i];
		g_autofree char *path =
			g_strconcat(file->folder, *file->folder ? "/" : "", MLV_LOCK_NAME, NULL);
		g_autoptr(GError) why = NULL;
		g_autoptr(GBytes) bytes =
			mlv_git_read_file(repo, &commit, path, MLV_LOCK_MAX, &why);
		gsize length;
		if (bytes) {
			const void *data = g_bytes_get_data(bytes, &length);
			if (!mlv_repo_write_file(repo, path, data, length, 0666, error))
				return FALSE;
		} else if (!g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING)) {
			g_propagate_error(error, g_steal_pointer(&why));
			return FALSE;
		} else if (!mlv_repo_remove_file(repo, path, error)) {
			return FALSE;
		}
	}
	return TRUE;
}

/* --- running ---------------------------------------------------------------------------------- */

/* The callbacks of the caller come after ours. */
static void on_begin(const MlvStage *stage, const GPtrArray *reasons, gpointer user)
{
	const MlvReproOptions *repro = &((Rebuilding *)user)->options->repro;

	if (repro->begin)
		repro->begin(stage, reasons, repro->user);
}

static MlvRebuildStage *stage_of(Rebuilding *rebuilding, const MlvStage *stage)
{
	MlvRebuildStage *found = mlv_rebuild_find(rebuilding->result, stage->address);

	if (found)
		return found;
	found = mlv_rebuild_stage_new(stage->address);
	g_ptr_array_add(rebuilding->result->stages, found);
	return found;
}

static void on_output(const MlvStage *stage, const guint8 *data, gsize length, gpointer user)
{
	Rebuilding *rebuilding = user;
	const MlvReproOptions *repro = &rebuilding->options->repro;

	if (!rebuilding->again)
		mlv_rebuild_log(stage_of(rebuilding, stage), data, length);
	if (repro->output)
		repro->output(stage, data, length, repro->user);
}

static void on_done(const MlvReproOutcome *outcome, gpointer user)
{
	Rebuilding *rebuilding = user;
	const MlvReproOptions *repro = &rebuilding->options->repro;
	gboolean ran = outcome->result == MLV_REPRO_RAN && outcome->block;

	if (repro->done)
		repro->done(outcome, repro->user);
	if (rebuilding->again) {
		if (ran)
			g_hash_table_insert(rebuilding->again, g_strdup(outcome->stage->address),
					    mlv_runcache_copy_stage(outcome->block));
		return;
	}
	MlvRebuildStage *stage = stage_of(rebuilding, outcome->stage);
	stage->result = outcome->result;
	stage->why = g_strdup(outcome->why);
	stage->status = outcome->status;
	stage->duration = outcome->duration;
	stage->number = (guint)mlv_pipeline_find(repro->pipeline, outcome->stage->address);
	if (ran)
		stage->made = mlv_runcache_copy_stage(outcome->block);
	if (outcome->reasons)
		mlv_rebuild_add_causes(rebuilding, stage, outcome->reasons);
}

static void on_waiting(const MlvStage *stage, gpointer user)
{
	const MlvReproOptions *repro = &((Rebuilding *)user)->options->repro;

	if (repro->waiting)
		repro->waiting(stage, repro->user);
}

static void on_warn(const char *text, gpointer user)
{
	const MlvReproOptions *repro = &((Rebuilding *)user)->options->repro;

	if (repro->warn)
		repro->warn(text, repro->user);
}

static gboolean run(Rebuilding *rebuilding, const GArray *targets, gboolean single, GError **error)
{
	MlvReproOptions repro = rebuilding->options->repro;
	MlvReproTotals totals;

	repro.rebuild = repro.pull = repro.keep_going = TRUE;
	repro.single = single;
	repro.begin = on_begin;
	repro.output = on_output;
	repro.done = on_done;
	repro.waiting = on_waiting;
	repro.warn = on_warn;
	repro.user = rebuilding;
	return mlv_repro(&repro, targets, &totals, error);
}

/* --- comparing -------------------------------------------------------------------------------- */

static void add_out(MlvRebuildStage *stage, const char *path, const MlvLockPath *was,
		    const MlvLockPath *now)
{
	MlvRebuildOut *out = g_new0(MlvRebuildOut, 1);

	out->path = g_strdup(path);
	out->has_was = was != NULL;
	out->has_now = now != NULL;
	if (was)
		out->was = was->held;
	if (now)
		out->now = now->held;
	out->differs = !was || !now || !mlv_lock_path_same(was, now);
	g_ptr_array_add(stage->outs, out);
}

/* What the stage declares, and what its lock has besides. */
static void compare_outs(const Rebuilding *rebuilding, MlvRebuildStage *stage)
{
	const MlvStage *its =
		mlv_pipeline_node(rebuilding->options->repro.pipeline, stage->number)->stage;
	const MlvLockStage *old = mlv_rebuild_recorded(rebuilding, its);

	if (stage->result == MLV_REPRO_FROZEN || stage->result == MLV_REPRO_RESTORED)
		return;
	for (guint i = 0; i < its->outs->len; i++) {
		const char *path = ((MlvOut *)its->outs->pdata[i])->path;
		add_out(stage, path, mlv_lock_stage_out(old, path),
			stage->made ? mlv_lock_stage_out(stage->made, path) : NULL);
	}
	for (guint i = 0; i < old->outs->len; i++) {
		const MlvLockPath *was = old->outs->pdata[i];
		gboolean declared = FALSE;
		for (guint j = 0; j < its->outs->len && !declared; j++)
			declared = strcmp(((MlvOut *)its->outs->pdata[j])->path, was->path) == 0;
		if (!declared)
			add_out(stage, was->path, was, NULL);
	}
}

static void judge_stage(MlvRebuildStage *stage)
{
	stage->differs = stage->result >= MLV_REPRO_FAILED;
	for (guint i = 0; i < stage->outs->len; i++)
		stage->differs |= ((MlvRebuildOut *)stage->outs->pdata[i])->differs;
	for (guint i = 0; i < stage->metrics->len; i++)
		stage->differs |= ((MlvRebuildMetric *)stage->metrics->pdata[i])->differs;
}

/* --- once more -------------------------------------------------------------------------------- */

static gboolean same_paths(const GPtrArray *a, const GPtrArray *b)
{
	for (guint i = 0; i < a->len && a->len == b->len; i++)
		if (strcmp(((MlvLockPath *)a->pdata[i])->path,
			   ((MlvLockPath *)b->pdata[i])->path) != 0 ||
		    !mlv_lock_path_same(a->pdata[i], b->pdata[i]))
			return FALSE;
	return a->len == b->len;
}

/* Only what differs is looked at: a metric that is tolerated may well be another each time. */
static MlvRepeat compare_again(const MlvRebuildStage *stage, const MlvLockStage *again)
{
	if (!again)
		return MLV_REPEAT_OTHER;
	if (!same_paths(again->deps, stage->made->deps))
		return MLV_REPEAT_NONE;
	for (guint i = 0; i < stage->outs->len; i++) {
		const MlvRebuildOut *out = stage->outs->pdata[i];
		const MlvLockPath *first = mlv_lock_stage_out(stage->made, out->path);
		const MlvLockPath *second = mlv_lock_stage_out(again, out->path);
		if (out->differs && first && (!second || !mlv_lock_path_same(first, second)))
			return MLV_REPEAT_OTHER;
	}
	return MLV_REPEAT_SAME;
}

/* Those that differ of the same inputs run once more, to see whether they are deterministic. */
static gboolean repeat(Rebuilding *rebuilding, GError **error)
{
	const MlvRebuildOptions *options = rebuilding->options;
	g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint));
	g_autoptr(GPtrArray) chosen = g_ptr_array_new();
	g_autoptr(GHashTable) again = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
							    (GDestroyNotify)mlv_lock_stage_free);

	for (guint i = 0; i < rebuilding->result->stages->len; i++) {
		MlvRebuildStage *stage = rebuilding->result->stages->pdata[i];
		if (!stage->differs || !stage->made || mlv_rebuild_follows(stage) ||
		    mlv_rebuild_own_layer(stage) != MLV_LAYER_NONE)
			continue;
		g_ptr_array_add(chosen, stage);
		g_array_append_val(numbers, stage->number);
	}
	if (chosen->len == 0)
		return TRUE;
	if (options->again)
		options->again(chosen->len, options->user);
	rebuilding->again = again;
	if (!run(rebuilding, numbers, TRUE, error))
		return FALSE;
	for (guint i = 0; i < chosen->len; i++) {
		MlvRebuildStage *stage = chosen->pdata[i];
		stage->repeat = compare_again(stage, g_hash_table_lookup(again, stage->address));
	}
	return TRUE;
}

/* --- the whole -------------------------------------------------------------------------------- */

static gboolean rebuild(Rebuilding *rebuilding, const GArray *targets, GError **error)
{
	MlvRebuild *result = rebuilding->result;

	if (!read_locks(rebuilding, error) || !check_all(rebuilding, targets, error) ||
	    !run(rebuilding, targets, FALSE, error))
		return FALSE;
	for (guint i = 0; i < result->stages->len; i++)
		compare_outs(rebuilding, result->stages->pdata[i]);
	if (!mlv_rebuild_compare_metrics(rebuilding, error))
		return FALSE;
	for (guint i = 0; i < result->stages->len; i++)
		judge_stage(result->stages->pdata[i]);
	mlv_rebuild_settle_causes(rebuilding);
	mlv_rebuild_look_inside(rebuilding);
	if (!repeat(rebuilding, error))
		return FALSE;
	mlv_rebuild_judge(rebuilding);
	return TRUE;
}

MlvRebuild *mlv_rebuild(const MlvRebuildOptions *options, const GArray *targets, GError **error)
{
	g_autoptr(MlvRebuild) result = mlv_rebuild_new();
	Rebuilding rebuilding = { .options = options, .result = result };

	rebuilding.locks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, lock_free);
	gboolean ok = rebuild(&rebuilding, targets, error);
	g_hash_table_unref(rebuilding.locks);
	return ok ? g_steal_pointer(&result) : NULL;
}
