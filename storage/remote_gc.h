/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collecting what no root on a remote needs, beside pushes and other gcs, without locks (where
 * the medium has some, they are taken as well). mlv-store(5) says why it is safe: list; delete
 * the roots that go; mark from those that stay; copy what is needed out of packs that are to go;
 * put an index that tombstones them; list again, mark again, copy out what any root needs from
 * any tombstoned pack; only then delete.
 *
 *	MlvRemoteGc gc = {.remote = remote, .verdict = my_policy, .grace = 14 * 86400};
 *	MlvRemoteGcResult result;
 *	if (!mlv_remote_gc(&gc, &result, error)) ...
 *
 * Belongs to the main thread. It can be killed at any point; the next one, anybody's, finishes
 * what this one began.
 */
#ifndef MLV_STORAGE_REMOTE_GC_H
#define MLV_STORAGE_REMOTE_GC_H

#include "storage/remote.h"

typedef enum {
	MLV_GC_KEEP,
	/* nobody needs it any more, as far as the caller can tell; still kept while it is
	 * young */
	MLV_GC_DROP,
	MLV_GC_FORGET, /* goes whatever its age: the user said so */
} MlvGcVerdict;

typedef struct {
	MlvRemote *remote;
	/* Whether a confirmed root stays. NULL: all do. Pending roots are kept for 31 days,
	 * unless forgotten: of these the verdict FORGET alone counts. */
	MlvGcVerdict (*verdict)(const MlvRemoteRoot *at, const MlvRoot *root, gpointer user);
	/* In a dry run: what will stand in a root's place by the time of the run (NULL: the
	 * same). May be NULL. Owned by the caller of it. */
	MlvRoot *(*instead)(const MlvRemoteRoot *at, const MlvRoot *root, gpointer user);
	gint64 grace; /* seconds: younger packs, and younger roots that are to be dropped, stay */
	gboolean dry_run;               /* only say what would be done */
	const char *temp_dir;           /* for packs that are written anew */
	void (*waiting)(gpointer user); /* for a lock; may be NULL */
	gpointer user;
} MlvRemoteGc;

typedef struct {
	guint64 roots_kept, roots_dropped;
	guint64 packs, bytes;                 /* there, before */
	guint64 packs_deleted, bytes_deleted; /* whole files */
	guint64 packs_rewritten; /* of those deleted: had chunks that are still needed */
	guint64 chunks_copied, bytes_copied; /* from these */
	guint64 packs_kept_young; /* had something to collect, but are within the grace period */
	guint64 indexes_deleted;
	/* A pending root lacks something: its push, if alive, will send that again. */
	gboolean unsettled;
} MlvRemoteGcResult;

/* MLV_ERROR_MISSING if a confirmed root needs something that is not there: nothing is deleted
 * then. */
gboolean mlv_remote_gc(const MlvRemoteGc *gc, MlvRemoteGcResult *result, GError **error);

#define MLV_TOMBSTONE_AGE (90 * 24 * 60 * 60) /* seconds that a tombstone is kept at least */
#define MLV_PENDING_AGE \
	(31 * 24 * 60 * 60) /* seconds after which a pending root's push has surely ended */
#define MLV_PENDING_TWIN_AGE \
	(24 * 60 * 60) /* seconds a pending root is kept beside its confirmed twin */

#endif
