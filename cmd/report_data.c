/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/changes.h"
#include "cmd/report.h"

/* Sums of one tracked path. */
typedef struct {
	char *path;
	MlvChangeTotals totals;
	MlvChangeKind whole; /* 0, or what happened to the path as a whole */
} Target;

typedef struct {
	MlvCmd *cmd;
	GPtrArray *targets; /* of Target * */
	GHashTable *by_path;
} Sums;

static void target_free(gpointer data)
{
	Target *target = data;

	g_free(target->path);
	g_free(target);
}

static gboolean visit(const MlvChange *change, gpointer user, GError **error)
{
	Sums *sums = user;
	Target *target = g_hash_table_lookup(sums->by_path, change->target);

	if (!target) {
		target = g_new0(Target, 1);
		target->path = g_strdup(change->target);
		g_ptr_array_add(sums->targets, target);
		g_hash_table_insert(sums->by_path, target->path, target);
	}
	mlv_change_totals_add(&target->totals, change);
	return mlv_cmd_keep_going(sums->cmd, error);
}

static gint compare_targets(gconstpointer a, gconstpointer b)
{
	const Target *const *first = a, *const *second = b;
	return strcmp((*first)->path, (*second)->path);
}

static void note_whole(const Sums *sums, const GPtrArray *from, const GPtrArray *to)
{
	for (guint i = 0; i < sums->targets->len; i++) {
		Target *target = sums->targets->pdata[i];

		if (!mlv_tracked_find(from, target->path))
			target->whole = MLV_CHANGE_ADDED;
		else if (!mlv_tracked_find(to, target->path))
			target->whole = MLV_CHANGE_REMOVED;
	}
}

/* "new: 12 files", "3 files added, 1 file changed". */
static char *describe(const Target *target)
{
	const MlvChangeTotals *totals = &target->totals;
	const struct {
		guint64 count;
		const char *word;
	} parts[] = { { totals->added, "added" },
		      { totals->removed, "removed" },
		      { totals->modified, "changed" },
		      { totals->renamed, "renamed" } };
	GString *text = g_string_new(target->whole == MLV_CHANGE_ADDED     ? "new: "
				     : target->whole == MLV_CHANGE_REMOVED ? "gone: "
									   : "");
	/* Of a whole path the word says it already. */
	gboolean whole = target->whole != 0;
	const char *separator = "";

	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		g_autofree char *count = mlv_ui_plural(parts[i].count, "file");

		if (parts[i].count == 0)
			continue;
		g_string_append_printf(text, "%s%s%s%s", separator, count, whole ? "" : " ",
				       whole ? "" : parts[i].word);
		separator = ", ";
	}
	if (totals->unread)
		g_string_append_printf(text, "%snot all is here to be compared", separator);
	return g_string_free(text, FALSE);
}

static void add_row(MlvReport *report, const char *path, const char *changes, const char *size)
{
	g_ptr_array_add(report->data, g_strdup(path));
	g_ptr_array_add(report->data, g_strdup(changes));
	g_ptr_array_add(report->data, g_strdup(size));
}

gboolean mlv_report_take_data(MlvReport *report, GError **error)
{
	g_autoptr(GPtrArray) targets = g_ptr_array_new_with_free_func(target_free);
	g_autoptr(GHashTable) by_path = g_hash_table_new(g_str_hash, g_str_equal);
	Sums sums = { report->cmd, targets, by_path };
	const MlvCompareOptions options = {
		.files = TRUE, .renames = TRUE, .visit = visit, .user = &sums
	};
	MlvView *view = report->sides->view;
	g_autoptr(GPtrArray) from =
		mlv_view_pointers(view, mlv_side_revision(report->sides->sides->pdata[0]), error);
	g_autoptr(GPtrArray) to =
		from ? mlv_view_pointers(view, mlv_side_revision(report->sides->sides->pdata[1]),
					 error)
		     : NULL;
	g_autoptr(MlvCompare) compare = mlv_compare_new(mlv_view_source(view), &options);

	if (!to || !mlv_compare_pointers(compare, from, to, error) ||
	    !mlv_compare_finish(compare, error))
		return FALSE;
	note_whole(&sums, from, to);
	g_ptr_array_sort(targets, compare_targets);
	if (targets->len > 0)
		add_row(report, "Path", "Changes", "Size");
	for (guint i = 0; i < targets->len; i++) {
		const Target *target = targets->pdata[i];
		g_autofree char *changes = describe(target);
		g_autofree char *size = mlv_changes_delta(target->totals.delta);

		add_row(report, target->path, changes, size);
	}
	return TRUE;
}
