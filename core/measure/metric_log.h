/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program logs while it runs: JSON lines, one a step. mlv-metrics(5) is the format.
 *
 *	{"step": 10, "time": 1700000000.25, "loss": 0.31, "val": {"acc": 0.9}}
 *
 * Every number but `step` and `time` is a metric; nested names are joined by dots. A line is
 * written by one write() to a file opened for appending, so that any number of processes may log
 * to one file, in whatever language; what a killed one left of a line is passed over.
 *
 *	mlv_log_add(items, "loss=0.31", error) ...
 *	g_autofree char *line = mlv_log_format(items, &step, now);
 *	mlv_log_append("metrics.jsonl", line, &created, error);
 *
 *	g_autoptr(MlvLog) log = mlv_log_parse(data, length, MLV_LOG_SERIES, "metrics.jsonl", error);
 *
 * All functions are thread safe. None needs git or a repository.
 */
#ifndef MLV_CORE_MEASURE_METRIC_LOG_H
#define MLV_CORE_MEASURE_METRIC_LOG_H

#include "core/value.h"

/* The files that a run keeps beside each other, and the folder of its record with them. */
#define MLV_LOG_RUN_FOLDER    ".mlv-run"
#define MLV_LOG_METRICS       "metrics.jsonl"
#define MLV_LOG_PARAMS        "params.jsonl"
#define MLV_LOG_ARTIFACTS     "artifacts.jsonl"
#define MLV_LOG_ARTIFACTS_DIR "artifacts"
#define MLV_LOG_TEXTS_DIR     "texts"

#define MLV_LOG_MAX       (1u << 30) /* bytes of a log that are read */
#define MLV_LOG_LINE_MAX  (1u << 20) /* bytes of a line */
#define MLV_LOG_NAMES_MAX 100000u    /* metrics in a log */

/* --- reading ---------------------------------------------------------------------------------- */

typedef struct {
	char *name;    /* "val.acc" */
	double last;   /* its last value */
	guint64 count; /* values */
	/* With MLV_LOG_SERIES, of double: the step of each value (where the line has none, how many
	 * came before it), and the value. */
	GArray *steps;
	GArray *values;
} MlvLogMetric;

typedef struct {
	GPtrArray *metrics; /* of MlvLogMetric *, sorted by name */
	guint64 lines;      /* that were read */
	guint64 bad;        /* that were passed over: no JSON object; a torn last one not counted */
	guint64 first_bad;  /* the first of these, counted from 1 */
} MlvLog;

typedef enum {
	MLV_LOG_LAST,   /* last values only */
	MLV_LOG_SERIES, /* all */
} MlvLogWhat;

/* Reads a whole log. Only one with too many metrics is an error (MLV_ERROR_CORRUPT). */
MlvLog *mlv_log_parse(const char *data, gsize length, MlvLogWhat what, const char *label,
		      GError **error);
void mlv_log_free(MlvLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvLog, mlv_log_free)
const MlvLogMetric *mlv_log_find(const MlvLog *log, const char *name);
/* Reads a log of parameters: the last value of each key of its lines, of any type, as a map sorted
 * by key; `time` and `step` left out. Bad lines are passed over. */
MlvValue *mlv_log_parse_params(const char *data, gsize length, const char *label);
/* Whether a file of this name is a log: "*.jsonl", "*.ndjson". */
gboolean mlv_log_is_name(const char *path);

/* --- writing ---------------------------------------------------------------------------------- */

/* One NAME=VALUE to be logged. */
typedef struct {
	char *name;
	MlvValue *value;
} MlvLogItem;
/* Of MlvLogItem, empty. Free with g_array_unref. */
GArray *mlv_log_items_new(void);
/* Takes "NAME=NUMBER" ("loss=0.31", "val.acc=nan") to a list; MLV_ERROR_USAGE if it is not that, or
 * the name is there already, or is one of the format's own. */
gboolean mlv_log_add(GArray *items, const char *word, GError **error);
/* The same of a value of any type, as mlv_yaml_parse_word() reads it. */
gboolean mlv_log_add_param(GArray *items, const char *word, GError **error);
/* The line, newline and all. `step` may be NULL; `time` in microseconds since 1970. Caller
 * frees. */
char *mlv_log_format(const GArray *items, const gint64 *step, gint64 time);
/* Appends a line to a file, in one write(); *created (may be NULL) tells whether it was made. */
gboolean mlv_log_append(const char *path, const char *line, gboolean *created, GError **error);

#endif
