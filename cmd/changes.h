/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How file-level changes are printed, by diff, show and log.
 *
 *	MlvChanges changes = { .cmd = cmd, .view = view, .style = MLV_CHANGES_LINES };
 *	options.visit = mlv_changes_visit, options.user = &changes ...
 *	mlv_changes_end(&changes, error);
 */
#ifndef MLV_CMD_CHANGES_H
#define MLV_CMD_CHANGES_H

#include "cmd/cmd.h"
#include "cmd/ui_json.h"
#include "core/compare.h"
#include "core/view.h"

typedef enum {
	MLV_CHANGES_LINES,       /* a line a change, under its target, and the sum */
	MLV_CHANGES_PATCH,       /* the same with the changed lines of texts */
	MLV_CHANGES_SUMMARY,     /* a line a target, and the sum */
	MLV_CHANGES_NAMES,       /* paths only */
	MLV_CHANGES_NAME_STATUS, /* letter and path, as git's */
	MLV_CHANGES_JSON,        /* elements of `stream` or `array` */
} MlvChangesStyle;

typedef struct {
	MlvCmd *cmd;
	MlvView *view;      /* for PATCH */
	gboolean workspace; /* the new side is what lies in the work tree */
	MlvChangesStyle style;
	gboolean zero;         /* names end in NUL */
	const char *indent;    /* before each line; NULL: nothing */
	MlvJsonStream *stream; /* JSON: one of the two */
	json_t *array;
	/* What came of it. */
	MlvChangeTotals totals;
	guint64 count;
	/* Private. */
	char *target;
	MlvChangeTotals target_totals;
} MlvChanges;

/* An MlvChangeVisit. */
gboolean mlv_changes_visit(const MlvChange *change, gpointer changes, GError **error);
/* Prints the sum, where the style has one, and lets go of what is held. */
gboolean mlv_changes_end(MlvChanges *changes, GError **error);

/* Options of which at most one may be given. */
typedef struct {
	gboolean patch, summary, stat, names, name_status, json;
} MlvChangesOptions;
gboolean mlv_changes_style(const MlvChangesOptions *options, MlvChangesStyle *style,
			   GError **error);

/* --- changes_totals.c ------------------------------------------------------------------------- */

/* "+2 -1 ~3 (1 renamed)  +1.2 MiB": what stands behind a target. Caller frees. */
char *mlv_changes_totals(const MlvChangeTotals *totals);
/* "+1.2 MiB", "-3 B". Caller frees. */
char *mlv_changes_delta(gint64 delta);
json_t *mlv_changes_totals_json(const MlvChangeTotals *totals);

/* --- changes_patch.c -------------------------------------------------------------------------- */

/* Prints the changed lines if both sides are texts. */
gboolean mlv_changes_patch(const MlvChanges *changes, const MlvChange *change, GError **error);

#endif
