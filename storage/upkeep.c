/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/upkeep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "storage/error.h"
#include "storage/file_private.h"

#define LEFTOVER_SECONDS 3600

/* --- listing ---------------------------------------------------------------------------------- */

static gboolean is_temporary(const char *name)
{
	return g_str_has_prefix(name, MLV_TEMP_PREFIX) ||
	       g_str_has_prefix(name, MLV_REPLACE_PREFIX);
}

/* Calls `each` for every name in a folder of the store but "." and "..". */
static gboolean each_name(MlvStore *store, const char *folder,
			  gboolean (*each)(const char *path, int fd, const char *name,
					   gpointer user, GError **error),
			  gpointer user, GError **error)
{
	int fd = openat(mlv_store_fd(store), folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	gboolean ok = TRUE;

	if (!dir) {
		mlv_fail_errno(error, "cannot read '%s/%s'", mlv_store_path(store), folder);
		if (fd >= 0)
			close(fd);
		return FALSE;
	}
	while (ok && (errno = 0, entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		g_autofree char *path = g_strdup_printf("%s/%s", folder, entry->d_name);
		ok = each(path, fd, entry->d_name, user, error);
	}
	if (ok && errno != 0)
		ok = mlv_fail_errno(error, "cannot read '%s/%s'", mlv_store_path(store), folder);
	closedir(dir);
	return ok;
}

typedef struct {
	MlvStore *store;
	GArray *packs;
	guint64 strays;
} PackListing;

static gboolean list_pack(const char *path, int fd, const char *name, gpointer user, GError **error)
{
	PackListing *listing = user;
	MlvPackFile file;
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || mlv_fail_errno(error, "cannot examine '%s'", path);
	if (S_ISREG(st.st_mode) && mlv_pack_parse_path(path, &file.name)) {
		file.size = (guint64)st.st_size;
		file.mtime = (gint64)st.st_mtime;
		g_array_append_val(listing->packs, file);
	} else if (!is_temporary(name)) {
		listing->strays++;
	}
	return TRUE;
}

static gboolean list_pack_folder(const char *path, int fd, const char *name, gpointer user,
				 GError **error)
{
	PackListing *listing = user;
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || mlv_fail_errno(error, "cannot examine '%s'", path);
	if (S_ISDIR(st.st_mode))
		return each_name(listing->store, path, list_pack, listing, error);
	if (!is_temporary(name))
		listing->strays++;
	return TRUE;
}

static int compare_packs(gconstpointer a, gconstpointer b)
{
	return mlv_id_compare(&((const MlvPackFile *)a)->name, &((const MlvPackFile *)b)->name);
}

GArray *mlv_upkeep_packs(MlvStore *store, guint64 *strays, GError **error)
{
	PackListing listing = { .store = store };

	listing.packs = g_array_new(FALSE, FALSE, sizeof(MlvPackFile));
	if (!each_name(store, "packs", list_pack_folder, &listing, error)) {
		g_array_unref(listing.packs);
		return NULL;
	}
	g_array_sort(listing.packs, compare_packs);
	if (strays)
		*strays = listing.strays;
	return listing.packs;
}

gssize mlv_upkeep_find_pack(const GArray *packs, const MlvId *name)
{
	MlvPackFile key = { .name = *name };
	const MlvPackFile *found = packs->len == 0 ? NULL
						   : bsearch(&key, packs->data, packs->len,
							     sizeof(key), compare_packs);

	return found ? found - (const MlvPackFile *)(const void *)packs->data : -1;
}

static gboolean list_index(const char *path, int fd, const char *name, gpointer user,
			   GError **error)
{
	MlvId id;

	if (mlv_index_parse_path(path, &id))
		g_array_append_val((GArray *)user, id);
	return TRUE;
}

GArray *mlv_upkeep_index_names(MlvStore *store, GError **error)
{
	g_autoptr(GArray) names = g_array_new(FALSE, FALSE, sizeof(MlvId));

	return each_name(store, "live", list_index, names, error) ? g_steal_pointer(&names) : NULL;
}

MlvPackTable *mlv_upkeep_read_table(MlvStore *store, const MlvId *name, int *fd, GError **error)
{
	char path[MLV_PACK_NAME_LENGTH + 1];
	g_auto(MlvFd) file = mlv_store_pack_open(store, name, error);

	if (file < 0)
		return NULL;
	mlv_pack_path(name, path);
	MlvPackTable *table = mlv_pack_table_read(file, name, path, error);
	if (table && fd) {
		*fd = file;
		file = -1;
	}
	return table;
}

/* --- indexes ---------------------------------------------------------------------------------- */

gboolean mlv_upkeep_publish_index(MlvStore *store, MlvIndexBuilder *builder, GArray *names,
				  gboolean sync, GError **error)
{
	char path[MLV_INDEX_NAME_LENGTH + 1];
	gboolean existed;
	MlvId name;

	if (mlv_index_builder_count(builder) == 0)
		return TRUE;
	g_autoptr(GBytes) bytes = mlv_index_builder_finish(builder, &name);
	g_autoptr(MlvTemp) temp = mlv_temp_open(mlv_store_fd(store), "live", error);
	mlv_index_path(&name, path);
	if (names)
		g_array_append_val(names, name);
	return temp &&
	       mlv_file_write(mlv_temp_fd(temp), g_bytes_get_data(bytes, NULL),
			      g_bytes_get_size(bytes), mlv_temp_label(temp), error) &&
	       mlv_temp_publish(temp, path, 0444, sync, &existed, error);
}

gboolean mlv_upkeep_remove_indexes(MlvStore *store, const GArray *names, gboolean sync,
				   GError **error)
{
	char path[MLV_INDEX_NAME_LENGTH + 1];

	for (guint i = 0; i < names->len; i++) {
		mlv_index_path(&g_array_index(names, MlvId, i), path);
		if (unlinkat(mlv_store_fd(store), path, 0) < 0 && errno != ENOENT)
			return mlv_fail_errno(error, "cannot remove '%s/%s'", mlv_store_path(store),
					      path);
	}
	return names->len == 0 || !sync || mlv_file_sync_dir(mlv_store_fd(store), "live", error);
}

/* Publishes the merged index in temp if it has entries; *empty tells otherwise. */
static gboolean publish_merged(MlvTemp *temp, const MlvId *name, gboolean sync, GError **error)
{
	char path[MLV_INDEX_NAME_LENGTH + 1];
	gboolean existed;

	mlv_index_path(name, path);
	g_autoptr(MlvIndex) index = mlv_index_open(mlv_temp_fd(temp), name, FALSE, path, error);
	if (!index)
		return FALSE;
	return mlv_index_count(index) == 0 ||
	       mlv_temp_publish(temp, path, 0444, sync, &existed, error);
}

gboolean mlv_upkeep_merge(MlvStore *store, const GPtrArray *indexes,
			  gboolean (*keep)(const MlvIndexPack *pack, const MlvPackEntry *entry,
					   gpointer user),
			  gpointer user, gboolean sync, GError **error)
{
	const MlvIndexMerge options = { .keep = keep, .user = user };
	g_autoptr(GArray) old = g_array_new(FALSE, FALSE, sizeof(MlvId));
	MlvId name;

	if (indexes->len == 0)
		return TRUE;
	g_autoptr(MlvTemp) temp = mlv_temp_open(mlv_store_fd(store), "live", error);
	if (!temp ||
	    !mlv_index_merge((MlvIndex *const *)indexes->pdata, indexes->len, &options,
			     mlv_temp_fd(temp), &name, error) ||
	    !publish_merged(temp, &name, sync, error))
		return FALSE;
	for (guint i = 0; i < indexes->len; i++) {
		const MlvId *one = mlv_index_name(indexes->pdata[i]);
		if (!mlv_id_equal(one, &name))
			g_array_append_val(old, *one);
	}
	return mlv_upkeep_remove_indexes(store, old, sync, error);
}

void mlv_upkeep_sweep_temporary(MlvStore *store)
{
	static const char *const folders[] = { ".", "packs", "live", "repos", "damaged" };

	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++)
		mlv_temp_sweep(mlv_store_fd(store), folders[i], LEFTOVER_SECONDS);
}
