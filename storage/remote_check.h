/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking a remote: its indexes, its roots, its packs by their listing, that all that roots need
 * is there; and if asked, every byte of every pack. Nothing is changed. What a killed push or gc
 * leaves (packs that no index names, pending roots that lack something) is counted, and no fault.
 *
 *	MlvRemoteCheck check = {.remote = remote, .deep = TRUE, .temp_dir = dir, .found = my_found};
 *	MlvRemoteCheckResult result;
 *	if (mlv_remote_check(&check, &result, error) && result.faults > 0) ...
 *
 * Main thread only; callbacks come in it.
 */
#ifndef MLV_STORAGE_REMOTE_CHECK_H
#define MLV_STORAGE_REMOTE_CHECK_H

#include <signal.h>

#include "storage/remote.h"

typedef enum {
	MLV_REMOTE_FAULT_INDEX,   /* an index is damaged */
	MLV_REMOTE_FAULT_ROOT,    /* a root is damaged */
	MLV_REMOTE_FAULT_GONE,    /* an index names a pack that is not there */
	MLV_REMOTE_FAULT_SIZE,    /* a pack has another length than its index says */
	MLV_REMOTE_FAULT_ENTRIES, /* an index says something else of a pack than its table */
	MLV_REMOTE_FAULT_PACK,    /* a pack's header, padding, table or footer is damaged */
	MLV_REMOTE_FAULT_OBJECT,  /* a chunk is damaged */
	MLV_REMOTE_FAULT_MISSING, /* a confirmed root needs a chunk that is not there */
} MlvRemoteFaultKind;

typedef struct {
	MlvRemoteFaultKind kind;
	const char *file; /* on the remote: "packs/ab/....pack" */
	gboolean has_object;
	MlvKind object_kind;
	MlvId object;
	const char *message; /* the whole of it, for people */
} MlvRemoteFault;

typedef struct {
	MlvRemote *remote;
	gboolean deep;                       /* fetch and hash every pack */
	const char *temp_dir;                /* for packs while they are hashed; only with `deep` */
	guint threads;                       /* that hash; 0: one a core */
	const volatile sig_atomic_t *cancel; /* may be NULL: ends it with MLV_ERROR_CANCELLED */
	void (*found)(const MlvRemoteFault *fault, gpointer user); /* may be NULL */
	void (*progress)(guint64 done, guint64 total,
			 gpointer user); /* bytes of packs; may be NULL */
	gpointer user;
} MlvRemoteCheck;

typedef struct {
	guint64 packs, pack_bytes, indexes, roots;
	guint64 objects;    /* that confirmed roots need */
	guint64 unnamed;    /* packs that no index names */
	guint64 tombstoned; /* packs that the next gc deletes */
	guint64 pending;    /* roots of pushes under way, or dead */
	guint64 faults;
} MlvRemoteCheckResult;

/* FALSE only if the remote cannot be checked. */
gboolean mlv_remote_check(const MlvRemoteCheck *check, MlvRemoteCheckResult *result,
			  GError **error);

#endif
