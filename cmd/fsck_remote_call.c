/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/fsck_remote_call.h"

#include "cmd/session.h"
#include "cmd/ui_json.h"
#include "core/sync.h"
#include "storage/remote_check.h"

typedef struct {
	MlvCmd *cmd;
	MlvProgress *progress;
	MlvJsonStream *stream; /* NULL: text */
	GError *error;         /* of the stream */
} Run;

static const char *kind_name(MlvRemoteFaultKind kind)
{
	static const char *const names[] = {
		[MLV_REMOTE_FAULT_INDEX] = "index",     [MLV_REMOTE_FAULT_ROOT] = "root",
		[MLV_REMOTE_FAULT_GONE] = "gone",       [MLV_REMOTE_FAULT_SIZE] = "size",
		[MLV_REMOTE_FAULT_ENTRIES] = "entries", [MLV_REMOTE_FAULT_PACK] = "pack",
		[MLV_REMOTE_FAULT_OBJECT] = "object",   [MLV_REMOTE_FAULT_MISSING] = "missing",
	};

	return names[kind];
}

static void print_line(MlvCmd *cmd, const char *message)
{
	g_autofree char *text = mlv_ui_printable(message);

	/* Not into the middle of the progress. */
	g_mutex_lock(&cmd->ui->lock);
	mlv_ui_progress_hide(cmd->ui);
	puts(text);
	fflush(stdout);
	g_mutex_unlock(&cmd->ui->lock);
}

static void found(const MlvRemoteFault *fault, gpointer user)
{
	static const char *const kinds[] = {
		[MLV_KIND_BLOB] = "blob", [MLV_KIND_LIST] = "list", [MLV_KIND_TREE] = "tree"
	};
	Run *run = user;

	if (!run->stream) {
		print_line(run->cmd, fault->message);
		return;
	}
	json_t *object = json_object();
	mlv_json_set_text(object, "kind", kind_name(fault->kind));
	mlv_json_set_text(object, "file", fault->file);
	if (fault->has_object) {
		char hex[MLV_ID_HEX + 1];
		g_autofree char *id = NULL;

		mlv_id_format(&fault->object, hex);
		id = g_strconcat("sha256:", hex, NULL);
		mlv_json_set_text(object, "object", id);
		mlv_json_set_text(object, "object_kind", kinds[fault->object_kind]);
	}
	mlv_json_set_text(object, "message", fault->message);
	mlv_json_stream_add(run->stream, object, run->error ? NULL : &run->error);
}

static void show_progress(guint64 done, guint64 total, gpointer user)
{
	Run *run = user;

	mlv_ui_progress_total(run->progress, total, 0);
	mlv_ui_progress_set(run->progress, done, 0);
}

static json_t *totals(const MlvRemoteCheckResult *result)
{
	json_t *tail = json_object();

	mlv_json_set_size(tail, "found", result->faults);
	mlv_json_set_size(tail, "packs", result->packs);
	mlv_json_set_size(tail, "pack_bytes", result->pack_bytes);
	mlv_json_set_size(tail, "indexes", result->indexes);
	mlv_json_set_size(tail, "roots", result->roots);
	mlv_json_set_size(tail, "objects", result->objects);
	mlv_json_set_size(tail, "unnamed_packs", result->unnamed);
	mlv_json_set_size(tail, "tombstoned_packs", result->tombstoned);
	mlv_json_set_size(tail, "pending_roots", result->pending);
	return tail;
}

static void print_summary(const MlvSync *sync, const MlvRemoteCheckResult *result, gboolean deep)
{
	g_autofree char *objects = mlv_ui_plural(result->objects, "object");
	g_autofree char *packs = mlv_ui_plural(result->packs, "pack");
	g_autofree char *size = mlv_ui_size(result->pack_bytes);
	g_autofree char *indexes = mlv_ui_count(result->indexes, "index", "indexes");
	g_autofree char *roots = mlv_ui_plural(result->roots, "root");
	g_autofree char *faults = mlv_ui_plural(result->faults, "fault");
	g_autofree char *unnamed = mlv_ui_plural(result->unnamed, "pack");

	printf("%s: checked %s (%s), %s and %s, %s that they need%s: %s\n", sync->config->name,
	       packs, size, indexes, roots, objects, deep ? ", every byte" : "",
	       result->faults > 0 ? faults : "no fault");
	if (result->unnamed > 0)
		printf("%s that no index names, of a push under way or killed; 'mlv gc --remote' "
		       "drops them\n",
		       unnamed);
}

/* Without the cache: what lies there is checked, not what was seen before. */
static MlvSync *open_remote(MlvCmd *cmd, const char *name, GError **error)
{
	MlvRepo *repo = mlv_cmd_open_repo(cmd, error);
	MlvRemoteConfig *config = repo ? mlv_remote_config_find(repo, name, error) : NULL;

	return config ? mlv_sync_open_config(repo, config, error) : NULL;
}

static gboolean check(Run *run, MlvSync *sync, gboolean deep, MlvRemoteCheckResult *result,
		      GError **error)
{
	MlvRemoteCheck options = {
		.remote = sync->remote,
		.deep = deep,
		.cancel = run->cmd->cancel,
		.found = found,
		.progress = show_progress,
		.user = run,
	};
	g_autoptr(MlvLocal) local = NULL;
	gboolean ok;

	/* Packs are kept for a moment where there is room for them. */
	if (deep) {
		local = mlv_cmd_open_local(run->cmd, error);
		if (!local)
			return FALSE;
		options.temp_dir = mlv_store_path(local->store);
	}
	if (!mlv_cmd_jobs(run->cmd, &options.threads, error))
		return FALSE;
	run->progress = mlv_ui_progress_begin(run->cmd->ui, "checking the remote");
	ok = mlv_remote_check(&options, result, error);
	g_clear_pointer(&run->progress, mlv_ui_progress_end);
	if (!ok)
		g_prefix_error(error, "remote '%s': ", sync->config->name);
	return ok;
}

gboolean mlv_cmd_fsck_remote(MlvCmd *cmd, const char *name, gboolean deep, gboolean json,
			     GError **error)
{
	g_autoptr(MlvSync) sync = open_remote(cmd, name, error);
	Run run = { .cmd = cmd };
	MlvRemoteCheckResult result = { 0 };
	json_t *head;
	gboolean ok;

	if (!sync)
		return FALSE;
	if (json) {
		head = json_object();
		mlv_json_set_text(head, "remote", sync->config->name);
		mlv_json_set_bool(head, "deep", deep);
		run.stream = mlv_json_stream_new(cmd, head, "faults");
	}
	ok = check(&run, sync, deep, &result, error);
	if (ok && run.error) {
		g_propagate_error(error, g_steal_pointer(&run.error));
		ok = FALSE;
	}
	g_clear_error(&run.error);
	if (run.stream && !mlv_json_stream_end(run.stream, totals(&result), ok ? error : NULL))
		return FALSE;
	if (!ok)
		return FALSE;
	cmd->status = result.faults > 0 ? MLV_EXIT_CHECK : MLV_EXIT_DONE;
	if (!json && !cmd->ui->quiet)
		print_summary(sync, &result, deep);
	return TRUE;
}
