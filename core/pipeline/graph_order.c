/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of stages, and cycles, without recursion: a chain may be as long as there are stages. */
#include "core/pipeline/graph_private.h"

/* One stage on the way down, and how many of its neighbours were seen. */
typedef struct {
	guint number, next;
} Step;

enum {
	UNSEEN,
	OPEN,
	DONE
};

static const GArray *upstream(const MlvPipeline *pipeline, guint number)
{
	return mlv_pipeline_node(pipeline, number)->upstream;
}

/* "'a' -> 'b' -> 'a'": from where `number` stands on the way to its end, and back. */
static gboolean fail_cycle(const MlvPipeline *pipeline, const GArray *way, guint number,
			   GError **error)
{
	g_autoptr(GString) text = g_string_new("");
	guint from = 0;

	while (g_array_index(way, Step, from).number != number)
		from++;
	/* The way leads upstream: what needs comes before what is needed. */
	for (guint i = from; i < way->len; i++) {
		const MlvStage *stage =
			mlv_pipeline_node(pipeline, g_array_index(way, Step, i).number)->stage;
		g_string_append_printf(text, "'%s' needs ", stage->address);
	}
	const MlvStage *stage = mlv_pipeline_node(pipeline, number)->stage;
	g_string_append_printf(text, "'%s'", stage->address);
	return mlv_fail_at(error, &stage->where, MLV_ERROR_CORRUPT,
			   "the stages need each other in a circle: %s", text->str);
}

/* Visits a stage after all that it needs; to `order` (may be NULL) go those that `wanted` has. */
static gboolean visit(const MlvPipeline *pipeline, guint number, guint8 *states,
		      const guint8 *wanted, GArray *order, GError **error)
{
	g_autoptr(GArray) way = g_array_new(FALSE, FALSE, sizeof(Step));
	Step first = { number, 0 };

	g_array_append_val(way, first);
	states[number] = OPEN;
	while (way->len > 0) {
		Step *step = &g_array_index(way, Step, way->len - 1);
		const GArray *needs = upstream(pipeline, step->number);
		if (step->next == needs->len) {
			states[step->number] = DONE;
			if (order && wanted[step->number])
				g_array_append_val(order, step->number);
			g_array_set_size(way, way->len - 1);
			continue;
		}
		Step next = { g_array_index(needs, guint, step->next++), 0 };
		if (states[next.number] == OPEN)
			return fail_cycle(pipeline, way, next.number, error);
		if (states[next.number] == DONE)
			continue;
		states[next.number] = OPEN;
		g_array_append_val(way, next);
	}
	return TRUE;
}

gboolean mlv_graph_check_cycles(const MlvPipeline *pipeline, GError **error)
{
	g_autofree guint8 *states = g_malloc0(pipeline->nodes->len + 1);

	for (guint i = 0; i < pipeline->nodes->len; i++)
		if (states[i] == UNSEEN && !visit(pipeline, i, states, NULL, NULL, error))
			return FALSE;
	return TRUE;
}

/* Marks the targets, and what is reached from them. */
static void mark(const MlvPipeline *pipeline, const GArray *targets, MlvOrder order, guint8 *wanted)
{
	g_autoptr(GArray) left = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < targets->len; i++) {
		guint number = g_array_index(targets, guint, i);
		wanted[number] = 1;
		g_array_append_val(left, number);
	}
	while (order != MLV_ORDER_ONLY && left->len > 0) {
		guint number = g_array_index(left, guint, left->len - 1);
		const MlvNode *node = mlv_pipeline_node(pipeline, number);
		const GArray *more =
			order == MLV_ORDER_UPSTREAM ? node->upstream : node->downstream;
		g_array_set_size(left, left->len - 1);
		for (guint i = 0; i < more->len; i++) {
			guint next = g_array_index(more, guint, i);
			if (!wanted[next]) {
				wanted[next] = 1;
				g_array_append_val(left, next);
			}
		}
	}
}

GArray *mlv_pipeline_order(const MlvPipeline *pipeline, const GArray *targets, MlvOrder order)
{
	GArray *sorted = g_array_new(FALSE, FALSE, sizeof(guint));
	g_autofree guint8 *states = g_malloc0(pipeline->nodes->len + 1);
	g_autofree guint8 *wanted = g_malloc0(pipeline->nodes->len + 1);

	mark(pipeline, targets, order, wanted);
	for (guint i = 0; i < pipeline->nodes->len; i++)
		if (wanted[i] && states[i] == UNSEEN)
			visit(pipeline, i, states, wanted, sorted, NULL);
	return sorted;
}
