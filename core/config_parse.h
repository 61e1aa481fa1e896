/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The syntax of git configuration files, for files that are foreign: no includes, all bounded.
 * Pure; thread safe. Used by config.c.
 */
#ifndef MLV_CORE_CONFIG_PARSE_H
#define MLV_CORE_CONFIG_PARSE_H

#include <glib.h>

#define MLV_CONFIG_FILE_MAX (1u << 20)

/* One variable: `value` NULL if it stands without "=". FALSE ends the parse. */
typedef gboolean (*MlvConfigVariable)(const char *key, const char *value, guint line, gpointer user,
				      GError **error);

/* Calls `each` for every variable. Bad syntax is MLV_ERROR_CORRUPT with `label` and the line. */
gboolean mlv_config_parse(const char *data, gsize length, const char *label, MlvConfigVariable each,
			  gpointer user, GError **error);

/* Whether a committed file may set the key; *known tells whether mlv knows it at all. */
gboolean mlv_config_key_is_shared(const char *key, gboolean *known);

#endif
