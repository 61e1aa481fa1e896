/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/fsck_remote_call.h"
#include "cmd/session.h"
#include "cmd/ui_json.h"
#include "core/fsck.h"

typedef struct {
	gboolean repair, remote, deep, json;
} Options;

/* A check under way. */
typedef struct {
	MlvCmd *cmd;
	MlvProgress *progress;
	MlvJsonStream *stream; /* NULL: text */
	gboolean objects;      /* packs are done */
	GError *error;         /* stdout cannot be written */
} Run;

static const char *kind_name(MlvKind kind)
{
	switch (kind) {
	case MLV_KIND_BLOB:
		return "blob";
	case MLV_KIND_LIST:
		return "list";
	case MLV_KIND_TREE:
		return "tree";
	}
	return "";
}

static void set_id(json_t *object, const char *key, const MlvId *id)
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(id, hex);
	g_autofree char *text = g_strdup_printf("sha256:%s", hex);
	mlv_json_set_text(object, key, text);
}

static void found(const MlvFsckFault *fault, gpointer user)
{
	Run *run = user;

	if (!run->stream) {
		g_autofree char *text = mlv_ui_printable(fault->message);

		/* Not into the middle of the progress. */
		g_mutex_lock(&run->cmd->ui->lock);
		mlv_ui_progress_hide(run->cmd->ui);
		puts(text);
		fflush(stdout);
		g_mutex_unlock(&run->cmd->ui->lock);
		return;
	}
	json_t *object = json_object();
	mlv_json_set_text(object, "kind", fault->kind);
	if (fault->file)
		mlv_json_set_text(object, "file", fault->file);
	if (fault->path)
		mlv_json_set_path(object, "path", fault->path);
	if (fault->has_object) {
		set_id(object, "object", &fault->object);
		mlv_json_set_text(object, "object_kind", kind_name(fault->object_kind));
	}
	mlv_json_set_text(object, "message", fault->message);
	mlv_json_stream_add(run->stream, object, run->error ? NULL : &run->error);
}

static void show_progress(guint64 done, guint64 total, gpointer user)
{
	Run *run = user;

	if (total == 0 && !run->objects) {
		run->objects = TRUE;
		mlv_ui_progress_phase(run->progress, "checking objects");
	}
	if (total > 0)
		mlv_ui_progress_total(run->progress, total, 0);
	mlv_ui_progress_add(run->progress, total > 0 ? done : 0, total > 0 ? 0 : done);
}

static json_t *totals(const MlvFsckResult *result)
{
	json_t *tail = json_object();

	mlv_json_set_size(tail, "found", result->faults);
	mlv_json_set_size(tail, "left", result->left);
	mlv_json_set_size(tail, "packs", result->store.packs);
	mlv_json_set_size(tail, "pack_bytes", result->store.pack_bytes);
	mlv_json_set_size(tail, "indexes", result->store.indexes);
	mlv_json_set_size(tail, "objects", result->store.objects);
	mlv_json_set_size(tail, "unindexed_packs", result->store.unindexed);
	mlv_json_set_size(tail, "stray_files", result->store.strays);
	mlv_json_set_size(tail, "pointers", result->pointers);
	mlv_json_set_size(tail, "trees", result->trees);
	mlv_json_set_size(tail, "lists", result->lists);
	mlv_json_set_size(tail, "blobs", result->blobs);
	mlv_json_set_size(tail, "not_here", result->not_here);
	if (result->repaired) {
		json_t *mended = json_object();

		mlv_json_set_bool(mended, "indexes", result->mended.indexes);
		mlv_json_set_size(mended, "packs_aside", result->mended.packs_aside);
		mlv_json_set_size(mended, "rescued", result->mended.rescued);
		mlv_json_set_size(mended, "fetched", result->mended.fetched);
		mlv_json_set_size(mended, "lost", result->mended.lost);
		json_object_set_new(tail, "mended", mended);
	}
	return tail;
}

static void print_summary(const MlvFsckResult *result)
{
	g_autofree char *objects = mlv_ui_plural(result->store.objects, "object");
	g_autofree char *packs = mlv_ui_plural(result->store.packs, "pack");
	g_autofree char *size = mlv_ui_size(result->store.pack_bytes);
	g_autofree char *pointers = mlv_ui_plural(result->pointers, "pointer");
	g_autofree char *faults = mlv_ui_plural(result->faults, "fault");
	g_autofree char *absent = mlv_ui_plural(result->not_here, "object");

	printf("checked %s in %s (%s) and %s: %s\n", objects, packs, size, pointers,
	       result->faults > 0 ? faults : "no fault");
	if (result->repaired && result->faults > 0)
		printf("mended %" G_GUINT64_FORMAT ", left %" G_GUINT64_FORMAT "\n",
		       result->faults - result->left, result->left);
	if (result->mended.packs_aside > 0)
		puts("damaged packs lie in the folder 'damaged' of the store");
	if (result->not_here > 0)
		printf("not here, as never fetched: %s\n", absent);
}

static gboolean check(Run *run, MlvRepo *repo, const Options *opt, MlvFsckResult *result,
		      GError **error)
{
	MlvCmd *cmd = run->cmd;
	g_autoptr(GError) why = NULL;
	MlvFsckOptions options = {
		.repair = opt->repair,
		.cancel = cmd->cancel,
		.found = found,
		.progress = show_progress,
		.user = run,
	};

	if (!mlv_cmd_jobs(cmd, &options.threads, error) ||
	    !mlv_config_get_bool(mlv_repo_config(repo), "mlv.fsync", TRUE, &options.sync, error))
		return FALSE;
	g_autoptr(MlvStore) store =
		mlv_store_open_damaged(mlv_repo_store_dir(repo), mlv_cmd_waiting, cmd, &why);
	if (!store && !g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	if (store && opt->repair && !mlv_store_lock_exclusive(store, mlv_cmd_waiting, cmd, error))
		return FALSE;
	if (opt->json)
		run->stream = mlv_json_stream_new(cmd, NULL, "faults");
	if (!store) {
		mlv_ui_note(cmd->ui, "there is no store yet");
		return TRUE;
	}
	run->progress = mlv_ui_progress_begin(cmd->ui, "checking packs");
	gboolean ok = mlv_fsck_run(repo, store, &options, result, error);
	g_clear_pointer(&run->progress, mlv_ui_progress_end);
	return ok;
}

static gboolean check_words(const Options *opt, const char *name, GError **error)
{
	if (name && !opt->remote)
		return mlv_fail(error, MLV_ERROR_USAGE, "a remote's name needs '--remote'");
	if (opt->deep && !opt->remote)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'--deep' is about remotes: the store is always read whole");
	if (opt->repair && opt->remote)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"a remote is not mended so; 'mlv push --recheck' sends what is "
				"gone again");
	return TRUE;
}

gboolean mlv_cmd_fsck(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Options opt = { 0 };
	const GOptionEntry entries[] = {
		{ "repair", 0, 0, G_OPTION_ARG_NONE, &opt.repair, "mend what can be mended", NULL },
		{ "remote", 'r', 0, G_OPTION_ARG_NONE, &opt.remote,
		  "check a remote (the default one, or NAME) instead", NULL },
		{ "deep", 0, 0, G_OPTION_ARG_NONE, &opt.deep,
		  "with --remote: fetch and hash everything", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};
	Run run = { .cmd = cmd };
	MlvFsckResult result = { 0 };
	MlvRepo *repo;
	gboolean ok;

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[--remote [NAME]]\nmlv fsck --repair\nmlv fsck --remote --deep",
			       error) ||
	    !mlv_options_count(cmd, argc, 0, 1, error) ||
	    !check_words(&opt, argc > 1 ? argv[1] : NULL, error))
		return FALSE;
	if (opt.remote)
		return mlv_cmd_fsck_remote(cmd, argc > 1 ? argv[1] : NULL, opt.deep, opt.json,
					   error);
	repo = mlv_cmd_open_repo(cmd, error);
	if (!repo)
		return FALSE;
	ok = check(&run, repo, &opt, &result, error);
	if (ok && run.error) {
		g_propagate_error(error, g_steal_pointer(&run.error));
		ok = FALSE;
	}
	g_clear_error(&run.error);
	if (run.stream && !mlv_json_stream_end(run.stream, totals(&result), ok ? error : NULL))
		return FALSE;
	if (!ok)
		return FALSE;
	if (result.trouble)
		mlv_ui_warn(cmd->ui,
			    "what is not here is believed to be on a remote that could not be "
			    "asked: %s",
			    result.trouble);
	g_free(result.trouble);
	cmd->status = result.left > 0 ? MLV_EXIT_CHECK : MLV_EXIT_DONE;
	if (!opt.json && !cmd->ui->quiet)
		print_summary(&result);
	return TRUE;
}
