/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes that change when one value of a YAML or JSON text does. What comes out need not be
 * right: yaml_edit.c reads it again. Pure.
 */
#ifndef MLV_CORE_YAML_SPLICE_H
#define MLV_CORE_YAML_SPLICE_H

#include "core/yaml.h"

typedef struct {
	const char *text;
	gsize length;
	gboolean json;
} MlvYamlSplice;

/* The text with the value that `keys` lead to set, maps made on the way; or, if `value` is NULL,
 * with its key or item removed. `root` is the text's document, NULL for an empty one. NULL if it
 * is not known how. */
GString *mlv_yaml_splice(const MlvYamlSplice *splice, const MlvValue *root, const char *const *keys,
			 const MlvValue *value);

#endif
