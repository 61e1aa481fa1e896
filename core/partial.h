/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partial work trees: which parts of tracked data were brought here. For a target (a tracked file
 * or directory) that is not listed everything is expected to be here. For one that is listed only
 * what lies at or below its included paths is; the rest was not brought, and its absence is no
 * deletion. <git dir>/mlv/partial, text: see partial.c. Main thread for changes; reading is thread
 * safe.
 */
#ifndef MLV_CORE_PARTIAL_H
#define MLV_CORE_PARTIAL_H

#include "core/repo.h"

typedef struct MlvPartial MlvPartial;

MlvPartial *mlv_partial_open(MlvRepo *repo, GError **error);
void mlv_partial_close(MlvPartial *partial);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvPartial, mlv_partial_close)

/* Whether the target is listed at all. */
gboolean mlv_partial_has(const MlvPartial *partial, const char *target);
/* Whether what lies at `path` (below or at `target`, both from the root) is expected here. */
gboolean mlv_partial_expects(const MlvPartial *partial, const char *target, const char *path);
/* Whether anything at or below `path` is expected: a walk need not enter it otherwise. */
gboolean mlv_partial_expects_below(const MlvPartial *partial, const char *target, const char *path);

/* Lists the target with nothing included (import; a pull of one path), if it is not listed yet. */
void mlv_partial_begin(MlvPartial *partial, const char *target);
/* Includes a path of a listed target; the target's own path makes it whole again (not listed). */
void mlv_partial_include(MlvPartial *partial, const char *target, const char *path);
/* Targets of which nothing was ever brought (imported ones) are whole from now on. */
void mlv_partial_forget_unbrought(MlvPartial *partial);
/* The target is whole, or gone. */
void mlv_partial_forget(MlvPartial *partial, const char *target);
void mlv_partial_rename(MlvPartial *partial, const char *target, const char *new_target);
/* Writes it atomically if it was changed: the changes are made over what another process has
 * written meanwhile, so that none is lost. */
gboolean mlv_partial_save(MlvPartial *partial, GError **error);

#endif
