/* SPDX-License-Identifier: Apache-2.0 */
/* Why a stage runs, in words. */
#include "core/pipeline/decide.h"

static const struct {
	const char *name, *text; /* %s is what it is about */
} reasons[] = {
	[MLV_REASON_FORCED] = { "forced", "it was asked for by force" },
	[MLV_REASON_NEVER] = { "never-run", "it has not run before" },
	[MLV_REASON_CONFLICT] = { "conflict", "a merge left two versions of it in its lock" },
	[MLV_REASON_ALWAYS] = { "always-changed", "it is to run always (always_changed)" },
	[MLV_REASON_NO_INPUTS] = { "no-inputs", "it has neither dependencies nor outputs" },
	[MLV_REASON_CMD] = { "cmd-changed", "its command has changed" },
	[MLV_REASON_DEP_NEW] = { "dep-new", "'%s' is a new dependency" },
	[MLV_REASON_DEP_GONE] = { "dep-gone", "'%s' is a dependency no more" },
	[MLV_REASON_DEP_CHANGED] = { "dep-changed", "dependency '%s' has changed" },
	[MLV_REASON_DEP_MISSING] = { "dep-missing", "dependency '%s' is missing" },
	[MLV_REASON_DEP_MADE] = { "dep-made", "dependency '%s' will be made anew" },
	[MLV_REASON_PARAM_NEW] = { "param-new", "parameter '%s' is new" },
	[MLV_REASON_PARAM_GONE] = { "param-gone", "parameter '%s' is one no more" },
	[MLV_REASON_PARAM_CHANGED] = { "param-changed", "parameter '%s' has changed" },
	[MLV_REASON_OUT_NEW] = { "out-new", "'%s' is a new output" },
	[MLV_REASON_OUT_MISSING] = { "out-missing", "output '%s' is missing" },
	[MLV_REASON_OUT_CHANGED] = { "out-changed", "output '%s' is not as it was made" },
};

void mlv_reason_free(MlvReason *reason)
{
	if (!reason)
		return;
	g_free(reason->what);
	g_free(reason->old);
	g_free(reason->new);
	g_free(reason);
}

const char *mlv_reason_name(MlvReasonType type)
{
	return reasons[type].name;
}

char *mlv_reason_text(const MlvReason *reason)
{
	g_auto(GStrv) around = g_strsplit(reasons[reason->type].text, "%s", 2);
	GString *text = g_string_new(around[0]);

	if (around[1])
		g_string_append_printf(text, "%s%s", reason->what, around[1]);
	if (reason->old && reason->new)
		g_string_append_printf(text, ": %s -> %s", reason->old, reason->new);
	else if (reason->new)
		g_string_append_printf(text, ": %s", reason->new);
	return g_string_free(text, FALSE);
}
