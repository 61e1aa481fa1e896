/* SPDX-License-Identifier: Apache-2.0 */
/* A medium in memory, for tests: counts what is asked of it and can be told to damage or lose
 * things. */
#ifndef MLV_TESTS_MEDIUM_MEM_H
#define MLV_TESTS_MEDIUM_MEM_H

#include "storage/file.h"
#include "storage/medium.h"

#include <string.h>

typedef struct {
	GBytes *bytes;
	gint64 mtime;
} MemFile;

typedef struct {
	MlvMedium medium;
	GHashTable *files; /* char * -> MemFile */
	gint64 clock;      /* mtime of what is put from now on */
	guint lists, gets, puts, deletes;
	guint64 got_bytes;
	guint fail_after;  /* operations and listings that still work; 0: all */
	guint damage_gets; /* so many GETs to come give a flipped bit */
} MemMedium;

static void mem_file_free(gpointer data)
{
	MemFile *file = data;

	g_bytes_unref(file->bytes);
	g_free(file);
}

static gboolean mem_may(MemMedium *mem, GError **error)
{
	if (mem->fail_after == 0)
		return TRUE;
	if (mem->fail_after == 1)
		return mlv_fail(error, MLV_ERROR_FAILED, "the medium was told to fail");
	mem->fail_after--;
	return TRUE;
}

static gboolean mem_list(MlvMedium *medium, const char *prefix, MlvMediumEach each, gpointer user,
			 GError **error)
{
	MemMedium *mem = (MemMedium *)medium;
	GHashTableIter iter;
	gpointer name, value;

	mem->lists++;
	if (!mem_may(mem, error))
		return FALSE;
	g_hash_table_iter_init(&iter, mem->files);
	while (g_hash_table_iter_next(&iter, &name, &value)) {
		MemFile *file = value;

		if (g_str_has_prefix(name, prefix) &&
		    !each(name, g_bytes_get_size(file->bytes), file->mtime, user))
			break;
	}
	return TRUE;
}

static gboolean mem_get(MemMedium *mem, MlvOp *op)
{
	MemFile *file = g_hash_table_lookup(mem->files, op->name);
	gsize size = file ? g_bytes_get_size(file->bytes) : 0;
	guint64 length = op->length == MLV_OP_ALL ? size - MIN(op->offset, size) : op->length;
	g_autofree guint8 *copy = NULL;

	mem->gets++;
	if (!file)
		return mlv_fail(&op->error, MLV_ERROR_MISSING, "'%s' is not there", op->name);
	if (op->offset > size || length > size - op->offset || (op->max > 0 && length > op->max))
		return mlv_fail(&op->error, MLV_ERROR_CORRUPT, "'%s' has another length", op->name);
	mem->got_bytes += length;
	copy = g_memdup2((const guint8 *)g_bytes_get_data(file->bytes, NULL) + op->offset, length);
	if (mem->damage_gets > 0 && length > 0) {
		mem->damage_gets--;
		copy[length / 2] ^= 1;
	}
	if (op->fd >= 0)
		return mlv_file_write_at(op->fd, copy, length, 0, op->name, &op->error);
	op->bytes = g_bytes_new(copy, length);
	return TRUE;
}

static GBytes *mem_sent(const MlvOp *op)
{
	g_autofree guint8 *copy = NULL;

	if (op->fd < 0)
		return g_bytes_ref(op->bytes);
	copy = g_malloc(op->length + 1);
	if (!mlv_file_read_at(op->fd, copy, op->length, 0, op->name, NULL))
		return g_bytes_new(NULL, 0);
	return g_bytes_new(copy, op->length);
}

static void mem_put(MemMedium *mem, const char *name, GBytes *bytes)
{
	MemFile *file;

	if (g_hash_table_contains(mem->files, name))
		return;
	file = g_new0(MemFile, 1);
	file->bytes = g_bytes_ref(bytes);
	file->mtime = mem->clock;
	g_hash_table_insert(mem->files, g_strdup(name), file);
}

static void mem_do(MemMedium *mem, MlvOp *op)
{
	g_autoptr(GBytes) bytes = NULL;

	if (!mem_may(mem, &op->error))
		return;
	switch (op->type) {
	case MLV_OP_GET:
		mem_get(mem, op);
		break;
	case MLV_OP_PUT:
		mem->puts++;
		bytes = mem_sent(op);
		if (op->replace)
			g_hash_table_remove(mem->files, op->name);
		mem_put(mem, op->name, bytes);
		break;
	case MLV_OP_DELETE:
		mem->deletes++;
		g_hash_table_remove(mem->files, op->name);
		break;
	}
}

static gboolean mem_run(MlvMedium *medium, MlvOpNext next, MlvOpDone done, gpointer user,
			GError **error)
{
	MlvOp *op;

	while ((op = next(user))) {
		mem_do((MemMedium *)medium, op);
		if (!done(op, user, error))
			return FALSE;
	}
	return TRUE;
}

static void mem_free(MlvMedium *medium)
{
	MemMedium *mem = (MemMedium *)medium;

	g_hash_table_unref(mem->files);
	g_free(medium->url);
	g_free(mem);
}

static const MlvMediumClass mem_class = { .list = mem_list, .run = mem_run, .free = mem_free };

static MemMedium *mem_new(void)
{
	MemMedium *mem = g_new0(MemMedium, 1);

	mem->medium.methods = &mem_class;
	mem->medium.url = g_strdup("mem:");
	mem->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, mem_file_free);
	mem->clock = g_get_real_time() / G_USEC_PER_SEC;
	return mem;
}

G_GNUC_UNUSED static guint mem_count(MemMedium *mem, const char *prefix)
{
	GHashTableIter iter;
	gpointer name;
	guint count = 0;

	g_hash_table_iter_init(&iter, mem->files);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		count += g_str_has_prefix(name, prefix) ? 1 : 0;
	return count;
}

#endif
