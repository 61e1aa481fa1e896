/* SPDX-License-Identifier: Apache-2.0 */
#include "core/remote_config.h"

#include <string.h>

#include "storage/http/http_url.h"
#include "storage/http/medium_http.h"
#include "storage/s3/settings.h"

#define SECTION        "mlv-remote"
#define NAME_MAX_BYTES 64

void mlv_remote_config_free(MlvRemoteConfig *remote)
{
	if (!remote)
		return;
	g_free(remote->name);
	g_free(remote->url);
	g_free(remote->directory);
	g_free(remote->endpoint);
	g_free(remote->region);
	g_free(remote->addressing);
	g_free(remote->cafile);
	g_free(remote->profile);
	g_free(remote->sse);
	g_free(remote->sse_kms_key);
	g_free(remote->sse_key_file);
	g_free(remote->storage_class);
	g_free(remote->acl);
	g_free(remote);
}

gboolean mlv_remote_config_name_check(const char *name, GError **error)
{
	gsize length = strlen(name);
	gboolean ok = length > 0 && length <= NAME_MAX_BYTES && g_ascii_isalnum(name[0]) &&
		      !strstr(name, "..");

	for (gsize i = 0; ok && i < length; i++)
		ok = g_ascii_isalnum(name[i]) || strchr("-_.", name[i]);
	return ok ||
	       mlv_fail(error, MLV_ERROR_USAGE,
			"'%s' cannot be a remote's name: use letters, digits, '-', '_' and '.', at "
			"most %d, beginning with a letter or digit",
			name, NAME_MAX_BYTES);
}

/* Length of "scheme" in "scheme://"; 0 if the URL is a plain path. */
static gsize scheme_length(const char *url)
{
	gsize length = 0;

	while (g_ascii_isalnum(url[length]) ||
	       (length > 0 && strchr("+-.", url[length]) && url[length]))
		length++;
	return length > 0 && g_ascii_isalpha(url[0]) && strncmp(url + length, "://", 3) == 0
		       ? length
		       : 0;
}

static gboolean is_scheme(const char *url, gsize length, const char *scheme)
{
	return strlen(scheme) == length && g_ascii_strncasecmp(url, scheme, length) == 0;
}

gboolean mlv_remote_config_url_check(const char *url, GError **error)
{
	gsize length = scheme_length(url);
	g_autofree char *shown = NULL;

	if (!*url)
		return mlv_fail(error, MLV_ERROR_USAGE, "a remote's URL cannot be empty");
	for (const char *at = url; *at; at++)
		if (g_ascii_iscntrl(*at))
			return mlv_fail(error, MLV_ERROR_USAGE,
					"a remote's URL cannot hold control characters");
	if (length == 0)
		return TRUE;
	if (mlv_http_url_has_login(url))
		return mlv_http_url_check(url, error);
	if (is_scheme(url, length, "s3"))
		return mlv_s3_settings_check_url(url, error);
	if (is_scheme(url, length, "http") || is_scheme(url, length, "https"))
		return mlv_medium_http_check_url(url, error);
	if (is_scheme(url, length, "file"))
		return url[length + 3] ||
		       mlv_fail(error, MLV_ERROR_USAGE, "'%s' names nothing", url);
	/* It may be git's, with a password in it. */
	shown = mlv_http_url_shown(url);
	return mlv_fail(
		error, MLV_ERROR_USAGE,
		"'%s' has a scheme that mlv does not know: use a path, file://, s3://, http:// or "
		"https://",
		shown);
}

/* The folder that a URL names, or NULL if it names none. */
static char *find_directory(const MlvRepo *repo, const char *url)
{
	gsize length = scheme_length(url);

	if (length == 0) {
		if (url[0] == '~' && (url[1] == '/' || !url[1]))
			return g_build_filename(g_get_home_dir(), url + 1, NULL);
		return g_canonicalize_filename(url, mlv_repo_main_root(repo));
	}
	if (!is_scheme(url, length, "file"))
		return NULL;
	const char *path = url + length + 3;
	if (g_ascii_strncasecmp(path, "localhost/", 10) == 0)
		path += 9;
	g_autofree char *decoded = g_uri_unescape_string(path, NULL);
	return g_canonicalize_filename(decoded ? decoded : path, mlv_repo_main_root(repo));
}

static char *remote_key(const char *name, const char *key)
{
	return g_strdup_printf(SECTION ".%s.%s", name, key);
}

static char *get_text(const MlvConfig *config, const char *name, const char *key)
{
	g_autofree char *full = remote_key(name, key);
	const char *value = mlv_config_get(config, full);
	return value && *value ? g_strdup(value) : NULL;
}

static gboolean get_bool(const MlvConfig *config, const char *name, const char *key,
			 gboolean fallback, gboolean *value, GError **error)
{
	g_autofree char *full = remote_key(name, key);
	return mlv_config_get_bool(config, full, fallback, value, error);
}

static gboolean get_int(const MlvConfig *config, const char *name, const char *key, gint64 max,
			gint64 *value, GError **error)
{
	g_autofree char *full = remote_key(name, key);
	return mlv_config_get_int(config, full, 0, 0, max, value, error);
}

static char *get_path(const MlvRepo *repo, const char *name, const char *key)
{
	g_autofree char *text = get_text(mlv_repo_config(repo), name, key);
	return text ? find_directory(repo, text) : NULL;
}

static gboolean is_shared(const MlvConfig *config, const char *name, const char *key)
{
	g_autofree char *full = remote_key(name, key);
	const MlvConfigEntry *entry = mlv_config_find(config, full);

	return entry && entry->level == MLV_CONFIG_SHARED;
}

/* What only S3 knows. */
static void read_s3(const MlvRepo *repo, MlvRemoteConfig *remote)
{
	const MlvConfig *config = mlv_repo_config(repo);
	const char *name = remote->name;

	remote->profile = get_text(config, name, "profile");
	remote->sse = get_text(config, name, "sse");
	remote->sse_kms_key = get_text(config, name, "sseKmsKey");
	remote->sse_key_file = get_path(repo, name, "sseKeyFile");
	remote->storage_class = get_text(config, name, "storageClass");
	remote->acl = get_text(config, name, "acl");
	remote->shared_place =
		is_shared(config, name, "url") || is_shared(config, name, "endpoint");
}

static gboolean addressing_check(const char *value, GError **error)
{
	MlvS3Addressing addressing;

	return mlv_s3_settings_parse_addressing(value, &addressing, error);
}

static MlvRemoteConfig *read_remote(const MlvRepo *repo, const char *name, GError **error)
{
	const MlvConfig *config = mlv_repo_config(repo);
	g_autoptr(MlvRemoteConfig) remote = g_new0(MlvRemoteConfig, 1);
	g_autofree char *url_key = remote_key(name, "url");
	g_autofree char *timeout_key = remote_key(name, "timeout");

	remote->name = g_strdup(name);
	remote->url = get_text(config, name, "url");
	if (remote->url && !mlv_remote_config_url_check(remote->url, error)) {
		g_prefix_error(error, "remote '%s': ", name);
		return NULL;
	}
	if (!remote->url) {
		mlv_fail(error, MLV_ERROR_MISSING,
			 "there is no remote '%s'; 'mlv remote add %s URL' adds one", name, name);
		return NULL;
	}
	remote->level = mlv_config_find(config, url_key)->level;
	remote->directory = find_directory(repo, remote->url);
	remote->endpoint = get_text(config, name, "endpoint");
	remote->region = get_text(config, name, "region");
	remote->addressing = get_text(config, name, "addressing");
	if (!remote->addressing)
		remote->addressing = g_strdup("auto");
	remote->cafile = get_path(repo, name, "cafile");
	read_s3(repo, remote);
	if (!addressing_check(remote->addressing, error) ||
	    !get_bool(config, name, "anonymous", FALSE, &remote->anonymous, error) ||
	    !get_bool(config, name, "tlsVerify", TRUE, &remote->tls_verify, error) ||
	    !get_bool(config, name, "publish", FALSE, &remote->publish, error) ||
	    !get_bool(config, name, "requesterPays", FALSE, &remote->requester_pays, error) ||
	    !get_bool(config, name, "unsignedPayload", FALSE, &remote->unsigned_payload, error) ||
	    !get_int(config, name, "connections", 1024, &remote->connections, error) ||
	    !get_int(config, name, "rate", G_MAXINT64, &remote->rate, error) ||
	    !mlv_config_get_duration(config, timeout_key, 0, &remote->timeout, error))
		return NULL;
	return g_steal_pointer(&remote);
}

/* "mlv-remote.<name>.url" of an entry: the name; NULL for other keys and names that cannot be. */
static char *name_of(const MlvConfigEntry *entry)
{
	gsize begin = strlen(SECTION "."), length = strlen(entry->key);

	if (length <= begin + 4 || !g_str_has_suffix(entry->key, ".url"))
		return NULL;
	char *name = g_strndup(entry->key + begin, length - begin - 4);
	if (mlv_remote_config_name_check(name, NULL))
		return name;
	g_free(name);
	return NULL;
}

static int compare_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of all remotes, sorted, of char *. */
static GPtrArray *all_names(const MlvRepo *repo)
{
	g_autoptr(GPtrArray) entries = mlv_config_list(mlv_repo_config(repo), SECTION ".");
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < entries->len; i++) {
		g_autofree char *name = name_of(entries->pdata[i]);
		if (name && mlv_remote_config_exists(repo, name) &&
		    !g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
			g_ptr_array_add(names, g_steal_pointer(&name));
	}
	g_ptr_array_sort(names, compare_text);
	return names;
}

GPtrArray *mlv_remote_config_list(const MlvRepo *repo, GError **error)
{
	g_autoptr(GPtrArray) names = all_names(repo);
	g_autoptr(GPtrArray) remotes =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_remote_config_free);

	for (guint i = 0; i < names->len; i++) {
		MlvRemoteConfig *remote = read_remote(repo, names->pdata[i], error);
		if (!remote)
			return NULL;
		g_ptr_array_add(remotes, remote);
	}
	return g_steal_pointer(&remotes);
}

gboolean mlv_remote_config_exists(const MlvRepo *repo, const char *name)
{
	g_autofree char *key = remote_key(name, "url");
	const char *url = mlv_config_get(mlv_repo_config(repo), key);
	return url && *url;
}

char *mlv_remote_config_default(const MlvRepo *repo)
{
	const char *chosen = mlv_config_get(mlv_repo_config(repo), "mlv.remote");

	if (chosen && *chosen)
		return g_strdup(chosen);
	g_autoptr(GPtrArray) names = all_names(repo);
	if (names->len == 1)
		return g_strdup(names->pdata[0]);
	return mlv_remote_config_exists(repo, "origin") ? g_strdup("origin") : NULL;
}

MlvRemoteConfig *mlv_remote_config_find(const MlvRepo *repo, const char *name, GError **error)
{
	g_autofree char *chosen = name ? g_strdup(name) : mlv_remote_config_default(repo);

	if (chosen)
		return read_remote(repo, chosen, error);
	g_autoptr(GPtrArray) names = all_names(repo);
	if (names->len == 0)
		mlv_fail(error, MLV_ERROR_MISSING,
			 "there is no remote; 'mlv remote add origin URL' adds one");
	else
		mlv_fail(error, MLV_ERROR_MISSING,
			 "there are several remotes and none is the default: name one, or run 'mlv "
			 "remote default %s'",
			 (char *)names->pdata[0]);
	return NULL;
}

/* --- changing --------------------------------------------------------------------------------- */

static gboolean set_key(MlvRepo *repo, MlvConfigLevel level, const char *name, const char *key,
			const char *value, GError **error)
{
	g_autofree char *full = remote_key(name, key);

	if (!value)
		return mlv_config_unset(repo, level, full, NULL, error);
	return mlv_config_set(repo, level, full, value, error);
}

gboolean mlv_remote_config_add(MlvRepo *repo, MlvConfigLevel level, const char *name,
			       const char *url, GError **error)
{
	if (!mlv_remote_config_name_check(name, error) || !mlv_remote_config_url_check(url, error))
		return FALSE;
	if (mlv_remote_config_exists(repo, name))
		return mlv_fail(
			error, MLV_ERROR_EXISTS,
			"there is a remote '%s' already; 'mlv remote set-url %s URL' changes it",
			name, name);
	return set_key(repo, level, name, "url", url, error) && mlv_repo_reload_config(repo, error);
}

static gboolean fail_unknown(const char *name, GError **error)
{
	return mlv_fail(error, MLV_ERROR_MISSING, "there is no remote '%s'", name);
}

/* Applies to every level that the user can write. */
static gboolean rename_everywhere(MlvRepo *repo, const char *name, const char *new_name,
				  GError **error)
{
	static const MlvConfigLevel levels[] = { MLV_CONFIG_SHARED, MLV_CONFIG_LOCAL,
						 MLV_CONFIG_GLOBAL };
	gboolean any = FALSE;

	for (gsize i = 0; i < G_N_ELEMENTS(levels); i++) {
		gboolean found;
		if (!mlv_config_rename_section(repo, levels[i], SECTION, name, new_name, &found,
					       error))
			return FALSE;
		any |= found;
		/* The default follows, where it was said at this level. */
		const MlvConfigEntry *entry = mlv_config_find(mlv_repo_config(repo), "mlv.remote");
		if (!entry || entry->level != levels[i] || g_strcmp0(entry->value, name) != 0)
			continue;
		if (!(new_name ? mlv_config_set(repo, levels[i], "mlv.remote", new_name, error)
			       : mlv_config_unset(repo, levels[i], "mlv.remote", NULL, error)))
			return FALSE;
	}
	return any ? mlv_repo_reload_config(repo, error) : fail_unknown(name, error);
}

gboolean mlv_remote_config_rename(MlvRepo *repo, const char *name, const char *new_name,
				  GError **error)
{
	if (!mlv_remote_config_exists(repo, name))
		return fail_unknown(name, error);
	if (!mlv_remote_config_name_check(new_name, error))
		return FALSE;
	if (mlv_remote_config_exists(repo, new_name))
		return mlv_fail(error, MLV_ERROR_EXISTS, "there is a remote '%s' already",
				new_name);
	return rename_everywhere(repo, name, new_name, error);
}

gboolean mlv_remote_config_remove(MlvRepo *repo, const char *name, GError **error)
{
	return rename_everywhere(repo, name, NULL, error);
}

static const MlvConfigKey *find_key(const char *name)
{
	for (const MlvConfigKey *key = mlv_config_remote_keys(); key->name; key++)
		if (g_ascii_strcasecmp(key->name, name) == 0)
			return key;
	return NULL;
}

static gboolean sse_check(const char *value, GError **error)
{
	MlvS3Settings settings = { .sse = (char *)value };

	return mlv_s3_settings_check(&settings, error);
}

static gboolean text_check(const char *key, const char *value, GError **error)
{
	static const struct {
		const char *key;
		gboolean (*check)(const char *value, GError **error);
	} checks[] = {
		{ "url", mlv_remote_config_url_check },
		{ "endpoint", mlv_s3_settings_check_endpoint },
		{ "region", mlv_s3_settings_check_region },
		{ "addressing", addressing_check },
		{ "sse", sse_check },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(checks); i++)
		if (strcmp(key, checks[i].key) == 0)
			return checks[i].check(value, error);
	return TRUE;
}

static gboolean value_check(const MlvConfigKey *key, const char *value, GError **error)
{
	return mlv_config_value_check(key, value, error) && text_check(key->name, value, error);
}

gboolean mlv_remote_config_set(MlvRepo *repo, MlvConfigLevel level, const char *name,
			       const char *key_name, const char *value, GError **error)
{
	const MlvConfigKey *key = find_key(key_name);

	if (!mlv_remote_config_exists(repo, name))
		return fail_unknown(name, error);
	if (!key)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"a remote has no setting '%s'; see mlv-config(5)", key_name);
	if (value && !value_check(key, value, error))
		return FALSE;
	return set_key(repo, level, name, key->name, value, error) &&
	       mlv_repo_reload_config(repo, error);
}

gboolean mlv_remote_config_set_default(MlvRepo *repo, MlvConfigLevel level, const char *name,
				       GError **error)
{
	if (!mlv_remote_config_exists(repo, name))
		return fail_unknown(name, error);
	return mlv_config_set(repo, level, "mlv.remote", name, error) &&
	       mlv_repo_reload_config(repo, error);
}
