/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What data take up: as files, in the store, and together with others.
 *
 *	g_autoptr(MlvUsage) usage = mlv_usage_new(store);
 *	mlv_usage_claim(usage, refs, n, error) for each one who needs something
 *	mlv_usage_measure(usage, refs, n, &sizes, error)
 *
 * Memory: about 150 bytes an object of what is measured. Main thread.
 */
#ifndef MLV_CORE_USAGE_H
#define MLV_CORE_USAGE_H

#include "storage/store.h"

typedef struct {
	guint64 stored;        /* bytes in packs, each object once, as stored */
	guint64 shared;        /* of these: objects that more than one claim needs */
	guint64 missing;       /* objects that are not here */
	guint64 missing_bytes; /* file bytes in them */
	gboolean incomplete;   /* directories are among them: more may be missing below */
} MlvUsageSizes;

typedef struct MlvUsage MlvUsage;

/* `store` (borrowed) may be NULL: nothing is here. */
MlvUsage *mlv_usage_new(MlvStore *store);
void mlv_usage_free(MlvUsage *usage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvUsage, mlv_usage_free)

/* Says that one and the same needs all that `count` references name. Before measuring. */
gboolean mlv_usage_claim(MlvUsage *usage, const MlvRef *refs, gsize count, GError **error);
/* Sums up what the references need, each object once. */
gboolean mlv_usage_measure(MlvUsage *usage, const MlvRef *refs, gsize count, MlvUsageSizes *sizes,
			   GError **error);

#endif
