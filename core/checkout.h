/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing data into the work tree: first a plan (what to write, keep, remove, and what stands
 * in the way), then its execution. Nothing in the work tree changes before mlv_checkout_apply().
 *
 *	MlvCheckoutOptions options = { .repo = repo, .store = store, .cache = cache, ... };
 *	g_autoptr(MlvCheckout) checkout = mlv_checkout_new(&options);
 *	mlv_checkout_target(checkout, "data/images", &wanted, &base, error) ...
 *	mlv_checkout_plan(checkout, error);
 *	mlv_checkout_check(checkout, error);    unsaved data, missing objects, no room: refused
 *	mlv_checkout_apply(checkout, error);
 *
 * What is on disk may be overwritten or removed if the store has it; all else is unsaved and
 * refused unless `force`. The base says which files a version brought: one that neither version
 * has stays where it is; with `force` it is removed from a directory that is wanted. What
 * .mlvignore leaves out is never touched. After a kill at any moment the same can be run again.
 *
 * Main thread only, but for the callback `progress`.
 */
#ifndef MLV_CORE_CHECKOUT_H
#define MLV_CORE_CHECKOUT_H

#include <signal.h>

#include "core/git_tree.h"
#include "core/partial.h"
#include "core/pathspec.h"
#include "core/statcache.h"
#include "storage/store.h"

typedef struct MlvCheckout MlvCheckout;

typedef struct {
	MlvRepo *repo;
	MlvStore *store;
	MlvStatCache *cache;
	MlvPartial *partial;      /* changed and saved by apply */
	const MlvPathspec *paths; /* only these; NULL: all that is expected here */
	gboolean force;
	/* Of targets that are to go, files that no version has are to go too; folders above
	 * what `paths` means stay. */
	gboolean exact;
	const char *advice; /* what brings missing objects; NULL: "mlv pull" */
	guint threads;      /* 0: one a core */
	const volatile sig_atomic_t *cancel;
	/* So much more was hashed, copied or cloned. Any thread. May be NULL. */
	void (*progress)(guint64 bytes, guint64 files, gpointer data);
	gpointer data;
} MlvCheckoutOptions;

/* What the options name is borrowed until the checkout is freed. */
MlvCheckout *mlv_checkout_new(const MlvCheckoutOptions *options);
void mlv_checkout_free(MlvCheckout *checkout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvCheckout, mlv_checkout_free)

/* Adds a target. wanted NULL: it is to go. base NULL: not known what the work tree held; the
 * pointer that it was last brought to or stored as otherwise. Fails where the tree cannot be
 * read at all. */
gboolean mlv_checkout_target(MlvCheckout *checkout, const char *path, const MlvPointer *wanted,
			     const MlvPointer *base, GError **error);
/* The same for one as it was found, which is wanted. An output that is to be had only where it was
 * made (push: false), and is not in the store, is passed over: its stage makes it. */
gboolean mlv_checkout_tracked(MlvCheckout *checkout, const MlvTracked *wanted,
			      const MlvPointer *base, GError **error);
/* Adds a target for each pointer in `wanted`, based on the one in `base` (may be NULL), and for
 * each that is in `base` alone: that one is to go. Pointers with conflicts or errors, on either
 * side, are passed over. Both are of MlvTracked *, sorted. */
gboolean mlv_checkout_pointers(MlvCheckout *checkout, const GPtrArray *wanted,
			       const GPtrArray *base, GError **error);
/* Ends planning: what had to be hashed is, and everything is decided. */
gboolean mlv_checkout_plan(MlvCheckout *checkout, GError **error);

typedef struct {
	guint64 write_files, write_bytes;
	guint64 keep_files;
	guint64 mode_files; /* only the executable bit changes */
	guint64 remove_files;
	guint64 conflicts; /* files with unsaved data in the way */
	guint64 missing;   /* files and directories whose objects the store lacks */
	guint64 missing_bytes;
} MlvCheckoutTotals;
void mlv_checkout_totals(const MlvCheckout *checkout, MlvCheckoutTotals *totals);

typedef enum {
	MLV_CHECKOUT_WRITE,
	MLV_CHECKOUT_MODE,
	MLV_CHECKOUT_REMOVE,
	MLV_CHECKOUT_MAKE_DIRECTORY,
	MLV_CHECKOUT_REMOVE_DIRECTORY,
	MLV_CHECKOUT_CONFLICT, /* in the way */
	MLV_CHECKOUT_MISSING,  /* wanted, and not in the store */
} MlvCheckoutAction;
/* The plan, in order of targets and paths; conflicts and what is missing come last. Path is
 * relative to the root. FALSE from `each` ends it, with that result. */
typedef gboolean (*MlvCheckoutEach)(MlvCheckoutAction action, const char *path, guint64 size,
				    gpointer user, GError **error);
gboolean mlv_checkout_foreach(MlvCheckout *checkout, MlvCheckoutEach each, gpointer user,
			      GError **error);
/* Whether nothing is to be done, and nothing is in the way. */
gboolean mlv_checkout_is_idle(const MlvCheckout *checkout);
/* With options.paths: what they mean, as it is in the wanted version: of char *, no path below
 * another. Free with g_ptr_array_unref. */
GPtrArray *mlv_checkout_brought(const MlvCheckout *checkout);
/* What the store lacks: files, and directories whose tree it lacks. Of MlvRef, each once;
 * borrowed. */
const GArray *mlv_checkout_missing(const MlvCheckout *checkout);

/* Whether the plan may be carried out: MLV_ERROR_MISSING if objects are not here,
 * MLV_ERROR_EXISTS if unsaved data is in the way, MLV_ERROR_FAILED if there is no room. The
 * message names the first paths and what to do. */
gboolean mlv_checkout_check(MlvCheckout *checkout, GError **error);
/* Carries it out, renews the stat cache, and notes in `partial` what was brought. Interrupted or
 * failed, what was done stays done. To be called once. */
gboolean mlv_checkout_apply(MlvCheckout *checkout, GError **error);

#endif
