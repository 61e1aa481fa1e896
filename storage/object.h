/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists and trees: the objects that give chunks an order and names. mlv-object(5) is the format.
 *
 * A list chunk:  'L' 1 leaf-kind level, then records of 40 bytes: id[32], length u64 little-endian.
 *                Level 1 names leaves, level n lists of level n-1; length counts leaf bytes below.
 * A tree chunk:  'T' 1, then entries in strictly ascending byte order of their names: mode u8,
 *                depth u8, name length u8, name, size varint, id[32]; in a directory's two varints,
 *                files and bytes, come before the id.
 *
 * A list ends behind a record, from the 16th on, whose id's last byte has its low six bits zero,
 * and at the latest behind the 256th; the last one where the records end. One list alone at a
 * level is the root. The entries of a tree (without the chunk's head) are a stream of bytes: up
 * to MLV_CHUNK_MAX bytes are one chunk; a longer one is cut by the chunker, each cut moved up to
 * the next boundary of an entry, so that every chunk can be read alone.
 */
#ifndef MLV_STORAGE_OBJECT_H
#define MLV_STORAGE_OBJECT_H

#include "storage/error.h"
#include "storage/id.h"

/* Part of format v1. */
typedef enum {
	MLV_MODE_FILE = 1,
	MLV_MODE_EXECUTABLE = 2,
	MLV_MODE_SYMLINK = 3, /* the blob is the target */
	MLV_MODE_DIRECTORY = 4,
} MlvMode;

#define MLV_NAME_MAX 255

typedef struct {
	const char *name; /* NUL-terminated; borrowed from the reader or the caller */
	guint8 name_length;
	guint8 mode;
	MlvRef ref;    /* kind TREE for directories, else BLOB */
	guint64 files; /* directories: files and symlinks below; else 1 */
	guint64 bytes; /* directories: the sum of their sizes; else ref.size */
} MlvTreeEntry;

typedef struct {
	MlvId id;
	guint64 length; /* leaf bytes below */
} MlvListEntry;

/* Where built chunks go. */
typedef gboolean (*MlvPutChunk)(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
				gpointer user, GError **error);

/* Builds the list over a sequence of leaves of one kind, streaming: memory does not grow with the
 * file. */
typedef struct MlvListBuilder MlvListBuilder;
MlvListBuilder *mlv_list_builder_new(MlvKind leaf_kind, MlvPutChunk put, gpointer user);
gboolean mlv_list_builder_add(MlvListBuilder *builder, const MlvId *id, guint64 length,
			      GError **error);
/* The reference to the whole. With one leaf in all that is the leaf itself, depth 0; none is a
 * caller's bug. */
gboolean mlv_list_builder_finish(MlvListBuilder *builder, MlvRef *ref, GError **error);
void mlv_list_builder_free(MlvListBuilder *builder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvListBuilder, mlv_list_builder_free)

/* Builds a tree from entries added in ascending order of names; streaming. */
typedef struct MlvTreeBuilder MlvTreeBuilder;
MlvTreeBuilder *mlv_tree_builder_new(MlvPutChunk put, gpointer user);
gboolean mlv_tree_builder_add(MlvTreeBuilder *builder, const MlvTreeEntry *entry, GError **error);
/* The reference, and the totals of what was added (files, bytes below). */
gboolean mlv_tree_builder_finish(MlvTreeBuilder *builder, MlvRef *ref, guint64 *files,
				 guint64 *bytes, GError **error);
void mlv_tree_builder_free(MlvTreeBuilder *builder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvTreeBuilder, mlv_tree_builder_free)

/* Whether a directory entry may be called so: 1..255 bytes, no '/', no NUL, not ".", "..", nor
 * ".git" in any case. */
gboolean mlv_name_allowed(const char *name, gsize length);

/* Decodes one chunk. Everything is checked: canonical varints, order, names, kinds, depths, sums
 * that overflow. */
/* list: leaf_kind and level are what the reference above says they must be. */
GArray *mlv_list_decode(const guint8 *data, gsize length, MlvKind leaf_kind, guint level,
			GError **error); /* of MlvListEntry */

typedef struct {
	const guint8 *at, *end;
	char name[MLV_NAME_MAX + 1];
	char previous[MLV_NAME_MAX + 1];
	gboolean any;
} MlvTreeReader;
gboolean mlv_tree_reader_init(MlvTreeReader *reader, const guint8 *data, gsize length,
			      GError **error);
/* TRUE with *entry set; at the end TRUE with entry->name NULL. entry->name is valid until the
 * next call. */
gboolean mlv_tree_reader_next(MlvTreeReader *reader, MlvTreeEntry *entry, GError **error);

#endif
