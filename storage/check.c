/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "storage/check_private.h"
#include "storage/error.h"
#include "storage/format.h"
#include "storage/pool.h"

#define JOBS_A_THREAD 2

MlvCheck *mlv_check_new(MlvStore *store, const MlvCheckOptions *options)
{
	MlvCheck *check = g_new0(MlvCheck, 1);

	check->store = store;
	check->options = *options;
	check->indexes = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_index_unref);
	check->bad_indexes = g_array_new(FALSE, FALSE, sizeof(MlvId));
	check->gone = g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, g_free, NULL);
	check->unindexed = mlv_marks_new();
	check->damaged = mlv_marks_new();
	check->lost = mlv_marks_new();
	return check;
}

void mlv_check_free(MlvCheck *check)
{
	if (!check)
		return;
	for (guint i = 0; check->packs && i < check->files->len; i++) {
		g_array_unref(check->packs[i].named);
		g_array_unref(check->packs[i].bad);
	}
	g_free(check->packs);
	g_clear_pointer(&check->files, g_array_unref);
	g_ptr_array_unref(check->indexes);
	g_array_unref(check->bad_indexes);
	g_hash_table_unref(check->gone);
	mlv_marks_free(check->unindexed);
	mlv_marks_free(check->damaged);
	mlv_marks_free(check->lost);
	g_free(check);
}

void mlv_check_report(MlvCheck *check, MlvFaultKind kind, const char *file,
		      const MlvPackEntry *entry, const char *message)
{
	MlvFault fault = { .kind = kind, .file = file, .message = message };

	if (entry) {
		fault.has_object = TRUE;
		fault.object_kind = entry->kind;
		fault.object = entry->id;
	}
	check->result.faults++;
	check->options.found(&fault, check->options.user);
}

gboolean mlv_check_keep_going(const MlvCheck *check, GError **error)
{
	if (!check->options.cancel || !*check->options.cancel)
		return TRUE;
	return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
}

/* --- format and indexes ----------------------------------------------------------------------- */

static gboolean is_empty(MlvStore *store)
{
	g_autoptr(GPtrArray) data = mlv_store_indexes(store, MLV_CLASS_DATA);
	g_autoptr(GPtrArray) meta = mlv_store_indexes(store, MLV_CLASS_META);

	return data->len == 0 && meta->len == 0;
}

static void check_format(MlvCheck *check)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(GBytes) bytes =
		mlv_file_read(mlv_store_fd(check->store), MLV_FORMAT_NAME, MLV_FORMAT_MAX, &why);

	if (bytes && mlv_format_check(bytes, MLV_ROLE_STORE, mlv_store_path(check->store), &why))
		return;
	/* killed while it made the store: the next process that writes completes it */
	if (g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING) && is_empty(check->store))
		return;
	check->bad_format = TRUE;
	mlv_check_report(check, MLV_FAULT_FORMAT, MLV_FORMAT_NAME, NULL, why->message);
}

/* One index file, every byte. Gives it if it is good; a file that has gone meanwhile is no
 * fault. */
static MlvIndex *check_index_file(MlvCheck *check, const MlvId *name)
{
	char path[MLV_INDEX_NAME_LENGTH + 1];
	g_autoptr(GError) why = NULL;

	mlv_index_path(name, path);
	g_auto(MlvFd) fd =
		openat(mlv_store_fd(check->store), path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return NULL;
	if (fd < 0)
		mlv_fail_errno(&why, "cannot open '%s'", path);
	g_autoptr(MlvIndex) index = fd < 0 ? NULL : mlv_index_open(fd, name, TRUE, path, &why);
	check->result.indexes++;
	if (index && mlv_index_check(index, &why))
		return g_steal_pointer(&index);
	g_array_append_vals(check->bad_indexes, name, 1);
	mlv_check_report(check, MLV_FAULT_INDEX, path, NULL, why->message);
	return NULL;
}

static gboolean is_bad_index(const MlvCheck *check, const MlvId *name)
{
	for (guint i = 0; i < check->bad_indexes->len; i++)
		if (mlv_id_equal(&g_array_index(check->bad_indexes, MlvId, i), name))
			return TRUE;
	return FALSE;
}

static gboolean check_indexes(MlvCheck *check, GError **error)
{
	g_autoptr(GArray) names = mlv_upkeep_index_names(check->store, error);

	for (guint i = 0; names && i < names->len; i++) {
		mlv_index_unref(check_index_file(check, &g_array_index(names, MlvId, i)));
		if (!mlv_check_keep_going(check, error))
			return FALSE;
	}
	for (MlvClass pack_class = MLV_CLASS_DATA; pack_class <= MLV_CLASS_META; pack_class++) {
		g_autoptr(GPtrArray) live = mlv_store_indexes(check->store, pack_class);

		for (guint i = 0; i < live->len; i++)
			if (!is_bad_index(check, mlv_index_name(live->pdata[i])))
				g_ptr_array_add(check->indexes, mlv_index_ref(live->pdata[i]));
	}
	return names != NULL;
}

/* Says once of a pack that it is not there. */
static void report_gone(MlvCheck *check, MlvIndex *index, const MlvId *pack)
{
	char path[MLV_PACK_NAME_LENGTH + 1], index_path[MLV_INDEX_NAME_LENGTH + 1];

	if (!g_hash_table_add(check->gone, g_memdup2(pack, sizeof(*pack))))
		return;
	mlv_pack_path(pack, path);
	mlv_index_path(mlv_index_name(index), index_path);
	g_autofree char *message =
		g_strdup_printf("'%s' names '%s', which is not there", index_path, path);
	mlv_check_report(check, MLV_FAULT_GONE, path, NULL, message);
}

/* Which packs an index names, and how many chunks of each. */
static gboolean map_index(MlvCheck *check, MlvIndex *index, GError **error)
{
	gsize count = mlv_index_pack_count(index);
	g_autofree guint64 *entries = g_new0(guint64, count + 1);
	MlvIndexHit hit;

	for (gsize i = 0; i < mlv_index_count(index); i++) {
		if (!mlv_index_get(index, i, &hit, error))
			return FALSE;
		entries[hit.pack]++;
	}
	for (gsize i = 0; i < count; i++) {
		MlvIndexPack pack = mlv_index_pack(index, i);
		CheckNamed named = { .index = index, .number = (guint32)i, .entries = entries[i] };
		gssize at = mlv_upkeep_find_pack(check->files, &pack.name);

		if (at < 0)
			report_gone(check, index, &pack.name);
		else
			g_array_append_val(check->packs[at].named, named);
	}
	return mlv_check_keep_going(check, error);
}

/* --- packs, in workers ------------------------------------------------------------------------ */

typedef struct {
	MlvFaultKind kind;
	gboolean has_entry;
	MlvPackEntry entry;
	char *message;
} Finding;

typedef struct {
	CheckPack *pack;
	char path[MLV_PACK_NAME_LENGTH + 1];
	GArray *findings; /* Finding */
	guint64 objects;
} Job;

static void finding_clear(gpointer data)
{
	g_free(((Finding *)data)->message);
}

static void job_free(gpointer data)
{
	Job *job = data;

	g_array_unref(job->findings);
	g_free(job);
}

static void find(Job *job, MlvFaultKind kind, const MlvPackEntry *entry, const char *message)
{
	Finding finding = { .kind = kind,
			    .has_entry = entry != NULL,
			    .message = g_strdup(message) };

	if (entry)
		finding.entry = *entry;
	g_array_append_val(job->findings, finding);
}

static gboolean pack_fault(const MlvPackEntry *entry, const GError *why, gpointer user)
{
	Job *job = user;

	if (entry)
		g_array_append_vals(job->pack->bad, entry, 1);
	job->pack->damaged = TRUE;
	find(job, entry ? MLV_FAULT_OBJECT : MLV_FAULT_PACK, entry, why->message);
	return TRUE;
}

static gboolean same_place(const MlvIndexHit *hit, guint32 number, const MlvPackEntry *entry)
{
	return hit->pack == number && hit->entry.offset == entry->offset &&
	       hit->entry.stored == entry->stored && hit->entry.raw == entry->raw &&
	       hit->entry.codec == entry->codec;
}

/* Whether the index says of the pack exactly what its table says. */
static gboolean compare_index(const CheckNamed *named, const MlvPackTable *table, GError **error)
{
	g_autoptr(GArray) hits = g_array_new(FALSE, FALSE, sizeof(MlvIndexHit));

	if (mlv_index_pack(named->index, named->number).size != table->size)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "the size is wrong");
	if (mlv_index_class(named->index) != table->pack_class)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "the class is wrong");
	if (named->entries != table->count)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"it names %" G_GUINT64_FORMAT
				" chunks and there are %" G_GSIZE_FORMAT,
				named->entries, table->count);
	for (gsize i = 0; i < table->count; i++) {
		gboolean found = FALSE;

		g_array_set_size(hits, 0);
		if (!mlv_index_find_all(named->index, table->entries[i].kind, &table->entries[i].id,
					hits, error))
			return FALSE;
		for (guint j = 0; j < hits->len && !found; j++)
			found = same_place(&g_array_index(hits, MlvIndexHit, j), named->number,
					   &table->entries[i]);
		if (!found)
			return mlv_fail(error, MLV_ERROR_CORRUPT,
					"chunk %" G_GSIZE_FORMAT " lies elsewhere", i);
	}
	return TRUE;
}

static void check_pack(gpointer data, gpointer user)
{
	Job *job = data;
	CheckPack *pack = job->pack;
	g_autoptr(GError) why = NULL;
	g_auto(MlvFd) fd = mlv_store_pack_open(user, &pack->file->name, &why);

	if (fd < 0 || !mlv_pack_check(fd, &pack->file->name, job->path, pack_fault, job, &why)) {
		pack->damaged = TRUE;
		find(job, MLV_FAULT_PACK, NULL, why->message);
		g_clear_error(&why);
	}
	g_autoptr(MlvPackTable) table =
		fd < 0 ? NULL : mlv_pack_table_read(fd, &pack->file->name, job->path, NULL);
	if (!table)
		return;
	pack->readable = TRUE;
	job->objects = table->count;
	for (guint i = 0; i < pack->named->len; i++) {
		const CheckNamed *named = &g_array_index(pack->named, CheckNamed, i);
		char index_path[MLV_INDEX_NAME_LENGTH + 1];

		if (compare_index(named, table, &why))
			continue;
		mlv_index_path(mlv_index_name(named->index), index_path);
		g_autofree char *message = g_strdup_printf("'%s' does not fit '%s': %s", index_path,
							   job->path, why->message);
		find(job, MLV_FAULT_ENTRIES, NULL, message);
		g_clear_error(&why);
	}
}

/* --- packs, in the main thread ---------------------------------------------------------------- */

static void finish_job(MlvCheck *check, Job *job, guint64 total)
{
	for (guint i = 0; i < job->findings->len; i++) {
		const Finding *finding = &g_array_index(job->findings, Finding, i);

		check->bad_entries = check->bad_entries || finding->kind == MLV_FAULT_ENTRIES;
		mlv_check_report(check, finding->kind, job->path,
				 finding->has_entry ? &finding->entry : NULL, finding->message);
	}
	check->result.objects += job->objects;
	if (check->options.progress)
		check->options.progress(job->pack->file->size, total, check->options.user);
	job_free(job);
}

static gboolean check_packs(MlvCheck *check, GError **error)
{
	guint threads =
		check->options.threads > 0 ? check->options.threads : mlv_pool_default_threads();
	MlvPool *pool = mlv_pool_new(threads, threads * JOBS_A_THREAD, check_pack, check->store);
	gboolean ok = TRUE;

	for (guint i = 0; ok && i < check->files->len; i++) {
		Job *job = g_new0(Job, 1);

		job->pack = &check->packs[i];
		mlv_pack_path(&job->pack->file->name, job->path);
		job->findings = g_array_new(FALSE, FALSE, sizeof(Finding));
		g_array_set_clear_func(job->findings, finding_clear);
		while (mlv_pool_is_full(pool))
			finish_job(check, mlv_pool_take(pool), check->result.pack_bytes);
		mlv_pool_submit(pool, job);
		ok = mlv_check_keep_going(check, error);
	}
	for (Job *job; ok && (job = mlv_pool_take(pool));)
		finish_job(check, job, check->result.pack_bytes);
	mlv_pool_free(pool, job_free);
	return ok;
}

/* Remembers what lies in packs that no index names. */
static void note_unindexed(MlvCheck *check)
{
	for (guint i = 0; i < check->files->len; i++) {
		const CheckPack *pack = &check->packs[i];

		if (pack->named->len > 0)
			continue;
		check->result.unindexed++;
		if (pack->damaged)
			continue;
		g_autoptr(MlvPackTable) table =
			mlv_upkeep_read_table(check->store, &pack->file->name, NULL, NULL);
		for (gsize j = 0; table && j < table->count; j++)
			mlv_marks_add(check->unindexed, table->entries[j].kind,
				      &table->entries[j].id);
	}
}

static gboolean is_bad_in(const CheckPack *pack, MlvKind kind, const MlvId *id)
{
	for (guint i = 0; i < pack->bad->len; i++) {
		const MlvPackEntry *entry = &g_array_index(pack->bad, MlvPackEntry, i);
		if (entry->kind == kind && mlv_id_equal(&entry->id, id))
			return TRUE;
	}
	return FALSE;
}

/* Among the chunks found damaged, those of which no index names a good copy. */
static gboolean note_damaged(MlvCheck *check, GError **error)
{
	g_autoptr(GArray) hits = g_array_new(FALSE, FALSE, sizeof(MlvIndexHit));

	for (guint i = 0; i < check->files->len; i++)
		for (guint j = 0; j < check->packs[i].bad->len; j++) {
			const MlvPackEntry *entry =
				&g_array_index(check->packs[i].bad, MlvPackEntry, j);
			gboolean good = FALSE;

			for (guint k = 0; k < check->indexes->len && !good; k++) {
				MlvIndex *index = check->indexes->pdata[k];

				g_array_set_size(hits, 0);
				if (!mlv_index_find_all(index, entry->kind, &entry->id, hits,
							error))
					return FALSE;
				for (guint h = 0; h < hits->len && !good; h++) {
					MlvIndexPack pack = mlv_index_pack(
						index, g_array_index(hits, MlvIndexHit, h).pack);
					gssize at = mlv_upkeep_find_pack(check->files, &pack.name);
					good = at >= 0 && !is_bad_in(&check->packs[at], entry->kind,
								     &entry->id);
				}
			}
			if (!good)
				mlv_marks_add(check->damaged, entry->kind, &entry->id);
		}
	return TRUE;
}

gboolean mlv_check_run(MlvCheck *check, MlvCheckResult *result, GError **error)
{
	check_format(check);
	if (!check_indexes(check, error))
		return FALSE;
	/* After the indexes: while others write, what an index names is there, not the other way
	 * round. */
	check->files = mlv_upkeep_packs(check->store, &check->result.strays, error);
	if (!check->files)
		return FALSE;
	check->packs = g_new0(CheckPack, check->files->len + 1);
	for (guint i = 0; i < check->files->len; i++) {
		check->packs[i].file = &g_array_index(check->files, MlvPackFile, i);
		check->packs[i].named = g_array_new(FALSE, FALSE, sizeof(CheckNamed));
		check->packs[i].bad = g_array_new(FALSE, FALSE, sizeof(MlvPackEntry));
		check->result.packs++;
		check->result.pack_bytes += check->packs[i].file->size;
	}
	for (guint i = 0; i < check->indexes->len; i++)
		if (!map_index(check, check->indexes->pdata[i], error))
			return FALSE;
	if (!check_packs(check, error) || !note_damaged(check, error))
		return FALSE;
	note_unindexed(check);
	*result = check->result;
	return TRUE;
}

gboolean mlv_check_in_unindexed(const MlvCheck *check, MlvKind kind, const MlvId *id)
{
	return mlv_marks_contains(check->unindexed, kind, id);
}

gboolean mlv_check_is_damaged(const MlvCheck *check, MlvKind kind, const MlvId *id)
{
	return mlv_marks_contains(check->damaged, kind, id);
}
