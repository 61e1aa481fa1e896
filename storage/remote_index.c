/* SPDX-License-Identifier: Apache-2.0 */
/* Loading the indexes of a remote: small ones whole, large ones in part until most of one is
 * wanted. */
#include "storage/remote_private.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void mlv_remote_index_free(gpointer data)
{
	RemoteIndex *index = data;

	mlv_index_unref(index->index);
	g_free(index->packs);
	g_free(index);
}

static void add_known(MlvRemote *remote, MlvIndex *loaded, gboolean partial)
{
	RemoteIndex *index = g_new0(RemoteIndex, 1);

	index->index = loaded;
	index->partial = partial;
	g_hash_table_insert(remote->known, g_memdup2(mlv_index_name(loaded), sizeof(MlvId)), index);
}

void mlv_remote_know(MlvRemote *remote, MlvIndex *index)
{
	if (g_hash_table_contains(remote->known, mlv_index_name(index)))
		mlv_index_unref(index);
	else
		add_known(remote, index, FALSE);
}

/* Blocks of a partial index, one request. */
static GBytes *fetch_block(guint64 offset, gsize length, gpointer user, GError **error)
{
	MlvOp *proto = user;
	MlvMedium *medium = proto->user;

	return mlv_medium_get(medium, proto->name, offset, length, length, error);
}

/* --- loading ---------------------------------------------------------------------------------- */

/* An index on its way. */
typedef struct {
	MlvId name;
	guint64 size;
	gsize want; /* bytes from its start; 0: done, or gone */
} Loading;

static MlvIndex *open_cached(MlvRemote *remote, const Loading *loading)
{
	char name[MLV_REMOTE_CACHED + 1];
	g_auto(MlvFd) fd = -1;

	if (remote->cache_fd < 0)
		return NULL;
	mlv_remote_cached_name('i', &loading->name, name);
	fd = openat(remote->cache_fd, name, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? NULL : mlv_index_open(fd, &loading->name, FALSE, name, NULL);
}

/* Who asks for blocks later needs the medium and the name for as long as the index lives, which
 * is as long as the remote. */
static MlvIndex *open_partial(MlvRemote *remote, Loading *loading, GBytes *head, gsize *need,
			      GError **error)
{
	char path[MLV_INDEX_NAME_LENGTH + 1];
	MlvOp *proto;

	mlv_index_path(&loading->name, path);
	proto = mlv_op_new(MLV_OP_GET, path);
	proto->user = remote->medium;
	g_ptr_array_add(remote->protos, proto);
	return mlv_index_new_partial(head, &loading->name, loading->size, fetch_block, proto, path,
				     need, error);
}

/* Takes what is in the cache. Sets what is to be fetched otherwise. */
static void load_from_cache(MlvRemote *remote, Loading *loading)
{
	MlvIndex *index = open_cached(remote, loading);
	char name[MLV_REMOTE_CACHED + 1];
	g_autoptr(GBytes) head = NULL;
	gsize need = 0;

	loading->want = 0;
	if (index) {
		add_known(remote, index, FALSE);
		return;
	}
	loading->want = loading->size <= MLV_REMOTE_WHOLE ? loading->size : MLV_REMOTE_HEAD_GUESS;
	if (loading->size <= MLV_REMOTE_WHOLE)
		return;
	mlv_remote_cached_name('h', &loading->name, name);
	head = mlv_remote_cache_get(remote, name, MLV_REMOTE_HEAD_MAX);
	index = head ? open_partial(remote, loading, head, &need, NULL) : NULL;
	if (index) {
		add_known(remote, index, TRUE);
		loading->want = 0;
	}
}

/* Bytes of an index arrived: its head, or all of it. */
static gboolean arrived(MlvRemote *remote, Loading *loading, GBytes *bytes, const char *label,
			GError **error)
{
	gboolean whole = loading->size <= MLV_REMOTE_WHOLE;
	g_autoptr(GError) failed = NULL;
	char name[MLV_REMOTE_CACHED + 1];
	gsize need = 0;
	MlvIndex *index =
		whole ? mlv_index_new_from_bytes(bytes, &loading->name, TRUE, label, &failed)
		      : open_partial(remote, loading, bytes, &need, &failed);

	if (index) {
		loading->want = 0;
		mlv_remote_cached_name(whole ? 'i' : 'h', &loading->name, name);
		mlv_remote_cache_put(remote, name, bytes);
		add_known(remote, index, !whole);
		return TRUE;
	}
	if (need > loading->want && need <= MLV_REMOTE_HEAD_MAX && need <= loading->size) {
		loading->want = need;
		return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&failed));
	return FALSE;
}

/* One round of requests. *again tells if more bytes of some index are needed. */
static gboolean load_round(MlvRemote *remote, GArray *loadings, gboolean *again, gboolean *gone,
			   GError **error)
{
	g_autoptr(GPtrArray) ops = mlv_ops_new();

	for (guint i = 0; i < loadings->len; i++) {
		Loading *loading = &g_array_index(loadings, Loading, i);
		char path[MLV_INDEX_NAME_LENGTH + 1];
		MlvOp *op;

		if (loading->want == 0)
			continue;
		mlv_index_path(&loading->name, path);
		op = mlv_op_new(MLV_OP_GET, path);
		if (loading->want < loading->size)
			op->length = loading->want;
		op->max = loading->want;
		op->user = loading;
		g_ptr_array_add(ops, op);
	}
	*again = FALSE;
	if (!mlv_medium_run_all(remote->medium, ops, TRUE, error))
		return FALSE;
	for (guint i = 0; i < ops->len; i++) {
		MlvOp *op = g_ptr_array_index(ops, i);
		Loading *loading = op->user;

		if (!op->bytes) {
			*gone = TRUE;
			loading->want = 0;
		} else if (!arrived(remote, loading, op->bytes, op->name, error)) {
			return FALSE;
		}
		*again |= loading->want > 0;
	}
	return TRUE;
}

gboolean mlv_remote_load_indexes(MlvRemote *remote, const GArray *listed, gboolean *gone,
				 GError **error)
{
	g_autoptr(GArray) loadings = g_array_new(FALSE, FALSE, sizeof(Loading));
	gboolean again = FALSE;

	for (guint i = 0; i < listed->len; i++) {
		const MlvListed *at = &g_array_index(listed, MlvListed, i);
		Loading loading = { .size = at->size };

		if (!mlv_index_parse_path(at->name, &loading.name) ||
		    g_hash_table_contains(remote->known, &loading.name))
			continue;
		load_from_cache(remote, &loading);
		if (loading.want > 0) {
			g_array_append_val(loadings, loading);
			again = TRUE;
		} else if (loading.size == 0) {
			return mlv_fail(error, MLV_ERROR_CORRUPT, "the index '%s' is empty",
					at->name);
		}
	}
	/* Damaged bytes are asked for once more; what lies there damaged stays so. */
	for (int failures = 0; again;) {
		g_autoptr(GError) failed = NULL;

		if (load_round(remote, loadings, &again, gone, &failed))
			continue;
		if (++failures == MLV_REMOTE_TRIES ||
		    !g_error_matches(failed, MLV_ERROR, MLV_ERROR_CORRUPT)) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return FALSE;
		}
		for (guint i = 0; i < loadings->len; i++) {
			Loading *loading = &g_array_index(loadings, Loading, i);

			if (g_hash_table_contains(remote->known, &loading->name))
				loading->want = 0;
		}
		again = TRUE;
	}
	return TRUE;
}

/* --- from partial to whole -------------------------------------------------------------------- */

int mlv_remote_open_download(MlvRemote *remote, MlvTemp **temp, GError **error)
{
	int fd;

	if (remote->cache_fd >= 0) {
		*temp = mlv_temp_open(remote->cache_fd, ".", error);
		return *temp ? mlv_temp_fd(*temp) : -1;
	}
	fd = memfd_create("mlv-index", MFD_CLOEXEC);
	if (fd < 0)
		mlv_fail_errno(error, "cannot make a file in memory");
	return fd;
}

static MlvIndex *download(MlvRemote *remote, const RemoteIndex *index, GError **error)
{
	const MlvId *id = mlv_index_name(index->index);
	g_autoptr(MlvTemp) temp = NULL;
	g_auto(MlvFd) own = -1;
	g_autoptr(MlvOp) op = NULL;
	g_autoptr(GPtrArray) one = g_ptr_array_new();
	g_autoptr(MlvIndex) whole = NULL;
	char path[MLV_INDEX_NAME_LENGTH + 1], name[MLV_REMOTE_CACHED + 1];
	gboolean existed;

	mlv_index_path(id, path);
	op = mlv_op_new(MLV_OP_GET, path);
	op->fd = mlv_remote_open_download(remote, &temp, error);
	if (op->fd < 0)
		return NULL;
	if (!temp)
		own = op->fd;
	op->length = mlv_index_size(index->index);
	g_ptr_array_add(one, op);
	if (!mlv_medium_run_all(remote->medium, one, FALSE, error))
		return NULL;
	whole = mlv_index_open(op->fd, id, TRUE, path, error);
	if (!whole)
		return NULL;
	mlv_remote_cached_name('i', id, name);
	if (temp && mlv_temp_publish(temp, name, 0644, FALSE, &existed, NULL)) {
		mlv_remote_cached_name('h', id, name);
		mlv_remote_cache_drop(remote, name);
	}
	return g_steal_pointer(&whole);
}

MlvIndex *mlv_remote_whole_index(MlvRemote *remote, RemoteIndex *index, GError **error)
{
	for (int tries = 1; index->partial; tries++) {
		g_autoptr(GError) failed = NULL;
		MlvIndex *whole = download(remote, index, &failed);

		if (whole) {
			mlv_index_unref(index->index);
			index->index = whole;
			index->partial = FALSE;
		} else if (tries == MLV_REMOTE_TRIES ||
			   !g_error_matches(failed, MLV_ERROR, MLV_ERROR_CORRUPT)) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return NULL;
		}
	}
	return index->index;
}

/* --- blocks of partial ones ------------------------------------------------------------------- */

/* Ranges with less between them than a request is worth become one. */
static void join_ranges(GArray *ranges)
{
	guint kept = 0;

	for (guint i = 0; i < ranges->len; i++) {
		MlvRange range = g_array_index(ranges, MlvRange, i);
		MlvRange *last = kept > 0 ? &g_array_index(ranges, MlvRange, kept - 1) : NULL;

		if (last && range.offset - (last->offset + last->length) <= MLV_REMOTE_GAP)
			last->length = range.offset + range.length - last->offset;
		else
			g_array_index(ranges, MlvRange, kept++) = range;
	}
	g_array_set_size(ranges, kept);
}

/* *cost: bytes, a request counted as the bytes that it is worth. */
static void plan_blocks(const RemoteIndex *index, const MlvId *ids, gsize count, GPtrArray *ops,
			guint64 *cost)
{
	g_autoptr(GArray) ranges = mlv_index_plan(index->index, ids, count);
	char path[MLV_INDEX_NAME_LENGTH + 1];

	mlv_index_path(mlv_index_name(index->index), path);
	join_ranges(ranges);
	*cost = 0;
	for (guint i = 0; i < ranges->len; i++) {
		const MlvRange *range = &g_array_index(ranges, MlvRange, i);
		MlvOp *op = mlv_op_new(MLV_OP_GET, path);

		op->offset = range->offset;
		op->length = range->length;
		op->user = index->index;
		g_ptr_array_add(ops, op);
		*cost += range->length + MLV_REMOTE_GAP;
	}
}

static gboolean fetch_blocks_once(MlvRemote *remote, MlvClass index_class, const MlvId *ids,
				  gsize count, GError **error)
{
	g_autoptr(GPtrArray) ops = mlv_ops_new();

	for (guint i = 0; i < remote->live->len; i++) {
		RemoteIndex *index = g_ptr_array_index(remote->live, i);
		guint before = ops->len;
		guint64 cost;

		if (!index->partial || mlv_index_class(index->index) != index_class)
			continue;
		plan_blocks(index, ids, count, ops, &cost);
		if (cost <= mlv_index_size(index->index) + MLV_REMOTE_GAP)
			continue;
		g_ptr_array_set_size(ops, (gint)before);
		if (!mlv_remote_whole_index(remote, index, error))
			return FALSE;
	}
	if (!mlv_medium_run_all(remote->medium, ops, FALSE, error))
		return FALSE;
	for (guint i = 0; i < ops->len; i++) {
		MlvOp *op = g_ptr_array_index(ops, i);

		if (!mlv_index_provide(op->user, op->offset, op->bytes, error))
			return FALSE;
	}
	return TRUE;
}

gboolean mlv_remote_fetch_blocks(MlvRemote *remote, MlvClass index_class, const MlvId *ids,
				 gsize count, GError **error)
{
	for (int tries = 1;; tries++) {
		g_autoptr(GError) failed = NULL;

		if (fetch_blocks_once(remote, index_class, ids, count, &failed))
			return TRUE;
		remote->index_gone |= g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING);
		if (tries == MLV_REMOTE_TRIES ||
		    !g_error_matches(failed, MLV_ERROR, MLV_ERROR_CORRUPT)) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return FALSE;
		}
	}
}
