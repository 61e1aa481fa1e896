/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking a local store: every byte of every pack and index, packs and indexes against each other,
 * and mending what can be mended from the packs alone. What the objects mean is not looked at.
 *
 *	g_autoptr(MlvStore) store = mlv_store_open_damaged(path, waiting, user, error);
 *	g_autoptr(MlvCheck) check = mlv_check_new(store, &options);
 *	if (mlv_check_run(check, &result, error) && result.faults && repair)
 *		mlv_check_repair(check, put, user, &mended, error);      (exclusive lock)
 *
 * A pack that no index names and temporary files are what a killed process leaves: counted, no
 * faults. Main thread only; callbacks come in it.
 */
#ifndef MLV_STORAGE_CHECK_H
#define MLV_STORAGE_CHECK_H

#include <signal.h>

#include "storage/store.h"

typedef enum {
	MLV_FAULT_FORMAT,  /* the store's format file */
	MLV_FAULT_INDEX,   /* an index file is damaged */
	MLV_FAULT_GONE,    /* an index names a pack that is not there */
	MLV_FAULT_ENTRIES, /* an index says something else of a pack than its table */
	MLV_FAULT_PACK,    /* a pack's header, padding, table or footer is damaged */
	MLV_FAULT_OBJECT,  /* a chunk in a pack is damaged */
} MlvFaultKind;

typedef struct {
	MlvFaultKind kind;
	const char *file; /* in the store: "packs/ab/....pack" */
	gboolean has_object;
	MlvKind object_kind;
	MlvId object;
	const char *message; /* the whole of it, for people */
} MlvFault;

typedef struct {
	guint threads;                                       /* 0: one a core */
	gboolean sync;                                       /* of what a repair writes */
	const volatile sig_atomic_t *cancel;                 /* may be NULL */
	void (*found)(const MlvFault *fault, gpointer user); /* each fault as it is found */
	void (*progress)(guint64 bytes, guint64 total,
			 gpointer user); /* so many bytes more of so many; may be NULL */
	gpointer user;
} MlvCheckOptions;

typedef struct {
	guint64 packs, pack_bytes;
	guint64 indexes;
	guint64 objects; /* chunks in packs */
	guint64 faults;
	guint64 unindexed; /* packs that no index names */
	guint64 strays;    /* files in packs/ that are no packs */
} MlvCheckResult;

typedef struct MlvCheck MlvCheck;
MlvCheck *mlv_check_new(MlvStore *store, const MlvCheckOptions *options);
/* FALSE only if the store cannot be checked at all, or was cancelled. */
gboolean mlv_check_run(MlvCheck *check, MlvCheckResult *result, GError **error);
/* After run: whether the chunk lies in a pack that no index names, so that a repair brings it
 * back. */
gboolean mlv_check_in_unindexed(const MlvCheck *check, MlvKind kind, const MlvId *id);
/* After run: whether all copies of the chunk that indexes name are known to be damaged. */
gboolean mlv_check_is_damaged(const MlvCheck *check, MlvKind kind, const MlvId *id);

/* Gives the raw bytes of a chunk from elsewhere (a remote, the work tree), or NULL; they are
 * checked. */
typedef GBytes *(*MlvCheckFetch)(MlvKind kind, const MlvId *id, gpointer user);

typedef struct {
	guint64 packs_aside; /* moved to damaged/ */
	guint64 rescued;     /* chunks copied out of them */
	guint64 fetched;     /* chunks that came from elsewhere */
	guint64 lost;        /* chunks that no good copy was found of */
	gboolean indexes;    /* the indexes were made anew */
} MlvCheckMended;

/* After run, with the lock held exclusively: mends what was found. Good chunks of damaged packs are
 * copied to new ones, damaged chunks asked of `fetch` (may be NULL), new indexes made from the
 * packs' tables, damaged packs moved to damaged/. A kill at any instant leaves a store that can be
 * repaired again. The store is refreshed after. */
gboolean mlv_check_repair(MlvCheck *check, MlvCheckFetch fetch, gpointer user,
			  MlvCheckMended *mended, GError **error);
/* After repair: whether the chunk is one that no good copy was found of. */
gboolean mlv_check_is_lost(const MlvCheck *check, MlvKind kind, const MlvId *id);

void mlv_check_free(MlvCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvCheck, mlv_check_free)

#endif
