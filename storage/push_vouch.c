/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What need not be looked up. A confirmed root promises all that is below what it names; so what a
 * new version of a folder shares with one that a root names is there, and only the rest must be
 * looked for. This saves the requests, or the megabytes, that looking a hundred thousand chunks up
 * in a large index costs a client that does not have it.
 */
#include "storage/push_private.h"

#include <string.h>

#define ALIKE 2 /* references that are looked below for each new one */

struct PushVouched {
	PushState *state;
	const GArray *names;
	const GPtrArray *roots;
	GHashTable
		*walked; /* MlvId of a reference; its kind is one of two, which does not matter */
	MlvMarks *marks;
};

typedef struct {
	const MlvRef *ref;
	guint root; /* number */
	guint64 apart;
} Candidate;

PushVouched *mlv_push_vouched_new(PushState *state, const GArray *names, const GPtrArray *roots)
{
	PushVouched *vouched = g_new0(PushVouched, 1);

	vouched->state = state;
	vouched->names = names;
	vouched->roots = roots;
	vouched->walked = mlv_id_set_new();
	vouched->marks = mlv_marks_new();
	return vouched;
}

void mlv_push_vouched_free(PushVouched *vouched)
{
	if (!vouched)
		return;
	g_hash_table_unref(vouched->walked);
	mlv_marks_free(vouched->marks);
	g_free(vouched);
}

/* Puts it where it belongs among the best so far. */
static void consider(Candidate best[ALIKE], const Candidate *fresh)
{
	for (guint i = 0; i < ALIKE; i++) {
		if (best[i].ref && best[i].apart <= fresh->apart)
			continue;
		memmove(&best[i + 1], &best[i], (ALIKE - i - 1) * sizeof(*best));
		best[i] = *fresh;
		return;
	}
}

/* The references of a root that are nearest to `ref` in size. */
static void look_at_root(const PushVouched *vouched, guint number, const MlvRef *ref,
			 Candidate best[ALIKE])
{
	const MlvRoot *root = g_ptr_array_index(vouched->roots, number);
	gsize count = root ? mlv_root_need_count(root) : 0;

	for (gsize i = 0; i < count; i++) {
		const MlvRef *at = mlv_root_need(root, i);
		guint64 apart = at->size > ref->size ? at->size - ref->size : ref->size - at->size;
		Candidate fresh = { at, number, apart };
		gboolean seen = FALSE;

		for (guint n = 0; n < ALIKE; n++)
			seen |= best[n].ref && mlv_id_equal(&best[n].ref->id, &at->id);
		if (!seen && at->kind == ref->kind && apart <= ref->size / 2)
			consider(best, &fresh);
	}
}

/* What is not here is passed over: it does not tell what is below it. */
static gboolean pass_over(MlvKind kind, const MlvId *id, gpointer user, GError **error)
{
	return TRUE;
}

static gboolean walk_one(PushVouched *vouched, const Candidate *from, GError **error)
{
	const MlvRemoteRoot *name = &g_array_index(vouched->names, MlvRemoteRoot, from->root);
	g_autoptr(GError) failed = NULL;

	if (g_hash_table_contains(vouched->walked, &from->ref->id))
		return TRUE;
	mlv_id_set_add(vouched->walked, &from->ref->id);
	mlv_id_set_add(vouched->state->trusted, &name->name.id);
	/* What is damaged here is only of no use here. */
	if (mlv_mark(vouched->state->push->source, from->ref, vouched->marks, NULL, pass_over, NULL,
		     &failed) ||
	    g_error_matches(failed, MLV_ERROR, MLV_ERROR_CORRUPT))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&failed));
	return FALSE;
}

gboolean mlv_push_vouched_walk(PushVouched *vouched, const MlvRef *ref, GError **error)
{
	Candidate best[ALIKE] = { 0 };

	if (mlv_ref_chunk_kind(ref) == MLV_KIND_BLOB)
		return TRUE;
	for (guint i = 0; i < vouched->roots->len; i++)
		look_at_root(vouched, i, ref, best);
	for (guint i = 0; i < ALIKE; i++)
		if (best[i].ref && !walk_one(vouched, &best[i], error))
			return FALSE;
	return TRUE;
}

gboolean mlv_push_vouched_for(const PushVouched *vouched, const MlvChunkKey *key)
{
	return mlv_marks_contains(vouched->marks, key->kind, &key->id);
}
