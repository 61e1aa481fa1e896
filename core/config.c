/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config.h"

#include <errno.h>
#include <string.h>

#include "core/config_parse.h"
#include "storage/error.h"

struct MlvConfig {
	GPtrArray *entries;  /* of MlvConfigEntry *, rising precedence */
	GHashTable *winners; /* key -> the last entry of that key */
	GPtrArray *warnings;
};

static const MlvConfigKey keys[] = {
	{ "repository", MLV_TYPE_STRING, TRUE, NULL,
	  "the repository's id, 16 hex digits, made by 'mlv init'" },
	{ "remote", MLV_TYPE_STRING, TRUE, NULL, "the remote used where none is named" },
	{ "store", MLV_TYPE_PATH, FALSE, NULL,
	  "folder of the local store, to share one among repositories" },
	{ "jobs", MLV_TYPE_INT, TRUE, "0", "threads that work at once; 0: one a core",
	  MLV_JOBS_MAX },
	{ "fsync", MLV_TYPE_BOOL, FALSE, "true", "sync what is stored before it is named" },
	{ "maxGitFile", MLV_TYPE_INT, TRUE, "10m",
	  "bytes above which pre-commit stops a file on its way into git" },
	{ "maxLog", MLV_TYPE_INT, TRUE, "64m",
	  "bytes of a log that are kept: beyond, its beginning and its end" },
	{ "grace", MLV_TYPE_DURATION, FALSE, "14d",
	  "age that unreached data must have before gc drops it" },
	{ "env", MLV_TYPE_STRING, TRUE, NULL,
	  "further variables that belong to a run's environment, as NAME or PATTERN*" },
	{ "compression", MLV_TYPE_INT, TRUE, "1", "zstd level, 1 to 19; 0: none", 19 },
	{ NULL, MLV_TYPE_STRING, FALSE, NULL, NULL },
};

static const MlvConfigKey remote_keys[] = {
	{ "url", MLV_TYPE_STRING, TRUE, NULL,
	  "where it is: a folder, file://, s3://bucket/prefix, https://" },
	{ "endpoint", MLV_TYPE_STRING, TRUE, NULL,
	  "address of the S3 server, where it is not AWS" },
	{ "region", MLV_TYPE_STRING, TRUE, NULL, "region that requests are signed for" },
	{ "addressing", MLV_TYPE_STRING, TRUE, "auto",
	  "bucket in the path or the host name: auto, path, virtual" },
	{ "publish", MLV_TYPE_BOOL, TRUE, "false",
	  "write the list for readers over plain HTTP after every push" },
	{ "connections", MLV_TYPE_INT, TRUE, "0", "connections at once; 0: as many as help", 1024 },
	{ "rate", MLV_TYPE_INT, TRUE, "0", "bytes a second at most; 0: no limit" },
	{ "timeout", MLV_TYPE_DURATION, TRUE, "0",
	  "time without a byte before a request is tried again; 0: default" },
	{ "sse", MLV_TYPE_STRING, TRUE, NULL,
	  "encryption by the S3 server: AES256, aws:kms; unset: as the bucket has it" },
	{ "cafile", MLV_TYPE_PATH, FALSE, NULL, "certificates to trust" },
	{ "profile", MLV_TYPE_STRING, FALSE, NULL,
	  "profile of the AWS configuration that has the credentials" },
	{ "anonymous", MLV_TYPE_BOOL, FALSE, "false", "send requests without credentials" },
	{ "tlsVerify", MLV_TYPE_BOOL, FALSE, "true", "check the server's certificate" },
	{ "sseKmsKey", MLV_TYPE_STRING, FALSE, NULL, "id of the key that aws:kms encrypts with" },
	{ "sseKeyFile", MLV_TYPE_PATH, FALSE, NULL,
	  "file with a key of your own that the S3 server encrypts with" },
	{ "storageClass", MLV_TYPE_STRING, FALSE, NULL,
	  "storage class of what is pushed, as STANDARD_IA" },
	{ "acl", MLV_TYPE_STRING, FALSE, NULL,
	  "canned ACL of what is pushed, as bucket-owner-full-control" },
	{ "requesterPays", MLV_TYPE_BOOL, FALSE, "false",
	  "agree to pay for requests to a bucket that wants it" },
	{ "unsignedPayload", MLV_TYPE_BOOL, FALSE, "false",
	  "do not hash what is sent over https before it is sent" },
	{ NULL, MLV_TYPE_STRING, FALSE, NULL, NULL },
};

const MlvConfigKey *mlv_config_keys(void)
{
	return keys;
}

const MlvConfigKey *mlv_config_remote_keys(void)
{
	return remote_keys;
}

static void entry_free(gpointer data)
{
	MlvConfigEntry *entry = data;
	g_free(entry->key);
	g_free(entry->value);
	g_free(entry);
}

MlvConfig *mlv_config_new(void)
{
	MlvConfig *config = g_new0(MlvConfig, 1);
	config->entries = g_ptr_array_new_with_free_func(entry_free);
	config->winners = g_hash_table_new(g_str_hash, g_str_equal);
	config->warnings = g_ptr_array_new_with_free_func(g_free);
	return config;
}

void mlv_config_free(MlvConfig *config)
{
	if (!config)
		return;
	g_hash_table_unref(config->winners);
	g_ptr_array_unref(config->entries);
	g_ptr_array_unref(config->warnings);
	g_free(config);
}

/* Section and name in lower case, the subsection as it is. */
static char *normal_key(const char *key)
{
	char *normal = g_strdup(key);
	char *first = strchr(normal, '.'), *last = strrchr(normal, '.');

	for (char *at = normal; *at && at != first; at++)
		*at = g_ascii_tolower(*at);
	for (char *at = last; at && *at; at++)
		*at = g_ascii_tolower(*at);
	return normal;
}

void mlv_config_append(MlvConfig *config, MlvConfigLevel level, const char *key, const char *value)
{
	MlvConfigEntry *entry = g_new0(MlvConfigEntry, 1);

	entry->key = normal_key(key);
	entry->value = g_strdup(value);
	entry->level = level;
	g_ptr_array_add(config->entries, entry);
	g_hash_table_replace(config->winners, entry->key, entry);
}

const MlvConfigEntry *mlv_config_find(const MlvConfig *config, const char *key)
{
	g_autofree char *normal = normal_key(key);
	return g_hash_table_lookup(config->winners, normal);
}

const char *mlv_config_get(const MlvConfig *config, const char *key)
{
	const MlvConfigEntry *entry = mlv_config_find(config, key);

	if (!entry)
		return NULL;
	return entry->value ? entry->value : "true";
}

GPtrArray *mlv_config_get_all(const MlvConfig *config, const char *key)
{
	g_autofree char *normal = normal_key(key);
	GPtrArray *values = g_ptr_array_new();

	for (guint i = 0; i < config->entries->len; i++) {
		const MlvConfigEntry *entry = config->entries->pdata[i];
		if (strcmp(entry->key, normal) == 0)
			g_ptr_array_add(values, entry->value ? entry->value : (gpointer) "true");
	}
	return values;
}

GPtrArray *mlv_config_list(const MlvConfig *config, const char *prefix)
{
	GPtrArray *found = g_ptr_array_new();

	for (guint i = 0; i < config->entries->len; i++) {
		const MlvConfigEntry *entry = config->entries->pdata[i];
		if (g_str_has_prefix(entry->key, prefix))
			g_ptr_array_add(found, config->entries->pdata[i]);
	}
	return found;
}

const GPtrArray *mlv_config_warnings(const MlvConfig *config)
{
	return config->warnings;
}

static const char *level_name(MlvConfigLevel level)
{
	switch (level) {
	case MLV_CONFIG_SHARED:
		return ".mlvconfig";
	case MLV_CONFIG_SYSTEM:
		return "the system's git configuration";
	case MLV_CONFIG_GLOBAL:
		return "your global git configuration";
	case MLV_CONFIG_LOCAL:
		return "this repository's git configuration";
	case MLV_CONFIG_WORKTREE:
		return "this work tree's git configuration";
	case MLV_CONFIG_ENVIRONMENT:
		return "the environment or the command line";
	}
	return "the configuration";
}

static gboolean fail_value(const MlvConfigEntry *entry, const char *wanted, GError **error)
{
	return mlv_fail(error, MLV_ERROR_FAILED, "'%s' in %s is '%s', which is not %s", entry->key,
			level_name(entry->level), entry->value ? entry->value : "", wanted);
}

gboolean mlv_config_get_bool(const MlvConfig *config, const char *key, gboolean fallback,
			     gboolean *value, GError **error)
{
	const MlvConfigEntry *entry = mlv_config_find(config, key);

	*value = fallback;
	if (!entry)
		return TRUE;
	return mlv_config_parse_bool(entry->value ? entry->value : "true", value) ||
	       fail_value(entry, "true or false", error);
}

gboolean mlv_config_get_int(const MlvConfig *config, const char *key, gint64 fallback, gint64 min,
			    gint64 max, gint64 *value, GError **error)
{
	const MlvConfigEntry *entry = mlv_config_find(config, key);
	gint64 parsed;

	*value = fallback;
	if (!entry)
		return TRUE;
	if (!entry->value || !mlv_config_parse_int(entry->value, &parsed, NULL))
		return fail_value(entry, "a number", error);
	if (parsed < min || parsed > max) {
		g_autofree char *wanted = g_strdup_printf(
			"between %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT, min, max);
		return fail_value(entry, wanted, error);
	}
	*value = parsed;
	return TRUE;
}

gboolean mlv_config_get_duration(const MlvConfig *config, const char *key, guint64 fallback,
				 guint64 *seconds, GError **error)
{
	const MlvConfigEntry *entry = mlv_config_find(config, key);

	*seconds = fallback;
	if (!entry)
		return TRUE;
	if (!entry->value || !mlv_config_parse_duration(entry->value, seconds, NULL))
		return fail_value(entry, "a duration such as 14d or 12h", error);
	return TRUE;
}

/* Decimal digits at the start of text; *end is what stands behind them. */
static gboolean parse_digits(const char *text, guint64 *value, const char **end)
{
	char *stop;

	if (!g_ascii_isdigit(*text))
		return FALSE;
	errno = 0;
	*value = g_ascii_strtoull(text, &stop, 10);
	*end = stop;
	return errno == 0;
}

static gboolean scale(guint64 *value, guint64 factor)
{
	if (*value > G_MAXUINT64 / factor)
		return FALSE;
	*value *= factor;
	return TRUE;
}

gboolean mlv_config_parse_duration(const char *text, guint64 *seconds, GError **error)
{
	static const struct {
		char unit;
		guint32 seconds;
	} units[] = {
		{ 's', 1 },     { 'm', 60 },     { 'h', 3600 },
		{ 'd', 86400 }, { 'w', 604800 }, { '\0', 1 },
	};
	guint64 value;
	const char *end;

	if (strcmp(text, "never") == 0) {
		*seconds = G_MAXUINT64;
		return TRUE;
	}
	if (parse_digits(text, &value, &end)) {
		for (guint i = 0; i < G_N_ELEMENTS(units); i++)
			if (*end == units[i].unit && (!*end || !end[1]) &&
			    scale(&value, units[i].seconds)) {
				*seconds = value;
				return TRUE;
			}
	}
	return mlv_fail(
		error, MLV_ERROR_USAGE,
		"'%s' is not a duration: write a number and s, m, h, d or w, for example 14d, or 0",
		text);
}

gboolean mlv_config_parse_int(const char *text, gint64 *value, GError **error)
{
	guint64 number;
	const char *end;
	gboolean negative = *text == '-';

	if (parse_digits(text + negative, &number, &end)) {
		guint64 factor = 1;
		char unit = g_ascii_tolower(*end);
		if (unit == 'k')
			factor = 1u << 10;
		else if (unit == 'm')
			factor = 1u << 20;
		else if (unit == 'g')
			factor = 1u << 30;
		if (!(*end && factor == 1) && !(*end && end[1]) && scale(&number, factor) &&
		    number <= G_MAXINT64) {
			*value = negative ? -(gint64)number : (gint64)number;
			return TRUE;
		}
	}
	return mlv_fail(error, MLV_ERROR_USAGE,
			"'%s' is not a number, with k, m or g behind it if need be", text);
}

gboolean mlv_config_parse_bool(const char *text, gboolean *value)
{
	static const char *const yes[] = { "true", "yes", "on", "1", NULL };
	static const char *const no[] = { "false", "no", "off", "0", "", NULL };

	for (guint i = 0; yes[i]; i++)
		if (g_ascii_strcasecmp(text, yes[i]) == 0) {
			*value = TRUE;
			return TRUE;
		}
	for (guint i = 0; no[i]; i++)
		if (g_ascii_strcasecmp(text, no[i]) == 0) {
			*value = FALSE;
			return TRUE;
		}
	return FALSE;
}

static gboolean check_int(const MlvConfigKey *key, const char *value, GError **error)
{
	gint64 max = key->max > 0 ? key->max : G_MAXINT64;
	gint64 number;

	if (!mlv_config_parse_int(value, &number, error))
		return FALSE;
	return (number >= 0 && number <= max) ||
	       mlv_fail(error, MLV_ERROR_USAGE, "'%s' is not between 0 and %" G_GINT64_FORMAT,
			value, max);
}

gboolean mlv_config_value_check(const MlvConfigKey *key, const char *value, GError **error)
{
	gboolean flag;
	guint64 seconds;

	if (!value && key->type != MLV_TYPE_BOOL)
		return mlv_fail(error, MLV_ERROR_USAGE, "it has no value");
	switch (key->type) {
	case MLV_TYPE_BOOL:
		return !value || mlv_config_parse_bool(value, &flag) ||
		       mlv_fail(error, MLV_ERROR_USAGE, "'%s' is neither true nor false", value);
	case MLV_TYPE_INT:
		return check_int(key, value, error);
	case MLV_TYPE_DURATION:
		return mlv_config_parse_duration(value, &seconds, error);
	default:
		return TRUE;
	}
}

gboolean mlv_config_key_check(const char *key, GError **error)
{
	const char *first = strchr(key, '.'), *last = strrchr(key, '.');
	gboolean ok = first && first != key && g_ascii_isalpha(last[1]) && !strchr(key, '\n');

	for (const char *at = key; ok && at < first; at++)
		ok = g_ascii_isalnum(*at) || *at == '-';
	for (const char *at = last ? last + 1 : ""; ok && *at; at++)
		ok = g_ascii_isalnum(*at) || *at == '-';
	return ok ||
	       mlv_fail(error, MLV_ERROR_USAGE,
			"'%s' is not a configuration key: keys are written 'section.name'", key);
}

/* --- what a committed file may set ------------------------------------------------------------ */

const MlvConfigKey *mlv_config_key_find(const char *key)
{
	const MlvConfigKey *table = NULL;
	const char *name = strrchr(key, '.');

	if (g_ascii_strncasecmp(key, "mlv.", 4) == 0 && name == key + 3)
		table = keys;
	else if (g_ascii_strncasecmp(key, "mlv-remote.", 11) == 0 && name > key + 10)
		table = remote_keys;
	for (; table && table->name; table++)
		if (g_ascii_strcasecmp(table->name, name + 1) == 0)
			return table;
	return NULL;
}

gboolean mlv_config_key_is_shared(const char *key, gboolean *known)
{
	const MlvConfigKey *row = mlv_config_key_find(key);

	*known = row != NULL;
	return row && row->shared;
}

static void ignore_value(MlvConfig *config, guint line, const char *key, const GError *why)
{
	g_ptr_array_add(config->warnings,
			g_strdup_printf(MLV_CONFIG_FILE ":%u: '%s' is ignored: %s", line, key,
					why->message));
}

static gboolean take_shared(const char *key, const char *value, guint line, gpointer user,
			    GError **error)
{
	MlvConfig *config = user;
	const MlvConfigKey *row = mlv_config_key_find(key);
	g_autoptr(GError) why = NULL;

	if (row && row->shared && !mlv_config_value_check(row, value, &why))
		ignore_value(config, line, key, why);
	else if (row && row->shared)
		mlv_config_append(config, MLV_CONFIG_SHARED, key, value);
	else if (row)
		g_ptr_array_add(config->warnings,
				g_strdup_printf(MLV_CONFIG_FILE
						":%u: '%s' is ignored: a committed file cannot set "
						"it; use 'mlv config --local' or '--global'",
						line, key));
	else
		g_ptr_array_add(config->warnings,
				g_strdup_printf(MLV_CONFIG_FILE
						":%u: '%s' is ignored: this mlv knows no such key",
						line, key));
	return TRUE;
}

gboolean mlv_config_append_shared(MlvConfig *config, const char *data, gsize length, GError **error)
{
	return mlv_config_parse(data, length, MLV_CONFIG_FILE, take_shared, config, error);
}
