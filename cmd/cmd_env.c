/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_json.h"
#include "cmd/ui_json.h"
#include "core/env/environment.h"
#include "core/run/run_list.h"

#define RECORD_MAX (64u << 20)

/* --- what is meant ---------------------------------------------------------------------------- */

static MlvValue *of_entry(MlvRepo *repo, const MlvRunEntry *entry, GError **error)
{
	g_autoptr(GBytes) bytes = mlv_run_read_file(repo, entry, "env.json", RECORD_MAX, error);
	gsize length;

	if (!bytes) {
		g_prefix_error(error, "the environment of run '%s': ", entry->name);
		return NULL;
	}
	const char *data = g_bytes_get_data(bytes, &length);
	return mlv_value_parse_json(data ? data : "", length, "env.json", error);
}

/* NULL is here and now. */
static MlvValue *read_environment(MlvRepo *repo, const char *run, GError **error)
{
	if (!run)
		return mlv_run_read_environment(repo);
	g_autoptr(MlvRunEntry) entry = mlv_runs_find(repo, run, error);
	return entry ? of_entry(repo, entry, error) : NULL;
}

static void warn_of_secrets(MlvCmd *cmd, MlvRepo *repo)
{
	g_auto(GStrv) names = mlv_run_variable_names(repo);

	for (char **name = names; *name; name++)
		if (**name && mlv_environment_is_secret(*name))
			mlv_ui_warn(cmd->ui,
				    "mlv.env: '%s' may hold a secret: it is never recorded", *name);
}

/* --- show ------------------------------------------------------------------------------------- */

static void print_row(const char *path, const MlvValue *from, const MlvValue *to, gpointer user)
{
	g_autofree char *text = mlv_run_value_text(to);
	g_autofree char *name = mlv_ui_printable(path);
	printf("%s: %s\n", name, text);
}

static gboolean env_show(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, "print one JSON document", NULL },
		{ NULL },
	};

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[RUN]\nmlv env show\nmlv env show baseline", error) ||
	    !mlv_options_count(cmd, argc, 0, 1, error))
		return FALSE;
	MlvRepo *repo = mlv_cmd_open_repo(cmd, error);
	if (!repo)
		return FALSE;
	warn_of_secrets(cmd, repo);
	g_autoptr(MlvValue) value = read_environment(repo, argc > 1 ? argv[1] : NULL, error);
	if (!value)
		return FALSE;
	if (!json) {
		mlv_environment_compare(NULL, value, print_row, NULL);
		return mlv_cmd_keep_going(cmd, error);
	}
	json_t *document = mlv_json_new(cmd);
	mlv_json_set_text(document, "run", argc > 1 ? argv[1] : NULL);
	json_object_set_new(document, "environment", mlv_run_json_value(value));
	return mlv_json_print(cmd, document, error);
}

/* --- diff ------------------------------------------------------------------------------------- */

typedef struct {
	MlvCmd *cmd;
	json_t *rows; /* NULL: text */
	guint count;
} Diff;

static void tell_difference(const char *path, const MlvValue *from, const MlvValue *to,
			    gpointer user)
{
	Diff *diff = user;

	diff->count++;
	if (diff->rows) {
		json_t *row = json_object();
		mlv_json_set_text(row, "what", path);
		json_object_set_new(row, "from", mlv_run_json_value(from));
		json_object_set_new(row, "to", mlv_run_json_value(to));
		json_array_append_new(diff->rows, row);
		return;
	}
	g_autofree char *before = mlv_run_value_text(from);
	g_autofree char *after = mlv_run_value_text(to);
	g_autofree char *name = mlv_ui_printable(path);
	printf("%s: %s -> %s\n", name, from ? before : "(none)", to ? after : "(none)");
}

/* Without words: what has changed since the newest run. */
static char *newest_run(MlvRepo *repo, GError **error)
{
	g_autoptr(GPtrArray) runs = mlv_runs_read(repo, NULL, error);

	if (!runs)
		return NULL;
	if (runs->len == 0) {
		mlv_fail(error, MLV_ERROR_MISSING, "there are no runs yet to compare with");
		return NULL;
	}
	return g_strdup(((MlvRunEntry *)runs->pdata[0])->name);
}

static gboolean env_diff(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean json = FALSE, exit_code = FALSE;
	const GOptionEntry entries[] = {
		{ "exit-code", 0, 0, G_OPTION_ARG_NONE, &exit_code, "exit with 1 if they differ",
		  NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, "print one JSON document", NULL },
		{ NULL },
	};
	Diff diff = { .cmd = cmd };

	if (!mlv_options_parse(
		    cmd, entries, &argc, &argv,
		    "[RUN [RUN]]\nmlv env diff\nmlv env diff baseline\nmlv env diff first second",
		    error) ||
	    !mlv_options_count(cmd, argc, 0, 2, error))
		return FALSE;
	MlvRepo *repo = mlv_cmd_open_repo(cmd, error);
	g_autofree char *first = !repo      ? NULL
				 : argc > 1 ? g_strdup(argv[1])
					    : newest_run(repo, error);
	g_autoptr(MlvValue) from = first ? read_environment(repo, first, error) : NULL;
	g_autoptr(MlvValue) to =
		from ? read_environment(repo, argc > 2 ? argv[2] : NULL, error) : NULL;
	if (!to)
		return FALSE;
	diff.rows = json ? json_array() : NULL;
	mlv_environment_compare(from, to, tell_difference, &diff);
	if (exit_code && diff.count > 0)
		cmd->status = MLV_EXIT_CHECK;
	if (!json)
		return mlv_cmd_keep_going(cmd, error);
	json_t *document = mlv_json_new(cmd);
	mlv_json_set_text(document, "from", first);
	mlv_json_set_text(document, "to", argc > 2 ? argv[2] : NULL);
	json_object_set_new(document, "differences", diff.rows);
	return mlv_json_print(cmd, document, error);
}

gboolean mlv_cmd_env(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	static const MlvSubcommand rows[] = {
		{ "show", env_show, "show the environment, here and now or of a run" },
		{ "diff", env_diff, "show in what the environments of two runs differ" },
		{ NULL, NULL, NULL },
	};

	return mlv_options_dispatch(cmd, rows, "show", argc, argv, error);
}
