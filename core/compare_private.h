/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What core/compare*.c share.
 */
#ifndef MLV_CORE_COMPARE_PRIVATE_H
#define MLV_CORE_COMPARE_PRIVATE_H

#include "core/compare.h"

struct MlvCompare {
	MlvSource *source;
	MlvCompareOptions options;
	const char *target; /* of the comparison under way */
	GArray *held; /* of MlvChange, where they are told at the end; strings are in `strings` */
	GStringChunk *strings;
	gboolean skipped; /* too many were held */
};

/* Gives a change to the visitor, or holds it until renames are known. */
gboolean mlv_compare_emit(MlvCompare *compare, const MlvChange *change, GError **error);

/* --- compare_stream.c: a directory's entries -------------------------------------------------- */

/* Reads the entries of a directory in order, but for chunks that lie in another directory too. */
typedef struct MlvEntryStream MlvEntryStream;
MlvEntryStream *mlv_entry_stream_new(MlvSource *source, const MlvRef *tree, GError **error);
/* Makes both pass over the chunks that both have. Before the first next. */
void mlv_entry_stream_skip_common(MlvEntryStream *a, MlvEntryStream *b);
/* TRUE with *entry set; at the end TRUE with entry->name NULL. entry->name is valid until the
 * next call. */
gboolean mlv_entry_stream_next(MlvEntryStream *stream, MlvTreeEntry *entry, GError **error);
void mlv_entry_stream_free(MlvEntryStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvEntryStream, mlv_entry_stream_free)

/* --- compare_rename.c ------------------------------------------------------------------------- */

/* Joins files that went with files of the same content that came: the one that came becomes a
 * rename, the other's kind becomes 0. */
void mlv_compare_join_renames(GArray *changes);

#endif
