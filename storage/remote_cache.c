/* SPDX-License-Identifier: Apache-2.0 */
/* A remote's local cache of immutable files: "format", indexes "i-...", heads of large ones
 * "h-...", roots "r-...". */
#include "storage/remote_private.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void mlv_remote_cached_name(char letter, const MlvId *id, char name[MLV_REMOTE_CACHED + 1])
{
	name[0] = letter;
	name[1] = '-';
	mlv_id_format(id, name + 2);
}

GBytes *mlv_remote_cache_get(MlvRemote *remote, const char *name, gsize max)
{
	return remote->cache_fd < 0 ? NULL : mlv_file_read(remote->cache_fd, name, max, NULL);
}

void mlv_remote_cache_put(MlvRemote *remote, const char *name, GBytes *bytes)
{
	if (remote->cache_fd >= 0)
		mlv_file_replace(remote->cache_fd, name, g_bytes_get_data(bytes, NULL),
				 g_bytes_get_size(bytes), 0644, FALSE, NULL);
}

void mlv_remote_cache_drop(MlvRemote *remote, const char *name)
{
	if (remote->cache_fd >= 0)
		unlinkat(remote->cache_fd, name, 0);
}

static gboolean is_listed(MlvRemote *remote, const char *name)
{
	MlvId id;

	if (strlen(name) != MLV_REMOTE_CACHED || name[1] != '-' || !strchr("ihr", name[0]) ||
	    !mlv_id_parse(name + 2, &id))
		return TRUE; /* not ours to drop */
	if (name[0] != 'r')
		return g_hash_table_contains(remote->known, &id);
	for (guint i = 0; i < remote->roots->len; i++)
		if (mlv_id_equal(&g_array_index(remote->roots, MlvRemoteRoot, i).name.id, &id))
			return TRUE;
	return FALSE;
}

void mlv_remote_cache_tidy(MlvRemote *remote)
{
	DIR *stream = remote->cache_fd < 0 ? NULL
					   : fdopendir(openat(remote->cache_fd, ".",
							      O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;

	if (!stream)
		return;
	while ((entry = readdir(stream)))
		if (!is_listed(remote, entry->d_name))
			unlinkat(remote->cache_fd, entry->d_name, 0);
	closedir(stream);
	mlv_temp_sweep(remote->cache_fd, ".", 24 * 60 * 60);
}
