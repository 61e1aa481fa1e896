/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing pipeline files, comments and order kept: stages come, go, are frozen. What a change
 * would make of the pipelines is checked before anything is written.
 *
 *	g_autoptr(MlvPipelineEdit) edit = mlv_pipeline_edit_new(repo, &files, "sub", error);
 *	mlv_pipeline_edit_add(edit, "train", value, FALSE, error);
 *	mlv_pipeline_edit_write(edit, error);
 *
 * Main thread.
 */
#ifndef MLV_CORE_PIPELINE_EDIT_H
#define MLV_CORE_PIPELINE_EDIT_H

#include "core/pipeline/graph.h"
#include "core/repo.h"

typedef struct MlvPipelineEdit MlvPipelineEdit;

/* The pipeline file of a folder; where there is none, a new mlv.yaml. What is given is borrowed. */
MlvPipelineEdit *mlv_pipeline_edit_new(MlvRepo *repo, const MlvFiles *files, const char *folder,
				       GError **error);
void mlv_pipeline_edit_free(MlvPipelineEdit *edit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvPipelineEdit, mlv_pipeline_edit_free)

/* The file's path. Borrowed. */
const char *mlv_pipeline_edit_path(const MlvPipelineEdit *edit);
/* Adds a stage, a map as the file has it; one of that name is MLV_ERROR_EXISTS unless `force`. */
gboolean mlv_pipeline_edit_add(MlvPipelineEdit *edit, const char *name, const MlvValue *stage,
			       gboolean force, GError **error);
/* Takes a stage or group away. */
gboolean mlv_pipeline_edit_remove(MlvPipelineEdit *edit, const char *name, GError **error);
/* Sets or takes `frozen` of a stage or group. */
gboolean mlv_pipeline_edit_freeze(MlvPipelineEdit *edit, const char *name, gboolean frozen,
				  GError **error);
/* Checks, and writes if anything has changed; a file without stages stays. */
gboolean mlv_pipeline_edit_write(MlvPipelineEdit *edit, GError **error);

/* Takes stages that were removed out of the lock of a folder, and their outputs' lines out of
 * .gitignore; both staged. `names`, of char *: stages, or groups. */
gboolean mlv_pipeline_forget(MlvRepo *repo, const MlvFiles *files, const char *folder,
			     const GPtrArray *names, GError **error);

#endif
