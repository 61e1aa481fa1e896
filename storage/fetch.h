/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing chunks from a remote: whole packs where most of one is wanted, joined ranges
 * elsewhere. Every byte is hashed, in workers, before it is handed on; what comes damaged is
 * fetched again.
 *
 *	MlvFetchSink sink = {.temp = my_temp, .pack = my_pack, .chunk = my_chunk, .user = writer};
 *	MlvFetchResult result;
 *	if (!mlv_fetch(remote, keys, n, &sink, &options, &result, error)) ...
 *
 * The sink is called in the thread that called mlv_fetch, in no particular order. Memory does not
 * grow with what is fetched, save some 80 bytes a chunk for the plan.
 */
#ifndef MLV_STORAGE_FETCH_H
#define MLV_STORAGE_FETCH_H

#include "storage/file.h"
#include "storage/remote.h"

typedef struct {
	/* A temporary file for a whole pack. NULL instead of a function: no whole packs are
	 * fetched. */
	MlvTemp *(*temp)(gpointer user, GError **error);
	/* A pack that arrived whole, every byte checked. Takes ownership of both. */
	gboolean (*pack)(MlvTemp *temp, MlvPackTable *table, gpointer user, GError **error);
	/* One chunk in its stored form, checked against its id; entry->check is set,
	 * entry->offset means nothing. */
	gboolean (*chunk)(const MlvPackEntry *entry, const guint8 *stored, gpointer user,
			  GError **error);
	gpointer user;
} MlvFetchSink;

typedef struct {
	guint threads;    /* that hash; 0: one a core */
	gboolean dry_run; /* only plan: the result says what would be fetched */
	void (*progress)(guint64 done, guint64 total,
			 gpointer user); /* bytes of requests; may be NULL */
	gpointer user;
} MlvFetchOptions;

typedef struct {
	guint64 packs;  /* whole ones */
	guint64 chunks; /* that were wanted */
	guint64 bytes;  /* asked for, gaps between joined ranges included */
} MlvFetchResult;

/* Fetches the chunks, each once even if it is named twice. One that the remote does not have is
 * MLV_ERROR_MISSING, one that is damaged there MLV_ERROR_CORRUPT; both are named. The remote
 * must have been refreshed. */
gboolean mlv_fetch(MlvRemote *remote, const MlvChunkKey *keys, gsize count,
		   const MlvFetchSink *sink, const MlvFetchOptions *options, MlvFetchResult *result,
		   GError **error);

#endif
