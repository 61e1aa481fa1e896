/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the local store and a remote: what commits need is sent, fetched, or proved to be
 * there. Never git's branches. Main thread.
 *
 *	g_autoptr(MlvSync) sync = mlv_sync_open(repo, NULL, FALSE, error);
 *	g_autoptr(MlvSelection) what = mlv_selection_new(repo);
 *	mlv_selection_add_rev(what, "HEAD", FALSE, error);
 *	mlv_sync_push(sync, local, what, &options, &result, error);
 */
#ifndef MLV_CORE_SYNC_H
#define MLV_CORE_SYNC_H

#include <signal.h>

#include "core/git_tree.h"
#include "core/local.h"
#include "core/pathspec.h"
#include "core/remote_config.h"
#include "storage/remote.h"

/* --- which commits ---------------------------------------------------------------------------- */

/* A set of commits, each alone or with its history, and what their pointers name. */
typedef struct MlvSelection MlvSelection;

MlvSelection *mlv_selection_new(MlvRepo *repo);
void mlv_selection_free(MlvSelection *selection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvSelection, mlv_selection_free)

/* One commit; with `history` its ancestors too. */
gboolean mlv_selection_add_rev(MlvSelection *selection, const char *rev, gboolean history,
			       GError **error);
gboolean mlv_selection_add_commit(MlvSelection *selection, const MlvOid *commit, gboolean history);
/* Every ref that begins with `prefix` ("refs/", "refs/tags/"), with history if wanted. */
gboolean mlv_selection_add_refs(MlvSelection *selection, const char *prefix, gboolean history,
				GError **error);
/* The work tree's own pointer files, under the name of HEAD's commit if there is one. */
void mlv_selection_add_workspace(MlvSelection *selection);
/* One target more, of no commit; copied. */
void mlv_selection_add_target(MlvSelection *selection, const MlvTracked *tracked);
/* Ancestors of this commit (and itself) are known to be on the other side: histories end there. */
void mlv_selection_hide(MlvSelection *selection, const MlvOid *commit);
/* Only data at or below these paths (borrowed; NULL: all). */
void mlv_selection_set_paths(MlvSelection *selection, const MlvPathspec *paths);
const MlvPathspec *mlv_selection_paths(const MlvSelection *selection);
gboolean mlv_selection_is_empty(const MlvSelection *selection);

/* One pointer of one selected commit. `commit` NULL: of the work tree. Borrowed. */
typedef gboolean (*MlvSelectionVisit)(const MlvOid *commit, const MlvTracked *tracked,
				      gpointer user, GError **error);
gboolean mlv_selection_foreach(MlvSelection *selection, MlvSelectionVisit visit, gpointer user,
			       GError **error);

/* --- remotes ---------------------------------------------------------------------------------- */

typedef struct {
	MlvRepo *repo; /* borrowed */
	MlvRemoteConfig *config;
	MlvMedium *medium;
	MlvRemote *remote;
} MlvSync;

/* Opens the remote of that name, or the default, and lists it; with `create` makes it where there
 * is none (a directory whose parent exists), and lists nothing: a push does that. */
MlvSync *mlv_sync_open(MlvRepo *repo, const char *name, gboolean create, GError **error);
/* Opens what `config` (taken, in any case) says, past the cache: every byte comes from there. Lists
 * nothing. */
MlvSync *mlv_sync_open_config(MlvRepo *repo, MlvRemoteConfig *config, GError **error);
void mlv_sync_close(MlvSync *sync);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvSync, mlv_sync_close)

typedef struct {
	gboolean dry_run;
	gboolean recheck; /* push: trust no earlier one, look whether everything is really there */
	gboolean runs;    /* push, fetch: the run cache too, with what it names */
	guint threads;
	const volatile sig_atomic_t *cancel;
	void (*progress)(guint64 done, guint64 total, gpointer user); /* bytes; may be NULL */
	void (*waiting)(gpointer user);                               /* for a lock; may be NULL */
	gpointer user;
} MlvSyncOptions;

typedef struct {
	gboolean up_to_date;
	guint64 packs, chunks, bytes; /* moved, or with dry_run to be moved */
	/* Of a push with recheck: objects that were looked for; of those that lay in packs which no
	 * index named, the ones that are named again; packs that are gone or cut short; objects of
	 * earlier pushes that are neither here nor there. */
	guint64 checked, reused, packs_lost, lost;
} MlvSyncResult;

/* Pushes nothing, and puts this clone's root anew with those entries alone that `keep` is for.
 * For gc. */
gboolean mlv_sync_trim(MlvSync *sync, MlvLocal *local, MlvRootKeep keep, gpointer user,
		       GError **error);

gboolean mlv_sync_push(MlvSync *sync, MlvLocal *local, MlvSelection *selection,
		       const MlvSyncOptions *options, MlvSyncResult *result, GError **error);

/* What a push to a remote that does not exist yet would send. */
gboolean mlv_sync_measure(MlvLocal *local, MlvSelection *selection, MlvSyncResult *result,
			  GError **error);

/* Brings what the selection's data need and the local store lacks. With paths only what leads to
 * them and lies below. */
gboolean mlv_sync_fetch(MlvSync *sync, MlvLocal *local, MlvSelection *selection,
			const MlvSyncOptions *options, MlvSyncResult *result, GError **error);

/* Tells what of the selection's data the remote (sync) or the local store (sync NULL) lacks: each
 * missing object once, with a path that needs it. result->chunks are those that were looked at.
 * */
typedef gboolean (*MlvSyncMissing)(const char *path, MlvKind kind, const MlvId *id, gpointer user,
				   GError **error);
gboolean mlv_sync_verify(MlvSync *sync, MlvLocal *local, MlvSelection *selection,
			 MlvSyncMissing missing, gpointer user, MlvSyncResult *result,
			 GError **error);

#endif
