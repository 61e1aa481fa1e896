/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the readers of JSON and YAML build values. What is built here has one owner and is changed
 * only until it is handed out.
 */
#ifndef MLV_CORE_VALUE_PRIVATE_H
#define MLV_CORE_VALUE_PRIVATE_H

#include "core/value.h"

/* A scalar whose text is copied; its number or bool is still to be set. */
MlvValue *mlv_value_new_scalar(MlvValueType type, const char *text, gsize length);
/* An INT of decimal digits ("+12", "-007"), `text` is what was written. */
MlvValue *mlv_value_new_decimal(const char *text, gsize length);
/* Says where a value stands: `file` a GRefString, of which a reference is taken. */
void mlv_value_set_where(MlvValue *value, char *file, guint32 line, guint32 column);
/* The place of the first key that stands twice, or NULL. */
const MlvValue *mlv_value_duplicate_key(const GArray *entries);
/* Frees an array of MlvEntry with what is in it. */
void mlv_value_free_entries(GArray *entries);
GArray *mlv_value_new_entries(void);

/* Digits of an INT without plus sign and leading zeros. Caller frees. */
char *mlv_value_digits(const MlvValue *value);

/* "a.b[0].c" as keys, NULL behind the last; a key with dots in its name that is there is one. Bad
 * form is MLV_ERROR_USAGE. Free with g_strfreev. */
char **mlv_value_path_keys(const MlvValue *root, const char *path, GError **error);

/* Lines and columns of places in a text, asked for in ascending order at little cost. */
typedef struct {
	const char *data;
	gsize at, line_start; /* bytes */
	guint32 line, column; /* of `at`, from 1 */
} MlvPlace;
void mlv_place_init(MlvPlace *place, const char *data);
void mlv_place_move(MlvPlace *place, gsize offset);

/* Whether the bytes are UTF-8 without NUL; else MLV_ERROR_CORRUPT with the place. */
gboolean mlv_value_check_text(const char *data, gsize length, const char *label, GError **error);

#endif
