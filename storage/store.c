/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "storage/format.h"
#include "storage/store_private.h"

static void store_index_free(gpointer data)
{
	StoreIndex *entry = data;

	mlv_index_unref(entry->index);
	g_free(entry->packs);
	g_free(entry);
}

static void store_pack_free(gpointer data)
{
	StorePack *pack = data;

	if (pack->fd >= 0)
		close(pack->fd);
	g_free(pack);
}

guint mlv_store_pack_number(MlvStore *store, const MlvId *name)
{
	guint number = GPOINTER_TO_UINT(g_hash_table_lookup(store->pack_numbers, name));

	if (number > 0)
		return number - 1;
	StorePack *pack = g_new0(StorePack, 1);
	pack->name = *name;
	pack->fd = -1;
	g_ptr_array_add(store->packs, pack);
	g_hash_table_insert(store->pack_numbers, &pack->name, GUINT_TO_POINTER(store->packs->len));
	return store->packs->len - 1;
}

static StoreIndex *store_index_new(MlvStore *store, MlvIndex *index)
{
	StoreIndex *entry = g_new0(StoreIndex, 1);
	gsize count = mlv_index_pack_count(index);

	entry->index = mlv_index_ref(index);
	entry->packs = g_new(guint, count + 1);
	for (gsize i = 0; i < count; i++) {
		MlvIndexPack pack = mlv_index_pack(index, i);
		entry->packs[i] = mlv_store_pack_number(store, &pack.name);
	}
	return entry;
}

void mlv_store_add_index(MlvStore *store, MlvIndex *index)
{
	g_rw_lock_writer_lock(&store->lock);
	g_ptr_array_insert(store->indexes, 0, store_index_new(store, index));
	g_rw_lock_writer_unlock(&store->lock);
}

/* --- opening ---------------------------------------------------------------------------------- */

static gboolean take_lock(MlvStore *store, gboolean exclusive, MlvStoreWaiting waiting,
			  gpointer user, GError **error)
{
	int mode = exclusive ? LOCK_EX : LOCK_SH;

	if (flock(store->lock_fd, mode | LOCK_NB) == 0)
		return TRUE;
	if (errno == EWOULDBLOCK) {
		if (waiting)
			waiting(exclusive, user);
		if (flock(store->lock_fd, mode) == 0)
			return TRUE;
		if (errno == EINTR)
			return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted while waiting");
	}
	return mlv_fail_errno(error, "cannot lock the store '%s'", store->path);
}

static gboolean open_directory(MlvStore *store, gboolean create, GError **error)
{
	store->fd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->fd < 0 && errno == ENOENT && create) {
		/* Only the store itself: above it may be a disk that is not mounted, or a mistake
		 * in its name. */
		gboolean made = mkdir(store->path, 0777) == 0 || errno == EEXIST;

		if (!made && errno == ENOENT)
			return mlv_fail(error, MLV_ERROR_MISSING,
					"cannot make the store '%s': the folder above it does not "
					"exist; make that first, or mount what should be there, or "
					"choose another place",
					store->path);
		if (!made)
			return mlv_fail_errno(error, "cannot make the store '%s'", store->path);
		store->fd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (store->fd < 0)
		return mlv_fail_errno(error, "cannot open the store '%s'", store->path);
	return TRUE;
}

/* The format file is written last, so a directory that has it is whole. */
static gboolean check_format(MlvStore *store, gboolean create, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) bytes = mlv_file_read(store->fd, "format", 4096, &local);

	if (bytes && mlv_format_check(bytes, MLV_ROLE_STORE, store->path, &local))
		return TRUE;
	if (store->damaged && (bytes ? mlv_format_is_damaged(bytes, MLV_ROLE_STORE)
				     : faccessat(store->fd, "packs", F_OK, 0) == 0))
		return TRUE;
	if (bytes) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	if (!g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING) || !create) {
		g_propagate_prefixed_error(error, g_steal_pointer(&local),
					   "'%s' is not a store: ", store->path);
		return FALSE;
	}
	g_autofree char *text = mlv_format_text(MLV_ROLE_STORE);
	return mlv_file_make_dirs(store->fd, "packs", 0777, error) &&
	       mlv_file_make_dirs(store->fd, "live", 0777, error) &&
	       mlv_store_new_generation(store, TRUE, error) &&
	       mlv_file_replace(store->fd, "format", text, strlen(text), 0644, TRUE, error);
}

static GBytes *source_read(MlvSource *source, MlvKind kind, const MlvId *id, GError **error)
{
	return mlv_store_read_chunk((MlvStore *)source, kind, id, error);
}

static gboolean source_has(MlvSource *source, MlvKind kind, const MlvId *id, gboolean *has,
			   GError **error)
{
	MlvPlace place;

	return mlv_store_find((MlvStore *)source, kind, id, &place, has, error);
}

static MlvStore *store_open(const char *path, gboolean create, gboolean damaged,
			    MlvStoreWaiting waiting, gpointer user, GError **error)
{
	g_autoptr(MlvStore) store = g_new0(MlvStore, 1);

	store->damaged = damaged;
	store->source.read = source_read;
	store->source.has = source_has;
	store->path = g_strdup(path);
	store->fd = store->lock_fd = -1;
	g_rw_lock_init(&store->lock);
	g_mutex_init(&store->fd_lock);
	store->indexes = g_ptr_array_new_with_free_func(store_index_free);
	store->packs = g_ptr_array_new_with_free_func(store_pack_free);
	store->pack_numbers = g_hash_table_new(mlv_id_hash, mlv_id_equal_key);
	if (!open_directory(store, create, error))
		return NULL;
	/* A store that one may only read is locked by its format file's folder entry: there
	 * nobody can gc. */
	store->lock_fd = openat(store->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (store->lock_fd < 0)
		store->lock_fd = openat(store->fd, "lock", O_RDONLY | O_CLOEXEC);
	if (store->lock_fd < 0)
		store->lock_fd = fcntl(store->fd, F_DUPFD_CLOEXEC, 0);
	if (!take_lock(store, FALSE, waiting, user, error) || !check_format(store, create, error) ||
	    !mlv_store_refresh(store, error))
		return NULL;
	return g_steal_pointer(&store);
}

MlvStore *mlv_store_open(const char *path, gboolean create, MlvStoreWaiting waiting, gpointer user,
			 GError **error)
{
	return store_open(path, create, FALSE, waiting, user, error);
}

MlvStore *mlv_store_open_damaged(const char *path, MlvStoreWaiting waiting, gpointer user,
				 GError **error)
{
	return store_open(path, FALSE, TRUE, waiting, user, error);
}

void mlv_store_close(MlvStore *store)
{
	if (!store)
		return;
	g_clear_pointer(&store->indexes, g_ptr_array_unref);
	g_clear_pointer(&store->pack_numbers, g_hash_table_unref);
	g_clear_pointer(&store->packs, g_ptr_array_unref);
	g_queue_clear(&store->open_packs);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	if (store->fd >= 0)
		close(store->fd);
	g_rw_lock_clear(&store->lock);
	g_mutex_clear(&store->fd_lock);
	g_free(store->path);
	g_free(store);
}

gboolean mlv_store_lock_exclusive(MlvStore *store, MlvStoreWaiting waiting, gpointer user,
				  GError **error)
{
	return take_lock(store, TRUE, waiting, user, error) && mlv_store_refresh(store, error);
}

/* --- the live indexes ------------------------------------------------------------------------- */

static StoreIndex *find_known(GPtrArray *indexes, const MlvId *name)
{
	for (guint i = 0; i < indexes->len; i++) {
		StoreIndex *entry = indexes->pdata[i];
		if (mlv_id_equal(mlv_index_name(entry->index), name))
			return entry;
	}
	return NULL;
}

/* Opens one index. A name that has gone since the listing sets *gone. */
static MlvIndex *open_index(MlvStore *store, const MlvId *name, gboolean *gone, GError **error)
{
	char path[MLV_INDEX_NAME_LENGTH + 1];

	mlv_index_path(name, path);
	g_auto(MlvFd) fd = openat(store->fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		*gone = errno == ENOENT;
		mlv_fail_errno(error, "cannot open '%s/%s'", store->path, path);
		return NULL;
	}
	return mlv_index_open(fd, name, store->damaged, path, error);
}

static GArray *list_names(MlvStore *store, GError **error)
{
	g_autoptr(GPtrArray) files = mlv_file_list(store->fd, "live", error);
	GArray *names;

	if (!files) {
		g_prefix_error(error, "in the store '%s': ", store->path);
		return NULL;
	}
	names = g_array_new(FALSE, FALSE, sizeof(MlvId));
	for (guint i = 0; i < files->len; i++) {
		g_autofree char *path = g_strconcat("live/", files->pdata[i], NULL);
		MlvId name;

		if (mlv_index_parse_path(path, &name))
			g_array_append_val(names, name);
	}
	return names;
}

/* One listing; *again is set if an index went away meanwhile (another process merged). */
static GPtrArray *load_live(MlvStore *store, gboolean *again, GError **error)
{
	g_autoptr(GArray) names = list_names(store, error);
	g_autoptr(GPtrArray) live = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_index_unref);
	g_autoptr(GHashTable) superseded =
		g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, g_free, NULL);

	if (!names)
		return NULL;
	for (guint i = 0; i < names->len; i++) {
		const MlvId *name = &g_array_index(names, MlvId, i);
		StoreIndex *known = find_known(store->indexes, name);
		g_autoptr(GError) why = NULL;
		MlvIndex *index =
			known ? mlv_index_ref(known->index) : open_index(store, name, again, &why);

		if (!index && store->damaged && g_error_matches(why, MLV_ERROR, MLV_ERROR_CORRUPT))
			continue;
		if (!index) {
			g_propagate_error(error, g_steal_pointer(&why));
			return NULL;
		}
		g_ptr_array_add(live, index);
		for (gsize j = 0; j < mlv_index_superseded_count(index); j++) {
			MlvId old = mlv_index_superseded(index, j);
			g_hash_table_add(superseded, g_memdup2(&old, sizeof(old)));
		}
	}
	for (guint i = live->len; i-- > 0;)
		if (g_hash_table_contains(superseded, mlv_index_name(live->pdata[i])))
			g_ptr_array_remove_index(live, i);
	return g_steal_pointer(&live);
}

gboolean mlv_store_refresh(MlvStore *store, GError **error)
{
	for (int attempt = 0; attempt < 16; attempt++) {
		g_autoptr(GError) local = NULL;
		gboolean again = FALSE;
		g_autoptr(GPtrArray) live = load_live(store, &again, &local);

		if (live) {
			g_rw_lock_writer_lock(&store->lock);
			g_ptr_array_set_size(store->indexes, 0);
			for (guint i = 0; i < live->len; i++)
				g_ptr_array_add(store->indexes,
						store_index_new(store, live->pdata[i]));
			g_rw_lock_writer_unlock(&store->lock);
			return TRUE;
		}
		if (!again) {
			g_propagate_error(error, g_steal_pointer(&local));
			return FALSE;
		}
	}
	return mlv_fail(error, MLV_ERROR_FAILED, "the indexes of '%s' change too fast",
			store->path);
}

GPtrArray *mlv_store_indexes(MlvStore *store, MlvClass index_class)
{
	GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_index_unref);

	g_rw_lock_reader_lock(&store->lock);
	for (guint i = 0; i < store->indexes->len; i++) {
		StoreIndex *entry = store->indexes->pdata[i];
		if (mlv_index_class(entry->index) == index_class)
			g_ptr_array_add(found, mlv_index_ref(entry->index));
	}
	g_rw_lock_reader_unlock(&store->lock);
	return found;
}

const char *mlv_store_path(const MlvStore *store)
{
	return store->path;
}

int mlv_store_fd(const MlvStore *store)
{
	return store->fd;
}

MlvSource *mlv_store_source(MlvStore *store)
{
	return &store->source;
}

gsize mlv_store_clone_block(MlvStore *store)
{
	if (!store->clone_known) {
		store->clone_block = mlv_file_clone_block(store->fd);
		store->clone_known = TRUE;
	}
	return store->clone_block;
}

gboolean mlv_store_generation(MlvStore *store, guint64 *generation, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) bytes = mlv_file_read(store->fd, "generation", 64, &local);

	*generation = bytes ? g_ascii_strtoull(g_bytes_get_data(bytes, NULL), NULL, 16) : 0;
	if (bytes || g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

gboolean mlv_store_new_generation(MlvStore *store, gboolean sync, GError **error)
{
	guint64 number;

	mlv_random_bytes(&number, sizeof(number));
	g_autofree char *text = g_strdup_printf("%016" G_GINT64_MODIFIER "x\n", number);
	return mlv_file_replace(store->fd, "generation", text, strlen(text), 0644, sync, error);
}
