/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What gc and fsck share: the files that a local store is made of, and copying chunks from pack to
 * pack.
 *
 * Main thread only, unless said otherwise. With `sync` files and folders are durable when a
 * function returns.
 */
#ifndef MLV_STORAGE_UPKEEP_H
#define MLV_STORAGE_UPKEEP_H

#include "storage/store.h"

/* One file of packs/. */
typedef struct {
	MlvId name;
	guint64 size;
	gint64 mtime; /* unix seconds: the pack's age counts from here */
} MlvPackFile;

/* Every pack, sorted by name, of MlvPackFile. *strays (may be NULL) counts files in packs/ that are
 * neither packs nor temporary. Free with g_array_unref. */
GArray *mlv_upkeep_packs(MlvStore *store, guint64 *strays, GError **error);
/* The number of the pack in that array, or -1. Any thread. */
gssize mlv_upkeep_find_pack(const GArray *packs, const MlvId *name);
/* The names of all index files in live/, superseded ones included, of MlvId. Free with
 * g_array_unref. */
GArray *mlv_upkeep_index_names(MlvStore *store, GError **error);

/* Opens a pack and reads its table; *fd (may be NULL) stays open for the caller. Any thread. */
MlvPackTable *mlv_upkeep_read_table(MlvStore *store, const MlvId *name, int *fd, GError **error);

/* Makes the builder's index a file of live/, unless it is empty; appends its name to `names` (of
 * MlvId, may be NULL). The store does not know it before its next refresh. */
gboolean mlv_upkeep_publish_index(MlvStore *store, MlvIndexBuilder *builder, GArray *names,
				  gboolean sync, GError **error);
/* Merges these indexes into one that supersedes them, and removes their files. `keep` as in
 * MlvIndexMerge; if nothing is kept there is no index after. The store does not know of it before
 * its next refresh. */
gboolean mlv_upkeep_merge(MlvStore *store, const GPtrArray *indexes,
			  gboolean (*keep)(const MlvIndexPack *pack, const MlvPackEntry *entry,
					   gpointer user),
			  gpointer user, gboolean sync, GError **error);
/* Removes index files and syncs the folder. One that is not there is passed over. */
gboolean mlv_upkeep_remove_indexes(MlvStore *store, const GArray *names, gboolean sync,
				   GError **error);
/* Removes what killed processes left: temporary files older than an hour, in every folder of the
 * store. */
void mlv_upkeep_sweep_temporary(MlvStore *store);

/* --- copying ---------------------------------------------------------------------------------- */

/* Copies chunks into new packs in their stored form, each checked against its id first; on a file
 * system that clones, runs of raw chunks share their blocks. A dry run writes nothing and counts
 * the same. */
typedef struct MlvRepack MlvRepack;
MlvRepack *mlv_repack_new(MlvStore *store, gboolean dry_run, gboolean sync);
/* Called for a chunk that is damaged; it is left out. */
typedef void (*MlvRepackDamaged)(const MlvPackEntry *entry, const GError *why, gpointer user);
/* Copies these chunks (in order of offset) of the pack in fd. With `damaged` NULL a damaged one is
 * an error. Their `check` need not be set. */
gboolean mlv_repack_copy(MlvRepack *repack, int fd, const char *label, MlvClass pack_class,
			 const MlvPackEntry *entries, gsize count, MlvRepackDamaged damaged,
			 gpointer user, GError **error);
/* One chunk whose raw bytes are at hand. */
gboolean mlv_repack_put(MlvRepack *repack, MlvKind kind, const MlvId *id, const guint8 *raw,
			gsize length, GError **error);
/* The new packs become durable, then indexes over them. The store does not know these before its
 * next refresh. */
gboolean mlv_repack_finish(MlvRepack *repack, GError **error);
guint64 mlv_repack_packs(const MlvRepack *repack); /* after finish: how many, and their bytes */
guint64 mlv_repack_bytes(const MlvRepack *repack);
void mlv_repack_free(MlvRepack *repack);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvRepack, mlv_repack_free)

#endif
