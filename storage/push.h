/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending what commits need to a remote, beside other pushes and gcs, without locks. mlv-store(5)
 * says why it is safe: list; rely on no tombstoned pack; send data packs and their index,
 * metadata packs and their index, the root as pending; list again, and if a pack that the root
 * relies on was tombstoned, send those chunks again in new packs and list again; then put the
 * root as confirmed.
 *
 *	MlvPush push = {.remote = remote, .wanted = root, .source = mlv_store_source(store), ...};
 *	MlvPushResult result;
 *	if (!mlv_push(&push, &result, error)) ...
 *
 * A push that was interrupted is run again: packs that it sent are found by a journal in the
 * remote's cache directory and not sent twice. Belongs to the main thread; compression runs in
 * workers.
 */
#ifndef MLV_STORAGE_PUSH_H
#define MLV_STORAGE_PUSH_H

#include "storage/remote.h"

/* The local packs. `locate` is called in the thread that called mlv_push; `open_pack` in others
 * too, at the same time. */
typedef struct {
	/* Where the chunk lies here: a pack's name, and its entry there. *found FALSE: nowhere. */
	gboolean (*locate)(MlvKind kind, const MlvId *id, gboolean *found, MlvId *pack,
			   MlvPackEntry *entry, gpointer user, GError **error);
	/* A descriptor of that pack, which the caller closes; -1 with *error. */
	int (*open_pack)(const MlvId *pack, gpointer user, GError **error);
	gpointer user;
} MlvPushProvider;

typedef struct {
	MlvRemote *remote;
	const MlvRoot *
		wanted; /* repository, clone, and the commits that are pushed with what they need */
	MlvRootKeep keep; /* which entries of this clone's earlier roots stay (NULL: all) */
	gpointer keep_user;
	MlvSource *
		/* local: where the metadata of what is wanted is read; the remote's is read
		 * where it lacks */
		source;
	MlvPushProvider provider;
	const char *temp_dir; /* for packs that are written anew; on disk, some hundred MiB */
	int level; /* zstd level for raw chunks that look compressible; 0: send as they lie here */
	gboolean verify;  /* hash every chunk before it is sent */
	gboolean dry_run; /* only say what would be sent */
	/* write the list for readers over plain HTTP (storage/published.h); where there is one it
	 * is kept in any case */
	gboolean publish;
	/* Trust nothing but indexes, and packs that are listed with the right length: what files
	 * that vanished from the remote took with them is sent again. */
	gboolean recheck;
	void (*progress)(guint64 done, guint64 total,
			 gpointer user); /* bytes of chunks; may be NULL */
	void (*waiting)(gpointer user);  /* for a lock; may be NULL */
	gpointer user;
} MlvPush;

typedef struct {
	gboolean up_to_date; /* nothing was, or would be, changed on the remote */
	guint64 packs;       /* sent, or with dry_run to be sent */
	guint64 whole_packs; /* of these, local packs that went as they were */
	guint64 chunks;
	guint64 bytes;  /* of chunks, as they lie here */
	guint64 reused; /* chunks in packs that an interrupted push had sent */
	guint rounds;   /* 1, and one more each time that a gc was in the way */
	/* With recheck: */
	guint64 checked;    /* chunks that were looked for */
	guint64 packs_lost; /* that indexes name, and that are not there or cut short */
	/* Chunks that only earlier pushes of this clone need and that are at neither place. */
	guint64 chunks_lost;
} MlvPushResult;

/* A chunk that is neither here nor there is MLV_ERROR_MISSING, and named. */
gboolean mlv_push(const MlvPush *push, MlvPushResult *result, GError **error);

/* Seconds. A push that takes longer begins anew; a confirmed root older than the second is put
 * anew even if nothing changed, so that nobody's gc finds it past its grace while somebody
 * relies on it. */
#define MLV_PUSH_MAX_AGE (30 * 24 * 60 * 60)
#define MLV_ROOT_REFRESH (24 * 60 * 60)

#endif
