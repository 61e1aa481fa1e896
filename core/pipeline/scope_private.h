/* SPDX-License-Identifier: Apache-2.0 */
/* What the two files of templates share. */
#ifndef MLV_CORE_PIPELINE_SCOPE_PRIVATE_H
#define MLV_CORE_PIPELINE_SCOPE_PRIVATE_H

#include "core/pipeline/template.h"
#include "core/value_private.h"

/* Bytes of text that the templates of one file may become. */
#define MLV_TEMPLATE_MAX (256u << 20)

/* Counts such bytes; beyond the limit it fails at `where`. */
gboolean mlv_scope_count(const MlvScope *scope, gsize length, const MlvWhere *where,
			 GError **error);
/* Adds the names of all variables, borrowed. */
void mlv_scope_names(const MlvScope *scope, GPtrArray *names);

#endif
