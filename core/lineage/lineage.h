/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where data came from, and what was made of them: versions of data and the stages between them, by
 * what mlv.lock files of a revision, of its history and of runs recorded. Main thread.
 *
 *	MlvLineageOptions options = { .view = view, .up = TRUE, .down = TRUE };
 *	g_autoptr(MlvLineage) lineage = mlv_lineage_find(&options, "HEAD:model.pt", error);
 *	const MlvLineageData *data = mlv_lineage_data(lineage, first subject);
 */
#ifndef MLV_CORE_LINEAGE_LINEAGE_H
#define MLV_CORE_LINEAGE_LINEAGE_H

#include <signal.h>

#include "core/import_record.h"
#include "core/lineage/steps.h"
#include "core/view.h"

#define MLV_LINEAGE_DEPTH  1000u /* stages one behind the other */
#define MLV_LINEAGE_ID_MIN 6u    /* digits of an id that is cut short */

typedef enum {
	MLV_ORIGIN_UNKNOWN, /* nothing says; or it was not asked for */
	MLV_ORIGIN_STAGE,
	MLV_ORIGIN_ADDED,    /* it has a pointer */
	MLV_ORIGIN_IMPORTED, /* and an import record */
	MLV_ORIGIN_GIT,
	MLV_ORIGIN_OUTSIDE, /* of the repository */
	MLV_ORIGIN_URL,
} MlvOrigin;

typedef struct {
	guint stage;
	gboolean other; /* it ran with another version of the data */
} MlvLineageUse;

/* One version of what a path held. */
typedef struct {
	char *path;      /* relative to the root, or outside, or a URL */
	gboolean has_id; /* then `held` says what it is */
	MlvPointer held;
	char *etag; /* of a URL; or NULL */
	MlvOrigin origin;
	gboolean has_commit; /* the newest that brought this version */
	gboolean exact;      /* and it is known to be this very version */
	MlvOid commit;
	MlvImportRecord *import; /* MLV_ORIGIN_IMPORTED; or NULL */
	GPtrArray *runs;         /* of char *: those that added it, newest first */
	GArray *made_by;         /* of guint: stages */
	GArray *read_by;         /* of MlvLineageUse */
	gboolean ended;          /* there is more behind it, beyond the depth */
} MlvLineageData;

/* A stage as it ran once. */
typedef struct {
	guint number; /* of the step */
	const MlvStep *step;
	GArray *deps, *outs; /* of guint: versions of data, as far as was asked for */
} MlvLineageStage;

typedef struct {
	MlvView *view;
	gboolean up, down;
	gboolean all; /* through all revisions, not the one alone */
	guint depth;  /* stages one behind the other; 0: MLV_LINEAGE_DEPTH */
	const volatile sig_atomic_t *cancel;
} MlvLineageOptions;

typedef struct MlvLineage MlvLineage;

/* `text`: "[REV:]PATH", an id ("sha256:1a2b...", its digits, or their beginning), a run's name, a
 * stage. None of these is MLV_ERROR_MISSING; a beginning that several ids have MLV_ERROR_FAILED. */
MlvLineage *mlv_lineage_find(const MlvLineageOptions *options, const char *text, GError **error);
void mlv_lineage_free(MlvLineage *lineage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvLineage, mlv_lineage_free)

/* The revision that it is of: NULL the work tree. */
const char *mlv_lineage_rev(const MlvLineage *lineage);
/* What was asked for: numbers of data, of guint. */
const GArray *mlv_lineage_subjects(const MlvLineage *lineage);
guint mlv_lineage_data_count(const MlvLineage *lineage);
const MlvLineageData *mlv_lineage_data(const MlvLineage *lineage, guint number);
guint mlv_lineage_stage_count(const MlvLineage *lineage);
const MlvLineageStage *mlv_lineage_stage(const MlvLineage *lineage, guint number);
/* What could not be read and was passed over, of char *. */
const GPtrArray *mlv_lineage_problems(const MlvLineage *lineage);

#endif
