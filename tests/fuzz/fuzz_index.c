/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreign bytes as an index, whole and in parts: look-ups, the check, a merge. The first byte says
 * whether the checksums are made right before, since no mutation would ever get past a SHA-256.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storage/error.h"
#include "storage/file.h"
#include "storage/index_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void seal(guint8 *bytes, gsize length)
{
	MlvIndexLayout layout = { 0 };
	MlvId sum;

	if (length < MLV_INDEX_HEADER)
		return;
	memcpy(bytes, MLV_INDEX_MAGIC, MLV_MAGIC_LENGTH);
	mlv_le32_put(bytes + 12, mlv_index_bits(mlv_le32_get(bytes + 28)));
	if (!mlv_index_header_parse(bytes, &layout, "fuzz", NULL) || layout.size != length)
		return;
	mlv_id_of(bytes, layout.check_at, &sum);
	memcpy(bytes + layout.check_at, sum.b, MLV_INDEX_CHECK);
	for (guint64 block = 0; block < layout.n_blocks; block++) {
		guint8 *at = bytes + layout.blocks_at + block * MLV_INDEX_BLOCK;
		gsize step = mlv_index_block_length(&layout, block);
		mlv_id_of(at, step, &sum);
		memcpy(at + step, sum.b, MLV_INDEX_SUM);
	}
}

static void look_up(MlvIndex *index, const MlvId *id)
{
	g_autoptr(GArray) hits = g_array_new(FALSE, FALSE, sizeof(MlvIndexHit));
	gboolean found;
	MlvIndexHit hit;

	for (int kind = MLV_KIND_BLOB; kind <= MLV_KIND_TREE; kind++) {
		g_autoptr(GError) error = NULL;
		if (!mlv_index_find(index, (MlvKind)kind, id, &found, &hit, &error) != !!error)
			abort();
		if (!error && found && hit.pack >= mlv_index_pack_count(index))
			abort();
		mlv_index_find_all(index, (MlvKind)kind, id, hits, NULL);
	}
}

static void use(MlvIndex *index)
{
	MlvId id = { { 0 } };
	MlvIndexHit hit;

	look_up(index, &id);
	memset(&id, 0xff, sizeof(id));
	look_up(index, &id);
	for (gsize i = 0; i < mlv_index_count(index); i++)
		if (mlv_index_get(index, i, &hit, NULL))
			look_up(index, &hit.entry.id);
	for (gsize i = 0; i < mlv_index_pack_count(index); i++)
		mlv_index_pack(index, i);
	for (gsize i = 0; i < mlv_index_tombstone_count(index); i++)
		mlv_index_tombstone(index, i);
	for (gsize i = 0; i < mlv_index_superseded_count(index); i++)
		mlv_index_superseded(index, i);
	mlv_index_check(index, NULL);
}

/* A merge of what can be read must itself be right. */
static void merge_twice(MlvIndex *index)
{
	MlvIndex *inputs[] = { index, index };
	const MlvIndexMerge options = { .inherit_superseded = TRUE, .drop_dead = TRUE };
	g_auto(MlvFd) fd = memfd_create("merged", MFD_CLOEXEC);
	MlvId name;

	if (fd < 0 || !mlv_index_merge(inputs, 2, &options, fd, &name, NULL))
		return;
	g_autoptr(MlvIndex) merged = mlv_index_open(fd, &name, TRUE, "merged", NULL);
	if (!merged || !mlv_index_check(merged, NULL))
		abort();
}

static GBytes *fetch(guint64 offset, gsize length, gpointer user, GError **error)
{
	if (offset + length > g_bytes_get_size(user))
		abort();
	return g_bytes_new_from_bytes(user, offset, length);
}

static void use_partial(GBytes *bytes)
{
	gsize size = g_bytes_get_size(bytes), need = 0;
	const MlvId ids[2] = { { { 0x80 } }, { { 0x10 } } };
	MlvIndex *index = NULL;

	for (int tries = 0; !index && tries < 3; tries++) {
		if (need > size)
			abort();
		g_autoptr(GBytes) head = g_bytes_new_from_bytes(bytes, 0, need);
		index = mlv_index_new_partial(head, NULL, size, fetch, bytes, "fuzz", &need, NULL);
	}
	if (!index)
		return;
	g_autoptr(GArray) ranges = mlv_index_plan(index, ids, 2);
	for (guint i = 0; i < ranges->len; i++) {
		MlvRange range = g_array_index(ranges, MlvRange, i);
		g_autoptr(GBytes) part = fetch(range.offset, range.length, bytes, NULL);
		mlv_index_provide(index, range.offset, part, NULL);
	}
	use(index);
	mlv_index_unref(index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	g_autoptr(GError) error = NULL;

	if (length < 1)
		return 0;
	guint8 *copy = g_memdup2(data + 1, length - 1);
	if (data[0] & 1)
		seal(copy, length - 1);
	g_autoptr(GBytes) bytes = g_bytes_new_take(copy, length - 1);
	g_autoptr(MlvIndex) index = mlv_index_new_from_bytes(bytes, NULL, FALSE, "fuzz", &error);
	if (!index != !!error)
		abort();
	if (index) {
		use(index);
		merge_twice(index);
	}
	use_partial(bytes);
	return 0;
}
