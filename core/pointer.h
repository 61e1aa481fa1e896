/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pointers: the small text files that git tracks in place of data. mlv-pointer(5) is the format.
 *
 *	mlv 1
 *	bytes 11534336          directories: the sum of the file sizes below
 *	depth 0
 *	files 1000              directories: files and symlinks below
 *	id sha256:<64 hex>
 *	kind directory
 *	size 48213
 *
 * One byte sequence per value: whatever is not as mlv_pointer_format() writes it is refused. All
 * functions are thread safe.
 */
#ifndef MLV_CORE_POINTER_H
#define MLV_CORE_POINTER_H

#include "storage/object.h"

#define MLV_POINTER_MAX      1024
#define MLV_POINTER_SUFFIX   ".mlv"
#define MLV_POINTER_NAME_MAX 251 /* bytes of the last part of a data path: 255 with the suffix */

typedef struct {
	MlvRef ref;    /* kind TREE for a directory, else BLOB */
	guint8 mode;   /* MlvMode: FILE, EXECUTABLE or DIRECTORY */
	guint64 files; /* below a directory; 1 for a file */
	guint64 bytes; /* sum of file sizes below a directory; ref.size for a file */
} MlvPointer;

/* `label` names the pointer in messages. Not a pointer, or damaged, is MLV_ERROR_CORRUPT; a version
 * that this program does not know is MLV_ERROR_UNSUPPORTED; merge conflict markers are
 * MLV_ERROR_CHECK. */
gboolean mlv_pointer_parse(const void *data, gsize length, const char *label, MlvPointer *pointer,
			   GError **error);
/* The text, NUL-terminated; its length in *length (may be NULL). */
char *mlv_pointer_format(const MlvPointer *pointer, gsize *length);
gboolean mlv_pointer_equal(const MlvPointer *a, const MlvPointer *b);
/* The pointer for what a tree entry names; FALSE for a symlink, which cannot be a target. */
gboolean mlv_pointer_from_entry(const MlvTreeEntry *entry, MlvPointer *pointer);

/* Whether the path names a pointer: its last part is longer than ".mlv" and ends in it. */
gboolean mlv_pointer_is_path(const char *path);
/* "data/x" -> "data/x.mlv", and back (of a path for which mlv_pointer_is_path). Caller frees. */
char *mlv_pointer_path(const char *data_path);
char *mlv_pointer_data_path(const char *pointer_path);
/* Whether data at this path can have a pointer: not the root, name at most 251 bytes, no newline,
 * no ".mlv" at its end; else MLV_ERROR_USAGE that says why. */
gboolean mlv_pointer_check_target(const char *data_path, GError **error);

#endif
