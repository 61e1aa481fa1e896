/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sync_words.h"
#include "cmd/ui_json.h"

#define LINES_MAX 100 /* missing objects that are printed one by one */

typedef struct {
	MlvSyncWords words;
	gboolean remote;
	guint64 missing;
	json_t *rows;
} Verify;

static gboolean tell_missing(const char *path, MlvKind kind, const MlvId *id, gpointer user,
			     GError **error)
{
	static const char *const kinds[] = {
		[MLV_KIND_BLOB] = "data", [MLV_KIND_LIST] = "list", [MLV_KIND_TREE] = "directory"
	};
	Verify *verify = user;
	char hex[MLV_ID_HEX + 1];

	verify->missing++;
	mlv_id_format(id, hex);
	if (verify->words.json) {
		json_t *row = json_object();
		g_autofree char *text = g_strconcat("sha256:", hex, NULL);
		mlv_json_set_path(row, "path", path);
		mlv_json_set_text(row, "id", text);
		mlv_json_set_text(row, "kind", kinds[kind]);
		json_array_append_new(verify->rows, row);
	} else if (verify->missing <= LINES_MAX) {
		g_autofree char *name = mlv_ui_name(path);
		printf("missing %s sha256:%.12s of %s\n", kinds[kind], hex, name);
	}
	return mlv_cmd_keep_going(verify->words.cmd, error);
}

static gboolean tell(Verify *verify, MlvCmd *cmd, const char *where, const MlvSyncResult *result,
		     GError **error)
{
	if (verify->missing > 0)
		cmd->status = MLV_EXIT_CHECK;
	if (verify->words.json) {
		json_t *document = mlv_json_new(cmd);
		mlv_json_set_text(document, "where", where);
		mlv_json_set_bool(document, "complete", verify->missing == 0);
		mlv_json_set_size(document, "objects", result->chunks);
		json_object_set(document, "missing", verify->rows);
		return mlv_json_print(cmd, document, error);
	}
	g_autofree char *objects = mlv_ui_plural(result->chunks, "object");
	g_autofree char *packs = mlv_ui_plural(result->packs_lost, "pack");
	if (result->packs_lost > 0 && !cmd->ui->quiet)
		mlv_ui_note(cmd->ui,
			    "%s: %s that indexes name %s not there, or cut short; "
			    "'mlv push --recheck' sets it right",
			    where, packs, result->packs_lost == 1 ? "is" : "are");
	if (verify->missing > LINES_MAX)
		printf("... and %" G_GUINT64_FORMAT " more\n", verify->missing - LINES_MAX);
	if (cmd->ui->quiet)
		return TRUE;
	if (verify->missing == 0)
		printf("%s: complete, %s\n", where, objects);
	else
		mlv_ui_note(cmd->ui, "%s: %" G_GUINT64_FORMAT " of %s missing%s", where,
			    verify->missing, objects,
			    verify->remote ? "; send them with 'mlv push --recheck' "
					     "where they are"
					   : "; bring them with 'mlv fetch'");
	return TRUE;
}

static gboolean verify_words(Verify *verify, MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_autoptr(MlvSync) sync = NULL;
	MlvSyncResult result;
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);

	if (!local ||
	    !mlv_sync_words_take(&verify->words, cmd, local->repo, argc, argv, FALSE, error))
		return FALSE;
	verify->remote |= verify->words.remote != NULL;
	if (verify->remote) {
		sync = mlv_sync_open(local->repo, verify->words.remote, FALSE, error);
		if (!sync)
			return FALSE;
	}
	if (!mlv_sync_verify(sync, local, verify->words.selection, tell_missing, verify, &result,
			     error))
		return FALSE;
	return tell(verify, cmd, sync ? sync->config->name : "store", &result, error);
}

gboolean mlv_cmd_verify(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Verify verify = { .rows = json_array() };
	const GOptionEntry entries[] = {
		{ "remote", 'r', 0, G_OPTION_ARG_NONE, &verify.remote,
		  "ask the remote (the first word, or the default one), not the store", NULL },
		{ "all", 0, 0, G_OPTION_ARG_NONE, &verify.words.all, "every ref, with its history",
		  NULL },
		{ "tags", 0, 0, G_OPTION_ARG_NONE, &verify.words.tags, "the commits that tags name",
		  NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &verify.words.json, "print one JSON document",
		  NULL },
		{ NULL },
	};
	gboolean ok = mlv_options_parse(cmd, entries, &argc, &argv,
					"[REMOTE] [REV...] [-- PATH...]\nmlv verify --remote HEAD",
					error) &&
		      verify_words(&verify, cmd, argc, argv, error);

	mlv_sync_words_clear(&verify.words);
	json_decref(verify.rows);
	return ok;
}
