/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `mlv rm` does: data, pointer and ignore line go together, staged. Nothing goes that no
 * store has, unless forced. Main thread.
 */
#ifndef MLV_CORE_REMOVE_H
#define MLV_CORE_REMOVE_H

#include "core/checkout.h"
#include "core/local.h"
#include "core/select.h"

typedef struct {
	MlvLocal *local;
	GPtrArray *selected; /* MlvSelected */
	MlvCheckout
		*whole; /* the plan for whole targets; NULL if the data stays or none is whole */
	MlvCheckout *parts; /* and for parts of tracked directories; or NULL */
	MlvPathspec *paths; /* of the parts */
	gboolean keep_data; /* --cached */
} MlvRemoval;

/* Plans. `selected` (of MlvSelected *) is borrowed until the removal is freed; `options` gives
 * all but paths and exact. With `keep_data` only pointers and ignore lines go, and parts are
 * refused. */
MlvRemoval *mlv_removal_new(MlvLocal *local, GPtrArray *selected, gboolean keep_data,
			    const MlvCheckoutOptions *options, GError **error);
/* As mlv_checkout_check, of both plans. */
gboolean mlv_removal_check(MlvRemoval *removal, GError **error);
/* Removes the data, then stages the whole targets' pointers away. Those of which parts went are
 * in need of mlv_track_add() with a local opened anew. */
gboolean mlv_removal_apply(MlvRemoval *removal, GError **error);
/* The paths of the parts, NULL-terminated and borrowed; free the array with g_ptr_array_unref. */
GPtrArray *mlv_removal_parts(const MlvRemoval *removal);
void mlv_removal_free(MlvRemoval *removal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvRemoval, mlv_removal_free)

#endif
