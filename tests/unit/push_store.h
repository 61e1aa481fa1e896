/* SPDX-License-Identifier: Apache-2.0 */
/* A local store of the smallest kind, for tests of what pushes and fetches: packs in memory
 * files, chunks in a map. */
#ifndef MLV_TESTS_PUSH_STORE_H
#define MLV_TESTS_PUSH_STORE_H

#include "storage/file.h"
#include "storage/pack.h"
#include "storage/push.h"
#include "storage/source.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct {
	MlvId pack;
	MlvPackEntry entry;
	GBytes *raw;
} MiniChunk;

typedef struct {
	MlvSource source;
	GHashTable *chunks; /* MlvChunkKey -> MiniChunk */
	GHashTable *packs;  /* MlvId -> fd + 1 */
	GArray *pending;    /* MlvPackEntry, of the pack being written */
	MlvPackWriter *writer;
	int fd;
} MiniStore;

static inline guint mini_hash(gconstpointer data)
{
	return mlv_id_hash(&((const MlvChunkKey *)data)->id);
}

static inline gboolean mini_equal(gconstpointer a, gconstpointer b)
{
	const MlvChunkKey *x = a, *y = b;

	return x->kind == y->kind && mlv_id_equal(&x->id, &y->id);
}

static inline void mini_chunk_free(gpointer data)
{
	MiniChunk *chunk = data;

	g_bytes_unref(chunk->raw);
	g_free(chunk);
}

static inline void mini_close(gpointer fd)
{
	close(GPOINTER_TO_INT(fd) - 1);
}

static inline GBytes *mini_read(MlvSource *source, MlvKind kind, const MlvId *id, GError **error)
{
	MlvChunkKey key = { .id = *id, .kind = (guint8)kind };
	MiniChunk *chunk = g_hash_table_lookup(((MiniStore *)source)->chunks, &key);

	if (chunk)
		return g_bytes_ref(chunk->raw);
	mlv_fail(error, MLV_ERROR_MISSING, "not in the mini store");
	return NULL;
}

static inline gboolean mini_has(MlvSource *source, MlvKind kind, const MlvId *id, gboolean *has,
				GError **error)
{
	MlvChunkKey key = { .id = *id, .kind = (guint8)kind };

	*has = g_hash_table_contains(((MiniStore *)source)->chunks, &key);
	return TRUE;
}

static inline MiniStore *mini_new(void)
{
	MiniStore *mini = g_new0(MiniStore, 1);

	mini->source.read = mini_read;
	mini->source.has = mini_has;
	mini->chunks = g_hash_table_new_full(mini_hash, mini_equal, g_free, mini_chunk_free);
	mini->packs = g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, g_free, mini_close);
	return mini;
}

static inline void mini_free(MiniStore *mini)
{
	g_hash_table_unref(mini->chunks);
	g_hash_table_unref(mini->packs);
	g_free(mini);
}

/* Starts a pack of a class; chunks that are put go there until mini_end. */
static inline void mini_begin(MiniStore *mini, MlvClass pack_class)
{
	mini->fd = memfd_create("mini", MFD_CLOEXEC);
	mini->writer = mlv_pack_writer_new(mini->fd, pack_class, "mini");
	mini->pending = g_array_new(FALSE, FALSE, sizeof(MlvPackEntry));
}

static inline gboolean mini_put(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
				gpointer user, GError **error)
{
	MiniStore *mini = user;
	MlvChunkKey key = { .id = *id, .kind = (guint8)kind };
	MiniChunk *chunk;
	MlvPackEntry entry = {
		.id = *id, .stored = (guint32)length, .raw = (guint32)length, .kind = (guint8)kind
	};

	if (g_hash_table_contains(mini->chunks, &key))
		return TRUE;
	memcpy(&entry.check, id->b, 4);
	entry.check = GUINT32_FROM_LE(entry.check);
	if (!mlv_pack_writer_add(mini->writer, data, &entry, 1, error))
		return FALSE;
	chunk = g_new0(MiniChunk, 1);
	chunk->entry = entry;
	chunk->raw = g_bytes_new(data, length);
	g_hash_table_insert(mini->chunks, g_memdup2(&key, sizeof(key)), chunk);
	g_array_append_val(mini->pending, entry);
	return TRUE;
}

static inline MlvId mini_end(MiniStore *mini)
{
	MlvId name;

	if (!mlv_pack_writer_finish(mini->writer, &name, NULL))
		g_error("cannot finish a pack");
	for (guint i = 0; i < mini->pending->len; i++) {
		const MlvPackEntry *entry = &g_array_index(mini->pending, MlvPackEntry, i);
		MlvChunkKey key = { .id = entry->id, .kind = entry->kind };

		((MiniChunk *)g_hash_table_lookup(mini->chunks, &key))->pack = name;
	}
	g_hash_table_insert(mini->packs, g_memdup2(&name, sizeof(name)),
			    GINT_TO_POINTER(mini->fd + 1));
	g_clear_pointer(&mini->writer, mlv_pack_writer_free);
	g_clear_pointer(&mini->pending, g_array_unref);
	return name;
}

static inline gboolean mini_locate(MlvKind kind, const MlvId *id, gboolean *found, MlvId *pack,
				   MlvPackEntry *entry, gpointer user, GError **error)
{
	MlvChunkKey key = { .id = *id, .kind = (guint8)kind };
	MiniChunk *chunk = g_hash_table_lookup(((MiniStore *)user)->chunks, &key);

	*found = chunk != NULL;
	if (chunk) {
		*pack = chunk->pack;
		*entry = chunk->entry;
		entry->check = 0; /* as from an index */
	}
	return TRUE;
}

static inline int mini_open(const MlvId *pack, gpointer user, GError **error)
{
	int fd = GPOINTER_TO_INT(g_hash_table_lookup(((MiniStore *)user)->packs, pack)) - 1;

	if (fd < 0)
		mlv_fail(error, MLV_ERROR_MISSING, "no such pack in the mini store");
	return fd < 0 ? -1 : dup(fd);
}

/* One blob of text in the pack being written. */
static inline MlvRef mini_blob(MiniStore *mini, const char *text)
{
	MlvRef ref = { .kind = MLV_KIND_BLOB, .size = strlen(text) };

	mlv_id_of(text, strlen(text), &ref.id);
	if (!mini_put(MLV_KIND_BLOB, &ref.id, (const guint8 *)text, strlen(text), mini, NULL))
		g_error("cannot put a chunk");
	return ref;
}

#endif
