/* SPDX-License-Identifier: Apache-2.0 */
#include "core/git_message.h"

#include <string.h>

#include "core/git_run.h"
#include "core/hook.h"
#include "core/repo_private.h"

#define SCISSORS "------------------------ >8 ------------------------"

typedef enum {
	CLEANUP_STRIP,
	CLEANUP_WHITESPACE,
	CLEANUP_VERBATIM,
	CLEANUP_SCISSORS
} Cleanup;

static char comment_char(const MlvRepo *repo)
{
	const char *set = mlv_config_get(repo->config, "core.commentchar");
	return set && *set && strcmp(set, "auto") != 0 ? *set : '#';
}

static gboolean read_cleanup(const MlvRepo *repo, gboolean editing, Cleanup *cleanup,
			     GError **error)
{
	const char *set = mlv_config_get(repo->config, "commit.cleanup");

	if (!set || strcmp(set, "default") == 0)
		*cleanup = editing ? CLEANUP_STRIP : CLEANUP_WHITESPACE;
	else if (strcmp(set, "strip") == 0)
		*cleanup = CLEANUP_STRIP;
	else if (strcmp(set, "whitespace") == 0)
		*cleanup = CLEANUP_WHITESPACE;
	else if (strcmp(set, "verbatim") == 0)
		*cleanup = CLEANUP_VERBATIM;
	else if (strcmp(set, "scissors") == 0)
		*cleanup = editing ? CLEANUP_SCISSORS : CLEANUP_WHITESPACE;
	else
		return mlv_fail(error, MLV_ERROR_FAILED,
				"'commit.cleanup' is '%s', which is no mode that git has", set);
	return TRUE;
}

char *mlv_git_cleanup_message(const char *message, gboolean strip_comments, char comment)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_auto(GStrv) lines = g_strsplit(message, "\n", -1);
	gboolean blank = FALSE;

	for (char **line = lines; *line; line++) {
		if (strip_comments && **line == comment)
			continue;
		g_strchomp(*line);
		if (!**line) {
			blank = TRUE;
			continue;
		}
		if (blank && out->len > 0)
			g_string_append_c(out, '\n');
		blank = FALSE;
		g_string_append_printf(out, "%s\n", *line);
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static char *clean(const char *text, Cleanup mode, char comment)
{
	if (mode == CLEANUP_VERBATIM)
		return g_strdup(text);
	if (mode != CLEANUP_SCISSORS)
		return mlv_git_cleanup_message(text, mode == CLEANUP_STRIP, comment);
	g_autofree char *mark = g_strdup_printf("%c " SCISSORS "\n", comment);
	const char *cut = g_str_has_prefix(text, mark) ? text : NULL;
	g_autofree char *inner = g_strconcat("\n", mark, NULL);
	if (!cut) {
		cut = strstr(text, inner);
		cut = cut ? cut + 1 : text + strlen(text);
	}
	g_autofree char *kept = g_strndup(text, (gsize)(cut - text));
	return mlv_git_cleanup_message(kept, FALSE, comment);
}

/* --- where it begins -------------------------------------------------------------------------- */

static char *read_git_file(const MlvRepo *repo, const char *name)
{
	g_autofree char *file = g_build_filename(repo->git_dir, name, NULL);
	char *text = NULL;

	g_file_get_contents(file, &text, NULL, NULL);
	return text;
}

static gboolean read_template(const MlvRepo *repo, char **text, GError **error)
{
	const char *set = mlv_config_get(repo->config, "commit.template");
	g_autoptr(GError) local = NULL;

	if (!set || !*set)
		return TRUE;
	g_autofree char *expanded = g_str_has_prefix(set, "~/")
					    ? g_build_filename(g_get_home_dir(), set + 2, NULL)
					    : g_strdup(set);
	g_autofree char *file = g_canonicalize_filename(expanded, repo->root);
	if (!g_file_get_contents(file, text, NULL, &local))
		return mlv_fail(error, MLV_ERROR_FAILED, "cannot read 'commit.template': %s",
				local->message);
	return TRUE;
}

/* The first text, and what prepare-commit-msg is told of its origin ("" for none). */
static gboolean first_text(MlvRepo *repo, const MlvMessageSource *source, char **text,
			   const char **origin, GError **error)
{
	*origin = "message";
	if (source->options->message) {
		gboolean ended = g_str_has_suffix(source->options->message, "\n");
		*text = g_strconcat(source->options->message, ended ? "" : "\n", NULL);
		return TRUE;
	}
	*origin = "merge";
	*text = read_git_file(repo, "MERGE_MSG");
	if (*text && !source->amended)
		return TRUE;
	g_clear_pointer(text, g_free);
	*origin = "squash";
	*text = source->amended ? NULL : read_git_file(repo, "SQUASH_MSG");
	if (*text)
		return TRUE;
	*origin = "commit";
	if (source->amended) {
		*text = g_strdup(source->amended);
		return TRUE;
	}
	if (!read_template(repo, text, error))
		return FALSE;
	*origin = *text ? "template" : "";
	if (!*text)
		*text = g_strdup("");
	return TRUE;
}

/* What the editor shows below the message: help, and git's own status, all as comments. */
static char *comments(MlvRepo *repo, Cleanup mode, char comment)
{
	g_autoptr(GString) out = g_string_new("\n");
	g_autofree char *set_char = g_strdup_printf("core.commentChar=%c", comment);
	const char *argv[] = { "-c",     "status.displayCommentPrefix=true",
			       "-c",     "color.ui=false",
			       "-c",     set_char,
			       "status", NULL };
	g_autoptr(GBytes) status = NULL;

	if (mode == CLEANUP_SCISSORS)
		g_string_append_printf(out, "%c " SCISSORS "\n", comment);
	if (mode == CLEANUP_STRIP)
		g_string_append_printf(
			out,
			"%c Write the message of the commit above. Lines that begin with '%c' are "
			"left\n"
			"%c out; without a message nothing is committed.\n%c\n",
			comment, comment, comment, comment);
	else
		g_string_append_printf(out, "%c Write the message of the commit above.\n%c\n",
				       comment, comment);
	if (mlv_git_capture(repo, argv, NULL, &status, NULL, NULL) && status) {
		gsize length;
		const char *text = g_bytes_get_data(status, &length);
		g_string_append_len(out, text ? text : "", (gssize)length);
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static gboolean write_file(const char *file, const char *text, GError **error)
{
	g_autoptr(GError) local = NULL;
	return g_file_set_contents_full(file, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0666,
					&local) ||
	       mlv_fail(error, MLV_ERROR_FAILED, "cannot write '%s': %s", file, local->message);
}

static char *read_file(const char *file, GError **error)
{
	g_autoptr(GError) local = NULL;
	char *text = NULL;
	gsize length;

	if (!g_file_get_contents(file, &text, &length, &local))
		mlv_fail(error, MLV_ERROR_FAILED, "cannot read '%s': %s", file, local->message);
	else if (strlen(text) != length) {
		g_clear_pointer(&text, g_free);
		mlv_fail(error, MLV_ERROR_FAILED,
			 "the message holds a NUL byte, which a commit cannot");
	}
	return text;
}

static gboolean run_hooks_and_editor(MlvRepo *repo, const MlvMessageSource *source,
				     const char *file, const char *origin, gboolean editing,
				     GError **error)
{
	const char *prepare[] = { file, *origin ? origin : NULL,
				  strcmp(origin, "commit") == 0 ? source->amended_rev : NULL,
				  NULL };
	const char *check[] = { file, NULL };
	MlvHookCall call = { .argv = prepare,
			     .index_file = repo->index_file,
			     .no_editor = !editing };

	if (!mlv_hook_run(repo, "prepare-commit-msg", &call, NULL, error))
		return FALSE;
	if (editing && !mlv_git_edit_file(repo, file, error)) {
		g_prefix_error(error, "the message was not edited: ");
		return FALSE;
	}
	call.argv = check;
	return source->options->no_verify || mlv_hook_run(repo, "commit-msg", &call, NULL, error);
}

char *mlv_git_compose_message(MlvRepo *repo, const MlvMessageSource *source, GError **error)
{
	const MlvCommitOptions *options = source->options;
	gboolean editing =
		options->edit || (!options->message && !(options->amend && options->no_edit));
	g_autofree char *file = g_build_filename(repo->git_dir, "COMMIT_EDITMSG", NULL);
	g_autofree char *begin = NULL;
	char comment = comment_char(repo);
	const char *origin;
	Cleanup mode = CLEANUP_STRIP;

	if (!read_cleanup(repo, editing, &mode, error) ||
	    !first_text(repo, source, &begin, &origin, error))
		return NULL;
	g_autofree char *below = editing ? comments(repo, mode, comment) : g_strdup("");
	g_autofree char *whole = g_strconcat(begin, below, NULL);
	if (!write_file(file, whole, error) ||
	    !run_hooks_and_editor(repo, source, file, origin, editing, error))
		return NULL;
	g_autofree char *text = read_file(file, error);
	if (!text)
		return NULL;
	g_autofree char *message = clean(text, mode, comment);
	if (!*message && !options->allow_empty_message) {
		mlv_fail(error, MLV_ERROR_FAILED,
			 "the commit has no message: nothing was committed");
		return NULL;
	}
	g_autofree char *untouched = clean(begin, mode, comment);
	if (strcmp(origin, "template") == 0 && strcmp(message, untouched) == 0) {
		mlv_fail(error, MLV_ERROR_FAILED,
			 "the template was not edited: nothing was committed");
		return NULL;
	}
	return g_steal_pointer(&message);
}
