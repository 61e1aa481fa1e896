/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file, text, sorted, one byte sequence per state:
 *
 *	mlv-partial 1
 *	target data/images
 *	path data/images/dogs
 *
 * A target's line, then its included paths, none below another. In paths a backslash is "\\" and
 * a newline "\n".
 */
#include "core/partial.h"

#include <fcntl.h>
#include <string.h>

#include "storage/file.h"

#define PARTIAL_MAX (256u << 20)
#define HEADER      "mlv-partial 1\n"

struct MlvPartial {
	char *dir;           /* <git dir>/mlv */
	GHashTable *targets; /* path -> GPtrArray of char *, sorted, none below another */
	gboolean changed;
};

/* Whether `path` is `above` or lies below it. */
static gboolean is_below(const char *path, const char *above)
{
	gsize length = strlen(above);

	return strncmp(path, above, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* The number of the first element that is not before `path`. */
static guint lower_bound(const GPtrArray *paths, const char *path)
{
	guint low = 0, high = paths->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;
		if (strcmp(paths->pdata[middle], path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static gboolean contains(const GPtrArray *paths, const char *path)
{
	guint at = lower_bound(paths, path);

	return at < paths->len && strcmp(paths->pdata[at], path) == 0;
}

/* Whether path or a folder above it is in the list. */
static gboolean covers(const GPtrArray *paths, const char *path)
{
	g_autofree char *at = g_strdup(path);

	for (;;) {
		if (contains(paths, at))
			return TRUE;
		char *slash = strrchr(at, '/');
		if (!slash)
			return FALSE;
		*slash = '\0';
	}
}

static void insert(GPtrArray *paths, const char *path)
{
	g_autofree char *below = g_strconcat(path, "/", NULL);

	if (covers(paths, path))
		return;
	guint from = lower_bound(paths, below), to = from;
	while (to < paths->len && g_str_has_prefix(paths->pdata[to], below))
		to++;
	if (to > from)
		g_ptr_array_remove_range(paths, from, to - from);
	g_ptr_array_insert(paths, (gint)lower_bound(paths, path), g_strdup(path));
}

/* --- the file --------------------------------------------------------------------------------- */

static void append_line(GString *text, const char *key, const char *path)
{
	g_string_append(text, key);
	for (; *path; path++) {
		if (*path == '\\')
			g_string_append(text, "\\\\");
		else if (*path == '\n')
			g_string_append(text, "\\n");
		else
			g_string_append_c(text, *path);
	}
	g_string_append_c(text, '\n');
}

/* Undoes the escapes of a line; NULL if they are wrong, or there is nothing. */
static char *unescape(const char *text, gsize length)
{
	g_autoptr(GString) path = g_string_new(NULL);

	for (gsize i = 0; i < length; i++) {
		if (text[i] == '\0')
			return NULL;
		if (text[i] != '\\') {
			g_string_append_c(path, text[i]);
			continue;
		}
		if (++i == length || (text[i] != '\\' && text[i] != 'n'))
			return NULL;
		g_string_append_c(path, text[i] == 'n' ? '\n' : '\\');
	}
	return path->len > 0 ? g_string_free(g_steal_pointer(&path), FALSE) : NULL;
}

/* One line; `paths` is the list of the target under way. FALSE if it is none. */
static gboolean parse_line(MlvPartial *partial, const char *line, gsize length, const char **target,
			   GPtrArray **paths)
{
	gboolean is_target = length > 7 && memcmp(line, "target ", 7) == 0;
	gsize skip = is_target ? 7 : 5;

	if (!is_target && (length <= 5 || memcmp(line, "path ", 5) != 0))
		return FALSE;
	g_autofree char *path = unescape(line + skip, length - skip);
	if (!path)
		return FALSE;
	if (is_target) {
		if (g_hash_table_contains(partial->targets, path))
			return FALSE;
		*paths = g_ptr_array_new_with_free_func(g_free);
		*target = path;
		g_hash_table_insert(partial->targets, g_steal_pointer(&path), *paths);
		return TRUE;
	}
	if (!*paths || !is_below(path, *target) || strcmp(path, *target) == 0)
		return FALSE;
	insert(*paths, path);
	return TRUE;
}

static gboolean parse(MlvPartial *partial, const char *text, gsize length, GError **error)
{
	const char *end = text + length, *target = NULL;
	GPtrArray *paths = NULL;
	guint number = 1;

	if (length < strlen(HEADER) || memcmp(text, HEADER, strlen(HEADER)) != 0)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"'%s/partial' does not begin as a list of partial data",
				partial->dir);
	for (text += strlen(HEADER); text < end;) {
		const char *line_end = memchr(text, '\n', (gsize)(end - text));

		number++;
		if (!line_end ||
		    !parse_line(partial, text, (gsize)(line_end - text), &target, &paths))
			return mlv_fail(
				error, MLV_ERROR_CORRUPT,
				"line %u of '%s/partial' is damaged; remove that file if all "
				"tracked data is meant to be here",
				number, partial->dir);
		text = line_end + 1;
	}
	return TRUE;
}

MlvPartial *mlv_partial_open(MlvRepo *repo, GError **error)
{
	g_autoptr(MlvPartial) partial = g_new0(MlvPartial, 1);
	g_autoptr(GError) local = NULL;

	partial->dir = g_strdup(mlv_repo_worktree_dir(repo));
	partial->targets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						 (GDestroyNotify)g_ptr_array_unref);
	g_autofree char *file = g_strconcat(partial->dir, "/partial", NULL);
	g_autoptr(GBytes) bytes = mlv_file_read(AT_FDCWD, file, PARTIAL_MAX, &local);
	if (!bytes && !g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return NULL;
	}
	if (bytes && !parse(partial, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error))
		return NULL;
	return g_steal_pointer(&partial);
}

void mlv_partial_close(MlvPartial *partial)
{
	if (!partial)
		return;
	g_hash_table_unref(partial->targets);
	g_free(partial->dir);
	g_free(partial);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

gboolean mlv_partial_save(MlvPartial *partial, GError **error)
{
	if (!partial->changed)
		return TRUE;
	g_autoptr(GString) text = g_string_new(HEADER);
	GList *targets = g_list_sort(g_hash_table_get_keys(partial->targets), by_name);
	for (GList *at = targets; at; at = at->next) {
		GPtrArray *paths = g_hash_table_lookup(partial->targets, at->data);
		append_line(text, "target ", at->data);
		for (guint i = 0; i < paths->len; i++)
			append_line(text, "path ", paths->pdata[i]);
	}
	g_list_free(targets);
	if (!mlv_file_make_dirs(AT_FDCWD, partial->dir, 0777, error))
		return FALSE;
	g_autofree char *file = g_strconcat(partial->dir, "/partial", NULL);
	if (!mlv_file_replace(AT_FDCWD, file, text->str, text->len, 0666, FALSE, error))
		return FALSE;
	partial->changed = FALSE;
	return TRUE;
}

/* --- asking and changing ---------------------------------------------------------------------- */

gboolean mlv_partial_has(const MlvPartial *partial, const char *target)
{
	return g_hash_table_contains(partial->targets, target);
}

gboolean mlv_partial_expects(const MlvPartial *partial, const char *target, const char *path)
{
	const GPtrArray *paths = g_hash_table_lookup(partial->targets, target);

	return !paths || covers(paths, path);
}

gboolean mlv_partial_expects_below(const MlvPartial *partial, const char *target, const char *path)
{
	const GPtrArray *paths = g_hash_table_lookup(partial->targets, target);

	if (!paths || covers(paths, path))
		return TRUE;
	g_autofree char *below = g_strconcat(path, "/", NULL);
	guint at = lower_bound(paths, below);
	return at < paths->len && g_str_has_prefix(paths->pdata[at], below);
}

void mlv_partial_begin(MlvPartial *partial, const char *target)
{
	if (mlv_partial_has(partial, target))
		return;
	g_hash_table_insert(partial->targets, g_strdup(target),
			    g_ptr_array_new_with_free_func(g_free));
	partial->changed = TRUE;
}

void mlv_partial_include(MlvPartial *partial, const char *target, const char *path)
{
	GPtrArray *paths = g_hash_table_lookup(partial->targets, target);

	if (!paths || (strcmp(path, target) != 0 && covers(paths, path)))
		return;
	if (strcmp(path, target) == 0)
		g_hash_table_remove(partial->targets, target);
	else
		insert(paths, path);
	partial->changed = TRUE;
}

static gboolean is_unbrought(gpointer target, gpointer paths, gpointer user)
{
	return ((const GPtrArray *)paths)->len == 0;
}

void mlv_partial_forget_unbrought(MlvPartial *partial)
{
	if (g_hash_table_foreach_remove(partial->targets, is_unbrought, NULL) > 0)
		partial->changed = TRUE;
}

void mlv_partial_forget(MlvPartial *partial, const char *target)
{
	if (g_hash_table_remove(partial->targets, target))
		partial->changed = TRUE;
}

void mlv_partial_rename(MlvPartial *partial, const char *target, const char *new_target)
{
	GPtrArray *old = g_hash_table_lookup(partial->targets, target);

	if (!old || strcmp(target, new_target) == 0)
		return;
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < old->len; i++) {
		g_autofree char *path =
			g_strconcat(new_target, (char *)old->pdata[i] + strlen(target), NULL);
		insert(paths, path);
	}
	g_hash_table_remove(partial->targets, target);
	g_hash_table_replace(partial->targets, g_strdup(new_target), paths);
	partial->changed = TRUE;
}
