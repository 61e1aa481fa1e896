/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreign bytes as a pack: the table, and every chunk that it names. The first byte says whether
 * the checksums are made right before, since no mutation would ever get past a SHA-256.
 */
#include <stdint.h>
#include <stdlib.h>

#include "storage/error.h"
#include "storage/pack_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void seal(guint8 *pack, gsize length)
{
	if (length < MLV_PACK_MIN)
		return;
	guint8 *footer = pack + length - MLV_PACK_FOOTER;
	guint32 count = mlv_le32_get(footer + 8);
	guint64 table = MLV_PACK_SALT + (guint64)count * MLV_PACK_ENTRY + MLV_PACK_FOOTER;
	g_autoptr(MlvHash) hash = mlv_hash_new();
	MlvId name;

	if (table > length - MLV_PACK_HEADER)
		return;
	memcpy(pack, MLV_PACK_MAGIC, MLV_MAGIC_LENGTH);
	mlv_hash_update(hash, pack, MLV_PACK_HEADER);
	mlv_hash_update(hash, pack + length - table, table - MLV_PACK_FOOTER);
	mlv_hash_finish(hash, &name);
	mlv_pack_footer_format(length - table, count, mlv_le32_get(footer + 12), &name, footer);
}

/* Whatever the table says must lie inside the pack. */
static void read_chunks(const MlvPackTable *table, const guint8 *pack, gsize length)
{
	for (gsize i = 0; i < table->count; i++) {
		const MlvPackEntry *entry = &table->entries[i];

		if (entry->offset < MLV_PACK_HEADER || entry->raw > MLV_CHUNK_LIMIT ||
		    (guint64)entry->offset + entry->stored > length)
			abort();
		g_autofree guint8 *out = g_malloc(entry->raw + 1);
		mlv_pack_decode(entry, pack + entry->offset, out, "fuzz", NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	g_autoptr(GError) error = NULL;
	gsize need;

	if (length < 1 + MLV_PACK_HEADER)
		return 0;
	/* of its own length, so that the sanitizer sees the first byte too many */
	gsize size = length - 1;
	g_autofree guint8 *pack = g_memdup2(data + 1, size);
	if (data[0] & 1)
		seal(pack, size);
	g_autoptr(MlvPackTable) table =
		mlv_pack_table_parse(pack, pack, size, size, NULL, "fuzz", &need, &error);
	if (!table != !!error)
		abort();
	if (table)
		read_chunks(table, pack, size);
	return 0;
}
