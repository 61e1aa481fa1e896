/* SPDX-License-Identifier: Apache-2.0 */
/* Which stages a command is about, and what of them waits for what. */
#include "core/pipeline/execute_private.h"

static const MlvNode *node_at(const Execution *execution, guint number)
{
	return mlv_pipeline_node(execution->options->pipeline, number);
}

/* The targets and all that they need; what a frozen stage needs is not looked at. */
static GArray *with_upstream(const Execution *execution, const GArray *targets)
{
	GArray *all = g_array_new(FALSE, FALSE, sizeof(guint));
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < targets->len; i++) {
		guint number = g_array_index(targets, guint, i);
		if (g_hash_table_add(seen, GUINT_TO_POINTER(number + 1)))
			g_array_append_val(all, number);
	}
	for (guint i = 0; i < all->len; i++) {
		const MlvNode *node = node_at(execution, g_array_index(all, guint, i));
		for (guint j = 0; !node->stage->frozen && j < node->upstream->len; j++) {
			guint number = g_array_index(node->upstream, guint, j);
			if (g_hash_table_add(seen, GUINT_TO_POINTER(number + 1)))
				g_array_append_val(all, number);
		}
	}
	return all;
}

static void add_job(Execution *execution, guint number)
{
	Job *job = g_new0(Job, 1);

	job->execution = execution;
	job->number = number;
	job->stage = node_at(execution, number)->stage;
	g_ptr_array_add(execution->jobs, job);
	g_hash_table_insert(execution->by_number, GUINT_TO_POINTER(number + 1), job);
}

static void count_waits(Execution *execution, Job *job)
{
	const MlvNode *node = node_at(execution, job->number);

	for (guint i = 0; !job->stage->frozen && i < node->upstream->len; i++) {
		guint number = g_array_index(node->upstream, guint, i);
		job->waits +=
			g_hash_table_contains(execution->by_number, GUINT_TO_POINTER(number + 1));
	}
	job->state = job->waits > 0 ? JOB_WAITING : JOB_READY;
}

gboolean mlv_execution_choose(Execution *execution, const GArray *targets, GError **error)
{
	const MlvReproOptions *options = execution->options;
	g_autoptr(GArray) all = NULL;
	g_autoptr(GArray) order = NULL;

	if (options->single || options->downstream) {
		order = mlv_pipeline_order(options->pipeline, targets,
					   options->single ? MLV_ORDER_ONLY : MLV_ORDER_DOWNSTREAM);
	} else {
		all = with_upstream(execution, targets);
		order = mlv_pipeline_order(options->pipeline, all, MLV_ORDER_ONLY);
	}
	for (guint i = 0; i < order->len; i++)
		add_job(execution, g_array_index(order, guint, i));
	for (guint i = 0; i < execution->jobs->len; i++) {
		Job *job = execution->jobs->pdata[i];
		count_waits(execution, job);
		if (!mlv_record_load(execution->record, job->stage, error))
			return FALSE;
	}
	return TRUE;
}
