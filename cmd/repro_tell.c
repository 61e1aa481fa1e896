/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/repro_tell.h"

#include <string.h>

#define LINE_MAX_BYTES 65536 /* of a line that does not end */
#define REASONS_SHOWN  3

void mlv_repro_tell_init(MlvReproTell *tell, MlvCmd *cmd, gboolean dry_run, gboolean prefix,
			 gboolean json)
{
	tell->cmd = cmd;
	tell->dry_run = dry_run;
	tell->prefix = prefix;
	tell->stages = json ? json_array() : NULL;
	tell->partial = g_hash_table_new(NULL, NULL);
}

static void free_line(gpointer stage, gpointer line, gpointer user)
{
	g_string_free(line, TRUE);
}

void mlv_repro_tell_clear(MlvReproTell *tell)
{
	if (!tell->partial)
		return;
	g_hash_table_foreach(tell->partial, free_line, NULL);
	g_hash_table_unref(tell->partial);
	json_decref(tell->stages);
}

/* --- what stages print ------------------------------------------------------------------------ */

/* Results of --json have stdout for themselves. */
static FILE *stream(const MlvReproTell *tell)
{
	return tell->stages || tell->anew ? stderr : stdout;
}

static void put_line(const MlvReproTell *tell, const MlvStage *stage, const char *line,
		     gsize length)
{
	FILE *out = stream(tell);
	g_autofree char *name = mlv_ui_printable(stage->address);

	fprintf(out, "%s | ", name);
	fwrite(line, 1, length, out);
	if (length == 0 || line[length - 1] != '\n')
		fputc('\n', out);
}

static void put_lines(MlvReproTell *tell, const MlvStage *stage, const char *data, gsize length)
{
	GString *line = g_hash_table_lookup(tell->partial, stage);

	if (!line) {
		line = g_string_new(NULL);
		g_hash_table_insert(tell->partial, (gpointer)stage, line);
	}
	while (length > 0) {
		const char *end = memchr(data, '\n', length);
		gsize part = end ? (gsize)(end - data) + 1 : length;
		g_string_append_len(line, data, (gssize)part);
		data += part;
		length -= part;
		if (end || line->len > LINE_MAX_BYTES) {
			put_line(tell, stage, line->str, line->len);
			g_string_truncate(line, 0);
		}
	}
}

static void tell_output(const MlvStage *stage, const guint8 *data, gsize length, gpointer user)
{
	MlvReproTell *tell = user;

	if (tell->cmd->ui->quiet)
		return;
	if (tell->prefix)
		put_lines(tell, stage, (const char *)data, length);
	else
		fwrite(data, 1, length, stream(tell));
	fflush(stream(tell));
}

static void end_line(MlvReproTell *tell, const MlvStage *stage)
{
	GString *line = g_hash_table_lookup(tell->partial, stage);

	if (line && line->len > 0) {
		put_line(tell, stage, line->str, line->len);
		fflush(stream(tell));
		g_string_truncate(line, 0);
	}
}

/* --- stages ----------------------------------------------------------------------------------- */

static void tell_begin(const MlvStage *stage, const GPtrArray *reasons, gpointer user)
{
	MlvReproTell *tell = user;
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < MIN(reasons->len, REASONS_SHOWN); i++) {
		g_autofree char *one = mlv_reason_text(reasons->pdata[i]);
		g_string_append_printf(text, "%s%s", i > 0 ? "; " : "", one);
	}
	if (reasons->len > REASONS_SHOWN)
		g_string_append_printf(text, "; and %u more", reasons->len - REASONS_SHOWN);
	if (tell->anew)
		mlv_ui_note(tell->cmd->ui, "%s: running", stage->address);
	else
		mlv_ui_note(tell->cmd->ui, "%s: running, since %s", stage->address, text->str);
	for (guint i = 0; i < stage->cmds->len; i++)
		mlv_ui_detail(tell->cmd->ui, "%s: > %s", stage->address,
			      (char *)stage->cmds->pdata[i]);
}

static void tell_dry(const MlvReproTell *tell, const MlvReproOutcome *outcome)
{
	g_autofree char *name = mlv_ui_printable(outcome->stage->address);
	g_autofree char *why = outcome->why ? mlv_ui_printable(outcome->why) : NULL;

	if (outcome->result == MLV_REPRO_RAN)
		printf("would run %s\n", name);
	else if (outcome->result == MLV_REPRO_RESTORED)
		printf("would restore %s\n", name);
	else if (outcome->result == MLV_REPRO_FROZEN)
		printf("frozen %s\n", name);
	else if (outcome->result == MLV_REPRO_FAILED)
		printf("cannot run %s: %s\n", name, why);
	else
		return;
	if (outcome->result == MLV_REPRO_FROZEN || !outcome->reasons)
		return;
	for (guint i = 0; i < outcome->reasons->len; i++) {
		g_autofree char *text = mlv_reason_text(outcome->reasons->pdata[i]);
		g_autofree char *safe = mlv_ui_printable(text);
		printf("    %s\n", safe);
	}
}

static void tell_text(const MlvReproTell *tell, const MlvReproOutcome *outcome)
{
	MlvUi *ui = tell->cmd->ui;
	const char *name = outcome->stage->address;
	g_autofree char *time = mlv_ui_duration(outcome->duration);

	switch (outcome->result) {
	case MLV_REPRO_KEPT:
		mlv_ui_detail(ui, "%s: unchanged", name);
		break;
	case MLV_REPRO_FROZEN:
		mlv_ui_detail(ui, "%s: frozen", name);
		break;
	case MLV_REPRO_RAN:
		mlv_ui_note(ui, "%s: done in %s", name, time);
		break;
	case MLV_REPRO_RESTORED:
		mlv_ui_note(ui, "%s: restored", name);
		break;
	case MLV_REPRO_FAILED:
		mlv_ui_warn(ui, "%s: failed: %s", name, outcome->why);
		break;
	case MLV_REPRO_SKIPPED:
		mlv_ui_note(ui, "%s: not run: %s", name, outcome->why);
		break;
	case MLV_REPRO_INTERRUPTED:
		mlv_ui_note(ui, "%s: interrupted", name);
		break;
	}
}

static void tell_done(const MlvReproOutcome *outcome, gpointer user)
{
	MlvReproTell *tell = user;

	end_line(tell, outcome->stage);
	if (tell->stages)
		mlv_repro_json_add(tell, outcome);
	else if (tell->dry_run)
		tell_dry(tell, outcome);
	if (!tell->dry_run)
		tell_text(tell, outcome);
	if (outcome->trace && !tell->stages)
		mlv_repro_trace_print(tell, outcome);
}

static void tell_waiting(const MlvStage *stage, gpointer user)
{
	mlv_ui_note(((MlvReproTell *)user)->cmd->ui,
		    "%s: waiting for another process that makes it", stage->address);
}

static void tell_warning(const char *text, gpointer user)
{
	mlv_ui_warn(((MlvReproTell *)user)->cmd->ui, "%s", text);
}

void mlv_repro_tell_options(MlvReproTell *tell, MlvReproOptions *options)
{
	options->begin = tell_begin;
	options->output = tell_output;
	options->done = tell_done;
	options->waiting = tell_waiting;
	options->warn = tell_warning;
	options->user = tell;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void add_count(GString *text, guint count, const char *what)
{
	if (count > 0)
		g_string_append_printf(text, "%s%u %s", text->len > 0 ? ", " : "", count, what);
}

static void note_totals(const MlvReproTell *tell, const MlvReproTotals *totals)
{
	g_autoptr(GString) text = g_string_new(NULL);

	if (totals->ran + totals->restored + totals->failed + totals->skipped == 0) {
		mlv_ui_note(tell->cmd->ui, "nothing to do: %s %s as recorded",
			    totals->kept + totals->frozen == 1 ? "the stage" : "all stages",
			    totals->kept + totals->frozen == 1 ? "is" : "are");
		return;
	}
	add_count(text, totals->ran, tell->dry_run ? "would run" : "ran");
	add_count(text, totals->restored, tell->dry_run ? "would be restored" : "restored");
	add_count(text, totals->kept, "unchanged");
	add_count(text, totals->frozen, "frozen");
	add_count(text, totals->failed, "failed");
	add_count(text, totals->skipped, "not run");
	mlv_ui_note(tell->cmd->ui, "stages: %s", text->str);
}

gboolean mlv_repro_tell_end(MlvReproTell *tell, const char *run, const MlvReproTotals *totals,
			    GError **error)
{
	if (totals->failed > 0 || (tell->strict && totals->undeclared > 0))
		tell->cmd->status = MLV_EXIT_CHECK;
	if (!tell->stages) {
		note_totals(tell, totals);
		return TRUE;
	}
	return mlv_repro_json_print(tell, run, totals, error);
}
