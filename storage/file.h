/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files done carefully: whole reads and writes, creation without replacing, atomic replacement,
 * syncing, cloning of blocks, and opening beneath a root.
 *
 * Paths are relative to a directory descriptor. `label` in the comments below is what messages call
 * the file; names in messages are made printable by the one who prints.
 */
#ifndef MLV_STORAGE_FILE_H
#define MLV_STORAGE_FILE_H

#include <glib.h>
#include <sys/stat.h>
#include <sys/types.h>

/* A descriptor closed at the end of the scope: g_auto(MlvFd) fd = -1; */
typedef int MlvFd;
void mlv_fd_clear(MlvFd *fd);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MlvFd, mlv_fd_clear)

/* Writes all of data at the descriptor's position (or, with pwrite, at `offset`), retrying short
 * writes and EINTR. */
gboolean mlv_file_write(int fd, const void *data, gsize length, const char *label, GError **error);
gboolean mlv_file_write_at(int fd, const void *data, gsize length, guint64 offset,
			   const char *label, GError **error);

/* Reads exactly `length` bytes at `offset`; a file that ends before is MLV_ERROR_CORRUPT. */
gboolean mlv_file_read_at(int fd, void *data, gsize length, guint64 offset, const char *label,
			  GError **error);

/* The whole of a regular file of at most `max` bytes. A longer one is MLV_ERROR_CORRUPT, an absent
 * one MLV_ERROR_MISSING. A NUL, not counted, stands behind the bytes. */
GBytes *mlv_file_read(int dirfd, const char *path, gsize max, GError **error);

/* Replaces (or makes) `path` by a complete file: temporary name beside it, written, synced if
 * `sync`, renamed, folder synced if `sync`. A reader sees the old bytes or the new. */
gboolean mlv_file_replace(int dirfd, const char *path, const void *data, gsize length, mode_t mode,
			  gboolean sync, GError **error);

/* A file being written that nobody sees until it is published under its final name, which must not
 * exist: "already there" is success (names are content) and gives *existed = TRUE. The temporary
 * file is "<dir>/tmp-<random>", made by mlv_temp_open and removed by mlv_temp_free if not
 * published. `dir` must exist; the final path's missing parent folders are made (and synced if
 * `sync`). */
typedef struct MlvTemp MlvTemp;
MlvTemp *mlv_temp_open(int dirfd, const char *dir, GError **error);
int mlv_temp_fd(const MlvTemp *temp);
const char *mlv_temp_label(const MlvTemp *temp);
/* Syncs the bytes only, from any thread; publishing later with sync then has little left to do. */
gboolean mlv_temp_sync(MlvTemp *temp, GError **error);
/* With `sync` fsyncs the file before and the folder after. `mode` is the file's final mode. */
gboolean mlv_temp_publish(MlvTemp *temp, const char *path, mode_t mode, gboolean sync,
			  gboolean *existed, GError **error);
void mlv_temp_free(MlvTemp *temp);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvTemp, mlv_temp_free)

/* Removes "tmp-*" files in `dir` that are older than `seconds`: the remains of killed processes. */
void mlv_temp_sweep(int dirfd, const char *dir, guint64 seconds);

/* fsync of a directory by path ("." for dirfd itself). */
gboolean mlv_file_sync_dir(int dirfd, const char *path, GError **error);

/* The names in a directory but for "." and "..", in no order (elements char *). All or an error:
 * a listing that breaks off would pass for a shorter one. An absent directory is
 * MLV_ERROR_MISSING. */
GPtrArray *mlv_file_list(int dirfd, const char *path, GError **error);

/* mkdir -p for a relative path; an existing directory is success. */
gboolean mlv_file_make_dirs(int dirfd, const char *path, mode_t mode, GError **error);

/* Makes a new file "<dir>/<prefix><16 random hex digits>" (dir NULL or "." for dirfd itself), open
 * for reading and writing, and claimed. Gives its path, to be freed, or -1 with errno. */
int mlv_file_open_unique(int dirfd, const char *dir, const char *prefix, mode_t mode, char **path);
/* Locks a temporary file that was just made, so that no sweep takes it for one that a killed
 * process left as long as it is open. FALSE if one has taken it already: make another. */
gboolean mlv_file_claim(int fd);
/* Removes files "<prefix><16 hex digits>" from the open folder that no process has claimed; what
 * cannot be locked once it is an hour old. */
void mlv_file_sweep(int dir, const char *prefix);

/* The block size in which files of fd's file system can share blocks, or 0 where it cannot clone
 * (found out by trying on two temporary files in the directory `dirfd`). */
gsize mlv_file_clone_block(int dirfd);

/* FICLONERANGE: shares `length` bytes (0: to the end) of source with target. FALSE without an error
 * text when the file systems cannot (EOPNOTSUPP, EXDEV, EINVAL ...): the caller copies. */
gboolean mlv_file_clone_range(int source, guint64 source_offset, guint64 length, int target,
			      guint64 target_offset);

/* Opens `path` (relative, "/"-separated) strictly beneath rootfd and follows no symlink anywhere in
 * it: openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS), or component by component where the kernel
 * has none. Returns a descriptor (O_CLOEXEC) or -1 with errno set (ELOOP or EXDEV where a symlink
 * or ".." stands). */
int mlv_file_open_beneath(int rootfd, const char *path, int flags, mode_t mode);

#endif
