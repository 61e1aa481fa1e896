/* SPDX-License-Identifier: Apache-2.0 */
#include "core/whole.h"

/* Looks for every chunk; once one is lacking it goes no further. */
typedef struct {
	MlvStore *store;
	gboolean whole;
} Search;

static gboolean look_for(MlvKind kind, const MlvId *id, guint64 length, gboolean *descend,
			 gpointer user, GError **error)
{
	Search *search = user;
	MlvPlace place;
	gboolean found = TRUE;

	if (search->whole && (kind != MLV_KIND_BLOB || length > 0) &&
	    !mlv_store_find(search->store, kind, id, &place, &found, error))
		return FALSE;
	search->whole &= found;
	*descend = search->whole;
	return TRUE;
}

static gboolean note_missing(MlvKind kind, const MlvId *id, gpointer user, GError **error)
{
	((Search *)user)->whole = FALSE;
	return TRUE;
}

gboolean mlv_whole(MlvStore *store, const MlvRef *ref, MlvMarks *known, gboolean *whole,
		   GError **error)
{
	MlvKind kind = mlv_ref_chunk_kind(ref);
	Search search = { store, TRUE };
	g_autoptr(MlvMarks) marks = mlv_marks_new();

	*whole = TRUE;
	if ((ref->kind == MLV_KIND_BLOB && ref->size == 0) ||
	    (known && mlv_marks_contains(known, kind, &ref->id)))
		return TRUE;
	if (!mlv_mark(mlv_store_source(store), ref, marks, look_for, note_missing, &search, error))
		return FALSE;
	*whole = search.whole;
	if (*whole && known)
		mlv_marks_add(known, kind, &ref->id);
	return TRUE;
}
