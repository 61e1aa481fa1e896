/* SPDX-License-Identifier: Apache-2.0 */
/* What was known of a directory stays known when it gets another name. */
#include <string.h>

#include "core/statcache_format.h"

void mlv_statcache_writer_move(MlvStatWriter *writer, const MlvStatCache *cache, const char *from,
			       const char *to)
{
	gsize length = strlen(from);

	for (gsize i = mlv_statcache_lower_bound(cache, from); i < cache->count; i++) {
		const char *path = cache->paths + cache->table[i].path_offset;
		MlvStatDir dir;

		if (strncmp(path, from, length) != 0)
			break;
		if ((path[length] != '\0' && path[length] != '/') ||
		    !mlv_statcache_block(cache, i, &dir))
			continue;
		g_autofree char *moved = g_strconcat(to, path + length, NULL);
		mlv_statcache_writer_begin(writer, moved);
		for (gsize j = 0; j < dir.count; j++)
			mlv_statcache_writer_keep(writer, &dir, &dir.records[j]);
		mlv_statcache_writer_set_stored(writer, dir.tree_stored);
		mlv_statcache_writer_end(writer, dir.has_tree ? &dir.tree : NULL, dir.files,
					 dir.bytes, dir.subdirs);
		mlv_statcache_writer_set_stored(writer, TRUE);
	}
	mlv_statcache_writer_drop(writer, from);
}
