/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling git of outputs: their lines in .gitignore, and the mlv.lock files that name them, both
 * staged as `git add` would. Main thread.
 */
#ifndef MLV_CORE_PIPELINE_ENTER_H
#define MLV_CORE_PIPELINE_ENTER_H

#include "core/repo.h"

typedef struct {
	GHashTable *ignore; /* path of an output -> whether it is to be ignored (GINT_TO_POINTER) */
	GHashTable *locks;  /* of char *: paths of mlv.lock files that were written or removed */
} MlvEntering;

void mlv_entering_init(MlvEntering *entering);
void mlv_entering_clear(MlvEntering *entering);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MlvEntering, mlv_entering_clear)

/* Does it, once for all, and empties `entering`. */
gboolean mlv_entering_commit(MlvEntering *entering, MlvRepo *repo, GError **error);
/* Adds a lock to `entering` if the index has other bytes than the work tree: an earlier command was
 * killed before it came to that. */
gboolean mlv_entering_check_lock(MlvEntering *entering, MlvRepo *repo, const char *lock,
				 const void *data, gsize length, GError **error);
/* Git must not track an output of the store: MLV_ERROR_FAILED with the command that mends it. */
gboolean mlv_entering_check_output(MlvRepo *repo, const char *path, GError **error);

#endif
