/* SPDX-License-Identifier: Apache-2.0 */
/* From version to stage to version, breadth first. A stage is followed once in each direction, so
 * that locks that name each other in a circle end. */
#include <string.h>

#include "core/lineage/lineage_private.h"

#define PATH_LIMIT 4096 /* bytes; nothing lies around a longer path */

typedef struct {
	guint data, level;
} Place;

typedef struct {
	MlvLineage *lineage;
	GArray *queue;      /* of Place */
	GHashTable *seen;   /* number + 1 of data that was queued */
	GHashTable *stages; /* number + 1 of a stage that was followed */
} Follow;

static guint stage_of(MlvLineage *lineage, guint step)
{
	guint known =
		GPOINTER_TO_UINT(g_hash_table_lookup(lineage->by_step, GUINT_TO_POINTER(step + 1)));

	if (known)
		return known - 1;
	MlvLineageStage *stage = g_new0(MlvLineageStage, 1);
	stage->number = step;
	stage->step = mlv_steps_get(lineage->steps, step);
	stage->deps = g_array_new(FALSE, FALSE, sizeof(guint));
	stage->outs = g_array_new(FALSE, FALSE, sizeof(guint));
	g_ptr_array_add(lineage->stages, stage);
	g_hash_table_insert(lineage->by_step, GUINT_TO_POINTER(step + 1),
			    GUINT_TO_POINTER(lineage->stages->len));
	return lineage->stages->len - 1;
}

static void enqueue(Follow *follow, guint data, guint level)
{
	Place place = { data, level };

	if (g_hash_table_add(follow->seen, GUINT_TO_POINTER(data + 1)))
		g_array_append_val(follow->queue, place);
}

static void follow_init(Follow *follow, MlvLineage *lineage)
{
	follow->lineage = lineage;
	follow->queue = g_array_new(FALSE, FALSE, sizeof(Place));
	follow->seen = g_hash_table_new(NULL, NULL);
	follow->stages = g_hash_table_new(NULL, NULL);
	for (guint i = 0; i < lineage->subjects->len; i++)
		enqueue(follow, g_array_index(lineage->subjects, guint, i), 0);
}

static void follow_clear(Follow *follow)
{
	g_array_unref(follow->queue);
	g_hash_table_unref(follow->seen);
	g_hash_table_unref(follow->stages);
}

static gboolean is_followed(Follow *follow, guint stage)
{
	return !g_hash_table_add(follow->stages, GUINT_TO_POINTER(stage + 1));
}

static gboolean same_content(const MlvLineageData *data, const MlvLockPath *path)
{
	if (data->etag || path->etag)
		return g_strcmp0(data->etag, path->etag) == 0;
	return !data->has_id || mlv_id_equal(&data->held.ref.id, &path->held.ref.id);
}

static guint add_path(MlvLineage *lineage, const MlvLockPath *path)
{
	return mlv_lineage_add(lineage, path->path, path->etag ? NULL : &path->held, path->etag);
}

static gboolean keep_going(const MlvLineage *lineage, GError **error)
{
	const volatile sig_atomic_t *cancel = lineage->options.cancel;

	return !cancel || !*cancel || mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
}

/* --- up --------------------------------------------------------------------------------------- */

/* Steps that were found, each once, in the order in which they were. */
typedef struct {
	GArray *uses; /* of MlvLineageUse: `stage` is a step's number here */
	GHashTable *seen;
} Found;

static void found_init(Found *found)
{
	found->uses = g_array_new(FALSE, FALSE, sizeof(MlvLineageUse));
	found->seen = g_hash_table_new(NULL, NULL);
}

static void found_clear(Found *found)
{
	g_array_unref(found->uses);
	g_hash_table_unref(found->seen);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, found_clear)

static void found_add(Found *found, guint step, gboolean other)
{
	MlvLineageUse use = { step, other };

	if (g_hash_table_add(found->seen, GUINT_TO_POINTER(step + 1)))
		g_array_append_val(found->uses, use);
}

/* Those that name a folder around the path. */
static void find_around(const GArray *all, const char *path, Found *found)
{
	g_autofree char *folder = g_strdup(path);
	guint count;

	if (strlen(path) > PATH_LIMIT)
		return;
	for (char *slash; (slash = strrchr(folder, '/'));) {
		*slash = '\0';
		const MlvNamed *named = mlv_lineage_named(all, folder, FALSE, &count);
		for (guint i = 0; i < count; i++)
			found_add(found, named[i].step, FALSE);
	}
}

static void find_below(const GArray *all, const char *path, Found *found)
{
	guint count;
	const MlvNamed *named = mlv_lineage_named(all, path, TRUE, &count);

	for (guint i = 0; i < count; i++)
		found_add(found, named[i].step, FALSE);
}

/* The current steps that made it: by its path, a folder around it, or what lies in it. */
static void find_current_makers(const MlvLineage *lineage, const MlvLineageData *data,
				Found *makers)
{
	guint count;
	const MlvNamed *named = mlv_lineage_named(lineage->outs, data->path, FALSE, &count);

	for (guint i = 0; i < count; i++)
		if (same_content(data, named[i].path))
			found_add(makers, named[i].step, FALSE);
	if (count > 0 || data->etag)
		return;
	find_around(lineage->outs, data->path, makers);
	find_below(lineage->outs, data->path, makers);
}

/* Steps of other revisions that made these very bytes at this path. */
static void find_other_makers(const MlvLineage *lineage, const MlvLineageData *data, Found *makers)
{
	const GArray *all =
		data->has_id ? mlv_steps_makers(lineage->steps, &data->held.ref.id) : NULL;

	for (guint i = 0; all && i < all->len; i++) {
		guint number = g_array_index(all, guint, i);
		const MlvStep *step = mlv_steps_get(lineage->steps, number);
		if (step->current || !mlv_lock_stage_out(step->block, data->path))
			continue;
		found_add(makers, number, FALSE);
		if (!lineage->options.all)
			return;
	}
}

static void follow_deps(Follow *follow, guint number, guint level)
{
	MlvLineage *lineage = follow->lineage;
	MlvLineageStage *stage = lineage->stages->pdata[number];

	if (is_followed(follow, number))
		return;
	for (guint i = 0; i < stage->step->block->deps->len; i++) {
		guint dep = add_path(lineage, stage->step->block->deps->pdata[i]);
		g_array_append_val(stage->deps, dep);
		enqueue(follow, dep, level + 1);
	}
}

static void follow_up(Follow *follow, const Place *place)
{
	MlvLineage *lineage = follow->lineage;
	g_auto(Found) makers = { 0 };
	MlvLineageData *data = lineage->data->pdata[place->data];

	found_init(&makers);
	find_current_makers(lineage, data, &makers);
	if (makers.uses->len == 0 || lineage->options.all)
		find_other_makers(lineage, data, &makers);
	if (makers.uses->len > 0)
		data->origin = MLV_ORIGIN_STAGE;
	if (place->level >= lineage->options.depth) {
		data->ended = makers.uses->len > 0;
		return;
	}
	for (guint i = 0; i < makers.uses->len; i++) {
		guint stage = stage_of(lineage, g_array_index(makers.uses, MlvLineageUse, i).stage);
		g_array_append_val(data->made_by, stage);
		follow_deps(follow, stage, place->level);
	}
}

/* --- down ------------------------------------------------------------------------------------- */

static void find_current_readers(const MlvLineage *lineage, const MlvLineageData *data,
				 Found *readers)
{
	guint count;
	const MlvNamed *named = mlv_lineage_named(lineage->deps, data->path, FALSE, &count);

	for (guint i = 0; i < count; i++)
		found_add(readers, named[i].step, !same_content(data, named[i].path));
	if (data->etag)
		return;
	find_around(lineage->deps, data->path, readers);
	find_below(lineage->deps, data->path, readers);
}

/* Steps of other revisions that read these very bytes, wherever they lay. */
static void find_other_readers(const MlvLineage *lineage, const MlvLineageData *data,
			       Found *readers)
{
	const GArray *all =
		data->has_id ? mlv_steps_readers(lineage->steps, &data->held.ref.id) : NULL;

	for (guint i = 0; all && i < all->len; i++) {
		guint step = g_array_index(all, guint, i);
		if (!mlv_steps_get(lineage->steps, step)->current)
			found_add(readers, step, FALSE);
	}
}

static void follow_outs(Follow *follow, guint number, guint level)
{
	MlvLineage *lineage = follow->lineage;
	MlvLineageStage *stage = lineage->stages->pdata[number];

	if (is_followed(follow, number))
		return;
	for (guint i = 0; i < stage->step->block->outs->len; i++) {
		guint out = add_path(lineage, stage->step->block->outs->pdata[i]);
		((MlvLineageData *)lineage->data->pdata[out])->origin = MLV_ORIGIN_STAGE;
		g_array_append_val(stage->outs, out);
		/* What another revision made is followed only if all are asked for. */
		if (stage->step->current || lineage->options.all)
			enqueue(follow, out, level + 1);
	}
}

static void follow_down(Follow *follow, const Place *place)
{
	MlvLineage *lineage = follow->lineage;
	g_auto(Found) readers = { 0 };
	MlvLineageData *data = lineage->data->pdata[place->data];

	found_init(&readers);
	find_current_readers(lineage, data, &readers);
	if (place->level == 0 || lineage->options.all)
		find_other_readers(lineage, data, &readers);
	if (place->level >= lineage->options.depth) {
		data->ended |= readers.uses->len > 0;
		return;
	}
	for (guint i = 0; i < readers.uses->len; i++) {
		MlvLineageUse use = g_array_index(readers.uses, MlvLineageUse, i);
		use.stage = stage_of(lineage, use.stage);
		g_array_append_val(data->read_by, use);
		follow_outs(follow, use.stage, place->level);
	}
}

/* --- both ------------------------------------------------------------------------------------- */

static gboolean follow_all(MlvLineage *lineage, void (*each)(Follow *, const Place *),
			   GError **error)
{
	Follow follow;
	gboolean ok = TRUE;

	follow_init(&follow, lineage);
	for (guint i = 0; ok && i < follow.queue->len; i++) {
		Place place = g_array_index(follow.queue, Place, i);
		each(&follow, &place);
		ok = keep_going(lineage, error);
	}
	follow_clear(&follow);
	return ok;
}

gboolean mlv_lineage_follow(MlvLineage *lineage, GError **error)
{
	return (!lineage->options.up || follow_all(lineage, follow_up, error)) &&
	       (!lineage->options.down || follow_all(lineage, follow_down, error));
}
