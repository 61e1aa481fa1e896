/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mlv.lock files of the pipeline files that a command works on: read once, changed as stages
 * finish, written together. Another process may write the same files: each write takes over what it
 * has changed. Main thread.
 */
#ifndef MLV_CORE_PIPELINE_RECORD_H
#define MLV_CORE_PIPELINE_RECORD_H

#include "core/pipeline/enter.h"
#include "core/pipeline/lock.h"
#include "core/pipeline/runcache.h"

typedef struct MlvRecord MlvRecord;

/* What is given is borrowed. */
MlvRecord *mlv_record_new(MlvRepo *repo, const MlvFiles *files, MlvRunLocks *locks);
void mlv_record_free(MlvRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvRecord, mlv_record_free)

/* Reads the lock of a stage's file, if it was not read. */
gboolean mlv_record_load(MlvRecord *record, const MlvStage *stage, GError **error);
/* Reads all that were read again, if their files have changed. */
gboolean mlv_record_reload(MlvRecord *record, GError **error);
/* A stage's block, or NULL. After mlv_record_load(); borrowed until it is set or read again. */
const MlvLockStage *mlv_record_get(const MlvRecord *record, const MlvStage *stage);
/* Puts a new block in its place; takes it. Seen at once, written by mlv_record_write(). */
void mlv_record_set(MlvRecord *record, const MlvStage *stage, MlvLockStage *block);
/* Writes what was set. `entering` learns which files. */
gboolean mlv_record_write(MlvRecord *record, MlvEntering *entering, GError **error);
/* Adds to `entering` the locks that an earlier command did not come to stage. */
gboolean mlv_record_check_staged(MlvRecord *record, MlvEntering *entering, GError **error);

#endif
