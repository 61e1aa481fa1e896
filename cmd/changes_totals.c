/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of changes, as text and as JSON. */
#include "cmd/changes.h"

char *mlv_changes_delta(gint64 delta)
{
	g_autofree char *size = mlv_ui_size((guint64)ABS(delta));

	return g_strconcat(delta < 0 ? "-" : "+", size, NULL);
}

char *mlv_changes_totals(const MlvChangeTotals *totals)
{
	g_autofree char *delta = mlv_changes_delta(totals->delta);
	GString *out = g_string_new(NULL);

	g_string_append_printf(out,
			       "+%" G_GUINT64_FORMAT " -%" G_GUINT64_FORMAT " ~%" G_GUINT64_FORMAT,
			       totals->added, totals->removed, totals->modified);
	if (totals->renamed)
		g_string_append_printf(out, " (%" G_GUINT64_FORMAT " renamed)", totals->renamed);
	g_string_append_printf(out, "  %s", delta);
	if (totals->unread)
		g_string_append(out, "  (not all is here to be compared; 'mlv fetch' brings it)");
	return g_string_free(out, FALSE);
}

json_t *mlv_changes_totals_json(const MlvChangeTotals *totals)
{
	json_t *object = json_object();

	mlv_json_set_size(object, "added", totals->added);
	mlv_json_set_size(object, "deleted", totals->removed);
	mlv_json_set_size(object, "modified", totals->modified);
	mlv_json_set_size(object, "renamed", totals->renamed);
	mlv_json_set_size(object, "bytes_added", totals->bytes_added);
	mlv_json_set_size(object, "bytes_deleted", totals->bytes_removed);
	json_object_set_new(object, "bytes_delta", json_integer(totals->delta));
	mlv_json_set_size(object, "not_compared", totals->unread);
	return object;
}
