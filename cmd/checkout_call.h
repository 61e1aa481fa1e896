/* SPDX-License-Identifier: Apache-2.0 */
/* What the forms of `mlv checkout` share. */
#ifndef MLV_CMD_CHECKOUT_CALL_H
#define MLV_CMD_CHECKOUT_CALL_H

#include "cmd/checkout_tell.h"

typedef struct {
	gboolean force, dry_run, json;
} MlvCheckoutFlags;

typedef struct {
	MlvCmd *cmd;
	MlvLocal *local;
	const MlvCheckoutFlags *opt;
	const char *rev;     /* as it was written; NULL: none */
	MlvOid commit;       /* of rev */
	MlvPathspec *paths;  /* NULL: none were named */
	gboolean unreadable; /* a pointer was */
} MlvCheckoutCall;

/* A plan for these pointers (of MlvTracked *; either may be NULL), all decided. */
MlvCheckout *mlv_checkout_call_plan(MlvCheckoutCall *call, const GPtrArray *wanted,
				    const GPtrArray *base, GError **error);
/* Whether it may be carried out. */
gboolean mlv_checkout_call_check(MlvCheckoutCall *call, MlvCheckout *checkout, GError **error);
/* Tells the result, done or (with -n) planned. */
gboolean mlv_checkout_call_tell(MlvCheckoutCall *call, MlvCheckout *checkout, GError **error);
/* Opens call->local, or opens it anew: then stat cache and partial record are read as they are
 * now. */
gboolean mlv_checkout_call_reopen(MlvCheckoutCall *call, GError **error);
/* Every path that was named must mean something among these pointers; `where` (may be NULL) is
 * the revision. */
gboolean mlv_checkout_call_check_paths(MlvCheckoutCall *call, const GPtrArray *pointers,
				       const char *where, GError **error);

/* `mlv checkout REV -- PATH...` and `mlv checkout REV`. */
gboolean mlv_checkout_call_paths(MlvCheckoutCall *call, GError **error);
gboolean mlv_checkout_call_switch(MlvCheckoutCall *call, GError **error);

#endif
