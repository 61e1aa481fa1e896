/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as YAML: whatever is accepted is the same value when written and read again; an
 * edit of it is what was asked for, or refused. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/yaml_edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void check_written(const MlvValue *value)
{
	g_autofree char *flow = mlv_yaml_flow(value);
	g_autofree char *block = mlv_yaml_block(value, 2);
	g_autoptr(MlvValue) again = mlv_yaml_parse(flow, strlen(flow), "flow", NULL);
	g_autoptr(MlvValue) same = mlv_yaml_parse(block, strlen(block), "block", NULL);

	if (!again || !same || !mlv_value_equal(value, again) || !mlv_value_equal(value, same))
		abort();
}

static void check_edit(const char *data, size_t length, const char *key)
{
	g_autoptr(MlvYamlEdit) edit = mlv_yaml_edit_new(data, length, "fuzz", NULL);
	g_autoptr(MlvValue) value = mlv_value_new_string("new: 'value'");
	const char *const keys[] = { key, NULL }, *const inner[] = { key, "a", "b", NULL };

	if (mlv_yaml_edit_set_keys(edit, inner, value, MLV_EDIT_CREATE, NULL) &&
	    !mlv_value_equal(
		    mlv_value_get(mlv_value_get(mlv_value_get(mlv_yaml_edit_root(edit), key), "a"),
				  "b"),
		    value))
		abort();
	if (mlv_yaml_edit_remove_keys(edit, keys, NULL) &&
	    mlv_value_get(mlv_yaml_edit_root(edit), key))
		abort();
	mlv_yaml_edit_set_keys(edit, keys, value, MLV_EDIT_CREATE, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvValue) value = mlv_yaml_parse((const char *)data, length, "fuzz", &error);

	if (!value != !!error)
		abort();
	if (!value)
		return 0;
	if (value->weight < 10000)
		check_written(value);
	if (value->type == MLV_VALUE_MAP && value->weight < 10000) {
		for (gsize i = 0; i < MIN(value->length, 3); i++)
			check_edit((const char *)data, length, value->entries[i].key->text);
		check_edit((const char *)data, length, "absent");
	}
	return 0;
}
