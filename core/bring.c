/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bring.h"

#include "core/git_tree.h"

gboolean mlv_bring_workspace(const MlvCheckoutOptions *options, MlvCheckoutTotals *totals, GError **error)
{
	g_autoptr(GPtrArray) pointers = mlv_git_pointers_in_workspace(options->repo, FALSE, error);
	g_autoptr(MlvCheckout) checkout = mlv_checkout_new(options);

	if (!pointers)
		return FALSE;
	for (guint i = 0; i < pointers->len; i++) {
		const MlvTracked *tracked = pointers->pdata[i];

		if (!mlv_pathspec_may_match_below(options->paths, tracked->path))
			continue;
		if (tracked->error) {
			g_propagate_error(error, g_error_copy(tracked->error));
			g_prefix_error(error, "'%s%s': ", tracked->path, MLV_POINTER_SUFFIX);
			return FALSE;
		}
		if (!mlv_checkout_target(checkout, tracked->path, &tracked->pointer, NULL, error))
			return FALSE;
	}
	if (!mlv_checkout_plan(checkout, error) || !mlv_checkout_check(checkout, error) ||
	    !mlv_checkout_apply(checkout, error))
		return FALSE;
	mlv_checkout_totals(checkout, totals);
	return TRUE;
}
