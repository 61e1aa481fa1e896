/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the stat cache: new blocks go to the new file as they come, the old ones are copied at
 * the end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/statcache_format.h"
#include "core/workspace.h"
#include "storage/file.h"

#define BUFFER_MAX  (1u << 20)
#define TEMP_PREFIX "statcache."

/* A directory of the new file. */
typedef struct {
	char *path;
	guint64 offset, size;
} NewDir;

/* One file's change, applied at the end. */
typedef struct {
	MlvStatRecord record;
	gboolean removed;
} Change;

struct MlvStatWriter {
	MlvStatCache *cache;
	gint64 fs_now;
	gboolean stored;
	char *temp_path;
	MlvFd fd;
	guint64 written; /* bytes behind fd and in the buffer */
	GByteArray *buffer;
	GArray *dirs;        /* NewDir; one with offset 0 was dropped */
	GHashTable *numbers; /* path -> number in dirs + 1 */
	GPtrArray *dropped;  /* paths */
	GHashTable *changes; /* folder -> GHashTable of name -> Change */
	GError *error;       /* the first; kept for the commit */
	/* the block under way */
	char *path;
	GArray *records;
	GByteArray *names;
};

static void new_dir_clear(gpointer data)
{
	g_free(((NewDir *)data)->path);
}

MlvStatWriter *mlv_statcache_writer_new(MlvStatCache *cache, gint64 fs_now)
{
	MlvStatWriter *writer = g_new0(MlvStatWriter, 1);

	writer->cache = cache;
	writer->fs_now = fs_now;
	writer->stored = TRUE;
	writer->fd = -1;
	writer->buffer = g_byte_array_new();
	writer->dirs = g_array_new(FALSE, FALSE, sizeof(NewDir));
	g_array_set_clear_func(writer->dirs, new_dir_clear);
	writer->numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	writer->dropped = g_ptr_array_new_with_free_func(g_free);
	writer->changes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						(GDestroyNotify)g_hash_table_unref);
	writer->records = g_array_new(FALSE, FALSE, sizeof(MlvStatRecord));
	writer->names = g_byte_array_new();
	return writer;
}

void mlv_statcache_writer_set_stored(MlvStatWriter *writer, gboolean stored)
{
	writer->stored = stored;
}

void mlv_statcache_writer_set_now(MlvStatWriter *writer, gint64 fs_now)
{
	writer->fs_now = fs_now;
}

static void flush(MlvStatWriter *writer)
{
	if (writer->error || writer->buffer->len == 0)
		return;
	mlv_file_write(writer->fd, writer->buffer->data, writer->buffer->len, writer->temp_path,
		       &writer->error);
	g_byte_array_set_size(writer->buffer, 0);
}

static void append(MlvStatWriter *writer, const void *data, gsize length)
{
	g_byte_array_append(writer->buffer, data, (guint)length);
	writer->written += length;
	if (writer->buffer->len >= BUFFER_MAX)
		flush(writer);
}

static void pad(MlvStatWriter *writer)
{
	static const guint8 zero[8];

	if (writer->written % 8 != 0)
		append(writer, zero, 8 - writer->written % 8);
}

/* Makes the temporary file at the first need. */
static gboolean open_file(MlvStatWriter *writer)
{
	StatHeader empty = { 0 };

	if (writer->fd >= 0 || writer->error)
		return !writer->error;
	g_autofree char *folder = g_path_get_dirname(writer->cache->path);
	writer->fd = mlv_file_open_unique(AT_FDCWD, folder, TEMP_PREFIX, 0666, &writer->temp_path);
	if (writer->fd < 0)
		return mlv_fail_errno(&writer->error, "cannot make a file in '%s'", folder);
	append(writer, &empty, sizeof(empty));
	return TRUE;
}

static void note_dir(MlvStatWriter *writer, const char *path, guint64 offset, guint64 size)
{
	guint number = GPOINTER_TO_UINT(g_hash_table_lookup(writer->numbers, path));
	NewDir dir = { NULL, offset, size };

	if (number > 0) {
		NewDir *old = &g_array_index(writer->dirs, NewDir, number - 1);
		old->offset = offset;
		old->size = size;
		return;
	}
	dir.path = g_strdup(path);
	g_array_append_val(writer->dirs, dir);
	g_hash_table_insert(writer->numbers, g_strdup(path), GUINT_TO_POINTER(writer->dirs->len));
}

void mlv_statcache_writer_begin(MlvStatWriter *writer, const char *path)
{
	g_free(writer->path);
	writer->path = g_strdup(path);
	g_array_set_size(writer->records, 0);
	g_byte_array_set_size(writer->names, 0);
}

static void add_record(MlvStatWriter *writer, const char *name, MlvStatRecord *record)
{
	record->name_offset = writer->names->len;
	g_byte_array_append(writer->names, (const guint8 *)name, (guint)strlen(name) + 1);
	g_array_append_val(writer->records, *record);
}

static MlvStatRecord make_record(const MlvStatWriter *writer, const MlvStat *st, const MlvRef *ref)
{
	MlvStatRecord record = { .mtime = st->mtime,
				 .ctime = st->ctime,
				 .size = st->size,
				 .inode = st->inode,
				 .mode = st->mode,
				 .depth = ref->depth };

	memcpy(record.id, ref->id.b, MLV_ID_SIZE);
	if (st->mtime >= writer->fs_now || st->ctime >= writer->fs_now)
		record.flags |= MLV_STAT_RACY;
	if (writer->stored)
		record.flags |= MLV_STAT_STORED;
	return record;
}

void mlv_statcache_writer_add(MlvStatWriter *writer, const char *name, const MlvStat *st,
			      const MlvRef *ref)
{
	MlvStatRecord record = make_record(writer, st, ref);

	add_record(writer, name, &record);
}

void mlv_statcache_writer_keep(MlvStatWriter *writer, const MlvStatDir *old,
			       const MlvStatRecord *record)
{
	MlvStatRecord copy = *record;

	if (writer->cache->stale)
		copy.flags &= (guint8)~MLV_STAT_STORED;
	add_record(writer, mlv_statcache_name(old, record), &copy);
}

void mlv_statcache_writer_end(MlvStatWriter *writer, const MlvRef *tree, guint64 files,
			      guint64 bytes, guint64 subdirs)
{
	StatBlock block = { .count = writer->records->len,
			    .names_size = writer->names->len,
			    .subdirs = subdirs,
			    .files = files,
			    .bytes = bytes };
	g_autoptr(GByteArray) all = g_byte_array_new();

	if (!open_file(writer))
		return;
	if (tree) {
		block.has_tree = writer->stored ? 2 : 1;
		block.depth = tree->depth;
		block.tree_size = tree->size;
		memcpy(block.id, tree->id.b, MLV_ID_SIZE);
	}
	g_byte_array_append(all, (const guint8 *)&block, sizeof(block));
	g_byte_array_append(all, (const guint8 *)writer->records->data,
			    writer->records->len * (guint)sizeof(MlvStatRecord));
	g_byte_array_append(all, writer->names->data, writer->names->len);
	guint64 sum = mlv_statcache_sum(all->data + sizeof(sum), all->len - sizeof(sum));
	memcpy(all->data, &sum, sizeof(sum));
	pad(writer);
	note_dir(writer, writer->path, writer->written, all->len);
	append(writer, all->data, all->len);
}

void mlv_statcache_writer_drop(MlvStatWriter *writer, const char *path)
{
	if (open_file(writer))
		g_ptr_array_add(writer->dropped, g_strdup(path));
}

void mlv_statcache_writer_set(MlvStatWriter *writer, const char *path, const MlvStat *st,
			      const MlvRef *ref)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *folder = slash ? g_strndup(path, (gsize)(slash - path)) : g_strdup("");
	GHashTable *names = g_hash_table_lookup(writer->changes, folder);
	Change *change = g_new0(Change, 1);

	if (!names) {
		names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
		g_hash_table_insert(writer->changes, g_steal_pointer(&folder), names);
	}
	if (st)
		change->record = make_record(writer, st, ref);
	change->removed = st == NULL;
	g_hash_table_insert(names, g_strdup(slash ? slash + 1 : path), change);
}

/* --- the end ---------------------------------------------------------------------------------- */

static gboolean is_at_or_below(const char *path, const char *top)
{
	gsize length = strlen(top);

	return length == 0 ||
	       (strncmp(path, top, length) == 0 && (path[length] == '\0' || path[length] == '/'));
}

static gboolean was_dropped(const MlvStatWriter *writer, const char *path)
{
	for (guint i = 0; i < writer->dropped->len; i++)
		if (is_at_or_below(path, writer->dropped->pdata[i]))
			return TRUE;
	return FALSE;
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Borrowed keys of a table, sorted. */
static GPtrArray *sorted_keys(GHashTable *table)
{
	GPtrArray *keys = g_ptr_array_new();
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_ptr_array_add(keys, key);
	g_ptr_array_sort(keys, by_name);
	return keys;
}

/* The old block of a folder with single changes in it, as a new block without a tree. */
static void merge_changes(MlvStatWriter *writer, const char *folder, GHashTable *names)
{
	MlvStatDir old;
	gsize i = 0;
	g_autoptr(GPtrArray) sorted = sorted_keys(names);
	gboolean have =
		mlv_statcache_dir(writer->cache, folder, &old) && !was_dropped(writer, folder);
	gsize count = have ? old.count : 0;

	mlv_statcache_writer_begin(writer, folder);
	for (guint j = 0; j < sorted->len; j++) {
		const char *name = sorted->pdata[j];
		Change *change = g_hash_table_lookup(names, name);
		int order = -1;

		while (i < count &&
		       (order = strcmp(mlv_statcache_name(&old, &old.records[i]), name)) < 0)
			mlv_statcache_writer_keep(writer, &old, &old.records[i++]);
		if (i < count && order == 0)
			i++;
		if (!change->removed)
			add_record(writer, name, &change->record);
	}
	while (i < count)
		mlv_statcache_writer_keep(writer, &old, &old.records[i++]);
	mlv_statcache_writer_end(writer, NULL, 0, 0, 0);
}

/* Folders above a change keep their records and lose their tree. */
static void forget_trees_above(MlvStatWriter *writer, const char *folder)
{
	for (g_autofree char *path = g_strdup(folder); *path;) {
		char *slash = strrchr(path, '/');
		MlvStatDir old;

		if (slash)
			*slash = '\0';
		else
			*path = '\0';
		if (g_hash_table_contains(writer->changes, path) ||
		    g_hash_table_contains(writer->numbers, path) ||
		    !mlv_statcache_dir(writer->cache, path, &old))
			continue;
		mlv_statcache_writer_begin(writer, path);
		for (gsize i = 0; i < old.count; i++)
			mlv_statcache_writer_keep(writer, &old, &old.records[i]);
		mlv_statcache_writer_end(writer, NULL, 0, 0, old.subdirs);
	}
}

static void apply_changes(MlvStatWriter *writer)
{
	GHashTableIter iter;
	gpointer folder, names;

	g_hash_table_iter_init(&iter, writer->changes);
	while (g_hash_table_iter_next(&iter, &folder, &names))
		merge_changes(writer, folder, names);
	g_hash_table_iter_init(&iter, writer->changes);
	while (g_hash_table_iter_next(&iter, &folder, &names))
		forget_trees_above(writer, folder);
}

/* A folder's tree holds only as long as those of the folders below do. */
static void forget_trees_of_parents(MlvStatWriter *writer)
{
	guint count = writer->dirs->len;

	for (guint i = 0; i < count; i++) {
		g_autofree char *path = g_strdup(g_array_index(writer->dirs, NewDir, i).path);
		forget_trees_above(writer, path);
	}
	for (guint i = 0; i < writer->dropped->len; i++)
		forget_trees_above(writer, writer->dropped->pdata[i]);
}

/* A block of another generation of the store: as it was, but nothing in it counts as stored. */
static void copy_unstored(MlvStatWriter *writer, const char *path, gsize number)
{
	MlvStatDir dir;
	gboolean stored = writer->stored;

	if (!mlv_statcache_block(writer->cache, number, &dir))
		return;
	writer->stored = FALSE;
	mlv_statcache_writer_begin(writer, path);
	for (gsize i = 0; i < dir.count; i++)
		mlv_statcache_writer_keep(writer, &dir, &dir.records[i]);
	mlv_statcache_writer_end(writer, dir.has_tree ? &dir.tree : NULL, dir.files, dir.bytes,
				 dir.subdirs);
	writer->stored = stored;
}

static void copy_old_blocks(MlvStatWriter *writer)
{
	const MlvStatCache *cache = writer->cache;

	for (gsize i = 0; i < cache->count; i++) {
		const StatTableEntry *entry = &cache->table[i];
		const char *path = cache->paths + entry->path_offset;

		if (g_hash_table_contains(writer->numbers, path) || was_dropped(writer, path))
			continue;
		if (cache->stale) {
			copy_unstored(writer, path, i);
			continue;
		}
		pad(writer);
		note_dir(writer, path, writer->written, entry->size);
		append(writer, (const guint8 *)cache->map + entry->offset, entry->size);
	}
}

static int by_path(gconstpointer a, gconstpointer b)
{
	return strcmp(((const NewDir *)a)->path, ((const NewDir *)b)->path);
}

static void write_table(MlvStatWriter *writer, StatHeader *header)
{
	g_autoptr(GByteArray) table = g_byte_array_new();
	guint64 path_offset = 0;

	g_array_sort(writer->dirs, by_path);
	for (guint i = 0; i < writer->dirs->len; i++) {
		const NewDir *dir = &g_array_index(writer->dirs, NewDir, i);
		StatTableEntry entry = { dir->offset, dir->size, path_offset };

		g_byte_array_append(table, (const guint8 *)&entry, sizeof(entry));
		path_offset += strlen(dir->path) + 1;
	}
	for (guint i = 0; i < writer->dirs->len; i++) {
		const char *path = g_array_index(writer->dirs, NewDir, i).path;
		g_byte_array_append(table, (const guint8 *)path, (guint)strlen(path) + 1);
	}
	pad(writer);
	memcpy(header->magic, STATCACHE_MAGIC, 8);
	header->generation = writer->cache->generation;
	header->table_offset = writer->written;
	header->count = writer->dirs->len;
	header->sum = mlv_statcache_sum(table->data, table->len);
	append(writer, table->data, table->len);
	header->file_size = writer->written;
}

/* What killed processes left beside the cache. */
static void sweep(const MlvStatWriter *writer)
{
	g_autofree char *folder = g_path_get_dirname(writer->cache->path);
	g_auto(MlvFd) dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return;
	mlv_file_sweep(dir, TEMP_PREFIX);
	mlv_file_sweep(dir, MLV_WORKSPACE_TEMP_PREFIX);
}

gboolean mlv_statcache_writer_commit(MlvStatWriter *writer, GError **error)
{
	StatHeader header = { 0 };

	if (g_hash_table_size(writer->changes) > 0)
		apply_changes(writer);
	if (writer->fd < 0 && !writer->error)
		return TRUE;
	forget_trees_of_parents(writer);
	copy_old_blocks(writer);
	write_table(writer, &header);
	flush(writer);
	if (!writer->error)
		mlv_file_write_at(writer->fd, &header, sizeof(header), 0, writer->temp_path,
				  &writer->error);
	if (!writer->error && rename(writer->temp_path, writer->cache->path) < 0)
		mlv_fail_errno(&writer->error, "cannot put '%s' in place", writer->cache->path);
	if (writer->error) {
		g_propagate_error(error, g_steal_pointer(&writer->error));
		return FALSE;
	}
	g_clear_pointer(&writer->temp_path, g_free);
	mlv_fd_clear(&writer->fd);
	sweep(writer);
	return TRUE;
}

void mlv_statcache_writer_free(MlvStatWriter *writer)
{
	if (!writer)
		return;
	if (writer->temp_path)
		unlink(writer->temp_path);
	mlv_fd_clear(&writer->fd);
	g_byte_array_unref(writer->buffer);
	g_array_unref(writer->dirs);
	g_hash_table_unref(writer->numbers);
	g_ptr_array_unref(writer->dropped);
	g_hash_table_unref(writer->changes);
	g_array_unref(writer->records);
	g_byte_array_unref(writer->names);
	g_clear_error(&writer->error);
	g_free(writer->path);
	g_free(writer->temp_path);
	g_free(writer);
}
