/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/fetch.h"

#include "storage/fetch_private.h"

#include <string.h>

#define BATCH 65536 /* chunks looked up together */

/* --- planning --------------------------------------------------------------------------------- */

static gboolean plan_batch(Fetch *fetch, const MlvChunkKey *keys, gsize count, GArray *absent,
			   GError **error)
{
	g_autofree MlvRemoteHit *hits = g_new(MlvRemoteHit, count + 1);

	if (!mlv_remote_find_many(fetch->remote, keys, count, hits, error))
		return FALSE;
	for (gsize i = 0; i < count; i++) {
		RemoteWant want;

		if (hits[i].state == MLV_HIT_ABSENT) {
			g_array_append_val(absent, keys[i]);
			continue;
		}
		mlv_remote_want(&want, &keys[i], &hits[i]);
		g_array_append_val(fetch->wants, want);
	}
	return TRUE;
}

static gboolean look_up(Fetch *fetch, const MlvChunkKey *keys, gsize count, GArray *absent,
			GError **error)
{
	for (gsize at = 0; at < count; at += BATCH)
		if (!plan_batch(fetch, keys + at, MIN(count - at, BATCH), absent, error))
			return FALSE;
	return TRUE;
}

static int by_place(const void *a, const void *b)
{
	const RemoteWant *x = a, *y = b;

	if (x->pack != y->pack)
		return x->pack < y->pack ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Sorts, and drops what was named twice. */
static void sort_wants(GArray *wants)
{
	guint kept = 0;

	if (wants->len > 1)
		qsort(wants->data, wants->len, sizeof(RemoteWant), by_place);
	for (guint i = 0; i < wants->len; i++) {
		const RemoteWant *want = &g_array_index(wants, RemoteWant, i);
		const RemoteWant *last =
			kept > 0 ? &g_array_index(wants, RemoteWant, kept - 1) : NULL;

		if (!last || last->pack != want->pack || last->offset != want->offset)
			g_array_index(wants, RemoteWant, kept++) = *want;
	}
	g_array_set_size(wants, kept);
}

/* The wants of one pack, [first, end): as a whole pack, or as ranges. */
static void plan_pack(Fetch *fetch, guint first, guint end, gboolean whole_allowed)
{
	RemoteWant *wants = &g_array_index(fetch->wants, RemoteWant, first);
	const MlvRemotePack *pack = mlv_remote_pack(fetch->remote, wants->pack);
	g_autoptr(GArray) ranges = NULL;
	guint64 bytes = 0;

	for (guint i = first; i < end; i++)
		bytes += g_array_index(fetch->wants, RemoteWant, i).stored;
	if (whole_allowed && fetch->sink->temp && bytes >= pack->size / 4 * 3) {
		FetchUnit unit = {
			.first = first, .count = end - first, .length = pack->size, .whole = TRUE
		};

		g_array_append_val(fetch->units, unit);
		return;
	}
	ranges = mlv_remote_join(wants, end - first, MLV_FETCH_RANGE);
	for (guint i = 0; i < ranges->len; i++) {
		const RemoteRange *range = &g_array_index(ranges, RemoteRange, i);
		FetchUnit unit = {
			.first = first + (guint)range->first,
			.count = (guint)range->count,
			.offset = range->offset,
			.length = range->length,
		};

		g_array_append_val(fetch->units, unit);
	}
}

static void plan_units(Fetch *fetch)
{
	guint first = 0;

	sort_wants(fetch->wants);
	for (guint i = 1; i <= fetch->wants->len; i++)
		if (i == fetch->wants->len ||
		    g_array_index(fetch->wants, RemoteWant, i).pack !=
			    g_array_index(fetch->wants, RemoteWant, first).pack) {
			plan_pack(fetch, first, i, TRUE);
			first = i;
		}
	for (guint i = 0; i < fetch->units->len; i++) {
		const FetchUnit *unit = &g_array_index(fetch->units, FetchUnit, i);

		fetch->total += unit->length;
		fetch->result->bytes += unit->length;
		fetch->result->chunks += unit->count;
		fetch->result->packs += unit->whole ? 1 : 0;
	}
}

void mlv_fetch_split(Fetch *fetch, const FetchUnit *unit)
{
	FetchUnit whole = *unit; /* lies in the array that grows */

	plan_pack(fetch, whole.first, whole.first + whole.count, FALSE);
}

/* --- rounds ----------------------------------------------------------------------------------- */

static gboolean fail_absent(const Fetch *fetch, const GArray *absent, GError **error)
{
	const MlvChunkKey *key = &g_array_index(absent, MlvChunkKey, 0);
	g_autofree char *label = mlv_chunk_label(key->kind, &key->id);

	if (absent->len == 1)
		return mlv_fail(
			error, MLV_ERROR_MISSING,
			"%s is not on the remote '%s'; run 'mlv push --recheck' where it is", label,
			fetch->remote->medium->url);
	return mlv_fail(
		error, MLV_ERROR_MISSING,
		"%s and %u other objects are not on the remote '%s'; push them from where they are",
		label, absent->len - 1, fetch->remote->medium->url);
}

static void fetch_clear(Fetch *fetch)
{
	g_array_unref(fetch->wants);
	g_array_unref(fetch->units);
	g_array_unref(fetch->again);
	g_array_unref(fetch->gone);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fetch, fetch_clear)

/* Plans and fetches `keys`. What is absent, or whose pack is gone by now, is in `left` after. */
static gboolean attempt(Fetch *fetch, const MlvChunkKey *keys, gsize count, GArray *left,
			GError **error)
{
	g_array_set_size(fetch->wants, 0);
	g_array_set_size(fetch->units, 0);
	g_array_set_size(fetch->gone, 0);
	if (!look_up(fetch, keys, count, left, error))
		return FALSE;
	plan_units(fetch);
	if (fetch->options->dry_run || fetch->units->len == 0)
		return TRUE;
	if (!mlv_fetch_run(fetch, error))
		return FALSE;
	g_array_append_vals(left, fetch->gone->data, fetch->gone->len);
	return TRUE;
}

gboolean mlv_fetch(MlvRemote *remote, const MlvChunkKey *keys, gsize count,
		   const MlvFetchSink *sink, const MlvFetchOptions *options, MlvFetchResult *result,
		   GError **error)
{
	g_auto(Fetch) fetch = {
		.remote = remote,
		.sink = sink,
		.options = options,
		.result = result,
		.wants = g_array_new(FALSE, FALSE, sizeof(RemoteWant)),
		.units = g_array_new(FALSE, FALSE, sizeof(FetchUnit)),
		.again = g_array_new(FALSE, FALSE, sizeof(guint)),
		.gone = g_array_new(FALSE, FALSE, sizeof(MlvChunkKey)),
	};
	g_autoptr(GArray) left = g_array_new(FALSE, FALSE, sizeof(MlvChunkKey));
	g_autoptr(GArray) still = g_array_new(FALSE, FALSE, sizeof(MlvChunkKey));
	g_autoptr(GError) failed = NULL;

	memset(result, 0, sizeof(*result));
	if (!attempt(&fetch, keys, count, left, &failed)) {
		if (!remote->index_gone) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return FALSE;
		}
		/* Nothing was fetched yet: indexes are read before anything else. */
		g_array_set_size(left, 0);
		g_array_append_vals(left, keys, (guint)count);
	}
	if (left->len == 0)
		return TRUE;
	/* A gc may have moved it since the listing. */
	if (!mlv_remote_refresh(remote, error) ||
	    !attempt(&fetch, (const MlvChunkKey *)(gpointer)left->data, left->len, still, error))
		return FALSE;
	return still->len == 0 || fail_absent(&fetch, still, error);
}
