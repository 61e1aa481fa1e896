/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a remote, its listing, its roots. */
#include "storage/remote.h"

#include "storage/format.h"
#include "storage/remote_private.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LIST_TRIES 5 /* listings, where indexes vanish between being listed and being read */

/* --- opening ---------------------------------------------------------------------------------- */

static gboolean make_format(MlvRemote *remote, GError **error)
{
	g_autofree char *text = mlv_format_text(MLV_ROLE_REMOTE);
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	MlvMedium *medium = remote->medium;

	if (medium->methods->check_vacant && !medium->methods->check_vacant(medium, error))
		return FALSE;
	if (!mlv_medium_put_bytes(medium, MLV_FORMAT_NAME, bytes, error))
		return FALSE;
	mlv_remote_cache_put(remote, MLV_FORMAT_NAME, bytes);
	remote->format_seen = TRUE;
	return TRUE;
}

/* Reads the format file, each time: a remote of another version, or a damaged one, must not be
 * written to. */
static gboolean read_format(MlvRemote *remote, GError **error)
{
	const char *url = remote->medium->url;
	g_autoptr(GError) failed = NULL;
	g_autoptr(GBytes) bytes = mlv_medium_get(remote->medium, MLV_FORMAT_NAME, 0, MLV_OP_ALL,
						 MLV_FORMAT_MAX, &failed);

	if (bytes && !mlv_format_check(bytes, MLV_ROLE_REMOTE, url, NULL)) {
		/* it may have been damaged on its way */
		g_bytes_unref(g_steal_pointer(&bytes));
		bytes = mlv_medium_get(remote->medium, MLV_FORMAT_NAME, 0, MLV_OP_ALL,
				       MLV_FORMAT_MAX, &failed);
	}
	if (bytes) {
		if (!mlv_format_check(bytes, MLV_ROLE_REMOTE, url, error))
			return FALSE;
		mlv_remote_cache_put(remote, MLV_FORMAT_NAME, bytes);
		remote->format_seen = TRUE;
		return TRUE;
	}
	if (!g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&failed));
		return FALSE;
	}
	mlv_remote_cache_drop(remote, MLV_FORMAT_NAME);
	if (remote->create && !remote->medium->read_only)
		return make_format(remote, error);
	return mlv_fail(error, MLV_ERROR_MISSING,
			"there is no remote at '%s' (no file '%s' in it); check its address, "
			"or push to make it",
			url, MLV_FORMAT_NAME);
}

static void free_chunk_key(gpointer key)
{
	g_free(key);
}

MlvRemote *mlv_remote_open(MlvMedium *medium, const char *cache_dir, gboolean create,
			   GError **error)
{
	g_autoptr(MlvRemote) remote = g_new0(MlvRemote, 1);

	remote->medium = medium;
	remote->create = create;
	remote->cache_fd = -1;
	remote->known =
		g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, g_free, mlv_remote_index_free);
	remote->live = g_ptr_array_new();
	remote->graves = g_ptr_array_new_with_free_func(mlv_remote_index_free);
	remote->protos = mlv_ops_new();
	remote->superseded = g_array_new(FALSE, FALSE, sizeof(RemoteSuperseded));
	remote->roots = g_array_new(FALSE, FALSE, sizeof(MlvRemoteRoot));
	remote->packs = g_array_new(FALSE, FALSE, sizeof(MlvRemotePack));
	remote->pack_numbers =
		g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, free_chunk_key, NULL);
	remote->gone = g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, g_free, NULL);
	remote->tombstones = g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, g_free, g_free);
	mlv_remote_source_init(remote);
	if (cache_dir) {
		remote->cache_dir = g_strdup(cache_dir);
		if (!mlv_file_make_dirs(AT_FDCWD, cache_dir, 0777, error))
			return NULL;
		remote->cache_fd = open(cache_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (remote->cache_fd < 0) {
			mlv_fail_errno(error, "cannot open the folder '%s'", cache_dir);
			return NULL;
		}
	}
	return read_format(remote, error) ? g_steal_pointer(&remote) : NULL;
}

void mlv_remote_free(MlvRemote *remote)
{
	if (!remote)
		return;
	mlv_remote_source_clear(remote);
	g_ptr_array_unref(remote->live);
	g_ptr_array_unref(remote->graves);
	g_hash_table_unref(remote->known);
	g_ptr_array_unref(remote->protos);
	g_array_unref(remote->superseded);
	g_array_unref(remote->roots);
	g_array_unref(remote->packs);
	g_hash_table_unref(remote->pack_numbers);
	g_hash_table_unref(remote->gone);
	g_hash_table_unref(remote->tombstones);
	mlv_fd_clear(&remote->cache_fd);
	g_free(remote->cache_dir);
	g_free(remote);
}

/* --- the view --------------------------------------------------------------------------------- */

static guint32 pack_number(MlvRemote *remote, const MlvIndexPack *pack)
{
	guint number = GPOINTER_TO_UINT(g_hash_table_lookup(remote->pack_numbers, &pack->name));
	MlvRemotePack fresh = { .name = pack->name, .size = pack->size };

	if (number > 0)
		return number - 1;
	fresh.gone = g_hash_table_contains(remote->gone, &pack->name);
	fresh.dead = g_hash_table_contains(remote->tombstones, &pack->name);
	g_array_append_val(remote->packs, fresh);
	g_hash_table_insert(remote->pack_numbers, g_memdup2(&pack->name, sizeof(MlvId)),
			    GUINT_TO_POINTER(remote->packs->len));
	return remote->packs->len - 1;
}

void mlv_remote_note_gone(MlvRemote *remote, const MlvId *pack)
{
	guint number = GPOINTER_TO_UINT(g_hash_table_lookup(remote->pack_numbers, pack));

	if (!g_hash_table_contains(remote->gone, pack))
		g_hash_table_add(remote->gone, g_memdup2(pack, sizeof(*pack)));
	if (number > 0)
		g_array_index(remote->packs, MlvRemotePack, number - 1).gone = TRUE;
}

static void number_packs(MlvRemote *remote, RemoteIndex *index)
{
	gsize count = mlv_index_pack_count(index->index);

	g_free(index->packs);
	index->packs = g_new(guint32, count + 1);
	for (gsize i = 0; i < count; i++) {
		MlvIndexPack pack = mlv_index_pack(index->index, i);

		index->packs[i] = pack_number(remote, &pack);
		if (index->grave)
			g_array_index(remote->packs, MlvRemotePack, index->packs[i]).dead = TRUE;
	}
}

static void add_tombstones(MlvRemote *remote, const MlvIndex *index)
{
	for (gsize i = 0; i < mlv_index_tombstone_count(index); i++) {
		MlvTombstone stone = mlv_index_tombstone(index, i);
		gint64 *earlier = g_hash_table_lookup(remote->tombstones, &stone.pack);
		gint64 time = (gint64)MIN(stone.time, (guint64)G_MAXINT64);

		/* The latest time counts: a tombstone must not go too early. */
		if (earlier)
			*earlier = MAX(*earlier, time);
		else
			g_hash_table_insert(remote->tombstones,
					    g_memdup2(&stone.pack, sizeof(MlvId)),
					    g_memdup2(&time, sizeof(time)));
	}
}

/* The names that some loaded index supersedes. An index cannot name itself, nor one that was
 * made after it. */
static GHashTable *superseded_names(MlvRemote *remote)
{
	GHashTable *names = g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, g_free, NULL);
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, remote->known);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const RemoteIndex *index = value;

		for (gsize i = 0; i < mlv_index_superseded_count(index->index); i++) {
			MlvId name = mlv_index_superseded(index->index, i);

			g_hash_table_add(names, g_memdup2(&name, sizeof(name)));
		}
	}
	return names;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	const RemoteIndex *x = *(RemoteIndex *const *)a, *y = *(RemoteIndex *const *)b;

	return mlv_id_compare(mlv_index_name(x->index), mlv_index_name(y->index));
}

/* Sorts what is loaded into live and superseded, and numbers the packs. The order is that of
 * names, so that equal listings make equal views. */
void mlv_remote_view(MlvRemote *remote)
{
	g_autoptr(GHashTable) names = superseded_names(remote);
	GHashTableIter iter;
	gpointer key, value;

	g_ptr_array_set_size(remote->live, 0);
	g_array_set_size(remote->superseded, 0);
	g_array_set_size(remote->packs, 0);
	g_hash_table_remove_all(remote->pack_numbers);
	g_hash_table_remove_all(remote->tombstones);
	g_hash_table_iter_init(&iter, remote->known);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		RemoteIndex *index = value;
		RemoteSuperseded old = { .name = *(MlvId *)key };

		if (!g_hash_table_contains(names, key)) {
			g_ptr_array_add(remote->live, index);
			add_tombstones(remote, index->index);
			continue;
		}
		old.tombstones = mlv_index_tombstone_count(index->index) > 0;
		g_array_append_val(remote->superseded, old);
	}
	g_ptr_array_sort(remote->live, by_name);
	for (guint i = 0; i < remote->graves->len; i++)
		g_ptr_array_add(remote->live, g_ptr_array_index(remote->graves, i));
	for (guint i = 0; i < remote->live->len; i++)
		number_packs(remote, g_ptr_array_index(remote->live, i));
}

/* --- the listing ------------------------------------------------------------------------------ */

static gboolean drop_unlisted(gpointer key, gpointer value, gpointer user)
{
	return !g_hash_table_contains(user, key);
}

/* Takes roots and indexes from a listing; forgets what is not in it. */
static gboolean load_listed(MlvRemote *remote, const GArray *listed, gboolean *gone, GError **error)
{
	g_autoptr(GHashTable) names = g_hash_table_new(mlv_id_hash, mlv_id_equal_key);
	g_autofree MlvId *ids = g_new(MlvId, listed->len + 1);

	g_array_set_size(remote->roots, 0);
	remote->published = mlv_published_state(listed);
	for (guint i = 0; i < listed->len; i++) {
		const MlvListed *at = &g_array_index(listed, MlvListed, i);
		MlvRemoteRoot root = { .size = at->size, .mtime = at->mtime };

		if (mlv_index_parse_path(at->name, &ids[i]))
			g_hash_table_add(names, &ids[i]);
		else if (mlv_root_parse_path(at->name, &root.name))
			g_array_append_val(remote->roots, root);
	}
	g_ptr_array_set_size(remote->live, 0);
	g_hash_table_foreach_remove(remote->known, drop_unlisted, names);
	return mlv_remote_load_indexes(remote, listed, gone, error);
}

/* Whether all that was listed and is gone by now is superseded by what was loaded: then nothing is
 * lacking. Over plain HTTP the list may name such an index for long. */
static gboolean is_settled(MlvRemote *remote, const GArray *listed)
{
	g_autoptr(GHashTable) superseded = superseded_names(remote);

	for (guint i = 0; i < listed->len; i++) {
		MlvId name;

		if (mlv_index_parse_path(g_array_index(listed, MlvListed, i).name, &name) &&
		    !g_hash_table_contains(remote->known, &name) &&
		    !g_hash_table_contains(superseded, &name))
			return FALSE;
	}
	return TRUE;
}

gboolean mlv_remote_refresh(MlvRemote *remote, GError **error)
{
	gboolean gone = TRUE;

	for (int tries = 0; gone && tries < LIST_TRIES; tries++) {
		g_autoptr(GArray) listed = mlv_medium_list_all(remote->medium, "live/", error);

		gone = FALSE;
		if (!listed)
			return FALSE;
		if (listed->len == 0 && !remote->format_seen && !read_format(remote, error))
			return FALSE;
		if (!load_listed(remote, listed, &gone, error))
			return FALSE;
		gone = gone && !is_settled(remote, listed);
	}
	if (gone)
		return mlv_fail(error, MLV_ERROR_MISSING,
				"'%s' lists indexes that cannot be read there; run the command "
				"again, and if that does not help, %s",
				remote->medium->url,
				remote->medium->read_only
					? "'mlv remote publish' where the remote can be written to"
					: "'mlv push --recheck'");
	mlv_remote_view(remote);
	mlv_remote_cache_tidy(remote);
	remote->relisted = remote->index_gone = FALSE;
	return TRUE;
}

/* --- what a view tells ------------------------------------------------------------------------ */

MlvMedium *mlv_remote_medium(MlvRemote *remote)
{
	return remote->medium;
}

MlvSource *mlv_remote_source(MlvRemote *remote)
{
	return &remote->source;
}

gsize mlv_remote_pack_count(const MlvRemote *remote)
{
	return remote->packs->len;
}

const MlvRemotePack *mlv_remote_pack(const MlvRemote *remote, guint32 number)
{
	return &g_array_index(remote->packs, MlvRemotePack, number);
}

gboolean mlv_remote_is_tombstoned(const MlvRemote *remote, const MlvId *pack)
{
	return g_hash_table_contains(remote->tombstones, pack);
}

const MlvRemoteRoot *mlv_remote_roots(const MlvRemote *remote, gsize *count)
{
	*count = remote->roots->len;
	return (const MlvRemoteRoot *)(gpointer)remote->roots->data;
}
