/* SPDX-License-Identifier: Apache-2.0 */
/* What the two files of templates share. */
#ifndef MLV_CORE_PIPELINE_SCOPE_PRIVATE_H
#define MLV_CORE_PIPELINE_SCOPE_PRIVATE_H

#include "core/pipeline/template.h"
#include "core/value_private.h"

/* Adds the names of all variables, borrowed. */
void mlv_scope_names(const MlvScope *scope, GPtrArray *names);

#endif
