/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be drawn: the plots that pipelines declare, in stages and for the whole, with DVC's
 * keys (x, y, template, title, x_label, y_label, header) and `bins` for histograms.
 *
 *	plots:
 *	- loss.csv: {x: epoch, y: loss}
 *	- compare: {x: epoch, y: {train.csv: loss, test.csv: [loss, acc]}}
 *	- images/
 */
#ifndef MLV_CORE_PLOT_PLOT_DEF_H
#define MLV_CORE_PLOT_PLOT_DEF_H

#include "core/measure/side.h"
#include "core/pathspec.h"

typedef enum {
	MLV_PLOT_LINES,                /* template linear, simple, smooth, default, or none */
	MLV_PLOT_SCATTER,              /* scatter, scatter_jitter */
	MLV_PLOT_CONFUSION,            /* confusion: how often each y came with each x */
	MLV_PLOT_CONFUSION_NORMALIZED, /* confusion_normalized: as parts of each y */
	MLV_PLOT_BARS,                 /* bar_horizontal, bar_horizontal_sorted */
	MLV_PLOT_BARS_SORTED,
	MLV_PLOT_HISTOGRAM, /* histogram: how often y has which size */
	MLV_PLOT_IMAGE,     /* a picture, beside those of other revisions */
} MlvPlotKind;

/* One y, of a file. */
typedef struct {
	char *file;   /* relative to the root */
	char *column; /* NULL: the last column */
	char *x_file; /* where x is, NULL: the same file */
	char *x;      /* NULL: the number of the row; of a log its step */
} MlvPlotSource;

typedef struct {
	char *id; /* unique: a path, or the name that it was given */
	MlvPlotKind kind;
	GPtrArray *sources;              /* of MlvPlotSource *, at least one */
	char *title, *x_label, *y_label; /* or NULL */
	char *template_name;             /* as it was written, or NULL */
	gboolean no_header;
	guint bins; /* 0: as many as suit */
} MlvPlotDef;
void mlv_plot_def_free(MlvPlotDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvPlotDef, mlv_plot_def_free)

/* What the command line says instead of the declarations; each may be NULL. */
typedef struct {
	const char *x;
	char *const *y; /* NULL behind the last */
	const char *template_name, *title, *x_label, *y_label;
	gboolean no_header;
	guint bins;
} MlvPlotChanges;

typedef struct {
	/* Only plots of files that match, or are called so; NULL: all. */
	const MlvPathspec *filter;
	const GPtrArray *names; /* of char *; NULL: none */
	/* Files, relative to the root, of char *, that are drawn even if nobody declares them. */
	const GPtrArray *paths;
	MlvPlotChanges changes;
} MlvPlotOptions;

#define MLV_PLOTS_MAX 2000u /* plots of one call */

/* The plots of all sides, of MlvPlotDef *, sorted by id: each as the last side that has it declares
 * it. What is wrong in a declaration is among that side's problems. An unknown template in
 * `changes` is MLV_ERROR_USAGE. Free with g_ptr_array_unref. */
GPtrArray *mlv_plot_defs(const GPtrArray *sides, const MlvPlotOptions *options, GError **error);

/* Which template a name stands for; FALSE for one that is not known (a Vega template of one's own,
 * say), and then *kind is MLV_PLOT_LINES. */
gboolean mlv_plot_kind_of(const char *template_name, MlvPlotKind *kind);

#endif
