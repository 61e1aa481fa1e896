/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/sweep.h"

#include <errno.h>
#include <unistd.h>

#include "storage/error.h"
#include "storage/upkeep.h"

#define SMALL_PACK \
	(8u << 20) /* bytes; when so many packs of a pack_class are smaller they are gathered */
#define SMALL_PACKS 32u
#define DEAD_PART   4u /* worth rewriting from one such part of the bytes on */

typedef enum {
	FATE_KEEP,
	FATE_DELETE,
	FATE_REWRITE,
	FATE_ADOPT, /* kept, and indexed anew */
} Fate;

/* One pack and what the marks say of it. */
typedef struct {
	const MlvPackFile *file;
	MlvIndex *owner; /* the first index that names it, borrowed; NULL: none does */
	MlvClass pack_class;
	Fate fate;
	guint64 live_objects, live_bytes;
	guint64 dead_objects, dead_bytes;
} Candidate;

typedef struct {
	MlvStore *store;
	const MlvMarks *marks;
	const MlvSweepOptions *options;
	MlvSweepResult *result;
	GArray *files;                          /* MlvPackFile, sorted by name */
	Candidate *packs;                       /* one for each of files */
	GPtrArray *indexes[MLV_CLASS_META + 1]; /* live ones as they were, by pack_class */
	MlvMarks *copied; /* chunks of several packs that were copied already */
	MlvRepack *repack;
} Sweep;

static void sweep_clear(Sweep *sweep)
{
	g_clear_pointer(&sweep->files, g_array_unref);
	g_free(sweep->packs);
	for (MlvClass pack_class = MLV_CLASS_DATA; pack_class <= MLV_CLASS_META; pack_class++)
		g_clear_pointer(&sweep->indexes[pack_class], g_ptr_array_unref);
	mlv_marks_free(sweep->copied);
	mlv_repack_free(sweep->repack);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sweep, sweep_clear)

static gboolean keep_going(const Sweep *sweep, GError **error)
{
	if (!sweep->options->cancel || !*sweep->options->cancel)
		return TRUE;
	return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
}

static void progress(const Sweep *sweep, guint64 bytes)
{
	if (sweep->options->progress)
		sweep->options->progress(bytes, sweep->options->user);
}

static void count_entry(const Sweep *sweep, Candidate *pack, const MlvPackEntry *entry)
{
	if (mlv_marks_contains(sweep->marks, entry->kind, &entry->id)) {
		pack->live_objects++;
		pack->live_bytes += entry->stored;
	} else {
		pack->dead_objects++;
		pack->dead_bytes += entry->stored;
	}
}

/* --- what is dead ----------------------------------------------------------------------------- */

/* The candidates of an index's packs, by its numbers. */
static Candidate **map_packs(Sweep *sweep, MlvIndex *index, GError **error)
{
	gsize count = mlv_index_pack_count(index);
	g_autofree Candidate **map = g_new(Candidate *, count + 1);

	for (gsize i = 0; i < count; i++) {
		MlvIndexPack named = mlv_index_pack(index, i);
		gssize at = mlv_upkeep_find_pack(sweep->files, &named.name);
		char path[MLV_PACK_NAME_LENGTH + 1];

		mlv_pack_path(&named.name, path);
		if (at < 0 || sweep->packs[at].file->size != named.size) {
			mlv_fail(error, MLV_ERROR_CORRUPT,
				 "the index names '%s', which is not there or cut short; run "
				 "'mlv fsck --repair' first",
				 path);
			return NULL;
		}
		map[i] = &sweep->packs[at];
	}
	return g_steal_pointer(&map);
}

/* A pack that several indexes name is counted by the first: each names all of its chunks. */
static gboolean count_index(Sweep *sweep, MlvIndex *index, GError **error)
{
	g_autofree Candidate **map = map_packs(sweep, index, error);
	MlvIndexHit hit;

	if (!map)
		return FALSE;
	for (gsize i = 0; i < mlv_index_pack_count(index); i++) {
		if (map[i]->owner)
			continue;
		map[i]->owner = index;
		map[i]->pack_class = mlv_index_class(index);
	}
	for (gsize i = 0; i < mlv_index_count(index); i++) {
		if (!mlv_index_get(index, i, &hit, error))
			return FALSE;
		if (map[hit.pack]->owner == index)
			count_entry(sweep, map[hit.pack], &hit.entry);
	}
	return keep_going(sweep, error);
}

/* A pack that no index names: left by a killed process, or its index was lost. It is needed if it
 * alone has something that is marked. */
static gboolean count_orphan(Sweep *sweep, Candidate *pack, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(MlvPackTable) table =
		mlv_upkeep_read_table(sweep->store, &pack->file->name, NULL, &why);
	MlvPlace place;
	gboolean found;

	if (!table && g_error_matches(why, MLV_ERROR, MLV_ERROR_CORRUPT)) {
		sweep->result->unreadable++;
		return TRUE;
	}
	if (!table) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	pack->pack_class = table->pack_class;
	for (gsize i = 0; i < table->count; i++) {
		const MlvPackEntry *entry = &table->entries[i];

		count_entry(sweep, pack, entry);
		if (pack->fate == FATE_ADOPT ||
		    !mlv_marks_contains(sweep->marks, entry->kind, &entry->id))
			continue;
		if (!mlv_store_find(sweep->store, entry->kind, &entry->id, &place, &found, error))
			return FALSE;
		/* a directory or list that could not be read: what it needs is not marked */
		if (!found && entry->kind != MLV_KIND_BLOB)
			return mlv_fail(
				error, MLV_ERROR_FAILED,
				"an index is lost, and what is needed cannot be told without it; run "
				"'mlv fsck --repair' first; nothing was dropped");
		if (!found)
			pack->fate = FATE_ADOPT;
	}
	return TRUE;
}

static gboolean count(Sweep *sweep, GError **error)
{
	for (MlvClass pack_class = MLV_CLASS_DATA; pack_class <= MLV_CLASS_META; pack_class++)
		for (guint i = 0; i < sweep->indexes[pack_class]->len; i++)
			if (!count_index(sweep, sweep->indexes[pack_class]->pdata[i], error))
				return FALSE;
	for (guint i = 0; i < sweep->files->len; i++)
		if (!sweep->packs[i].owner && !count_orphan(sweep, &sweep->packs[i], error))
			return FALSE;
	return TRUE;
}

/* --- what becomes of it ----------------------------------------------------------------------- */

static gboolean is_old(const Sweep *sweep, const Candidate *pack)
{
	gint64 age = MAX(0, sweep->options->now - pack->file->mtime);

	return sweep->options->grace != G_MAXUINT64 && (guint64)age >= sweep->options->grace;
}

static void decide(const Sweep *sweep, Candidate *pack)
{
	MlvSweepResult *result = sweep->result;

	if (!pack->owner && pack->fate != FATE_ADOPT) {
		/* What is marked in it lies elsewhere too. Unreadable ones have no class. */
		if (pack->pack_class && is_old(sweep, pack))
			pack->fate = FATE_DELETE;
		return;
	}
	result->live_objects += pack->live_objects;
	result->live_bytes += pack->live_bytes;
	if (pack->dead_objects == 0)
		return;
	if (!is_old(sweep, pack)) {
		result->young_objects += pack->dead_objects;
		result->young_bytes += pack->dead_bytes;
	} else if (pack->live_objects == 0) {
		pack->fate = FATE_DELETE;
	} else if (pack->owner &&
		   pack->dead_bytes * DEAD_PART >= pack->dead_bytes + pack->live_bytes) {
		pack->fate = FATE_REWRITE;
	} else {
		result->sparse_objects += pack->dead_objects;
		result->sparse_bytes += pack->dead_bytes;
	}
}

/* Small packs from which nothing would be dropped before its time. */
static gboolean is_small(const Sweep *sweep, const Candidate *pack, MlvClass pack_class)
{
	return pack->owner && pack->pack_class == pack_class && pack->fate == FATE_KEEP &&
	       pack->file->size < SMALL_PACK && pack->live_objects > 0 &&
	       (pack->dead_objects == 0 || is_old(sweep, pack));
}

/* Every session leaves packs, however little it adds; in the end there would be too many. */
static void gather(const Sweep *sweep, MlvClass pack_class)
{
	guint small = 0;

	for (guint i = 0; i < sweep->files->len; i++)
		small += is_small(sweep, &sweep->packs[i], pack_class);
	for (guint i = 0; small > SMALL_PACKS && i < sweep->files->len; i++) {
		Candidate *pack = &sweep->packs[i];

		if (!is_small(sweep, pack, pack_class))
			continue;
		pack->fate = FATE_REWRITE;
		sweep->result->sparse_objects -= pack->dead_objects;
		sweep->result->sparse_bytes -= pack->dead_bytes;
	}
}

static void decide_all(const Sweep *sweep)
{
	MlvSweepResult *result = sweep->result;

	for (guint i = 0; i < sweep->files->len; i++)
		decide(sweep, &sweep->packs[i]);
	gather(sweep, MLV_CLASS_DATA);
	gather(sweep, MLV_CLASS_META);
	for (guint i = 0; i < sweep->files->len; i++) {
		const Candidate *pack = &sweep->packs[i];

		result->packs_adopted += pack->fate == FATE_ADOPT;
		result->packs_deleted += pack->fate == FATE_DELETE;
		result->packs_rewritten += pack->fate == FATE_REWRITE;
		if (pack->fate != FATE_DELETE && pack->fate != FATE_REWRITE)
			continue;
		result->bytes += pack->file->size;
		/* A leftover's chunks were never anybody's, unless they are elsewhere. */
		result->objects += pack->dead_objects;
	}
}

/* --- rewriting -------------------------------------------------------------------------------- */

/* Whether the copy of the chunk in that pack can be read. */
static gboolean is_good_copy(Sweep *sweep, const MlvId *pack, const MlvPackEntry *entry)
{
	char path[MLV_PACK_NAME_LENGTH + 1];
	g_auto(MlvFd) fd = mlv_store_pack_open(sweep->store, pack, NULL);
	g_autofree guint8 *stored = g_malloc((gsize)entry->stored + 1);
	g_autofree guint8 *raw = g_malloc((gsize)entry->raw + 1);

	mlv_pack_path(pack, path);
	return fd >= 0 && mlv_file_read_at(fd, stored, entry->stored, entry->offset, path, NULL) &&
	       mlv_pack_decode(entry, stored, raw, path, NULL);
}

/* Whether a marked chunk of a pack that goes must be copied: not if another pack that stays has it,
 * nor twice. */
static gboolean must_copy(Sweep *sweep, MlvClass pack_class, const MlvPackEntry *entry,
			  gboolean *must, GError **error)
{
	g_autoptr(GArray) hits = g_array_new(FALSE, FALSE, sizeof(MlvIndexHit));
	guint places = 0;

	*must = FALSE;
	for (guint i = 0; i < sweep->indexes[pack_class]->len; i++) {
		MlvIndex *index = sweep->indexes[pack_class]->pdata[i];

		g_array_set_size(hits, 0);
		if (!mlv_index_find_all(index, entry->kind, &entry->id, hits, error))
			return FALSE;
		for (guint j = 0; j < hits->len; j++, places++) {
			const MlvIndexHit *hit = &g_array_index(hits, MlvIndexHit, j);
			MlvIndexPack pack = mlv_index_pack(index, hit->pack);
			gssize at = mlv_upkeep_find_pack(sweep->files, &pack.name);

			if (sweep->packs[at].fate == FATE_KEEP &&
			    is_good_copy(sweep, &pack.name, &hit->entry))
				return TRUE;
		}
	}
	*must = places < 2 || mlv_marks_add(sweep->copied, entry->kind, &entry->id);
	return TRUE;
}

static gboolean rewrite(Sweep *sweep, const Candidate *pack, GError **error)
{
	char path[MLV_PACK_NAME_LENGTH + 1];
	g_auto(MlvFd) fd = -1;
	g_autoptr(MlvPackTable) table =
		mlv_upkeep_read_table(sweep->store, &pack->file->name, &fd, error);
	gsize kept = 0;
	gboolean must;

	if (!table)
		return FALSE;
	for (gsize i = 0; i < table->count; i++) {
		const MlvPackEntry *entry = &table->entries[i];

		if (!mlv_marks_contains(sweep->marks, entry->kind, &entry->id))
			continue;
		if (!must_copy(sweep, table->pack_class, entry, &must, error))
			return FALSE;
		if (must)
			table->entries[kept++] = *entry;
	}
	mlv_pack_path(&pack->file->name, path);
	if (!mlv_repack_copy(sweep->repack, fd, path, table->pack_class, table->entries, kept, NULL,
			     NULL, error))
		return FALSE;
	progress(sweep, pack->file->size);
	return keep_going(sweep, error);
}

static gboolean rewrite_all(Sweep *sweep, GError **error)
{
	MlvSweepResult *result = sweep->result;

	sweep->copied = mlv_marks_new();
	sweep->repack = mlv_repack_new(sweep->store, sweep->options->dry_run, sweep->options->sync);
	for (guint i = 0; i < sweep->files->len; i++)
		if (sweep->packs[i].fate == FATE_REWRITE &&
		    !rewrite(sweep, &sweep->packs[i], error)) {
			g_prefix_error(error, "nothing was dropped: ");
			return FALSE;
		}
	if (!mlv_repack_finish(sweep->repack, error))
		return FALSE;
	result->packs_written = mlv_repack_packs(sweep->repack);
	/* Alignment and tables may make a gathering a little larger than what it replaces. */
	result->bytes -= MIN(result->bytes, mlv_repack_bytes(sweep->repack));
	return TRUE;
}

/* --- changing the store ----------------------------------------------------------------------- */

/* Index files that a live one supersedes: what a killed merge left. They go first, or they would
 * come to life again with the index that supersedes them gone. */
static gboolean remove_superseded(Sweep *sweep, GError **error)
{
	g_autoptr(GArray) names = mlv_upkeep_index_names(sweep->store, error);

	for (guint n = names ? names->len : 0; n-- > 0;) {
		gboolean live = FALSE;

		for (MlvClass pack_class = MLV_CLASS_DATA; pack_class <= MLV_CLASS_META;
		     pack_class++)
			for (guint i = 0; i < sweep->indexes[pack_class]->len && !live; i++)
				live = mlv_id_equal(
					mlv_index_name(sweep->indexes[pack_class]->pdata[i]),
					&g_array_index(names, MlvId, n));
		if (live)
			g_array_remove_index_fast(names, n);
	}
	return names && mlv_upkeep_remove_indexes(sweep->store, names, sweep->options->sync, error);
}

static gboolean adopt(Sweep *sweep, GError **error)
{
	for (MlvClass pack_class = MLV_CLASS_DATA; pack_class <= MLV_CLASS_META; pack_class++) {
		g_autoptr(MlvIndexBuilder) builder = mlv_index_builder_new(pack_class);

		for (guint i = 0; i < sweep->files->len; i++) {
			const Candidate *pack = &sweep->packs[i];

			if (pack->fate != FATE_ADOPT || pack->pack_class != pack_class)
				continue;
			g_autoptr(MlvPackTable) table =
				mlv_upkeep_read_table(sweep->store, &pack->file->name, NULL, error);
			if (!table)
				return FALSE;
			mlv_index_builder_add_pack(builder, &table->name, table->size,
						   table->entries, table->count);
		}
		if (!mlv_upkeep_publish_index(sweep->store, builder, NULL, sweep->options->sync,
					      error))
			return FALSE;
	}
	return TRUE;
}

static gboolean stays(const MlvIndexPack *pack, const MlvPackEntry *entry, gpointer user)
{
	const Sweep *sweep = user;
	gssize at = mlv_upkeep_find_pack(sweep->files, &pack->name);

	/* What was written meanwhile is not in the list. */
	return at < 0 || sweep->packs[at].fate == FATE_KEEP || sweep->packs[at].fate == FATE_ADOPT;
}

static gboolean goes(const Candidate *pack)
{
	return pack->fate == FATE_DELETE || pack->fate == FATE_REWRITE;
}

/* Indexes without the packs that go; of a class that loses nothing they stay as they are. */
static gboolean supersede(Sweep *sweep, GError **error)
{
	if (sweep->result->objects > 0 &&
	    !mlv_store_new_generation(sweep->store, sweep->options->sync, error))
		return FALSE;
	if (!mlv_store_refresh(sweep->store, error))
		return FALSE;
	for (MlvClass pack_class = MLV_CLASS_DATA; pack_class <= MLV_CLASS_META; pack_class++) {
		g_autoptr(GPtrArray) indexes = mlv_store_indexes(sweep->store, pack_class);
		gboolean changed = FALSE;

		for (guint i = 0; i < sweep->files->len && !changed; i++)
			changed = goes(&sweep->packs[i]) && sweep->packs[i].owner &&
				  sweep->packs[i].pack_class == pack_class;
		if (changed && !mlv_upkeep_merge(sweep->store, indexes, stays, sweep,
						 sweep->options->sync, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean delete_packs(Sweep *sweep, GError **error)
{
	char path[MLV_PACK_NAME_LENGTH + 1];

	for (guint i = 0; i < sweep->files->len; i++) {
		if (!goes(&sweep->packs[i]))
			continue;
		mlv_pack_path(&sweep->packs[i].file->name, path);
		if (unlinkat(mlv_store_fd(sweep->store), path, 0) < 0 && errno != ENOENT)
			return mlv_fail_errno(error, "cannot remove '%s/%s'",
					      mlv_store_path(sweep->store), path);
	}
	return TRUE;
}

gboolean mlv_sweep_run(MlvStore *store, const MlvMarks *marks, const MlvSweepOptions *options,
		       MlvSweepResult *result, GError **error)
{
	g_auto(Sweep)
		sweep = { .store = store, .marks = marks, .options = options, .result = result };

	*result = (MlvSweepResult){ 0 };
	for (MlvClass pack_class = MLV_CLASS_DATA; pack_class <= MLV_CLASS_META; pack_class++)
		sweep.indexes[pack_class] = mlv_store_indexes(store, pack_class);
	sweep.files = mlv_upkeep_packs(store, NULL, error);
	if (!sweep.files)
		return FALSE;
	sweep.packs = g_new0(Candidate, sweep.files->len + 1);
	for (guint i = 0; i < sweep.files->len; i++)
		sweep.packs[i].file = &g_array_index(sweep.files, MlvPackFile, i);
	if (!count(&sweep, error))
		return FALSE;
	decide_all(&sweep);
	if (!options->dry_run && (!remove_superseded(&sweep, error) || !adopt(&sweep, error)))
		return FALSE;
	if (!rewrite_all(&sweep, error))
		return FALSE;
	if (options->dry_run)
		return TRUE;
	if (!supersede(&sweep, error) || !delete_packs(&sweep, error))
		return FALSE;
	mlv_upkeep_sweep_temporary(store);
	return mlv_store_refresh(store, error);
}
