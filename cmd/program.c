/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/program.h"

#include <string.h>
#include <unistd.h>

void mlv_program_options_clear(MlvProgramOptions *opt)
{
	g_strfreev(opt->folders);
	g_strfreev(opt->settings);
}

GArray *mlv_program_options_entries(MlvProgramOptions *opt)
{
	const GOptionEntry entries[] = {
		{ "directory", 'C', 0, G_OPTION_ARG_FILENAME_ARRAY, &opt->folders,
		  "do as if started in DIR", "DIR" },
		{ "config", 'c', 0, G_OPTION_ARG_FILENAME_ARRAY, &opt->settings,
		  "a configuration value for this call", "KEY=VALUE" },
		{ "jobs", 'j', 0, G_OPTION_ARG_INT, &opt->jobs,
		  "threads to use (one a core unless set)", "N" },
		{ "quiet", 'q', 0, G_OPTION_ARG_NONE, &opt->quiet, "no remarks and no progress",
		  NULL },
		{ "verbose", 'v', 0, G_OPTION_ARG_NONE, &opt->verbose, "say more", NULL },
		{ "no-color", 0, 0, G_OPTION_ARG_NONE, &opt->no_color, "no colours", NULL },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &opt->version, "print the version", NULL },
		{ "usage", 'h', 0, G_OPTION_ARG_NONE, &opt->usage, "list the commands", NULL },
		{ "help", 0, 0, G_OPTION_ARG_NONE, &opt->help, "open the manual page", NULL },
	};
	GArray *array = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

	return g_array_append_vals(array, entries, G_N_ELEMENTS(entries));
}

static gboolean pass_configuration(char **settings, GError **error)
{
	const char *before = g_getenv("GIT_CONFIG_COUNT");
	guint64 count = 0;

	if (!settings)
		return TRUE;
	if (before && !g_ascii_string_to_unsigned(before, 10, 0, 10000, &count, NULL))
		return mlv_fail(error, MLV_ERROR_USAGE,
				"GIT_CONFIG_COUNT is '%s', which is no count", before);
	for (; *settings; settings++, count++) {
		const char *equals = strchr(*settings, '=');
		g_autofree char *key = equals ? g_strndup(*settings, (gsize)(equals - *settings))
					      : g_strdup(*settings);
		g_autofree char *key_name =
			g_strdup_printf("GIT_CONFIG_KEY_%" G_GUINT64_FORMAT, count);
		g_autofree char *value_name =
			g_strdup_printf("GIT_CONFIG_VALUE_%" G_GUINT64_FORMAT, count);

		if (!mlv_config_key_check(key, error)) {
			g_prefix_error(error, "-c '%s': ", *settings);
			return FALSE;
		}
		g_setenv(key_name, key, TRUE);
		g_setenv(value_name, equals ? equals + 1 : "true", TRUE);
	}
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, count);

	return g_setenv("GIT_CONFIG_COUNT", text, TRUE);
}

gboolean mlv_program_options_apply(const MlvProgramOptions *opt, MlvUi *ui, GError **error)
{
	for (char **folder = opt->folders; folder && *folder; folder++)
		if (chdir(*folder) < 0)
			return mlv_fail_errno(error, "cannot go to the folder '%s'", *folder);
	if (opt->jobs < 0 || opt->jobs > MLV_JOBS_MAX)
		return mlv_fail(error, MLV_ERROR_USAGE, "-j takes a number from 1 to %d, not %d",
				MLV_JOBS_MAX, opt->jobs);
	ui->quiet = opt->quiet;
	ui->verbose = opt->verbose ? 1 : 0;
	if (opt->no_color) {
		mlv_ui_set_color(ui, "never");
		ui->color_fixed = TRUE;
	}
	return pass_configuration(opt->settings, error);
}
