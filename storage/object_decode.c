/* SPDX-License-Identifier: Apache-2.0 */
/* The trees and lists of mlv-object(5): decoding, of bytes that nobody vouches for. */
#include "storage/chunker.h"
#include "storage/object.h"
#include "storage/object_format.h"
#include "storage/pack.h"

gboolean mlv_name_allowed(const char *name, gsize length)
{
	if (length == 0 || length > MLV_NAME_MAX || memchr(name, '/', length) ||
	    memchr(name, '\0', length))
		return FALSE;
	if (name[0] != '.')
		return TRUE;
	if (length == 1 || (length == 2 && name[1] == '.'))
		return FALSE;
	return length != 4 || g_ascii_strncasecmp(name, ".git", 4) != 0;
}

GArray *mlv_list_decode(const guint8 *data, gsize length, MlvKind leaf_kind, guint level,
			GError **error)
{
	guint8 head[MLV_OBJECT_HEAD] = { 'L', 1, (guint8)leaf_kind, (guint8)level };
	gsize body = length - MIN(length, MLV_OBJECT_HEAD);
	guint64 total = 0;

	if (length < MLV_OBJECT_HEAD || memcmp(data, head, MLV_OBJECT_HEAD) != 0) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "a list does not begin as one of level %u must",
			 level);
		return NULL;
	}
	if (body == 0 || body % MLV_LIST_RECORD != 0 ||
	    body > MLV_LIST_RECORDS_MAX * MLV_LIST_RECORD) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "a list has an impossible length");
		return NULL;
	}
	g_autoptr(GArray) entries = g_array_sized_new(FALSE, FALSE, sizeof(MlvListEntry),
						      (guint)(body / MLV_LIST_RECORD));
	for (const guint8 *at = data + MLV_OBJECT_HEAD; at < data + length; at += MLV_LIST_RECORD) {
		MlvListEntry entry;

		memcpy(entry.id.b, at, MLV_ID_SIZE);
		entry.length = mlv_get_u64(at + MLV_ID_SIZE);
		if (entry.length == 0 || (level == 1 && entry.length > MLV_CHUNK_LIMIT) ||
		    entry.length > G_MAXINT64 - total) {
			mlv_fail(error, MLV_ERROR_CORRUPT, "a list names an impossible length");
			return NULL;
		}
		total += entry.length;
		g_array_append_val(entries, entry);
		if (at + MLV_LIST_RECORD < data + length &&
		    mlv_list_ends(entries->len, &entry.id)) {
			mlv_fail(error, MLV_ERROR_CORRUPT, "a list goes on where it must end");
			return NULL;
		}
	}
	return g_steal_pointer(&entries);
}

gboolean mlv_tree_reader_init(MlvTreeReader *reader, const guint8 *data, gsize length,
			      GError **error)
{
	memset(reader, 0, sizeof(*reader));
	if (length < MLV_TREE_HEAD || data[0] != 'T' || data[1] != 1 || length > MLV_CHUNK_LIMIT)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "a tree does not begin as one must");
	reader->at = data + MLV_TREE_HEAD;
	reader->end = data + length;
	return TRUE;
}

static gboolean get_varint(MlvTreeReader *reader, guint64 *value)
{
	guint64 sum = 0;

	for (guint shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
		guint8 byte = *reader->at++;

		if (shift == 63 && byte > 1)
			return FALSE;
		sum |= (guint64)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*value = sum;
			return (byte != 0 || shift == 0) && sum <= G_MAXINT64;
		}
	}
	return FALSE;
}

static gboolean read_entry(MlvTreeReader *reader, MlvTreeEntry *entry)
{
	gsize left = (gsize)(reader->end - reader->at);

	if (left < 3)
		return FALSE;
	entry->mode = reader->at[0];
	entry->ref.depth = reader->at[1];
	entry->name_length = reader->at[2];
	reader->at += 3;
	left -= 3;
	if (entry->mode < MLV_MODE_FILE || entry->mode > MLV_MODE_DIRECTORY ||
	    entry->ref.depth > MLV_REF_MAX_DEPTH || left < entry->name_length ||
	    !mlv_name_allowed((const char *)reader->at, entry->name_length))
		return FALSE;
	memcpy(reader->name, reader->at, entry->name_length);
	reader->name[entry->name_length] = '\0';
	entry->name = reader->name;
	reader->at += entry->name_length;
	entry->ref.kind = entry->mode == MLV_MODE_DIRECTORY ? MLV_KIND_TREE : MLV_KIND_BLOB;
	if (!get_varint(reader, &entry->ref.size))
		return FALSE;
	entry->files = 1;
	entry->bytes = entry->ref.size;
	if (entry->mode == MLV_MODE_DIRECTORY &&
	    (!get_varint(reader, &entry->files) || !get_varint(reader, &entry->bytes)))
		return FALSE;
	if (reader->end - reader->at < MLV_ID_SIZE)
		return FALSE;
	memcpy(entry->ref.id.b, reader->at, MLV_ID_SIZE);
	reader->at += MLV_ID_SIZE;
	if (entry->ref.depth == 0 && entry->ref.size > MLV_CHUNK_LIMIT)
		return FALSE;
	if (entry->ref.depth > 0 && entry->ref.kind == MLV_KIND_BLOB &&
	    entry->ref.size <= MLV_CHUNK_MAX)
		return FALSE;
	return entry->mode != MLV_MODE_SYMLINK || (entry->ref.size > 0 && entry->ref.size < 4096);
}

gboolean mlv_tree_reader_next(MlvTreeReader *reader, MlvTreeEntry *entry, GError **error)
{
	memset(entry, 0, sizeof(*entry));
	if (reader->at == reader->end)
		return TRUE;
	if (!read_entry(reader, entry))
		return mlv_fail(error, MLV_ERROR_CORRUPT, "a tree has a damaged entry%s%s%s",
				reader->any ? " behind '" : "", reader->any ? reader->previous : "",
				reader->any ? "'" : "");
	if (reader->any && strcmp(reader->previous, reader->name) >= 0)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"a tree's entries are out of order at '%s'", reader->name);
	memcpy(reader->previous, reader->name, (gsize)entry->name_length + 1);
	reader->any = TRUE;
	return TRUE;
}
