/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as mlv.lock, taken apart block by block: whatever a reader of the whole takes for a
 * good stage is a step, and a second reading finds the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/lineage/steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static gboolean has_step(const MlvSteps *steps, const GArray *numbers, const char *name)
{
	for (guint i = 0; i < numbers->len; i++)
		if (strcmp(mlv_steps_get(steps, g_array_index(numbers, guint, i))->block->name,
			   name) == 0)
			return TRUE;
	return FALSE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	const char *text = (const char *)data;
	g_autoptr(MlvSteps) steps = mlv_steps_new();
	g_autoptr(GArray) numbers = mlv_steps_read(steps, "sub", text, length, "fuzz");
	guint count = mlv_steps_count(steps);
	g_autoptr(GArray) again = mlv_steps_read(steps, "sub", text, length, "fuzz");
	g_autoptr(MlvLock) lock = mlv_lock_parse("sub", text, length, "fuzz", NULL);
	g_autoptr(GPtrArray) names = lock ? mlv_lock_names(lock) : NULL;

	if (mlv_steps_count(steps) != count || again->len != numbers->len)
		abort();
	for (guint i = 0; names && !mlv_lock_has_conflicts(lock) && i < names->len; i++)
		if (!mlv_lock_get(lock, names->pdata[i])->conflict &&
		    !has_step(steps, numbers, names->pdata[i]))
			abort();
	return 0;
}
