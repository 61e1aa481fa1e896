/* SPDX-License-Identifier: Apache-2.0 */
/* Indexes opened, their heads checked, their blocks brought in. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "storage/error.h"
#include "storage/index_private.h"

/* --- the head --------------------------------------------------------------------------------- */

/* Records of `step` bytes each begin with a name: strictly ascending? */
static gboolean names_ascend(const guint8 *at, gsize count, gsize step)
{
	for (gsize i = 1; i < count; i++, at += step)
		if (memcmp(at, at + step, MLV_ID_SIZE) >= 0)
			return FALSE;
	return TRUE;
}

static const char *head_fault(const MlvIndexLayout *layout, const guint8 *head)
{
	guint32 previous = 0;

	if (!names_ascend(head + layout->packs_at, layout->packs, MLV_INDEX_PACK) ||
	    !names_ascend(head + layout->tombstones_at, layout->tombstones, MLV_INDEX_TOMBSTONE) ||
	    !names_ascend(head + layout->superseded_at, layout->superseded, MLV_ID_SIZE))
		return "its names are not in order";
	for (guint32 i = 0; i < layout->packs; i++) {
		guint64 size = mlv_le64_get(head + layout->packs_at + (guint64)i * MLV_INDEX_PACK +
					    MLV_ID_SIZE);
		if (size < MLV_PACK_MIN || size > MLV_PACK_MAX)
			return "it names a pack of a size that no pack has";
	}
	for (guint32 i = 0; i < 1u << layout->bits; i++) {
		guint32 end = mlv_le32_get(head + layout->fan_at + (guint64)i * 4);
		if (end < previous)
			return "its fan-out does not ascend";
		previous = end;
	}
	return previous == layout->count ? NULL : "its fan-out does not end at its count";
}

static gboolean check_head(const MlvIndexLayout *layout, const guint8 *head, const char *label,
			   GError **error)
{
	MlvId check;

	mlv_id_of(head, layout->check_at, &check);
	if (memcmp(check.b, head + layout->check_at, MLV_INDEX_CHECK) != 0)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "the head of '%s' is damaged", label);
	const char *fault = head_fault(layout, head);
	if (fault)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' is damaged: %s", label, fault);
	return TRUE;
}

/* --- opening ---------------------------------------------------------------------------------- */

static MlvIndex *index_new(const MlvIndexLayout *layout, const MlvId *name, const char *label)
{
	MlvIndex *index = g_new0(MlvIndex, 1);

	index->refs = 1;
	index->layout = *layout;
	if (name)
		index->name = *name;
	index->label = g_strdup(label);
	index->good = g_new0(guint, layout->n_blocks / 32 + 1);
	g_mutex_init(&index->lock);
	return index;
}

/* A new index over `size` bytes that stay where they are, after all checks but those of the
 * blocks. */
static MlvIndex *index_over(const guint8 *data, guint64 size, const MlvId *name,
			    gboolean verify_name, const char *label, GError **error)
{
	MlvIndexLayout layout = { 0 };
	MlvId own;

	if (size < MLV_INDEX_HEADER) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' is too short for an index", label);
		return NULL;
	}
	if (!mlv_index_header_parse(data, &layout, label, error))
		return NULL;
	if (layout.size != size) {
		mlv_fail(error, MLV_ERROR_CORRUPT,
			 "'%s' has %" G_GUINT64_FORMAT " bytes and should have %" G_GUINT64_FORMAT,
			 label, size, layout.size);
		return NULL;
	}
	if (!check_head(&layout, data, label, error))
		return NULL;
	if (!name || verify_name)
		mlv_id_of(data, size, &own);
	if (name && verify_name && !mlv_id_equal(name, &own)) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' is damaged: its bytes have another name",
			 label);
		return NULL;
	}
	MlvIndex *index = index_new(&layout, name ? name : &own, label);
	index->data = data;
	return index;
}

MlvIndex *mlv_index_open(int fd, const MlvId *name, gboolean verify_name, const char *label,
			 GError **error)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		mlv_fail_errno(error, "cannot examine '%s'", label);
		return NULL;
	}
	if (st.st_size < (off_t)MLV_INDEX_HEADER) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' is too short for an index", label);
		return NULL;
	}
	gpointer mapping = mmap(NULL, (gsize)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (mapping == MAP_FAILED) {
		mlv_fail_errno(error, "cannot map '%s'", label);
		return NULL;
	}
	MlvIndex *index = index_over(mapping, (guint64)st.st_size, name, verify_name, label, error);
	if (!index)
		munmap(mapping, (gsize)st.st_size);
	else
		index->mapping = mapping;
	return index;
}

MlvIndex *mlv_index_new_from_bytes(GBytes *bytes, const MlvId *name, gboolean verify_name,
				   const char *label, GError **error)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);
	MlvIndex *index = index_over(data, size, name, verify_name, label, error);

	if (index)
		index->bytes = g_bytes_ref(bytes);
	return index;
}

/* Whole blocks among bytes that begin at a block's start are taken in; a rest is passed over. */
static gboolean take_blocks(MlvIndex *index, guint64 block, const guint8 *at, gsize length,
			    GError **error);

/* An index of which nothing but the head is there. */
static MlvIndex *partial_over(const guint8 *head, const MlvIndexLayout *layout, const MlvId *name,
			      const char *label, GError **error)
{
	if (!check_head(layout, head, label, error))
		return NULL;
	gpointer room = mmap(NULL, layout->size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED) {
		mlv_fail_errno(error, "no room for the index '%s'", label);
		return NULL;
	}
	MlvIndex *index = index_new(layout, name, label);
	index->mapping = index->room = room;
	index->data = room;
	memcpy(room, head, layout->blocks_at);
	return index;
}

MlvIndex *mlv_index_new_partial(GBytes *head, const MlvId *name, guint64 file_size,
				MlvIndexFetch fetch, gpointer user, const char *label, gsize *need,
				GError **error)
{
	gsize length, wanted = MLV_INDEX_HEADER;
	const guint8 *data = g_bytes_get_data(head, &length);
	MlvIndexLayout layout = { 0 };

	if (need)
		*need = 0;
	if (length >= MLV_INDEX_HEADER) {
		if (!mlv_index_header_parse(data, &layout, label, error))
			return NULL;
		wanted = layout.blocks_at;
	}
	if (wanted > file_size || (layout.size > 0 && layout.size != file_size)) {
		mlv_fail(error, MLV_ERROR_CORRUPT,
			 "'%s' has %" G_GUINT64_FORMAT " bytes, which does not fit its header",
			 label, file_size);
		return NULL;
	}
	if (length < wanted) {
		if (need)
			*need = wanted;
		mlv_fail(error, MLV_ERROR_FAILED,
			 "the first %" G_GSIZE_FORMAT " bytes of '%s' are needed", wanted, label);
		return NULL;
	}
	g_autoptr(MlvIndex) index = partial_over(data, &layout, name, label, error);
	if (!index)
		return NULL;
	index->fetch = fetch;
	index->fetch_user = user;
	if (!take_blocks(index, 0, data + wanted, MIN(length, file_size) - wanted, error))
		return NULL;
	return g_steal_pointer(&index);
}

MlvIndex *mlv_index_ref(MlvIndex *index)
{
	g_atomic_int_inc(&index->refs);
	return index;
}

void mlv_index_unref(MlvIndex *index)
{
	if (!index || !g_atomic_int_dec_and_test(&index->refs))
		return;
	if (index->mapping)
		munmap(index->mapping, index->layout.size);
	g_clear_pointer(&index->bytes, g_bytes_unref);
	g_mutex_clear(&index->lock);
	g_free(index->good);
	g_free(index->label);
	g_free(index);
}

/* --- blocks ----------------------------------------------------------------------------------- */

static void set_good(MlvIndex *index, guint64 block)
{
	g_atomic_int_or(&index->good[block / 32], 1u << block % 32);
}

static gboolean check_block(MlvIndex *index, guint64 block, const guint8 *at, GError **error)
{
	gsize length = mlv_index_block_length(&index->layout, block);
	MlvId sum;

	mlv_id_of(at, length, &sum);
	if (memcmp(sum.b, at + length, MLV_INDEX_SUM) == 0)
		return TRUE;
	return mlv_fail(error, MLV_ERROR_CORRUPT, "block %" G_GUINT64_FORMAT " of '%s' is damaged",
			block, index->label);
}

static gboolean take_blocks(MlvIndex *index, guint64 block, const guint8 *at, gsize length,
			    GError **error)
{
	for (; block < index->layout.n_blocks; block++) {
		gsize step = mlv_index_block_length(&index->layout, block) + MLV_INDEX_SUM;

		if (length < step)
			return TRUE;
		if (!check_block(index, block, at, error))
			return FALSE;
		g_mutex_lock(&index->lock);
		if (!mlv_index_block_good(index, block))
			memcpy(index->room + index->layout.blocks_at + block * MLV_INDEX_BLOCK, at,
			       step);
		set_good(index, block);
		g_mutex_unlock(&index->lock);
		at += step;
		length -= step;
	}
	return TRUE;
}

gboolean mlv_index_provide(MlvIndex *index, guint64 offset, GBytes *bytes, GError **error)
{
	gsize length;
	const guint8 *data = g_bytes_get_data(bytes, &length);
	guint64 at = offset - index->layout.blocks_at;

	if (offset < index->layout.blocks_at || at % MLV_INDEX_BLOCK != 0 ||
	    offset > index->layout.size || length > index->layout.size - offset)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"bytes at %" G_GUINT64_FORMAT " are not blocks of '%s'", offset,
				index->label);
	return !index->room || take_blocks(index, at / MLV_INDEX_BLOCK, data, length, error);
}

static gboolean fetch_block(MlvIndex *index, guint64 block, GError **error)
{
	guint64 offset = index->layout.blocks_at + block * MLV_INDEX_BLOCK;
	gsize length = mlv_index_block_length(&index->layout, block) + MLV_INDEX_SUM;

	if (!index->fetch)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"block %" G_GUINT64_FORMAT " of '%s' is not here", block,
				index->label);
	g_autoptr(GBytes) bytes = index->fetch(offset, length, index->fetch_user, error);
	if (!bytes)
		return FALSE;
	if (g_bytes_get_size(bytes) != length)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"block %" G_GUINT64_FORMAT " of '%s' came with a wrong length",
				block, index->label);
	return take_blocks(index, block, g_bytes_get_data(bytes, NULL), length, error);
}

static gboolean need_block(MlvIndex *index, guint64 block, GError **error)
{
	if (G_LIKELY(mlv_index_block_good(index, block)))
		return TRUE;
	if (index->room)
		return fetch_block(index, block, error);
	if (!check_block(index, block,
			 index->data + index->layout.blocks_at + block * MLV_INDEX_BLOCK, error))
		return FALSE;
	set_good(index, block);
	return TRUE;
}

const guint8 *mlv_index_entry_bytes(MlvIndex *index, gsize number, GError **error)
{
	if (!need_block(index, number / MLV_INDEX_BLOCK_ENTRIES, error))
		return NULL;
	return index->data + mlv_index_entry_at(&index->layout, number);
}

/* --- what the head says ----------------------------------------------------------------------- */

const MlvId *mlv_index_name(const MlvIndex *index)
{
	return &index->name;
}

MlvClass mlv_index_class(const MlvIndex *index)
{
	return index->layout.index_class;
}

guint64 mlv_index_size(const MlvIndex *index)
{
	return index->layout.size;
}

gsize mlv_index_count(const MlvIndex *index)
{
	return index->layout.count;
}

gsize mlv_index_pack_count(const MlvIndex *index)
{
	return index->layout.packs;
}

MlvIndexPack mlv_index_pack(const MlvIndex *index, gsize number)
{
	const guint8 *at = index->data + index->layout.packs_at + number * MLV_INDEX_PACK;
	MlvIndexPack pack = { .size = mlv_le64_get(at + MLV_ID_SIZE) };

	memcpy(pack.name.b, at, MLV_ID_SIZE);
	return pack;
}

gsize mlv_index_tombstone_count(const MlvIndex *index)
{
	return index->layout.tombstones;
}

MlvTombstone mlv_index_tombstone(const MlvIndex *index, gsize number)
{
	const guint8 *at = index->data + index->layout.tombstones_at + number * MLV_INDEX_TOMBSTONE;
	MlvTombstone tombstone = { .time = mlv_le64_get(at + MLV_ID_SIZE) };

	memcpy(tombstone.pack.b, at, MLV_ID_SIZE);
	return tombstone;
}

gsize mlv_index_superseded_count(const MlvIndex *index)
{
	return index->layout.superseded;
}

MlvId mlv_index_superseded(const MlvIndex *index, gsize number)
{
	MlvId id;

	memcpy(id.b, index->data + index->layout.superseded_at + number * MLV_ID_SIZE, MLV_ID_SIZE);
	return id;
}
