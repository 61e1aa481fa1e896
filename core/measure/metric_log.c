/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/metric_log.h"

#include <string.h>

#define NAME_MAX_BYTES 4096

/* A number found in a line that is not known to be sound yet. */
typedef struct {
	gsize name; /* where it begins in Reader.names */
	double value;
} Found;

typedef struct {
	MlvLog *log;
	MlvLogWhat what;
	const char *label;
	GHashTable *by_name; /* of MlvLogMetric *, borrowed from the log */
	/* Of the line under way. */
	GString *prefix;
	GString *names; /* each ended by NUL */
	GArray *found;
	gboolean has_step;
	double step;
} Reader;

static void metric_free(MlvLogMetric *metric)
{
	g_free(metric->name);
	g_clear_pointer(&metric->steps, g_array_unref);
	g_clear_pointer(&metric->values, g_array_unref);
	g_free(metric);
}

void mlv_log_free(MlvLog *log)
{
	if (!log)
		return;
	g_ptr_array_unref(log->metrics);
	g_free(log);
}

/* --- a line ----------------------------------------------------------------------------------- */

static void enter(Reader *reader, const char *key, gsize length)
{
	if (reader->prefix->len > 0)
		g_string_append_c(reader->prefix, '.');
	g_string_append_len(reader->prefix, key, (gssize)length);
}

/* A number under the name in the prefix. */
static void take_number(Reader *reader, double value, gboolean top)
{
	Found found = { reader->names->len, value };

	if (top && strcmp(reader->prefix->str, "step") == 0) {
		reader->has_step = TRUE;
		reader->step = value;
	} else if (!top || strcmp(reader->prefix->str, "time") != 0) {
		if (reader->prefix->len > NAME_MAX_BYTES)
			return;
		g_string_append_len(reader->names, reader->prefix->str,
				    (gssize)reader->prefix->len + 1);
		g_array_append_val(reader->found, found);
	}
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

/* A string without escapes; NULL for anything else. `at` is behind the first quote; gives where its
 * last quote is. */
static const char *plain_string(const char *at, const char *end)
{
	while (at < end && (guchar)*at >= 0x20 && (guchar)*at < 0x7f && *at != '"' && *at != '\\')
		at++;
	return at < end && *at == '"' ? at : NULL;
}

/* A number as JSON writes it. The text must be followed by a byte that is none of a number. */
static const char *plain_number(const char *at, double *value)
{
	const char *start = at;
	char *stop;

	at += *at == '-';
	if (!g_ascii_isdigit(*at) || (*at == '0' && g_ascii_isalnum(at[1])))
		return NULL;
	while (g_ascii_isdigit(*at) || *at == '.' || *at == 'e' || *at == 'E' || *at == '+' ||
	       *at == '-')
		at++;
	if (!g_ascii_isdigit(at[-1]))
		return NULL;
	*value = g_ascii_strtod(start, &stop);
	return stop == at ? at : NULL;
}

static const char *plain_map(Reader *reader, const char *at, const char *end, guint depth);

static const char *plain_value(Reader *reader, const char *at, const char *end, guint depth)
{
	double number;

	if (at < end && *at == '"') {
		at = plain_string(at + 1, end);
		return at ? at + 1 : NULL;
	}
	if (at < end && *at == '{')
		return depth < 8 ? plain_map(reader, at + 1, end, depth + 1) : NULL;
	at = at < end ? plain_number(at, &number) : NULL;
	if (at && at < end)
		take_number(reader, number, depth == 0);
	return at;
}

/* What nearly all lines are, in one pass: maps of plain keys with numbers, plain strings and maps.
 * `at` is behind the brace. NULL for anything else, which is not said to be wrong by that. The line
 * is followed by a byte that is no digit. */
static const char *plain_map(Reader *reader, const char *at, const char *end, guint depth)
{
	gsize length = reader->prefix->len;

	for (;;) {
		at = skip_blanks(at, end);
		if (at >= end || *at != '"')
			return NULL;
		const char *key = at + 1;
		at = plain_string(key, end);
		if (!at)
			return NULL;
		enter(reader, key, (gsize)(at - key));
		at = skip_blanks(at + 1, end);
		if (at >= end || *at != ':')
			return NULL;
		at = plain_value(reader, skip_blanks(at + 1, end), end, depth);
		g_string_truncate(reader->prefix, length);
		if (!at)
			return NULL;
		at = skip_blanks(at, end);
		if (at < end && *at == '}')
			return at + 1;
		if (at >= end || *at != ',')
			return NULL;
		at++;
	}
}

static void walk_map(Reader *reader, const MlvValue *map, gboolean top)
{
	gsize length = reader->prefix->len;

	for (gsize i = 0; i < map->length; i++) {
		const MlvValue *value = map->entries[i].value;

		enter(reader, map->entries[i].key->text, map->entries[i].key->length);
		if (value->type == MLV_VALUE_MAP)
			walk_map(reader, value, FALSE);
		else if (value->type == MLV_VALUE_INT)
			take_number(reader,
				    value->big ? g_ascii_strtod(value->text, NULL)
					       : (double)value->integer,
				    top);
		else if (value->type == MLV_VALUE_FLOAT)
			take_number(reader, value->real, top);
		g_string_truncate(reader->prefix, length);
	}
}

static void begin_line(Reader *reader)
{
	g_string_truncate(reader->prefix, 0);
	g_string_truncate(reader->names, 0);
	g_array_set_size(reader->found, 0);
	reader->has_step = FALSE;
}

/* FALSE if the line is no JSON object. */
static gboolean read_line(Reader *reader, const char *line, gsize length)
{
	const char *end = line + length, *at = skip_blanks(line, end);

	begin_line(reader);
	if (at < end && *at == '{')
		at = plain_map(reader, at + 1, end, 0);
	else
		at = NULL;
	if (at && skip_blanks(at, end) == end)
		return TRUE;

	begin_line(reader);
	g_autoptr(MlvValue) value = mlv_value_parse_json(line, length, reader->label, NULL);
	if (!mlv_value_is(value, MLV_VALUE_MAP))
		return FALSE;
	walk_map(reader, value, TRUE);
	return TRUE;
}

/* --- the log ---------------------------------------------------------------------------------- */

static MlvLogMetric *metric_of(Reader *reader, const char *name, GError **error)
{
	MlvLogMetric *metric = g_hash_table_lookup(reader->by_name, name);

	if (metric)
		return metric;
	if (reader->log->metrics->len >= MLV_LOG_NAMES_MAX) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' has more than %u different metrics",
			 reader->label, MLV_LOG_NAMES_MAX);
		return NULL;
	}
	metric = g_new0(MlvLogMetric, 1);
	metric->name = g_utf8_make_valid(name, -1);
	if (reader->what == MLV_LOG_SERIES) {
		metric->steps = g_array_new(FALSE, FALSE, sizeof(double));
		metric->values = g_array_new(FALSE, FALSE, sizeof(double));
	}
	g_ptr_array_add(reader->log->metrics, metric);
	g_hash_table_insert(reader->by_name, metric->name, metric);
	return metric;
}

static gboolean take_line(Reader *reader, GError **error)
{
	for (guint i = 0; i < reader->found->len; i++) {
		const Found *found = &g_array_index(reader->found, Found, i);
		MlvLogMetric *metric = metric_of(reader, reader->names->str + found->name, error);

		if (!metric)
			return FALSE;
		double step = reader->has_step ? reader->step : (double)metric->count;
		metric->last = found->value;
		metric->count++;
		if (reader->what == MLV_LOG_SERIES) {
			g_array_append_val(metric->steps, step);
			g_array_append_val(metric->values, found->value);
		}
	}
	return TRUE;
}

static gint compare_metrics(gconstpointer a, gconstpointer b)
{
	const MlvLogMetric *const *first = a, *const *second = b;
	return strcmp((*first)->name, (*second)->name);
}

/* Calls `take` for each line that is not blank, `torn` if it is the last and has no end. */
typedef gboolean (*TakeLine)(const char *line, gsize length, guint64 number, gboolean torn,
			     gpointer user, GError **error);

static gboolean for_lines(const char *data, gsize size, TakeLine take, gpointer user,
			  GError **error)
{
	const char *end = data + size;
	guint64 number = 0;

	for (const char *line = data; line < end;) {
		const char *newline = memchr(line, '\n', (gsize)(end - line));
		const char *stop = newline ? newline : end;
		gsize length = (gsize)(stop - line);

		number++;
		if (length > 0 && line[length - 1] == '\r')
			length--;
		if (skip_blanks(line, line + length) < line + length) {
			/* Of a last line without an end a copy, so that something stands behind. */
			g_autofree char *copy = newline ? NULL : g_strndup(line, length);

			if (!take(copy ? copy : line, length, number, !newline, user, error))
				return FALSE;
		}
		line = newline ? newline + 1 : end;
	}
	return TRUE;
}

static gboolean take_metrics(const char *line, gsize length, guint64 number, gboolean torn,
			     gpointer user, GError **error)
{
	Reader *reader = user;

	if (length <= MLV_LOG_LINE_MAX && read_line(reader, line, length)) {
		reader->log->lines++;
		return take_line(reader, error);
	}
	if (!torn && reader->log->bad++ == 0)
		reader->log->first_bad = number;
	return TRUE;
}

MlvLog *mlv_log_parse(const char *data, gsize length, MlvLogWhat what, const char *label,
		      GError **error)
{
	g_autoptr(MlvLog) log = g_new0(MlvLog, 1);
	g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GString) prefix = g_string_new(NULL), names = g_string_new(NULL);
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Found));
	Reader reader = { log, what, label, by_name, prefix, names, found, FALSE, 0 };

	log->metrics = g_ptr_array_new_with_free_func((GDestroyNotify)metric_free);
	if (!for_lines(data, length, take_metrics, &reader, error))
		return NULL;
	g_ptr_array_sort(log->metrics, compare_metrics);
	return g_steal_pointer(&log);
}

const MlvLogMetric *mlv_log_find(const MlvLog *log, const char *name)
{
	for (guint i = 0; i < log->metrics->len; i++) {
		const MlvLogMetric *metric = log->metrics->pdata[i];
		if (strcmp(metric->name, name) == 0)
			return metric;
	}
	return NULL;
}

gboolean mlv_log_is_name(const char *path)
{
	return g_str_has_suffix(path, ".jsonl") || g_str_has_suffix(path, ".ndjson");
}

/* --- parameters ------------------------------------------------------------------------------- */

static gboolean take_params(const char *line, gsize length, guint64 number, gboolean torn,
			    gpointer user, GError **error)
{
	g_autoptr(MlvValue) value =
		length > MLV_LOG_LINE_MAX ? NULL : mlv_value_parse_json(line, length, "line", NULL);

	if (!mlv_value_is(value, MLV_VALUE_MAP))
		return TRUE;
	for (gsize i = 0; i < value->length; i++) {
		const MlvEntry *entry = &value->entries[i];

		if (strcmp(entry->key->text, "time") != 0 && strcmp(entry->key->text, "step") != 0)
			g_hash_table_replace(user, g_strdup(entry->key->text),
					     mlv_value_ref(entry->value));
	}
	return TRUE;
}

MlvValue *mlv_log_parse_params(const char *data, gsize length, const char *label)
{
	g_autoptr(GHashTable) last = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
							   (GDestroyNotify)mlv_value_unref);
	GArray *entries = g_array_new(FALSE, FALSE, sizeof(MlvEntry));

	for_lines(data, length, take_params, last, NULL);
	g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(last), (GCompareFunc)strcmp);
	for (GList *name = names; name; name = name->next)
		mlv_value_add(entries, name->data,
			      mlv_value_ref(g_hash_table_lookup(last, name->data)));
	return mlv_value_new_map(entries);
}
