/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/remote_check.h"

#include "storage/remote_check_private.h"

#include <string.h>

#define BATCH 65536 /* chunks looked up together */

void mlv_remote_check_found(CheckState *state, MlvRemoteFaultKind kind, const char *file,
			    const MlvChunkKey *object, const char *message)
{
	MlvRemoteFault fault = { .kind = kind, .file = file, .message = message };

	if (object) {
		fault.has_object = TRUE;
		fault.object_kind = object->kind;
		fault.object = object->id;
	}
	state->result->faults++;
	if (state->check->found)
		state->check->found(&fault, state->check->user);
}

gboolean mlv_remote_check_go_on(const CheckState *state, GError **error)
{
	return !state->check->cancel || !*state->check->cancel ||
	       mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
}

/* --- indexes ---------------------------------------------------------------------------------- */

static gboolean gather_entries(CheckState *state, const RemoteIndex *at, GError **error)
{
	for (gsize i = 0; i < mlv_index_count(at->index); i++) {
		MlvIndexHit hit;
		CheckEntry entry;

		if (!mlv_index_get(at->index, i, &hit, error))
			return FALSE;
		entry.pack = at->packs[hit.pack];
		entry.offset = hit.entry.offset;
		entry.stored = hit.entry.stored;
		memcpy(&entry.id, hit.entry.id.b, sizeof(entry.id));
		g_array_append_val(state->entries, entry);
	}
	return TRUE;
}

static gint by_place(gconstpointer a, gconstpointer b)
{
	const CheckEntry *x = a, *y = b;

	if (x->pack != y->pack)
		return x->pack < y->pack ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

static gboolean check_indexes(CheckState *state, GError **error)
{
	MlvRemote *remote = state->remote;

	for (guint i = 0; i < remote->live->len; i++) {
		RemoteIndex *at = g_ptr_array_index(remote->live, i);
		g_autoptr(GError) why = NULL;
		char path[MLV_INDEX_NAME_LENGTH + 1];
		MlvIndex *index = mlv_remote_whole_index(remote, at, &why);

		state->result->indexes++;
		mlv_index_path(mlv_index_name(at->index), path);
		if (index && mlv_index_check(index, &why)) {
			if (state->check->deep && !gather_entries(state, at, error))
				return FALSE;
			continue;
		}
		if (!g_error_matches(why, MLV_ERROR, MLV_ERROR_CORRUPT)) {
			g_propagate_error(error, g_steal_pointer(&why));
			return FALSE;
		}
		mlv_remote_check_found(state, MLV_REMOTE_FAULT_INDEX, path, NULL, why->message);
	}
	g_array_sort(state->entries, by_place);
	return TRUE;
}

/* --- packs by their listing ------------------------------------------------------------------- */

static gint by_name(gconstpointer a, gconstpointer b)
{
	return mlv_id_compare(&((const MlvIndexPack *)a)->name, &((const MlvIndexPack *)b)->name);
}

/* After live/: what an index names was there before the index was. */
static gboolean list_packs(CheckState *state, GError **error)
{
	g_autoptr(GArray) listed = mlv_remote_list_packs(state->remote, error);

	if (!listed)
		return FALSE;
	for (guint i = 0; i < listed->len; i++) {
		const MlvListed *at = &g_array_index(listed, MlvListed, i);
		MlvIndexPack pack = { .size = at->size };

		if (!mlv_pack_parse_path(at->name, &pack.name))
			continue;
		g_array_append_val(state->listed, pack);
		state->result->packs++;
		state->result->pack_bytes += at->size;
		if (mlv_remote_is_tombstoned(state->remote, &pack.name))
			state->result->tombstoned++;
		else if (!g_hash_table_contains(state->remote->pack_numbers, &pack.name))
			state->result->unnamed++;
	}
	g_array_sort(state->listed, by_name);
	return TRUE;
}

static const MlvIndexPack *find_listed(const CheckState *state, const MlvId *name)
{
	MlvIndexPack probe = { .name = *name };

	if (state->listed->len == 0)
		return NULL;
	return bsearch(&probe, state->listed->data, state->listed->len, sizeof(probe), by_name);
}

static void check_pack_sizes(CheckState *state)
{
	for (gsize i = 0; i < mlv_remote_pack_count(state->remote); i++) {
		const MlvRemotePack *pack = mlv_remote_pack(state->remote, (guint32)i);
		const MlvIndexPack *there = find_listed(state, &pack->name);
		char path[MLV_PACK_NAME_LENGTH + 1];
		g_autofree char *message = NULL;

		mlv_pack_path(&pack->name, path);
		if (pack->dead || (there && there->size == pack->size))
			continue;
		if (there && there->size == 0)
			message = g_strdup_printf("the pack '%s' is shorter than its index says",
						  path);
		else if (there)
			message = g_strdup_printf("the pack '%s' has %" G_GUINT64_FORMAT
						  " bytes where its index says %" G_GUINT64_FORMAT,
						  path, there->size, pack->size);
		else
			message = g_strdup_printf(
				"the pack '%s' is not there, but an index names it", path);
		mlv_remote_check_found(state, there ? MLV_REMOTE_FAULT_SIZE : MLV_REMOTE_FAULT_GONE,
				       path, NULL, message);
		if (!there)
			mlv_remote_note_gone(state->remote, &pack->name);
	}
}

/* --- roots ------------------------------------------------------------------------------------ */

typedef struct {
	CheckState *state;
	const char *root;
	GArray *keys;
} Walk;

static void tell_missing(Walk *walk, const MlvChunkKey *key)
{
	g_autofree char *label = mlv_chunk_label(key->kind, &key->id);
	g_autofree char *message =
		g_strdup_printf("%s is not there, but the root '%s' needs it", label, walk->root);

	mlv_remote_check_found(walk->state, MLV_REMOTE_FAULT_MISSING, walk->root, key, message);
}

static gboolean look_up(Walk *walk, GError **error)
{
	const MlvChunkKey *keys = (const MlvChunkKey *)(gpointer)walk->keys->data;
	g_autofree MlvRemoteHit *hits = g_new(MlvRemoteHit, walk->keys->len + 1);

	if (!mlv_remote_find_many(walk->state->remote, keys, walk->keys->len, hits, error))
		return FALSE;
	for (guint i = 0; i < walk->keys->len; i++)
		if (hits[i].state == MLV_HIT_ABSENT)
			tell_missing(walk, &keys[i]);
	g_array_set_size(walk->keys, 0);
	return TRUE;
}

static gboolean visit(MlvKind kind, const MlvId *id, guint64 length, gboolean *descend,
		      gpointer user, GError **error)
{
	Walk *walk = user;
	MlvChunkKey key = { .id = *id, .kind = (guint8)kind };

	walk->state->result->objects++;
	g_array_append_val(walk->keys, key);
	return mlv_remote_check_go_on(walk->state, error) &&
	       (walk->keys->len < BATCH || look_up(walk, error));
}

/* The look-up tells of it. */
static gboolean pass_over(MlvKind kind, const MlvId *id, gpointer user, GError **error)
{
	return TRUE;
}

static gboolean check_root(CheckState *state, const MlvRemoteRoot *at, MlvMarks *marks,
			   GError **error)
{
	char path[MLV_ROOT_NAME_LENGTH + 1];
	g_autoptr(GError) why = NULL;
	g_autoptr(GPtrArray) read = mlv_remote_read_roots(state->remote, at, 1, &why);
	g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(MlvChunkKey));
	Walk walk = { state, path, keys };
	const MlvRoot *root = read ? g_ptr_array_index(read, 0) : NULL;

	mlv_root_path(&at->name, path);
	for (gsize i = 0; root && !at->name.pending && !why && i < mlv_root_need_count(root); i++)
		mlv_mark(mlv_remote_source(state->remote), mlv_root_need(root, i), marks, visit,
			 pass_over, &walk, &why);
	if (why && !g_error_matches(why, MLV_ERROR, MLV_ERROR_CORRUPT)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	if (why)
		mlv_remote_check_found(state,
				       read ? MLV_REMOTE_FAULT_OBJECT : MLV_REMOTE_FAULT_ROOT, path,
				       NULL, why->message);
	return look_up(&walk, error);
}

static gboolean check_roots(CheckState *state, GError **error)
{
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	g_autoptr(GArray) roots = g_array_new(FALSE, FALSE, sizeof(MlvRemoteRoot));

	g_array_append_vals(roots, state->remote->roots->data, state->remote->roots->len);
	for (guint i = 0; i < roots->len; i++) {
		const MlvRemoteRoot *at = &g_array_index(roots, MlvRemoteRoot, i);

		if (at->name.pending)
			state->result->pending++;
		else
			state->result->roots++;
		if (!check_root(state, at, marks, error))
			return FALSE;
	}
	return TRUE;
}

gboolean mlv_remote_check(const MlvRemoteCheck *check, MlvRemoteCheckResult *result, GError **error)
{
	g_autoptr(GArray) listed = g_array_new(FALSE, FALSE, sizeof(MlvIndexPack));
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(CheckEntry));
	CheckState state = { check, check->remote, result, listed, entries };
	g_autoptr(GError) why = NULL;

	memset(result, 0, sizeof(*result));
	if (!mlv_remote_refresh(check->remote, &why)) {
		/* Nobody can use the remote while one index is damaged, so there is nothing else
		 * to check. */
		if (!g_error_matches(why, MLV_ERROR, MLV_ERROR_CORRUPT)) {
			g_propagate_error(error, g_steal_pointer(&why));
			return FALSE;
		}
		mlv_remote_check_found(&state, MLV_REMOTE_FAULT_INDEX, "live/", NULL, why->message);
		return TRUE;
	}
	if (!list_packs(&state, error))
		return FALSE;
	/* A reader that lists again would number the packs anew. */
	check->remote->relisted = TRUE;
	if (!check_indexes(&state, error))
		return FALSE;
	check_pack_sizes(&state);
	return check_roots(&state, error) && (!check->deep || mlv_remote_check_deep(&state, error));
}
