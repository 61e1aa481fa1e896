/* SPDX-License-Identifier: Apache-2.0 */
/* Mending a store from its packs, and from elsewhere where the packs are not enough. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "storage/check_private.h"
#include "storage/error.h"
#include "storage/format.h"

#define INDEX_ENTRIES (1u << 20) /* chunks at which an index being made anew is written */

typedef struct {
	MlvCheck *check;
	MlvRepack *repack;
	MlvMarks *rescued; /* what the new packs hold */
	GArray *wanted;    /* CheckChunk: damaged or gone */
	MlvCheckMended *mended;
} Repair;

static void repair_clear(Repair *repair)
{
	mlv_repack_free(repair->repack);
	mlv_marks_free(repair->rescued);
	g_clear_pointer(&repair->wanted, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Repair, repair_clear)

gboolean mlv_check_has_good(const MlvCheck *check, MlvKind kind, const MlvId *id)
{
	g_autoptr(GArray) hits = g_array_new(FALSE, FALSE, sizeof(MlvIndexHit));

	for (guint i = 0; i < check->indexes->len; i++) {
		MlvIndex *index = check->indexes->pdata[i];

		g_array_set_size(hits, 0);
		if (!mlv_index_find_all(index, kind, id, hits, NULL))
			continue;
		for (guint j = 0; j < hits->len; j++) {
			MlvIndexPack pack =
				mlv_index_pack(index, g_array_index(hits, MlvIndexHit, j).pack);
			gssize at = mlv_upkeep_find_pack(check->files, &pack.name);

			if (at >= 0 && !check->packs[at].damaged)
				return TRUE;
		}
	}
	return FALSE;
}

static void want(Repair *repair, MlvKind kind, const MlvId *id)
{
	CheckChunk chunk = { .id = *id, .kind = (guint8)kind };

	g_array_append_val(repair->wanted, chunk);
}

/* --- what is still good ----------------------------------------------------------------------- */

static int compare_offsets(gconstpointer a, gconstpointer b)
{
	const MlvPackEntry *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Where chunks lay in the pack: by its table, or, where that is damaged, by an index. */
static GArray *entries_of(Repair *repair, const CheckPack *pack)
{
	GArray *entries = g_array_new(FALSE, FALSE, sizeof(MlvPackEntry));
	g_autoptr(MlvPackTable) table =
		mlv_upkeep_read_table(repair->check->store, &pack->file->name, NULL, NULL);
	MlvIndexHit hit;

	if (table)
		g_array_append_vals(entries, table->entries, (guint)table->count);
	if (table || pack->named->len == 0)
		return entries;
	const CheckNamed *named = &g_array_index(pack->named, CheckNamed, 0);
	for (gsize i = 0; i < mlv_index_count(named->index); i++)
		if (mlv_index_get(named->index, i, &hit, NULL) && hit.pack == named->number)
			g_array_append_val(entries, hit.entry);
	g_array_sort(entries, compare_offsets);
	return entries;
}

static void chunk_is_damaged(const MlvPackEntry *entry, const GError *why, gpointer user)
{
	want(user, entry->kind, &entry->id);
}

/* Copies what is good out of a damaged pack. */
static gboolean rescue(Repair *repair, const CheckPack *pack, GError **error)
{
	char path[MLV_PACK_NAME_LENGTH + 1];
	g_auto(MlvFd) fd = mlv_store_pack_open(repair->check->store, &pack->file->name, NULL);
	g_autoptr(GArray) entries = entries_of(repair, pack);

	mlv_pack_path(&pack->file->name, path);
	for (guint i = 0; i < entries->len; i++) {
		const MlvPackEntry *entry = &g_array_index(entries, MlvPackEntry, i);
		guint wanted = repair->wanted->len;

		if (mlv_marks_contains(repair->rescued, entry->kind, &entry->id))
			continue;
		if (fd < 0) {
			want(repair, entry->kind, &entry->id);
			continue;
		}
		if (!mlv_repack_copy(repair->repack, fd, path, mlv_class_of(entry->kind), entry, 1,
				     chunk_is_damaged, repair, error))
			return FALSE;
		if (repair->wanted->len == wanted) {
			mlv_marks_add(repair->rescued, entry->kind, &entry->id);
			repair->mended->rescued++;
		}
	}
	return mlv_check_keep_going(repair->check, error);
}

/* What lay in packs that are not there any more. */
static void want_gone(Repair *repair)
{
	MlvCheck *check = repair->check;
	MlvIndexHit hit;

	if (g_hash_table_size(check->gone) == 0)
		return;
	for (guint i = 0; i < check->indexes->len; i++) {
		MlvIndex *index = check->indexes->pdata[i];

		for (gsize j = 0; j < mlv_index_count(index); j++) {
			if (!mlv_index_get(index, j, &hit, NULL))
				continue;
			MlvIndexPack pack = mlv_index_pack(index, hit.pack);
			if (g_hash_table_contains(check->gone, &pack.name))
				want(repair, hit.entry.kind, &hit.entry.id);
		}
	}
}

/* --- what must come from elsewhere ------------------------------------------------------------ */

static gboolean fetch_one(Repair *repair, const CheckChunk *chunk, MlvCheckFetch fetch,
			  gpointer user, GError **error)
{
	g_autoptr(GBytes) bytes = fetch ? fetch(chunk->kind, &chunk->id, user) : NULL;
	gsize length = 0;
	const guint8 *data = bytes ? g_bytes_get_data(bytes, &length) : NULL;
	MlvId id;

	if (bytes)
		mlv_id_of(data, length, &id);
	if (!bytes || length > MLV_CHUNK_LIMIT || !mlv_id_equal(&id, &chunk->id)) {
		mlv_marks_add(repair->check->lost, chunk->kind, &chunk->id);
		repair->mended->lost++;
		return TRUE;
	}
	repair->mended->fetched++;
	return mlv_repack_put(repair->repack, chunk->kind, &chunk->id, data, length, error);
}

static gboolean fetch_wanted(Repair *repair, MlvCheckFetch fetch, gpointer user, GError **error)
{
	for (guint i = 0; i < repair->wanted->len; i++) {
		const CheckChunk *chunk = &g_array_index(repair->wanted, CheckChunk, i);

		/* Rescued from another pack, or asked for before. */
		if (!mlv_marks_add(repair->rescued, chunk->kind, &chunk->id) ||
		    mlv_check_in_unindexed(repair->check, chunk->kind, &chunk->id) ||
		    mlv_check_has_good(repair->check, chunk->kind, &chunk->id))
			continue;
		if (!fetch_one(repair, chunk, fetch, user, error) ||
		    !mlv_check_keep_going(repair->check, error))
			return FALSE;
	}
	return TRUE;
}

/* --- changing the store ----------------------------------------------------------------------- */

static gboolean move_aside(MlvCheck *check, const char *path, GError **error)
{
	int store = mlv_store_fd(check->store);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *target = g_strdup_printf("damaged/%s", name);
	g_autofree char *folder = g_path_get_dirname(path);

	if (!mlv_file_make_dirs(store, "damaged", 0777, error))
		return FALSE;
	if (renameat(store, path, store, target) < 0 && errno != ENOENT)
		return mlv_fail_errno(error, "cannot move '%s' to '%s'", path, target);
	return !check->options.sync || (mlv_file_sync_dir(store, "damaged", error) &&
					mlv_file_sync_dir(store, folder, error));
}

static gboolean is_aside(const MlvCheck *check, const MlvId *name)
{
	gssize at = mlv_upkeep_find_pack(check->files, name);

	return at >= 0 && check->packs[at].damaged;
}

static gboolean add_table(MlvCheck *check, const MlvPackTable *table,
			  MlvIndexBuilder *const *builders, GArray *names, GError **error)
{
	MlvIndexBuilder *builder = builders[table->pack_class];

	mlv_index_builder_add_pack(builder, &table->name, table->size, table->entries,
				   table->count);
	return mlv_index_builder_count(builder) < INDEX_ENTRIES ||
	       mlv_upkeep_publish_index(check->store, builder, names, check->options.sync, error);
}

/* Makes indexes over all packs that are good, from their tables; gives their names. */
static gboolean index_packs(MlvCheck *check, GArray *names, GError **error)
{
	g_autoptr(GArray) files = mlv_upkeep_packs(check->store, NULL, error);
	g_autoptr(MlvIndexBuilder) data = mlv_index_builder_new(MLV_CLASS_DATA);
	g_autoptr(MlvIndexBuilder) meta = mlv_index_builder_new(MLV_CLASS_META);
	MlvIndexBuilder *const builders[] = { [MLV_CLASS_DATA] = data, [MLV_CLASS_META] = meta };

	for (guint i = 0; files && i < files->len; i++) {
		const MlvId *name = &g_array_index(files, MlvPackFile, i).name;

		if (is_aside(check, name))
			continue;
		g_autoptr(MlvPackTable) table =
			mlv_upkeep_read_table(check->store, name, NULL, error);
		if (!table || !add_table(check, table, builders, names, error))
			return FALSE;
	}
	return files &&
	       mlv_upkeep_publish_index(check->store, data, names, check->options.sync, error) &&
	       mlv_upkeep_publish_index(check->store, meta, names, check->options.sync, error);
}

/* A damaged index may have the very name that the new one gets, so it goes first. The good old ones
 * go when the new ones are there. */
static gboolean renew_indexes(MlvCheck *check, GError **error)
{
	g_autoptr(GArray) names = g_array_new(FALSE, FALSE, sizeof(MlvId));
	char path[MLV_INDEX_NAME_LENGTH + 1];

	for (guint i = 0; i < check->bad_indexes->len; i++) {
		mlv_index_path(&g_array_index(check->bad_indexes, MlvId, i), path);
		if (!move_aside(check, path, error))
			return FALSE;
	}
	g_autoptr(GArray) old = mlv_upkeep_index_names(check->store, error);
	if (!old || !index_packs(check, names, error))
		return FALSE;
	for (guint i = old->len; i-- > 0;)
		for (guint j = 0; j < names->len; j++)
			if (mlv_id_equal(&g_array_index(old, MlvId, i),
					 &g_array_index(names, MlvId, j))) {
				g_array_remove_index_fast(old, i);
				break;
			}
	return mlv_upkeep_remove_indexes(check->store, old, check->options.sync, error);
}

static gboolean move_packs(Repair *repair, GError **error)
{
	MlvCheck *check = repair->check;
	char path[MLV_PACK_NAME_LENGTH + 1];

	for (guint i = 0; i < check->files->len; i++) {
		if (!check->packs[i].damaged)
			continue;
		mlv_pack_path(&check->packs[i].file->name, path);
		if (!move_aside(check, path, error))
			return FALSE;
		repair->mended->packs_aside++;
	}
	return TRUE;
}

static gboolean mend_format(MlvCheck *check, GError **error)
{
	g_autofree char *text = mlv_format_text(MLV_ROLE_STORE);

	return !check->bad_format ||
	       (mlv_file_make_dirs(mlv_store_fd(check->store), "packs", 0777, error) &&
		mlv_file_make_dirs(mlv_store_fd(check->store), "live", 0777, error) &&
		mlv_file_replace(mlv_store_fd(check->store), MLV_FORMAT_NAME, text, strlen(text),
				 0644, check->options.sync, error));
}

gboolean mlv_check_repair(MlvCheck *check, MlvCheckFetch fetch, gpointer user,
			  MlvCheckMended *mended, GError **error)
{
	g_auto(Repair) repair = { .check = check, .mended = mended };

	*mended = (MlvCheckMended){ 0 };
	if (!mend_format(check, error))
		return FALSE;
	repair.repack = mlv_repack_new(check->store, FALSE, check->options.sync);
	repair.rescued = mlv_marks_new();
	repair.wanted = g_array_new(FALSE, FALSE, sizeof(CheckChunk));
	for (guint i = 0; i < check->files->len; i++)
		if (check->packs[i].damaged && !rescue(&repair, &check->packs[i], error))
			return FALSE;
	want_gone(&repair);
	if (!fetch_wanted(&repair, fetch, user, error) || !mlv_repack_finish(repair.repack, error))
		return FALSE;
	mended->indexes = check->bad_indexes->len > 0 || check->bad_entries ||
			  g_hash_table_size(check->gone) > 0 || check->result.unindexed > 0 ||
			  mlv_repack_packs(repair.repack) > 0;
	for (guint i = 0; i < check->files->len && !mended->indexes; i++)
		mended->indexes = check->packs[i].damaged;
	if (mended->lost > 0 && !mlv_store_new_generation(check->store, check->options.sync, error))
		return FALSE;
	if (mended->indexes && !renew_indexes(check, error))
		return FALSE;
	return move_packs(&repair, error) && mlv_store_refresh(check->store, error);
}

gboolean mlv_check_is_lost(const MlvCheck *check, MlvKind kind, const MlvId *id)
{
	return mlv_marks_contains(check->lost, kind, id);
}
