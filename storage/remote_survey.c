/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the packs that indexes name are really there, by listing them. */
#include "storage/remote_private.h"

#include <string.h>

/* What is listed and no index names. */
static void add_unnamed(const MlvRemote *remote, const MlvIndexPack *pack, GArray *unnamed)
{
	if (unnamed && !g_hash_table_contains(remote->pack_numbers, &pack->name) &&
	    !mlv_remote_is_tombstoned(remote, &pack->name))
		g_array_append_val(unnamed, *pack);
}

gboolean mlv_remote_survey(MlvRemote *remote, GArray *unnamed, guint64 *lost, GError **error)
{
	/* After live/: what an index names was there before the index was. */
	g_autoptr(GArray) listed = mlv_remote_list_packs(remote, error);
	g_autofree guint8 *there = g_new0(guint8, remote->packs->len + 1);

	if (!listed)
		return FALSE;
	for (guint i = 0; i < listed->len; i++) {
		const MlvListed *at = &g_array_index(listed, MlvListed, i);
		MlvIndexPack pack = { .size = at->size };
		guint number;

		if (!mlv_pack_parse_path(at->name, &pack.name))
			continue;
		number = GPOINTER_TO_UINT(g_hash_table_lookup(remote->pack_numbers, &pack.name));
		if (number == 0)
			add_unnamed(remote, &pack, unnamed);
		else if (mlv_remote_pack(remote, number - 1)->size == pack.size)
			there[number - 1] = TRUE;
	}
	*lost = 0;
	for (guint i = 0; i < remote->packs->len; i++) {
		const MlvRemotePack *pack = mlv_remote_pack(remote, i);

		if (there[i])
			continue;
		/* What is tombstoned may go at any time, and is no loss. */
		*lost += pack->dead ? 0 : 1;
		mlv_remote_note_gone(remote, &pack->name);
	}
	return TRUE;
}

static gboolean bury_class(MlvRemote *remote, MlvClass index_class, guint64 now, GError **error)
{
	g_autoptr(MlvIndexBuilder) builder = mlv_index_builder_new(index_class);
	g_autoptr(GHashTable) done = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < remote->live->len; i++) {
		const RemoteIndex *index = g_ptr_array_index(remote->live, i);

		if (index->grave || mlv_index_class(index->index) != index_class)
			continue;
		for (gsize n = 0; n < mlv_index_pack_count(index->index); n++) {
			const MlvRemotePack *pack = mlv_remote_pack(remote, index->packs[n]);

			if (pack->gone && !pack->dead &&
			    g_hash_table_add(done, GUINT_TO_POINTER(index->packs[n])))
				mlv_index_builder_add_tombstone(builder, &pack->name, now);
		}
	}
	return g_hash_table_size(done) == 0 || mlv_remote_put_alone(remote, builder, error);
}

gboolean mlv_remote_bury(MlvRemote *remote, GError **error)
{
	guint64 now = (guint64)mlv_medium_now(remote->medium);

	return bury_class(remote, MLV_CLASS_DATA, now, error) &&
	       bury_class(remote, MLV_CLASS_META, now, error);
}
