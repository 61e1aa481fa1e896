/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the number of live indexes of the local store low. */
#include <fcntl.h>
#include <unistd.h>

#include "storage/store_private.h"

#define LIVE_MAX 8 /* live indexes of a class at which small ones are merged */

static int by_count(gconstpointer a, gconstpointer b)
{
	gsize x = mlv_index_count(*(MlvIndex *const *)a),
	      y = mlv_index_count(*(MlvIndex *const *)b);

	return x < y ? -1 : x > y;
}

/* How many of the indexes, smallest first, are merged: on while the next is no larger than all
 * before it, and at least until half the limit is left. So an entry is rewritten about log2
 * times, each time into an index twice the size. */
static guint merge_length(const GPtrArray *sorted)
{
	gsize sum = 0;
	guint length = 0;

	for (; length < sorted->len; length++) {
		gsize count = mlv_index_count(sorted->pdata[length]);
		if (length > sorted->len - LIVE_MAX / 2 && count > sum)
			break;
		sum += count;
	}
	return length;
}

gboolean mlv_store_merge_indexes(MlvStore *store, MlvClass index_class, gboolean sync,
				 GError **error)
{
	g_autoptr(GPtrArray) sorted = mlv_store_indexes(store, index_class);
	MlvIndexMerge options = { .keep_packs = TRUE };
	char path[MLV_INDEX_NAME_LENGTH + 1];
	gboolean existed;
	MlvId name;

	if (sorted->len <= LIVE_MAX)
		return TRUE;
	g_ptr_array_sort(sorted, by_count);
	guint length = merge_length(sorted);
	g_autoptr(MlvTemp) temp = mlv_temp_open(store->fd, "live", error);
	if (!temp || !mlv_index_merge((MlvIndex *const *)sorted->pdata, length, &options,
				      mlv_temp_fd(temp), &name, error))
		return FALSE;
	mlv_index_path(&name, path);
	if (!mlv_temp_publish(temp, path, 0444, sync, &existed, error))
		return FALSE;
	for (guint i = 0; i < length; i++) {
		char old[MLV_INDEX_NAME_LENGTH + 1];

		mlv_index_path(mlv_index_name(sorted->pdata[i]), old);
		unlinkat(store->fd, old,
			 0); /* another process may have been first; it is superseded anyway */
	}
	return mlv_store_refresh(store, error);
}
