/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source: anything that chunks can be read from (a local store, a remote, one before the other),
 * and the walks over what lies in it.
 *
 * read() gives a chunk's raw bytes, already checked against its id. Implementations say whether
 * they are thread safe; the local store is.
 */
#ifndef MLV_STORAGE_SOURCE_H
#define MLV_STORAGE_SOURCE_H

#include "storage/object.h"

typedef struct MlvSource MlvSource;
struct MlvSource {
	/* The chunk, or NULL: MLV_ERROR_MISSING where it is not there, MLV_ERROR_CORRUPT where
	 * it is damaged. */
	GBytes *(*read)(MlvSource *source, MlvKind kind, const MlvId *id, GError **error);
	/* Whether it is there by the indexes, without reading it. FALSE with *error on damage. */
	gboolean (*has)(MlvSource *source, MlvKind kind, const MlvId *id, gboolean *has,
			GError **error);
	/* Says that these chunks will be read soon, so that a remote fetches them together. May
	 * be NULL. */
	gboolean (*prefetch)(MlvSource *source, MlvKind kind, const MlvId *ids, gsize count,
			     GError **error);
};

/* Reads the entries of a directory one after the other, across the chunks of a huge one. */
typedef struct MlvTreeCursor MlvTreeCursor;
MlvTreeCursor *mlv_tree_cursor_new(MlvSource *source, const MlvRef *tree, GError **error);
/* As mlv_tree_reader_next. */
gboolean mlv_tree_cursor_next(MlvTreeCursor *cursor, MlvTreeEntry *entry, GError **error);
void mlv_tree_cursor_free(MlvTreeCursor *cursor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvTreeCursor, mlv_tree_cursor_free)

/* The entry of that name, by binary search over the chunks of a huge directory. *found tells;
 * entry->name is `name`. */
gboolean mlv_tree_find(MlvSource *source, const MlvRef *tree, const char *name, MlvTreeEntry *entry,
		       gboolean *found, GError **error);

/* Walks the leaves of a reference in order, skipping those before byte `from`. Memory: one list
 * a level. */
typedef struct MlvLeafCursor MlvLeafCursor;
MlvLeafCursor *mlv_leaf_cursor_new(MlvSource *source, const MlvRef *ref, guint64 from,
				   GError **error);
/* TRUE with the leaf's id, its offset in the whole and its length; at the end TRUE and *length =
 * 0. */
gboolean mlv_leaf_cursor_next(MlvLeafCursor *cursor, MlvId *id, guint64 *offset, guint64 *length,
			      GError **error);
void mlv_leaf_cursor_free(MlvLeafCursor *cursor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvLeafCursor, mlv_leaf_cursor_free)

/* A set of (kind, id): 32 bytes an element, and some air. */
typedef struct MlvMarks MlvMarks;
MlvMarks *mlv_marks_new(void);
gboolean mlv_marks_add(MlvMarks *marks, MlvKind kind,
		       const MlvId *id); /* TRUE if it was not in there */
gboolean mlv_marks_contains(const MlvMarks *marks, MlvKind kind, const MlvId *id);
gsize mlv_marks_count(const MlvMarks *marks);
void mlv_marks_foreach(const MlvMarks *marks,
		       void (*each)(MlvKind kind, const MlvId *id, gpointer user), gpointer user);
void mlv_marks_free(MlvMarks *marks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvMarks, mlv_marks_free)

/* Visits every chunk that a reference needs, each (kind, id) at most once a MlvMarks: trees and
 * lists are read and followed, blobs only named, but for the empty file's, which has no chunk
 * (whether they are there is for the caller to ask, in batches). `length` is the chunk's raw
 * bytes; of a list, the leaf bytes below it. `visit` (may be NULL) may refuse to descend by
 * *descend = FALSE (default TRUE). What is damaged or nested too deep is MLV_ERROR_CORRUPT.
 * `missing` non-NULL: lists and trees that are not there are reported to it and passed over, not
 * an error. Memory: what lies beside the path being followed, not the depth of the stack. */
typedef gboolean (*MlvVisit)(MlvKind kind, const MlvId *id, guint64 length, gboolean *descend,
			     gpointer user, GError **error);
typedef gboolean (*MlvMissing)(MlvKind kind, const MlvId *id, gpointer user, GError **error);
gboolean mlv_mark(MlvSource *source, const MlvRef *ref, MlvMarks *marks, MlvVisit visit,
		  MlvMissing missing, gpointer user, GError **error);

#endif
