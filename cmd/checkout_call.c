/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/checkout_call.h"

#include "cmd/session.h"

static MlvCheckout *new_checkout(MlvCheckoutCall *call, GError **error)
{
	MlvCheckoutOptions options;

	if (!mlv_cmd_checkout_options(call->cmd, call->local, &options, error))
		return NULL;
	options.paths = call->paths;
	options.force = call->opt->force;
	if (call->rev)
		options.advice = "mlv fetch REV";
	return mlv_checkout_new(&options);
}

MlvCheckout *mlv_checkout_call_plan(MlvCheckoutCall *call, const GPtrArray *wanted,
				    const GPtrArray *base, GError **error)
{
	/* a plain one brings what was imported; of what was brought in parts, those parts */
	if (!call->rev && !call->paths)
		mlv_partial_forget_unbrought(call->local->partial);
	g_autoptr(MlvCheckout) checkout = new_checkout(call, error);

	if (!checkout || !mlv_checkout_pointers(checkout, wanted, base, error) ||
	    !mlv_cmd_checkout_plan(call->cmd, checkout, error))
		return NULL;
	return g_steal_pointer(&checkout);
}

gboolean mlv_checkout_call_check(MlvCheckoutCall *call, MlvCheckout *checkout, GError **error)
{
	return mlv_cmd_checkout_check(call->cmd, call->local->repo, checkout, error);
}

gboolean mlv_checkout_call_tell(MlvCheckoutCall *call, MlvCheckout *checkout, GError **error)
{
	MlvCheckoutTotals totals;

	mlv_checkout_totals(checkout, &totals);
	if (call->unreadable ||
	    (call->opt->dry_run && (totals.conflicts > 0 || totals.missing > 0)))
		call->cmd->status = MLV_EXIT_CHECK;
	if (call->opt->json) {
		json_t *document = mlv_json_new(call->cmd);

		if (call->rev) {
			char hex[MLV_OID_HEX + 1];
			mlv_oid_format(&call->commit, hex);
			mlv_json_set_text(document, "revision", hex);
		}
		mlv_json_set_bool(document, "dry_run", call->opt->dry_run);
		if (!mlv_cmd_checkout_json(checkout, document, call->opt->dry_run, error)) {
			json_decref(document);
			return FALSE;
		}
		return mlv_json_print(call->cmd, document, error);
	}
	if (call->opt->dry_run)
		return mlv_cmd_checkout_print(call->cmd, call->local->repo, checkout, error);
	mlv_cmd_checkout_note(call->cmd, checkout);
	return TRUE;
}

gboolean mlv_checkout_call_reopen(MlvCheckoutCall *call, GError **error)
{
	mlv_local_close(call->local);
	call->local = mlv_cmd_open_local(call->cmd, error);
	return call->local != NULL;
}

gboolean mlv_checkout_call_check_paths(MlvCheckoutCall *call, const GPtrArray *pointers,
				       const char *where, GError **error)
{
	for (guint i = 0; i < pointers->len; i++) {
		const MlvTracked *tracked = pointers->pdata[i];
		if (mlv_pathspec_may_match_below(call->paths, tracked->path))
			return TRUE;
	}
	return mlv_fail(error, MLV_ERROR_MISSING,
			"no tracked data at these paths%s%s; 'mlv status' and 'mlv ls' show "
			"what there is",
			where ? " in " : "", where ? where : "");
}
