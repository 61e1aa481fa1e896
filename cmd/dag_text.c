/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A column for each edge on its way down. An edge keeps its column to its end, and the column is
 * used again then.
 *
 *	* prepare
 *	├─╮
 *	* │ train
 *	│ * test
 *	├─╯
 *	* report
 */
#include "cmd/dag_text.h"

#define FREE G_MAXUINT

typedef struct {
	const MlvPipeline *pipeline;
	GArray *columns; /* of guint: the stage that the edge leads to, or FREE */
	GString *text;
	GHashTable *wanted; /* number + 1: those that are drawn */
} Drawing;

static guint column(const Drawing *drawing, guint number)
{
	return g_array_index(drawing->columns, guint, number);
}

static void set_column(Drawing *drawing, guint number, guint to)
{
	g_array_index(drawing->columns, guint, number) = to;
}

static void end_line(Drawing *drawing)
{
	while (drawing->text->len > 0 && drawing->text->str[drawing->text->len - 1] == ' ')
		g_string_truncate(drawing->text, drawing->text->len - 1);
	g_string_append_c(drawing->text, '\n');
}

/* A line on which other columns, from `at` to `last`, run into column `at` (`down` FALSE) or come
 * from it. `mine` says which. */
static void draw_branches(Drawing *drawing, guint at, guint last, const GHashTable *mine,
			  gboolean down)
{
	for (guint i = 0; i < drawing->columns->len; i++) {
		gboolean own = g_hash_table_contains((GHashTable *)mine, GUINT_TO_POINTER(i + 1));
		gboolean passes = column(drawing, i) != FREE && !own;
		const char *sign = i < at || i > last ? (column(drawing, i) == FREE ? "  " : "│ ")
				   : i == at          ? "├─"
				   : i == last        ? (down ? "╮ " : "╯ ")
				   : own              ? (down ? "┬─" : "┴─")
				   : passes           ? "┼─"
						      : "──";
		g_string_append(drawing->text, sign);
	}
	end_line(drawing);
}

/* Columns that nobody uses any more need no room at the end of lines. */
static void drop_free(Drawing *drawing)
{
	GArray *columns = drawing->columns;

	while (columns->len > 0 && column(drawing, columns->len - 1) == FREE)
		g_array_set_size(columns, columns->len - 1);
}

/* The column of a stage, into which all edges that lead to it have run. */
static guint join(Drawing *drawing, guint number)
{
	g_autoptr(GHashTable) mine = g_hash_table_new(NULL, NULL);
	guint at = FREE, last = 0;

	for (guint i = 0; i < drawing->columns->len; i++) {
		if (column(drawing, i) != number)
			continue;
		if (at == FREE)
			at = i;
		else
			g_hash_table_add(mine, GUINT_TO_POINTER(i + 1));
		last = i;
	}
	if (at != FREE && last > at)
		draw_branches(drawing, at, last, mine, FALSE);
	for (guint i = at; at != FREE && i <= last; i++)
		if (i > at && column(drawing, i) == number)
			set_column(drawing, i, FREE);
	return at;
}

/* A free column behind `at` (or any, for a stage that needs nothing). */
static guint find_free(Drawing *drawing, guint from)
{
	guint none = FREE;

	for (guint i = from; i < drawing->columns->len; i++)
		if (column(drawing, i) == FREE)
			return i;
	g_array_append_val(drawing->columns, none);
	return drawing->columns->len - 1;
}

static void draw_stage(Drawing *drawing, guint at, const char *name)
{
	for (guint i = 0; i < drawing->columns->len; i++)
		g_string_append(drawing->text, i == at                      ? "* "
					       : column(drawing, i) == FREE ? "  "
									    : "│ ");
	g_string_append(drawing->text, name);
	end_line(drawing);
}

/* Columns from the stage to all that need it. */
static void fork_to(Drawing *drawing, guint at, const GArray *needed_by)
{
	g_autoptr(GHashTable) mine = g_hash_table_new(NULL, NULL);
	guint last = at;

	if (needed_by->len == 0) {
		set_column(drawing, at, FREE);
		return;
	}
	set_column(drawing, at, g_array_index(needed_by, guint, 0));
	for (guint i = 1; i < needed_by->len; i++) {
		guint next = find_free(drawing, at + 1);
		set_column(drawing, next, g_array_index(needed_by, guint, i));
		g_hash_table_add(mine, GUINT_TO_POINTER(next + 1));
		last = MAX(last, next);
	}
	if (last > at)
		draw_branches(drawing, at, last, mine, TRUE);
}

static GArray *needed_by(const Drawing *drawing, guint number)
{
	const MlvNode *node = mlv_pipeline_node(drawing->pipeline, number);
	GArray *wanted = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < node->downstream->len; i++) {
		guint next = g_array_index(node->downstream, guint, i);
		if (g_hash_table_contains(drawing->wanted, GUINT_TO_POINTER(next + 1)))
			g_array_append_val(wanted, next);
	}
	return wanted;
}

void mlv_dag_text(const MlvPipeline *pipeline, const GArray *order,
		  char *(*name)(const MlvPipeline *pipeline, guint number), GString *text)
{
	g_autoptr(GArray) columns = g_array_new(FALSE, FALSE, sizeof(guint));
	g_autoptr(GHashTable) wanted = g_hash_table_new(NULL, NULL);
	Drawing drawing = { pipeline, columns, text, wanted };

	for (guint i = 0; i < order->len; i++)
		g_hash_table_add(wanted, GUINT_TO_POINTER(g_array_index(order, guint, i) + 1));
	for (guint i = 0; i < order->len; i++) {
		guint number = g_array_index(order, guint, i);
		g_autofree char *label = name(pipeline, number);
		g_autoptr(GArray) next = needed_by(&drawing, number);
		guint at = join(&drawing, number);
		drop_free(&drawing);
		if (at == FREE)
			at = find_free(&drawing, 0);
		set_column(&drawing, at, number);
		draw_stage(&drawing, at, label);
		fork_to(&drawing, at, next);
		drop_free(&drawing);
	}
}
