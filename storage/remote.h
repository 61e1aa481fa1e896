/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A remote as it is seen by one client: what one listing of live/ and the indexes it names say.
 * mlv-store(5) has the layout and the protocol.
 *
 *	g_autoptr(MlvRemote) remote = mlv_remote_open(medium, cache_dir, FALSE, error);
 *	mlv_remote_refresh(remote, error);
 *	mlv_remote_find_many(remote, keys, n, hits, error);
 *	GBytes *bytes = source->read(source, MLV_KIND_TREE, &id, error);     (mlv_remote_source)
 *
 * What never changes (indexes, roots, the format file) is kept in a cache directory of its own,
 * so that a client that is up to date needs the listing and nothing else. Large indexes are read
 * in part, by ranges, until most of one is wanted.
 *
 * Everything here belongs to one thread.
 */
#ifndef MLV_STORAGE_REMOTE_H
#define MLV_STORAGE_REMOTE_H

#include "storage/index.h"
#include "storage/medium.h"
#include "storage/root.h"
#include "storage/source.h"

typedef struct MlvRemote MlvRemote;

/* A chunk by what it is known by. */
typedef struct {
	MlvId id;
	guint8 kind; /* MlvKind */
} MlvChunkKey;

typedef enum {
	MLV_HIT_ABSENT,
	MLV_HIT_DEAD, /* only in a tombstoned pack: may still be read, must not be relied on */
	MLV_HIT_LIVE,
} MlvHitState;

/* Where a chunk lies on the remote. */
typedef struct {
	guint32 pack; /* number: mlv_remote_pack() */
	guint32 offset;
	guint32 stored;
	guint32 raw;
	guint8 codec;
	guint8 state; /* MlvHitState; the rest means nothing if it is ABSENT */
} MlvRemoteHit;

typedef struct {
	MlvId name;
	guint64 size;  /* bytes */
	gboolean dead; /* tombstoned */
	gboolean gone; /* was asked for and is not there any more */
} MlvRemotePack;

/* A root as the listing has it. */
typedef struct {
	MlvRootName name;
	guint64 size;
	gint64 mtime; /* unix seconds by the medium's clock */
} MlvRemoteRoot;

/* `medium` is borrowed and must outlive the remote. `cache_dir` (made if missing; NULL: nothing
 * is kept) is for this remote alone. Checks that there is a remote; with `create` one is made
 * where there is none, without that is MLV_ERROR_MISSING. */
MlvRemote *mlv_remote_open(MlvMedium *medium, const char *cache_dir, gboolean create,
			   GError **error);
void mlv_remote_free(MlvRemote *remote);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvRemote, mlv_remote_free)

/* Lists live/ and loads what is new there. Numbers of packs stay valid until the next call. */
gboolean mlv_remote_refresh(MlvRemote *remote, GError **error);

MlvMedium *mlv_remote_medium(MlvRemote *remote);
/* Reads chunks, each hashed. If a pack is gone it lists again, once. Borrowed. */
MlvSource *mlv_remote_source(MlvRemote *remote);

/* Looks up `count` chunks; blocks of indexes that are needed for it are fetched together.
 * Absence is no error. An index that is gone by now is MLV_ERROR_MISSING: refresh and look
 * again. */
gboolean mlv_remote_find_many(MlvRemote *remote, const MlvChunkKey *keys, gsize count,
			      MlvRemoteHit *hits, GError **error);
gboolean mlv_remote_find(MlvRemote *remote, MlvKind kind, const MlvId *id, MlvRemoteHit *hit,
			 GError **error);

gsize mlv_remote_pack_count(const MlvRemote *remote);
const MlvRemotePack *mlv_remote_pack(const MlvRemote *remote, guint32 number);
/* Whether the pack of that name is tombstoned, known by an index or not. */
gboolean mlv_remote_is_tombstoned(const MlvRemote *remote, const MlvId *pack);

/* Lists packs/, and takes note of the packs that indexes name and that are not there, or have
 * another length: look-ups pass over them from now on. *lost: how many of these are not tombstoned.
 * `unnamed` (MlvIndexPack; may be NULL) gets the packs that no index names. Right after a refresh,
 * since what an index names was there before the index was. */
gboolean mlv_remote_survey(MlvRemote *remote, GArray *unnamed, guint64 *lost, GError **error);

/* The roots of the last listing, pending ones among them, in order of their names. Borrowed
 * until the next refresh. */
const MlvRemoteRoot *mlv_remote_roots(const MlvRemote *remote, gsize *count);
/* Reads roots, checked against their names: an array of MlvRoot * as long as `count`, NULL where
 * one is gone by now. */
GPtrArray *mlv_remote_read_roots(MlvRemote *remote, const MlvRemoteRoot *roots, gsize count,
				 GError **error);

#endif
