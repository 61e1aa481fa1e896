/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing parameters for a run: the files of the work tree with one combination of a grid in
 * them, comments and order kept. Main thread.
 */
#ifndef MLV_CORE_RUN_RUN_PARAMS_H
#define MLV_CORE_RUN_RUN_PARAMS_H

#include "core/repo.h"
#include "core/run/run_grid.h"
#include "core/value.h"

/* A file as it is to be. */
typedef struct {
	char *path; /* relative to the root */
	char *text;
	gsize length;
	gboolean changed;
} MlvRunParamsFile;

/* The files that combination `number` concerns, of MlvRunParamsFile * (free with
 * g_ptr_array_unref); nothing is written. Paths are relative to `folder`, the default file is the
 * params.yaml there, else that of the root. *changes (may be NULL) is a map "FILE:KEY" -> value.
 * A key that is not there (or, with '+', is there) is MLV_ERROR_MISSING (MLV_ERROR_EXISTS). */
GPtrArray *mlv_run_params_edit(MlvRepo *repo, const char *folder, const GPtrArray *axes,
			       guint number, MlvValue **changes, GError **error);
/* Writes those that changed to the work tree. */
gboolean mlv_run_params_write(MlvRepo *repo, const GPtrArray *files, GError **error);

#endif
