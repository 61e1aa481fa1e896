/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/session.h"

#include "core/repo.h"

void mlv_cmd_waiting(gboolean exclusive, gpointer user)
{
	MlvCmd *cmd = user;

	mlv_ui_note(cmd->ui, exclusive ? "waiting until no other mlv uses the store ..."
				       : "waiting for the gc that runs on the store ...");
}

MlvLocal *mlv_cmd_open_local(MlvCmd *cmd, GError **error)
{
	MlvRepo *repo = mlv_cmd_open_repo(cmd, error);

	return repo ? mlv_local_open(repo, mlv_cmd_waiting, cmd, error) : NULL;
}

char **mlv_cmd_paths(MlvCmd *cmd, MlvRepo *repo, char *const *words, guint count, GError **error)
{
	g_auto(GStrv) paths = g_new0(char *, count + 1);

	for (guint i = 0; i < count; i++) {
		paths[i] = mlv_repo_relative(repo, words[i], error);
		if (!paths[i])
			return NULL;
	}
	return g_steal_pointer(&paths);
}

void mlv_cmd_tell_problem(MlvCmd *cmd, MlvRepo *repo, const char *path, const char *why)
{
	g_autofree char *shown = mlv_repo_display(repo, path);
	g_autofree char *name = mlv_ui_name(shown);

	mlv_ui_warn(cmd->ui, "%s: %s", name, why);
}
