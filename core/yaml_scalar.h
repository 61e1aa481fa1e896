/* SPDX-License-Identifier: Apache-2.0 */
/* What a plain YAML scalar means: YAML 1.2's core schema as ruamel.yaml reads it, which is what DVC
 * reads with. Pure. */
#ifndef MLV_CORE_YAML_SCALAR_H
#define MLV_CORE_YAML_SCALAR_H

#include "core/value.h"

/* A value for the text; what is nothing else is a string. New reference. */
MlvValue *mlv_yaml_scalar(const char *text, gsize length);
/* As the type that a tag asks for; NULL if the text is not of it. */
MlvValue *mlv_yaml_scalar_as(MlvValueType type, const char *text, gsize length);

#endif
