/* SPDX-License-Identifier: Apache-2.0 */
/* New packs made of chunks of local ones: stored bytes are copied, raw ones compressed where
 * that pays. */
#ifndef MLV_STORAGE_PUSH_BUILD_H
#define MLV_STORAGE_PUSH_BUILD_H

#include "storage/pool.h"
#include "storage/push_private.h"

typedef struct {
	PushState *state;
	MlvClass pack_class;
	guint at, end;      /* of state->chunks, still to be packed */
	guint at_start;     /* where it began */
	const guint8 *skip; /* a flag a local pack: its chunks are not ours; borrowed */
	guint32 open;       /* local pack that fd is of */
	int fd;
	MlvPool *pool; /* NULL: nothing to compute, or too little to be worth threads */
	gboolean decided;
} PushBuild;

void mlv_push_build_init(PushBuild *build, PushState *state, MlvClass pack_class);
void mlv_push_build_clear(PushBuild *build);

/* The next pack of about MLV_PACK_TARGET bytes in a temporary file, and what is in it; *temp
 * NULL when no chunks are left. The caller frees *temp and *entries. */
gboolean mlv_push_build_next(PushBuild *build, MlvTemp **temp, MlvIndexPack *pack,
			     MlvPackEntry **entries, gsize *count, guint64 *bytes, GError **error);

/* Hashes every byte of a pack; the first fault is the error. */
gboolean mlv_push_verify_pack(int fd, const MlvId *name, const char *label, GError **error);

#endif
