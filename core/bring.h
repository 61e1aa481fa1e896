/* SPDX-License-Identifier: Apache-2.0 */
/* The work tree brought in line with its pointer files: what `mlv pull` and the hooks do after objects are here. */
#ifndef MLV_CORE_BRING_H
#define MLV_CORE_BRING_H

#include "core/checkout.h"

/* Plans, checks and applies a checkout of every target whose pointer file is in the work tree (of options->paths only, where given).
 * Targets whose pointer is in the index's last known state and not in the work tree are left alone. */
gboolean mlv_bring_workspace(const MlvCheckoutOptions *options, MlvCheckoutTotals *totals, GError **error);

#endif
