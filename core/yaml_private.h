/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading YAML: yaml_events.c speaks with libfyaml, yaml_build.c makes values of its events,
 * yaml.c is the file as a whole.
 */
#ifndef MLV_CORE_YAML_PRIVATE_H
#define MLV_CORE_YAML_PRIVATE_H

#include <libfyaml.h>

#include "core/value_private.h"
#include "core/yaml.h"

typedef struct fy_event MlvYamlEvent;

typedef struct {
	const char *data;
	const char *label;
	char *file; /* GRefString */
	struct fy_parser *parser;
	struct fy_diag *diag;
	GString *report;
	GHashTable *anchors; /* name -> MlvValue, complete ones */
	guint64 weight;      /* of all so far */
	guint32 last_end;    /* of what was read last */
	guint depth;
} MlvYamlReader;

/* --- yaml_events.c --- */

/* `data` is borrowed and has a NUL behind it. */
void mlv_yaml_reader_open(MlvYamlReader *reader, const char *data, gsize length, const char *label);
void mlv_yaml_reader_close(MlvYamlReader *reader);
/* To be given back with mlv_yaml_event_free(). */
MlvYamlEvent *mlv_yaml_next_event(MlvYamlReader *reader, GError **error);
void mlv_yaml_event_free(MlvYamlReader *reader, MlvYamlEvent *event);
/* A token's text; NULL for none. Caller frees. */
char *mlv_yaml_token_text(struct fy_token *token);
/* Fails at an event's place; NULL. */
gpointer mlv_yaml_fail_event(MlvYamlReader *reader, MlvYamlEvent *event, GError **error,
			     const char *format, ...) G_GNUC_PRINTF(4, 5);
/* Says that a value stands where the event is. */
void mlv_yaml_place(MlvYamlReader *reader, MlvValue *value, MlvYamlEvent *event,
		    MlvValueStyle style);
/* Counts values against MLV_YAML_WEIGHT_MAX. */
gboolean mlv_yaml_count(MlvYamlReader *reader, MlvYamlEvent *event, guint64 weight, GError **error);

/* --- yaml_build.c --- */

/* The value that an event begins, whose other events it takes. New reference. */
MlvValue *mlv_yaml_build(MlvYamlReader *reader, MlvYamlEvent *event, GError **error);

#endif
