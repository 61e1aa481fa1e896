/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The revisions that metrics, params, plots and report are about: `[REV...] [-- PATH...]`. The name
 * of a run is a revision too: its record (mlv_git_resolve()).
 */
#ifndef MLV_CMD_SIDES_H
#define MLV_CMD_SIDES_H

#include "cmd/cmd.h"
#include "core/measure/measures.h"

#define MLV_SIDES_MAX 100

typedef struct {
	gboolean workspace; /* the work tree besides those that are named */
	gboolean branches, tags;
} MlvSidesOptions;

typedef struct {
	MlvView *view;
	GPtrArray *sides; /* of MlvSide *, as they were named; at least one */
	MlvPathspec *filter;
	GPtrArray *paths; /* of char *: the words behind "--", relative to the root, no patterns */
} MlvSides;

/* For `show`: the revisions that are named, or the work tree. */
MlvSides *mlv_sides_show(MlvCmd *cmd, const MlvWords *words, const MlvSidesOptions *options,
			 GError **error);
/* For `diff`: HEAD and the work tree; A and the work tree; A and B; A..B; A...B (from their common
 * ancestor). `max` more may follow the second. */
MlvSides *mlv_sides_diff(MlvCmd *cmd, const MlvWords *words, const MlvSidesOptions *options,
			 guint max, GError **error);
/* Two of them by name: `from` and the work tree (`to` NULL) or a revision; no paths. */
MlvSides *mlv_sides_pair(MlvCmd *cmd, const char *from, const char *to, GError **error);
void mlv_sides_free(MlvSides *sides);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvSides, mlv_sides_free)

/* Warns of what could not be read at the sides; whether there was any. */
gboolean mlv_sides_tell_problems(MlvCmd *cmd, const MlvSides *sides);
/* The commit's hex digits, "workspace" or NULL (there is no commit yet). Caller frees. */
char *mlv_sides_id(const MlvSide *side);

#endif
