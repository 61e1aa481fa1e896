/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/markup.h"
#include "cmd/measure_private.h"

static void add_text(GArray *entries, const char *key, const char *text)
{
	mlv_value_add(entries, key, text ? mlv_value_new_string(text) : mlv_value_new_null());
}

/* "  "key": value,\n" of a document. */
static void append_member(GString *out, const char *key, GArray *entries)
{
	g_autoptr(MlvValue) map = mlv_value_new_map(entries);
	const MlvValue *value = mlv_value_get(map, key);
	g_autofree char *json = mlv_json_value(value);

	g_string_append_printf(out, "  \"%s\": %s,\n", key, json);
}

static GString *json_begin(const MlvMeasurePrint *print)
{
	GString *out = g_string_new(NULL);

	g_string_append_printf(out, "{\n  \"mlv\": 1,\n  \"command\": \"%s\",\n", print->cmd->name);
	return out;
}

static void json_row(GString *out, GArray *entries, gboolean first)
{
	g_autoptr(MlvValue) map = mlv_value_new_map(entries);
	g_autofree char *json = mlv_json_value(map);

	g_string_append_printf(out, "%s\n    %s", first ? "" : ",", json);
}

static gboolean json_end(const MlvMeasurePrint *print, GString *out, gboolean any, GError **error)
{
	g_string_append(out, any ? "\n  ]\n}\n" : "]\n}\n");
	gboolean ok = mlv_cmd_write(print->cmd, out->str, out->len, error);
	g_string_free(out, TRUE);
	return ok;
}

static GArray *new_entries(void)
{
	return g_array_new(FALSE, FALSE, sizeof(MlvEntry));
}

static void add_direction(const MlvMeasureRow *row, GArray *entries)
{
	if (mlv_direction_word(row->direction))
		add_text(entries, "direction", mlv_direction_word(row->direction));
}

gboolean mlv_measure_json_show(const MlvMeasurePrint *print, GError **error)
{
	const MlvMeasures *measures = print->measures;
	GPtrArray *revisions = g_ptr_array_new();
	GString *out = json_begin(print);
	GArray *head = new_entries();

	for (guint i = 0; i < measures->sides; i++) {
		g_autofree char *id = mlv_sides_id(mlv_measure_side(print, i));
		GArray *entries = new_entries();

		add_text(entries, "name", mlv_side_name(mlv_measure_side(print, i)));
		add_text(entries, "commit", g_strcmp0(id, "workspace") == 0 ? NULL : id);
		g_ptr_array_add(revisions, mlv_value_new_map(entries));
	}
	mlv_value_add(head, "revisions", mlv_value_new_list(revisions));
	append_member(out, "revisions", head);
	g_string_append_printf(out, "  \"%s\": [",
			       mlv_measure_is_metrics(print) ? "metrics" : "params");
	for (guint i = 0; i < measures->rows->len; i++) {
		const MlvMeasureRow *row = measures->rows->pdata[i];
		GArray *entries = new_entries(), *values = new_entries();

		add_text(entries, "path", row->path);
		add_text(entries, "name", row->name);
		add_direction(row, entries);
		for (guint j = 0; j < row->values->len; j++)
			if (row->values->pdata[j])
				mlv_value_add(values, mlv_side_name(mlv_measure_side(print, j)),
					      mlv_value_ref(row->values->pdata[j]));
		mlv_value_add(entries, "values", mlv_value_new_map(values));
		json_row(out, entries, i == 0);
	}
	return json_end(print, out, measures->rows->len > 0, error);
}

static guint diff_json_rows(const MlvMeasurePrint *print, GString *out, gboolean *any)
{
	guint changed = 0;

	*any = FALSE;
	for (guint i = 0; i < print->measures->rows->len; i++) {
		const MlvMeasureRow *row = print->measures->rows->pdata[i];
		g_auto(MlvMeasurePair) pair = { 0 };
		GArray *entries;

		mlv_measure_pair_init(&pair, print, row);
		changed += pair.changed;
		if (!pair.changed && !print->all)
			continue;
		entries = new_entries();
		add_text(entries, "path", row->path);
		add_text(entries, "name", row->name);
		if (pair.from)
			mlv_value_add(entries, "old", mlv_value_ref(pair.from));
		if (pair.to)
			mlv_value_add(entries, "new", mlv_value_ref(pair.to));
		if (pair.difference)
			mlv_value_add(entries, "diff", mlv_value_ref(pair.difference));
		add_direction(row, entries);
		if (pair.verdict != MLV_VERDICT_NONE)
			add_text(entries, "verdict", mlv_measure_verdict_word(pair.verdict));
		json_row(out, entries, !*any);
		*any = TRUE;
	}
	return changed;
}

gboolean mlv_measure_json_diff(const MlvMeasurePrint *print, guint *changed, GError **error)
{
	g_autofree char *from = mlv_sides_id(mlv_measure_side(print, 0));
	g_autofree char *to = mlv_sides_id(mlv_measure_side(print, print->measures->sides - 1));
	GString *out = json_begin(print);
	GArray *old = new_entries(), *new = new_entries();
	gboolean any;

	add_text(old, "old", from);
	append_member(out, "old", old);
	add_text(new, "new", to);
	append_member(out, "new", new);
	g_string_append(out, "  \"changes\": [");
	*changed = diff_json_rows(print, out, &any);
	return json_end(print, out, any, error);
}
