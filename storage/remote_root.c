/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the roots of a remote. */
#include "storage/remote_private.h"

#include <string.h>

/* Parses bytes that came under a root's name. */
static MlvRoot *check_root(const MlvRemoteRoot *at, GBytes *bytes, const char *label,
			   GError **error)
{
	g_autoptr(MlvRoot) root = NULL;
	gsize length;
	const char *text = g_bytes_get_data(bytes, &length);
	MlvId id;

	mlv_id_of(text, length, &id);
	if (!mlv_id_equal(&id, &at->name.id)) {
		mlv_fail(error, MLV_ERROR_CORRUPT,
			 "the root '%s' is damaged: its bytes do not match its name", label);
		return NULL;
	}
	root = mlv_root_parse(text, length, label, error);
	if (root && (strcmp(mlv_root_repo(root), at->name.repo) != 0 ||
		     strcmp(mlv_root_clone(root), at->name.clone) != 0)) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "the root '%s' says that it is another one's",
			 label);
		return NULL;
	}
	return g_steal_pointer(&root);
}

static MlvRoot *cached_root(MlvRemote *remote, const MlvRemoteRoot *at)
{
	char name[MLV_REMOTE_CACHED + 1];
	g_autoptr(GBytes) bytes = NULL;

	mlv_remote_cached_name('r', &at->name.id, name);
	bytes = mlv_remote_cache_get(remote, name, MLV_ROOT_MAX);
	return bytes ? check_root(at, bytes, name, NULL) : NULL;
}

static void free_root(gpointer root)
{
	mlv_root_free(root);
}

GPtrArray *mlv_remote_read_roots(MlvRemote *remote, const MlvRemoteRoot *roots, gsize count,
				 GError **error)
{
	g_autoptr(GPtrArray) read = g_ptr_array_new_with_free_func(free_root);
	g_autoptr(GPtrArray) ops = mlv_ops_new();

	for (gsize i = 0; i < count; i++) {
		char path[MLV_ROOT_NAME_LENGTH + 1];
		MlvRoot *root = cached_root(remote, &roots[i]);
		MlvOp *op;

		g_ptr_array_add(read, root);
		if (root)
			continue;
		mlv_root_path(&roots[i].name, path);
		op = mlv_op_new(MLV_OP_GET, path);
		op->max = MLV_ROOT_MAX;
		op->user = GSIZE_TO_POINTER(i);
		g_ptr_array_add(ops, op);
	}
	if (!mlv_medium_run_all(remote->medium, ops, TRUE, error))
		return NULL;
	for (guint n = 0; n < ops->len; n++) {
		MlvOp *op = g_ptr_array_index(ops, n);
		gsize i = GPOINTER_TO_SIZE(op->user);
		char name[MLV_REMOTE_CACHED + 1];

		if (!op->bytes)
			continue;
		read->pdata[i] = check_root(&roots[i], op->bytes, op->name, error);
		if (!read->pdata[i])
			return NULL;
		mlv_remote_cached_name('r', &roots[i].name.id, name);
		mlv_remote_cache_put(remote, name, op->bytes);
	}
	return g_steal_pointer(&read);
}
