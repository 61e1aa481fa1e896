/* SPDX-License-Identifier: Apache-2.0 */
/* A pack's table read back: nothing in it is believed before it is checked. */
#include <sys/stat.h>

#include "storage/error.h"
#include "storage/file.h"
#include "storage/pack_private.h"

typedef struct {
	guint64 table_offset;
	guint64 table_length; /* salt and entries */
	guint32 count;
	MlvClass pack_class;
	MlvId name;
} Footer;

/* What is wrong with the fields of a footer whose sum is right, or NULL. */
static const char *footer_fault(const Footer *footer, guint32 pack_class, guint64 size)
{
	if (!mlv_class_valid(pack_class))
		return "its class is unknown";
	if (footer->count > (size - MLV_PACK_MIN) / MLV_PACK_ENTRY)
		return "it cannot hold that many chunks";
	if (footer->table_offset < MLV_PACK_HEADER ||
	    footer->table_offset != size - MLV_PACK_FOOTER - footer->table_length)
		return "its table is not where it must be";
	return NULL;
}

static gboolean parse_footer(const guint8 *in, guint64 size, const char *label, Footer *footer,
			     GError **error)
{
	MlvId sum;

	if (memcmp(in + MLV_PACK_FOOTER - MLV_MAGIC_LENGTH, MLV_PACK_END_MAGIC, MLV_MAGIC_LENGTH) !=
	    0)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' does not end as a pack does",
				label);
	mlv_id_of(in, MLV_PACK_SUM_AT, &sum);
	if (memcmp(in + MLV_PACK_SUM_AT, sum.b, MLV_PACK_SUM_LENGTH) != 0)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "the footer of '%s' is damaged", label);
	footer->table_offset = mlv_le64_get(in);
	footer->count = mlv_le32_get(in + 8);
	footer->table_length = MLV_PACK_SALT + (guint64)footer->count * MLV_PACK_ENTRY;
	footer->pack_class = (MlvClass)mlv_le32_get(in + 12);
	memcpy(footer->name.b, in + MLV_PACK_NAME_AT, MLV_ID_SIZE);
	const char *fault = footer_fault(footer, mlv_le32_get(in + 12), size);
	if (fault)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "the footer of '%s' is wrong: %s", label,
				fault);
	return TRUE;
}

static gboolean check_size(guint64 size, const char *label, GError **error)
{
	if (size >= MLV_PACK_MIN && size <= MLV_PACK_MAX)
		return TRUE;
	return mlv_fail(error, MLV_ERROR_CORRUPT,
			"'%s' has %" G_GUINT64_FORMAT " bytes, which no pack has", label, size);
}

/* The header as it must be for the footer's class: every byte of it is determined. */
static gboolean check_header(const guint8 *header, const Footer *footer, const char *label,
			     GError **error)
{
	guint8 right[MLV_PACK_HEADER];

	if (memcmp(header, MLV_PACK_MAGIC, MLV_MAGIC_LENGTH) != 0)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"'%s' does not begin as a pack of version 1", label);
	mlv_pack_header_format(footer->pack_class, right);
	if (memcmp(header, right, sizeof(right)) != 0)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "the header of '%s' is damaged", label);
	return TRUE;
}

static gboolean check_name(const guint8 *header, const guint8 *bytes, const Footer *footer,
			   const MlvId *expected, const char *label, GError **error)
{
	g_autoptr(MlvHash) hash = mlv_hash_new();
	MlvId name;

	mlv_hash_update(hash, header, MLV_PACK_HEADER);
	mlv_hash_update(hash, bytes, footer->table_length);
	mlv_hash_finish(hash, &name);
	if (!mlv_id_equal(&name, &footer->name))
		return mlv_fail(error, MLV_ERROR_CORRUPT, "the table of '%s' is damaged", label);
	if (expected && !mlv_id_equal(&name, expected))
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"'%s' holds another pack than its name says", label);
	return TRUE;
}

static gboolean parse_entries(const guint8 *at, MlvPackTable *table, guint64 end, const char *label,
			      GError **error)
{
	guint64 previous = MLV_PACK_HEADER;

	for (gsize i = 0; i < table->count; i++, at += MLV_PACK_ENTRY) {
		MlvPackEntry *entry = &table->entries[i];

		if (!mlv_pack_entry_parse(at, table->pack_class, entry, error)) {
			g_prefix_error(error, "'%s': ", label);
			return FALSE;
		}
		if (entry->offset < previous || entry->offset - previous >= MLV_PACK_GAP_MAX ||
		    (guint64)entry->offset + entry->stored > end)
			return mlv_fail(error, MLV_ERROR_CORRUPT,
					"'%s': chunk %" G_GSIZE_FORMAT " lies where it cannot",
					label, i);
		previous = (guint64)entry->offset + entry->stored;
	}
	if (previous != end)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"'%s': the table does not follow the chunks", label);
	return TRUE;
}

/* The table from its bytes, the footer being good. */
static MlvPackTable *parse_table(const guint8 *header, const guint8 *bytes, const Footer *footer,
				 guint64 size, const MlvId *expected, const char *label,
				 GError **error)
{
	if (!check_header(header, footer, label, error) ||
	    !check_name(header, bytes, footer, expected, label, error))
		return NULL;
	g_autoptr(MlvPackTable) table = g_new0(MlvPackTable, 1);
	table->name = footer->name;
	table->pack_class = footer->pack_class;
	table->size = size;
	table->count = footer->count;
	table->entries = g_new(MlvPackEntry, footer->count);
	if (!parse_entries(bytes + MLV_PACK_SALT, table, footer->table_offset, label, error))
		return NULL;
	return g_steal_pointer(&table);
}

MlvPackTable *mlv_pack_table_parse(const guint8 *header, const guint8 *tail, gsize tail_length,
				   guint64 size, const MlvId *expected, const char *label,
				   gsize *need, GError **error)
{
	Footer footer;

	if (need)
		*need = 0;
	if (!check_size(size, label, error))
		return NULL;
	gsize wanted = MLV_PACK_FOOTER;
	if (tail_length >= MLV_PACK_FOOTER) {
		if (!parse_footer(tail + tail_length - MLV_PACK_FOOTER, size, label, &footer,
				  error))
			return NULL;
		wanted = (gsize)footer.table_length + MLV_PACK_FOOTER;
	}
	if (tail_length < wanted) {
		if (need)
			*need = wanted;
		mlv_fail(error, MLV_ERROR_FAILED,
			 "the last %" G_GSIZE_FORMAT " bytes of '%s' are needed", wanted, label);
		return NULL;
	}
	return parse_table(header, tail + tail_length - wanted, &footer, size, expected, label,
			   error);
}

MlvPackTable *mlv_pack_table_read(int fd, const MlvId *expected, const char *label, GError **error)
{
	guint8 header[MLV_PACK_HEADER], end[MLV_PACK_FOOTER];
	Footer footer;
	struct stat st;

	if (fstat(fd, &st) < 0) {
		mlv_fail_errno(error, "cannot examine '%s'", label);
		return NULL;
	}
	guint64 size = (guint64)st.st_size;
	if (!check_size(size, label, error) ||
	    !mlv_file_read_at(fd, header, sizeof(header), 0, label, error) ||
	    !mlv_file_read_at(fd, end, sizeof(end), size - sizeof(end), label, error) ||
	    !parse_footer(end, size, label, &footer, error))
		return NULL;
	g_autofree guint8 *bytes = g_malloc(footer.table_length);
	if (!mlv_file_read_at(fd, bytes, footer.table_length, footer.table_offset, label, error))
		return NULL;
	return parse_table(header, bytes, &footer, size, expected, label, error);
}

void mlv_pack_table_free(MlvPackTable *table)
{
	if (!table)
		return;
	g_free(table->entries);
	g_free(table);
}
