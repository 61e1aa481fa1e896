/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration: git's own (system, global, local, work tree, environment and -c), over what the
 * team committed in .mlvconfig. A committed file is foreign: it can set only the keys that the
 * tables here call shared; whatever else it holds is ignored, with a warning to be printed by the
 * command. mlv-config(5).
 *
 *	const char *editor = mlv_config_get(config, "core.editor");
 *	if (!mlv_config_get_int(config, "mlv.jobs", 0, 0, 1024, &jobs, error)) ...
 *
 * Keys are "section.name" or "section.subsection.name"; section and name in any case. Reading is
 * thread safe; writing goes to files and is seen after mlv_repo_reload_config().
 */
#ifndef MLV_CORE_CONFIG_H
#define MLV_CORE_CONFIG_H

#include <glib.h>

/* The committed file, in the root. */
#define MLV_CONFIG_FILE ".mlvconfig"

typedef struct MlvConfig MlvConfig;
struct MlvRepo;

/* In rising order of precedence. */
typedef enum {
	MLV_CONFIG_SHARED, /* .mlvconfig */
	MLV_CONFIG_SYSTEM,
	MLV_CONFIG_GLOBAL,
	MLV_CONFIG_LOCAL,
	MLV_CONFIG_WORKTREE,
	MLV_CONFIG_ENVIRONMENT,
} MlvConfigLevel;

typedef struct {
	char *key;   /* section and name in lower case */
	char *value; /* NULL: a key without "=", which means true */
	MlvConfigLevel level;
} MlvConfigEntry;

typedef enum {
	MLV_TYPE_STRING,
	MLV_TYPE_BOOL,
	MLV_TYPE_INT,      /* with k, m, g */
	MLV_TYPE_DURATION, /* seconds; with s, m, h, d, w */
	MLV_TYPE_PATH,     /* "~/" is the home */
} MlvConfigType;

/* One key that mlv knows: `mlv.<name>`, or `mlv-remote.<remote>.<name>`. */
typedef struct {
	const char *name;
	MlvConfigType type;
	gboolean shared;      /* may stand in the committed file */
	const char *fallback; /* text of the default, or NULL */
	const char *description;
	gint64 max; /* of an INT, which is never below 0; 0: none */
} MlvConfigKey;

/* More threads than this are a mistake. */
#define MLV_JOBS_MAX 1024

/* Tables ended by a NULL name. */
const MlvConfigKey *mlv_config_keys(void);
const MlvConfigKey *mlv_config_remote_keys(void);
/* The row of "mlv.jobs" or "mlv-remote.origin.url"; NULL for what is no key of mlv's. */
const MlvConfigKey *mlv_config_key_find(const char *key);

/* The winning value, borrowed; NULL if unset. A key without "=" gives "true". */
const char *mlv_config_get(const MlvConfig *config, const char *key);
/* Every value in rising order of precedence, of const char *; free with g_ptr_array_unref. */
GPtrArray *mlv_config_get_all(const MlvConfig *config, const char *key);
/* The winning value of a key and where it comes from; NULL if unset. */
const MlvConfigEntry *mlv_config_find(const MlvConfig *config, const char *key);
/* All entries (of const MlvConfigEntry *, borrowed) whose key begins with `prefix`, rising
 * precedence. */
GPtrArray *mlv_config_list(const MlvConfig *config, const char *prefix);

/* Typed: `fallback` where unset; a value that is none of the type is an error that names the key
 * and level. */
gboolean mlv_config_get_bool(const MlvConfig *config, const char *key, gboolean fallback,
			     gboolean *value, GError **error);
gboolean mlv_config_get_int(const MlvConfig *config, const char *key, gint64 fallback, gint64 min,
			    gint64 max, gint64 *value, GError **error);
gboolean mlv_config_get_duration(const MlvConfig *config, const char *key, guint64 fallback,
				 guint64 *seconds, GError **error);

/* "14d", "12h", "30m", "90s", "2w", "90" (seconds), "0", "never" (G_MAXUINT64). */
gboolean mlv_config_parse_duration(const char *text, guint64 *seconds, GError **error);
/* "10m": decimal digits with k, m, g (powers of 1024), in any case. */
gboolean mlv_config_parse_int(const char *text, gint64 *value, GError **error);
gboolean mlv_config_parse_bool(const char *text, gboolean *value);

/* What was ignored in .mlvconfig, one text each, of char *; borrowed. */
const GPtrArray *mlv_config_warnings(const MlvConfig *config);

/* Sets one value or removes all in one level: SHARED, LOCAL, GLOBAL or WORKTREE. SHARED refuses
 * keys that a committed file cannot set; the file is changed, not staged. */
gboolean mlv_config_set(struct MlvRepo *repo, MlvConfigLevel level, const char *key,
			const char *value, GError **error);
/* *found (may be NULL) tells whether there was one. */
gboolean mlv_config_unset(struct MlvRepo *repo, MlvConfigLevel level, const char *key,
			  gboolean *found, GError **error);
/* Renames or (new_name NULL) removes the sections "[section "name"]" of one level. */
gboolean mlv_config_rename_section(struct MlvRepo *repo, MlvConfigLevel level, const char *section,
				   const char *name, const char *new_name, gboolean *found,
				   GError **error);

/* Whether a value is one of the key's type and range; NULL is a key without "=". */
gboolean mlv_config_value_check(const MlvConfigKey *key, const char *value, GError **error);

/* Valid "section[.subsection].name". */
gboolean mlv_config_key_check(const char *key, GError **error);

/* --- making one (repo.c) ---------------------------------------------------------------------- */

MlvConfig *mlv_config_new(void);
/* Appends an entry; levels must come in rising order. value may be NULL. */
void mlv_config_append(MlvConfig *config, MlvConfigLevel level, const char *key, const char *value);
/* Parses a .mlvconfig (at most 1 MiB; no includes) and appends what it may set; the rest becomes
 * warnings, values that make no sense among it. Bytes that are no configuration are
 * MLV_ERROR_CORRUPT with the line. */
gboolean mlv_config_append_shared(MlvConfig *config, const char *data, gsize length,
				  GError **error);
/* Appends what GIT_CONFIG_PARAMETERS and GIT_CONFIG_COUNT hold, as `git -c` sets them. */
gboolean mlv_config_append_environment(MlvConfig *config, GError **error);
void mlv_config_free(MlvConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvConfig, mlv_config_free)

#endif
