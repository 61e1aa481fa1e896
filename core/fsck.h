/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fsck: the local store's bytes (storage/check.h), and then what the repository's pointers say
 * against the objects: that they are there, decode, are cut where the chunker cuts, and that sizes
 * and totals are right.
 *
 * An object that is not here was never fetched, or is lost. What a pointer itself names and is not
 * here was never fetched, and no fault; what an object names that is here is a fault if no
 * configured remote has it. A remote that cannot be asked is believed to have everything.
 * Main thread only; callbacks come in it.
 */
#ifndef MLV_CORE_FSCK_H
#define MLV_CORE_FSCK_H

#include "core/repo.h"
#include "storage/check.h"

/* One fault; borrowed during the call. */
typedef struct {
	const char *kind; /* "format", "index", "pack", "object", "missing", "list", "tree" ... */
	const char *file; /* in the store, or NULL */
	const char *path; /* of tracked data, or NULL */
	gboolean has_object;
	MlvKind object_kind;
	MlvId object;
	const char *message; /* the whole of it, for people */
} MlvFsckFault;

typedef struct {
	guint threads; /* 0: one a core */
	gboolean sync;
	gboolean repair; /* the store's lock is held exclusively */
	const volatile sig_atomic_t *cancel;
	void (*found)(const MlvFsckFault *fault, gpointer user);
	/* So many bytes of packs more, of so many; then (total 0) so many objects more. May be
	 * NULL. */
	void (*progress)(guint64 done, guint64 total, gpointer user);
	gpointer user;
} MlvFsckOptions;

typedef struct {
	MlvCheckResult store;
	gboolean repaired; /* a repair was done: `mended` says what */
	MlvCheckMended mended;
	guint64 pointers, trees, lists,
		blobs;    /* distinct ones looked at, as far as they are here */
	guint64 not_here; /* objects that are not here and that is no fault */
	guint64 faults;   /* found in all */
	guint64 left;     /* of these not mended */
	char *trouble;    /* why a remote could not be asked, or NULL. Owned by the caller */
} MlvFsckResult;

/* `store` comes from mlv_store_open_damaged(). Faults are no error: FALSE if the check itself could
 * not be done. */
gboolean mlv_fsck_run(MlvRepo *repo, MlvStore *store, const MlvFsckOptions *options,
		      MlvFsckResult *result, GError **error);

#endif
