/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing a YAML or JSON file and nothing else in it: comments, order, quoting, line ends and
 * blanks of all that is not named stay as they are.
 *
 *	g_autoptr(MlvYamlEdit) edit = mlv_yaml_edit_new(data, length, "params.yaml", error);
 *	mlv_yaml_edit_set(edit, "train.lr", value, MLV_EDIT_MUST_EXIST, error);
 *	const char *text = mlv_yaml_edit_text(edit, &length);
 *
 * Every change is checked by reading the new text: it must hold what was there, and the change. One
 * that cannot be made so (within an alias, say) is MLV_ERROR_UNSUPPORTED and leaves all as it was.
 * One thread.
 */
#ifndef MLV_CORE_YAML_EDIT_H
#define MLV_CORE_YAML_EDIT_H

#include "core/yaml.h"

typedef struct MlvYamlEdit MlvYamlEdit;

/* The bytes are copied. Errors as of mlv_yaml_parse(). */
MlvYamlEdit *mlv_yaml_edit_new(const char *data, gsize length, const char *label, GError **error);
void mlv_yaml_edit_free(MlvYamlEdit *edit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvYamlEdit, mlv_yaml_edit_free)

typedef enum {
	MLV_EDIT_MUST_EXIST, /* else MLV_ERROR_MISSING */
	MLV_EDIT_CREATE,     /* makes the key and the maps above it; what exists is replaced */
} MlvEditMode;

/* Sets the value at "a.b[0].c" (as mlv_value_lookup(); with CREATE the index behind a list's last
 * appends). An equal value changes nothing. */
gboolean mlv_yaml_edit_set(MlvYamlEdit *edit, const char *path, const MlvValue *value,
			   MlvEditMode mode, GError **error);
/* The same by keys that are not taken apart, NULL behind the last; of a list the index. */
gboolean mlv_yaml_edit_set_keys(MlvYamlEdit *edit, const char *const *keys, const MlvValue *value,
				MlvEditMode mode, GError **error);
/* Removes a key (or item) with its value, and the comments right above it at its indentation.
 * Absent is MLV_ERROR_MISSING. */
gboolean mlv_yaml_edit_remove(MlvYamlEdit *edit, const char *path, GError **error);
gboolean mlv_yaml_edit_remove_keys(MlvYamlEdit *edit, const char *const *keys, GError **error);

/* The document as it is now; borrowed until the next change. */
const MlvValue *mlv_yaml_edit_root(const MlvYamlEdit *edit);
const char *mlv_yaml_edit_text(const MlvYamlEdit *edit, gsize *length);
gboolean mlv_yaml_edit_changed(const MlvYamlEdit *edit);

#endif
