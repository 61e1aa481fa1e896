/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a store has all that a reference needs, by its indexes. */
#ifndef MLV_CORE_WHOLE_H
#define MLV_CORE_WHOLE_H

#include "storage/store.h"

/* `known` (may be NULL) remembers what was found to be whole. Thread: one. */
gboolean mlv_whole(MlvStore *store, const MlvRef *ref, MlvMarks *known, gboolean *whole,
		   GError **error);

#endif
