/* SPDX-License-Identifier: Apache-2.0 */
/* What storage/remote_check*.c share. */
#ifndef MLV_STORAGE_REMOTE_CHECK_PRIVATE_H
#define MLV_STORAGE_REMOTE_CHECK_PRIVATE_H

#include "storage/remote_check.h"
#include "storage/remote_private.h"

/* An index's entry, as far as it is compared with the pack's table. */
typedef struct {
	guint32 pack; /* number in the remote */
	guint32 offset, stored;
	guint64 id; /* first bytes */
} CheckEntry;

typedef struct {
	const MlvRemoteCheck *check;
	MlvRemote *remote;
	MlvRemoteCheckResult *result;
	GArray *listed;  /* MlvIndexPack: packs/ */
	GArray *entries; /* CheckEntry by pack and offset; only with deep */
} CheckState;

/* Tells of a fault. `object` may be NULL. */
void mlv_remote_check_found(CheckState *state, MlvRemoteFaultKind kind, const char *file,
			    const MlvChunkKey *object, const char *message);

/* FALSE with *error once the check was interrupted. */
gboolean mlv_remote_check_go_on(const CheckState *state, GError **error);

/* Fetches and hashes every listed pack. */
gboolean mlv_remote_check_deep(CheckState *state, GError **error);

#endif
