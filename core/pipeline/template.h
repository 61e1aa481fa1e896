/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: `${...}` in a pipeline file, and the variables that it sees.
 *
 *	g_autoptr(MlvScope) scope = mlv_scope_new(NULL);
 *	mlv_scope_load(scope, files, "sub", "params.yaml:train,data", &where, error);
 *	g_autoptr(MlvValue) cmd = mlv_template_expand(scope, value, MLV_TEMPLATE_COMMAND, error);
 *
 * `${a.b[0].c}` is what the variable holds; `\${` a plain "${". A string that is one `${...}` and
 * nothing else becomes the value itself, with its type. In a command a map becomes options
 * (`--lr 0.01 --deep.layers 3 --on --words 'two words' --list 1 2 3`) and a list is refused.
 * Messages name the place of the template. One thread.
 */
#ifndef MLV_CORE_PIPELINE_TEMPLATE_H
#define MLV_CORE_PIPELINE_TEMPLATE_H

#include "core/pipeline/files.h"
#include "core/yaml.h"

#define MLV_PARAMS_FILE "params.yaml"

/* Variables, over those of a scope around it. */
typedef struct MlvScope MlvScope;

/* `outer` (may be NULL) is borrowed. */
MlvScope *mlv_scope_new(const MlvScope *outer);
void mlv_scope_free(MlvScope *scope);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvScope, mlv_scope_free)

/* Adds the keys of a map. Maps under one key are merged; any other key that is there already (in
 * this scope or around it) with another value is MLV_ERROR_CORRUPT, at the new one. */
gboolean mlv_scope_add(MlvScope *scope, const MlvValue *map, GError **error);
/* Sets one variable, over whatever there is of that name. */
void mlv_scope_set(MlvScope *scope, const char *name, const MlvValue *value);
/* Adds what "FILE" or "FILE:key,key" names, FILE relative to `folder`. The same file again is
 * success. `where` is where that is written. Absent is MLV_ERROR_MISSING. */
gboolean mlv_scope_load(MlvScope *scope, const MlvFiles *files, const char *folder,
			const char *spec, const MlvWhere *where, GError **error);
/* A variable by its name; NULL if there is none. Borrowed. */
const MlvValue *mlv_scope_get(const MlvScope *scope, const char *name);
/* The files that were loaded, and those of the scopes around it: paths, of char *, borrowed by the
 * array that the caller frees. */
GPtrArray *mlv_scope_files(const MlvScope *scope);

typedef enum {
	MLV_TEMPLATE_VALUE,   /* a list or map only as the whole of a string */
	MLV_TEMPLATE_COMMAND, /* maps become options; lists are refused */
} MlvTemplateMode;

/* The value with every string in it, keys too, expanded. New reference; what holds no template is
 * the same value. An unknown variable or bad syntax is MLV_ERROR_CORRUPT, at its place. */
MlvValue *mlv_template_expand(const MlvScope *scope, const MlvValue *value, MlvTemplateMode mode,
			      GError **error);
/* Whether a string has a `${...}` in it. */
gboolean mlv_template_is(const char *text);
/* A map as options for a command line. NULL with *error for a list in a list. Caller frees. */
char *mlv_template_options(const MlvValue *map, GError **error);

#endif
