/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What came of a verification as JUnit's XML: a suite a stage, a case an output or metric. There
 * is no standard; this keeps to what Jenkins, GitLab and the actions for GitHub read.
 */
#include <string.h>

#include "cmd/output_file.h"
#include "cmd/verify_call.h"

typedef struct {
	GString *cases;
	const char *suite;
	guint count, failures;
} Suite;

/* XML has no control characters but these three, escaped or not. */
static char *escape(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	for (char *at = valid; *at; at++)
		if (((guchar)*at < ' ' && !strchr("\t\n\r", *at)) || *at == 0x7f)
			*at = '?';
	/* two characters that UTF-8 can hold and XML cannot: U+FFFE and U+FFFF */
	for (char *at = valid; (at = strstr(at, "\xef\xbf")) != NULL; at += 3)
		if ((guchar)at[2] >= 0xbe)
			at[2] = '\xbd';
	return g_markup_escape_text(valid, -1);
}

static void add_case(Suite *suite, const char *name, const char *kind, const char *failure,
		     const char *details)
{
	g_autofree char *case_name = escape(name);
	g_autofree char *class_name = escape(suite->suite);

	suite->count++;
	g_string_append_printf(suite->cases, "    <testcase name=\"%s\" classname=\"%s\"",
			       case_name, class_name);
	if (!failure) {
		g_string_append(suite->cases, "/>\n");
		return;
	}
	g_autofree char *message = escape(failure);
	g_autofree char *text = escape(details);
	suite->failures++;
	g_string_append_printf(suite->cases,
			       ">\n      <failure message=\"%s\" type=\"%s\">%s</failure>\n"
			       "    </testcase>\n",
			       message, kind, text);
}

static char *stage_details(const MlvRebuild *rebuild, const MlvRebuildStage *stage)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < stage->causes->len; i++) {
		const MlvRebuildCause *cause = stage->causes->pdata[i];
		const char *layer = mlv_layer_name(cause->layer);
		g_string_append_printf(text, "%s: %s\n", layer ? layer : "follows", cause->text);
	}
	if (stage->differs && stage->layer != MLV_LAYER_NONE) {
		g_autofree char *layer =
			mlv_verify_layer_text(rebuild, stage->layer, stage->repeat);
		g_string_append_printf(text, "%s\n", layer);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void add_metrics(Suite *suite, const GPtrArray *metrics, const char *details)
{
	for (guint i = 0; i < metrics->len; i++) {
		const MlvRebuildMetric *metric = metrics->pdata[i];
		g_autofree char *text = metric->differs ? mlv_verify_metric_text(metric) : NULL;
		g_autofree char *name = g_strdup_printf("%s%s%s", metric->path ? metric->path : "",
							metric->path ? ": " : "", metric->name);
		add_case(suite, name, "metric", text, details);
	}
}

static void add_stage_cases(Suite *suite, const MlvRebuild *rebuild, const MlvRebuildStage *stage)
{
	g_autofree char *details = stage_details(rebuild, stage);
	gboolean failed = stage->result >= MLV_REPRO_FAILED;

	if (failed || stage->outs->len + stage->metrics->len == 0)
		add_case(suite, "command", "stage",
			 failed ? (stage->why ? stage->why : "interrupted") : NULL, details);
	for (guint i = 0; i < stage->outs->len; i++) {
		const MlvRebuildOut *out = stage->outs->pdata[i];
		g_autofree char *text = out->differs ? mlv_verify_out_text(out) : NULL;
		add_case(suite, out->path, "output", text, details);
	}
	add_metrics(suite, stage->metrics, details);
}

static void append_suite(GString *to, const Suite *suite, gint64 duration, const GString *log)
{
	g_autofree char *name = escape(suite->suite);
	g_autofree char *text = log && log->len > 0 ? escape(log->str) : NULL;

	g_string_append_printf(to,
			       "  <testsuite name=\"%s\" tests=\"%u\" failures=\"%u\" errors=\"0\" "
			       "skipped=\"0\" time=\"%.3f\">\n%s",
			       name, suite->count, suite->failures,
			       (double)duration / G_USEC_PER_SEC, suite->cases->str);
	if (text)
		g_string_append_printf(to, "    <system-out>%s</system-out>\n", text);
	g_string_append(to, "  </testsuite>\n");
}

static gboolean is_taken(const MlvRebuildStage *stage)
{
	return stage->result == MLV_REPRO_FROZEN || stage->result == MLV_REPRO_RESTORED;
}

static char *make_xml(const MlvVerifySubject *subject, const MlvRebuild *rebuild)
{
	g_autoptr(GString) suites = g_string_new(NULL);
	g_autofree char *label = escape(subject->label);
	guint count = 0, failures = 0;
	gint64 duration = 0;

	for (guint i = 0; i <= rebuild->stages->len; i++) {
		const MlvRebuildStage *stage =
			i < rebuild->stages->len ? rebuild->stages->pdata[i] : NULL;
		g_autoptr(GString) cases = g_string_new(NULL);
		Suite suite = { .cases = cases, .suite = stage ? stage->address : "logged" };
		if (stage ? is_taken(stage) : rebuild->metrics->len == 0)
			continue;
		if (stage)
			add_stage_cases(&suite, rebuild, stage);
		else
			add_metrics(&suite, rebuild->metrics, "");
		append_suite(suites, &suite, stage ? stage->duration : 0,
			     stage && stage->differs ? stage->log : NULL);
		count += suite.count;
		failures += suite.failures;
		duration += stage ? stage->duration : 0;
	}
	return g_strdup_printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			       "<testsuites name=\"mlv repro --verify: %s\" tests=\"%u\" "
			       "failures=\"%u\" errors=\"0\" time=\"%.3f\">\n%s</testsuites>\n",
			       label, count, failures, (double)duration / G_USEC_PER_SEC,
			       suites->str);
}

gboolean mlv_verify_junit(const MlvVerifyCall *call, const MlvVerifySubject *subject,
			  const MlvRebuild *rebuild, GError **error)
{
	g_autofree char *xml = make_xml(subject, rebuild);
	g_autoptr(MlvOutputFile) out =
		mlv_output_file_open(call->cmd, call->junit, "a report", error);

	return out && mlv_output_file_write(xml, strlen(xml), out, error) &&
	       mlv_output_file_close(out, FALSE, error);
}
