/* SPDX-License-Identifier: Apache-2.0 */
/* What storage/push*.c share. */
#ifndef MLV_STORAGE_PUSH_PRIVATE_H
#define MLV_STORAGE_PUSH_PRIVATE_H

#include "storage/push.h"
#include "storage/remote_private.h"

/* A chunk that must be sent, and where it lies here. */
typedef struct {
	MlvPackEntry entry;
	guint32 pack; /* number in PushState.packs */
} PushChunk;

/* A local pack with chunks to send. */
typedef struct {
	MlvId name;
	gsize missing; /* chunks of it to send */
} PushPack;

/* What was found out about one push in one view of the remote. */
typedef struct {
	const MlvPush *push;
	MlvRemote *remote;
	MlvPushResult *result;
	gint64 started; /* by the medium's clock: the listing that all else rests on */
	MlvRoot *root;  /* what will be put */
	GBytes *root_bytes;
	MlvRootName root_name;
	MlvId confirmed;     /* a confirmed root that says what `root` does, if one was found */
	GHashTable *merged;  /* MlvId: this clone's confirmed roots that `root` takes over */
	GHashTable *trusted; /* MlvId: confirmed roots whose promise is relied on */
	GHashTable *relied;  /* MlvId: packs that are relied on */
	GArray *missing;     /* MlvChunkKey: not there, or only in packs that go */
	guint must_have;     /* of `missing`: the first so many are needed by what is pushed now */
	GArray *unnamed;     /* MlvIndexPack: packs there that no index names; with recheck */
	GArray *chunks;      /* PushChunk: the missing ones, by class, local pack and offset */
	GArray *packs;       /* PushPack */
	GArray *stale;       /* MlvId: pending roots of this clone's dead pushes, by the journal */
	guint64 total;       /* bytes of chunks to send, for the progress */
	GArray *journal;     /* JournalPack */
	GString *journal_text;
} PushState;

typedef struct {
	MlvIndexPack pack;
	gboolean used; /* some missing chunk lies in it */
	MlvPackTable *table;
} JournalPack;

GHashTable *mlv_id_set_new(void);
void mlv_id_set_add(GHashTable *set, const MlvId *id);

/* Whether so much time has passed that tombstones may have been made and forgotten since. */
gboolean mlv_push_is_too_old(const PushState *state);

/* --- push_plan.c: what is missing ------------------------------------------------------------- */

/* Makes state->root of what is wanted and what this clone has there. *up_to_date: a confirmed root
 * that is young enough says just that, and state->confirmed is its name. */
gboolean mlv_push_make_root(PushState *state, gboolean *up_to_date, GError **error);
/* Fills trusted, relied and missing. */
gboolean mlv_push_find_missing(PushState *state, GError **error);
/* Finds the missing chunks here: fills chunks and packs. */
gboolean mlv_push_locate(PushState *state, GError **error);

/* --- push_vouch.c: what confirmed roots promise below what they name ------------------------- */

typedef struct PushVouched PushVouched;

/* `names` (MlvRemoteRoot) and `roots` (MlvRoot *, or NULL) go together, both borrowed. */
PushVouched *mlv_push_vouched_new(PushState *state, const GArray *names, const GPtrArray *roots);
void mlv_push_vouched_free(PushVouched *vouched);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PushVouched, mlv_push_vouched_free)
/* Looks below what the roots name that may be like `ref`: an earlier version of it, perhaps. The
 * roots that it looks below are relied on from then on. */
gboolean mlv_push_vouched_walk(PushVouched *vouched, const MlvRef *ref, GError **error);
/* Whether the chunk was found there. It is on the remote then, with all that is below it. */
gboolean mlv_push_vouched_for(const PushVouched *vouched, const MlvChunkKey *key);

/* --- push_send.c ------------------------------------------------------------------------------ */

/* Sends the chunks of a class in packs, then their index. Adds the packs to `relied`. */
gboolean mlv_push_send(PushState *state, MlvClass pack_class, GError **error);
/* What mlv_push_send would do, into the result. */
gboolean mlv_push_count(PushState *state, MlvClass pack_class, GError **error);

/* --- push_journal.c --------------------------------------------------------------------------- */

/* Reads what an interrupted push left, tables of packs that are still there among it. */
gboolean mlv_push_journal_read(PushState *state, GError **error);
void mlv_push_journal_pack(PushState *state, const MlvIndexPack *pack);
void mlv_push_journal_pending(PushState *state);
void mlv_push_journal_drop(PushState *state);
/* Adds packs that are there and that no index names, whoever sent them. */
gboolean mlv_push_journal_adopt(PushState *state, const GArray *packs, GError **error);
/* Takes chunks that lie in such packs off the missing ones; the packs will be named by the next
 * index. */
void mlv_push_journal_reuse(PushState *state);

#endif
