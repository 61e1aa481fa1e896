/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a verification, for people. */
#include <string.h>

#include "cmd/verify_call.h"
#include "core/measure/measures.h"

#define ENVIRONMENT_SHOWN 8u
/* What no stage names is not in the clean work tree, or is another there. */
#define TRACE_HINT  "; 'mlv repro --trace' shows what it reads that no stage names"
#define FILES_SHOWN 10u

/* --- texts that JUnit has too ----------------------------------------------------------------- */

static char *id_text(const MlvPointer *pointer)
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(&pointer->ref.id, hex);
	return g_strndup(hex, 12);
}

char *mlv_verify_out_text(const MlvRebuildOut *out)
{
	g_autofree char *was = id_text(&out->was), *now = id_text(&out->now);

	if (!out->has_now)
		return out->has_was ? g_strdup_printf("%s recorded, not made now", was)
				    : g_strdup("neither recorded nor made now");
	if (!out->has_was)
		return g_strdup_printf("not recorded, %s now", now);
	if (strcmp(was, now) == 0 && out->was.mode != out->now.mode)
		return g_strdup_printf("%s, and another mode than recorded", was);
	return g_strdup_printf("%s recorded, %s now", was, now);
}

char *mlv_verify_metric_text(const MlvRebuildMetric *metric)
{
	g_autofree char *was = mlv_measure_text(metric->was, 0);
	g_autofree char *now = mlv_measure_text(metric->now, 0);
	g_autofree char *difference =
		metric->difference ? mlv_measure_difference_text(metric->difference, 0) : NULL;

	if (!metric->now || !metric->was)
		return metric->was ? g_strdup_printf("%s recorded, none now", was)
				   : g_strdup_printf("none recorded, %s now", now);
	return difference ? g_strdup_printf("%s recorded, %s now (%s)", was, now, difference)
			  : g_strdup_printf("%s recorded, %s now", was, now);
}

static gboolean has_failed(const MlvRebuild *rebuild)
{
	for (guint i = 0; i < rebuild->stages->len; i++)
		if (((MlvRebuildStage *)rebuild->stages->pdata[i])->result == MLV_REPRO_FAILED)
			return TRUE;
	return FALSE;
}

char *mlv_verify_layer_text(const MlvRebuild *rebuild, MlvLayer layer, MlvRepeat repeat)
{
	switch (layer) {
	case MLV_LAYER_CODE:
		return g_strdup("the code is not what the record was made with");
	case MLV_LAYER_DATA:
		return g_strdup("the data are not what the record was made with");
	case MLV_LAYER_PARAMS:
		return g_strdup("the parameters are not what the record was made with");
	case MLV_LAYER_ENVIRONMENT:
		return g_strdup_printf("the environment is not that of run '%s'",
				       rebuild->environment_run);
	default:
		break;
	}
	if (repeat == MLV_REPEAT_OTHER)
		return g_strdup("the program is not deterministic: a second time it gave another "
				"result again");
	if (repeat == MLV_REPEAT_SAME)
		return g_strdup("the program is deterministic, but gives another result than "
				"recorded" TRACE_HINT);
	return g_strdup(has_failed(rebuild) ? "the program fails" TRACE_HINT
					    : "the program gives another result than recorded");
}

/* --- the page --------------------------------------------------------------------------------- */

static void tell_line(const char *head, const char *text)
{
	g_autofree char *whole = g_strconcat(head ? head : "", head ? ": " : "", text, NULL);
	g_autofree char *safe = mlv_ui_printable(whole);

	printf("    %s\n", safe);
}

static void tell_files(const MlvRebuildOut *out)
{
	guint count = out->files ? out->files->len : 0;
	guint64 more = out->more + count - MIN(count, FILES_SHOWN);

	for (guint i = 0; i < MIN(count, FILES_SHOWN); i++) {
		const MlvRebuildFile *file = out->files->pdata[i];
		g_autofree char *name = mlv_ui_name(file->path);
		printf("        %c %s\n", file->kind, name);
	}
	if (more > 0)
		printf("        and %" G_GUINT64_FORMAT " more\n", more);
}

static void tell_metrics(const GPtrArray *metrics)
{
	for (guint i = 0; i < metrics->len; i++) {
		const MlvRebuildMetric *metric = metrics->pdata[i];
		g_autofree char *text = mlv_verify_metric_text(metric);
		g_autofree char *name = g_strdup_printf("%s%s%s", metric->path ? metric->path : "",
							metric->path ? ": " : "", metric->name);
		g_autofree char *whole =
			g_strconcat(text, metric->tolerated ? ": tolerated" : "", NULL);
		if (metric->differs || metric->tolerated)
			tell_line(name, whole);
	}
}

static void tell_inputs(const MlvRebuildStage *stage)
{
	for (guint i = 0; i < stage->causes->len; i++) {
		const MlvRebuildCause *cause = stage->causes->pdata[i];
		g_autofree char *text =
			cause->stage ? g_strdup_printf("%s (by '%s')", cause->text, cause->stage)
				     : g_strdup(cause->text);
		tell_line(cause->stage ? "follows" : mlv_layer_name(cause->layer), text);
	}
}

static const char *repeat_text(MlvRepeat repeat)
{
	return repeat == MLV_REPEAT_OTHER  ? ", and is not deterministic"
	       : repeat == MLV_REPEAT_SAME ? ", and is deterministic"
					   : "";
}

static void tell_stage(const MlvVerifyCall *call, const MlvVerifySubject *subject,
		       const MlvRebuildStage *stage)
{
	g_autofree char *name = mlv_ui_printable(stage->address);
	gboolean failed = stage->result >= MLV_REPRO_FAILED;

	if (stage->result == MLV_REPRO_FROZEN || stage->result == MLV_REPRO_RESTORED)
		printf("%s: frozen, taken as it is\n", name);
	else if (!stage->differs)
		printf("%s: reproduced%s\n", name,
		       stage->causes->len > 0 ? ", of other inputs" : "");
	else if (failed)
		printf("%s: %s: %s\n", name,
		       stage->result == MLV_REPRO_SKIPPED ? "not run" : "failed",
		       stage->why ? stage->why : "interrupted");
	else
		printf("%s: differs%s\n", name, repeat_text(stage->repeat));
	for (guint i = 0; i < stage->outs->len; i++) {
		const MlvRebuildOut *out = stage->outs->pdata[i];
		g_autofree char *text = mlv_verify_out_text(out);
		g_autofree char *whole =
			g_strconcat(text, out->tolerated ? ": tolerated" : "", NULL);
		if (out->differs || out->tolerated)
			tell_line(out->path, whole);
		tell_files(out);
	}
	tell_metrics(stage->metrics);
	tell_inputs(stage);
	/* elsewhere it was shown as it came */
	if (failed && stage->log->len > 0 &&
	    (call->cmd->ui->quiet || (subject->run && !subject->run->run->stages)))
		fprintf(stderr, "%s%s", stage->log->str,
			g_str_has_suffix(stage->log->str, "\n") ? "" : "\n");
}

/* Whether anything differs that inputs do not explain. */
static gboolean is_unexplained(const MlvRebuild *rebuild)
{
	gboolean any = rebuild->layer >= MLV_LAYER_ENVIRONMENT;

	for (guint i = 0; i < rebuild->stages->len; i++)
		any |= ((MlvRebuildStage *)rebuild->stages->pdata[i])->layer >=
		       MLV_LAYER_ENVIRONMENT;
	return any;
}

static void tell_environment(const MlvRebuild *rebuild)
{
	guint count = rebuild->environment->len;

	if (!is_unexplained(rebuild))
		return;
	if (!rebuild->environment_run) {
		printf("environment: no run is recorded that made these outputs, so the one that "
		       "they were made in is not known\n");
		return;
	}
	if (count == 0) {
		printf("environment: as in run '%s'\n", rebuild->environment_run);
		return;
	}
	printf("environment: differs from that of run '%s'\n", rebuild->environment_run);
	for (guint i = 0; i < MIN(count, ENVIRONMENT_SHOWN); i++)
		tell_line(NULL, ((MlvRebuildCause *)rebuild->environment->pdata[i])->text);
	if (count > ENVIRONMENT_SHOWN)
		printf("    and %u more: 'mlv env diff %s'\n", count - ENVIRONMENT_SHOWN,
		       rebuild->environment_run);
}

static void count_all(const MlvRebuild *rebuild, guint *stages, guint *outs, guint *metrics)
{
	*metrics = rebuild->metrics->len;
	for (guint i = 0; i < rebuild->stages->len; i++) {
		const MlvRebuildStage *stage = rebuild->stages->pdata[i];
		*stages += stage->result != MLV_REPRO_FROZEN && stage->result != MLV_REPRO_RESTORED;
		*outs += stage->outs->len;
		*metrics += stage->metrics->len;
	}
}

void mlv_verify_tell(const MlvVerifyCall *call, const MlvVerifySubject *subject,
		     const MlvRebuild *rebuild)
{
	guint stages = 0, outs = 0, metrics = 0;

	for (guint i = 0; i < rebuild->stages->len; i++)
		tell_stage(call, subject, rebuild->stages->pdata[i]);
	for (guint i = 0; i < rebuild->metrics->len; i++)
		if (((MlvRebuildMetric *)rebuild->metrics->pdata[i])->differs) {
			printf("logged metrics: differ\n");
			break;
		}
	tell_metrics(rebuild->metrics);
	tell_environment(rebuild);
	count_all(rebuild, &stages, &outs, &metrics);
	if (!rebuild->reproduced) {
		g_autofree char *text =
			mlv_verify_layer_text(rebuild, rebuild->layer, rebuild->repeat);
		printf("%s: not reproduced: %s\n", subject->label, text);
		return;
	}
	g_autofree char *stages_text = mlv_ui_plural(stages, "stage");
	g_autofree char *outs_text = mlv_ui_plural(outs, "output");
	g_autofree char *metrics_text = mlv_ui_plural(metrics, "metric");
	printf("%s: reproduced: %s, %s and %s are as recorded\n", subject->label, stages_text,
	       outs_text, metrics_text);
}
