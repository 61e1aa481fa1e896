/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one directory: its names, their stat data, and what the stat cache has of them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/scan_private.h"
#include "core/workspace.h"
#include "storage/file.h"

#define SLICE 4096 /* entries of a large directory that a thread stats in one go */

/* Reads all names but temporary ones; their offsets stand in entries[i].st.inode until the names
 * lie still. */
static gboolean read_names(MlvScanDir *dir, int fd, gboolean *temporary, GError **error)
{
	DIR *stream = fdopendir(dup(fd));
	g_autoptr(GArray) entries = g_array_new(FALSE, TRUE, sizeof(MlvScanEntry));

	if (!stream)
		return mlv_fail_errno(error, "cannot read the directory '%s'", dir->path);
	for (;;) {
		errno = 0;
		struct dirent *found = readdir(stream);
		MlvScanEntry entry = { .type = MLV_SCAN_FILE };

		if (!found)
			break;
		if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
			continue;
		if (mlv_workspace_is_temp(found->d_name)) {
			*temporary = TRUE;
			continue;
		}
		if (found->d_type == DT_DIR)
			entry.type = MLV_SCAN_DIRECTORY;
		entry.st.inode = dir->names->len;
		g_byte_array_append(dir->names, (const guint8 *)found->d_name,
				    (guint)strlen(found->d_name) + 1);
		g_array_append_val(entries, entry);
	}
	int problem = errno;
	closedir(stream);
	errno = problem;
	if (problem)
		return mlv_fail_errno(error, "cannot read the directory '%s'", dir->path);
	dir->count = entries->len;
	dir->entries = (MlvScanEntry *)(void *)g_array_free(g_steal_pointer(&entries), FALSE);
	for (gsize i = 0; i < dir->count; i++)
		dir->entries[i].name = (const char *)dir->names->data + dir->entries[i].st.inode;
	return TRUE;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const MlvScanEntry *)a)->name, ((const MlvScanEntry *)b)->name);
}

static void stat_entry(MlvScanDir *dir, int fd, MlvScanEntry *entry)
{
	struct statx stx;

	if (entry->type == MLV_SCAN_DIRECTORY)
		return;
	if (statx(fd, entry->name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_SYNC_AS_STAT,
		  STATX_BASIC_STATS, &stx) < 0) {
		entry->problem = errno;
		entry->type = MLV_SCAN_UNREADABLE;
	} else if (S_ISDIR(stx.stx_mode)) {
		entry->type = MLV_SCAN_DIRECTORY;
	} else if (!mlv_stat_from_statx(&stx, &entry->st)) {
		entry->type = MLV_SCAN_OTHER;
	} else if (dir->has_cached) {
		const MlvStatRecord *record = mlv_statcache_find(&dir->cached, entry->name);
		if (record && mlv_stat_matches(record, &entry->st))
			entry->record = record;
	}
}

void mlv_scan_run_slice(MlvScan *scan, ScanSlices *slices)
{
	gsize from = slices->next++ * SLICE;
	gsize to = MIN(from + SLICE, slices->dir->count);

	g_mutex_unlock(&scan->lock);
	for (gsize i = from; i < to; i++)
		stat_entry(slices->dir, slices->fd, &slices->dir->entries[i]);
	g_mutex_lock(&scan->lock);
	if (++slices->finished == slices->count)
		g_cond_broadcast(&scan->done);
}

static void stat_entries(MlvScan *scan, MlvScanDir *dir, int fd)
{
	ScanSlices slices = { dir, fd, (dir->count + SLICE - 1) / SLICE, 0, 0 };

	if (slices.count <= 1) {
		for (gsize i = 0; i < dir->count; i++)
			stat_entry(dir, fd, &dir->entries[i]);
		return;
	}
	g_mutex_lock(&scan->lock);
	g_queue_push_tail(&scan->slices, &slices);
	g_cond_broadcast(&scan->work);
	while (slices.next < slices.count)
		mlv_scan_run_slice(scan, &slices);
	g_queue_remove(&scan->slices, &slices);
	while (slices.finished < slices.count)
		g_cond_wait(&scan->done, &scan->lock);
	g_mutex_unlock(&scan->lock);
}

static MlvIgnoreRules *load_rules(int fd, const char *path, MlvIgnoreRules *above)
{
	g_autoptr(GBytes) bytes = mlv_file_read(fd, MLV_IGNORE_FILE, MLV_IGNORE_FILE_MAX, NULL);

	if (!bytes)
		return above ? mlv_ignore_rules_ref(above) : NULL;
	return mlv_ignore_rules_new(above, path, g_bytes_get_data(bytes, NULL),
				    g_bytes_get_size(bytes));
}

/* Takes out what the rules leave out, and counts what is left. */
static void filter_and_count(MlvScanDir *dir, MlvIgnoreRules *rules)
{
	gsize kept = 0, files = 0, known = 0;

	for (gsize i = 0; i < dir->count; i++) {
		MlvScanEntry *entry = &dir->entries[i];

		if (rules) {
			g_autofree char *path =
				g_strconcat(dir->path, *dir->path ? "/" : "", entry->name, NULL);
			if (mlv_ignore_match(rules, path, entry->type == MLV_SCAN_DIRECTORY))
				continue;
		}
		if (entry->type == MLV_SCAN_DIRECTORY)
			dir->subdirs = mlv_statcache_add_subdir(dir->subdirs, entry->name);
		else
			files++;
		known += entry->record != NULL;
		dir->entries[kept++] = *entry;
	}
	dir->count = kept;
	dir->same_files = dir->has_cached && files == known && files == dir->cached.count;
}

MlvScanDir *mlv_scan_read_dir(MlvScan *scan, const char *path, MlvIgnoreRules *above,
			      MlvIgnoreRules **rules)
{
	MlvScanDir *dir = g_new0(MlvScanDir, 1);
	gboolean temporary = FALSE;
	g_auto(MlvFd) fd =
		mlv_file_open_beneath(scan->root_fd, *path ? path : ".", O_RDONLY | O_DIRECTORY, 0);

	dir->path = g_strdup(path);
	dir->names = g_byte_array_new();
	if (fd < 0) {
		mlv_fail_errno(&dir->error, "cannot open the directory '%s'", path);
		return dir;
	}
	if (!read_names(dir, fd, &temporary, &dir->error))
		return dir;
	if (temporary && scan->sweep)
		mlv_workspace_sweep(fd);
	dir->has_cached = mlv_statcache_dir(scan->cache, path, &dir->cached);
	if (dir->count > 0)
		qsort(dir->entries, dir->count, sizeof(MlvScanEntry), by_name);
	stat_entries(scan, dir, fd);
	*rules = load_rules(fd, path, above);
	dir->rules = *rules ? mlv_ignore_rules_ref(*rules) : NULL;
	filter_and_count(dir, *rules);
	return dir;
}

MlvIgnoreRules *mlv_scan_rules_from(int root_fd, const char *path, MlvIgnoreRules *first)
{
	MlvIgnoreRules *rules = first ? mlv_ignore_rules_ref(first) : NULL;

	for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
		g_autofree char *folder = g_strndup(path, (gsize)(slash - path));
		g_auto(MlvFd) fd = mlv_file_open_beneath(root_fd, *folder ? folder : ".",
							 O_RDONLY | O_DIRECTORY, 0);
		if (fd < 0)
			break;
		MlvIgnoreRules *next = load_rules(fd, folder, rules);
		mlv_ignore_rules_unref(rules);
		rules = next;
	}
	return rules;
}

MlvIgnoreRules *mlv_scan_rules_above(int root_fd, const char *path)
{
	return mlv_scan_rules_from(root_fd, path, NULL);
}

gboolean mlv_scan_is_ignored(int root_fd, const char *path)
{
	g_autoptr(MlvIgnoreRules) rules = NULL;
	const char *slash = path;
	gboolean ignored = FALSE;
	struct stat st;

	while (!ignored && slash) {
		g_autofree char *folder = g_strndup(path, (gsize)(slash - path));
		g_auto(MlvFd) fd = mlv_file_open_beneath(root_fd, *folder ? folder : ".",
							 O_RDONLY | O_DIRECTORY, 0);
		if (fd < 0)
			return FALSE;
		MlvIgnoreRules *next = load_rules(fd, folder, rules);
		mlv_ignore_rules_unref(rules);
		rules = next;
		slash = strchr(slash + 1, '/');
		g_autofree char *here =
			slash ? g_strndup(path, (gsize)(slash - path)) : g_strdup(path);
		const char *name = *folder ? here + strlen(folder) + 1 : here;
		gboolean is_dir =
			fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
		ignored = mlv_ignore_match(rules, here, is_dir);
	}
	return ignored;
}
