/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/help.h"
#include "cmd/options_private.h"

/* Where the values of the common options go. */
struct common {
	gboolean usage, help, quiet, verbose, no_color;
	int jobs;
};

/* Lets GOption set what the options point to. */
static gboolean apply(const GOptionEntry *entries, GPtrArray *options, GError **error)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) inner = NULL;
	g_autofree char **argv = g_new0(char *, options->len + 1);
	int argc = (int)options->len;

	memcpy(argv, options->pdata, options->len * sizeof(char *));
	g_option_context_set_help_enabled(context, FALSE);
	g_option_context_add_main_entries(context, entries, NULL);
	if (g_option_context_parse(context, &argc, &argv, &inner))
		return TRUE;
	if (inner->domain == MLV_ERROR) {
		g_propagate_error(error, g_steal_pointer(&inner));
		return FALSE;
	}
	inner->message[0] = g_ascii_tolower(inner->message[0]);
	return mlv_fail(error, MLV_ERROR_USAGE, "%s", inner->message);
}

int mlv_options_parse_leading(const GOptionEntry *entries, int argc, char **argv, GError **error)
{
	g_autoptr(GPtrArray) options = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	MlvOptionsSplit split = { .options = options, .words = words };

	g_ptr_array_add(options, g_strdup("mlv"));
	if (!mlv_options_split(&split, entries, TRUE, argc, argv, error) ||
	    !apply(entries, options, error))
		return 0;
	return split.end;
}

/* The command's entries and those common ones that it does not replace, in one array. */
static GArray *all_entries(const GOptionEntry *own, struct common *common)
{
	const GOptionEntry shared[] = {
		{ "jobs", 'j', 0, G_OPTION_ARG_INT, &common->jobs,
		  "threads to use (one a core unless set)", "N" },
		{ "quiet", 'q', 0, G_OPTION_ARG_NONE, &common->quiet, "no remarks and no progress",
		  NULL },
		{ "verbose", 'v', 0, G_OPTION_ARG_NONE, &common->verbose, "say more", NULL },
		{ "no-color", 0, 0, G_OPTION_ARG_NONE, &common->no_color, "no colours", NULL },
		{ "usage", 'h', 0, G_OPTION_ARG_NONE, &common->usage, "print this", NULL },
		{ "help", 0, 0, G_OPTION_ARG_NONE, &common->help, "open the manual page", NULL },
	};
	GArray *all = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

	for (const GOptionEntry *entry = own; entry && entry->long_name; entry++) {
		GOptionEntry copy = *entry;

		/* Words are bytes: GOption would refuse what is not in the locale's encoding. */
		if (copy.arg == G_OPTION_ARG_STRING)
			copy.arg = G_OPTION_ARG_FILENAME;
		else if (copy.arg == G_OPTION_ARG_STRING_ARRAY)
			copy.arg = G_OPTION_ARG_FILENAME_ARRAY;
		g_array_append_val(all, copy);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(shared); i++) {
		GOptionEntry entry = shared[i];

		if (own && mlv_options_find_long(own, entry.long_name, strlen(entry.long_name)))
			continue;
		if (own && mlv_options_find_short(own, entry.short_name))
			entry.short_name = 0;
		g_array_append_val(all, entry);
	}
	return all;
}

void mlv_options_set_synopsis(MlvOptions *options, const char *synopsis)
{
	const char *newline = strchr(synopsis, '\n');

	g_free(options->synopsis);
	g_free(options->examples);
	options->synopsis =
		newline ? g_strndup(synopsis, (gsize)(newline - synopsis)) : g_strdup(synopsis);
	options->examples = newline ? g_strdup(newline + 1) : NULL;
}

char *mlv_options_usage_line(const MlvCmd *cmd)
{
	const char *synopsis = cmd->options ? cmd->options->synopsis : NULL;

	if (!synopsis)
		return NULL;
	return g_strdup_printf("usage: mlv %s [OPTION...]%s%s", cmd->name, *synopsis ? " " : "",
			       synopsis);
}

static gboolean answer_usage(MlvCmd *cmd, GError **error)
{
	g_autofree char *line = mlv_options_usage_line(cmd);
	const char *examples = cmd->options->examples;

	printf("%s\n\n", line);
	if (!strchr(cmd->name, ' '))
		printf("mlv %s: %s\n\n", cmd->name, cmd->command->summary);
	mlv_options_print(stdout, (const GOptionEntry *)(gpointer)cmd->options->entries->data);
	if (examples) {
		g_auto(GStrv) lines = g_strsplit(examples, "\n", -1);

		printf("\nexamples:\n");
		for (char **each = lines; *each; each++)
			printf("    %s\n", *each);
	}
	cmd->answered = TRUE;
	return mlv_fail(error, MLV_ERROR_SILENT, "usage printed");
}

static gboolean take_common(MlvCmd *cmd, const struct common *common, GError **error)
{
	if (common->usage)
		return answer_usage(cmd, error);
	if (common->help) {
		g_auto(GStrv) words = g_strsplit(cmd->name, " ", 2);
		g_autofree char *page = g_strconcat("mlv-", words[0], NULL);

		if (!mlv_help_open(page))
			return answer_usage(cmd, error);
		cmd->answered = TRUE;
		return mlv_fail(error, MLV_ERROR_SILENT, "manual page shown");
	}
	if (common->jobs < 0 || common->jobs > MLV_JOBS_MAX)
		return mlv_fail(error, MLV_ERROR_USAGE, "-j takes a number from 1 to %d, not %d",
				MLV_JOBS_MAX, common->jobs);
	if (common->jobs)
		cmd->jobs = (guint)common->jobs;
	if (common->quiet)
		cmd->ui->quiet = TRUE;
	if (common->verbose)
		cmd->ui->verbose++;
	if (common->no_color) {
		mlv_ui_set_color(cmd->ui, "never");
		cmd->ui->color_fixed = TRUE;
	}
	return TRUE;
}

static gboolean parse(MlvCmd *cmd, const GOptionEntry *entries, gboolean rest, int *argc,
		      char ***argv, const char *synopsis, GError **error)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	MlvOptionsSplit split = { .options = texts, .words = words, .rest = rest };
	struct common common = { 0 };
	MlvOptions *options = cmd->options;
	const GOptionEntry *all;

	mlv_options_set_synopsis(options, synopsis);
	g_clear_pointer(&options->entries, g_array_unref);
	options->entries = all_entries(entries, &common);
	if (options->seen) {
		mlv_options_add_seen(cmd, cmd->command->summary, options->synopsis,
				     options->entries);
		return mlv_fail(error, MLV_ERROR_SILENT, "only looked at");
	}
	all = (const GOptionEntry *)(gpointer)options->entries->data;
	g_ptr_array_add(texts, g_strdup(cmd->name));
	if (!mlv_options_split(&split, all, FALSE, *argc, *argv, error) ||
	    !apply(all, texts, error) || !take_common(cmd, &common, error))
		return FALSE;
	g_ptr_array_insert(words, 0, (*argv)[0]);
	g_ptr_array_add(words, NULL);
	g_clear_pointer(&options->words, g_ptr_array_unref);
	options->words = g_ptr_array_ref(words);
	options->separator = split.separator;
	options->has_separator = split.has_separator;
	*argc = (int)words->len - 1;
	*argv = (char **)words->pdata;
	return TRUE;
}

gboolean mlv_options_parse(MlvCmd *cmd, const GOptionEntry *entries, int *argc, char ***argv,
			   const char *synopsis, GError **error)
{
	return parse(cmd, entries, FALSE, argc, argv, synopsis, error);
}

gboolean mlv_options_parse_before(MlvCmd *cmd, const GOptionEntry *entries, int *argc, char ***argv,
				  const char *synopsis, GError **error)
{
	return parse(cmd, entries, TRUE, argc, argv, synopsis, error);
}

MlvWords mlv_options_words(const MlvCmd *cmd, int argc, char **argv)
{
	guint before = MIN(cmd->options->separator, (guint)argc - 1);

	return (MlvWords){
		.before = argv + 1,
		.n_before = before,
		.after = argv + 1 + before,
		.n_after = (guint)argc - 1 - before,
		.separator = cmd->options->has_separator,
	};
}

gboolean mlv_options_count(const MlvCmd *cmd, int argc, int min, int max, GError **error)
{
	int words = argc - 1;

	if (words < min)
		return mlv_fail(error, MLV_ERROR_USAGE,
				words ? "too few arguments" : "an argument is missing");
	if (max >= 0 && words > max)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"too many arguments: '%s' is one more than '%s' takes",
				(char *)cmd->options->words->pdata[max + 1], cmd->name);
	return TRUE;
}

MlvOptions *mlv_options_new(void)
{
	return g_new0(MlvOptions, 1);
}

void mlv_options_free(MlvOptions *options)
{
	if (!options)
		return;
	g_free(options->synopsis);
	g_free(options->examples);
	g_clear_pointer(&options->entries, g_array_unref);
	g_clear_pointer(&options->words, g_ptr_array_unref);
	g_free(options);
}

void mlv_options_print(FILE *out, const GOptionEntry *entries)
{
	MlvColumns *columns = mlv_ui_columns_new("ll");

	for (; entries->long_name; entries++) {
		g_autofree char *value = entries->arg_description
						 ? g_strconcat(" ", entries->arg_description, NULL)
						 : g_strdup("");
		g_autofree char *left =
			entries->short_name
				? g_strdup_printf("    -%c, --%s%s", entries->short_name,
						  entries->long_name, value)
				: g_strdup_printf("        --%s%s", entries->long_name, value);

		if (entries->flags & G_OPTION_FLAG_HIDDEN)
			continue;
		mlv_ui_columns_add(columns, left, entries->description ? entries->description : "");
	}
	mlv_ui_columns_print(columns, out);
}
