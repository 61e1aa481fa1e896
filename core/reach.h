/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reaches data: every pointer that git or a work tree keeps, here and in the repositories that
 * share the store.
 *
 *	g_autoptr(MlvReach) reach = mlv_reach_new(repo, store);
 *	do
 *		mlv_reach_read(reach, each, user, &fresh, error);
 *	while (fresh);
 *
 * Git takes none of our locks, so something may move from where it is yet to be read to where that
 * is over; a further reading that finds nothing new says that nothing was missed. Main thread only.
 */
#ifndef MLV_CORE_REACH_H
#define MLV_CORE_REACH_H

#include "core/pointer.h"
#include "core/repo.h"
#include "storage/store.h"

typedef struct MlvReach MlvReach;

/* `store` NULL: this repository alone, with all of its work trees; else also those in the store's
 * register. */
MlvReach *mlv_reach_new(MlvRepo *repo, MlvStore *store);
void mlv_reach_free(MlvReach *reach);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvReach, mlv_reach_free)

/* Entries of the run cache that were not used since (unix seconds) do not count. All do unless this
 * is said. */
void mlv_reach_set_runs_since(MlvReach *reach, gint64 since);

/* One pointer; borrowed during the call. */
typedef struct {
	MlvPointer pointer;  /* valid if error is NULL */
	const char *path;    /* of the data */
	const char *where;   /* "commit 1a2b3c4d5e6f", "the index", "work tree '/home/a/b'" */
	const GError *error; /* why it cannot be read as a pointer, or NULL */
	GBytes *text;        /* with an error: its bytes */
} MlvReached;

typedef gboolean (*MlvReachEach)(const MlvReached *reached, gpointer user, GError **error);

/* Calls `each` once for every distinct pointer that no reading before has found; *fresh tells
 * whether there was any. A repository of the register that cannot be read is an error that says how
 * to forget it. */
gboolean mlv_reach_read(MlvReach *reach, MlvReachEach each, gpointer user, gboolean *fresh,
			GError **error);

#endif
