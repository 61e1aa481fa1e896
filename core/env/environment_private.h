/* SPDX-License-Identifier: Apache-2.0 */
/* Within core/env/. */
#ifndef MLV_CORE_ENV_ENVIRONMENT_PRIVATE_H
#define MLV_CORE_ENV_ENVIRONMENT_PRIVATE_H

#include "core/env/environment.h"

#define MLV_ENVIRONMENT_FILE_MAX (64u << 20) /* bytes of a file that is read */

/* The value of a variable, or NULL. Borrowed. */
const char *mlv_environment_variable(const MlvEnvironmentOptions *options, const char *name);
/* A small file's text, without blanks at its ends; NULL if it is not there. Caller frees. */
char *mlv_environment_text(const char *path);
/* Adds a string unless it is NULL or empty. */
void mlv_environment_add(GArray *entries, const char *key, const char *text);
/* A map of these names and texts, sorted by name. */
MlvValue *mlv_environment_table(GHashTable *table);

/* environment_machine.c: each adds its entries. */
void mlv_environment_add_system(GArray *entries);
void mlv_environment_add_hardware(GArray *entries);
void mlv_environment_add_container(GArray *entries, const MlvEnvironmentOptions *options);

/* environment_programs.c: a program found on PATH, and where its libraries lie. */
typedef struct {
	char *path;    /* as it is found, behind a version manager's stand-in */
	char *version; /* or NULL */
} MlvEnvironmentProgram;
/* FALSE if there is none. */
gboolean mlv_environment_find_program(const MlvEnvironmentOptions *options, const char *name,
				      MlvEnvironmentProgram *program);
void mlv_environment_program_clear(MlvEnvironmentProgram *program);
/* What a program prints, its first line, within `milliseconds`; NULL if it does not. The answer is
 * kept in options->cache for as long as the file is the same. Caller frees. */
char *mlv_environment_ask(const MlvEnvironmentOptions *options, const char *const *argv,
			  guint milliseconds);

/* environment_packages.c */
void mlv_environment_add_packages(GArray *entries, const MlvEnvironmentOptions *options,
				  const MlvEnvironmentProgram *python);

#endif
