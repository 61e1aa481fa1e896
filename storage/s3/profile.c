/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3/profile.h"

#include "storage/s3/secret.h"

#define SECTIONS 3

struct MlvS3Profiles {
	/* name -> (key -> value); a nested key is "parent\nkey" */
	GHashTable *config[SECTIONS];
	GHashTable *credentials;
	gboolean long_default; /* "[profile default]" has been read: "[default]" does not count */
};

typedef struct {
	MlvS3Profiles *profiles;
	MlvS3ProfilesFile file;
	const char *label;
	guint number;        /* of the line */
	gboolean begun;      /* a section's head has been read */
	GHashTable *section; /* NULL: one that is passed over */
	char *key;           /* of the last line that was not indented below another; or NULL */
	gsize indent;        /* of that line */
} Parser;

MlvS3Profiles *mlv_s3_profiles_new(void)
{
	MlvS3Profiles *profiles = g_new0(MlvS3Profiles, 1);

	for (guint i = 0; i < SECTIONS; i++)
		profiles->config[i] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
							    (GDestroyNotify)g_hash_table_unref);
	profiles->credentials = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						      (GDestroyNotify)g_hash_table_unref);
	return profiles;
}

void mlv_s3_profiles_free(MlvS3Profiles *profiles)
{
	if (!profiles)
		return;
	for (guint i = 0; i < SECTIONS; i++)
		g_hash_table_unref(profiles->config[i]);
	g_hash_table_unref(profiles->credentials);
	g_free(profiles);
}

static gboolean refuse(const Parser *parser, GError **error, const char *why)
{
	return mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' cannot be understood: %s in line %u",
			parser->label, why, parser->number);
}

static GHashTable *enter(GHashTable *sections, const char *name)
{
	GHashTable *section = g_hash_table_lookup(sections, name);

	if (!section) {
		section = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, mlv_secret_free);
		g_hash_table_insert(sections, g_strdup(name), section);
	}
	return section;
}

/* The name behind `word` in "word name" or "word 'name'", or NULL. */
static char *name_behind(const char *head, const char *word)
{
	g_auto(GStrv) words = NULL;
	int count;

	if (!g_str_has_prefix(head, word) || !g_ascii_isspace(head[strlen(word)]) ||
	    !g_shell_parse_argv(head, &count, &words, NULL) || count != 2)
		return NULL;
	return g_strdup(words[1]);
}

static GHashTable *enter_default(MlvS3Profiles *profiles, gboolean is_long)
{
	if (profiles->long_default && !is_long)
		return NULL;
	if (is_long && !profiles->long_default) {
		profiles->long_default = TRUE;
		g_hash_table_remove(profiles->config[MLV_S3_PROFILE], "default");
	}
	return enter(profiles->config[MLV_S3_PROFILE], "default");
}

static GHashTable *enter_config(MlvS3Profiles *profiles, const char *head)
{
	static const char *const words[SECTIONS] = { "profile", "sso-session", "services" };

	if (g_str_equal(head, "default"))
		return enter_default(profiles, FALSE);
	for (guint i = 0; i < SECTIONS; i++) {
		g_autofree char *name = name_behind(head, words[i]);

		if (!name)
			continue;
		if (i == MLV_S3_PROFILE && g_str_equal(name, "default"))
			return enter_default(profiles, TRUE);
		return enter(profiles->config[i], name);
	}
	return NULL;
}

static gboolean parse_head(Parser *parser, const char *line, GError **error)
{
	const char *end = strchr(line, ']');
	g_autofree char *head = NULL;

	if (!end)
		return refuse(parser, error, "a '[' without its ']'");
	head = g_strstrip(g_strndup(line + 1, (gsize)(end - line - 1)));
	parser->begun = TRUE;
	g_clear_pointer(&parser->key, g_free);
	parser->section = parser->file == MLV_S3_CREDENTIALS
				  ? enter(parser->profiles->credentials, head)
				  : enter_config(parser->profiles, head);
	return TRUE;
}

/* Cuts a comment off that a blank stands before. */
static char *trim_value(char *value)
{
	for (char *at = value; *at; at++)
		if ((*at == '#' || *at == ';') && at > value && g_ascii_isspace(at[-1])) {
			*at = '\0';
			break;
		}
	return g_strstrip(value);
}

static void set(Parser *parser, char *key, const char *value)
{
	if (parser->section)
		g_hash_table_replace(parser->section, key, g_strdup(value));
	else
		g_free(key);
}

/* A line that is indented below a key: of a table where the key has no value, else more of it. */
static gboolean parse_indented(Parser *parser, char *line, GError **error)
{
	const char *value;
	char *equals = strchr(line, '=');
	g_autofree char *key = NULL;

	if (!parser->section)
		return TRUE;
	value = g_hash_table_lookup(parser->section, parser->key);
	if (value && *value) {
		MLV_AUTO_SECRET char *longer = g_strconcat(value, "\n", trim_value(line), NULL);

		set(parser, g_strdup(parser->key), longer);
		return TRUE;
	}
	if (!equals || equals == line)
		return refuse(parser, error, "no 'key = value'");
	*equals = '\0';
	key = g_ascii_strdown(g_strchomp(line), -1);
	set(parser, g_strconcat(parser->key, "\n", key, NULL), trim_value(equals + 1));
	return TRUE;
}

static gboolean parse_line(Parser *parser, char *line, GError **error)
{
	gsize indent = strspn(line, " \t");
	char *text = g_strstrip(line), *middle;

	if (*text == '\0' || *text == '#' || *text == ';')
		return TRUE;
	if (parser->key && indent > parser->indent)
		return parse_indented(parser, text, error);
	parser->indent = indent;
	if (*text == '[')
		return parse_head(parser, text, error);
	middle = strpbrk(text, "=:");
	if (!middle || middle == text)
		return refuse(parser, error, "no 'key = value'");
	if (!parser->begun)
		return refuse(parser, error, "a key before the first section");
	*middle = '\0';
	g_free(parser->key);
	parser->key = g_ascii_strdown(g_strchomp(text), -1);
	set(parser, g_strdup(parser->key), trim_value(middle + 1));
	return TRUE;
}

gboolean mlv_s3_profiles_parse(MlvS3Profiles *profiles, MlvS3ProfilesFile file, const char *text,
			       gsize length, const char *label, GError **error)
{
	Parser parser = { .profiles = profiles, .file = file, .label = label };
	const char *end = text + length;
	gboolean good = TRUE;

	if (length > MLV_S3_PROFILES_MAX)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' has more than %d bytes", label,
				MLV_S3_PROFILES_MAX);
	if (memchr(text, '\0', length))
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"'%s' cannot be understood: it is no text", label);
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (good && text < end) {
		const char *stop = memchr(text, '\n', (gsize)(end - text));
		gsize size = (gsize)((stop ? stop : end) - text);
		MLV_AUTO_SECRET char *line = g_strndup(text, size);

		parser.number++;
		good = parse_line(&parser, line, error);
		text += size + 1;
	}
	g_free(parser.key);
	return good;
}

gboolean mlv_s3_profiles_load(MlvS3Profiles *profiles, MlvS3ProfilesFile file, const char *path,
			      GError **error)
{
	g_autoptr(GError) why = NULL;
	MLV_AUTO_SECRET char *text = mlv_secret_read(path, MLV_S3_PROFILES_MAX, &why);

	if (!text && g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING))
		return TRUE;
	if (!text) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	return mlv_s3_profiles_parse(profiles, file, text, strlen(text), path, error);
}

static const char *look_up(GHashTable *sections, const char *name, const char *key)
{
	GHashTable *section = g_hash_table_lookup(sections, name);
	const char *value = section ? g_hash_table_lookup(section, key) : NULL;

	return value && *value ? value : NULL;
}

gboolean mlv_s3_profiles_has(const MlvS3Profiles *profiles, MlvS3Section section, const char *name)
{
	return g_hash_table_contains(profiles->config[section], name) ||
	       (section == MLV_S3_PROFILE && g_hash_table_contains(profiles->credentials, name));
}

const char *mlv_s3_profiles_get_in(const MlvS3Profiles *profiles, MlvS3ProfilesFile file,
				   const char *name, const char *key)
{
	return look_up(file == MLV_S3_CREDENTIALS ? profiles->credentials
						  : profiles->config[MLV_S3_PROFILE],
		       name, key);
}

const char *mlv_s3_profiles_get(const MlvS3Profiles *profiles, MlvS3Section section,
				const char *name, const char *key)
{
	const char *value = NULL;

	if (section == MLV_S3_PROFILE)
		value = look_up(profiles->credentials, name, key);
	return value ? value : look_up(profiles->config[section], name, key);
}

const char *mlv_s3_profiles_get_nested(const MlvS3Profiles *profiles, MlvS3Section section,
				       const char *name, const char *parent, const char *key)
{
	g_autofree char *full = g_strconcat(parent, "\n", key, NULL);

	return mlv_s3_profiles_get(profiles, section, name, full);
}
