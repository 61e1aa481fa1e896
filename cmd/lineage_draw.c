/* SPDX-License-Identifier: Apache-2.0 */
/* A lineage as a graph: data are boxes, stages are round. */
#include "cmd/lineage_print.h"
#include "cmd/markup.h"

static char *data_label(const MlvLineageData *data)
{
	g_autofree char *name = mlv_ui_printable(data->path);
	char hex[MLV_ID_HEX + 1];

	if (!data->has_id)
		return g_steal_pointer(&name);
	mlv_id_format(&data->held.ref.id, hex);
	return g_strdup_printf("%s %.12s", name, hex);
}

static void print_nodes(const MlvLineage *lineage, gboolean mermaid)
{
	for (guint i = 0; i < mlv_lineage_data_count(lineage); i++) {
		g_autofree char *label = data_label(mlv_lineage_data(lineage, i));
		g_autofree char *text = mermaid ? mlv_mermaid_text(label) : mlv_dot_text(label);
		printf(mermaid ? "\td%u[%s]\n" : "  d%u [shape=box, label=%s]\n", i, text);
	}
	for (guint i = 0; i < mlv_lineage_stage_count(lineage); i++) {
		const MlvStep *step = mlv_lineage_stage(lineage, i)->step;
		g_autofree char *label = mlv_ui_printable(step->address);
		g_autofree char *text = mermaid ? mlv_mermaid_text(label) : mlv_dot_text(label);
		printf(mermaid ? "\ts%u([%s])\n" : "  s%u [label=%s]\n", i, text);
	}
}

/* Each edge once, though it may have been found from both of its ends. */
static void print_edge(GHashTable *seen, gboolean mermaid, char from, guint a, char to, guint b)
{
	char *edge = g_strdup_printf("%c%u%s%c%u", from, a, mermaid ? "-->" : " -> ", to, b);

	if (g_hash_table_contains(seen, edge)) {
		g_free(edge);
		return;
	}
	printf("%s%s\n", mermaid ? "\t" : "  ", edge);
	g_hash_table_add(seen, edge);
}

static void print_edges(const MlvLineage *lineage, gboolean mermaid)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < mlv_lineage_data_count(lineage); i++) {
		const MlvLineageData *data = mlv_lineage_data(lineage, i);
		for (guint j = 0; j < data->made_by->len; j++)
			print_edge(seen, mermaid, 's', g_array_index(data->made_by, guint, j), 'd',
				   i);
		for (guint j = 0; j < data->read_by->len; j++)
			print_edge(seen, mermaid, 'd', i, 's',
				   g_array_index(data->read_by, MlvLineageUse, j).stage);
	}
	for (guint i = 0; i < mlv_lineage_stage_count(lineage); i++) {
		const MlvLineageStage *stage = mlv_lineage_stage(lineage, i);
		for (guint j = 0; j < stage->deps->len; j++)
			print_edge(seen, mermaid, 'd', g_array_index(stage->deps, guint, j), 's',
				   i);
		for (guint j = 0; j < stage->outs->len; j++)
			print_edge(seen, mermaid, 's', i, 'd',
				   g_array_index(stage->outs, guint, j));
	}
}

void mlv_lineage_print_graph(const MlvLineage *lineage, gboolean mermaid)
{
	printf(mermaid ? "flowchart TD\n" : "digraph {\n");
	print_nodes(lineage, mermaid);
	print_edges(lineage, mermaid);
	if (!mermaid)
		printf("}\n");
}
