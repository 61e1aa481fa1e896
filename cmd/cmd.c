/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"

#include <errno.h>

void mlv_cmd_context_init(MlvCmd *cmd, const MlvCommand *command, MlvUi *ui,
			  const volatile sig_atomic_t *cancel)
{
	*cmd = (MlvCmd){
		.command = command,
		.name = g_strdup(command->name),
		.ui = ui,
		.cancel = cancel,
		.options = mlv_options_new(),
	};
}

void mlv_cmd_context_clear(MlvCmd *cmd)
{
	g_clear_pointer(&cmd->name, g_free);
	g_clear_pointer(&cmd->options, mlv_options_free);
	g_clear_pointer(&cmd->repo, mlv_repo_free);
}

static void warn(const char *text, gpointer user)
{
	mlv_ui_warn(((MlvCmd *)user)->ui, "%s", text);
}

void mlv_cmd_serve(MlvCmd *cmd, MlvRepo *repo)
{
	const MlvRepoCaller caller = { .cancel = cmd->cancel, .warn = warn, .user = cmd };

	mlv_repo_set_caller(repo, &caller);
}

MlvRepo *mlv_cmd_open_repo(MlvCmd *cmd, GError **error)
{
	const GPtrArray *warnings;

	if (cmd->repo)
		return cmd->repo;
	cmd->repo = mlv_repo_open(".", error);
	if (!cmd->repo)
		return NULL;
	mlv_cmd_serve(cmd, cmd->repo);
	mlv_ui_set_color(cmd->ui, mlv_config_get(mlv_repo_config(cmd->repo), "color.ui"));
	warnings = mlv_config_warnings(mlv_repo_config(cmd->repo));
	for (guint i = 0; warnings && i < warnings->len; i++)
		mlv_ui_warn(cmd->ui, "%s", (const char *)warnings->pdata[i]);
	return cmd->repo;
}

gboolean mlv_cmd_jobs(MlvCmd *cmd, guint *jobs, GError **error)
{
	gint64 value = cmd->jobs;

	if (!value && cmd->repo &&
	    !mlv_config_get_int(mlv_repo_config(cmd->repo), "mlv.jobs", 0, 0, MLV_JOBS_MAX, &value,
				error))
		return FALSE;
	*jobs = (guint)value;
	return TRUE;
}

gboolean mlv_cmd_keep_going(MlvCmd *cmd, GError **error)
{
	if (*cmd->cancel)
		return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
	/* main finds out why, and says it. */
	if (ferror(stdout))
		return mlv_fail(error, MLV_ERROR_FAILED, "cannot write to the standard output");
	return TRUE;
}

gboolean mlv_cmd_write(MlvCmd *cmd, const void *bytes, gsize length, GError **error)
{
	if (length && fwrite(bytes, 1, length, stdout) != length)
		return mlv_fail_errno(error, "cannot write to the standard output");
	return mlv_cmd_keep_going(cmd, error);
}
