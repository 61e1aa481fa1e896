/* SPDX-License-Identifier: Apache-2.0 */
/* What storage/remote*.c, push*.c and fetch*.c share. */
#ifndef MLV_STORAGE_REMOTE_PRIVATE_H
#define MLV_STORAGE_REMOTE_PRIVATE_H

#include "storage/file.h"
#include "storage/published.h"
#include "storage/remote.h"

#define MLV_REMOTE_WHOLE      (1u << 20)  /* bytes: an index up to this is taken whole at once */
#define MLV_REMOTE_HEAD_GUESS (64u << 10) /* bytes of a larger one that are read first */
#define MLV_REMOTE_HEAD_MAX   (64u << 20)
/* bytes between two ranges worth reading to save a request */
#define MLV_REMOTE_GAP   (64u << 10)
#define MLV_REMOTE_CACHE (32u << 20) /* bytes of chunks that were asked for ahead */
#define MLV_REMOTE_TRIES 3           /* times that damaged bytes are fetched */

typedef struct {
	MlvIndex *index;
	guint32 *packs; /* the index's pack number -> the remote's */
	gboolean partial;
	gboolean grave; /* tables of tombstoned packs, dug up; no index of the listing */
} RemoteIndex;

/* An index file of the listing that another one supersedes. */
typedef struct {
	MlvId name;
	gboolean tombstones; /* carries some (or is not known not to) */
} RemoteSuperseded;

struct MlvRemote {
	MlvSource source; /* first */
	MlvMedium *medium;
	char *cache_dir; /* or NULL */
	int cache_fd;
	gboolean create;
	gboolean format_seen; /* on the medium, by this process */
	GHashTable *known;    /* MlvId in the RemoteIndex -> RemoteIndex: loaded and still listed */
	GPtrArray *live;      /* RemoteIndex of known, superseded ones left out; graves last */
	GPtrArray *graves;    /* RemoteIndex, owned */
	GPtrArray *protos;  /* MlvOp: name and medium, what partial indexes fetch their blocks by */
	GArray *superseded; /* RemoteSuperseded */
	GArray *roots;      /* MlvRemoteRoot */
	GArray *packs;      /* MlvRemotePack */
	MlvPublishedState published; /* as the last listing has it */
	GHashTable *pack_numbers;    /* MlvId -> number + 1; keys are owned */
	/* MlvId: packs that an index named and that were not there. Names never come back. */
	GHashTable *gone;
	GHashTable *tombstones; /* MlvId -> gint64 time; keys and values are owned */
	gboolean relisted;      /* a reader has listed again since the last refresh */
	gboolean index_gone;    /* a block could not be read since its index is gone: list again */
	GHashTable *chunks;     /* MlvChunkKey -> GBytes, decoded */
	GQueue chunk_order;     /* MlvChunkKey, borrowed from chunks, oldest first */
	gsize chunk_bytes;
};

/* Says that a pack which an index names is not there: look-ups pass over it from now on. */
void mlv_remote_note_gone(MlvRemote *remote, const MlvId *pack);

/* Tombstones the packs that were noted gone, so that nobody relies on them any more. The view shows
 * it after the next refresh. */
gboolean mlv_remote_bury(MlvRemote *remote, GError **error);

/* Builds the view anew from `known` and `graves`. */
void mlv_remote_view(MlvRemote *remote);

/* --- remote_cache.c: the files that never change ---------------------------------------------- */

/* A cached file's name: "<letter>-<64 hex>". */
#define MLV_REMOTE_CACHED (2 + MLV_ID_HEX)
void mlv_remote_cached_name(char letter, const MlvId *id, char name[MLV_REMOTE_CACHED + 1]);
/* NULL if it is not there, for whatever reason. */
GBytes *mlv_remote_cache_get(MlvRemote *remote, const char *name, gsize max);
/* A cache that cannot be written is no error. */
void mlv_remote_cache_put(MlvRemote *remote, const char *name, GBytes *bytes);
void mlv_remote_cache_drop(MlvRemote *remote, const char *name);
/* Drops cached indexes and roots that the last listing does not have. */
void mlv_remote_cache_tidy(MlvRemote *remote);

/* --- remote_index.c --------------------------------------------------------------------------- */

void mlv_remote_index_free(gpointer index);
/* Loads the indexes in a listing (of MlvListed) that are not in `known`; *gone tells if one is
 * not there any more. */
gboolean mlv_remote_load_indexes(MlvRemote *remote, const GArray *listed, gboolean *gone,
				 GError **error);
/* The whole index, all its blocks; takes the place of the partial one. Borrowed. */
MlvIndex *mlv_remote_whole_index(MlvRemote *remote, RemoteIndex *index, GError **error);
/* Makes a whole index known that is on the medium under its name. Takes the reference. */
void mlv_remote_know(MlvRemote *remote, MlvIndex *index);
/* A file for an index, to read and write: in the cache (then *temp owns it), or without one in
 * memory (the caller closes). -1 with *error. */
int mlv_remote_open_download(MlvRemote *remote, MlvTemp **temp, GError **error);
/* Fetches the blocks of partial indexes of a class that a look-up of these ids needs. */
gboolean mlv_remote_fetch_blocks(MlvRemote *remote, MlvClass index_class, const MlvId *ids,
				 gsize count, GError **error);
/* Reads the tables of packs (names and sizes) and lets their chunks be found, as dead ones.
 * Packs that are gone are passed over. They stay known through refreshes. */
gboolean mlv_remote_dig(MlvRemote *remote, const MlvIndexPack *packs, gsize count, GError **error);
/* All packs there (of MlvListed, in any order), for those who only look. Where the medium cannot
 * list them: those that an index names and that are there; one that is too short has size 0. */
GArray *mlv_remote_list_packs(MlvRemote *remote, GError **error);
/* Reads one pack's table. MLV_ERROR_MISSING if the pack is not there. */
MlvPackTable *mlv_remote_read_table(MlvRemote *remote, const MlvIndexPack *pack, GError **error);

/* --- remote_merge.c --------------------------------------------------------------------------- */

/* Puts a new index of what the builder holds, merged with small live ones of its class as they
 * pile up. The view shows it after the next refresh. */
gboolean mlv_remote_put_index(MlvRemote *remote, MlvIndexBuilder *builder, MlvClass index_class,
			      GError **error);
/* The same without merging. */
gboolean mlv_remote_put_alone(MlvRemote *remote, MlvIndexBuilder *builder, GError **error);
/* Merges whole indexes of one class into a new one and puts that. */
gboolean mlv_remote_put_merged(MlvRemote *remote, MlvIndex *const *indexes, gsize count,
			       const MlvIndexMerge *options, GError **error);

/* --- remote_find.c, remote_read.c ------------------------------------------------------------- */

/* One chunk to be read. */
typedef struct {
	MlvId id;
	guint32 pack, offset, stored, raw;
	guint8 kind, codec;
} RemoteWant;

/* Neighbours that are read with one request: wants[first .. first + count). */
typedef struct {
	gsize first, count;
	guint64 offset, length;
} RemoteRange;

/* Whether some live index is here in part only, so that look-ups may cost requests. */
gboolean mlv_remote_any_partial(const MlvRemote *remote);
void mlv_remote_want(RemoteWant *want, const MlvChunkKey *key, const MlvRemoteHit *hit);
/* The pack entry of a want. */
MlvPackEntry mlv_remote_want_entry(const RemoteWant *want);
/* Sorts by place and joins; no range is longer than `max` unless one chunk is. Array of
 * RemoteRange. */
GArray *mlv_remote_join(RemoteWant *wants, gsize count, guint64 max);
/* A GET of a range. */
MlvOp *mlv_remote_range_op(const MlvRemote *remote, const RemoteWant *wants,
			   const RemoteRange *range);

MlvPackEntry mlv_remote_hit_entry(const MlvChunkKey *key, const MlvRemoteHit *hit);
void mlv_remote_source_init(MlvRemote *remote);
void mlv_remote_source_clear(MlvRemote *remote);

/* "blob sha256:0123456789ab" of a chunk, for messages. Free with g_free. */
char *mlv_chunk_label(MlvKind kind, const MlvId *id);

#endif
