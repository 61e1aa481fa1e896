/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pipeline/record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* A file's state, to see whether somebody has changed it. */
typedef struct {
	gboolean exists;
	gint64 mtime, ctime;
	guint64 size, inode;
} State;

/* The lock of one folder. */
typedef struct {
	char *path;
	MlvLock *lock;
	State state;
	GHashTable *changed; /* of char *: names of stages that were set and not written */
	GBytes *bytes;       /* what the file holds; NULL: there is none */
	GHashTable *names;   /* of char *, borrowed: the stages that there are */
} Entry;

struct MlvRecord {
	MlvRepo *repo;
	const MlvFiles *files;
	MlvRunLocks *locks;
	GHashTable *entries; /* folder -> Entry */
};

static void entry_free(gpointer data)
{
	Entry *entry = data;

	g_free(entry->path);
	mlv_lock_free(entry->lock);
	g_hash_table_unref(entry->changed);
	g_hash_table_unref(entry->names);
	g_bytes_unref(entry->bytes);
	g_free(entry);
}

MlvRecord *mlv_record_new(MlvRepo *repo, const MlvFiles *files, MlvRunLocks *locks)
{
	MlvRecord *record = g_new0(MlvRecord, 1);

	record->repo = repo;
	record->files = files;
	record->locks = locks;
	record->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
	return record;
}

void mlv_record_free(MlvRecord *record)
{
	if (!record)
		return;
	g_hash_table_unref(record->entries);
	g_free(record);
}

static gint64 nanoseconds(struct timespec time)
{
	return time.tv_sec * G_GINT64_CONSTANT(1000000000) + time.tv_nsec;
}

static State look(const MlvRecord *record, const char *path)
{
	struct stat st;

	if (fstatat(mlv_repo_root_fd(record->repo), path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return (State){ 0 };
	return (State){ TRUE, nanoseconds(st.st_mtim), nanoseconds(st.st_ctim), (guint64)st.st_size,
			st.st_ino };
}

static gboolean same_state(const State *a, const State *b)
{
	return a->exists == b->exists && a->mtime == b->mtime && a->ctime == b->ctime &&
	       a->size == b->size && a->inode == b->inode;
}

/* Reads the file into entry->bytes and parses it. */
static MlvLock *read_lock(MlvRecord *record, Entry *entry, const char *folder, GError **error)
{
	g_autoptr(GError) why = NULL;
	gsize length = 0;

	entry->state = look(record, entry->path);
	g_clear_pointer(&entry->bytes, g_bytes_unref);
	entry->bytes = record->files->read(record->files->user, entry->path, MLV_LOCK_MAX, &why);
	if (!entry->bytes && !g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return NULL;
	}
	if (!entry->bytes)
		return mlv_lock_new(folder);
	const char *data = g_bytes_get_data(entry->bytes, &length);
	return mlv_lock_parse(folder, data ? data : "", length, entry->path, error);
}

gboolean mlv_record_load(MlvRecord *record, const MlvStage *stage, GError **error)
{
	const char *folder = stage->file->folder;
	Entry *entry = g_hash_table_lookup(record->entries, folder);

	if (entry)
		return TRUE;
	entry = g_new0(Entry, 1);
	entry->path = g_strconcat(folder, *folder ? "/" : "", MLV_LOCK_NAME, NULL);
	entry->changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	entry->names = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < stage->file->stages->len; i++)
		g_hash_table_add(entry->names, ((MlvStage *)stage->file->stages->pdata[i])->name);
	entry->lock = read_lock(record, entry, folder, error);
	if (!entry->lock) {
		entry_free(entry);
		return FALSE;
	}
	g_hash_table_insert(record->entries, g_strdup(folder), entry);
	return TRUE;
}

/* Takes over what others have written, under what was set here. */
static gboolean renew(MlvRecord *record, const char *folder, Entry *entry, GError **error)
{
	State state = look(record, entry->path);
	GHashTableIter at;
	gpointer name;

	if (same_state(&state, &entry->state))
		return TRUE;
	MlvLock *lock = read_lock(record, entry, folder, error);
	if (!lock)
		return FALSE;
	g_hash_table_iter_init(&at, entry->changed);
	while (g_hash_table_iter_next(&at, &name, NULL)) {
		const MlvLockStage *set = mlv_lock_get(entry->lock, name);
		if (set)
			mlv_lock_set(lock, mlv_runcache_copy_stage(set));
	}
	mlv_lock_free(entry->lock);
	entry->lock = lock;
	return TRUE;
}

gboolean mlv_record_reload(MlvRecord *record, GError **error)
{
	GHashTableIter at;
	gpointer folder, entry;

	g_hash_table_iter_init(&at, record->entries);
	while (g_hash_table_iter_next(&at, &folder, &entry))
		if (!renew(record, folder, entry, error))
			return FALSE;
	return TRUE;
}

const MlvLockStage *mlv_record_get(const MlvRecord *record, const MlvStage *stage)
{
	const Entry *entry = g_hash_table_lookup(record->entries, stage->file->folder);

	return entry ? mlv_lock_get(entry->lock, stage->name) : NULL;
}

void mlv_record_set(MlvRecord *record, const MlvStage *stage, MlvLockStage *block)
{
	Entry *entry = g_hash_table_lookup(record->entries, stage->file->folder);

	g_hash_table_add(entry->changed, g_strdup(block->name));
	mlv_lock_set(entry->lock, block);
}

/* Stages that the pipeline file does not have any more. */
static void drop_gone(Entry *entry)
{
	g_autoptr(GPtrArray) names = mlv_lock_names(entry->lock);

	for (guint i = 0; i < names->len; i++)
		if (!g_hash_table_contains(entry->names, names->pdata[i]))
			mlv_lock_remove(entry->lock, names->pdata[i]);
}

static gboolean write_entry(MlvRecord *record, const char *folder, Entry *entry,
			    MlvEntering *entering, GError **error)
{
	gsize length = 0;

	if (!renew(record, folder, entry, error))
		return FALSE;
	drop_gone(entry);
	g_autofree char *text = mlv_lock_format(entry->lock, &length);
	if (text ? !mlv_repo_write_file(record->repo, entry->path, text, length, 0666, error)
		 : !mlv_repo_remove_file(record->repo, entry->path, error))
		return FALSE;
	entry->state = look(record, entry->path);
	g_bytes_unref(entry->bytes);
	entry->bytes = text ? g_bytes_new_take(g_steal_pointer(&text), length) : NULL;
	g_hash_table_remove_all(entry->changed);
	g_hash_table_add(entering->locks, g_strdup(entry->path));
	return TRUE;
}

gboolean mlv_record_write(MlvRecord *record, MlvEntering *entering, GError **error)
{
	GHashTableIter at;
	gpointer folder, value;
	gboolean ok = TRUE, locked = FALSE;

	g_hash_table_iter_init(&at, record->entries);
	while (ok && g_hash_table_iter_next(&at, &folder, &value)) {
		Entry *entry = value;
		if (g_hash_table_size(entry->changed) == 0)
			continue;
		if (!locked && !mlv_runlocks_take_files(record->locks, error))
			return FALSE;
		locked = TRUE;
		ok = write_entry(record, folder, entry, entering, error);
	}
	if (locked)
		mlv_runlocks_drop_files(record->locks);
	return ok;
}

gboolean mlv_record_check_staged(MlvRecord *record, MlvEntering *entering, GError **error)
{
	GHashTableIter at;
	gpointer value;

	g_hash_table_iter_init(&at, record->entries);
	while (g_hash_table_iter_next(&at, NULL, &value)) {
		const Entry *entry = value;
		gsize length;
		if (!entry->bytes)
			continue;
		const void *data = g_bytes_get_data(entry->bytes, &length);
		if (!mlv_entering_check_lock(entering, record->repo, entry->path, data, length,
					     error))
			return FALSE;
	}
	return TRUE;
}
