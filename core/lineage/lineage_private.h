/* SPDX-License-Identifier: Apache-2.0 */
/* What core/lineage/lineage*.c share. */
#ifndef MLV_CORE_LINEAGE_LINEAGE_PRIVATE_H
#define MLV_CORE_LINEAGE_LINEAGE_PRIVATE_H

#include "core/lineage/lineage.h"
#include "core/lineage/lineage_scan.h"
#include "core/measure/side.h"

/* A path that a current step names. */
typedef struct {
	const MlvLockPath *path;
	guint step;
} MlvNamed;

struct MlvLineage {
	MlvLineageOptions options;
	char *rev;
	MlvRevision revision;
	MlvOid tip; /* whose history it is */
	gboolean has_tip;
	MlvSide *side;
	MlvSteps *steps;
	MlvLineageScan *scan;
	GPtrArray *targets;  /* of MlvTracked */
	GArray *outs, *deps; /* of MlvNamed, by path: of the current steps */
	GArray *subjects;
	GPtrArray *data;     /* of MlvLineageData * */
	GPtrArray *stages;   /* of MlvLineageStage * */
	GHashTable *by_key;  /* path and id -> number + 1 of data */
	GHashTable *by_step; /* number + 1 of a step -> number + 1 of a stage */
	GPtrArray *problems;
};

/* --- lineage.c -------------------------------------------------------------------------------- */

/* The version of a path, added if it is not there. `held` NULL: not known. */
guint mlv_lineage_add(MlvLineage *lineage, const char *path, const MlvPointer *held,
		      const char *etag);
/* Its number + 1, or 0. */
guint mlv_lineage_known(const MlvLineage *lineage, const char *path, const MlvPointer *held,
			const char *etag);
void mlv_lineage_add_problem(MlvLineage *lineage, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Those of `named` at `path`, or (`below`) strictly below it: the first, and how many. Borrowed. */
const MlvNamed *mlv_lineage_named(const GArray *named, const char *path, gboolean below,
				  guint *count);

/* --- lineage_subject.c ------------------------------------------------------------------------ */

/* Finds out what `text` names: opens its revision, scans, and adds the subjects. */
gboolean mlv_lineage_resolve(MlvLineage *lineage, const char *text, GError **error);

void mlv_lineage_add_subject(MlvLineage *lineage, const char *path, const MlvPointer *held,
			     const char *etag);

/* --- lineage_id.c ----------------------------------------------------------------------------- */

/* The digits, in lower case, of a word that can be an id or its beginning, else NULL. *prefixed: it
 * says that it is one. */
char *mlv_lineage_id_digits(const char *text, gboolean *prefixed);
/* Adds what has an id that begins so; of several ids MLV_ERROR_FAILED. */
gboolean mlv_lineage_add_id(MlvLineage *lineage, const char *hex, gboolean *found, GError **error);

/* --- lineage_graph.c -------------------------------------------------------------------------- */

/* Follows the subjects up and down. */
gboolean mlv_lineage_follow(MlvLineage *lineage, GError **error);

/* --- lineage_source.c ------------------------------------------------------------------------- */

/* Finds out whence what no stage made. */
gboolean mlv_lineage_sources(MlvLineage *lineage, GError **error);

#endif
