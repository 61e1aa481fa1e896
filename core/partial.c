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

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "storage/file.h"

#define PARTIAL_MAX (256u << 20)
#define HEADER      "mlv-partial 1\n"

/* One change: they are done again over what the file has when it is written. */
typedef enum {
	OP_BEGIN,
	OP_INCLUDE,
	OP_FORGET,
	OP_FORGET_UNBROUGHT,
	OP_RENAME
} OpKind;

typedef struct {
	OpKind kind;
	char *target, *path; /* INCLUDE: the path; RENAME: the new target */
} Op;

struct MlvPartial {
	char *dir;           /* <git dir>/mlv */
	GHashTable *targets; /* path -> GPtrArray of char *, sorted, none below another */
	GArray *ops;         /* of Op: what was changed since it was read */
};

static void op_clear(gpointer data)
{
	Op *op = data;

	g_free(op->target);
	g_free(op->path);
}

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

static GHashTable *new_targets(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
				     (GDestroyNotify)g_ptr_array_unref);
}

/* Takes the targets from the file, as it is now. */
static gboolean load(MlvPartial *partial, GError **error)
{
	g_autofree char *file = g_strconcat(partial->dir, "/partial", NULL);
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) bytes = mlv_file_read(AT_FDCWD, file, PARTIAL_MAX, &local);

	g_hash_table_remove_all(partial->targets);
	if (bytes)
		return parse(partial, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
			     error);
	if (g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

MlvPartial *mlv_partial_open(MlvRepo *repo, GError **error)
{
	g_autoptr(MlvPartial) partial = g_new0(MlvPartial, 1);

	partial->dir = g_strdup(mlv_repo_worktree_dir(repo));
	partial->targets = new_targets();
	partial->ops = g_array_new(FALSE, FALSE, sizeof(Op));
	g_array_set_clear_func(partial->ops, op_clear);
	return load(partial, error) ? g_steal_pointer(&partial) : NULL;
}

void mlv_partial_close(MlvPartial *partial)
{
	if (!partial)
		return;
	g_hash_table_unref(partial->targets);
	g_array_unref(partial->ops);
	g_free(partial->dir);
	g_free(partial);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

static gboolean write_file(MlvPartial *partial, GError **error)
{
	g_autofree char *file = g_strconcat(partial->dir, "/partial", NULL);
	g_autoptr(GString) text = g_string_new(HEADER);
	GList *targets = g_list_sort(g_hash_table_get_keys(partial->targets), by_name);

	for (GList *at = targets; at; at = at->next) {
		GPtrArray *paths = g_hash_table_lookup(partial->targets, at->data);
		append_line(text, "target ", at->data);
		for (guint i = 0; i < paths->len; i++)
			append_line(text, "path ", paths->pdata[i]);
	}
	g_list_free(targets);
	return mlv_file_replace(AT_FDCWD, file, text->str, text->len, 0666, FALSE, error);
}

/* The lock is the kernel's, which drops it with the process. Where there are none, the last to
 * write wins. */
static gboolean take_lock(MlvPartial *partial, MlvFd *fd, GError **error)
{
	g_autofree char *file = g_strconcat(partial->dir, "/partial-guard", NULL);

	*fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (*fd < 0)
		return mlv_fail_errno(error, "cannot open '%s'", file);
	while (flock(*fd, LOCK_EX) < 0 && errno == EINTR)
		;
	return TRUE;
}

static gboolean apply(GHashTable *all, const Op *op);

/* Makes the changes over what the file has now. *changed tells whether they change anything. */
static gboolean replay(MlvPartial *partial, gboolean *changed, GError **error)
{
	*changed = FALSE;
	if (!load(partial, error))
		return FALSE;
	for (guint i = 0; i < partial->ops->len; i++)
		*changed |= apply(partial->targets, &g_array_index(partial->ops, Op, i));
	return TRUE;
}

gboolean mlv_partial_save(MlvPartial *partial, GError **error)
{
	gboolean changed;
	g_auto(MlvFd) lock = -1;

	if (partial->ops->len == 0)
		return TRUE;
	if (!replay(partial, &changed, error))
		return FALSE;
	if (changed && (!mlv_file_make_dirs(AT_FDCWD, partial->dir, 0777, error) ||
			!take_lock(partial, &lock, error) || !replay(partial, &changed, error) ||
			!write_file(partial, error)))
		return FALSE;
	g_array_set_size(partial->ops, 0);
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

static gboolean begin(GHashTable *all, const char *target)
{
	return !g_hash_table_contains(all, target) &&
	       g_hash_table_insert(all, g_strdup(target), g_ptr_array_new_with_free_func(g_free));
}

static gboolean include(GHashTable *all, const char *target, const char *path)
{
	GPtrArray *paths = g_hash_table_lookup(all, target);

	if (!paths || (strcmp(path, target) != 0 && covers(paths, path)))
		return FALSE;
	if (strcmp(path, target) == 0)
		g_hash_table_remove(all, target);
	else
		insert(paths, path);
	return TRUE;
}

static gboolean is_unbrought(gpointer target, gpointer paths, gpointer user)
{
	return ((const GPtrArray *)paths)->len == 0;
}

static gboolean rename_target(GHashTable *all, const char *target, const char *new_target)
{
	GPtrArray *old = g_hash_table_lookup(all, target);

	if (!old || strcmp(target, new_target) == 0)
		return FALSE;
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < old->len; i++) {
		g_autofree char *path =
			g_strconcat(new_target, (char *)old->pdata[i] + strlen(target), NULL);
		insert(paths, path);
	}
	g_hash_table_remove(all, target);
	g_hash_table_replace(all, g_strdup(new_target), paths);
	return TRUE;
}

/* Whether it changed anything. */
static gboolean apply(GHashTable *all, const Op *op)
{
	switch (op->kind) {
	case OP_BEGIN:
		return begin(all, op->target);
	case OP_INCLUDE:
		return include(all, op->target, op->path);
	case OP_FORGET:
		return g_hash_table_remove(all, op->target);
	case OP_FORGET_UNBROUGHT:
		return g_hash_table_foreach_remove(all, is_unbrought, NULL) > 0;
	case OP_RENAME:
		return rename_target(all, op->target, op->path);
	}
	return FALSE;
}

/* What changes nothing here is kept too: another process may have listed the target meanwhile. */
static void change(MlvPartial *partial, OpKind kind, const char *target, const char *path)
{
	Op op = { kind, g_strdup(target), g_strdup(path) };

	apply(partial->targets, &op);
	g_array_append_val(partial->ops, op);
}

void mlv_partial_begin(MlvPartial *partial, const char *target)
{
	change(partial, OP_BEGIN, target, NULL);
}

void mlv_partial_include(MlvPartial *partial, const char *target, const char *path)
{
	change(partial, OP_INCLUDE, target, path);
}

void mlv_partial_forget_unbrought(MlvPartial *partial)
{
	change(partial, OP_FORGET_UNBROUGHT, NULL, NULL);
}

void mlv_partial_forget(MlvPartial *partial, const char *target)
{
	change(partial, OP_FORGET, target, NULL);
}

void mlv_partial_rename(MlvPartial *partial, const char *target, const char *new_target)
{
	change(partial, OP_RENAME, target, new_target);
}
