/* SPDX-License-Identifier: Apache-2.0 */
/* What core/snapshot*.c share. */
#ifndef MLV_CORE_SNAPSHOT_PRIVATE_H
#define MLV_CORE_SNAPSHOT_PRIVATE_H

#include "core/scan.h"
#include "core/snapshot.h"
#include "storage/ingest.h"

typedef struct SnapDir SnapDir;
typedef struct SnapTarget SnapTarget;

/* A file given to the ingest. */
typedef struct {
	SnapDir *dir; /* NULL: the target itself is a file */
	gsize number;
	SnapTarget *target;
} SnapFile;

/* A target under way. */
struct SnapTarget {
	char *path;
	char *owner; /* the tracked target that path is or lies in; of the partial record */
	gpointer user;
	gboolean has_base;
	MlvPointer base;
	gboolean is_partial;
	gboolean unbrought; /* and nobody has noted that yet */
	gboolean incomplete;
	SnapFile file; /* of a single file */
	MlvIgnoreRules *rules;
};

/* An entry of a base tree, kept: the name is owned. */
typedef struct {
	char *name;
	MlvTreeEntry entry;
} BaseEntry;

/* A directory under way: from when it is entered until all its files and sub-directories are
 * known. */
struct SnapDir {
	SnapDir *parent; /* NULL: the target itself */
	gsize number;    /* in the parent's entries */
	SnapTarget *target;
	MlvScanDir *scan;
	MlvTreeEntry *entries; /* beside scan->entries; mode 0: nothing there that counts */
	SnapFile *files;       /* beside scan->entries: those that are read; NULL: none */
	gsize pending; /* files being read, sub-directories under way, and 1 while it is entered */
	gboolean changed; /* differs from the stat cache's tree, or that tree will not do */
	GArray *base;     /* BaseEntry, sorted by name; loaded when first needed */
	gboolean base_loaded, base_exists;
};

struct MlvSnapshot {
	MlvSnapshotOptions options;
	MlvScan *scan;
	MlvIngest *ingest;
	guint64 files;
	GHashTable *targets, *dirs; /* SnapTarget, SnapDir: under way, owned */
	GError *failure;            /* met in a callback: ends the whole */
};

/* Tells the caller; the target is incomplete but for what is left out by kind. */
void mlv_snapshot_problem(MlvSnapshot *snapshot, SnapTarget *target, MlvProblemType type,
			  const char *path, const char *why);
/* Whether all chunks of a file are in the store. */
gboolean mlv_snapshot_is_stored(MlvSnapshot *snapshot, const MlvRef *ref);
/* Takes the cache's word for a file; FALSE if it must be read. */
gboolean mlv_snapshot_known_file(MlvSnapshot *snapshot, const MlvStatRecord *record,
				 MlvTreeEntry *entry);
/* The entry of a symlink, its target stored. One that cannot be read is a problem, not an error. */
gboolean mlv_snapshot_read_symlink(MlvSnapshot *snapshot, SnapTarget *target, const char *path,
				   MlvTreeEntry *entry, GError **error);
/* Whether the file of `size` bytes is a pointer: inside tracked data that would be two truths about
 * one path. */
gboolean mlv_snapshot_is_pointer_file(MlvSnapshot *snapshot, const char *path, guint64 size);

/* The base's entries of this directory, or none. FALSE on damage or where a tree is not here. */
gboolean mlv_snapshot_load_base(MlvSnapshot *snapshot, SnapDir *dir, GError **error);
/* The base's entry of that name, or NULL. After load_base. */
const MlvTreeEntry *mlv_snapshot_base_entry(const SnapDir *dir, const char *name);
/* What the base says of the directory itself: FALSE if it is not a directory there. */
gboolean mlv_snapshot_base_ref(MlvSnapshot *snapshot, SnapDir *dir, MlvRef *ref, gboolean *exists,
			       GError **error);
/* Tells options.change of every difference between the finished directory and its base. */
gboolean mlv_snapshot_compare(MlvSnapshot *snapshot, SnapDir *dir, GError **error);
/* The same for a target that is a file now. `to` mode 0: nothing is there. */
gboolean mlv_snapshot_compare_file(MlvSnapshot *snapshot, SnapTarget *target,
				   const MlvTreeEntry *to, GError **error);

/* Stores a chunk where the snapshot stores (an MlvPutChunk with `user` the snapshot). */
gboolean mlv_snapshot_put(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
			  gpointer user, GError **error);
/* The directory's entry, its tree built and stored, or taken from the stat cache. */
gboolean mlv_snapshot_build(MlvSnapshot *snapshot, SnapDir *dir, MlvTreeEntry *self,
			    GError **error);

#endif
