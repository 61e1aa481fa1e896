/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/medium.h"

#include <string.h>
#include <time.h>

MlvOp *mlv_op_new(MlvOpType type, const char *name)
{
	MlvOp *op = g_new0(MlvOp, 1);

	op->type = type;
	op->name = g_strdup(name);
	op->length = MLV_OP_ALL;
	op->fd = -1;
	return op;
}

void mlv_op_free(MlvOp *op)
{
	if (!op)
		return;
	g_free(op->name);
	g_clear_pointer(&op->bytes, g_bytes_unref);
	g_clear_error(&op->error);
	g_free(op);
}

void mlv_medium_free(MlvMedium *medium)
{
	if (medium)
		medium->methods->free(medium);
}

gint64 mlv_medium_now(const MlvMedium *medium)
{
	return (medium->now ? medium->now() : (gint64)time(NULL)) + medium->skew;
}

void mlv_medium_tell_moved(guint64 bytes, gpointer medium)
{
	const MlvMedium *to = medium;

	if (to->moved)
		to->moved(bytes, to->moved_user);
}

static void free_op(gpointer op)
{
	mlv_op_free(op);
}

GPtrArray *mlv_ops_new(void)
{
	return g_ptr_array_new_with_free_func(free_op);
}

typedef struct {
	GPtrArray *ops;
	guint next;
	gboolean missing_ok;
} Batch;

static MlvOp *batch_next(gpointer user)
{
	Batch *batch = user;

	return batch->next < batch->ops->len ? g_ptr_array_index(batch->ops, batch->next++) : NULL;
}

static gboolean batch_done(MlvOp *op, gpointer user, GError **error)
{
	Batch *batch = user;

	if (!op->error)
		return TRUE;
	if (batch->missing_ok && g_error_matches(op->error, MLV_ERROR, MLV_ERROR_MISSING))
		return TRUE;
	if (error && !*error)
		*error = g_error_copy(op->error);
	return FALSE;
}

gboolean mlv_medium_run_all(MlvMedium *medium, GPtrArray *ops, gboolean missing_ok, GError **error)
{
	Batch batch = { .ops = ops, .missing_ok = missing_ok };

	if (ops->len == 0)
		return TRUE;
	return medium->methods->run(medium, batch_next, batch_done, &batch, error);
}

static void clear_listed(gpointer listed)
{
	g_free(((MlvListed *)listed)->name);
}

static gboolean collect(const char *name, guint64 size, gint64 mtime, gpointer user)
{
	MlvListed listed = { .name = g_strdup(name), .size = size, .mtime = mtime };

	g_array_append_val((GArray *)user, listed);
	return TRUE;
}

static gint compare_listed(gconstpointer a, gconstpointer b)
{
	return strcmp(((const MlvListed *)a)->name, ((const MlvListed *)b)->name);
}

GArray *mlv_medium_list_all(MlvMedium *medium, const char *prefix, GError **error)
{
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(MlvListed));
	guint kept = 0;

	g_array_set_clear_func(all, clear_listed);
	if (!medium->methods->list(medium, prefix, collect, all, error))
		return NULL;
	g_array_sort(all, compare_listed);
	/* Some servers' pages overlap by a name. */
	for (guint i = 0; i < all->len; i++) {
		MlvListed *at = &g_array_index(all, MlvListed, i);

		if (kept > 0 && strcmp(at->name, g_array_index(all, MlvListed, kept - 1).name) == 0)
			continue;
		if (i != kept) {
			MlvListed moved = g_array_index(all, MlvListed, kept);
			g_array_index(all, MlvListed, kept) = *at;
			*at = moved;
		}
		kept++;
	}
	g_array_set_size(all, kept);
	return g_steal_pointer(&all);
}

static gboolean run_one(MlvMedium *medium, MlvOp *op, GError **error)
{
	g_autoptr(GPtrArray) one = g_ptr_array_new();

	g_ptr_array_add(one, op);
	return mlv_medium_run_all(medium, one, FALSE, error);
}

GBytes *mlv_medium_get(MlvMedium *medium, const char *name, guint64 offset, guint64 length,
		       guint64 max, GError **error)
{
	g_autoptr(MlvOp) op = mlv_op_new(MLV_OP_GET, name);

	op->offset = offset;
	op->length = length;
	op->max = max;
	return run_one(medium, op, error) ? g_steal_pointer(&op->bytes) : NULL;
}

gboolean mlv_medium_put_bytes(MlvMedium *medium, const char *name, GBytes *bytes, GError **error)
{
	g_autoptr(MlvOp) op = mlv_op_new(MLV_OP_PUT, name);

	op->bytes = g_bytes_ref(bytes);
	return run_one(medium, op, error);
}

gboolean mlv_medium_delete(MlvMedium *medium, const char *name, GError **error)
{
	g_autoptr(MlvOp) op = mlv_op_new(MLV_OP_DELETE, name);

	return run_one(medium, op, error);
}
