/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at tracked data at any revision, without checking it out: the store opened for reading,
 * and `[REV:]PATH` resolved to what lies there.
 *
 *	g_autoptr(MlvView) view = mlv_view_open(repo, NULL, NULL, error);
 *	g_autoptr(MlvSpot) spot = mlv_view_find(view, "HEAD~1:data/images/1.png", error);
 *	mlv_reader_new(mlv_view_source(view), &spot->entry.ref, ...)
 *
 * Main thread only, but for the source, which is thread safe.
 */
#ifndef MLV_CORE_VIEW_H
#define MLV_CORE_VIEW_H

#include "core/chain.h"
#include "core/git_tree.h"
#include "storage/store.h"

typedef struct MlvView MlvView;

/* A repository in which nothing was stored yet has a view too: its store is NULL and its source
 * lacks everything. `waiting` as in mlv_store_open(). The repository is borrowed. */
MlvView *mlv_view_open(MlvRepo *repo, MlvStoreWaiting waiting, gpointer user, GError **error);
/* The same over a store that the caller has open: borrowed. */
MlvView *mlv_view_new(MlvRepo *repo, MlvStore *store);
void mlv_view_close(MlvView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvView, mlv_view_close)

MlvRepo *mlv_view_repo(const MlvView *view);
MlvStore *mlv_view_store(const MlvView *view);   /* borrowed; NULL where there is none */
MlvSource *mlv_view_source(const MlvView *view); /* the store, then the fallback if one was set */
/* What is to be asked where the store lacks something (core/chain.h). Before anything is read. */
void mlv_view_set_fallback(MlvView *view, MlvChainOpen open, gpointer user,
			   GDestroyNotify free_user);

/* Where pointers are looked for. */
typedef enum {
	MLV_AT_NOTHING, /* no pointers at all: a branch without commits */
	MLV_AT_WORKSPACE,
	MLV_AT_INDEX,
	MLV_AT_COMMIT,
} MlvAt;

typedef struct {
	MlvAt at;
	MlvOid commit; /* MLV_AT_COMMIT */
} MlvRevision;

/* NULL is the workspace, "" the index, all else what names a commit; HEAD before the first
 * commit is MLV_AT_NOTHING. */
gboolean mlv_view_revision(MlvView *view, const char *rev, MlvRevision *revision, GError **error);
/* The pointers there, of MlvTracked *, sorted by path; of an index with conflicts our side. Free
 * with g_ptr_array_unref. */
GPtrArray *mlv_view_pointers(MlvView *view, const MlvRevision *revision, GError **error);

/* What `[REV:]PATH` names. */
typedef struct {
	char *text; /* as it was written */
	char *rev;  /* the revision's text; NULL the workspace, "" the index */
	MlvRevision revision;
	char *path;         /* relative to the root */
	GPtrArray *targets; /* of MlvTracked *: those below path, or the one that it lies in */
	gboolean folder;    /* path is a folder of git's; what follows is not set then */
	const MlvTracked *target;
	MlvTreeEntry entry; /* what path names; entry.name is the last part of path */
} MlvSpot;

/* Without REV the workspace's pointers are asked. A path that is in no tracked data is
 * MLV_ERROR_MISSING. */
MlvSpot *mlv_view_find(MlvView *view, const char *text, GError **error);
void mlv_spot_free(MlvSpot *spot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvSpot, mlv_spot_free)

/* The entry that a pointer stands for, called `name` (borrowed). */
void mlv_view_entry(const MlvPointer *pointer, const char *name, MlvTreeEntry *entry);
/* What lies at `rest` ("a/b", not "") below a target's directory; entry->name is the last part
 * of rest. Absence is success with *found FALSE; an object that is lacking on the way is
 * MLV_ERROR_MISSING. */
gboolean mlv_view_descend(MlvView *view, const MlvTracked *target, const char *rest,
			  MlvTreeEntry *entry, gboolean *found, GError **error);

/* Whether the local store has all that a file needs, or of a directory its own tree. */
gboolean mlv_view_has(MlvView *view, const MlvRef *ref, gboolean *has, GError **error);
/* Adds to an error about an object that is not here which path needs it and how to bring it.
 * Returns FALSE. */
gboolean mlv_view_advise(const char *path, GError **error);

#endif
