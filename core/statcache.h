/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stat cache: what each file of tracked data held when it was last looked at, so that a file
 * whose stat data are the same need not be read. One file a work tree, <git dir>/mlv/statcache,
 * mapped, rewritten as a whole, atomically, without fsync: losing it costs time only.
 * mlv-statcache(5) is the format.
 *
 * Directories are keyed by their path relative to the work tree's root; a tracked single file
 * lies in the block of its folder as any other. Reading is thread safe.
 */
#ifndef MLV_CORE_STATCACHE_H
#define MLV_CORE_STATCACHE_H

#include <sys/stat.h>

#include "core/repo.h"
#include "storage/object.h"

/* What identifies a file's state: nanoseconds since 1970. */
typedef struct {
	gint64 mtime, ctime;
	guint64 size, inode;
	guint8 mode; /* MlvMode of file, executable or symlink */
} MlvStat;

#define MLV_STAT_RACY   1 /* changed too near to when it was hashed: read it again */
#define MLV_STAT_STORED 2 /* its content was in the store, whole, when the record was made */

/* One entry as it lies in the file: fixed width, the byte order of the machine. */
typedef struct {
	gint64 mtime, ctime;
	guint64 size, inode;
	guint8 id[MLV_ID_SIZE];
	guint32 name_offset; /* into the block's names; NUL-terminated there */
	guint8 mode, depth, flags, unused;
} MlvStatRecord;

/* A directory's block. `records` are sorted by name (bytes) and hold files and symlinks, no
 * sub-directories. */
typedef struct {
	const MlvStatRecord *records;
	gsize count;
	const char *names;
	gboolean tree_stored; /* and that tree, whole, was in the store */
	gboolean has_tree;    /* its reference is known, for these entries and sub-directories */
	MlvRef tree;
	guint64 files, bytes;
	guint64 subdirs; /* mlv_statcache_add_subdir over the names of its sub-directories */
} MlvStatDir;

typedef struct MlvStatCache MlvStatCache;

/* A missing or damaged file gives an empty cache. Never fails. */
MlvStatCache *mlv_statcache_open(MlvRepo *repo);
void mlv_statcache_close(MlvStatCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvStatCache, mlv_statcache_close)

/* Tells the store's generation (mlv_store_generation): where gc has deleted something since the
 * cache was written, nothing counts as stored any more. */
void mlv_statcache_use_store(MlvStatCache *cache, guint64 generation);
gboolean mlv_statcache_is_stale(const MlvStatCache *cache);

/* The block of a directory; its checksum is checked. FALSE if there is none. */
gboolean mlv_statcache_dir(MlvStatCache *cache, const char *path, MlvStatDir *dir);
/* The record of `name` (binary search), or NULL. */
const MlvStatRecord *mlv_statcache_find(const MlvStatDir *dir, const char *name);
static inline const char *mlv_statcache_name(const MlvStatDir *dir, const MlvStatRecord *record)
{
	return dir->names + record->name_offset;
}

/* statx's answer as MlvStat. FALSE for what is neither a regular file nor a symlink. */
gboolean mlv_stat_from_statx(const struct statx *stx, MlvStat *st);
/* Whether the record speaks of a file in just this state, and is not racy. */
gboolean mlv_stat_matches(const MlvStatRecord *record, const MlvStat *st);
/* The file system's time now (nanoseconds), by touching a file in <git dir>/mlv: taken before
 * hashing begins. */
gint64 mlv_stat_fs_now(MlvRepo *repo);

/* Collects changes; mlv_statcache_writer_commit writes the whole new file. Main thread. */
typedef struct MlvStatWriter MlvStatWriter;
MlvStatWriter *mlv_statcache_writer_new(MlvStatCache *cache, gint64 fs_now);
/* The file system's time before what is added from now on was hashed. */
void mlv_statcache_writer_set_now(MlvStatWriter *writer, gint64 fs_now);
/* Whether what is added from now on is in the store, whole. TRUE at first. */
void mlv_statcache_writer_set_stored(MlvStatWriter *writer, gboolean stored);
/* A directory's new block: entries added in order of names, then end. `tree` NULL: not known. */
void mlv_statcache_writer_begin(MlvStatWriter *writer, const char *path);
void mlv_statcache_writer_add(MlvStatWriter *writer, const char *name, const MlvStat *st,
			      const MlvRef *ref);
/* The same for an entry of the old cache whose state is unchanged (keeps its flags). */
void mlv_statcache_writer_keep(MlvStatWriter *writer, const MlvStatDir *old,
			       const MlvStatRecord *record);
void mlv_statcache_writer_end(MlvStatWriter *writer, const MlvRef *tree, guint64 files,
			      guint64 bytes, guint64 subdirs);
/* Sums up the names of sub-directories, in order, from 0: a tree is known only for the very same
 * set. */
guint64 mlv_statcache_add_subdir(guint64 sum, const char *name);
/* Forgets the blocks of `path` and of all below. */
void mlv_statcache_writer_drop(MlvStatWriter *writer, const char *path);
/* Gives what `cache` (the one that is being renewed) has of the directory `from` and of all below
 * to `to`. */
void mlv_statcache_writer_move(MlvStatWriter *writer, const MlvStatCache *cache, const char *from,
			       const char *to);
/* One file's new record in its folder's block, the others kept (their tree is forgotten, and
 * those of the folders above). NULL st: the record is removed. For a few files; for many use
 * begin and end. */
void mlv_statcache_writer_set(MlvStatWriter *writer, const char *path, const MlvStat *st,
			      const MlvRef *ref);
/* Writes the file if anything was collected; blocks that were not touched are copied. */
gboolean mlv_statcache_writer_commit(MlvStatWriter *writer, GError **error);
void mlv_statcache_writer_free(MlvStatWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvStatWriter, mlv_statcache_writer_free)

#endif
