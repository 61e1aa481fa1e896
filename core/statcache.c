/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the stat cache. The layout is that of mlv-statcache(5). */
#include "core/statcache.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/statcache_format.h"
#include "storage/file.h"

guint64 mlv_statcache_sum(const void *data, gsize length)
{
	const guint8 *at = data;
	guint64 sum = length * 0x9e3779b97f4a7c15u;

	for (; length >= 8; at += 8, length -= 8) {
		guint64 word;

		memcpy(&word, at, 8);
		sum = (sum ^ word) * 0xff51afd7ed558ccdu;
		sum ^= sum >> 32;
	}
	for (; length > 0; at++, length--)
		sum = (sum ^ *at) * 0x100000001b3u;
	return sum ^ sum >> 29;
}

/* The table must lie in the file, be sorted, and name blocks and paths that lie in it too. */
static gboolean check_table(MlvStatCache *cache)
{
	const StatHeader *header = cache->map;
	guint64 room = cache->size - sizeof(*header);

	if (memcmp(header->magic, STATCACHE_MAGIC, 8) != 0 || header->file_size != cache->size ||
	    header->table_offset < sizeof(*header) || header->table_offset > cache->size ||
	    header->table_offset % 8 != 0 || header->count > room / sizeof(StatTableEntry))
		return FALSE;
	guint64 length = cache->size - header->table_offset;
	guint64 entries = header->count * sizeof(StatTableEntry);
	const guint8 *table = (const guint8 *)cache->map + header->table_offset;

	if (entries > length || header->sum != mlv_statcache_sum(table, length))
		return FALSE;
	cache->table = (const StatTableEntry *)(const void *)table;
	cache->paths = (const char *)table + entries;
	cache->count = header->count;
	guint64 paths = length - entries;
	if (cache->count > 0 && (paths == 0 || cache->paths[paths - 1] != '\0'))
		return FALSE;
	for (gsize i = 0; i < cache->count; i++) {
		const StatTableEntry *entry = &cache->table[i];

		if (entry->path_offset >= paths || entry->offset % 8 != 0 ||
		    entry->offset > header->table_offset ||
		    entry->size > header->table_offset - entry->offset ||
		    entry->size < sizeof(StatBlock))
			return FALSE;
	}
	return TRUE;
}

static void map_file(MlvStatCache *cache)
{
	struct stat st;
	g_auto(MlvFd) fd = open(cache->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0 || (gsize)st.st_size < sizeof(StatHeader))
		return;
	cache->size = (gsize)st.st_size;
	cache->map = mmap(NULL, cache->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (cache->map == MAP_FAILED) {
		cache->map = NULL;
		return;
	}
	if (!check_table(cache)) {
		munmap(cache->map, cache->size);
		cache->map = NULL;
		cache->count = 0;
		return;
	}
	cache->good = g_new0(guint, cache->count / 32 + 1);
	cache->generation = ((const StatHeader *)cache->map)->generation;
}

MlvStatCache *mlv_statcache_open(MlvRepo *repo)
{
	MlvStatCache *cache = g_new0(MlvStatCache, 1);

	cache->path = g_build_filename(mlv_repo_worktree_dir(repo), "statcache", NULL);
	if (G_BYTE_ORDER == G_LITTLE_ENDIAN)
		map_file(cache);
	return cache;
}

void mlv_statcache_use_store(MlvStatCache *cache, guint64 generation)
{
	cache->generation = generation;
	cache->stale = cache->map && ((const StatHeader *)cache->map)->generation != generation;
}

gboolean mlv_statcache_is_stale(const MlvStatCache *cache)
{
	return cache->stale;
}

guint64 mlv_statcache_add_subdir(guint64 sum, const char *name)
{
	return sum * 0x9e3779b97f4a7c15u + mlv_statcache_sum(name, strlen(name)) + 1;
}

void mlv_statcache_close(MlvStatCache *cache)
{
	if (!cache)
		return;
	if (cache->map)
		munmap(cache->map, cache->size);
	g_free(cache->good);
	g_free(cache->path);
	g_free(cache);
}

gsize mlv_statcache_lower_bound(const MlvStatCache *cache, const char *path)
{
	gsize low = 0, high = cache->count;

	while (low < high) {
		gsize middle = low + (high - low) / 2;
		if (strcmp(cache->paths + cache->table[middle].path_offset, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Whether the block is whole. Each is summed up once: one folder may be asked for as often as it
 * has targets. */
static gboolean check_block(const MlvStatCache *cache, gsize number, const StatBlock *block)
{
	const guint64 size = cache->table[number].size;
	const guint bit = 1u << number % 32;
	guint64 length = (guint64)block->count * sizeof(MlvStatRecord);
	const MlvStatRecord *records = (const void *)(block + 1);
	const char *names = (const char *)(records + block->count);

	if ((guint)g_atomic_int_get(&cache->good[number / 32]) & bit)
		return TRUE;
	if (sizeof(*block) + length + block->names_size != size ||
	    block->sum != mlv_statcache_sum(&block->sum + 1, size - sizeof(block->sum)) ||
	    (block->names_size > 0 && names[block->names_size - 1] != '\0'))
		return FALSE;
	for (gsize i = 0; i < block->count; i++)
		if (records[i].name_offset >= block->names_size)
			return FALSE;
	g_atomic_int_or(&cache->good[number / 32], bit);
	return TRUE;
}

gboolean mlv_statcache_block(const MlvStatCache *cache, gsize number, MlvStatDir *dir)
{
	const StatBlock *block =
		(const void *)((const guint8 *)cache->map + cache->table[number].offset);

	memset(dir, 0, sizeof(*dir));
	if (!check_block(cache, number, block))
		return FALSE;
	dir->records = (const void *)(block + 1);
	dir->count = block->count;
	dir->names = (const char *)(dir->records + block->count);
	dir->has_tree = block->has_tree != 0;
	dir->tree_stored = block->has_tree == 2 && !cache->stale;
	dir->tree.kind = MLV_KIND_TREE;
	dir->tree.depth = block->depth;
	dir->tree.size = block->tree_size;
	memcpy(dir->tree.id.b, block->id, MLV_ID_SIZE);
	dir->files = block->files;
	dir->bytes = block->bytes;
	dir->subdirs = block->subdirs;
	return TRUE;
}

gboolean mlv_statcache_dir(MlvStatCache *cache, const char *path, MlvStatDir *dir)
{
	gsize number = mlv_statcache_lower_bound(cache, path);

	memset(dir, 0, sizeof(*dir));
	return number < cache->count &&
	       strcmp(cache->paths + cache->table[number].path_offset, path) == 0 &&
	       mlv_statcache_block(cache, number, dir);
}

const MlvStatRecord *mlv_statcache_find(const MlvStatDir *dir, const char *name)
{
	gsize low = 0, high = dir->count;

	while (low < high) {
		gsize middle = low + (high - low) / 2;
		int order = strcmp(dir->names + dir->records[middle].name_offset, name);

		if (order == 0)
			return &dir->records[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static gint64 nanoseconds(const struct statx_timestamp *time)
{
	return time->tv_sec * G_GINT64_CONSTANT(1000000000) + time->tv_nsec;
}

gboolean mlv_stat_from_statx(const struct statx *stx, MlvStat *st)
{
	if (S_ISLNK(stx->stx_mode))
		st->mode = MLV_MODE_SYMLINK;
	else if (S_ISREG(stx->stx_mode))
		st->mode = stx->stx_mode & S_IXUSR ? MLV_MODE_EXECUTABLE : MLV_MODE_FILE;
	else
		return FALSE;
	st->mtime = nanoseconds(&stx->stx_mtime);
	st->ctime = nanoseconds(&stx->stx_ctime);
	st->size = stx->stx_size;
	st->inode = stx->stx_ino;
	return TRUE;
}

gboolean mlv_stat_matches(const MlvStatRecord *record, const MlvStat *st)
{
	return record->mtime == st->mtime && record->ctime == st->ctime &&
	       record->size == st->size && record->inode == st->inode && record->mode == st->mode &&
	       !(record->flags & MLV_STAT_RACY);
}

gint64 mlv_stat_fs_now(MlvRepo *repo)
{
	g_autofree char *path = g_build_filename(mlv_repo_worktree_dir(repo), "now", NULL);
	struct statx stx;
	g_auto(MlvFd) fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	if (fd >= 0 && futimens(fd, NULL) == 0 &&
	    statx(fd, "", AT_EMPTY_PATH, STATX_MTIME, &stx) == 0)
		return nanoseconds(&stx.stx_mtime);
	return 0; /* everything is racy then: slow, and right */
}
