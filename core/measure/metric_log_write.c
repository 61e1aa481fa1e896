/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/measure/metric_log.h"
#include "core/yaml.h"
#include "storage/file.h"

/* --- NAME=VALUE ------------------------------------------------------------------------------- */

static void item_clear(gpointer data)
{
	MlvLogItem *item = data;

	g_free(item->name);
	mlv_value_unref(item->value);
}

GArray *mlv_log_items_new(void)
{
	GArray *items = g_array_new(FALSE, FALSE, sizeof(MlvLogItem));

	g_array_set_clear_func(items, item_clear);
	return items;
}

static gboolean check_name(const GArray *items, const char *word, const char *name, GError **error)
{
	if (!g_utf8_validate(word, -1, NULL))
		return mlv_fail(error, MLV_ERROR_USAGE, "'%s' is not UTF-8", word);
	if (!*name || *name == '.' || g_str_has_suffix(name, ".") || strstr(name, ".."))
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' has no name, or an empty part in it; write NAME=VALUE", word);
	for (const char *at = name; *at; at++)
		if ((guchar)*at < 0x20 || *at == 0x7f)
			return mlv_fail(error, MLV_ERROR_USAGE,
					"the name in '%s' has a control character", word);
	if (strcmp(name, "step") == 0 || strcmp(name, "time") == 0)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' is no name to log under: a line's step is given by --step, "
				"its time is noted by itself",
				name);
	for (guint i = 0; i < items->len; i++)
		if (strcmp(g_array_index(items, MlvLogItem, i).name, name) == 0)
			return mlv_fail(error, MLV_ERROR_USAGE, "'%s' is given twice", name);
	return TRUE;
}

/* Splits at the first '='; *value points into the word. */
static char *split(const GArray *items, const char *word, const char **value, GError **error)
{
	const char *equals = strchr(word, '=');
	g_autofree char *name = equals ? g_strndup(word, (gsize)(equals - word)) : NULL;

	if (!name) {
		mlv_fail(error, MLV_ERROR_USAGE, "'%s' has no '='; write NAME=VALUE", word);
		return NULL;
	}
	*value = equals + 1;
	return check_name(items, word, name, error) ? g_steal_pointer(&name) : NULL;
}

static void add(GArray *items, char *name, MlvValue *value)
{
	MlvLogItem item = { name, value };
	g_array_append_val(items, item);
}

gboolean mlv_log_add(GArray *items, const char *word, GError **error)
{
	const char *text = NULL;
	g_autofree char *name = split(items, word, &text, error);
	gint64 integer;
	char *end;

	if (!name)
		return FALSE;
	if (g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &integer, NULL)) {
		add(items, g_steal_pointer(&name), mlv_value_new_int(integer));
		return TRUE;
	}
	double real = g_ascii_strtod(text, &end);
	if (end == text || *end || g_ascii_isspace(*text))
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' in '%s' is not a number; 'mlv log-param' takes other values",
				text, word);
	add(items, g_steal_pointer(&name), mlv_value_new_float(real));
	return TRUE;
}

gboolean mlv_log_add_param(GArray *items, const char *word, GError **error)
{
	const char *text = NULL;
	g_autofree char *name = split(items, word, &text, error);
	MlvValue *value = name ? mlv_yaml_parse_word(text, error) : NULL;

	if (!value)
		return FALSE;
	add(items, g_steal_pointer(&name), value);
	return TRUE;
}

/* --- the line --------------------------------------------------------------------------------- */

/* An item with what of its name has not been written. */
typedef struct {
	const char *name;
	const MlvValue *value;
} Rest;

static gsize first_length(const char *name)
{
	return strcspn(name, ".");
}

static gboolean same_first(const Rest *a, const Rest *b)
{
	gsize length = first_length(a->name);
	return length == first_length(b->name) && strncmp(a->name, b->name, length) == 0;
}

/* Whether something is called what is the beginning of another's name: these cannot be nested. */
static gboolean clashes(const GArray *rests)
{
	for (guint i = 0; i < rests->len; i++)
		for (guint j = 0; j < rests->len; j++) {
			const char *a = g_array_index(rests, Rest, i).name;
			const char *b = g_array_index(rests, Rest, j).name;
			gsize length = strlen(a);

			if (i != j && strncmp(a, b, length) == 0 && b[length] == '.')
				return TRUE;
		}
	return FALSE;
}

static void append_value(GString *line, const MlvValue *value)
{
	g_autofree char *json = mlv_value_json(value);
	g_string_append(line, json);
}

/* `"a": 1, "b": {"c": 2, "d": 3}`, names that begin the same in the place of the first. */
static void append_nested(GString *line, const GArray *rests)
{
	g_autofree gboolean *done = g_new0(gboolean, rests->len + 1);
	const char *separator = "";

	for (guint i = 0; i < rests->len; i++) {
		const Rest *rest = &g_array_index(rests, Rest, i);
		gsize length = first_length(rest->name);

		if (done[i])
			continue;
		g_string_append(line, separator);
		separator = ", ";
		mlv_value_append_json_string(line, rest->name, length);
		g_string_append(line, ": ");
		if (!rest->name[length]) {
			append_value(line, rest->value);
			continue;
		}
		g_autoptr(GArray) below = g_array_new(FALSE, FALSE, sizeof(Rest));
		for (guint j = i; j < rests->len; j++) {
			Rest other = g_array_index(rests, Rest, j);

			if (!same_first(rest, &other))
				continue;
			other.name += length + 1;
			g_array_append_val(below, other);
			done[j] = TRUE;
		}
		g_string_append_c(line, '{');
		append_nested(line, below);
		g_string_append_c(line, '}');
	}
}

static void append_flat(GString *line, const GArray *rests)
{
	for (guint i = 0; i < rests->len; i++) {
		const Rest *rest = &g_array_index(rests, Rest, i);

		if (i)
			g_string_append(line, ", ");
		mlv_value_append_json_string(line, rest->name, strlen(rest->name));
		g_string_append(line, ": ");
		append_value(line, rest->value);
	}
}

char *mlv_log_format(const GArray *items, const gint64 *step, gint64 time)
{
	g_autoptr(GArray) rests = g_array_new(FALSE, FALSE, sizeof(Rest));
	GString *line = g_string_new("{");

	for (guint i = 0; i < items->len; i++) {
		const MlvLogItem *item = &g_array_index(items, MlvLogItem, i);
		Rest rest = { item->name, item->value };
		g_array_append_val(rests, rest);
	}
	if (step)
		g_string_append_printf(line, "\"step\": %" G_GINT64_FORMAT ", ", *step);
	g_string_append_printf(line, "\"time\": %" G_GINT64_FORMAT ".%03d", time / G_USEC_PER_SEC,
			       (int)(time % G_USEC_PER_SEC / 1000));
	if (rests->len > 0)
		g_string_append(line, ", ");
	if (clashes(rests))
		append_flat(line, rests);
	else
		append_nested(line, rests);
	g_string_append(line, "}\n");
	return g_string_free(line, FALSE);
}

/* --- the file --------------------------------------------------------------------------------- */

/* Opens for appending, and for reading its end where that is allowed. */
static int open_log(const char *path, gboolean *created)
{
	int flags = O_APPEND | O_CLOEXEC | O_NOCTTY;
	int fd;

	*created = FALSE;
	while ((fd = open(path, O_RDWR | flags)) < 0 && errno == ENOENT) {
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | flags, 0666);
		*created = fd >= 0;
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	return fd >= 0 || errno != EACCES ? fd : open(path, O_WRONLY | flags);
}

/* Whether the file's last line has no end: its writer was killed, or the disk was full. */
static gboolean is_torn(int fd)
{
	struct stat st;
	char last;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	       pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

gboolean mlv_log_append(const char *path, const char *line, gboolean *created, GError **error)
{
	gboolean fresh = FALSE;
	g_auto(MlvFd) fd = open_log(path, &fresh);

	if (created)
		*created = fresh;
	if (fd < 0)
		return mlv_fail_errno(error, "cannot write the log '%s'", path);
	/* Two that both see it tear it off twice: a blank line means nothing. */
	g_autofree char *whole = g_strconcat(is_torn(fd) ? "\n" : "", line, NULL);
	gsize length = strlen(whole);
	gssize written;

	do {
		written = write(fd, whole, length);
	} while (written < 0 && errno == EINTR);
	if (written < 0)
		return mlv_fail_errno(error, "cannot write the log '%s'", path);
	/* The rest in a second write could land behind another's line. */
	return (gsize)written == length ||
	       mlv_fail(error, MLV_ERROR_FAILED,
			"cannot write the log '%s': only %" G_GSSIZE_FORMAT " of %" G_GSIZE_FORMAT
			" bytes found room; free some on its disk",
			path, written, length);
}
