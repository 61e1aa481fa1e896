/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/help.h"

#include <string.h>

#include "cmd/cmd.h"

/* The page's file beside the program: in a build (build/mlv, man/mlv-add.1) or where it was
 * installed. NULL if neither; man(1) then looks along its own path. Caller frees. */
static char *find_beside(const char *page)
{
	static const char *const sections[] = { "1", "5", "7" };
	g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *folder = program ? g_path_get_dirname(program) : NULL;

	for (gsize i = 0; folder && i < G_N_ELEMENTS(sections); i++) {
		const char *s = sections[i];
		char *candidates[] = {
			g_strdup_printf("%s/../man/%s.%s", folder, page, s),
			g_strdup_printf("%s/../share/man/man%s/%s.%s", folder, s, page, s),
			g_strdup_printf("%s/../share/man/man%s/%s.%s.gz", folder, s, page, s),
		};
		char *found = NULL;

		for (gsize j = 0; j < G_N_ELEMENTS(candidates); j++) {
			if (!found && g_file_test(candidates[j], G_FILE_TEST_IS_REGULAR))
				found = candidates[j];
			else
				g_free(candidates[j]);
		}
		if (found)
			return found;
	}
	return NULL;
}

gboolean mlv_help_open(const char *page)
{
	g_autofree char *file = find_beside(page);
	const char *by_file[] = { "man", "-l", "--", file, NULL };
	const char *by_name[] = { "man", "--", page, NULL };
	GSpawnFlags flags = G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN;
	int status = -1;

	/* What stands in stdout's buffer comes before the page. */
	fflush(stdout);
	if (!file)
		flags |= G_SPAWN_STDERR_TO_DEV_NULL;
	return g_spawn_sync(NULL, (char **)(file ? by_file : by_name), NULL, flags, NULL, NULL,
			    NULL, NULL, &status, NULL) &&
	       g_spawn_check_wait_status(status, NULL);
}

/* Without man(1): what the program itself knows of the command. */
static gboolean print_usage(MlvCmd *cmd, const MlvCommand *command, GError **error)
{
	char *argv[] = { (char *)command->name, (char *)"-h", NULL };
	g_autoptr(GError) inner = NULL;
	MlvCmd other;
	gboolean answered;

	mlv_cmd_context_init(&other, command, cmd->ui, cmd->cancel);
	command->run(&other, 2, argv, &inner);
	answered = other.answered;
	mlv_cmd_context_clear(&other);
	if (answered)
		return TRUE;
	return mlv_fail(error, MLV_ERROR_MISSING, "no manual page for '%s' is installed",
			command->name);
}

gboolean mlv_cmd_help(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	const GOptionEntry entries[] = { { NULL } };
	const MlvCommand *command;
	const char *name, *near;
	g_autofree char *page = NULL;

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[COMMAND | TOPIC]\nmlv help add\nmlv help hacking", error) ||
	    !mlv_options_count(cmd, argc, 0, 1, error))
		return FALSE;
	if (argc == 1) {
		mlv_command_list(stdout);
		return TRUE;
	}
	name = argv[1];
	command = mlv_command_find(name);
	page = strcmp(name, "mlv") == 0 ? g_strdup("mlv") : g_strconcat("mlv-", name, NULL);
	if (!strchr(name, '/') && mlv_help_open(page))
		return TRUE;
	if (command)
		return print_usage(cmd, command, error);
	near = mlv_command_nearest(name);
	if (near)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"no manual page for '%s'; did you mean '%s'?", name, near);
	return mlv_fail(error, MLV_ERROR_USAGE,
			"no manual page for '%s'; 'mlv help' lists the commands", name);
}
