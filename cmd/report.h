/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a report says, and how: as Markdown for a pull request or as a page of HTML.
 */
#ifndef MLV_CMD_REPORT_H
#define MLV_CMD_REPORT_H

#include "cmd/sides.h"

typedef struct {
	MlvCmd *cmd;
	const MlvSides *sides; /* two: from and to */
	const char *title;
	/* Of char *, with the head first; empty where nothing differs. */
	GPtrArray *data, *params, *metrics;
	GPtrArray *defs; /* of MlvPlotDef * */
	GString *out;
} MlvReport;

#define MLV_REPORT_DATA_ALIGN   "llr"
#define MLV_REPORT_DATA_COLUMNS 3u
/* Bytes of a report in Markdown: what fits into a comment on GitHub, with room for a head. */
#define MLV_REPORT_MARKDOWN_MAX 60000u

/* Compares tracked data by the pointers, into report->data. */
gboolean mlv_report_take_data(MlvReport *report, GError **error);

gboolean mlv_report_write_markdown(MlvReport *report, GError **error);
gboolean mlv_report_write_page(MlvReport *report, GError **error);

#endif
