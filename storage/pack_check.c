/* SPDX-License-Identifier: Apache-2.0 */
/* Every byte of a pack. */
#include <fcntl.h>

#include "storage/error.h"
#include "storage/file.h"
#include "storage/pack_private.h"

#define WINDOW (1u << 20) /* bytes read at a time */

typedef struct {
	int fd;
	const char *label;
	MlvPackFault fault;
	gpointer user;
	guint64 end;  /* of the payload: where the table begins */
	guint64 at;   /* first byte in the window */
	gsize filled; /* bytes in the window */
	guint8 *window;
	guint8 *raw; /* room for one decoded chunk */
} Check;

/* Points at `length` bytes at `offset`, read ahead; NULL with *error. */
static const guint8 *peek(Check *check, guint64 offset, gsize length, GError **error)
{
	if (offset < check->at || offset + length > check->at + check->filled) {
		gsize step = (gsize)MIN(WINDOW, check->end - offset);

		check->filled = 0;
		if (!mlv_file_read_at(check->fd, check->window, step, offset, check->label, error))
			return NULL;
		check->at = offset;
		check->filled = step;
	}
	return check->window + (offset - check->at);
}

/* Tells of damage. FALSE with *error if the caller has had enough. */
static gboolean report(Check *check, const MlvPackEntry *entry, const GError *why, GError **error)
{
	if (check->fault(entry, why, check->user))
		return TRUE;
	return mlv_fail(error, MLV_ERROR_CANCELLED, "the check of '%s' was stopped", check->label);
}

static gboolean check_padding(Check *check, guint64 from, guint64 to, GError **error)
{
	g_autoptr(GError) why = NULL;

	if (from == to)
		return TRUE;
	const guint8 *bytes = peek(check, from, (gsize)(to - from), error);
	if (!bytes)
		return FALSE;
	for (guint64 i = from; i < to; i++) {
		if (bytes[i - from] == 0)
			continue;
		mlv_fail(&why, MLV_ERROR_CORRUPT,
			 "'%s' has a byte that is not zero in the padding at %" G_GUINT64_FORMAT,
			 check->label, i);
		return report(check, NULL, why, error);
	}
	return TRUE;
}

static gboolean check_chunk(Check *check, const MlvPackEntry *entry, GError **error)
{
	g_autoptr(GError) why = NULL;
	char hex[MLV_ID_HEX + 1];
	const guint8 *stored = peek(check, entry->offset, entry->stored, error);

	if (!stored)
		return FALSE;
	if (!mlv_pack_decode(entry, stored, check->raw, check->label, &why))
		return report(check, entry, why, error);
	if (mlv_pack_check_value(entry, stored) == entry->check)
		return TRUE;
	mlv_id_format(&entry->id, hex);
	mlv_fail(&why, MLV_ERROR_CORRUPT, "object %s in '%s' has a wrong check of its stored bytes",
		 hex, check->label);
	return report(check, entry, why, error);
}

static gboolean check_payload(Check *check, const MlvPackTable *table, GError **error)
{
	guint64 previous = MLV_PACK_HEADER;

	for (gsize i = 0; i < table->count; i++) {
		const MlvPackEntry *entry = &table->entries[i];

		if (!check_padding(check, previous, entry->offset, error) ||
		    !check_chunk(check, entry, error))
			return FALSE;
		previous = (guint64)entry->offset + entry->stored;
	}
	return TRUE;
}

gboolean mlv_pack_check(int fd, const MlvId *expected, const char *label, MlvPackFault fault,
			gpointer user, GError **error)
{
	Check check = { .fd = fd, .label = label, .fault = fault, .user = user };
	g_autoptr(GError) why = NULL;
	g_autoptr(MlvPackTable) table = mlv_pack_table_read(fd, expected, label, &why);

	if (!table && g_error_matches(why, MLV_ERROR, MLV_ERROR_CORRUPT))
		return report(&check, NULL, why, error);
	if (!table) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	g_autofree guint8 *window = g_malloc(WINDOW);
	g_autofree guint8 *raw = g_malloc(MLV_CHUNK_LIMIT);
	check.window = window;
	check.raw = raw;
	check.end = table->size - MLV_PACK_FOOTER - MLV_PACK_SALT - table->count * MLV_PACK_ENTRY;
	return check_payload(&check, table, error);
}
