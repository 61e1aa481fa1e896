/* SPDX-License-Identifier: Apache-2.0 */
/* Putting indexes on a remote, merged as they pile up. */
#include "storage/remote_private.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIVE_WANTED 4 /* live indexes of a class that are aimed at */
#define LIVE_MANY   8
#define GROWTH      4  /* a merge rewrites at most so many times what is added ... */
#define GROWTH_MANY 32 /* ... or so many, where too many indexes are live */

static gint by_count(gconstpointer a, gconstpointer b)
{
	gsize x = mlv_index_count((*(RemoteIndex *const *)a)->index);
	gsize y = mlv_index_count((*(RemoteIndex *const *)b)->index);

	return (x > y) - (x < y);
}

/* The live indexes that a new one of `count` entries should take in: the small ones, as long as
 * that rewrites little. */
static GPtrArray *choose(MlvRemote *remote, MlvClass index_class, gsize count)
{
	GPtrArray *sorted = g_ptr_array_new();
	gsize sum = MAX(count, 1);
	guint chosen = 0;

	for (guint i = 0; i < remote->live->len; i++) {
		RemoteIndex *index = g_ptr_array_index(remote->live, i);

		if (!index->grave && mlv_index_class(index->index) == index_class)
			g_ptr_array_add(sorted, index);
	}
	g_ptr_array_sort(sorted, by_count);
	for (; chosen < sorted->len; chosen++) {
		gsize next =
			mlv_index_count(((RemoteIndex *)g_ptr_array_index(sorted, chosen))->index);
		guint left = sorted->len - chosen + 1;
		gboolean cheap = (sum + next) * MLV_INDEX_ENTRY <= MLV_REMOTE_WHOLE;

		if (next > GROWTH * sum && !(left > LIVE_WANTED && cheap) &&
		    !(left > LIVE_MANY && next <= GROWTH_MANY * sum))
			break;
		sum += next;
	}
	g_ptr_array_set_size(sorted, (gint)chosen);
	return sorted;
}

static gboolean put_bytes(MlvRemote *remote, GBytes *bytes, const MlvId *name, GError **error)
{
	char path[MLV_INDEX_NAME_LENGTH + 1], cached[MLV_REMOTE_CACHED + 1];
	MlvIndex *index;

	mlv_index_path(name, path);
	if (!mlv_medium_put_bytes(remote->medium, path, bytes, error))
		return FALSE;
	mlv_remote_cached_name('i', name, cached);
	mlv_remote_cache_put(remote, cached, bytes);
	index = mlv_index_new_from_bytes(bytes, name, FALSE, path, error);
	if (index)
		mlv_remote_know(remote, index);
	return index != NULL;
}

static gboolean put_file(MlvRemote *remote, int fd, MlvTemp *temp, const MlvId *name,
			 GError **error)
{
	char path[MLV_INDEX_NAME_LENGTH + 1], cached[MLV_REMOTE_CACHED + 1];
	g_autoptr(MlvOp) op = NULL;
	g_autoptr(GPtrArray) one = g_ptr_array_new();
	struct stat st;
	MlvIndex *index;
	gboolean existed;

	mlv_index_path(name, path);
	if (fstat(fd, &st) < 0)
		return mlv_fail_errno(error, "cannot look at a merged index");
	op = mlv_op_new(MLV_OP_PUT, path);
	op->fd = fd;
	op->length = (guint64)st.st_size;
	g_ptr_array_add(one, op);
	if (!mlv_medium_run_all(remote->medium, one, FALSE, error))
		return FALSE;
	index = mlv_index_open(fd, name, FALSE, path, error);
	if (!index)
		return FALSE;
	mlv_remote_know(remote, index);
	mlv_remote_cached_name('i', name, cached);
	if (temp)
		mlv_temp_publish(temp, cached, 0644, FALSE, &existed, NULL);
	return TRUE;
}

gboolean mlv_remote_put_merged(MlvRemote *remote, MlvIndex *const *indexes, gsize count,
			       const MlvIndexMerge *options, GError **error)
{
	g_autoptr(MlvTemp) temp = NULL;
	g_auto(MlvFd) own = -1;
	int fd;
	MlvId name;

	fd = mlv_remote_open_download(remote, &temp, error);
	if (fd < 0)
		return FALSE;
	if (!temp)
		own = fd;
	return mlv_index_merge(indexes, count, options, fd, &name, error) &&
	       put_file(remote, fd, temp, &name, error);
}

gboolean mlv_remote_put_alone(MlvRemote *remote, MlvIndexBuilder *builder, GError **error)
{
	MlvId name;
	g_autoptr(GBytes) bytes = mlv_index_builder_finish(builder, &name);

	return put_bytes(remote, bytes, &name, error);
}

gboolean mlv_remote_put_index(MlvRemote *remote, MlvIndexBuilder *builder, MlvClass index_class,
			      GError **error)
{
	/* Entries in tombstoned packs stay: until these are deleted, somebody may have to read
	 * them. */
	MlvIndexMerge options = { .drop_dead = FALSE };
	g_autoptr(GPtrArray) chosen = choose(remote, index_class, mlv_index_builder_count(builder));
	g_autoptr(GPtrArray) inputs = g_ptr_array_new();
	g_autoptr(MlvIndex) fresh = NULL;
	g_autoptr(GBytes) bytes = NULL;
	MlvId name;

	bytes = mlv_index_builder_finish(builder, &name);
	if (chosen->len == 0)
		return put_bytes(remote, bytes, &name, error);
	fresh = mlv_index_new_from_bytes(bytes, &name, FALSE, "new index", error);
	if (!fresh)
		return FALSE;
	g_ptr_array_add(inputs, fresh);
	for (guint i = 0; i < chosen->len; i++) {
		MlvIndex *whole =
			mlv_remote_whole_index(remote, g_ptr_array_index(chosen, i), error);

		if (!whole)
			return FALSE;
		g_ptr_array_add(inputs, whole);
	}
	return mlv_remote_put_merged(remote, (MlvIndex *const *)inputs->pdata, inputs->len,
				     &options, error);
}
