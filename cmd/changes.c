/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/changes.h"

#include <string.h>

#include "cmd/look.h"

gboolean mlv_changes_style(const MlvChangesOptions *options, MlvChangesStyle *style, GError **error)
{
	guint said = !!options->patch + !!(options->summary || options->stat) + !!options->names +
		     !!options->name_status + !!options->json;

	if (said > 1)
		return mlv_fail(
			error, MLV_ERROR_USAGE,
			"only one of --patch, --summary, --stat, --name-only, --name-status "
			"and --json can be given");
	*style = options->patch                      ? MLV_CHANGES_PATCH
		 : options->summary || options->stat ? MLV_CHANGES_SUMMARY
		 : options->names                    ? MLV_CHANGES_NAMES
		 : options->name_status              ? MLV_CHANGES_NAME_STATUS
		 : options->json                     ? MLV_CHANGES_JSON
						     : MLV_CHANGES_LINES;
	return TRUE;
}

/* --- sums ------------------------------------------------------------------------------------- */

static void add_part(GString *out, guint64 count, const char *word, char sign, guint64 bytes)
{
	g_autofree char *size = mlv_ui_size(bytes);

	if (count == 0)
		return;
	g_string_append_printf(out, "%s%" G_GUINT64_FORMAT " %s", out->len ? ", " : "", count,
			       word);
	if (sign)
		g_string_append_printf(out, " (%c%s)", sign, size);
}

/* "2 added (+1.2 MiB), 1 modified; +1.3 MiB in all" */
static void print_sum(const MlvChanges *changes)
{
	const MlvChangeTotals *totals = &changes->totals;
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *delta = mlv_changes_delta(totals->delta);

	add_part(out, totals->added, "added", '+', totals->bytes_added);
	add_part(out, totals->removed, "deleted", '-', totals->bytes_removed);
	add_part(out, totals->modified, "modified", 0, 0);
	add_part(out, totals->renamed, "renamed", 0, 0);
	add_part(out, totals->unread, "not compared", 0, 0);
	if (out->len == 0)
		g_string_append(out, "no files changed");
	printf("%s%s; %s in all\n", changes->indent ? changes->indent : "", out->str, delta);
}

/* --- one line --------------------------------------------------------------------------------- */

static const char *word_of(MlvChangeKind kind)
{
	switch (kind) {
	case MLV_CHANGE_ADDED:
		return "added";
	case MLV_CHANGE_REMOVED:
		return "deleted";
	case MLV_CHANGE_RENAMED:
		return "renamed";
	case MLV_CHANGE_TYPE:
		return "typechange";
	default:
		return "modified";
	}
}

static MlvColor color_of(MlvChangeKind kind)
{
	switch (kind) {
	case MLV_CHANGE_ADDED:
		return MLV_COLOR_GREEN;
	case MLV_CHANGE_REMOVED:
		return MLV_COLOR_RED;
	case MLV_CHANGE_RENAMED:
		return MLV_COLOR_CYAN;
	default:
		return MLV_COLOR_YELLOW;
	}
}

static char *side_size(const MlvChangeSide *side)
{
	g_autofree char *size = mlv_ui_size(side->bytes);
	g_autofree char *files = NULL;

	if (side->mode != MLV_MODE_DIRECTORY)
		return g_steal_pointer(&size);
	files = mlv_ui_plural(side->files, "file");
	return g_strdup_printf("%s, %s", files, size);
}

/* What stands behind the path. */
static char *describe(const MlvChange *change)
{
	g_autofree char *from = side_size(&change->from);
	g_autofree char *to = side_size(&change->to);
	g_autofree char *delta = mlv_changes_delta((gint64)(change->to.bytes - change->from.bytes));
	const char *unread = change->unread ? " (not here; 'mlv fetch' brings it)" : "";

	if (change->kind == MLV_CHANGE_ADDED || change->kind == MLV_CHANGE_RENAMED)
		return g_strconcat(to, unread, NULL);
	if (change->kind == MLV_CHANGE_REMOVED)
		return g_strconcat(from, unread, NULL);
	if (change->kind == MLV_CHANGE_TYPE)
		return g_strdup_printf("%s -> %s", mlv_cmd_kind(change->from.mode),
				       mlv_cmd_kind(change->to.mode));
	if (change->from.mode != change->to.mode &&
	    mlv_ref_equal(&change->from.ref, &change->to.ref))
		return g_strdup(change->to.mode == MLV_MODE_EXECUTABLE ? "now executable"
								       : "no longer executable");
	if (strcmp(from, to) == 0)
		return g_strdup_printf("%s -> %s (%s)%s", from, to, delta, unread);
	return g_strdup_printf("%s -> %s%s", from, to, unread);
}

/* A name for people; a directory's ends in a slash. */
static char *name_of(const char *path, const MlvChangeSide *side)
{
	g_autofree char *folder = side->mode == MLV_MODE_DIRECTORY && !g_str_has_suffix(path, "/")
					  ? g_strconcat(path, "/", NULL)
					  : NULL;

	return mlv_ui_name(folder ? folder : path);
}

static void print_line(const MlvChanges *changes, const MlvChange *change)
{
	const MlvUi *ui = changes->cmd->ui;
	const MlvChangeSide *side = change->to.mode ? &change->to : &change->from;
	g_autofree char *name = name_of(change->path, side);
	g_autofree char *from = change->from_path ? name_of(change->from_path, side) : NULL;
	g_autofree char *text = describe(change);

	printf("%s%s%c%s  %s%s%s  %s\n", changes->indent ? changes->indent : "",
	       mlv_ui_color(ui, color_of(change->kind)), change->kind,
	       mlv_ui_color(ui, MLV_COLOR_RESET), from ? from : "", from ? " -> " : "", name, text);
}

static void print_name(const MlvChanges *changes, const MlvChange *change)
{
	g_autofree char *from = NULL;

	if (changes->style == MLV_CHANGES_NAMES) {
		mlv_ui_put_name(change->path, changes->zero);
		return;
	}
	printf("%c%c", change->kind, changes->zero ? '\0' : '\t');
	if (change->from_path && changes->zero) {
		mlv_ui_put_name(change->from_path, TRUE);
	} else if (change->from_path) {
		from = mlv_ui_name(change->from_path);
		printf("%s\t", from);
	}
	mlv_ui_put_name(change->path, changes->zero);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void set_side(json_t *object, const char *key, const MlvChangeSide *side)
{
	json_t *value;

	if (side->mode == 0)
		return;
	value = json_object();
	mlv_cmd_json_data(value, side->mode, &side->ref, side->files, side->bytes);
	json_object_set_new(object, key, value);
}

static gboolean add_json(const MlvChanges *changes, const MlvChange *change, GError **error)
{
	json_t *object = json_object();

	mlv_json_set_text(object, "change", word_of(change->kind));
	mlv_json_set_path(object, "path", change->path);
	mlv_json_set_path(object, "target", change->target);
	if (change->from_path)
		mlv_json_set_path(object, "from", change->from_path);
	set_side(object, "old", &change->from);
	set_side(object, "new", &change->to);
	if (change->unread)
		mlv_json_set_bool(object, "not_compared", TRUE);
	if (changes->stream)
		return mlv_json_stream_add(changes->stream, object, error);
	json_array_append_new(changes->array, object);
	return TRUE;
}

/* --- all of them ------------------------------------------------------------------------------ */

static void end_target(MlvChanges *changes)
{
	if (changes->target && changes->style == MLV_CHANGES_SUMMARY) {
		g_autofree char *name = mlv_ui_name(changes->target);
		g_autofree char *totals = mlv_changes_totals(&changes->target_totals);

		printf("%s%s  %s\n", changes->indent ? changes->indent : "", name, totals);
	}
	memset(&changes->target_totals, 0, sizeof(changes->target_totals));
	g_clear_pointer(&changes->target, g_free);
}

static void begin_target(MlvChanges *changes, const MlvChange *change)
{
	const MlvUi *ui = changes->cmd->ui;

	if (g_strcmp0(changes->target, change->target) == 0)
		return;
	end_target(changes);
	changes->target = g_strdup(change->target);
	/* A file of its own has its line and needs no heading. */
	if ((changes->style == MLV_CHANGES_LINES || changes->style == MLV_CHANGES_PATCH) &&
	    strcmp(change->path, change->target) != 0) {
		g_autofree char *name = mlv_ui_name(change->target);

		printf("%s%s%s/%s\n", changes->indent ? changes->indent : "",
		       mlv_ui_color(ui, MLV_COLOR_BOLD), name, mlv_ui_color(ui, MLV_COLOR_RESET));
	}
}

gboolean mlv_changes_visit(const MlvChange *change, gpointer user, GError **error)
{
	MlvChanges *changes = user;

	changes->count++;
	mlv_change_totals_add(&changes->totals, change);
	begin_target(changes, change);
	mlv_change_totals_add(&changes->target_totals, change);
	switch (changes->style) {
	case MLV_CHANGES_LINES:
		print_line(changes, change);
		break;
	case MLV_CHANGES_PATCH:
		print_line(changes, change);
		if (!mlv_changes_patch(changes, change, error))
			return FALSE;
		break;
	case MLV_CHANGES_SUMMARY:
		break;
	case MLV_CHANGES_NAMES:
	case MLV_CHANGES_NAME_STATUS:
		print_name(changes, change);
		break;
	case MLV_CHANGES_JSON:
		if (!add_json(changes, change, error))
			return FALSE;
		break;
	}
	return mlv_cmd_keep_going(changes->cmd, error);
}

gboolean mlv_changes_end(MlvChanges *changes, GError **error)
{
	end_target(changes);
	if (changes->count > 0 && changes->style <= MLV_CHANGES_SUMMARY)
		print_sum(changes);
	return mlv_cmd_keep_going(changes->cmd, error);
}
