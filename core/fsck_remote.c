/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fsck_remote.h"

#include "core/sync.h"
#include "storage/error.h"

struct MlvFsckRemotes {
	MlvRepo *repo;
	GPtrArray *open; /* MlvSync; NULL: not opened yet */
	char *trouble;
};

MlvFsckRemotes *mlv_fsck_remotes_new(MlvRepo *repo)
{
	MlvFsckRemotes *remotes = g_new0(MlvFsckRemotes, 1);

	remotes->repo = repo;
	return remotes;
}

void mlv_fsck_remotes_free(MlvFsckRemotes *remotes)
{
	if (!remotes)
		return;
	g_clear_pointer(&remotes->open, g_ptr_array_unref);
	g_free(remotes->trouble);
	g_free(remotes);
}

static void note_trouble(MlvFsckRemotes *remotes, const GError *why)
{
	if (!remotes->trouble)
		remotes->trouble = g_strdup(why->message);
}

static void open_all(MlvFsckRemotes *remotes)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(GPtrArray) configs = mlv_remote_config_list(remotes->repo, &why);

	if (remotes->open)
		return;
	remotes->open = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_sync_close);
	if (!configs)
		note_trouble(remotes, why);
	for (guint i = 0; configs && i < configs->len; i++) {
		const MlvRemoteConfig *config = configs->pdata[i];
		g_autoptr(GError) failed = NULL;
		MlvSync *sync = mlv_sync_open(remotes->repo, config->name, FALSE, &failed);

		if (sync)
			g_ptr_array_add(remotes->open, sync);
		else if (!g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING))
			note_trouble(remotes, failed);
		/* One that nobody has pushed to yet has nothing. */
	}
}

MlvFsckAnswer mlv_fsck_remotes_ask(MlvFsckRemotes *remotes, MlvKind kind, const MlvId *id)
{
	open_all(remotes);
	for (guint i = 0; i < remotes->open->len; i++) {
		const MlvSync *sync = remotes->open->pdata[i];
		g_autoptr(GError) why = NULL;
		MlvRemoteHit hit;

		if (!mlv_remote_find(sync->remote, kind, id, &hit, &why))
			note_trouble(remotes, why);
		else if (hit.state != MLV_HIT_ABSENT)
			return MLV_FSCK_HAS;
	}
	return remotes->trouble ? MLV_FSCK_UNKNOWN : MLV_FSCK_LACKS;
}

GBytes *mlv_fsck_remotes_fetch(MlvKind kind, const MlvId *id, gpointer user)
{
	MlvFsckRemotes *remotes = user;
	GBytes *bytes = NULL;

	open_all(remotes);
	for (guint i = 0; i < remotes->open->len && !bytes; i++) {
		const MlvSync *sync = remotes->open->pdata[i];
		MlvSource *source = mlv_remote_source(sync->remote);

		bytes = source->read(source, kind, id, NULL);
	}
	return bytes;
}

const char *mlv_fsck_remotes_trouble(const MlvFsckRemotes *remotes)
{
	return remotes->trouble;
}
