/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config_parse.h"

#include <string.h>

#include "core/config.h"
#include "storage/error.h"

typedef struct {
	const char *at, *end;
	const char *label;
	guint line;
} Parser;

static gboolean fail_syntax(const Parser *parser, GError **error)
{
	return mlv_fail(error, MLV_ERROR_CORRUPT, "bad configuration at line %u of '%s'",
			parser->line, parser->label);
}

/* The next byte, CR LF as LF; -1 at the end. */
static int peek(const Parser *parser)
{
	if (parser->at == parser->end)
		return -1;
	if (*parser->at == '\r' && parser->at + 1 < parser->end && parser->at[1] == '\n')
		return '\n';
	return (guchar)*parser->at;
}

static int next(Parser *parser)
{
	int c = peek(parser);

	if (c < 0)
		return c;
	parser->at += c == '\n' && *parser->at == '\r' ? 2 : 1;
	if (c == '\n')
		parser->line++;
	return c;
}

static void skip_line(Parser *parser)
{
	while (peek(parser) >= 0 && peek(parser) != '\n')
		next(parser);
}

static void skip_blanks(Parser *parser)
{
	while (peek(parser) == ' ' || peek(parser) == '\t')
		next(parser);
}

/* After '[': `section`, `section.sub` or `section "sub"`, and ']'. */
static gboolean parse_section(Parser *parser, GString *section, GError **error)
{
	int c;

	g_string_truncate(section, 0);
	while ((c = next(parser)) >= 0 && (g_ascii_isalnum(c) || c == '-' || c == '.'))
		g_string_append_c(section, g_ascii_tolower(c));
	if (section->len == 0)
		return fail_syntax(parser, error);
	if (c == ']')
		return TRUE;
	if (c != ' ' && c != '\t')
		return fail_syntax(parser, error);
	skip_blanks(parser);
	if (next(parser) != '"')
		return fail_syntax(parser, error);
	g_string_append_c(section, '.');
	while ((c = next(parser)) != '"') {
		if (c == '\\')
			c = next(parser);
		if (c <= 0 || c == '\n')
			return fail_syntax(parser, error);
		g_string_append_c(section, (char)c);
	}
	return next(parser) == ']' || fail_syntax(parser, error);
}

/* One escaped byte behind a backslash: -2 for a line that goes on, -1 for what is no escape. */
static int parse_escape(Parser *parser)
{
	switch (next(parser)) {
	case '\n':
		return -2;
	case 't':
		return '\t';
	case 'b':
		return '\b';
	case 'n':
		return '\n';
	case '\\':
		return '\\';
	case '"':
		return '"';
	default:
		return -1;
	}
}

/* The value behind '=', to the end of the line. Blanks at its end count only within quotes. */
static gboolean parse_value(Parser *parser, GString *value, GError **error)
{
	gboolean quoted = FALSE;
	gsize keep = 0;

	g_string_truncate(value, 0);
	skip_blanks(parser);
	for (;;) {
		int c = peek(parser);
		if (c < 0 || c == '\n') {
			if (quoted)
				return fail_syntax(parser, error);
			break;
		}
		if (c == 0)
			return fail_syntax(parser, error);
		if (!quoted && (c == '#' || c == ';')) {
			skip_line(parser);
			break;
		}
		next(parser);
		if (c == '"') {
			quoted = !quoted;
			keep = value->len;
			continue;
		}
		gboolean blank = !quoted && (c == ' ' || c == '\t');
		if (c == '\\') {
			c = parse_escape(parser);
			if (c == -2)
				continue;
			if (c < 0)
				return fail_syntax(parser, error);
		}
		g_string_append_c(value, (char)c);
		if (!blank)
			keep = value->len;
	}
	g_string_truncate(value, keep);
	return TRUE;
}

/* `name`, or `name = value`, to the end of the line. */
static gboolean parse_variable(Parser *parser, const char *section, MlvConfigVariable each,
			       gpointer user, GError **error)
{
	g_autoptr(GString) key = g_string_new(section);
	g_autoptr(GString) value = g_string_new(NULL);
	guint line = parser->line;
	int c = peek(parser);

	if (!*section || !g_ascii_isalpha(c))
		return fail_syntax(parser, error);
	g_string_append_c(key, '.');
	while ((c = peek(parser)) >= 0 && (g_ascii_isalnum(c) || c == '-'))
		g_string_append_c(key, g_ascii_tolower(next(parser)));
	skip_blanks(parser);
	c = peek(parser);
	if (c == '#' || c == ';')
		skip_line(parser);
	else if (c == '=') {
		next(parser);
		if (!parse_value(parser, value, error))
			return FALSE;
		return each(key->str, value->str, line, user, error);
	} else if (c >= 0 && c != '\n')
		return fail_syntax(parser, error);
	return each(key->str, NULL, line, user, error);
}

gboolean mlv_config_parse(const char *data, gsize length, const char *label, MlvConfigVariable each,
			  gpointer user, GError **error)
{
	Parser parser = { data, data + length, label, 1 };
	g_autoptr(GString) section = g_string_new(NULL);

	if (length > MLV_CONFIG_FILE_MAX)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' is longer than 1 MiB", label);
	if (length >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		parser.at += 3;
	for (;;) {
		int c = peek(&parser);
		if (c < 0)
			return TRUE;
		if (c == ' ' || c == '\t' || c == '\n') {
			next(&parser);
		} else if (c == '#' || c == ';') {
			skip_line(&parser);
		} else if (c == '[') {
			next(&parser);
			if (!parse_section(&parser, section, error))
				return FALSE;
		} else if (!parse_variable(&parser, section->str, each, user, error)) {
			return FALSE;
		}
	}
}

/* --- the environment -------------------------------------------------------------------------- */

/* One '...' word of a shell-quoted list, as git writes it: 'it'\''s'. *text moves behind it. */
static char *unquote(const char **text)
{
	g_autoptr(GString) word = g_string_new(NULL);
	const char *at = *text;

	if (*at++ != '\'')
		return NULL;
	for (;;) {
		if (!*at)
			return NULL;
		if (*at != '\'') {
			g_string_append_c(word, *at++);
			continue;
		}
		at++;
		if (at[0] != '\\' || (at[1] != '\'' && at[1] != '!') || at[2] != '\'')
			break;
		g_string_append_c(word, at[1]);
		at += 3;
	}
	*text = at;
	return g_string_free(g_steal_pointer(&word), FALSE);
}

static gboolean append_pair(MlvConfig *config, const char *key, const char *value, GError **error)
{
	if (!mlv_config_key_check(key, error))
		return FALSE;
	mlv_config_append(config, MLV_CONFIG_ENVIRONMENT, key, value);
	return TRUE;
}

/* GIT_CONFIG_PARAMETERS: 'key'='value' ..., or of older gits 'key=value' .... */
static gboolean append_parameters(MlvConfig *config, const char *text, GError **error)
{
	while (*text) {
		if (g_ascii_isspace(*text)) {
			text++;
			continue;
		}
		g_autofree char *key = unquote(&text);
		g_autofree char *value = NULL;
		if (!key)
			return mlv_fail(error, MLV_ERROR_FAILED,
					"GIT_CONFIG_PARAMETERS is not as git writes it");
		if (*text == '=') {
			text++;
			if (*text == '\'' && !(value = unquote(&text)))
				return mlv_fail(error, MLV_ERROR_FAILED,
						"GIT_CONFIG_PARAMETERS is not as git writes it");
		} else if (strchr(key, '=')) {
			char *equals = strchr(key, '=');
			value = g_strdup(equals + 1);
			*equals = '\0';
		}
		if (!append_pair(config, key, value, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean append_counted(MlvConfig *config, const char *count_text, GError **error)
{
	gint64 count;

	if (!mlv_config_parse_int(count_text, &count, NULL) || count < 0 || count > 10000)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"GIT_CONFIG_COUNT is '%s', which is not a count", count_text);
	for (gint64 i = 0; i < count; i++) {
		g_autofree char *key_name = g_strdup_printf("GIT_CONFIG_KEY_%" G_GINT64_FORMAT, i);
		g_autofree char *value_name =
			g_strdup_printf("GIT_CONFIG_VALUE_%" G_GINT64_FORMAT, i);
		const char *key = g_getenv(key_name), *value = g_getenv(value_name);
		if (!key || !value)
			return mlv_fail(error, MLV_ERROR_FAILED,
					"'%s' is not set, though GIT_CONFIG_COUNT is %s",
					key ? value_name : key_name, count_text);
		if (!append_pair(config, key, value, error))
			return FALSE;
	}
	return TRUE;
}

gboolean mlv_config_append_environment(MlvConfig *config, GError **error)
{
	const char *count = g_getenv("GIT_CONFIG_COUNT");
	const char *parameters = g_getenv("GIT_CONFIG_PARAMETERS");

	if (count && *count && !append_counted(config, count, error))
		return FALSE;
	return !parameters || append_parameters(config, parameters, error);
}
