/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "cmd/session.h"
#include "cmd/ui_json.h"
#include "core/collect.h"
#include "core/collect_remote.h"

typedef struct {
	char *grace; /* as written, or NULL */
	char *forget_repository;
	char *forget; /* a clone's id */
	gboolean remote, dry_run, json;
	const char *remote_name; /* NULL: the default */
	guint64 seconds;
} Options;

static void options_clear(Options *opt)
{
	g_free(opt->grace);
	g_free(opt->forget_repository);
	g_free(opt->forget);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static void count_progress(guint64 bytes, gpointer user)
{
	mlv_ui_progress_add(user, bytes, 0);
}

/* --- the register ----------------------------------------------------------------------------- */

static gboolean forget_repository(MlvCmd *cmd, MlvStore *store, const char *path, GError **error)
{
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);
	g_autofree char *shown = mlv_ui_name(absolute);
	gboolean found;

	if (!mlv_collect_forget(store, absolute, &found, error))
		return FALSE;
	if (!found)
		return mlv_fail(error, MLV_ERROR_MISSING,
				"no repository '%s' is registered in the store '%s'", absolute,
				mlv_store_path(store));
	mlv_ui_note(cmd->ui, "forgot %s", shown);
	return TRUE;
}

/* --- telling ---------------------------------------------------------------------------------- */

static void set_count(json_t *object, const char *key, guint64 objects, guint64 bytes)
{
	json_t *count = json_object();

	mlv_json_set_size(count, "objects", objects);
	mlv_json_set_size(count, "bytes", bytes);
	json_object_set_new(object, key, count);
}

static void set_grace(json_t *document, const Options *opt)
{
	if (opt->seconds == G_MAXUINT64)
		json_object_set_new(document, "grace", json_null());
	else
		mlv_json_set_size(document, "grace", opt->seconds);
}

static gboolean print_json(MlvCmd *cmd, const Options *opt, const MlvSweepResult *result,
			   GError **error)
{
	json_t *document = mlv_json_new(cmd);

	mlv_json_set_bool(document, "dry_run", opt->dry_run);
	set_grace(document, opt);
	mlv_json_set_size(document, "objects", result->objects);
	mlv_json_set_size(document, "bytes", result->bytes);
	mlv_json_set_size(document, "packs_deleted", result->packs_deleted);
	mlv_json_set_size(document, "packs_rewritten", result->packs_rewritten);
	mlv_json_set_size(document, "packs_written", result->packs_written);
	mlv_json_set_size(document, "packs_adopted", result->packs_adopted);
	set_count(document, "reachable", result->live_objects, result->live_bytes);
	set_count(document, "young", result->young_objects, result->young_bytes);
	set_count(document, "scattered", result->sparse_objects, result->sparse_bytes);
	return mlv_json_print(cmd, document, error);
}

static void print_text(MlvCmd *cmd, const Options *opt, const MlvSweepResult *result)
{
	g_autofree char *objects = mlv_ui_plural(result->objects, "object");
	g_autofree char *deleted = mlv_ui_plural(result->packs_deleted, "pack");
	g_autofree char *rewritten = mlv_ui_count(result->packs_rewritten, "pack", "packs");
	g_autofree char *size = mlv_ui_size(result->bytes);
	g_autofree char *young = mlv_ui_plural(result->young_objects, "object");
	g_autofree char *young_size = mlv_ui_size(result->young_bytes);

	if (result->objects + result->packs_deleted + result->packs_rewritten +
		    result->packs_adopted ==
	    0)
		puts("nothing to drop");
	else
		printf("%s %s, %s: %s deleted, %s rewritten\n",
		       opt->dry_run ? "would drop" : "dropped", objects, size, deleted, rewritten);
	if (result->young_objects > 0)
		mlv_ui_note(cmd->ui, "%s (%s) that nothing reaches, not yet past the grace period",
			    young, young_size);
	if (result->unreadable > 0)
		mlv_ui_warn(cmd->ui,
			    "the store holds damaged packs; 'mlv fsck --repair' moves them aside");
}

/* --- a remote --------------------------------------------------------------------------------- */

static void tell_waiting(gpointer user)
{
	mlv_ui_note(((MlvCmd *)user)->ui, "waiting for another mlv that uses the remote ...");
}

static gboolean print_remote_json(MlvCmd *cmd, const Options *opt, const MlvSync *sync,
				  const MlvRemoteGcResult *result, GError **error)
{
	json_t *document = mlv_json_new(cmd);

	mlv_json_set_text(document, "remote", sync->config->name);
	mlv_json_set_bool(document, "dry_run", opt->dry_run);
	set_grace(document, opt);
	mlv_json_set_size(document, "packs", result->packs);
	mlv_json_set_size(document, "bytes", result->bytes);
	mlv_json_set_size(document, "packs_deleted", result->packs_deleted);
	mlv_json_set_size(document, "bytes_deleted", result->bytes_deleted);
	mlv_json_set_size(document, "packs_rewritten", result->packs_rewritten);
	mlv_json_set_size(document, "bytes_copied", result->bytes_copied);
	mlv_json_set_size(document, "packs_young", result->packs_kept_young);
	mlv_json_set_size(document, "roots_kept", result->roots_kept);
	mlv_json_set_size(document, "roots_dropped", result->roots_dropped);
	return mlv_json_print(cmd, document, error);
}

static void print_remote_text(MlvCmd *cmd, const Options *opt, const MlvSync *sync,
			      const MlvRemoteGcResult *result)
{
	g_autofree char *packs = mlv_ui_plural(result->packs_deleted, "pack");
	g_autofree char *size = mlv_ui_size(result->bytes_deleted -
					    MIN(result->bytes_deleted, result->bytes_copied));
	g_autofree char *young = mlv_ui_plural(result->packs_kept_young, "pack");

	if (result->packs_deleted == 0)
		printf("%s: nothing to drop\n", sync->config->name);
	else
		printf("%s: %s %s, %s; %" G_GUINT64_FORMAT " of them rewritten\n",
		       sync->config->name, opt->dry_run ? "would drop" : "dropped", packs, size,
		       result->packs_rewritten);
	if (result->packs_kept_young > 0)
		mlv_ui_note(cmd->ui,
			    "%s with something that nothing needs, not yet past the grace period",
			    young);
}

static gboolean collect_remote(MlvCmd *cmd, MlvRepo *repo, const Options *opt, GError **error)
{
	const MlvCollectRemoteOptions options = {
		.grace = opt->seconds,
		.forget = opt->forget,
		.dry_run = opt->dry_run,
		.cancel = cmd->cancel,
		.waiting = tell_waiting,
		.user = cmd,
	};
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);
	g_autoptr(MlvSync) sync =
		local ? mlv_sync_open(repo, opt->remote_name, FALSE, error) : NULL;
	g_autofree char *unsure = NULL;
	MlvRemoteGcResult result;

	if (!sync)
		return FALSE;
	g_autoptr(MlvProgress) progress = mlv_ui_progress_begin(cmd->ui, "collecting");
	gboolean ok = mlv_collect_remote(sync, local, &options, &result, &unsure, error);
	g_clear_pointer(&progress, mlv_ui_progress_end);
	if (!ok)
		return FALSE;
	if (unsure)
		mlv_ui_warn(cmd->ui, "every commit counts as needed: %s", unsure);
	if (opt->json)
		return print_remote_json(cmd, opt, sync, &result, error);
	print_remote_text(cmd, opt, sync, &result);
	return TRUE;
}

/* --- the command ------------------------------------------------------------------------------ */

static gboolean collect(MlvCmd *cmd, MlvRepo *repo, const Options *opt, GError **error)
{
	MlvSweepOptions options = {
		.grace = opt->seconds,
		.now = (gint64)time(NULL),
		.dry_run = opt->dry_run,
		.cancel = cmd->cancel,
		.progress = count_progress,
	};
	g_autoptr(GError) why = NULL;
	MlvSweepResult result = { 0 };

	if (!mlv_config_get_bool(mlv_repo_config(repo), "mlv.fsync", TRUE, &options.sync, error))
		return FALSE;
	g_autoptr(MlvStore) store =
		mlv_store_open(mlv_repo_store_dir(repo), FALSE, mlv_cmd_waiting, cmd, &why);
	if (!store && !g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	if (store && opt->forget_repository)
		return forget_repository(cmd, store, opt->forget_repository, error);
	if (store) {
		g_autoptr(MlvProgress) progress = mlv_ui_progress_begin(cmd->ui, "collecting");

		options.user = progress;
		if (!mlv_store_lock_exclusive(store, mlv_cmd_waiting, cmd, error) ||
		    !mlv_collect_run(repo, store, &options, &result, error))
			return FALSE;
	}
	if (opt->json)
		return print_json(cmd, opt, &result, error);
	print_text(cmd, opt, &result);
	return TRUE;
}

static gboolean check_words(const Options *opt, GError **error)
{
	if (opt->remote_name && !opt->remote)
		return mlv_fail(error, MLV_ERROR_USAGE, "a remote's name needs '--remote'");
	if (opt->forget && !opt->remote)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'--forget' is about a remote's clones: it needs '--remote'");
	if (opt->forget && (strlen(opt->forget) != MLV_REPO_ID_HEX ||
			    strspn(opt->forget, "0123456789abcdef") != MLV_REPO_ID_HEX))
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' is no clone's id, which has %d hex digits", opt->forget,
				MLV_REPO_ID_HEX);
	if (opt->forget_repository && (opt->remote || opt->dry_run || opt->json || opt->grace))
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'--forget-repository' goes with no other option");
	return TRUE;
}

gboolean mlv_cmd_gc(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_auto(Options) opt = { 0 };
	const GOptionEntry entries[] = {
		{ "grace", 0, 0, G_OPTION_ARG_STRING, &opt.grace,
		  "drop only what is older (default: mlv.grace, 14d)", "DURATION" },
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &opt.dry_run,
		  "only say what would be dropped", NULL },
		{ "remote", 0, 0, G_OPTION_ARG_NONE, &opt.remote,
		  "collect on a remote instead of here", NULL },
		{ "forget", 0, 0, G_OPTION_ARG_STRING, &opt.forget,
		  "on the remote, drop what that clone pushed", "CLONE" },
		{ "forget-repository", 0, 0, G_OPTION_ARG_FILENAME, &opt.forget_repository,
		  "take a repository that is gone out of a shared store's register", "PATH" },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};
	MlvRepo *repo;

	if (!mlv_options_parse(cmd, entries, &argc, &argv, "[--remote [NAME]]", error) ||
	    !mlv_options_count(cmd, argc, 0, 1, error))
		return FALSE;
	opt.remote_name = argc > 1 ? argv[1] : NULL;
	if (!check_words(&opt, error))
		return FALSE;
	repo = mlv_cmd_open_repo(cmd, error);
	if (!repo)
		return FALSE;
	if (opt.grace ? !mlv_config_parse_duration(opt.grace, &opt.seconds, error)
		      : !mlv_config_get_duration(mlv_repo_config(repo), "mlv.grace", 14 * 86400,
						 &opt.seconds, error))
		return FALSE;
	return opt.remote ? collect_remote(cmd, repo, &opt, error)
			  : collect(cmd, repo, &opt, error);
}
