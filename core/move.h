/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `mlv mv` does: targets get another path, with their pointers and ignore lines; files move
 * inside tracked directories or from one to another. Main thread.
 *
 *	g_autoptr(MlvMove) move = mlv_move_new(local, force, error);
 *	mlv_move_add(move, "data/old", "data/new", error) ...
 *	mlv_move_apply(move, error);
 */
#ifndef MLV_CORE_MOVE_H
#define MLV_CORE_MOVE_H

#include "core/local.h"
#include "core/select.h"

typedef struct MlvMove MlvMove;

/* `force`: what stands at the new path may go, whether a store has it or not. */
MlvMove *mlv_move_new(MlvLocal *local, gboolean force, GError **error);
void mlv_move_free(MlvMove *move);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvMove, mlv_move_free)

/* Checks and adds one move, both paths relative to the root. What cannot be moved there is an
 * error that says why. */
gboolean mlv_move_add(MlvMove *move, const char *from, const char *to, GError **error);
/* Renames, and stages the pointers. */
gboolean mlv_move_apply(MlvMove *move, GError **error);
/* After apply: paths whose tracked directories need mlv_track_add() with a local opened anew, of
 * char *, borrowed. */
const GPtrArray *mlv_move_parts(const MlvMove *move);

#endif
