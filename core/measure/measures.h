/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics and parameters at one revision, and the same of several beside each other.
 *
 *	MlvMeasuresOptions options = {.kind = MLV_MEASURE_METRICS};
 *	g_autoptr(MlvMeasures) measures = mlv_measures_new(&options);
 *	mlv_measures_add(measures, side, error) ... for each revision
 *	mlv_measures_finish(measures);
 *	for (guint i = 0; i < measures->rows->len; i++) ...
 *
 * Metrics are in the files that pipelines call so: `metrics:` of a stage or of the whole, in YAML
 * or JSON, or a log of JSON lines, of which the last values count; and "metrics.jsonl" beside a
 * pipeline file or in the root. Parameters are those of "params.yaml" there, of the files that
 * `params:` of the whole and `vars:` name, and what stages name of others. Main thread.
 */
#ifndef MLV_CORE_MEASURE_MEASURES_H
#define MLV_CORE_MEASURE_MEASURES_H

#include "core/measure/direction.h"
#include "core/measure/side.h"
#include "core/pathspec.h"

#define MLV_MEASURE_FILE_MAX (64u << 20) /* bytes of a file */
#define MLV_MEASURE_MAX      200000u     /* values of all files at one revision */

typedef enum {
	MLV_MEASURE_METRICS,
	MLV_MEASURE_PARAMS,
} MlvMeasureKind;

typedef struct {
	MlvMeasureKind kind;
	gboolean deps; /* of parameters only those that stages depend on */
	/* Only files that match; NULL: all. */
	const MlvPathspec *filter;
	/* Files (relative to the root, of char *) that are read even if no pipeline names them;
	 * NULL: none. */
	const GPtrArray *paths;
} MlvMeasuresOptions;

typedef struct {
	char *path; /* of the file, relative to the root */
	char *name; /* "train.lr"; "" where the file is no map */
	MlvDirection direction;
	GPtrArray *values; /* of MlvValue *, one for each side; NULL: it is not there */
} MlvMeasureRow;

typedef struct {
	MlvMeasuresOptions options;
	GPtrArray *rows; /* of MlvMeasureRow *, sorted by path and name */
	guint sides;
	GHashTable *named; /* of char *: the files that were named, at any side */
	GHashTable *found; /* of char *: those of them that are there, at any side */
	/* private */
	GHashTable *by_name;
} MlvMeasures;

/* Options are copied, what they point to is borrowed. */
MlvMeasures *mlv_measures_new(const MlvMeasuresOptions *options);
void mlv_measures_free(MlvMeasures *measures);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvMeasures, mlv_measures_free)

/* Takes in the next side. A file that cannot be read is among the side's problems. */
gboolean mlv_measures_add(MlvMeasures *measures, MlvSide *side, GError **error);
/* Sorts, once all sides are in. */
void mlv_measures_finish(MlvMeasures *measures);

/* --- comparing and showing -------------------------------------------------------------------- */

/* Whether the values differ (numbers by amount); NULL is not there. */
gboolean mlv_measure_changed(const MlvValue *from, const MlvValue *to);
/* The difference of two numbers, or NULL if one is none. New reference. */
MlvValue *mlv_measure_difference(const MlvValue *from, const MlvValue *to);

typedef enum {
	MLV_VERDICT_NONE, /* equal, no numbers, or the direction is not known */
	MLV_VERDICT_BETTER,
	MLV_VERDICT_WORSE,
} MlvVerdict;
MlvVerdict mlv_measure_verdict(MlvDirection direction, const MlvValue *from, const MlvValue *to);

#define MLV_MEASURE_PRECISION 5 /* significant digits that are shown unless told otherwise */

/* A value for people: floats with `precision` significant digits (0: all), strings as they are,
 * lists and maps as JSON; NULL is "-". Caller frees. */
char *mlv_measure_text(const MlvValue *value, guint precision);
/* The same for a difference: with its sign. */
char *mlv_measure_difference_text(const MlvValue *difference, guint precision);

#endif
