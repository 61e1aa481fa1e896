/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as YAML and JSON files have them: null, bool, int, float, string, list, map. Each knows
 * where it was written, and scalars keep their exact text.
 *
 *	g_autoptr(MlvValue) root = mlv_yaml_parse(bytes, length, "params.yaml", error);
 *	const MlvValue *lr = mlv_value_lookup(root, "train.lr");
 *	g_autofree char *text = mlv_value_text(lr);
 *
 * A value is immutable once it is built, and counted: lists and maps hold references to what is in
 * them, and one value may be in several. Any number of threads may read one; references are taken
 * and dropped by one thread at a time. What the functions below call borrowed lives as long as the
 * value that it was taken from.
 */
#ifndef MLV_CORE_VALUE_H
#define MLV_CORE_VALUE_H

#include "storage/error.h"

typedef enum {
	MLV_VALUE_NULL,
	MLV_VALUE_BOOL,
	MLV_VALUE_INT,
	MLV_VALUE_FLOAT,
	MLV_VALUE_STRING,
	MLV_VALUE_LIST,
	MLV_VALUE_MAP,
} MlvValueType;

/* How it is written; for editing. */
typedef enum {
	MLV_STYLE_NONE,  /* made by a program, or nothing is written ("key:") */
	MLV_STYLE_PLAIN, /* a scalar, unquoted or quoted */
	MLV_STYLE_TEXT,  /* a scalar behind '|' or '>' */
	MLV_STYLE_BLOCK, /* a list or map by indentation */
	MLV_STYLE_FLOW,  /* a list or map in brackets */
	MLV_STYLE_ALIAS, /* '*name': the value is the anchor's */
} MlvValueStyle;

/* A place in a file; lines and columns (in characters) count from 1. line 0: not from a file. */
typedef struct {
	const char *file; /* as messages name it; borrowed */
	guint32 line, column;
} MlvWhere;

typedef struct MlvValue MlvValue;

/* One key of a map. Keys are strings; a key that is another scalar has its mlv_value_text(). */
typedef struct {
	MlvValue *key; /* a STRING */
	MlvValue *value;
	gboolean merged; /* it comes from a merge key ('<<') */
} MlvEntry;

/* To be read, never written. */
struct MlvValue {
	guint refs;
	guint8 type;  /* MlvValueType */
	guint8 style; /* MlvValueStyle */
	gboolean big; /* INT beyond gint64: `integer` is at the limit, `text` has the digits */
	MlvWhere where;
	guint32 start, end; /* the bytes of the file that it takes up, anchor and tag not counted */
	guint64 weight;     /* values in it, itself too, aliases counted wherever they stand */
	union {
		gboolean boolean;
		gint64 integer;
		double real;
	};
	const char *text; /* scalars: a STRING's value, else what was written; NUL-terminated */
	gsize length;     /* of text; or the number of items or entries */
	union {
		MlvValue **items;
		MlvEntry *entries;
	};
	GHashTable *index; /* of a larger map */
};

/* --- building: each gives a new reference --- */

MlvValue *mlv_value_new_null(void);
MlvValue *mlv_value_new_bool(gboolean boolean);
MlvValue *mlv_value_new_int(gint64 integer);
MlvValue *mlv_value_new_float(double real);
MlvValue *mlv_value_new_string(const char *text);
MlvValue *mlv_value_new_string_length(const char *text, gsize length);
/* Takes the references in the array, of MlvValue *, and frees the array. */
MlvValue *mlv_value_new_list(GPtrArray *items);
/* Takes the references in the array, of MlvEntry with distinct keys, and frees the array. */
MlvValue *mlv_value_new_map(GArray *entries);
/* Adds to such an array; takes `value`. */
void mlv_value_add(GArray *entries, const char *key, MlvValue *value);

MlvValue *mlv_value_ref(const MlvValue *value);
void mlv_value_unref(MlvValue *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvValue, mlv_value_unref)

/* --- looking; in NULL there is nothing --- */

/* "a list", "null" ..., for messages. */
const char *mlv_value_type_name(MlvValueType type);
gboolean mlv_value_is(const MlvValue *value, MlvValueType type);
gboolean mlv_value_is_scalar(const MlvValue *value);
/* What a map has under a key; NULL if it is no map or has none. Borrowed. */
const MlvValue *mlv_value_get(const MlvValue *map, const char *key);
const MlvEntry *mlv_value_entry(const MlvValue *map, const char *key);
/* An item of a list; negative counts from the end. Borrowed. */
const MlvValue *mlv_value_item(const MlvValue *list, gint64 index);
/* "a.b[0].c" (also "a.b.0.c"; blanks around a part are dropped). At each step a key with dots in
 * its name wins over a step into it. NULL if it is not there. Borrowed. */
const MlvValue *mlv_value_lookup(const MlvValue *root, const char *path);
/* The same, but absence is MLV_ERROR_MISSING with what there is instead, and a `path` that has not
 * this form MLV_ERROR_USAGE. The message names no place: the caller adds its own. */
const MlvValue *mlv_value_find(const MlvValue *root, const char *path, GError **error);

/* Numbers are equal by amount (1 and 1.0, 0.1 and 1e-1, NaN and NaN); bools are no numbers. The
 * order of a map's keys does not matter. NULL equals NULL alone. */
gboolean mlv_value_equal(const MlvValue *a, const MlvValue *b);

/* --- writing; the caller frees --- */

/* A scalar as templates put it: numbers as Python prints them ("0.001", "1e-05"), "true", "false",
 * "None", a string as it is. A list or map: its JSON. */
char *mlv_value_text(const MlvValue *value);
/* A scalar as it was written, else JSON. For showing. */
char *mlv_value_written(const MlvValue *value);
/* JSON on one line, keys in the file's order: {"a": [1, 2.0, null]}. UTF-8 is not escaped; NaN and
 * Infinity are written so. */
char *mlv_value_json(const MlvValue *value);
/* The one JSON that equal values share: no blanks, keys sorted by bytes, numbers by amount. What is
 * hashed. */
char *mlv_value_canonical(const MlvValue *value);
/* A double as Python's repr() has it: the shortest text that reads back the same. */
char *mlv_value_float_text(double real);
/* Appends `text` as a JSON string, quotes and all. */
void mlv_value_append_json_string(GString *to, const char *text, gsize length);

#define MLV_VALUE_DEPTH_MAX 200

/* One JSON text (RFC 8259; NaN, Infinity and -Infinity as well), nothing behind it but blanks.
 * MLV_ERROR_CORRUPT, at its place, for all else: no UTF-8, NUL, a key twice, nested deeper than
 * MLV_VALUE_DEPTH_MAX. `label` names it in messages and places. */
MlvValue *mlv_value_parse_json(const char *data, gsize length, const char *label, GError **error);

/* Sets `error` with "FILE:LINE:COLUMN: " before the message (nothing if line is 0); FALSE. */
gboolean mlv_fail_at(GError **error, const MlvWhere *where, MlvError code, const char *format, ...)
	G_GNUC_PRINTF(4, 5);

#endif
