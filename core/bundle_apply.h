/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles in: proving that one is whole, and taking its objects into the store.
 *
 * Both read the bundle once, as a stream, and check every byte of every pack before anything of
 * it is taken. Main thread only.
 */
#ifndef MLV_CORE_BUNDLE_APPLY_H
#define MLV_CORE_BUNDLE_APPLY_H

#include <signal.h>

#include "core/bundle.h"
#include "storage/store.h"

typedef struct {
	guint threads; /* 0: one a core */
	const volatile sig_atomic_t *cancel;
	/* May be NULL: so many bytes of the bundle and chunks have been read since the
	 * beginning. */
	void (*progress)(guint64 bytes, guint64 chunks, gpointer user);
	gpointer user;
} MlvBundleReadOptions;

typedef struct {
	guint64 bytes; /* of the bundle */
	guint64 packs;
	guint64 objects; /* in the packs */
	guint64 stored;  /* bytes that the store grew by */
	guint64 lacking; /* objects of the prerequisites that the store has not */
} MlvBundleResult;

/* Checks all of a bundle. `store` (may be NULL) is asked for what the prerequisites must have;
 * what it lacks is counted in result->lacking and no error. */
gboolean mlv_bundle_verify(MlvBundleReader *reader, MlvStore *store,
			   const MlvBundleReadOptions *options, MlvBundleResult *result,
			   GError **error);

/* Takes everything that the store has not; can be run again after any end. Prerequisites that
 * the store lacks are MLV_ERROR_MISSING, before anything is stored. Damage is
 * MLV_ERROR_CORRUPT; packs before it may have been stored, which is harmless. In the end all
 * that the manifest says is needed is there. */
gboolean mlv_bundle_apply(MlvBundleReader *reader, MlvStore *store, const MlvWriteOptions *write,
			  const MlvBundleReadOptions *options, MlvBundleResult *result,
			  GError **error);

#endif
