/* SPDX-License-Identifier: Apache-2.0 */
/* A small local store in a Scratch, and what tests ask of it. Include after <cmocka.h>. */
#ifndef MLV_TESTS_MINI_STORE_H
#define MLV_TESTS_MINI_STORE_H

#include <string.h>
#include <sys/stat.h>

#include "storage/store.h"
#include "storage/upkeep.h"
#include "tests/unit/scratch.h"

#define MINI_LONG 20000 /* bytes of a chunk that is long beside everything else in a pack */

/* The store "store" of the scratch folder; made if it is not there. */
static inline MlvStore *mini_open(const Scratch *scratch)
{
	g_autofree char *path = g_build_filename(scratch->path, "store", NULL);
	g_autoptr(GError) error = NULL;
	MlvStore *store = mlv_store_open(path, TRUE, NULL, NULL, &error);

	if (!store)
		fail_msg("%s", error->message);
	return store;
}

static inline MlvStoreWriter *mini_writer(MlvStore *store)
{
	const MlvWriteOptions options = { .sync = FALSE, .level = 3 };

	return mlv_store_writer_new(store, &options);
}

static inline MlvId mini_put(MlvStoreWriter *writer, MlvKind kind, const void *data, gsize length)
{
	g_autoptr(GError) error = NULL;
	MlvId id;

	mlv_id_of(data, length, &id);
	if (!mlv_store_writer_put(kind, &id, data, length, writer, &error))
		fail_msg("%s", error->message);
	return id;
}

/* A blob of noise. */
static inline MlvId mini_noise(MlvStoreWriter *writer, gsize length, guint64 seed)
{
	g_autofree guint8 *bytes = g_malloc(length);

	scratch_noise(bytes, length, seed);
	return mini_put(writer, MLV_KIND_BLOB, bytes, length);
}

/* Commits and frees the session. */
static inline void mini_commit(MlvStoreWriter *writer)
{
	g_autoptr(GError) error = NULL;

	if (!mlv_store_writer_commit(writer, &error))
		fail_msg("%s", error->message);
	mlv_store_writer_free(writer);
}

/* Packs on disk. */
static inline guint mini_packs(MlvStore *store)
{
	g_autoptr(GArray) packs = mlv_upkeep_packs(store, NULL, NULL);

	assert_non_null(packs);
	return packs->len;
}

/* Index files on disk. */
static inline guint mini_indexes(MlvStore *store)
{
	g_autoptr(GArray) names = mlv_upkeep_index_names(store, NULL);

	assert_non_null(names);
	return names->len;
}

/* Whether the chunk is found and reads well. */
static inline gboolean mini_has(MlvStore *store, MlvKind kind, const MlvId *id)
{
	g_autoptr(GBytes) bytes = mlv_store_read_chunk(store, kind, id, NULL);

	return bytes != NULL;
}

/* The path of the pack that the chunk lies in. */
static inline char *mini_pack_of(MlvStore *store, MlvKind kind, const MlvId *id)
{
	char path[MLV_PACK_NAME_LENGTH + 1];
	MlvPlace place;
	gboolean found;

	assert_true(mlv_store_find(store, kind, id, &place, &found, NULL));
	assert_true(found);
	MlvId name = mlv_store_pack_name(store, place.pack);
	mlv_pack_path(&name, path);
	return g_build_filename(mlv_store_path(store), path, NULL);
}

/* Removes all index files; the packs stay. */
static inline void mini_lose_indexes(MlvStore *store)
{
	g_autoptr(GArray) names = mlv_upkeep_index_names(store, NULL);

	assert_non_null(names);
	assert_true(mlv_upkeep_remove_indexes(store, names, FALSE, NULL));
	assert_true(mlv_store_refresh(store, NULL));
}

#endif
