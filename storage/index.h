/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indexes: which chunks lie where, which packs are tombstoned, which indexes this one supersedes.
 * Immutable, named "live/i-<64 hex>" by the SHA-256 of all its bytes. mlv-index(5) is the format:
 *
 *	header      64 bytes   "MLVINDX1", class u32, fan-out bits u32, packs u32, tombstones u32,
 *	                       superseded u32, chunks u32, zero
 *	packs       40 each    name[32], size u64; sorted by name
 *	tombstones  40 each    pack name[32], unix time u64; sorted by name
 *	superseded  32 each    index name; sorted
 *	fan-out     4 each     2^bits u32: chunks whose leading bits are at most i
 *	check       32 bytes   SHA-256 of all before
 *	blocks                 128 entries of 48 bytes (the last block: what is left), then the
 *	                       first 16 bytes of their SHA-256
 *
 * An entry: id[32], pack number u32, offset u32, stored u32 (24 bits length, 8 codec), raw u32 (24
 * bits length, 8 kind); sorted by (id, kind); several entries with one id (a chunk in several
 * packs) are allowed. Blocks are of fixed size but for the last, so a client that has the head (all
 * before the blocks) reads any range of entries alone and can trust it.
 *
 * Reading is thread safe. An index in a local file is mapped; each block's checksum is checked when
 * it is touched first.
 */
#ifndef MLV_STORAGE_INDEX_H
#define MLV_STORAGE_INDEX_H

#include "storage/pack.h"

#define MLV_INDEX_ENTRY         48u
#define MLV_INDEX_BLOCK_ENTRIES 128u
#define MLV_INDEX_NAME_LENGTH   (5 + 2 + MLV_ID_HEX) /* "live/i-<64 hex>" */
#define MLV_INDEX_HEADER        64u

typedef struct MlvIndex MlvIndex;

typedef struct {
	MlvId name;
	guint64 size; /* bytes of the pack */
} MlvIndexPack;

typedef struct {
	MlvId pack;
	guint64 time; /* unix seconds at which it was tombstoned */
} MlvTombstone;

/* Where a chunk lies. `check` of the entry is 0: an index does not have it. */
typedef struct {
	MlvPackEntry entry;
	guint32 pack; /* number of the pack within the index */
} MlvIndexHit;

void mlv_index_path(const MlvId *name, char path[MLV_INDEX_NAME_LENGTH + 1]);
gboolean mlv_index_parse_path(const char *path, MlvId *name);

/* --- building --------------------------------------------------------------------------------- */

/* Collects in memory (48 bytes a chunk); entries may come in any order. */
typedef struct MlvIndexBuilder MlvIndexBuilder;
MlvIndexBuilder *mlv_index_builder_new(MlvClass index_class);
void mlv_index_builder_add_pack(MlvIndexBuilder *builder, const MlvId *pack, guint64 size,
				const MlvPackEntry *entries, gsize count);
void mlv_index_builder_add_tombstone(MlvIndexBuilder *builder, const MlvId *pack, guint64 time);
void mlv_index_builder_supersede(MlvIndexBuilder *builder, const MlvId *index);
gsize mlv_index_builder_count(const MlvIndexBuilder *builder);
/* The bytes of the index and its name. The builder is empty after. */
GBytes *mlv_index_builder_finish(MlvIndexBuilder *builder, MlvId *name);
void mlv_index_builder_free(MlvIndexBuilder *builder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvIndexBuilder, mlv_index_builder_free)

/* Merges `count` indexes of one class into a new one, written to fd as a stream: memory does not
 * grow with the number of chunks, since the inputs are walked twice. Gives the new index's name. It
 * supersedes them all and, with `inherit_superseded`, whatever they supersede. Tombstones are the
 * union of theirs and `tombstones` (may be NULL), less those that `keep_tombstone` refuses (NULL:
 * all stay). Entries in a tombstoned pack are dropped with `drop_dead`, and those for which `keep`
 * (may be NULL) is FALSE; it is asked twice an entry, whose `check` is 0, and must say the same.
 * Packs without entries left fall out of the list unless `keep_packs`. Exact duplicates (same
 * chunk, pack and offset) become one. Indexes that contradict one another are MLV_ERROR_CORRUPT. */
typedef struct {
	const MlvTombstone *tombstones;
	gsize n_tombstones;
	gboolean inherit_superseded;
	gboolean drop_dead;
	gboolean keep_packs;
	gboolean (*keep)(const MlvIndexPack *pack, const MlvPackEntry *entry, gpointer user);
	gboolean (*keep_tombstone)(const MlvTombstone *tombstone, gpointer user);
	gpointer user;
} MlvIndexMerge;
gboolean mlv_index_merge(MlvIndex *const *indexes, gsize count, const MlvIndexMerge *options,
			 int fd, MlvId *name, GError **error);

/* --- reading ---------------------------------------------------------------------------------- */

/* Maps a whole index. The head is checked at once, the blocks when they are needed; with
 * `verify_name` all bytes are hashed as well, to see whether they have that name (local files are
 * trusted to lie under the right one). `name` NULL: it is found by hashing. fd may be closed
 * after. */
MlvIndex *mlv_index_open(int fd, const MlvId *name, gboolean verify_name, const char *label,
			 GError **error);
/* The same from memory; takes a reference. */
MlvIndex *mlv_index_new_from_bytes(GBytes *bytes, const MlvId *name, gboolean verify_name,
				   const char *label, GError **error);

/* An index of which only the head is here; blocks come by `fetch`, which gives exactly `length`
 * bytes at `offset` of the index file, and are kept. head: the file's first bytes; if too few, NULL
 * and *need says how many. */
typedef GBytes *(*MlvIndexFetch)(guint64 offset, gsize length, gpointer user, GError **error);
MlvIndex *mlv_index_new_partial(GBytes *head, const MlvId *name, guint64 file_size,
				MlvIndexFetch fetch, gpointer user, const char *label, gsize *need,
				GError **error);
/* For a partial index: the ranges (offset, length in the file) of blocks that looking up these ids
 * will need and that are not here, sorted, neighbours joined. Caller fetches them (in parallel) and
 * hands each to mlv_index_provide. */
typedef struct {
	guint64 offset;
	guint64 length;
} MlvRange;
GArray *mlv_index_plan(MlvIndex *index, const MlvId *ids, gsize count);
gboolean mlv_index_provide(MlvIndex *index, guint64 offset, GBytes *bytes, GError **error);

MlvIndex *mlv_index_ref(MlvIndex *index);
void mlv_index_unref(MlvIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvIndex, mlv_index_unref)

const MlvId *mlv_index_name(const MlvIndex *index);
MlvClass mlv_index_class(const MlvIndex *index);
guint64 mlv_index_size(const MlvIndex *index); /* bytes of the file */
gsize mlv_index_count(const MlvIndex *index);  /* entries */
gsize mlv_index_pack_count(const MlvIndex *index);
MlvIndexPack mlv_index_pack(const MlvIndex *index, gsize number);
gsize mlv_index_tombstone_count(const MlvIndex *index);
MlvTombstone mlv_index_tombstone(const MlvIndex *index, gsize number);
gsize mlv_index_superseded_count(const MlvIndex *index);
MlvId mlv_index_superseded(const MlvIndex *index, gsize number);

/* Appends to `hits` (GArray of MlvIndexHit) every place of the chunk; FALSE on damage only, not on
 * absence. */
gboolean mlv_index_find_all(MlvIndex *index, MlvKind kind, const MlvId *id, GArray *hits,
			    GError **error);
/* The first place: *found tells. The fast path of every look-up. */
gboolean mlv_index_find(MlvIndex *index, MlvKind kind, const MlvId *id, gboolean *found,
			MlvIndexHit *hit, GError **error);
/* Entry by number, in sorted order (for merges, marks and fsck). */
gboolean mlv_index_get(MlvIndex *index, gsize number, MlvIndexHit *hit, GError **error);
/* Checks every block and that entries are sorted, in range and inside their packs. */
gboolean mlv_index_check(MlvIndex *index, GError **error);

#endif
