/* SPDX-License-Identifier: Apache-2.0 */
/* `mlv runs diff`: two runs, or a run and the work tree, layer by layer. */
#include <string.h>

#include "cmd/run_json.h"
#include "cmd/runs_call.h"
#include "cmd/ui_json.h"
#include "core/env/environment.h"
#include "core/run/recorder_private.h"
#include "core/run/run_tree.h"

#define ENVIRONMENT_MAX (64u << 20)

/* One side. */
typedef struct {
	char *name;
	MlvRun *run;
	MlvOid tree;
	MlvValue *environment; /* or NULL */
} Side;

static void side_clear(Side *side)
{
	g_clear_pointer(&side->name, g_free);
	g_clear_pointer(&side->run, mlv_run_free);
	g_clear_pointer(&side->environment, mlv_value_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Side, side_clear)

static MlvValue *recorded_environment(MlvRepo *repo, const MlvRunEntry *entry)
{
	g_autoptr(GBytes) bytes = mlv_run_read_file(repo, entry, "env.json", ENVIRONMENT_MAX, NULL);
	gsize length = 0;
	const char *data = bytes ? g_bytes_get_data(bytes, &length) : NULL;

	return data ? mlv_value_parse_json(data, length, "env.json", NULL) : NULL;
}

static gboolean open_run(MlvRepo *repo, const char *name, Side *side, GError **error)
{
	g_autoptr(MlvRunEntry) entry = mlv_runs_find(repo, name, error);

	if (!entry || !mlv_git_commit_tree_of(repo, &entry->record, &side->tree, error))
		return FALSE;
	side->environment = recorded_environment(repo, entry);
	side->name = g_strdup(entry->name);
	side->run = g_steal_pointer(&entry->run);
	return TRUE;
}

static gboolean open_workspace(MlvRepo *repo, Side *side, GError **error)
{
	MlvGitSnapshotOptions options = { .max_file = 10u << 20 };

	side->name = g_strdup("workspace");
	side->run = mlv_run_new("workspace");
	mlv_run_collect(repo, side->run, "", TRUE);
	side->environment = mlv_run_read_environment(repo);
	return mlv_run_tree(repo, &options, &side->tree, error);
}

/* --- telling ---------------------------------------------------------------------------------- */

typedef struct {
	MlvCmd *cmd;
	json_t *document, *rows; /* NULL: text */
	const char *layer;
	guint count;
} Diff;

static void begin_layer(Diff *diff, const char *layer)
{
	diff->layer = layer;
	diff->count = 0;
	if (diff->document) {
		diff->rows = json_array();
		json_object_set_new(diff->document, layer, diff->rows);
	}
}

static void tell(Diff *diff, const char *what, const MlvValue *from, const MlvValue *to)
{
	g_autofree char *before = mlv_run_value_text(from);
	g_autofree char *after = mlv_run_value_text(to);
	g_autofree char *name = mlv_ui_printable(what);

	if (diff->rows) {
		json_t *row = json_object();
		mlv_json_set_text(row, "what", what);
		json_object_set_new(row, "from", mlv_run_json_value(from));
		json_object_set_new(row, "to", mlv_run_json_value(to));
		json_array_append_new(diff->rows, row);
		return;
	}
	if (diff->count++ == 0)
		printf("%s\n", diff->layer);
	printf("    %s: %s -> %s\n", name, from ? before : "(none)", to ? after : "(none)");
}

static void tell_environment(const char *path, const MlvValue *from, const MlvValue *to,
			     gpointer user)
{
	tell(user, path, from, to);
}

static void tell_maps(Diff *diff, const char *layer, const MlvValue *from, const MlvValue *to)
{
	begin_layer(diff, layer);
	for (gsize i = 0; i < from->length; i++) {
		const MlvEntry *entry = &from->entries[i];
		const MlvValue *other = mlv_value_get(to, entry->key->text);
		if (!other || !mlv_value_equal(entry->value, other))
			tell(diff, entry->key->text, entry->value, other);
	}
	for (gsize i = 0; i < to->length; i++)
		if (!mlv_value_get(from, to->entries[i].key->text))
			tell(diff, to->entries[i].key->text, NULL, to->entries[i].value);
}

static MlvValue *blob_value(MlvRepo *repo, const MlvOid *tree, const char *path)
{
	char hex[MLV_OID_HEX + 1];
	gboolean found;
	guint32 mode;
	MlvOid oid;

	if (!mlv_git_tree_entry(repo, tree, path, &oid, &mode, &found, NULL) || !found)
		return NULL;
	mlv_oid_format(&oid, hex);
	hex[12] = '\0';
	return mlv_value_new_string(hex);
}

static gboolean tell_code(Diff *diff, MlvRepo *repo, const Side *from, const Side *to,
			  GError **error)
{
	g_autoptr(GArray) edits = mlv_git_tree_edits(repo, &from->tree, &to->tree, error);

	if (!edits)
		return FALSE;
	begin_layer(diff, "code");
	for (guint i = 0; i < edits->len; i++) {
		const char *path = g_array_index(edits, MlvGitEdit, i).path;
		if (g_str_has_prefix(path, MLV_RUN_FOLDER "/"))
			continue;
		g_autoptr(MlvValue) before = blob_value(repo, &from->tree, path);
		g_autoptr(MlvValue) after = blob_value(repo, &to->tree, path);
		tell(diff, path, before, after);
	}
	return TRUE;
}

gboolean mlv_cmd_runs_diff(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, "print one JSON document", NULL },
		{ NULL },
	};
	g_auto(Side) from = { 0 }, to = { 0 };
	Diff diff = { .cmd = cmd };

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "RUN [RUN]\nmlv runs diff baseline\nmlv runs diff first second",
			       error) ||
	    !mlv_options_count(cmd, argc, 1, 2, error))
		return FALSE;
	MlvRepo *repo = mlv_runs_open(cmd, error);
	if (!repo || !open_run(repo, argv[1], &from, error) ||
	    !(argc > 2 ? open_run(repo, argv[2], &to, error) : open_workspace(repo, &to, error)))
		return FALSE;
	if (json) {
		diff.document = mlv_json_new(cmd);
		mlv_json_set_text(diff.document, "from", from.name);
		mlv_json_set_text(diff.document, "to", to.name);
	}
	if (!tell_code(&diff, repo, &from, &to, error)) {
		json_decref(diff.document);
		return FALSE;
	}
	tell_maps(&diff, "params", from.run->params, to.run->params);
	tell_maps(&diff, "outs", from.run->outs, to.run->outs);
	tell_maps(&diff, "metrics", from.run->metrics, to.run->metrics);
	begin_layer(&diff, "environment");
	if (from.environment && to.environment)
		mlv_environment_compare(from.environment, to.environment, tell_environment, &diff);
	return diff.document ? mlv_json_print(cmd, diff.document, error)
			     : mlv_cmd_keep_going(cmd, error);
}
