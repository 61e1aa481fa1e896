/* SPDX-License-Identifier: Apache-2.0 */
/* What storage/fetch*.c share. */
#ifndef MLV_STORAGE_FETCH_PRIVATE_H
#define MLV_STORAGE_FETCH_PRIVATE_H

#include "storage/fetch.h"
#include "storage/remote_private.h"

#define MLV_FETCH_RANGE (4u << 20) /* bytes of a joined range, at most */

/* One request. */
typedef struct {
	guint first, count;     /* of Fetch.wants */
	guint64 offset, length; /* in the pack */
	gboolean whole;
	guint tries;
} FetchUnit;

typedef struct {
	MlvRemote *remote;
	const MlvFetchSink *sink;
	const MlvFetchOptions *options;
	MlvFetchResult *result;
	GArray *wants;       /* RemoteWant, by place */
	GArray *units;       /* FetchUnit */
	GArray *again;       /* guint: units to be fetched again */
	GArray *gone;        /* MlvChunkKey: in packs that are not there any more */
	guint64 done, total; /* bytes */
} Fetch;

/* Adds ranges for the wants of a whole pack that could not be had whole. */
void mlv_fetch_split(Fetch *fetch, const FetchUnit *unit);

/* Fetches all units, hands what arrived to the sink. */
gboolean mlv_fetch_run(Fetch *fetch, GError **error);

#endif
