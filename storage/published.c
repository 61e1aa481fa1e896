/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/published.h"

#include <string.h>

#define FIRST_LINE "mlv list 1\n"
#define SUM_KEY    "sha256 "
/* Listings until the list stays right; more changes meanwhile are somebody's loop. */
#define ROUNDS_MAX 20

/* --- the text --------------------------------------------------------------------------------- */

static gboolean is_listable(const char *name)
{
	MlvRootName root;
	MlvId index;

	return mlv_index_parse_path(name, &index) || mlv_root_parse_path(name, &root);
}

static void append_sum(GString *text)
{
	char hex[MLV_ID_HEX + 1];
	MlvId id;

	mlv_id_of(text->str, text->len, &id);
	mlv_id_format(&id, hex);
	g_string_append_printf(text, SUM_KEY "%s\n", hex);
}

GBytes *mlv_published_format(const GArray *listed)
{
	GString *text = g_string_new(FIRST_LINE);

	for (guint i = 0; i < listed->len; i++) {
		const MlvListed *at = &g_array_index(listed, MlvListed, i);

		if (is_listable(at->name))
			g_string_append_printf(text,
					       "%s %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT "\n",
					       at->name, at->size, MAX(at->mtime, 0));
	}
	append_sum(text);
	return g_string_free_to_bytes(text);
}

static gboolean fail_damaged(const char *label, const char *why, GError **error)
{
	return mlv_fail(error, MLV_ERROR_CORRUPT, "the list '%s' at '%s' is damaged: %s",
			MLV_PUBLISHED_NAME, label, why);
}

/* A decimal number without sign and leading zeros; *end is what stands behind it. */
static gboolean parse_number(const char *text, guint64 *value, const char **end)
{
	guint64 sum = 0;
	const char *at = text;

	for (; g_ascii_isdigit(*at); at++) {
		guint64 digit = (guint64)(*at - '0');

		if (sum > (G_MAXINT64 - digit) / 10)
			return FALSE;
		sum = sum * 10 + digit;
	}
	*value = sum;
	*end = at;
	return at > text && (*text != '0' || at == text + 1);
}

static void clear_listed(gpointer data)
{
	g_free(((MlvListed *)data)->name);
}

/* One line, ended by a NUL. */
static gboolean parse_line(const char *line, GArray *listed)
{
	const char *space = strchr(line, ' ');
	const char *end;
	guint64 mtime;
	MlvListed one;

	if (!space || !parse_number(space + 1, &one.size, &end) || *end != ' ' ||
	    !parse_number(end + 1, &mtime, &end) || *end)
		return FALSE;
	one.mtime = (gint64)mtime;
	one.name = g_strndup(line, (gsize)(space - line));
	if (!is_listable(one.name) ||
	    (listed->len > 0 &&
	     strcmp(g_array_index(listed, MlvListed, listed->len - 1).name, one.name) >= 0)) {
		g_free(one.name);
		return FALSE;
	}
	g_array_append_val(listed, one);
	return TRUE;
}

/* Whether the last line is the sum of all before it; cuts it off. */
static gboolean check_sum(char *text, gsize length)
{
	const gsize line = strlen(SUM_KEY) + MLV_ID_HEX + 1;
	char hex[MLV_ID_HEX + 1];
	MlvId id;

	if (length < line || text[length - 1] != '\n')
		return FALSE;
	mlv_id_of(text, length - line, &id);
	mlv_id_format(&id, hex);
	text[length - 1] = '\0';
	if (strncmp(text + length - line, SUM_KEY, strlen(SUM_KEY)) != 0 ||
	    strcmp(text + length - line + strlen(SUM_KEY), hex) != 0)
		return FALSE;
	text[length - line] = '\0';
	return TRUE;
}

GArray *mlv_published_parse(GBytes *bytes, const char *label, GError **error)
{
	g_autoptr(GArray) listed = g_array_new(FALSE, FALSE, sizeof(MlvListed));
	gsize length;
	const char *data = g_bytes_get_data(bytes, &length);
	g_autofree char *text = g_strndup(data ? data : "", length);
	char *line, *end;

	g_array_set_clear_func(listed, clear_listed);
	if (length > MLV_PUBLISHED_MAX || strlen(text) != length ||
	    !g_str_has_prefix(text, "mlv list ") || !strchr(text, '\n')) {
		fail_damaged(label, "it does not begin with 'mlv list'", error);
		return NULL;
	}
	if (!g_str_has_prefix(text, FIRST_LINE)) {
		mlv_fail(error, MLV_ERROR_UNSUPPORTED,
			 "the list '%s' at '%s' is of another version than 1: install a newer mlv",
			 MLV_PUBLISHED_NAME, label);
		return NULL;
	}
	if (!check_sum(text, length)) {
		fail_damaged(label, "its sum is wrong, or it is cut short", error);
		return NULL;
	}
	for (line = text + strlen(FIRST_LINE); *line; line = end + 1) {
		end = strchr(line, '\n');
		if (end)
			*end = '\0';
		if (!end || !parse_line(line, listed)) {
			fail_damaged(label, "a line is not 'name size time', or out of order",
				     error);
			return NULL;
		}
	}
	return g_steal_pointer(&listed);
}

/* --- the file --------------------------------------------------------------------------------- */

MlvPublishedState mlv_published_state(const GArray *listed)
{
	const MlvListed *list = NULL;
	g_autoptr(GBytes) text = NULL;
	gint64 latest = 0;

	for (guint i = 0; i < listed->len; i++) {
		const MlvListed *at = &g_array_index(listed, MlvListed, i);

		if (strcmp(at->name, MLV_PUBLISHED_NAME) == 0)
			list = at;
		else if (is_listable(at->name))
			latest = MAX(latest, at->mtime);
	}
	if (!list)
		return MLV_PUBLISHED_NOT;
	text = mlv_published_format(listed);
	return list->size == g_bytes_get_size(text) && list->mtime >= latest ? MLV_PUBLISHED_GOOD
									     : MLV_PUBLISHED_STALE;
}

static GBytes *list_now(MlvMedium *medium, guint64 *names, GError **error)
{
	g_autoptr(GArray) listed = mlv_medium_list_all(medium, MLV_PUBLISHED_PREFIX, error);

	if (!listed)
		return NULL;
	*names = 0;
	for (guint i = 0; i < listed->len; i++)
		*names += is_listable(g_array_index(listed, MlvListed, i).name);
	return mlv_published_format(listed);
}

static gboolean put(MlvMedium *medium, GBytes *text, GError **error)
{
	g_autoptr(GPtrArray) ops = mlv_ops_new();
	MlvOp *op = mlv_op_new(MLV_OP_PUT, MLV_PUBLISHED_NAME);

	op->bytes = g_bytes_ref(text);
	op->replace = TRUE;
	g_ptr_array_add(ops, op);
	return mlv_medium_run_all(medium, ops, FALSE, error);
}

gboolean mlv_published_write_once(MlvMedium *medium, GError **error)
{
	guint64 names;
	g_autoptr(GBytes) text = list_now(medium, &names, error);

	return text && put(medium, text, error);
}

gboolean mlv_published_write(MlvMedium *medium, guint64 *names, GError **error)
{
	g_autoptr(GBytes) written = NULL;

	if (medium->read_only)
		return mlv_fail(error, MLV_ERROR_UNSUPPORTED,
				"'%s' can only be read; the list is written where the remote can "
				"be written to",
				medium->url);
	for (int round = 0; round < ROUNDS_MAX; round++) {
		g_autoptr(GBytes) now = list_now(medium, names, error);

		if (!now)
			return FALSE;
		if (written && g_bytes_equal(now, written))
			return TRUE;
		if (!put(medium, now, error))
			return FALSE;
		g_clear_pointer(&written, g_bytes_unref);
		written = g_steal_pointer(&now);
	}
	/* Whoever changes it so often publishes after each change. */
	return TRUE;
}

gboolean mlv_published_remove(MlvMedium *medium, GError **error)
{
	if (medium->read_only)
		return mlv_fail(error, MLV_ERROR_UNSUPPORTED, "'%s' can only be read", medium->url);
	return mlv_medium_delete(medium, MLV_PUBLISHED_NAME, error);
}
