/* SPDX-License-Identifier: Apache-2.0 */
/* What commands that bring data into the work tree share: running a checkout with progress, and
 * telling of it. */
#ifndef MLV_CMD_CHECKOUT_TELL_H
#define MLV_CMD_CHECKOUT_TELL_H

#include "cmd/cmd.h"
#include "cmd/ui_json.h"
#include "core/checkout.h"
#include "core/local.h"

/* Options with everything from `local` and `cmd`; for mlv_checkout_new(). */
gboolean mlv_cmd_checkout_options(MlvCmd *cmd, MlvLocal *local, MlvCheckoutOptions *options,
				  GError **error);

/* Ends planning, with progress. */
gboolean mlv_cmd_checkout_plan(MlvCmd *cmd, MlvCheckout *checkout, GError **error);
/* Names what is in the way or missing on stderr, if it is much, and fails as
 * mlv_checkout_check() does. */
gboolean mlv_cmd_checkout_check(MlvCmd *cmd, MlvRepo *repo, MlvCheckout *checkout, GError **error);
/* Carries it out, with progress. */
gboolean mlv_cmd_checkout_apply(MlvCmd *cmd, MlvCheckout *checkout, GError **error);

/* "write data/x" ... to stdout, for -n. */
gboolean mlv_cmd_checkout_print(MlvCmd *cmd, MlvRepo *repo, MlvCheckout *checkout, GError **error);
/* A line on stderr about what was done. */
void mlv_cmd_checkout_note(MlvCmd *cmd, MlvCheckout *checkout);
/* Sets "written", "bytes", "kept", "mode_changed" and "removed", and, with `rows`, "conflicts",
 * "missing" and the array "actions". */
gboolean mlv_cmd_checkout_json(MlvCheckout *checkout, json_t *document, gboolean rows,
			       GError **error);
/* Warns of pointers that cannot be read; TRUE if there are some. */
gboolean mlv_cmd_checkout_warn(MlvCmd *cmd, MlvRepo *repo, const GPtrArray *pointers,
			       const MlvPathspec *paths);

#endif
