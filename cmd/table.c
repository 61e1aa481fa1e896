/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/program.h"

#define ROW(function, name, group, flags, summary) \
	{ name, mlv_cmd_##function, group, flags, summary },
const MlvCommand mlv_commands[] = {
#include "cmd/commands.def"
	{ NULL, NULL, 0, 0, NULL },
};
#undef ROW

const MlvCommand *mlv_command_find(const char *name)
{
	for (const MlvCommand *command = mlv_commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

const char *mlv_command_nearest(const char *name)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (const MlvCommand *command = mlv_commands; command->name; command++)
		if (!(command->flags & MLV_CMD_HIDDEN))
			g_ptr_array_add(names, (gpointer)command->name);
	g_ptr_array_add(names, NULL);
	return mlv_options_nearest(name, (const char *const *)names->pdata);
}

static const char *group_title(MlvGroup group)
{
	switch (group) {
	case MLV_GROUP_START:
		return "begin";
	case MLV_GROUP_WORK:
		return "change data and save versions";
	case MLV_GROUP_LOOK:
		return "look at data and its history";
	case MLV_GROUP_RUN:
		return "run, measure and compare experiments";
	case MLV_GROUP_SHARE:
		return "share with others";
	case MLV_GROUP_KEEP:
		return "keep the store in order";
	case MLV_GROUP_HELP:
		return "set up and find out";
	}
	return "";
}

static void list_group(FILE *out, MlvGroup group)
{
	MlvColumns *columns = mlv_ui_columns_new("ll");
	gboolean any = FALSE;

	for (const MlvCommand *command = mlv_commands; command->name; command++) {
		g_autofree char *name = NULL;

		if (command->group != group || (command->flags & MLV_CMD_HIDDEN))
			continue;
		if (!any)
			fprintf(out, "\n%s\n", group_title(group));
		any = TRUE;
		name = g_strdup_printf("    %-12s", command->name);
		mlv_ui_columns_add(columns, name, command->summary);
	}
	mlv_ui_columns_print(columns, out);
}

void mlv_command_list(FILE *out)
{
	MlvProgramOptions opt = { 0 };
	g_autoptr(GArray) entries = mlv_program_options_entries(&opt);

	fputs("usage: mlv [OPTION...] COMMAND [ARGUMENT...]\n\n"
	      "mlv versions datasets and models beside the code, in the same git repository.\n",
	      out);
	for (MlvGroup group = MLV_GROUP_START; group <= MLV_GROUP_HELP; group++)
		list_group(out, group);
	fputs("\noptions\n", out);
	mlv_options_print(out, (const GOptionEntry *)(gpointer)entries->data);
	fputs("\n'mlv COMMAND -h' says how a command is used; 'mlv help COMMAND' opens its page.\n",
	      out);
}
