/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commits.h"
#include "cmd/lineage_print.h"
#include "cmd/look.h"
#include "cmd/run_json.h"

static json_t *names_json(const GPtrArray *names)
{
	json_t *array = json_array();

	for (guint i = 0; i < names->len; i++)
		json_array_append_new(array, json_string(names->pdata[i]));
	return array;
}

/* A commit without its parents, which are nothing to data. */
static json_t *commit_json(MlvRepo *repo, const MlvOid *oid)
{
	g_autoptr(MlvCommit) commit = mlv_git_commit_read(repo, oid, NULL);
	json_t *object = commit ? mlv_commit_json(commit) : json_object();
	char hex[MLV_OID_HEX + 1];

	mlv_oid_format(oid, hex);
	mlv_json_set_text(object, "commit", hex);
	json_object_del(object, "parents");
	return object;
}

static json_t *import_json(const MlvImportRecord *record)
{
	json_t *object = json_object();

	mlv_json_set_text(object, "url", record->url);
	if (record->stamp.etag)
		mlv_json_set_text(object, "etag", record->stamp.etag);
	if (record->stamp.modified)
		json_object_set_new(object, "modified",
				    json_real((double)record->stamp.modified / 1e9));
	mlv_json_set_size(object, "size", record->stamp.size);
	return object;
}

static json_t *data_json(MlvRepo *repo, const MlvLineageData *data)
{
	static const char *const origins[] = {
		[MLV_ORIGIN_UNKNOWN] = "unknown", [MLV_ORIGIN_STAGE] = "stage",
		[MLV_ORIGIN_ADDED] = "added",     [MLV_ORIGIN_IMPORTED] = "imported",
		[MLV_ORIGIN_GIT] = "git",         [MLV_ORIGIN_OUTSIDE] = "outside",
		[MLV_ORIGIN_URL] = "url",
	};
	json_t *object = json_object();

	mlv_json_set_path(object, "path", data->path);
	if (data->has_id)
		mlv_cmd_json_data(object, data->held.mode, &data->held.ref, data->held.files,
				  data->held.bytes);
	if (data->etag)
		mlv_json_set_text(object, "etag", data->etag);
	mlv_json_set_text(object, "origin", origins[data->origin]);
	if (data->import)
		json_object_set_new(object, "import", import_json(data->import));
	if (data->has_commit) {
		json_object_set_new(object, "commit", commit_json(repo, &data->commit));
		mlv_json_set_bool(object, "exact", data->exact);
	}
	json_object_set_new(object, "runs", names_json(data->runs));
	mlv_json_set_bool(object, "more", data->ended);
	return object;
}

static json_t *params_json(const GPtrArray *params)
{
	json_t *array = json_array();

	for (guint i = 0; i < params->len; i++) {
		const MlvParam *param = params->pdata[i];
		json_t *row = json_object();
		mlv_json_set_path(row, "file", param->file);
		mlv_json_set_text(row, "key", param->key);
		json_object_set_new(row, "value",
				    param->value ? mlv_run_json_value(param->value) : json_null());
		json_array_append_new(array, row);
	}
	return array;
}

static json_t *stage_json(MlvRepo *repo, const MlvLineageStage *stage)
{
	const MlvStep *step = stage->step;
	json_t *object = json_object(), *cmds = json_array(), *commits = json_array();

	mlv_json_set_text(object, "stage", step->address);
	mlv_json_set_bool(object, "current", step->current);
	for (guint i = 0; i < step->block->cmds->len; i++) {
		const char *cmd = step->block->cmds->pdata[i];
		g_autofree char *valid = g_utf8_make_valid(cmd, -1);
		json_array_append_new(cmds, json_string(valid));
	}
	json_object_set_new(object, "cmd", cmds);
	json_object_set_new(object, "params", params_json(step->block->params));
	for (guint i = 0; i < step->commits->len; i++)
		json_array_append_new(commits,
				      commit_json(repo, &g_array_index(step->commits, MlvOid, i)));
	json_object_set_new(object, "commits", commits);
	json_object_set_new(object, "runs", names_json(step->runs));
	return object;
}

/* An edge leads from data to a stage that read them, or from a stage to data that it made. */
static void add_edge(json_t *edges, const char *from, guint a, const char *to, guint b,
		     gboolean other)
{
	json_t *edge = json_object();

	json_object_set_new(edge, from, json_integer(a));
	json_object_set_new(edge, to, json_integer(b));
	if (other)
		mlv_json_set_bool(edge, "other_version", TRUE);
	json_array_append_new(edges, edge);
}

/* The edges as a set: what is found on the way up and on the way down stands there once. */
typedef struct {
	json_t *reads, *makes;
	GHashTable *seen;
} Edges;

static void add_once(Edges *edges, gboolean makes, guint data, guint stage, gboolean other)
{
	char *key = g_strdup_printf("%d %u %u", makes, data, stage);

	if (!g_hash_table_add(edges->seen, key))
		return;
	if (makes)
		add_edge(edges->makes, "stage", stage, "data", data, other);
	else
		add_edge(edges->reads, "data", data, "stage", stage, other);
}

static void collect_edges(const MlvLineage *lineage, Edges *edges)
{
	for (guint i = 0; i < mlv_lineage_data_count(lineage); i++) {
		const MlvLineageData *data = mlv_lineage_data(lineage, i);
		for (guint j = 0; j < data->made_by->len; j++)
			add_once(edges, TRUE, i, g_array_index(data->made_by, guint, j), FALSE);
		for (guint j = 0; j < data->read_by->len; j++) {
			const MlvLineageUse *use = &g_array_index(data->read_by, MlvLineageUse, j);
			add_once(edges, FALSE, i, use->stage, use->other);
		}
	}
	for (guint i = 0; i < mlv_lineage_stage_count(lineage); i++) {
		const MlvLineageStage *stage = mlv_lineage_stage(lineage, i);
		for (guint j = 0; j < stage->deps->len; j++)
			add_once(edges, FALSE, g_array_index(stage->deps, guint, j), i, FALSE);
		for (guint j = 0; j < stage->outs->len; j++)
			add_once(edges, TRUE, g_array_index(stage->outs, guint, j), i, FALSE);
	}
}

gboolean mlv_lineage_print_json(MlvCmd *cmd, const MlvLineage *lineage, GError **error)
{
	const GArray *numbers = mlv_lineage_subjects(lineage);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Edges edges = { json_array(), json_array(), seen };
	json_t *document = mlv_json_new(cmd), *subjects = json_array();
	json_t *data = json_array(), *stages = json_array();

	mlv_json_set_text(document, "rev", mlv_lineage_rev(lineage));
	for (guint i = 0; i < numbers->len; i++)
		json_array_append_new(subjects, json_integer(g_array_index(numbers, guint, i)));
	for (guint i = 0; i < mlv_lineage_data_count(lineage); i++)
		json_array_append_new(data, data_json(cmd->repo, mlv_lineage_data(lineage, i)));
	for (guint i = 0; i < mlv_lineage_stage_count(lineage); i++)
		json_array_append_new(stages, stage_json(cmd->repo, mlv_lineage_stage(lineage, i)));
	collect_edges(lineage, &edges);
	json_object_set_new(document, "subjects", subjects);
	json_object_set_new(document, "data", data);
	json_object_set_new(document, "stages", stages);
	json_object_set_new(document, "reads", edges.reads);
	json_object_set_new(document, "makes", edges.makes);
	json_object_set_new(document, "problems", names_json(mlv_lineage_problems(lineage)));
	return mlv_json_print(cmd, document, error);
}
