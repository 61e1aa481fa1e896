/* SPDX-License-Identifier: Apache-2.0 */
/* The packs of a remote, listed; or where nobody can list them (plain HTTP) each that an index
 * names is asked for its last bytes. */
#include "storage/remote_private.h"

typedef struct {
	const MlvRemote *remote;
	gsize next;
	GArray *found; /* MlvListed */
} Probe;

static MlvOp *next_pack(gpointer user)
{
	Probe *probe = user;
	char path[MLV_PACK_NAME_LENGTH + 1];
	const MlvRemotePack *pack;
	MlvOp *op;

	if (probe->next == mlv_remote_pack_count(probe->remote))
		return NULL;
	pack = mlv_remote_pack(probe->remote, (guint32)probe->next++);
	mlv_pack_path(&pack->name, path);
	op = mlv_op_new(MLV_OP_GET, path);
	op->length = MIN(MLV_PACK_FOOTER, pack->size);
	op->offset = pack->size - op->length;
	return op;
}

/* One that is too short has size 0 in the listing: how short it is nobody has said. */
static gboolean pack_answered(MlvOp *op, gpointer user, GError **error)
{
	const Probe *probe = user;
	g_autoptr(GError) failed = g_steal_pointer(&op->error);
	MlvListed there = { .size = failed ? 0 : op->offset + op->length,
			    .mtime = mlv_medium_now(probe->remote->medium) };
	gboolean missing = g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING);

	if (!missing && (!failed || g_error_matches(failed, MLV_ERROR, MLV_ERROR_CORRUPT))) {
		there.name = g_strdup(op->name);
		g_array_append_val(probe->found, there);
		g_clear_error(&failed);
	}
	mlv_op_free(op);
	if (!failed || missing)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&failed));
	return FALSE;
}

static void clear_listed(gpointer listed)
{
	g_free(((MlvListed *)listed)->name);
}

GArray *mlv_remote_list_packs(MlvRemote *remote, GError **error)
{
	g_autoptr(GError) failed = NULL;
	GArray *listed = mlv_medium_list_all(remote->medium, "packs/", &failed);
	g_autoptr(GArray) found = NULL;
	Probe probe = { .remote = remote };

	if (listed)
		return listed;
	if (!g_error_matches(failed, MLV_ERROR, MLV_ERROR_UNSUPPORTED)) {
		g_propagate_error(error, g_steal_pointer(&failed));
		return NULL;
	}
	found = g_array_new(FALSE, FALSE, sizeof(MlvListed));
	g_array_set_clear_func(found, clear_listed);
	probe.found = found;
	if (!remote->medium->methods->run(remote->medium, next_pack, pack_answered, &probe, error))
		return NULL;
	return g_steal_pointer(&found);
}
