/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading YAML 1.2 with the core schema: what DVC's users expect of params.yaml and dvc.yaml. Home
 * of libfyaml.
 *
 *	g_autoptr(MlvValue) root = mlv_yaml_parse(data, length, "sub/dvc.yaml", error);
 *
 * true/True/TRUE are bools and yes/no/on/off strings; ints are decimal, 0o17 and 0x1f; 1e-3 is a
 * float; dates are strings. Anchors, aliases and merge keys ('<<') work. A file whose name ends in
 * ".json" is read as JSON. All functions are thread safe.
 */
#ifndef MLV_CORE_YAML_H
#define MLV_CORE_YAML_H

#include "core/value.h"

#define MLV_YAML_MAX        (32u << 20) /* bytes of a file */
#define MLV_YAML_WEIGHT_MAX (4u << 20)  /* values in a file, aliases counted wherever they stand */

/* The file's only document; an empty file is null. MLV_ERROR_CORRUPT, at its place, for whatever is
 * wrong: syntax, a key twice, no UTF-8, NUL, a second document, nested deeper than
 * MLV_VALUE_DEPTH_MAX, an alias that blows up or lies within its own anchor, a tag that is not the
 * core schema's, a key that is a list or map. `label` names it in messages and places. */
MlvValue *mlv_yaml_parse(const char *data, gsize length, const char *label, GError **error);

/* What one word of the command line means as a value: "0.1", "[1, 2]", "abc"; "" is an empty
 * string. MLV_ERROR_USAGE if it is not YAML. */
MlvValue *mlv_yaml_parse_word(const char *word, GError **error);

/* Whether a file of this name can be read here: *.toml and *.py are MLV_ERROR_UNSUPPORTED with the
 * reason and what to do. */
gboolean mlv_yaml_check_name(const char *path, GError **error);

/* On one line: a plain or quoted scalar, or a list or map in brackets. Caller frees. */
char *mlv_yaml_flow(const MlvValue *value);
/* In block style, each line indented by `indent` blanks and ended; a scalar or an empty list or map
 * is one line. Caller frees. */
char *mlv_yaml_block(const MlvValue *value, guint indent);

#endif
