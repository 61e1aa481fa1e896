/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/help.h"
#include "cmd/options_private.h"

static void seen_free(gpointer data)
{
	MlvOptionsSeen *seen = data;

	g_free(seen->name);
	g_free(seen->summary);
	g_free(seen->synopsis);
	if (seen->entries)
		g_array_unref(seen->entries);
	g_free(seen);
}

void mlv_options_add_seen(MlvCmd *cmd, const char *summary, const char *synopsis, GArray *entries)
{
	MlvOptionsSeen *seen = g_new0(MlvOptionsSeen, 1);

	seen->name = g_strdup(cmd->name);
	seen->summary = g_strdup(summary);
	seen->synopsis = g_strdup(synopsis);
	seen->entries = entries ? g_array_ref(entries) : NULL;
	g_ptr_array_add(cmd->options->seen, seen);
}

/* Runs (or sees) one row under the name "remote add". */
static gboolean run_row(MlvCmd *cmd, const MlvSubcommand *row, int argc, char **argv,
			GError **error)
{
	g_autofree char *parent = cmd->name;

	cmd->name = g_strdup_printf("%s %s", parent, row->name);
	return row->run(cmd, argc, argv, error);
}

static void see_rows(MlvCmd *cmd, const MlvSubcommand *rows)
{
	mlv_options_add_seen(cmd, cmd->command->summary, NULL, NULL);
	for (; rows->name; rows++) {
		g_autofree char *parent = g_strdup(cmd->name);
		char *argv[] = { (char *)rows->name, NULL };
		MlvOptionsSeen *last;

		run_row(cmd, rows, 1, argv, NULL);
		g_free(cmd->name);
		cmd->name = g_steal_pointer(&parent);
		last = g_ptr_array_index(cmd->options->seen, cmd->options->seen->len - 1);
		g_free(last->summary);
		last->summary = g_strdup(rows->summary);
	}
}

static gboolean answer_rows(MlvCmd *cmd, const MlvSubcommand *rows, GError **error)
{
	MlvColumns *columns = mlv_ui_columns_new("ll");

	printf("usage: mlv %s SUBCOMMAND [OPTION...] [ARGUMENT...]\n\nmlv %s: %s\n\n", cmd->name,
	       cmd->name, cmd->command->summary);
	for (; rows->name; rows++) {
		g_autofree char *name = g_strconcat("    ", rows->name, NULL);

		mlv_ui_columns_add(columns, name, rows->summary);
	}
	mlv_ui_columns_print(columns, stdout);
	printf("\n'mlv %s SUBCOMMAND -h' says more of each.\n", cmd->name);
	cmd->answered = TRUE;
	return mlv_fail(error, MLV_ERROR_SILENT, "usage printed");
}

static const MlvSubcommand *find_row(const MlvSubcommand *rows, const char *name)
{
	for (; rows->name; rows++)
		if (strcmp(rows->name, name) == 0)
			return rows;
	return NULL;
}

gboolean mlv_options_dispatch(MlvCmd *cmd, const MlvSubcommand *rows, const char *fallback,
			      int argc, char **argv, GError **error)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const MlvSubcommand *row;
	const char *near;

	if (cmd->options->seen) {
		see_rows(cmd, rows);
		return mlv_fail(error, MLV_ERROR_SILENT, "only looked at");
	}
	mlv_options_set_synopsis(cmd->options, "SUBCOMMAND [ARGUMENT...]");
	if (word && (strcmp(word, "-h") == 0 || strcmp(word, "--usage") == 0))
		return answer_rows(cmd, rows, error);
	if (word && strcmp(word, "--help") == 0) {
		g_autofree char *page = g_strconcat("mlv-", cmd->name, NULL);

		if (!mlv_help_open(page))
			return answer_rows(cmd, rows, error);
		cmd->answered = TRUE;
		return mlv_fail(error, MLV_ERROR_SILENT, "manual page shown");
	}
	if (fallback && (!word || word[0] == '-'))
		return run_row(cmd, find_row(rows, fallback), argc, argv, error);
	if (!word)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"a subcommand is missing; 'mlv %s -h' lists them", cmd->name);
	row = find_row(rows, word);
	if (row)
		return run_row(cmd, row, argc - 1, argv + 1, error);
	for (row = rows; row->name; row++)
		g_ptr_array_add(names, (gpointer)row->name);
	g_ptr_array_add(names, NULL);
	near = mlv_options_nearest(word, (const char *const *)names->pdata);
	if (near)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' is not a subcommand of '%s'; did you mean '%s'?", word,
				cmd->name, near);
	return mlv_fail(error, MLV_ERROR_USAGE,
			"'%s' is not a subcommand of '%s'; 'mlv %s -h' lists them", word, cmd->name,
			cmd->name);
}

GPtrArray *mlv_options_see(MlvCmd *cmd)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(seen_free);
	char *argv[] = { (char *)cmd->command->name, NULL };

	cmd->options->seen = all;
	cmd->command->run(cmd, 1, argv, NULL);
	cmd->options->seen = NULL;
	return all;
}
