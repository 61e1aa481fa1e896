/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON results: one document on stdout, {"mlv": 1, "command": "status", ...}; "mlv" is the
 * version of the shape.
 *
 *	json_t *doc = mlv_json_new(cmd);
 *	mlv_json_set_path(doc, "path", name);
 *	return mlv_json_print(cmd, doc, error);
 *
 * Where the results may be many, MlvJsonStream writes them one by one instead.
 */
#ifndef MLV_CMD_UI_JSON_H
#define MLV_CMD_UI_JSON_H

#include <jansson.h>

#include "cmd/cmd.h"

/* A new document with its envelope. */
json_t *mlv_json_new(const MlvCmd *cmd);
/* Prints it and drops the reference. */
gboolean mlv_json_print(MlvCmd *cmd, json_t *document, GError **error);

/* Sets `key` to a name, or, where its bytes are not UTF-8, `key`_b64 to them in base64. */
void mlv_json_set_path(json_t *object, const char *key, const char *path);
/* Sets `key` to a text, bytes that are not UTF-8 replaced by U+FFFD; NULL gives null. */
void mlv_json_set_text(json_t *object, const char *key, const char *text);
void mlv_json_set_size(json_t *object, const char *key, guint64 value);
void mlv_json_set_bool(json_t *object, const char *key, gboolean value);

/* A document with one long array, written as it comes: memory does not grow with it. */
typedef struct MlvJsonStream MlvJsonStream;
/* `head` (may be NULL; the reference is dropped) has members to stand before the array `key`. */
MlvJsonStream *mlv_json_stream_new(MlvCmd *cmd, json_t *head, const char *key);
/* Writes one element and drops the reference. FALSE once stdout cannot be written. */
gboolean mlv_json_stream_add(MlvJsonStream *stream, json_t *element, GError **error);
/* Ends the document; `tail` (may be NULL; dropped) has members to stand after the array. Frees. */
gboolean mlv_json_stream_end(MlvJsonStream *stream, json_t *tail, GError **error);

#endif
