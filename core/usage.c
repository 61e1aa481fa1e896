/* SPDX-License-Identifier: Apache-2.0 */
#include "core/usage.h"

#include <string.h>

struct MlvUsage {
	MlvStore *store;
	MlvMarks *seen;   /* what some claim needs */
	MlvMarks *shared; /* what two or more need */
};

typedef struct {
	MlvUsage *usage;
	MlvUsageSizes *sizes; /* NULL: a claim */
} Walk;

MlvUsage *mlv_usage_new(MlvStore *store)
{
	MlvUsage *usage = g_new0(MlvUsage, 1);

	usage->store = store;
	usage->seen = mlv_marks_new();
	usage->shared = mlv_marks_new();
	return usage;
}

void mlv_usage_free(MlvUsage *usage)
{
	if (!usage)
		return;
	mlv_marks_free(usage->seen);
	mlv_marks_free(usage->shared);
	g_free(usage);
}

static void count_missing(MlvUsageSizes *sizes, MlvKind kind, guint64 length)
{
	sizes->missing++;
	if (kind == MLV_KIND_TREE)
		sizes->incomplete = TRUE;
	else
		sizes->missing_bytes += length;
}

/* One object of what is being walked; comes once a walk. */
static gboolean visit(MlvKind kind, const MlvId *id, guint64 length, gboolean *descend,
		      gpointer user, GError **error)
{
	Walk *walk = user;
	MlvUsage *usage = walk->usage;
	gboolean found = FALSE;
	MlvPlace place;

	if (!walk->sizes) {
		if (!mlv_marks_add(usage->seen, kind, id))
			mlv_marks_add(usage->shared, kind, id);
		return TRUE;
	}
	if (!mlv_store_find(usage->store, kind, id, &place, &found, error))
		return FALSE;
	if (!found) {
		*descend = FALSE;
		count_missing(walk->sizes, kind, length);
		return TRUE;
	}
	walk->sizes->stored += place.entry.stored;
	if (mlv_marks_contains(usage->shared, kind, id))
		walk->sizes->shared += place.entry.stored;
	return TRUE;
}

static gboolean pass_over(MlvKind kind, const MlvId *id, gpointer user, GError **error)
{
	return TRUE;
}

static gboolean walk_refs(Walk *walk, const MlvRef *refs, gsize count, GError **error)
{
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	MlvSource *source = mlv_store_source(walk->usage->store);

	for (gsize i = 0; i < count; i++)
		if (!mlv_mark(source, &refs[i], marks, visit, pass_over, walk, error))
			return FALSE;
	return TRUE;
}

gboolean mlv_usage_claim(MlvUsage *usage, const MlvRef *refs, gsize count, GError **error)
{
	Walk walk = { usage, NULL };

	return !usage->store || walk_refs(&walk, refs, count, error);
}

gboolean mlv_usage_measure(MlvUsage *usage, const MlvRef *refs, gsize count, MlvUsageSizes *sizes,
			   GError **error)
{
	Walk walk = { usage, sizes };

	memset(sizes, 0, sizeof(*sizes));
	if (usage->store && !walk_refs(&walk, refs, count, error))
		return FALSE;
	for (gsize i = 0; i < count; i++) {
		MlvPlace place;
		gboolean found = FALSE;

		if (!usage->store && (refs[i].kind == MLV_KIND_TREE || refs[i].size > 0))
			count_missing(sizes, refs[i].kind, refs[i].size);
		/* The list of a huge directory looks like a file's while it is walked. */
		if (usage->store && refs[i].kind == MLV_KIND_TREE &&
		    !mlv_store_find(usage->store, mlv_ref_chunk_kind(&refs[i]), &refs[i].id, &place,
				    &found, error))
			return FALSE;
		if (refs[i].kind == MLV_KIND_TREE && !found)
			sizes->incomplete = TRUE;
	}
	return TRUE;
}
