/* SPDX-License-Identifier: Apache-2.0 */
/* Finding chunks in the local store and reading them; open packs are kept, up to a number. */
#include <fcntl.h>
#include <unistd.h>

#include "storage/store_private.h"

#define OPEN_PACKS_MAX 128

gboolean mlv_store_find(MlvStore *store, MlvKind kind, const MlvId *id, MlvPlace *place,
			gboolean *found, GError **error)
{
	MlvClass wanted = mlv_class_of(kind);
	gboolean ok = TRUE;

	*found = FALSE;
	g_rw_lock_reader_lock(&store->lock);
	for (guint i = 0; ok && !*found && i < store->indexes->len; i++) {
		StoreIndex *entry = store->indexes->pdata[i];
		MlvIndexHit hit;

		if (mlv_index_class(entry->index) != wanted)
			continue;
		ok = mlv_index_find(entry->index, kind, id, found, &hit, error);
		if (ok && *found) {
			place->entry = hit.entry;
			place->pack = entry->packs[hit.pack];
		}
	}
	g_rw_lock_reader_unlock(&store->lock);
	return ok;
}

static StorePack *pack_slot(MlvStore *store, guint number)
{
	g_rw_lock_reader_lock(&store->lock);
	StorePack *pack = store->packs->pdata[number];
	g_rw_lock_reader_unlock(&store->lock);
	return pack;
}

MlvId mlv_store_pack_name(MlvStore *store, guint pack)
{
	return pack_slot(store, pack)->name;
}

int mlv_store_pack_open(MlvStore *store, const MlvId *name, GError **error)
{
	char path[MLV_PACK_NAME_LENGTH + 1];

	mlv_pack_path(name, path);
	int fd = openat(store->fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		mlv_fail_errno(error, "cannot open '%s/%s'", store->path, path);
	return fd;
}

/* Closes packs nobody uses until few enough are open. Under fd_lock. */
static void close_old_packs(MlvStore *store)
{
	GList *link = store->open_packs.head;

	while (link && store->open_packs.length > OPEN_PACKS_MAX) {
		GList *next = link->next;
		StorePack *pack = pack_slot(store, GPOINTER_TO_UINT(link->data));

		if (pack->users == 0) {
			close(pack->fd);
			pack->fd = -1;
			g_queue_delete_link(&store->open_packs, link);
		}
		link = next;
	}
}

int mlv_store_pack_acquire(MlvStore *store, guint number, GError **error)
{
	StorePack *pack = pack_slot(store, number);

	g_mutex_lock(&store->fd_lock);
	if (pack->fd < 0) {
		pack->fd = mlv_store_pack_open(store, &pack->name, error);
		if (pack->fd >= 0) {
			g_queue_push_tail(&store->open_packs, GUINT_TO_POINTER(number));
			close_old_packs(store);
		}
	}
	int fd = pack->fd;
	if (fd >= 0)
		pack->users++;
	g_mutex_unlock(&store->fd_lock);
	return fd;
}

void mlv_store_pack_release(MlvStore *store, guint number)
{
	StorePack *pack = pack_slot(store, number);

	g_mutex_lock(&store->fd_lock);
	pack->users--;
	g_mutex_unlock(&store->fd_lock);
}

gboolean mlv_store_read_stored(MlvStore *store, const MlvPlace *place, guint8 *out, GError **error)
{
	char label[MLV_PACK_NAME_LENGTH + 1];
	MlvId name = mlv_store_pack_name(store, place->pack);
	int fd = mlv_store_pack_acquire(store, place->pack, error);

	if (fd < 0)
		return FALSE;
	mlv_pack_path(&name, label);
	gboolean ok =
		mlv_file_read_at(fd, out, place->entry.stored, place->entry.offset, label, error);
	mlv_store_pack_release(store, place->pack);
	return ok;
}

gboolean mlv_store_read(MlvStore *store, const MlvPlace *place, guint8 *out, GError **error)
{
	char label[MLV_PACK_NAME_LENGTH + 1];
	MlvId name = mlv_store_pack_name(store, place->pack);

	mlv_pack_path(&name, label);
	if (place->entry.codec == MLV_CODEC_RAW)
		return mlv_store_read_stored(store, place, out, error) &&
		       mlv_pack_decode(&place->entry, out, out, label, error);
	g_autofree guint8 *stored = g_malloc(place->entry.stored);
	return mlv_store_read_stored(store, place, stored, error) &&
	       mlv_pack_decode(&place->entry, stored, out, label, error);
}

GBytes *mlv_store_read_chunk(MlvStore *store, MlvKind kind, const MlvId *id, GError **error)
{
	char hex[MLV_ID_HEX + 1];
	MlvPlace place;
	gboolean found;

	if (!mlv_store_find(store, kind, id, &place, &found, error))
		return NULL;
	if (!found) {
		mlv_id_format(id, hex);
		mlv_fail(error, MLV_ERROR_MISSING, "object sha256:%s is not in the store", hex);
		return NULL;
	}
	g_autofree guint8 *raw = g_malloc((gsize)place.entry.raw + 1);
	if (!mlv_store_read(store, &place, raw, error))
		return NULL;
	return g_bytes_new_take(g_steal_pointer(&raw), place.entry.raw);
}
