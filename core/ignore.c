/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ignore.h"

#include <string.h>

/* --- lines of a .gitignore -------------------------------------------------------------------- */

char *mlv_ignore_line(const char *name)
{
	g_autoptr(GString) line = g_string_new("/");
	gsize length = strlen(name);
	gsize trailing = length;

	while (trailing > 0 && (name[trailing - 1] == ' ' || name[trailing - 1] == '\t'))
		trailing--;
	for (gsize i = 0; i < length; i++) {
		/* git takes a CR before the line end for part of it: a class keeps it. */
		if (name[i] == '\r' && i + 1 == length) {
			g_string_append(line, "[\r]");
			continue;
		}
		if (strchr("\\*?[", name[i]) || i >= trailing)
			g_string_append_c(line, '\\');
		g_string_append_c(line, name[i]);
	}
	return g_string_free(g_steal_pointer(&line), FALSE);
}

/* The next line of the bytes at *at: its length without the end, and *next behind the end. */
static gsize line_length(const char *at, const char *end, const char **next)
{
	const char *newline = memchr(at, '\n', (gsize)(end - at));
	const char *stop = newline ? newline : end;

	*next = newline ? newline + 1 : end;
	if (stop > at && stop[-1] == '\r')
		stop--;
	return (gsize)(stop - at);
}

static GHashTable *line_set(const char *const *names, gsize count)
{
	GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (gsize i = 0; i < count; i++)
		g_hash_table_add(set, mlv_ignore_line(names[i]));
	return set;
}

GBytes *mlv_ignore_add_lines(const void *data, gsize length, const char *const *names, gsize count)
{
	g_autoptr(GHashTable) wanted = line_set(names, count);
	const char *start = data, *end = start + length;

	for (const char *at = start, *next; at < end; at = next) {
		g_autofree char *line = g_strndup(at, line_length(at, end, &next));
		g_hash_table_remove(wanted, line);
	}
	if (g_hash_table_size(wanted) == 0)
		return NULL;

	g_autoptr(GString) out = g_string_new_len(start, (gssize)length);
	const char *first = length ? memchr(start, '\n', length) : NULL;
	const char *line_end = first && first > start && first[-1] == '\r' ? "\r\n" : "\n";
	if (out->len > 0 && out->str[out->len - 1] != '\n')
		g_string_append(out, line_end);
	for (gsize i = 0; i < count; i++) {
		g_autofree char *line = mlv_ignore_line(names[i]);
		if (g_hash_table_remove(wanted, line))
			g_string_append(g_string_append(out, line), line_end);
	}
	return g_string_free_to_bytes(g_steal_pointer(&out));
}

GBytes *mlv_ignore_remove_lines(const void *data, gsize length, const char *const *names,
				gsize count)
{
	g_autoptr(GHashTable) unwanted = line_set(names, count);
	g_autoptr(GString) out = g_string_sized_new(length);
	const char *start = data, *end = start + length;

	for (const char *at = start, *next; at < end; at = next) {
		g_autofree char *line = g_strndup(at, line_length(at, end, &next));
		if (!g_hash_table_contains(unwanted, line))
			g_string_append_len(out, at, next - at);
	}
	if (out->len == length)
		return NULL;
	return g_string_free_to_bytes(g_steal_pointer(&out));
}

#define PATTERN_MAX 4096 /* bytes; longer ones match nothing */

/* --- rules ------------------------------------------------------------------------------------ */

typedef struct {
	char *text;
	gboolean negated;
	gboolean only_dirs;
	gboolean anchored; /* matched against the whole path, not the last part */
	gboolean literal;  /* no wildcards */
} Pattern;

struct MlvIgnoreRules {
	gint references;
	MlvIgnoreRules *parent;
	char *dir;
	gsize dir_length;
	Pattern *patterns;
	gsize count;
};

/* Cuts blanks off the end of a line, but for one behind a backslash. */
static void trim_blanks(char *line)
{
	gsize keep = 0;

	for (gsize i = 0; line[i]; i++) {
		if (line[i] == '\\' && line[i + 1])
			i++;
		else if (line[i] == ' ')
			continue;
		keep = i + 1;
	}
	line[keep] = '\0';
}

/* FALSE for a line that is no pattern. Takes `line`, which it cuts up. */
static gboolean parse_pattern(char *line, Pattern *pattern)
{
	char *text = line;

	*pattern = (Pattern){ 0 };
	trim_blanks(line);
	if (*text == '#')
		return FALSE;
	if (*text == '!') {
		pattern->negated = TRUE;
		text++;
	}
	gsize length = strlen(text);
	if (length > 0 && text[length - 1] == '/') {
		pattern->only_dirs = TRUE;
		text[--length] = '\0';
	}
	pattern->anchored = strchr(text, '/') != NULL;
	if (*text == '/')
		text++;
	if (!*text || length > PATTERN_MAX || !mlv_ignore_wildmatch_valid(text))
		return FALSE;
	pattern->literal = !strpbrk(text, "*?[\\");
	pattern->text = g_strdup(text);
	return TRUE;
}

MlvIgnoreRules *mlv_ignore_rules_new(MlvIgnoreRules *parent, const char *dir, const void *data,
				     gsize length)
{
	g_autoptr(GArray) patterns = g_array_new(FALSE, FALSE, sizeof(Pattern));
	const char *at = data, *end = at + length;

	if (length >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	for (const char *next; at < end; at = next) {
		g_autofree char *line = g_strndup(at, line_length(at, end, &next));
		Pattern pattern;
		if (parse_pattern(line, &pattern))
			g_array_append_val(patterns, pattern);
	}
	if (patterns->len == 0)
		return mlv_ignore_rules_ref(parent);

	MlvIgnoreRules *rules = g_new0(MlvIgnoreRules, 1);
	rules->references = 1;
	rules->parent = mlv_ignore_rules_ref(parent);
	rules->dir = g_strdup(dir);
	rules->dir_length = strlen(dir);
	rules->count = patterns->len;
	rules->patterns = (Pattern *)(gpointer)g_array_free(g_steal_pointer(&patterns), FALSE);
	return rules;
}

MlvIgnoreRules *mlv_ignore_rules_ref(MlvIgnoreRules *rules)
{
	if (rules)
		g_atomic_int_inc(&rules->references);
	return rules;
}

void mlv_ignore_rules_unref(MlvIgnoreRules *rules)
{
	while (rules && g_atomic_int_dec_and_test(&rules->references)) {
		MlvIgnoreRules *parent = rules->parent;
		for (gsize i = 0; i < rules->count; i++)
			g_free(rules->patterns[i].text);
		g_free(rules->patterns);
		g_free(rules->dir);
		g_free(rules);
		rules = parent;
	}
}

static gboolean pattern_matches(const Pattern *pattern, const char *path, const char *name,
				gboolean is_dir)
{
	const char *subject = pattern->anchored ? path : name;

	if (pattern->only_dirs && !is_dir)
		return FALSE;
	if (pattern->literal)
		return strcmp(pattern->text, subject) == 0;
	return mlv_ignore_wildmatch(pattern->text, subject);
}

gboolean mlv_ignore_match(const MlvIgnoreRules *rules, const char *path, gboolean is_dir)
{
	if (!rules)
		return FALSE;
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	/* The nearest file decides, in it the last line that matches. */
	for (; rules; rules = rules->parent) {
		const char *inner = path;
		if (rules->dir_length > 0) {
			if (strncmp(path, rules->dir, rules->dir_length) != 0 ||
			    path[rules->dir_length] != '/')
				continue;
			inner = path + rules->dir_length + 1;
		}
		for (gsize i = rules->count; i-- > 0;)
			if (pattern_matches(&rules->patterns[i], inner, name, is_dir))
				return !rules->patterns[i].negated;
	}
	return FALSE;
}
