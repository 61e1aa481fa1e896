/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tracked targets of a tree: whatever a pointer file names, and the outputs that a pipeline's
 * mlv.lock names. Who lists, fetches, checks out or collects data goes by targets and need not
 * know which of the two a target comes from.
 *
 *	switch (mlv_target_file(path)) { ... }
 *	mlv_target_parse("sub/mlv.lock", data, length, &blob, targets);
 *	mlv_targets_settle(targets);
 *
 * Arrays are of MlvTracked *. All functions are thread safe.
 */
#ifndef MLV_CORE_TARGET_H
#define MLV_CORE_TARGET_H

#include "core/git_tree.h"

/* What a file of git's is, by its path. */
typedef enum {
	MLV_TARGET_NONE,
	MLV_TARGET_POINTER,
	MLV_TARGET_LOCK,
} MlvTargetFile;
MlvTargetFile mlv_target_file(const char *path);
#define MLV_TARGET_LOCK_NAME "mlv.lock"
/* Bytes that such a file may have. */
gsize mlv_target_max(MlvTargetFile type);

/* Whether data may stand at a path that is foreign: each part is one that a checkout may write. */
gboolean mlv_target_check_path(const char *path, GError **error);

/* Appends what a file of that path names. What cannot be read is an element with its error: of a
 * pointer under the data's path, of a lock under its own, of a stage in conflict under the paths of
 * its outputs. `blob` may be NULL. */
void mlv_target_parse(const char *file, const char *data, gsize length, const MlvOid *blob,
		      GPtrArray *targets);
/* Appends an element for a file that could not even be read; takes `why`. */
void mlv_target_unread(const char *file, const MlvOid *blob, GError *why, GPtrArray *targets);

/* Sorts a tree's targets by path and stage, and leaves one to a path: a pointer goes before a lock,
 * and of outputs of which one lies in another the outer one stays. An output on which the sides of
 * a conflict agree is none. */
void mlv_targets_settle(GPtrArray *targets);
/* Whether the lock that named `old` is among `targets` as one that cannot be read: then nobody can
 * say that `old` is gone. */
gboolean mlv_targets_doubt(const GPtrArray *targets, const MlvTracked *old);

MlvTracked *mlv_tracked_copy(const MlvTracked *tracked);
/* For commands that change single targets: FALSE with MLV_ERROR_FAILED for an output, which
 * belongs to its stage. */
gboolean mlv_target_check_own(const MlvTracked *tracked, GError **error);

#endif
