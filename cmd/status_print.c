/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/status_rows.h"

#include <string.h>

#include "cmd/session.h"
#include "core/git_rev.h"

#define LINES_MAX 200 /* rows of one part that the long form shows */

static void row_free(gpointer data)
{
	StatusRow *row = data;

	g_free(row->path);
	g_free(row->from_path);
	g_free(row->why);
	g_free(row);
}

void mlv_status_print_init(MlvStatusPrint *print, MlvRepo *repo)
{
	print->repo = repo;
	print->rows = g_ptr_array_new_with_free_func(row_free);
	print->problems = json_array();
	print->brief |= print->zero;
}

void mlv_status_print_clear(MlvStatusPrint *print)
{
	g_ptr_array_unref(print->rows);
	json_decref(print->problems);
	g_free(print->remote_name);
}

void mlv_status_print_take(MlvStatusPrint *print, MlvStatusPart part, const MlvChange *change,
			   const char *why)
{
	StatusRow *row = g_new0(StatusRow, 1);
	const MlvChangeSide *side = change->to.mode != 0 ? &change->to : &change->from;

	row->part = part;
	row->kind = change->kind;
	row->path = g_strdup(change->path);
	row->from_path = g_strdup(change->from_path);
	row->why = g_strdup(why);
	row->bytes = side->bytes;
	row->files = side->files;
	row->directory = side->mode == MLV_MODE_DIRECTORY;
	g_ptr_array_add(print->rows, row);
}

void mlv_status_print_take_remote(MlvStatusPrint *print, const MlvChange *change)
{
	mlv_status_print_take(print, PART_REMOTE, change, NULL);
	print->not_remote++;
}

void mlv_status_print_problem(MlvStatusPrint *print, const char *path, const char *why)
{
	json_t *row = json_object();

	mlv_json_set_path(row, "path", path);
	mlv_json_set_text(row, "problem", why);
	json_array_append_new(print->problems, row);
	mlv_cmd_tell_problem(print->cmd, print->repo, path, why);
}

static guint64 count_part(const MlvStatusPrint *print, guint part)
{
	guint64 count = 0;

	for (guint i = 0; i < print->rows->len; i++)
		count += ((StatusRow *)print->rows->pdata[i])->part == part;
	return count;
}

/* --- long ------------------------------------------------------------------------------------- */

static const char *word_for(const StatusRow *row)
{
	switch (row->kind) {
	case MLV_CHANGE_ADDED:
		return "new file:   ";
	case MLV_CHANGE_REMOVED:
		return "deleted:    ";
	case MLV_CHANGE_RENAMED:
		return "renamed:    ";
	case MLV_CHANGE_TYPE:
		return "typechange: ";
	default:
		return "modified:   ";
	}
}

static void print_row(const MlvStatusPrint *print, const StatusRow *row, MlvColor color)
{
	g_autofree char *shown = mlv_repo_display(print->repo, row->path);
	g_autofree char *name = mlv_ui_name(shown);
	g_autofree char *size = mlv_ui_size(row->bytes);

	printf("\t%s", mlv_ui_color(print->cmd->ui, color));
	if (row->part == MLV_PART_UNMERGED) {
		g_autofree char *why = mlv_ui_printable(row->why ? row->why : "");
		printf("%s: %s", name, why);
	} else if (row->part == MLV_PART_MISSING || row->part == PART_REMOTE) {
		g_autofree char *files = mlv_ui_plural(row->files, "file");
		if (row->directory)
			printf("%s (%s, %s)", name, files, size);
		else
			printf("%s (%s)", name, size);
	} else if (row->from_path) {
		g_autofree char *from_shown = mlv_repo_display(print->repo, row->from_path);
		g_autofree char *from = mlv_ui_name(from_shown);
		printf("%s%s -> %s", word_for(row), from, name);
	} else {
		printf("%s%s", word_for(row), name);
	}
	printf("%s\n", mlv_ui_color(print->cmd->ui, MLV_COLOR_RESET));
}

static void print_part(const MlvStatusPrint *print, guint part, MlvColor color, const char *title,
		       const char *hint)
{
	guint64 count = count_part(print, part), shown = 0;

	if (count == 0)
		return;
	printf("%s:\n  (%s)\n", title, hint);
	for (guint i = 0; i < print->rows->len && shown < LINES_MAX; i++) {
		const StatusRow *row = print->rows->pdata[i];
		if (row->part == part) {
			print_row(print, row, color);
			shown++;
		}
	}
	if (shown < count)
		printf("\t... and %" G_GUINT64_FORMAT
		       " more; \"mlv status --short\" lists them all\n",
		       count - shown);
	printf("\n");
}

static void print_head(const MlvStatusPrint *print)
{
	g_autofree char *branch = mlv_git_branch(print->repo);
	MlvOid head;
	gboolean unborn = FALSE;

	if (branch) {
		g_autofree char *name = mlv_ui_printable(branch);
		printf("On branch %s\n", name);
	} else if (mlv_git_head(print->repo, &head, &unborn, NULL)) {
		g_autofree char *oid = mlv_git_short_oid(print->repo, &head);
		printf("HEAD detached at %s\n", oid);
	}
}

static void print_long(const MlvStatusPrint *print, const MlvStatusResult *result)
{
	g_autofree char *remote_title = g_strdup_printf(
		"Not on the remote '%s'", print->remote_name ? print->remote_name : "");
	const char *advice =
		result->moved_by_git
			? "git has moved pointers, as after a stash or reset: \"mlv checkout\" "
			  "brings the data in line; \"mlv add\" keeps the data as they are"
			: "use \"mlv add\" to store and stage them, \"mlv checkout -f -- PATH\" "
			  "to discard";

	print_head(print);
	print_part(print, MLV_PART_UNMERGED, MLV_COLOR_RED, "Unmerged data",
		   "bring the data to the state you want, then \"mlv add\" them");
	print_part(
		print, MLV_PART_STAGED, MLV_COLOR_GREEN, "Changes to be committed",
		"use \"mlv commit\" or \"git commit\"; \"git restore --staged FILE.mlv\" to unstage");
	print_part(print, MLV_PART_WORKSPACE, MLV_COLOR_RED, "Changes not staged for commit",
		   advice);
	print_part(print, MLV_PART_MISSING, MLV_COLOR_YELLOW, "Not in the store",
		   "use \"mlv pull\" to bring them from the remote");
	print_part(print, PART_REMOTE, MLV_COLOR_YELLOW, remote_title,
		   "use \"mlv push\" to send them");
	if (result->targets == 0 && print->limited)
		printf("nothing is tracked at these paths\n");
	else if (result->targets == 0)
		printf("nothing is tracked; use \"mlv add PATH\" to track data\n");
	else if (print->rows->len == 0)
		printf("nothing changed in %" G_GUINT64_FORMAT " tracked %s\n", result->targets,
		       result->targets == 1 ? "path" : "paths");
}

/* --- short ------------------------------------------------------------------------------------ */

/* The two letters of one path, index and work tree, from its rows in both parts. */
typedef struct {
	char x, y;
	const char *path, *from_path;
} Letters;

static int by_path(gconstpointer a, gconstpointer b)
{
	const StatusRow *one = *(const StatusRow *const *)a, *other = *(const StatusRow *const *)b;
	int order = strcmp(one->path, other->path);

	return order ? order : (one->part > other->part) - (one->part < other->part);
}

static void take_letters(const StatusRow *row, Letters *letters)
{
	switch (row->part) {
	case MLV_PART_STAGED:
		letters->x = (char)row->kind;
		break;
	case MLV_PART_WORKSPACE:
		letters->y = (char)row->kind;
		break;
	case MLV_PART_UNMERGED:
		letters->x = letters->y = 'U';
		break;
	default:
		if (letters->x == ' ' && letters->y == ' ')
			letters->x = letters->y = row->part == PART_REMOTE ? '^' : '!';
	}
	if (row->from_path)
		letters->from_path = row->from_path;
}

static void print_letters(const MlvStatusPrint *print, const Letters *letters)
{
	printf("%c%c ", letters->x, letters->y);
	if (print->zero) {
		mlv_ui_put_name(letters->path, TRUE);
		if (letters->from_path)
			mlv_ui_put_name(letters->from_path, TRUE);
		return;
	}
	if (letters->from_path) {
		g_autofree char *from = mlv_repo_display(print->repo, letters->from_path);
		g_autofree char *text = mlv_ui_name(from);
		printf("%s -> ", text);
	}
	g_autofree char *name = mlv_repo_display(print->repo, letters->path);
	mlv_ui_put_name(name, FALSE);
}

/* Sorted in place: a list of a million files is not to be held twice. */
static void print_brief(MlvStatusPrint *print)
{
	const GPtrArray *rows = print->rows;

	g_ptr_array_sort(print->rows, by_path);
	for (guint i = 0; i < rows->len;) {
		Letters letters = { ' ', ' ', ((StatusRow *)rows->pdata[i])->path, NULL };

		for (; i < rows->len; i++) {
			const StatusRow *row = rows->pdata[i];
			if (strcmp(row->path, letters.path) != 0)
				break;
			take_letters(row, &letters);
		}
		print_letters(print, &letters);
	}
}

gboolean mlv_status_print_end(MlvStatusPrint *print, const MlvStatusResult *result, GError **error)
{
	if (print->json)
		return mlv_status_print_json(print, result, error);
	if (print->brief)
		print_brief(print);
	else if (!print->cmd->ui->quiet)
		print_long(print, result);
	return TRUE;
}
