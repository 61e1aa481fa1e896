/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pipeline/runcache.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "storage/file.h"

#define FOLDER     "runs"
#define ENTRY_MAX  (16u << 20)
#define KEY_LINE   "# key " /* a comment to readers of locks */
#define PATH_LIMIT (sizeof(FOLDER) + MLV_ID_HEX + 1)

/* --- keys ------------------------------------------------------------------------------------- */

/* Fields end in a NUL, which no value holds, so that two lists of fields never look alike. */
static void add_field(GString *text, const char *field)
{
	g_string_append(text, field ? field : "");
	g_string_append_c(text, '\0');
}

static void add_dep(GString *text, const MlvLockPath *dep)
{
	char hex[MLV_ID_HEX + 1] = "";

	add_field(text, "dep");
	add_field(text, dep->path);
	add_field(text, dep->etag);
	if (!dep->etag)
		mlv_id_format(&dep->held.ref.id, hex);
	add_field(text, hex);
	g_string_append_printf(text, "%u %u", dep->held.ref.kind, dep->held.mode);
	add_field(text, NULL);
}

void mlv_runcache_key(const MlvRunInputs *inputs, MlvId *key)
{
	g_autoptr(GString) text = g_string_new(NULL);

	add_field(text, "mlv run 1");
	add_field(text, inputs->shell);
	add_field(text, inputs->wdir);
	for (guint i = 0; i < inputs->cmds->len; i++) {
		add_field(text, "cmd");
		add_field(text, inputs->cmds->pdata[i]);
	}
	for (guint i = 0; i < inputs->deps->len; i++)
		add_dep(text, inputs->deps->pdata[i]);
	for (guint i = 0; i < inputs->params->len; i++) {
		const MlvParam *param = inputs->params->pdata[i];
		g_autofree char *value = param->value ? mlv_value_canonical(param->value) : NULL;
		add_field(text, "param");
		add_field(text, param->file);
		add_field(text, param->key);
		add_field(text, value);
	}
	for (guint i = 0; inputs->environ && i < inputs->environ->len; i++) {
		add_field(text, "env");
		add_field(text, inputs->environ->pdata[i]);
	}
	mlv_id_of(text->str, text->len, key);
}

/* --- entries ---------------------------------------------------------------------------------- */

static int open_dir(MlvRepo *repo)
{
	return open(mlv_repo_mlv_dir(repo), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void entry_path(const MlvId *key, char path[PATH_LIMIT + 1])
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(key, hex);
	g_snprintf(path, PATH_LIMIT + 1, FOLDER "/%s", hex);
}

MlvLock *mlv_runcache_parse_foreign(GBytes *bytes, MlvId *key)
{
	gsize length, head = strlen(KEY_LINE);
	const char *data = g_bytes_get_data(bytes, &length);
	char hex[MLV_ID_HEX + 1] = { 0 };

	if (length < head + MLV_ID_HEX + 1 || memcmp(data, KEY_LINE, head) != 0 ||
	    data[head + MLV_ID_HEX] != '\n')
		return NULL;
	memcpy(hex, data + head, MLV_ID_HEX);
	if (!mlv_id_parse(hex, key))
		return NULL;
	g_autoptr(MlvLock) entry =
		mlv_lock_parse("", data, length, "an entry of the run cache", NULL);
	const MlvLockStage *stage = entry ? mlv_runcache_stage(entry) : NULL;
	return stage && !stage->conflict ? g_steal_pointer(&entry) : NULL;
}

MlvLock *mlv_runcache_parse(const MlvId *key, GBytes *bytes)
{
	MlvId own;
	g_autoptr(MlvLock) entry = mlv_runcache_parse_foreign(bytes, &own);

	return entry && mlv_id_equal(&own, key) ? g_steal_pointer(&entry) : NULL;
}

const MlvLockStage *mlv_runcache_stage(const MlvLock *entry)
{
	g_autoptr(GPtrArray) names = mlv_lock_names(entry);

	return names->len == 1 ? mlv_lock_get(entry, names->pdata[0]) : NULL;
}

static void copy_paths(const GPtrArray *from, GPtrArray *to)
{
	for (guint i = 0; i < from->len; i++) {
		const MlvLockPath *path = from->pdata[i];
		MlvLockPath *copy = mlv_lock_path_new(path->path, &path->held, path->etag);
		copy->no_cache = path->no_cache;
		copy->no_push = path->no_push;
		g_ptr_array_add(to, copy);
	}
}

MlvLockStage *mlv_runcache_copy_stage(const MlvLockStage *stage)
{
	MlvLockStage *copy = mlv_lock_stage_new(stage->name);

	for (guint i = 0; i < stage->cmds->len; i++)
		g_ptr_array_add(copy->cmds, g_strdup(stage->cmds->pdata[i]));
	copy_paths(stage->deps, copy->deps);
	copy_paths(stage->outs, copy->outs);
	for (guint i = 0; i < stage->params->len; i++) {
		const MlvParam *param = stage->params->pdata[i];
		MlvParam *one = g_new0(MlvParam, 1);
		one->file = g_strdup(param->file);
		one->key = g_strdup(param->key);
		one->value = param->value ? mlv_value_ref(param->value) : NULL;
		g_ptr_array_add(copy->params, one);
	}
	return copy;
}

MlvLock *mlv_runcache_find(MlvRepo *repo, const MlvId *key, GError **error)
{
	char path[PATH_LIMIT + 1];
	g_auto(MlvFd) dir = open_dir(repo);
	g_autoptr(GError) why = NULL;

	if (dir < 0)
		return NULL;
	entry_path(key, path);
	g_autoptr(GBytes) bytes = mlv_file_read(dir, path, ENTRY_MAX, &why);
	if (!bytes && g_error_matches(why, MLV_ERROR, MLV_ERROR_FAILED))
		g_propagate_error(error, g_steal_pointer(&why));
	MlvLock *entry = bytes ? mlv_runcache_parse(key, bytes) : NULL;
	if (entry)
		utimensat(dir, path, NULL, 0);
	return entry;
}

/* In place: an entry that is being written, or was not to its end, fails its sum and is as none. */
gboolean mlv_runcache_put_bytes(MlvRepo *repo, const MlvId *key, GBytes *bytes, GError **error)
{
	char path[PATH_LIMIT + 1];
	g_auto(MlvFd) dir = open_dir(repo);
	gsize length;
	const void *data = g_bytes_get_data(bytes, &length);

	if (dir < 0)
		return mlv_fail_errno(error, "cannot open '%s'", mlv_repo_mlv_dir(repo));
	entry_path(key, path);
	if (mkdirat(dir, FOLDER, 0777) < 0 && errno != EEXIST)
		return mlv_fail_errno(error, "cannot make the folder '" FOLDER "'");
	g_auto(MlvFd) fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return fd < 0 ? mlv_fail_errno(error, "cannot write '%s' of the run cache", path)
		      : mlv_file_write(fd, data, length, path, error);
}

gboolean mlv_runcache_put(MlvRepo *repo, const MlvId *key, const MlvLockStage *stage,
			  GError **error)
{
	g_autoptr(MlvLock) entry = mlv_lock_new("");
	char hex[MLV_ID_HEX + 1];
	gsize length;

	mlv_lock_set(entry, mlv_runcache_copy_stage(stage));
	mlv_id_format(key, hex);
	g_autofree char *text = mlv_lock_format(entry, &length);
	char *all = g_strconcat(KEY_LINE, hex, "\n", text, NULL);
	g_autoptr(GBytes) bytes = g_bytes_new_take(all, strlen(all));
	return mlv_runcache_put_bytes(repo, key, bytes, error);
}

/* --- all of them ------------------------------------------------------------------------------ */

/* What is done with an entry that was used last at `time`. */
typedef gboolean (*Visit)(int dir, const char *path, const MlvId *key, gint64 time, gpointer user,
			  GError **error);

static gboolean visit_all(MlvRepo *repo, Visit visit, gpointer user, GError **error)
{
	g_auto(MlvFd) dir = open_dir(repo);
	g_autoptr(GError) why = NULL;
	g_autoptr(GPtrArray) names = dir < 0 ? NULL : mlv_file_list(dir, FOLDER, &why);

	if (!names && why && !g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *path = g_strconcat(FOLDER "/", names->pdata[i], NULL);
		struct stat st;
		MlvId key;
		if (strlen(names->pdata[i]) != MLV_ID_HEX || !mlv_id_parse(names->pdata[i], &key) ||
		    fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
			continue;
		if (!visit(dir, path, &key, st.st_mtim.tv_sec, user, error))
			return FALSE;
	}
	return TRUE;
}

typedef struct {
	gint64 since;
	MlvRunCacheEach each;
	gpointer user;
	guint64 removed;
} Visitor;

static gboolean give_entry(int dir, const char *path, const MlvId *key, gint64 time, gpointer user,
			   GError **error)
{
	Visitor *visitor = user;

	if (time < visitor->since)
		return TRUE;
	g_autoptr(GBytes) bytes = mlv_file_read(dir, path, ENTRY_MAX, NULL);
	return !bytes || visitor->each(key, bytes, visitor->user, error);
}

gboolean mlv_runcache_foreach(MlvRepo *repo, gint64 since, MlvRunCacheEach each, gpointer user,
			      GError **error)
{
	Visitor visitor = { .since = since, .each = each, .user = user };

	return visit_all(repo, give_entry, &visitor, error);
}

static gboolean sweep_entry(int dir, const char *path, const MlvId *key, gint64 time, gpointer user,
			    GError **error)
{
	Visitor *visitor = user;

	if (time >= visitor->since)
		return TRUE;
	if (unlinkat(dir, path, 0) < 0 && errno != ENOENT)
		return mlv_fail_errno(error, "cannot remove '%s' of the run cache", path);
	visitor->removed++;
	return TRUE;
}

gboolean mlv_runcache_sweep(MlvRepo *repo, gint64 since, guint64 *removed, GError **error)
{
	Visitor visitor = { .since = since };
	gboolean ok = visit_all(repo, sweep_entry, &visitor, error);

	*removed = visitor.removed;
	return ok;
}
