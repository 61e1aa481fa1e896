/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the pipeline language reads from: the work tree, a commit, or a test's table. Three calls,
 * so that the same code reads a pipeline of any revision.
 *
 * Paths are relative to the repository's root, "/"-separated, without "." parts; "" is the root.
 * One that begins with "../" or "/" lies outside of it.
 */
#ifndef MLV_CORE_PIPELINE_FILES_H
#define MLV_CORE_PIPELINE_FILES_H

#include "storage/error.h"

typedef enum {
	MLV_FILES_NOTHING,
	MLV_FILES_FILE,
	MLV_FILES_DIRECTORY,
} MlvFilesType;

typedef struct {
	/* The whole of a regular file; absent (or below a file) is MLV_ERROR_MISSING, longer than
	 * `max` an error. The caller frees. */
	GBytes *(*read)(gpointer user, const char *path, gsize max, GError **error);
	/* Symlinks are followed. */
	MlvFilesType (*type)(gpointer user, const char *path);
	/* The names in a directory, in no order, of char *; a directory's ends in '/', that of a
	 * symlink never. Absent is MLV_ERROR_MISSING. Free with g_ptr_array_unref. */
	GPtrArray *(*list)(gpointer user, const char *path, GError **error);
	gpointer user;
	const char *root; /* the root's absolute path, for paths that are written so; or NULL */
} MlvFiles;

/* The tree below a directory: `root` its absolute path, `root_fd` a descriptor of it; both are
 * borrowed. */
void mlv_files_init_directory(MlvFiles *files, const int *root_fd, const char *root);

/* Puts a path as someone wrote it in `folder` ("" the root) into the form above: "./x", "a//b",
 * "x/", "../y", an absolute one below files->root. Pure; caller frees. */
char *mlv_files_normal(const MlvFiles *files, const char *folder, const char *written);
/* Whether such a path lies outside of the root. */
gboolean mlv_files_is_outside(const char *path);
/* Whether what is written is no path but a URL ("s3://...", "https://..."). */
gboolean mlv_files_is_url(const char *written);
/* The folder of a path: "a/b" of "a/b/c", "" of "c". Caller frees. */
char *mlv_files_folder(const char *path);
/* Whether `path` is `folder` or lies below it. */
gboolean mlv_files_is_below(const char *path, const char *folder);
/* `path` as it is written from `folder`: "../x"; "." for the folder itself. Caller frees. */
char *mlv_files_relative(const char *folder, const char *path);

#endif
