/* SPDX-License-Identifier: Apache-2.0 */
/* libfyaml is asked for events only: it knows no limits that a foreign file would respect, so that
 * depth, aliases and sizes are judged by those who take them. */
#include <string.h>

#include "core/yaml_private.h"

/* Bytes of an error's text that are kept. */
#define REPORT_MAX 4096

/* What the library says of an error comes as text: "NAME:LINE:COLUMN: error: WHAT", then the
 * line. (To let it collect errors instead would leak them.) */
static void take_report(struct fy_diag *diag, void *user, const char *text, size_t length)
{
	GString *report = user;

	if (report->len < REPORT_MAX)
		g_string_append_len(report, text, (gssize)MIN(length, REPORT_MAX));
}

void mlv_yaml_reader_close(MlvYamlReader *reader)
{
	g_clear_pointer(&reader->parser, fy_parser_destroy);
	g_clear_pointer(&reader->diag, fy_diag_unref);
	g_clear_pointer(&reader->anchors, g_hash_table_unref);
	g_clear_pointer(&reader->file, g_ref_string_release);
	g_string_free(reader->report, TRUE);
}

void mlv_yaml_reader_open(MlvYamlReader *reader, const char *data, gsize length, const char *label)
{
	struct fy_diag_cfg diagnostics;

	fy_diag_cfg_default(&diagnostics);
	diagnostics.fp = NULL;
	*reader = (MlvYamlReader){ .data = data,
				   .label = label,
				   .file = g_ref_string_new(label),
				   .report = g_string_new("") };
	diagnostics.output_fn = take_report;
	diagnostics.user = reader->report;
	diagnostics.level = FYET_ERROR;
	reader->anchors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						(GDestroyNotify)mlv_value_unref);
	reader->diag = fy_diag_create(&diagnostics);
	g_assert(reader->diag);
	struct fy_parse_cfg config = {
		.flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_SLOPPY_FLOW_INDENTATION |
			 FYPCF_JSON_NONE | FYPCF_ALLOW_DUPLICATE_KEYS,
		.diag = reader->diag,
	};
	reader->parser = fy_parser_create(&config);
	g_assert(reader->parser);
	fy_parser_set_string(reader->parser, data, length);
}

/* Whether the line has a template that stands unquoted in brackets, which YAML takes apart. */
static gboolean has_bare_template(const MlvYamlReader *reader, guint line)
{
	const char *at = reader->data;

	for (guint i = 1; i < line && at; i++) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	if (!at)
		return FALSE;
	gsize length = strcspn(at, "\n");
	const char *template = g_strstr_len(at, (gssize)length, "${");
	const char *bracket = strpbrk(at, "[{");
	return template && bracket && bracket < template;
}

/* The place and the words of the first error that was reported. */
static char *parse_report(const char *report, MlvWhere *where)
{
	static const char mark[] = ": error: ";
	const char *what = strstr(report, mark);

	if (!what)
		return g_strdup("cannot be read as YAML");
	const char *at = what;
	for (int colons = 0; at > report && colons < 2; at--)
		colons += at[-1] == ':';
	char *end;
	guint64 line = g_ascii_strtoull(at + 1, &end, 10);
	guint64 column = *end == ':' ? g_ascii_strtoull(end + 1, NULL, 10) : 1;
	where->line = (guint32)CLAMP(line, 1, G_MAXUINT32);
	where->column = (guint32)CLAMP(column, 1, G_MAXUINT32);
	what += strlen(mark);
	return g_strndup(what, strcspn(what, "\n"));
}

static gpointer fail_library(MlvYamlReader *reader, GError **error)
{
	MlvWhere where = { reader->label, 1, 1 };
	g_autofree char *text = parse_report(reader->report->str, &where);

	mlv_fail_at(error, &where, MLV_ERROR_CORRUPT, "%s%s", text,
		    has_bare_template(reader, where.line)
			    ? "; within [ ] and { } put quotes around '${...}'"
			    : "");
	return NULL;
}

MlvYamlEvent *mlv_yaml_next_event(MlvYamlReader *reader, GError **error)
{
	MlvYamlEvent *event = fy_parser_parse(reader->parser);

	if (!event || fy_parser_get_stream_error(reader->parser)) {
		if (event)
			mlv_yaml_event_free(reader, event);
		return fail_library(reader, error);
	}
	return event;
}

char *mlv_yaml_token_text(struct fy_token *token)
{
	size_t length = 0;
	const char *text = token ? fy_token_get_text(token, &length) : NULL;
	return text ? g_strndup(text, length) : NULL;
}

/* --- places ----------------------------------------------------------------------------------- */

gpointer mlv_yaml_fail_event(MlvYamlReader *reader, MlvYamlEvent *event, GError **error,
			     const char *format, ...)
{
	const struct fy_mark *mark = fy_event_start_mark(event);
	MlvWhere where = { reader->label, mark ? (guint32)mark->line + 1 : 1,
			   mark ? (guint32)mark->column + 1 : 1 };
	va_list arguments;

	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	mlv_fail_at(error, &where, MLV_ERROR_CORRUPT, "%s", text);
	return NULL;
}

void mlv_yaml_place(MlvYamlReader *reader, MlvValue *value, MlvYamlEvent *event,
		    MlvValueStyle style)
{
	const struct fy_mark *start = fy_event_start_mark(event);
	const struct fy_mark *end = fy_event_end_mark(event);

	value->style = (guint8)style;
	if (!start || !end)
		return;
	mlv_value_set_where(value, reader->file, (guint32)start->line + 1,
			    (guint32)start->column + 1);
	value->start = (guint32)start->input_pos;
	value->end = (guint32)end->input_pos;
}

gboolean mlv_yaml_count(MlvYamlReader *reader, MlvYamlEvent *event, guint64 weight, GError **error)
{
	reader->weight += MIN(weight, MLV_YAML_WEIGHT_MAX + 1);
	if (reader->weight > MLV_YAML_WEIGHT_MAX)
		return mlv_yaml_fail_event(reader, event, error,
					   "more than %u values, counting what aliases repeat",
					   MLV_YAML_WEIGHT_MAX) != NULL;
	return TRUE;
}

void mlv_yaml_event_free(MlvYamlReader *reader, MlvYamlEvent *event)
{
	fy_parser_event_free(reader->parser, event);
}
