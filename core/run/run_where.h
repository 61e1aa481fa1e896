/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions on runs: `acc > 0.9 and (lr = 0.1 or not model ~ cnn)`.
 *
 *	expression = term { ("or" | "||") term }
 *	term       = factor { ("and" | "&&") factor }
 *	factor     = ("not" | "!") factor | "(" expression ")" | name [ operator value ]
 *	operator   = "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~"
 *
 * A name is that of a field (mlv_run_field()); alone it asks whether there is one. A value is a
 * number, a word, or in quotes. Numbers are compared by amount, all else as text; `~` asks whether
 * the text contains the value. What a run has not is neither equal, less nor more; `!=` and `!~`
 * are true then. Pure functions.
 */
#ifndef MLV_CORE_RUN_RUN_WHERE_H
#define MLV_CORE_RUN_RUN_WHERE_H

#include "core/run/run_record.h"

#define MLV_WHERE_MAX 65536u /* bytes of an expression */

typedef struct MlvRunWhere MlvRunWhere;

/* What is wrong is MLV_ERROR_USAGE and says where. */
MlvRunWhere *mlv_run_where_parse(const char *text, GError **error);
void mlv_run_where_free(MlvRunWhere *where);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvRunWhere, mlv_run_where_free)
gboolean mlv_run_where_matches(const MlvRunWhere *where, const MlvRun *run);

/* Before, equal, after (-1, 0, 1): numbers by amount and before texts, NULL behind all. */
int mlv_run_value_order(const MlvValue *a, const MlvValue *b);

#endif
