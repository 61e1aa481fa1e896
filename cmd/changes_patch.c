/* SPDX-License-Identifier: Apache-2.0 */
/* The changed lines of tables, JSON and other texts. */
#include <string.h>

#include "cmd/changes.h"
#include "core/reader.h"
#include "core/textdiff.h"

#define CONTEXT 3

static gboolean is_file(const MlvChangeSide *side)
{
	return side->mode == MLV_MODE_FILE || side->mode == MLV_MODE_EXECUTABLE;
}

/* Whether both sides can be small texts: an absent one counts as an empty file. */
static gboolean can_be_text(const MlvChange *change)
{
	if (change->unread || change->kind == MLV_CHANGE_RENAMED)
		return FALSE;
	if ((change->from.mode && !is_file(&change->from)) ||
	    (change->to.mode && !is_file(&change->to)))
		return FALSE;
	return change->from.bytes <= MLV_TEXTDIFF_MAX && change->to.bytes <= MLV_TEXTDIFF_MAX;
}

/* The bytes of one side; NULL without an error where it is absent or cannot be had. */
static GBytes *read_side(const MlvChanges *changes, const MlvChange *change,
			 const MlvChangeSide *side, GError **error)
{
	g_autoptr(GError) failed = NULL;
	GBytes *bytes;

	if (side->mode == 0)
		return NULL;
	if (changes->workspace && side == &change->to)
		bytes = mlv_repo_read_file(mlv_view_repo(changes->view), change->path,
					   MLV_TEXTDIFF_MAX, &failed);
	else
		bytes = mlv_read_whole(mlv_view_source(changes->view), &side->ref, MLV_TEXTDIFF_MAX,
				       &failed);
	if (bytes)
		return bytes;
	/* Damage is an error; what is not here, or went away meanwhile, is a remark. */
	if (g_error_matches(failed, MLV_ERROR, MLV_ERROR_CORRUPT)) {
		g_propagate_prefixed_error(error, g_steal_pointer(&failed), "'%s': ", change->path);
		return NULL;
	}
	mlv_view_advise(change->path, &failed);
	mlv_ui_note(changes->cmd->ui, "%s", failed->message);
	return NULL;
}

static void print_hunks(const MlvUi *ui, const char *hunks)
{
	for (const char *line = hunks; *line;) {
		const char *newline = strchr(line, '\n');
		gsize length = newline ? (gsize)(newline - line) : strlen(line);
		const char *color = *line == '+'   ? mlv_ui_color(ui, MLV_COLOR_GREEN)
				    : *line == '-' ? mlv_ui_color(ui, MLV_COLOR_RED)
				    : *line == '@' ? mlv_ui_color(ui, MLV_COLOR_CYAN)
						   : "";

		printf("%s%.*s%s\n", color, (int)length, line,
		       *color ? mlv_ui_color(ui, MLV_COLOR_RESET) : "");
		line += length + (newline != NULL);
	}
}

/* "--- a/path" or "+++ b/path", as git and patch write and read it. */
static void print_file_name(const char *mark, const char *folder, const char *path, gboolean exists)
{
	g_autofree char *whole = exists ? g_strconcat(folder, path, NULL) : g_strdup("/dev/null");
	g_autofree char *name = mlv_ui_name(whole);

	printf("%s %s\n", mark, name);
}

gboolean mlv_changes_patch(const MlvChanges *changes, const MlvChange *change, GError **error)
{
	g_autoptr(GError) failed = NULL;
	g_autoptr(GBytes) from = NULL, to = NULL;
	g_autofree char *hunks = NULL;

	if (!can_be_text(change))
		return TRUE;
	from = read_side(changes, change, &change->from, &failed);
	if (!failed)
		to = read_side(changes, change, &change->to, &failed);
	if (failed) {
		g_propagate_error(error, g_steal_pointer(&failed));
		return FALSE;
	}
	if ((change->from.mode && !from) || (change->to.mode && !to) ||
	    (from && !mlv_textdiff_is_text(from)) || (to && !mlv_textdiff_is_text(to)))
		return TRUE;
	hunks = mlv_textdiff_format(from, to, CONTEXT, error);
	if (!hunks)
		return FALSE;
	if (!*hunks)
		return TRUE;
	print_file_name("---", "a/", change->path, from != NULL);
	print_file_name("+++", "b/", change->path, to != NULL);
	print_hunks(changes->cmd->ui, hunks);
	return TRUE;
}
