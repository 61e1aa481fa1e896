/* SPDX-License-Identifier: Apache-2.0 */
/* Pointer files and locks of the work tree. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/target.h"
#include "storage/file.h"

gboolean mlv_git_read_pointer_file(MlvRepo *repo, const char *path, MlvPointer *pointer,
				   gboolean *found, GError **error)
{
	g_autofree char *file = mlv_pointer_path(path);
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) bytes = mlv_repo_read_file(repo, file, 64 * MLV_POINTER_MAX, &local);
	gsize length;

	*found = bytes != NULL;
	if (!bytes && g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING))
		return TRUE;
	if (!bytes) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	const char *data = g_bytes_get_data(bytes, &length);
	return mlv_pointer_parse(data, length, file, pointer, error);
}

/* Adds the pointer file of `path` if it is there; what is wrong with it goes into the element. */
static void add_file(MlvRepo *repo, GPtrArray *pointers, const char *path)
{
	MlvTracked *tracked = g_new0(MlvTracked, 1);
	gboolean found;

	tracked->path = g_strdup(path);
	if (mlv_git_read_pointer_file(repo, path, &tracked->pointer, &found, &tracked->error) &&
	    !found)
		mlv_tracked_free(tracked);
	else
		g_ptr_array_add(pointers, tracked);
}

/* The same for what a lock names. */
static void add_lock(MlvRepo *repo, GPtrArray *pointers, const char *file)
{
	GError *why = NULL;
	g_autoptr(GBytes) bytes =
		mlv_repo_read_file(repo, file, mlv_target_max(MLV_TARGET_LOCK), &why);
	gsize length;

	if (bytes) {
		const char *data = g_bytes_get_data(bytes, &length);
		mlv_target_parse(file, data, length, NULL, pointers);
	} else if (!g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING)) {
		mlv_target_unread(file, NULL, why, pointers);
	} else {
		g_error_free(why);
	}
}

/* Each lock that the index or HEAD has. */
static gboolean add_known_locks(MlvRepo *repo, GPtrArray *pointers, const GPtrArray *head,
				GError **error)
{
	g_autoptr(GPtrArray) locks = mlv_git_locks_in_index(repo, error);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	if (!locks)
		return FALSE;
	for (guint i = 0; i < locks->len; i++)
		if (g_hash_table_add(seen, locks->pdata[i]))
			add_lock(repo, pointers, locks->pdata[i]);
	for (guint i = 0; i < head->len; i++) {
		const MlvTracked *tracked = head->pdata[i];
		if (tracked->lock && g_hash_table_add(seen, tracked->lock))
			add_lock(repo, pointers, tracked->lock);
	}
	return TRUE;
}

static gboolean add_known(MlvRepo *repo, GPtrArray *pointers, GError **error)
{
	g_autoptr(GPtrArray) staged = mlv_git_pointers_in_index(repo, error);
	g_autoptr(GPtrArray) head = staged ? mlv_git_pointers_in_head(repo, error) : NULL;
	const char *last = NULL;

	if (!head)
		return FALSE;
	for (guint i = 0; i < staged->len; i++) {
		const MlvTracked *tracked = staged->pdata[i];
		if (!tracked->lock && (!last || strcmp(last, tracked->path) != 0))
			add_file(repo, pointers, tracked->path);
		last = tracked->path;
	}
	for (guint i = 0; i < head->len; i++) {
		const MlvTracked *tracked = head->pdata[i];
		const MlvTracked *now = mlv_tracked_find(staged, tracked->path);
		if (!tracked->lock && (!now || now->lock))
			add_file(repo, pointers, tracked->path);
	}
	return add_known_locks(repo, pointers, head, error);
}

/* What one folder holds: its subfolders, and the data names of its pointers. */
typedef struct {
	GPtrArray *folders;
	GHashTable *pointers;
	gboolean is_repository;
	gboolean has_lock;
} Folder;

static gboolean is_folder(int dirfd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static gboolean read_folder(MlvRepo *repo, const char *path, Folder *folder, GError **error)
{
	int fd = mlv_file_open_beneath(mlv_repo_root_fd(repo), *path ? path : ".",
				       O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!dir) {
		gboolean gone = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
		if (fd >= 0)
			close(fd);
		return gone || mlv_fail_errno(error, "cannot read folder '%s'", path);
	}
	for (struct dirent *entry; (errno = 0, entry = readdir(dir));) {
		const char *name = entry->d_name;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (strcmp(name, ".git") == 0)
			folder->is_repository = TRUE;
		else if (is_folder(fd, entry))
			g_ptr_array_add(folder->folders, g_strdup(name));
		else if (mlv_target_file(name) == MLV_TARGET_POINTER)
			g_hash_table_add(folder->pointers, mlv_pointer_data_path(name));
		else if (mlv_target_file(name) == MLV_TARGET_LOCK)
			folder->has_lock = TRUE;
	}
	int problem = errno;
	closedir(dir);
	errno = problem;
	return problem == 0 || mlv_fail_errno(error, "cannot read folder '%s'", path);
}

static char *join(const char *path, const char *name)
{
	return *path ? g_strconcat(path, "/", name, NULL) : g_strdup(name);
}

static void add_folder(MlvRepo *repo, GPtrArray *pointers, const char *path, const Folder *folder,
		       GHashTable *outputs)
{
	GHashTableIter at;
	gpointer name;

	g_hash_table_iter_init(&at, folder->pointers);
	while (g_hash_table_iter_next(&at, &name, NULL)) {
		g_autofree char *data = join(path, name);
		add_file(repo, pointers, data);
	}
	if (!folder->has_lock)
		return;
	g_autofree char *lock = join(path, MLV_TARGET_LOCK_NAME);
	guint from = pointers->len;
	add_lock(repo, pointers, lock);
	for (; from < pointers->len; from++)
		g_hash_table_add(outputs, g_strdup(((MlvTracked *)pointers->pdata[from])->path));
}

/* Neither into tracked data (it has a pointer beside it, or a lock seen so far names it) nor into
 * other repositories. Not recursive: a tree may be deep. */
static gboolean walk(MlvRepo *repo, GPtrArray *pointers, GError **error)
{
	g_autoptr(GPtrArray) pending = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) outputs =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	g_ptr_array_add(pending, g_strdup(""));
	while (pending->len > 0) {
		g_autofree char *path = g_ptr_array_steal_index(pending, pending->len - 1);
		g_autoptr(GPtrArray) folders = g_ptr_array_new_with_free_func(g_free);
		g_autoptr(GHashTable) names =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		Folder folder = { folders, names, FALSE, FALSE };
		if (g_hash_table_contains(outputs, path))
			continue;
		if (!read_folder(repo, path, &folder, error))
			return FALSE;
		if (folder.is_repository && *path)
			continue;
		add_folder(repo, pointers, path, &folder, outputs);
		for (guint i = 0; i < folders->len; i++)
			if (!g_hash_table_contains(names, folders->pdata[i]))
				g_ptr_array_add(pending, join(path, folders->pdata[i]));
	}
	return TRUE;
}

GPtrArray *mlv_git_pointers_in_workspace(MlvRepo *repo, gboolean all, GError **error)
{
	g_autoptr(GPtrArray) pointers =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_tracked_free);

	if (!(all ? walk(repo, pointers, error) : add_known(repo, pointers, error)))
		return NULL;
	mlv_targets_settle(pointers);
	return g_steal_pointer(&pointers);
}
