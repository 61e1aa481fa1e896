/* SPDX-License-Identifier: Apache-2.0 */
/* A lineage as lines for people: what something was made from is indented below it, and what was
 * made of it likewise. What was told before is not told again. */
#include <string.h>

#include "cmd/lineage_print.h"
#include "cmd/look.h"
#include "cmd/run_json.h"

#define INDENT_MAX 200
#define STEP       2  /* columns to the right for each level */
#define ID_SHOWN   12 /* digits */
#define RUNS_SHOWN 3
#define USES_SHOWN 10 /* stages of other revisions */

typedef struct {
	MlvCmd *cmd;
	MlvRepo *repo;
	const MlvLineage *lineage;
	GHashTable *up, *down; /* number + 1 of stages that were told of */
} Text;

char *mlv_lineage_command(const MlvLineageStage *stage)
{
	const GPtrArray *cmds = stage->step->block->cmds;
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < cmds->len; i++)
		g_string_append_printf(text, "%s%s", i > 0 ? "; " : "", (char *)cmds->pdata[i]);
	return mlv_ui_printable(text->str);
}

static void indent(guint columns)
{
	for (guint i = 0; i < MIN(columns, INDENT_MAX); i++)
		putchar(' ');
}

/* --- facts ------------------------------------------------------------------------------------ */

static void print_commit(const Text *text, const MlvOid *oid, const char *before, guint columns)
{
	const MlvUi *ui = text->cmd->ui;
	g_autoptr(MlvCommit) commit = mlv_git_commit_read(text->repo, oid, NULL);

	if (!commit)
		return;
	g_autofree char *hex = mlv_git_short_oid(text->repo, oid);
	g_autofree char *date = mlv_cmd_date(commit->author_time, commit->author_offset);
	g_autofree char *author = mlv_ui_printable(commit->author_name);
	g_autofree char *subject = mlv_commit_subject(commit);
	g_autofree char *shown = mlv_ui_printable(subject);
	indent(columns);
	printf("%scommit %s%s%s  %s  %s  %s\n", before, mlv_ui_color(ui, MLV_COLOR_YELLOW), hex,
	       mlv_ui_color(ui, MLV_COLOR_RESET), date, author, shown);
}

static void print_runs(const GPtrArray *runs, guint columns)
{
	if (runs->len == 0)
		return;
	indent(columns);
	printf(runs->len == 1 ? "run " : "runs ");
	for (guint i = 0; i < MIN(runs->len, RUNS_SHOWN); i++) {
		g_autofree char *name = mlv_ui_printable(runs->pdata[i]);
		printf("%s%s", i > 0 ? ", " : "", name);
	}
	if (runs->len > RUNS_SHOWN)
		printf(", and %u more", runs->len - RUNS_SHOWN);
	putchar('\n');
}

static void print_params(const MlvLockStage *block, guint columns)
{
	if (block->params->len == 0)
		return;
	indent(columns);
	printf("with ");
	for (guint i = 0; i < block->params->len; i++) {
		const MlvParam *param = block->params->pdata[i];
		g_autofree char *value = mlv_run_value_text(param->value);
		g_autofree char *one =
			strcmp(param->file, "params.yaml") == 0
				? g_strdup_printf("%s=%s", param->key, value)
				: g_strdup_printf("%s:%s=%s", param->file, param->key, value);
		g_autofree char *shown = mlv_ui_printable(one);
		printf("%s%s", i > 0 ? ", " : "", shown);
	}
	putchar('\n');
}

static void print_stage(const Text *text, const MlvLineageStage *stage, guint columns)
{
	const GArray *commits = stage->step->commits;

	print_params(stage->step->block, columns);
	/* The oldest is the one that brought it; others brought it again. */
	if (commits->len > 0)
		print_commit(text, &g_array_index(commits, MlvOid, commits->len - 1), "", columns);
	print_runs(stage->step->runs, columns);
}

static void print_data(const Text *text, const MlvLineageData *data, const char *before,
		       guint columns)
{
	const MlvUi *ui = text->cmd->ui;
	g_autofree char *name = mlv_ui_name(data->path);
	char hex[MLV_ID_HEX + 1];

	indent(columns);
	printf("%s%s%s%s", before, mlv_ui_color(ui, MLV_COLOR_BOLD), name,
	       mlv_ui_color(ui, MLV_COLOR_RESET));
	if (data->has_id) {
		mlv_id_format(&data->held.ref.id, hex);
		printf("  %.*s", ID_SHOWN, hex);
	} else if (data->etag) {
		g_autofree char *etag = mlv_ui_printable(data->etag);
		printf("  etag %s", etag);
	}
	putchar('\n');
}

/* --- up --------------------------------------------------------------------------------------- */

static void print_origin(const Text *text, const MlvLineageData *data, guint columns)
{
	static const char *const words[] = {
		[MLV_ORIGIN_UNKNOWN] = "from where is not recorded",
		[MLV_ORIGIN_ADDED] = "added",
		[MLV_ORIGIN_GIT] = "git's",
		[MLV_ORIGIN_OUTSIDE] = "from outside of the repository",
		[MLV_ORIGIN_URL] = "read where it lies",
	};

	if (data->origin == MLV_ORIGIN_STAGE)
		return;
	indent(columns);
	if (data->import) {
		g_autofree char *url = mlv_ui_printable(data->import->url);
		printf("imported from %s\n", url);
	} else {
		printf("%s%s\n", words[data->origin],
		       !data->has_commit && (data->origin == MLV_ORIGIN_ADDED ||
					     data->origin == MLV_ORIGIN_GIT)
			       ? "; no commit has this version"
			       : "");
	}
	if (data->has_commit)
		print_commit(text, &data->commit,
			     data->exact || data->origin != MLV_ORIGIN_GIT ? ""
									   : "changed last by ",
			     columns);
	print_runs(data->runs, columns);
}

static void print_up(Text *text, guint number, guint columns)
{
	const MlvLineageData *data = mlv_lineage_data(text->lineage, number);

	print_origin(text, data, columns);
	for (guint i = 0; i < data->made_by->len; i++) {
		guint at = g_array_index(data->made_by, guint, i);
		const MlvLineageStage *stage = mlv_lineage_stage(text->lineage, at);
		g_autofree char *name = mlv_ui_printable(stage->step->address);
		g_autofree char *command = mlv_lineage_command(stage);
		indent(columns);
		if (!g_hash_table_add(text->up, GUINT_TO_POINTER(at + 1))) {
			printf("made by %s  (above)\n", name);
			continue;
		}
		printf("made by %s%s: %s\n", name,
		       stage->step->current ? "" : " of another revision", command);
		print_stage(text, stage, columns + STEP);
		for (guint j = 0; j < stage->deps->len; j++) {
			guint dep = g_array_index(stage->deps, guint, j);
			print_data(text, mlv_lineage_data(text->lineage, dep), "from ",
				   columns + STEP);
			print_up(text, dep, columns + 2 * STEP);
		}
	}
	if (data->ended && data->made_by->len == 0) {
		indent(columns);
		printf("made by a stage beyond --depth\n");
	}
}

/* --- down ------------------------------------------------------------------------------------- */

static void print_down(Text *text, guint number, guint columns);

static void print_use(Text *text, const MlvLineageUse *use, guint columns)
{
	const MlvLineageStage *stage = mlv_lineage_stage(text->lineage, use->stage);
	g_autofree char *name = mlv_ui_printable(stage->step->address);
	g_autofree char *command = mlv_lineage_command(stage);

	indent(columns);
	if (!g_hash_table_add(text->down, GUINT_TO_POINTER(use->stage + 1))) {
		printf("read by %s  (above)\n", name);
		return;
	}
	printf("read by %s%s%s: %s\n", name, stage->step->current ? "" : " of another revision",
	       use->other ? ", which ran with another version" : "", command);
	print_stage(text, stage, columns + STEP);
	for (guint i = 0; i < stage->outs->len; i++) {
		guint out = g_array_index(stage->outs, guint, i);
		print_data(text, mlv_lineage_data(text->lineage, out), "made ", columns + STEP);
		print_down(text, out, columns + 2 * STEP);
	}
}

static void print_down(Text *text, guint number, guint columns)
{
	const MlvLineageData *data = mlv_lineage_data(text->lineage, number);
	guint others = 0;

	for (guint i = 0; i < data->read_by->len; i++) {
		const MlvLineageUse *use = &g_array_index(data->read_by, MlvLineageUse, i);
		if (!mlv_lineage_stage(text->lineage, use->stage)->step->current)
			others++;
		if (others <= USES_SHOWN)
			print_use(text, use, columns);
	}
	if (others > USES_SHOWN) {
		indent(columns);
		printf("and %u more stages of other revisions; --json has all\n",
		       others - USES_SHOWN);
	}
	if (data->ended && data->read_by->len == 0 && data->made_by->len == 0) {
		indent(columns);
		printf("read by stages beyond --depth\n");
	}
}

gboolean mlv_lineage_print_text(MlvCmd *cmd, const MlvLineage *lineage, gboolean up, GError **error)
{
	const GArray *subjects = mlv_lineage_subjects(lineage);
	g_autoptr(GHashTable) told_up = g_hash_table_new(NULL, NULL);
	g_autoptr(GHashTable) told_down = g_hash_table_new(NULL, NULL);
	Text text = { cmd, cmd->repo, lineage, told_up, told_down };

	for (guint i = 0; i < subjects->len; i++) {
		guint subject = g_array_index(subjects, guint, i);
		if (i > 0)
			putchar('\n');
		print_data(&text, mlv_lineage_data(lineage, subject), "", 0);
		if (up)
			print_up(&text, subject, STEP);
		print_down(&text, subject, STEP);
		if (!mlv_cmd_keep_going(cmd, error))
			return FALSE;
	}
	return TRUE;
}
