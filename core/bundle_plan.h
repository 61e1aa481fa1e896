/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes into a bundle: which commits, and which of the store's chunks they need.
 *
 *	g_autoptr(MlvBundlePlan) plan = mlv_bundle_plan_new(repo, store, &options, error);
 *	mlv_bundle_plan_write(plan, sink, user, &size, error);
 *
 * Memory: 8 bytes a chunk, and while the plan is made some 60 more. Main thread only.
 */
#ifndef MLV_CORE_BUNDLE_PLAN_H
#define MLV_CORE_BUNDLE_PLAN_H

#include <signal.h>

#include "core/bundle.h"
#include "core/pathspec.h"
#include "storage/store.h"

typedef struct {
	char *const *revs; /* REV, A..B or ^A; none and not `all`: HEAD */
	guint n_revs;
	char *const *since; /* what these have is left out */
	guint n_since;
	gboolean all;       /* every branch and tag, with history */
	gboolean history;   /* not only the commits named but their ancestors too */
	char *const *words; /* only what lies at these paths; none: all */
	guint n_words;
	guint threads; /* 0: one a core */
	int level;     /* zstd, for chunks that the store holds raw; 0: as they are */
	const volatile sig_atomic_t *cancel;
	/* May be NULL: a pointer in some commit cannot be read; what it names is not in the
	 * bundle. */
	void (*problem)(const char *path, const char *why, gpointer user);
	/* May be NULL: so many bytes (as stored) and chunks have been written since the
	 * beginning. */
	void (*progress)(guint64 bytes, guint64 chunks, gpointer user);
	gpointer user;
} MlvBundleOptions;

typedef struct MlvBundlePlan MlvBundlePlan;

/* Borrows all that is given. Objects that are not in the store are MLV_ERROR_MISSING, and so is a
 * repository without commits; a range that holds no commit is MLV_ERROR_FAILED. */
MlvBundlePlan *mlv_bundle_plan_new(MlvRepo *repo, MlvStore *store, const MlvBundleOptions *options,
				   GError **error);
void mlv_bundle_plan_free(MlvBundlePlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvBundlePlan, mlv_bundle_plan_free)

const MlvBundleManifest *mlv_bundle_plan_manifest(const MlvBundlePlan *plan);

/* Writes the bundle: every chunk is checked against its id on the way. Gives its size in bytes. */
gboolean mlv_bundle_plan_write(MlvBundlePlan *plan, MlvBundleSink sink, gpointer user,
			       guint64 *size, GError **error);

#endif
