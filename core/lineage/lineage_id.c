/* SPDX-License-Identifier: Apache-2.0 */
/* What has an id, or one that begins so: in the revision, then in its history and in runs, then
 * within the tracked folders of the revision. */
#include <string.h>

#include "core/lineage/lineage_private.h"
#include "storage/source.h"

#define ID_PREFIX   "sha256:"
#define NESTING_MAX 2048

typedef struct {
	MlvLineage *lineage;
	const char *hex; /* as far as it was written */
	gboolean any;
	MlvId id; /* the first that fits */
	gboolean several;
	MlvId other;
} Search;

static gboolean fits(Search *search, const MlvId *id)
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(id, hex);
	if (!g_str_has_prefix(hex, search->hex))
		return FALSE;
	if (search->any && !mlv_id_equal(&search->id, id)) {
		search->several = TRUE;
		search->other = *id;
		return FALSE;
	}
	search->any = TRUE;
	search->id = *id;
	return TRUE;
}

static void try_held(Search *search, const char *path, const MlvPointer *held)
{
	if (fits(search, &held->ref.id))
		mlv_lineage_add_subject(search->lineage, path, held, NULL);
}

static void search_steps(Search *search, gboolean current)
{
	MlvSteps *steps = search->lineage->steps;

	for (guint i = 0; i < mlv_steps_count(steps); i++) {
		const MlvStep *step = mlv_steps_get(steps, i);
		if (step->current != current)
			continue;
		for (guint side = 0; side < 2; side++) {
			const GPtrArray *paths = side ? step->block->deps : step->block->outs;
			for (guint j = 0; j < paths->len; j++) {
				const MlvLockPath *path = paths->pdata[j];
				if (!path->etag)
					try_held(search, path->path, &path->held);
			}
		}
	}
}

/* --- within tracked folders ------------------------------------------------------------------- */

static gboolean search_tree(Search *search, const char *path, const MlvRef *tree, guint nesting,
			    GError **error)
{
	MlvLineage *lineage = search->lineage;
	const volatile sig_atomic_t *cancel = lineage->options.cancel;
	g_autoptr(MlvTreeCursor) cursor =
		mlv_tree_cursor_new(mlv_view_source(lineage->options.view), tree, error);
	MlvTreeEntry entry;
	MlvPointer held;

	if (!cursor)
		return FALSE;
	if (nesting > NESTING_MAX)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "folders are nested too deep in '%s'",
				path);
	for (;;) {
		if (cancel && *cancel)
			return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
		if (!mlv_tree_cursor_next(cursor, &entry, error))
			return FALSE;
		if (!entry.name)
			return TRUE;
		g_autofree char *below = g_strconcat(path, "/", entry.name, NULL);
		if (mlv_pointer_from_entry(&entry, &held))
			try_held(search, below, &held);
		if (entry.mode == MLV_MODE_DIRECTORY &&
		    !search_tree(search, below, &entry.ref, nesting + 1, error))
			return FALSE;
	}
}

/* What the store has not cannot be searched. */
static gboolean search_inside(Search *search, GError **error)
{
	const GPtrArray *targets = search->lineage->targets;

	for (guint i = 0; i < targets->len; i++) {
		const MlvTracked *target = targets->pdata[i];
		g_autoptr(GError) why = NULL;
		if (target->error || target->pointer.mode != MLV_MODE_DIRECTORY ||
		    search_tree(search, target->path, &target->pointer.ref, 0, &why) ||
		    g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING))
			continue;
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	return TRUE;
}

/* --- the search ------------------------------------------------------------------------------- */

static gboolean search_all(Search *search, GError **error)
{
	MlvLineage *lineage = search->lineage;
	const GArray *scanned = mlv_lineage_scan_pointers(lineage->scan);

	for (guint i = 0; i < lineage->targets->len; i++) {
		const MlvTracked *target = lineage->targets->pdata[i];
		if (!target->error)
			try_held(search, target->path, &target->pointer);
	}
	search_steps(search, TRUE);
	if (!search->any) {
		for (guint i = 0; i < scanned->len; i++) {
			const MlvScanned *one = &g_array_index(scanned, MlvScanned, i);
			try_held(search, one->path, &one->pointer);
		}
		search_steps(search, FALSE);
	}
	if (!search->any && !search_inside(search, error))
		return FALSE;
	if (!search->several)
		return TRUE;
	char first[MLV_ID_HEX + 1], second[MLV_ID_HEX + 1];
	mlv_id_format(&search->id, first);
	mlv_id_format(&search->other, second);
	return mlv_fail(error, MLV_ERROR_FAILED,
			"'%s' may be %s%.16s... or %s%.16s...: write more of it", search->hex,
			ID_PREFIX, first, ID_PREFIX, second);
}

char *mlv_lineage_id_digits(const char *text, gboolean *prefixed)
{
	*prefixed = g_str_has_prefix(text, ID_PREFIX);
	const char *digits = *prefixed ? text + strlen(ID_PREFIX) : text;
	gsize length = strlen(digits);

	return length >= MLV_LINEAGE_ID_MIN && length <= MLV_ID_HEX &&
			       strspn(digits, "0123456789abcdefABCDEF") == length
		       ? g_ascii_strdown(digits, -1)
		       : NULL;
}

gboolean mlv_lineage_add_id(MlvLineage *lineage, const char *hex, gboolean *found, GError **error)
{
	Search search = { .lineage = lineage, .hex = hex };

	if (!search_all(&search, error))
		return FALSE;
	*found = search.any;
	return TRUE;
}
