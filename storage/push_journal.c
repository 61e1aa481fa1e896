/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of a push, in the remote's cache directory: which packs it has sent that no index
 * names yet, and the pending root that it put. It is removed when the push has succeeded; what is
 * found there was left by one that did not.
 *
 *	time 1750000000
 *	pack <64 hex> <bytes>
 *	pending <64 hex>
 */
#include "storage/push_private.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define JOURNAL_NAME "journal"
#define JOURNAL_MAX  (16u << 20)

static void save(PushState *state)
{
	g_autoptr(GBytes) bytes = g_bytes_new(state->journal_text->str, state->journal_text->len);

	if (!state->push->dry_run)
		mlv_remote_cache_put(state->remote, JOURNAL_NAME, bytes);
}

static void parse_line(PushState *state, const char *line)
{
	gboolean pack = g_str_has_prefix(line, "pack ");
	g_auto(GStrv) words = g_strsplit(line, " ", 4);
	JournalPack sent = { 0 };
	MlvId id;

	if (g_strv_length(words) != (pack ? 3 : 2) || !mlv_id_parse(words[1], &id))
		return;
	if (!pack) {
		if (strcmp(words[0], "pending") == 0)
			g_array_append_val(state->stale, id);
		return;
	}
	sent.pack.name = id;
	sent.pack.size = g_ascii_strtoull(words[2], NULL, 10);
	g_array_append_val(state->journal, sent);
}

static gboolean is_named(const PushState *state, const MlvId *pack)
{
	return g_hash_table_contains(state->remote->pack_numbers, pack);
}

/* Keeps the packs that are there, unnamed and not tombstoned, with their tables. */
static gboolean read_tables(PushState *state, GError **error)
{
	for (guint i = state->journal->len; i-- > 0;) {
		JournalPack *sent = &g_array_index(state->journal, JournalPack, i);
		g_autoptr(GError) failed = NULL;

		if (sent->table)
			continue;
		if (!is_named(state, &sent->pack.name) &&
		    !mlv_remote_is_tombstoned(state->remote, &sent->pack.name))
			sent->table = mlv_remote_read_table(state->remote, &sent->pack, &failed);
		if (failed && !g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING) &&
		    !g_error_matches(failed, MLV_ERROR, MLV_ERROR_CORRUPT)) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return FALSE;
		}
		if (!sent->table)
			g_array_remove_index(state->journal, i);
	}
	return TRUE;
}

gboolean mlv_push_journal_read(PushState *state, GError **error)
{
	g_autoptr(GBytes) bytes = mlv_remote_cache_get(state->remote, JOURNAL_NAME, JOURNAL_MAX);
	g_autofree char *text =
		bytes ? g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)) : NULL;
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
	gint64 time = lines[0] && g_str_has_prefix(lines[0], "time ")
			      ? g_ascii_strtoll(lines[0] + 5, NULL, 10)
			      : 0;

	for (guint i = 1; time > 0 && lines[i]; i++)
		parse_line(state, lines[i]);
	/* What an old journal says may have been tombstoned, collected and forgotten. */
	if (time > state->started || state->started - time > MLV_PUSH_MAX_AGE) {
		g_array_set_size(state->journal, 0);
		time = 0;
	}
	if (!read_tables(state, error))
		return FALSE;
	g_string_printf(state->journal_text, "time %" G_GINT64_FORMAT "\n",
			time > 0 ? time : state->started);
	for (guint i = 0; i < state->journal->len; i++)
		mlv_push_journal_pack(state, &g_array_index(state->journal, JournalPack, i).pack);
	return TRUE;
}

void mlv_push_journal_pack(PushState *state, const MlvIndexPack *pack)
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(&pack->name, hex);
	g_string_append_printf(state->journal_text, "pack %s %" G_GUINT64_FORMAT "\n", hex,
			       pack->size);
	save(state);
}

void mlv_push_journal_pending(PushState *state)
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(&state->root_name.id, hex);
	g_string_append_printf(state->journal_text, "pending %s\n", hex);
	save(state);
}

void mlv_push_journal_drop(PushState *state)
{
	mlv_remote_cache_drop(state->remote, JOURNAL_NAME);
}

gboolean mlv_push_journal_adopt(PushState *state, const GArray *packs, GError **error)
{
	for (guint i = 0; i < packs->len; i++) {
		JournalPack sent = { .pack = g_array_index(packs, MlvIndexPack, i) };
		gboolean known = FALSE;

		for (guint n = 0; !known && n < state->journal->len; n++)
			known = mlv_id_equal(
				&g_array_index(state->journal, JournalPack, n).pack.name,
				&sent.pack.name);
		if (!known)
			g_array_append_val(state->journal, sent);
	}
	return read_tables(state, error);
}

static guint hash_key(gconstpointer data)
{
	const MlvPackEntry *entry = data;

	return mlv_id_hash(&entry->id) + entry->kind;
}

static gboolean equal_keys(gconstpointer a, gconstpointer b)
{
	const MlvPackEntry *x = a, *y = b;

	return x->kind == y->kind && mlv_id_equal(&x->id, &y->id);
}

void mlv_push_journal_reuse(PushState *state)
{
	g_autoptr(GHashTable) there = g_hash_table_new(hash_key, equal_keys);
	guint kept = 0, must_have = 0;

	for (guint i = 0; i < state->journal->len; i++) {
		JournalPack *sent = &g_array_index(state->journal, JournalPack, i);

		sent->used = FALSE;
		if (mlv_remote_is_tombstoned(state->remote, &sent->pack.name))
			continue;
		for (gsize n = 0; n < sent->table->count; n++)
			g_hash_table_insert(there, &sent->table->entries[n], sent);
	}
	for (guint i = 0; i < state->missing->len; i++) {
		const MlvChunkKey *key = &g_array_index(state->missing, MlvChunkKey, i);
		MlvPackEntry probe = { .id = key->id, .kind = key->kind };
		JournalPack *sent = g_hash_table_lookup(there, &probe);

		if (sent) {
			sent->used = TRUE;
			state->result->reused++;
		} else {
			must_have += i < state->must_have;
			g_array_index(state->missing, MlvChunkKey, kept++) = *key;
		}
	}
	g_array_set_size(state->missing, kept);
	state->must_have = must_have;
}
