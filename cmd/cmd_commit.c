/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cmd/session.h"
#include "cmd/ui_json.h"
#include "core/git_commit.h"
#include "core/git_staging.h"
#include "core/track.h"
#include "storage/file.h"

typedef struct {
	gboolean all, amend, no_edit, edit, allow_empty, allow_empty_message, no_verify, json;
	char **messages;
	char *file;
} Options;

static void options_clear(Options *opt)
{
	g_strfreev(opt->messages);
	g_free(opt->file);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

/* A pointer that no parent has must have its data somewhere: a commit never names what nobody can
 * bring back. */
static gboolean check_data(MlvRepo *repo, const GPtrArray *added, gpointer user, GError **error)
{
	MlvLocal *local = user;
	MlvSource *source = mlv_store_source(local->store);

	for (guint i = 0; i < added->len; i++) {
		const MlvTracked *tracked = added->pdata[i];
		const MlvRef *ref = &tracked->pointer.ref;
		gboolean has = TRUE;

		if (tracked->error)
			return mlv_fail(error, MLV_ERROR_FAILED,
					"the pointer of '%s' cannot be read: %s", tracked->path,
					tracked->error->message);
		if (ref->size > 0 &&
		    !source->has(source, mlv_ref_chunk_kind(ref), &ref->id, &has, error))
			return FALSE;
		if (!has)
			return mlv_fail(
				error, MLV_ERROR_FAILED,
				"the data of '%s' are in no store; bring them with 'mlv fetch', or "
				"add them again with 'mlv add'",
				tracked->path);
	}
	return TRUE;
}

static void ignore_added(const char *path, const MlvPointer *pointer, gboolean is_new,
			 gboolean changed, gboolean gone, gpointer data)
{
}

static void tell_problem(MlvProblemType type, const char *path, const char *why, gpointer data)
{
	MlvCmd *cmd = data;

	mlv_cmd_tell_problem(cmd, cmd->repo, path, why);
}

/* -a: tracked data first, then git's own tracked files. */
static gboolean add_all(MlvCmd *cmd, MlvLocal *local, GError **error)
{
	MlvTrackOptions options = {
		.cancel = cmd->cancel, .added = ignore_added, .problem = tell_problem, .data = cmd
	};
	MlvTrackResult result;

	if (!mlv_cmd_jobs(cmd, &options.threads, error) ||
	    !mlv_track_update_all(local, &options, &result, error))
		return FALSE;
	if (result.problems)
		return mlv_fail(error, MLV_ERROR_CHECK,
				"nothing was committed: some data could not be added");
	g_autoptr(MlvStaging) stage = mlv_staging_new(local->repo);
	mlv_staging_all_tracked(stage);
	return mlv_staging_commit(stage, error);
}

/* -m, repeated, makes paragraphs; -F reads a file, "-" standard input. NULL without either. */
static gboolean get_message(const Options *opt, char **message, GError **error)
{
	*message = NULL;
	if (opt->messages && opt->file)
		return mlv_fail(error, MLV_ERROR_USAGE, "-m and -F cannot be given together");
	if (opt->messages) {
		*message = g_strjoinv("\n\n", opt->messages);
	} else if (opt->file) {
		g_autoptr(GError) local = NULL;
		const char *name = strcmp(opt->file, "-") == 0 ? "/dev/stdin" : opt->file;

		if (!g_file_get_contents(name, message, NULL, &local))
			return mlv_fail(error, MLV_ERROR_FAILED, "cannot read the message: %s",
					local->message);
	}
	return TRUE;
}

static gboolean tell_commit(MlvCmd *cmd, const Options *opt, const MlvCommitResult *result,
			    GError **error)
{
	char hex[MLV_OID_HEX + 1];

	mlv_oid_format(&result->oid, hex);
	if (opt->json) {
		json_t *document = mlv_json_new(cmd);
		mlv_json_set_text(document, "commit", hex);
		mlv_json_set_text(document, "branch", result->branch);
		mlv_json_set_text(document, "subject", result->subject);
		return mlv_json_print(cmd, document, error);
	}
	if (!cmd->ui->quiet) {
		g_autofree char *oid = mlv_git_short_oid(cmd->repo, &result->oid);
		g_autofree char *branch =
			mlv_ui_printable(result->branch ? result->branch : "detached HEAD");
		g_autofree char *subject = mlv_ui_printable(result->subject);
		printf("[%s%s %s] %s\n", branch, result->root ? " (root-commit)" : "", oid,
		       subject);
	}
	return TRUE;
}

static gboolean commit(MlvCmd *cmd, const Options *opt, GError **error)
{
	g_autofree char *message = NULL;
	MlvCommitResult result = { 0 };
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);

	if (!local || !get_message(opt, &message, error) ||
	    (opt->all && !add_all(cmd, local, error)))
		return FALSE;
	MlvCommitOptions options = {
		.message = message,
		.edit = opt->edit || (!message && !opt->no_edit),
		.amend = opt->amend,
		.no_edit = opt->no_edit,
		.allow_empty = opt->allow_empty,
		.allow_empty_message = opt->allow_empty_message,
		.no_verify = opt->no_verify,
		.check = check_data,
		.user = local,
	};
	gboolean ok = mlv_git_commit(local->repo, &options, &result, error) &&
		      tell_commit(cmd, opt, &result, error);
	mlv_commit_result_clear(&result);
	return ok;
}

gboolean mlv_cmd_commit(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_auto(Options) opt = { 0 };
	const GOptionEntry entries[] = {
		{ "all", 'a', 0, G_OPTION_ARG_NONE, &opt.all,
		  "first add all tracked data and files that changed", NULL },
		{ "message", 'm', 0, G_OPTION_ARG_STRING_ARRAY, &opt.messages,
		  "the message; again for another paragraph", "TEXT" },
		{ "file", 'F', 0, G_OPTION_ARG_FILENAME, &opt.file, "read the message from FILE",
		  "FILE" },
		{ "amend", 0, 0, G_OPTION_ARG_NONE, &opt.amend, "replace the last commit", NULL },
		{ "edit", 'e', 0, G_OPTION_ARG_NONE, &opt.edit, "open the editor on the message",
		  NULL },
		{ "no-edit", 0, 0, G_OPTION_ARG_NONE, &opt.no_edit,
		  "with --amend: keep its message", NULL },
		{ "allow-empty", 0, 0, G_OPTION_ARG_NONE, &opt.allow_empty,
		  "commit even if nothing is staged", NULL },
		{ "allow-empty-message", 0, 0, G_OPTION_ARG_NONE, &opt.allow_empty_message,
		  "take an empty message", NULL },
		{ "no-verify", 'n', 0, G_OPTION_ARG_NONE, &opt.no_verify,
		  "without the hooks pre-commit and commit-msg", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};

	return mlv_options_parse(cmd, entries, &argc, &argv,
				 "\nmlv commit -m 'more images'\nmlv commit -a", error) &&
	       mlv_options_count(cmd, argc, 0, 0, error) && commit(cmd, &opt, error);
}
