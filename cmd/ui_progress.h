/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress of long work: on a terminal one line, redrawn at most ten times a second, from half a
 * second on; elsewhere a plain line every ten seconds; with -q nothing.
 *
 *	g_autoptr(MlvProgress) progress = mlv_ui_progress_begin(ui, "storing");
 *	mlv_ui_progress_total(progress, bytes, files);
 *	...                     mlv_ui_progress_add(progress, 4096, 1);  in any thread
 *
 * The counters are atomics, so any thread may move them. A thread of its own draws; it and
 * remarks take ui->lock, so that lines never mix. One at a time.
 */
#ifndef MLV_CMD_UI_PROGRESS_H
#define MLV_CMD_UI_PROGRESS_H

#include "cmd/ui.h"

/* Never NULL. `title` is copied. Does nothing visible with -q. */
MlvProgress *mlv_ui_progress_begin(MlvUi *ui, const char *title);
/* Another phase of the same work: new title, counters back to 0, totals unknown. */
void mlv_ui_progress_phase(MlvProgress *progress, const char *title);
/* What will be done in all; 0 where it is not known. */
void mlv_ui_progress_total(MlvProgress *progress, guint64 bytes, guint64 files);
/* So much more has been done. */
void mlv_ui_progress_add(MlvProgress *progress, guint64 bytes, guint64 files);
/* So much has been done since the beginning. */
void mlv_ui_progress_set(MlvProgress *progress, guint64 bytes, guint64 files);
/* For remarks, which hold ui->lock: takes the line off the terminal until it is next drawn. */
void mlv_ui_progress_hide(MlvUi *ui);
/* Clears the line and frees; NULL is nothing. */
void mlv_ui_progress_end(MlvProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvProgress, mlv_ui_progress_end)

#endif
