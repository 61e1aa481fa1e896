/* SPDX-License-Identifier: Apache-2.0 */
/* What core/pipeline/held*.c share. */
#ifndef MLV_CORE_PIPELINE_HELD_PRIVATE_H
#define MLV_CORE_PIPELINE_HELD_PRIVATE_H

#include "core/ignore.h"
#include "core/pipeline/held.h"

/* What the stat cache has of a folder; looked up, and checked, once. */
typedef struct {
	gboolean known;
	MlvStatDir dir;
} HeldFolder;

struct MlvHeldSet {
	MlvHeldOptions options;
	GHashTable *answers;  /* path -> MlvHeld */
	GTree *order;         /* the same paths, sorted -> MlvHeld; borrowed */
	GPtrArray *asked;     /* of char *: keys of answers that are not fresh */
	GHashTable *folders;  /* folder -> HeldFolder */
	MlvStatWriter *cache; /* NULL: nothing new yet */
	guint64 uncommitted;  /* files in it whose bytes the store will have at its next commit */
	GPtrArray *targets;
	MlvIgnoreRules *leave_out; /* of folders of code */
};

/* Where what is learnt for the stat cache goes. */
MlvStatWriter *mlv_held_writer(MlvHeldSet *set);
/* What the stat cache has of a file, by its path as it is looked at; NULL: nothing. */
const MlvStatRecord *mlv_held_record(MlvHeldSet *set, const char *path);
/* Notes a file's content; `now` is the file system's time before it was read. */
void mlv_held_note(MlvHeldSet *set, const char *path, const MlvStat *st, const MlvRef *ref,
		   gint64 now, gboolean stored);
/* A file or directory by its absolute path, symlinks followed. */
gboolean mlv_held_read_outside(MlvHeldSet *set, const char *path, MlvHeld *held, GError **error);
/* Reads a small regular file, and stores it if `writer` is set. *done FALSE: it is too large, or no
 * regular file any more, or lies behind a symlink. */
gboolean mlv_held_read_small(int root, const char *path, gboolean follow, MlvStoreWriter *writer,
			     MlvHeld *held, gboolean *done, GError **error);

#endif
