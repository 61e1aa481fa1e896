/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/untouched.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "storage/file.h"

#define NAME     "untouched"
#define RECORD   72u
#define SUM_AT   64u
#define FILE_MAX (64u << 20)

struct MlvUntouched {
	GBytes *bytes;     /* the file, or NULL */
	GHashTable *packs; /* MlvId in bytes -> its record */
};

/* What identifies the state of a pack; FALSE if it cannot be had. */
static gboolean make_record(const MlvId *pack, int fd, guint8 record[RECORD])
{
	struct stat st;
	MlvId sum;

	if (fstat(fd, &st) < 0)
		return FALSE;
	gint64 values[4] = {
		GINT64_TO_LE((gint64)st.st_size),
		GINT64_TO_LE((gint64)st.st_ino),
		GINT64_TO_LE((gint64)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec),
		GINT64_TO_LE((gint64)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec),
	};
	memcpy(record, pack->b, MLV_ID_SIZE);
	memcpy(record + MLV_ID_SIZE, values, sizeof(values));
	mlv_id_of(record, SUM_AT, &sum);
	memcpy(record + SUM_AT, sum.b, RECORD - SUM_AT);
	return TRUE;
}

static gboolean is_whole(const guint8 *record)
{
	MlvId sum;

	mlv_id_of(record, SUM_AT, &sum);
	return memcmp(record + SUM_AT, sum.b, RECORD - SUM_AT) == 0;
}

MlvUntouched *mlv_untouched_open(int store)
{
	MlvUntouched *untouched = g_new0(MlvUntouched, 1);

	untouched->packs = g_hash_table_new(mlv_id_hash, mlv_id_equal_key);
	untouched->bytes = mlv_file_read(store, NAME, FILE_MAX, NULL);
	if (!untouched->bytes)
		return untouched;
	gsize length;
	const guint8 *at = g_bytes_get_data(untouched->bytes, &length);
	/* A record torn by a kill moves all that follow: those are not whole at this step, and
	 * are not used. */
	for (; length >= RECORD; at += RECORD, length -= RECORD)
		if (is_whole(at))
			g_hash_table_replace(untouched->packs, (gpointer)at, (gpointer)at);
	return untouched;
}

void mlv_untouched_close(MlvUntouched *untouched)
{
	if (!untouched)
		return;
	g_hash_table_unref(untouched->packs);
	g_clear_pointer(&untouched->bytes, g_bytes_unref);
	g_free(untouched);
}

gboolean mlv_untouched_holds(const MlvUntouched *untouched, const MlvId *pack, int fd)
{
	const guint8 *noted = g_hash_table_lookup(untouched->packs, pack);
	guint8 record[RECORD];

	return noted && make_record(pack, fd, record) && memcmp(noted, record, RECORD) == 0;
}

void mlv_untouched_note(int store, const MlvId *pack, int fd)
{
	guint8 record[RECORD];
	struct stat st;
	g_auto(MlvFd) file =
		openat(store, NAME, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);

	if (file < 0 || fstat(file, &st) < 0 || !make_record(pack, fd, record))
		return;
	/* Begins anew where it has grown out of bounds or was torn. */
	if ((guint64)st.st_size + RECORD > FILE_MAX || (guint64)st.st_size % RECORD != 0) {
		unlinkat(store, NAME, 0);
		return;
	}
	if (write(file, record, RECORD) != (ssize_t)RECORD)
		unlinkat(store, NAME, 0);
}
