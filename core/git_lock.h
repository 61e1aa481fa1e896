/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing git's index under its own lock: the lock is taken first, then the index is read, so that
 * nothing another git wrote in between is lost.
 *
 *	g_autoptr(MlvIndexLock) lock = mlv_index_lock(repo, error);
 *	git_index_add(mlv_index_lock_index(lock), ...);
 *	mlv_index_lock_commit(lock, error);
 *
 * Within the git_*.c files only.
 */
#ifndef MLV_CORE_GIT_LOCK_H
#define MLV_CORE_GIT_LOCK_H

#include "core/git_internal.h"

typedef struct MlvIndexLock MlvIndexLock;

/* Waits up to some seconds for another git or mlv, then fails as git does. A lock left by an mlv
 * that was killed is recognised and taken over. */
MlvIndexLock *mlv_index_lock(MlvRepo *repo, GError **error);
/* Removes a lock that a killed mlv left, so that git itself can take it. */
void mlv_index_lock_recover(MlvRepo *repo);
/* The index as it was when the lock was taken; borrowed. */
git_index *mlv_index_lock_index(MlvIndexLock *lock);
/* Writes the changed index and puts it in place. */
gboolean mlv_index_lock_commit(MlvIndexLock *lock, GError **error);
/* Gives the lock back; without a commit the index is as it was. */
void mlv_index_lock_free(MlvIndexLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvIndexLock, mlv_index_lock_free)

#endif
