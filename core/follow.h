/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the git hooks do: data follow the pointers that git moves, and go before the commits that
 * git pushes. Main thread.
 */
#ifndef MLV_CORE_FOLLOW_H
#define MLV_CORE_FOLLOW_H

#include "core/checkout.h"
#include "core/local.h"
#include "core/sync.h"

/* Brings the data in line with the pointer files after git has moved from one commit to what is
 * checked out now (`from` NULL: not known): targets that `from` had and that are tracked no more
 * are removed. Unsaved data are never touched; those in targets that `from` has as they are now are
 * carried along, others are an error. */
gboolean mlv_follow_checkout(const MlvCheckoutOptions *options, const MlvOid *from,
			     MlvCheckoutTotals *totals, GError **error);

/* What the rebase that ends just now stood on before its own commits came: till then the data have
 * followed. FALSE where that is not known. */
gboolean mlv_follow_rebased_onto(MlvRepo *repo, MlvOid *onto);

/* One line of a pre-push hook's input. */
typedef struct {
	MlvOid local;  /* zero: the ref is deleted */
	MlvOid remote; /* zero: the ref is new there */
} MlvPushedRef;

/* Parses the input of a pre-push hook, of MlvPushedRef; lines that are none are
 * MLV_ERROR_CORRUPT. */
GArray *mlv_follow_parse_refs(const char *input, GError **error);

/* Adds to the selection the commits that git is about to push to its remote `git_remote`: what
 * the refs there are known to have is left out. */
gboolean mlv_follow_select(MlvSelection *selection, MlvRepo *repo, const char *git_remote,
			   const GArray *refs, GError **error);

#endif
