/* SPDX-License-Identifier: Apache-2.0 */
/* Renames: what went and what came with the very same content. */
#include <string.h>

#include "core/compare_private.h"

/* Of many equal files that went, so many are looked at for one of the same name. */
#define SAME_NAME_TRIES 32

#define NONE G_MAXUINT

typedef struct {
	GArray *changes;   /* of MlvChange */
	guint *next;       /* for each that went: the next one with the same content, or NONE */
	GHashTable *by_id; /* MlvId of content -> index + 1 of the first */
} Renames;

/* Content that says something: an empty file is like any other. */
static gboolean can_move(const MlvChangeSide *side)
{
	return side->ref.kind != 0 &&
	       (side->mode == MLV_MODE_DIRECTORY ? side->files > 0 : side->ref.size > 0);
}

static gboolean same_content(const MlvChangeSide *a, const MlvChangeSide *b)
{
	return (a->mode == MLV_MODE_SYMLINK) == (b->mode == MLV_MODE_SYMLINK) &&
	       (a->mode == MLV_MODE_DIRECTORY) == (b->mode == MLV_MODE_DIRECTORY) &&
	       mlv_ref_equal(&a->ref, &b->ref);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Takes the best of those that went out of the chain: one of the same name, else the first. */
static guint take_origin(Renames *renames, const MlvChange *came)
{
	guint first = GPOINTER_TO_UINT(g_hash_table_lookup(renames->by_id, &came->to.ref.id));
	guint before = NONE, best = NONE, best_before = NONE;
	MlvChange *gone;

	if (first == 0)
		return NONE;
	for (guint i = first - 1, tries = 0; i != NONE && tries < SAME_NAME_TRIES;
	     before = i, i = renames->next[i], tries++) {
		gone = &g_array_index(renames->changes, MlvChange, i);
		if (!same_content(&gone->from, &came->to))
			continue;
		if (best == NONE) {
			best = i;
			best_before = before;
		}
		if (strcmp(base_name(gone->path), base_name(came->path)) == 0) {
			best = i;
			best_before = before;
			break;
		}
	}
	if (best == NONE)
		return NONE;
	if (best_before != NONE)
		renames->next[best_before] = renames->next[best];
	else if (renames->next[best] != NONE)
		g_hash_table_replace(
			renames->by_id,
			&g_array_index(renames->changes, MlvChange, renames->next[best])
				 .from.ref.id,
			GUINT_TO_POINTER(renames->next[best] + 1));
	else
		g_hash_table_remove(renames->by_id, &came->to.ref.id);
	return best;
}

void mlv_compare_join_renames(GArray *changes)
{
	g_autofree guint *next = g_new(guint, (gsize)changes->len + 1);
	g_autoptr(GHashTable) by_id = g_hash_table_new(mlv_id_hash, mlv_id_equal_key);
	Renames renames = { changes, next, by_id };

	/* Backwards, so that each chain begins with the first. */
	for (guint i = changes->len; i-- > 0;) {
		MlvChange *change = &g_array_index(changes, MlvChange, i);
		guint first;

		if (change->kind != MLV_CHANGE_REMOVED || change->unread ||
		    !can_move(&change->from))
			continue;
		first = GPOINTER_TO_UINT(g_hash_table_lookup(by_id, &change->from.ref.id));
		next[i] = first == 0 ? NONE : first - 1;
		g_hash_table_replace(by_id, &change->from.ref.id, GUINT_TO_POINTER(i + 1));
	}
	for (guint i = 0; i < changes->len && g_hash_table_size(by_id) > 0; i++) {
		MlvChange *came = &g_array_index(changes, MlvChange, i);
		MlvChange *gone;
		guint origin;

		if (came->kind != MLV_CHANGE_ADDED || came->unread || !can_move(&came->to))
			continue;
		origin = take_origin(&renames, came);
		if (origin == NONE)
			continue;
		gone = &g_array_index(changes, MlvChange, origin);
		came->kind = MLV_CHANGE_RENAMED;
		came->from = gone->from;
		came->from_path = gone->path;
		gone->kind = 0;
	}
}
