/* SPDX-License-Identifier: Apache-2.0 */
/* Roots as text, and their names: mlv-root(5). */
#include "storage/root.h"

#include "storage/root_private.h"

#include <string.h>

static const char *const kind_words[] = { NULL, "blob", NULL, "tree" };
static const char *const use_words[] = { "commit", "run" };

static gboolean is_hex(const char *text, gsize digits)
{
	for (gsize i = 0; i < digits; i++)
		if (!g_ascii_isdigit(text[i]) && !(text[i] >= 'a' && text[i] <= 'f'))
			return FALSE;
	return TRUE;
}

void mlv_root_path(const MlvRootName *name, char path[MLV_ROOT_NAME_LENGTH + 1])
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(&name->id, hex);
	g_snprintf(path, MLV_ROOT_NAME_LENGTH + 1, "live/%c-%s-%s-%s", name->pending ? 'p' : 'r',
		   name->repo, name->clone, hex);
}

gboolean mlv_root_parse_path(const char *path, MlvRootName *name)
{
	const char *at = path + 7;

	if (strlen(path) != MLV_ROOT_NAME_LENGTH ||
	    (!g_str_has_prefix(path, "live/r-") && !g_str_has_prefix(path, "live/p-")))
		return FALSE;
	name->pending = path[5] == 'p';
	if (!is_hex(at, MLV_ROOT_ID_HEX) || at[MLV_ROOT_ID_HEX] != '-')
		return FALSE;
	g_strlcpy(name->repo, at, sizeof(name->repo));
	at += MLV_ROOT_ID_HEX + 1;
	if (!is_hex(at, MLV_ROOT_ID_HEX) || at[MLV_ROOT_ID_HEX] != '-')
		return FALSE;
	g_strlcpy(name->clone, at, sizeof(name->clone));
	return mlv_id_parse(at + MLV_ROOT_ID_HEX + 1, &name->id);
}

static int compare_refs(const MlvRef *a, const MlvRef *b)
{
	int order = mlv_id_compare(&a->id, &b->id);

	if (order == 0)
		order = (a->kind > b->kind) - (a->kind < b->kind);
	if (order == 0)
		order = (a->depth > b->depth) - (a->depth < b->depth);
	return order ? order : (a->size > b->size) - (a->size < b->size);
}

static int compare_entries(const RootEntry *a, const RootEntry *b)
{
	return a->use != b->use ? (int)a->use - (int)b->use : strcmp(a->oid, b->oid);
}

static gint sort_refs(gconstpointer a, gconstpointer b)
{
	return compare_refs(*(MlvRef *const *)a, *(MlvRef *const *)b);
}

static gint sort_entries(gconstpointer a, gconstpointer b)
{
	return compare_entries(*(RootEntry *const *)a, *(RootEntry *const *)b);
}

static gint sort_numbers(gconstpointer a, gconstpointer b)
{
	guint32 x = *(const guint32 *)a, y = *(const guint32 *)b;

	return (x > y) - (x < y);
}

static void format_needs(GString *text, GPtrArray *sorted)
{
	for (guint i = 0; i < sorted->len; i++) {
		const MlvRef *ref = g_ptr_array_index(sorted, i);
		char hex[MLV_ID_HEX + 1];

		mlv_id_format(&ref->id, hex);
		g_string_append_printf(text, "need %s %u %s %" G_GUINT64_FORMAT "\n",
				       kind_words[ref->kind], ref->depth, hex, ref->size);
	}
}

static void format_entry(GString *text, const RootEntry *entry, const guint32 *renumbered)
{
	g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint32));

	for (guint i = 0; i < entry->needs->len; i++)
		g_array_append_val(numbers, renumbered[g_array_index(entry->needs, guint32, i)]);
	g_array_sort(numbers, sort_numbers);
	g_string_append_printf(text, "%s %s", use_words[entry->use], entry->oid);
	for (guint i = 0; i < numbers->len; i++)
		g_string_append_printf(text, " %u", g_array_index(numbers, guint32, i));
	g_string_append_c(text, '\n');
}

/* Needs that no entry uses any more (after a merge that kept less) do not come into the text. */
static GPtrArray *used_needs(const MlvRoot *root)
{
	g_autofree guint8 *used = g_new0(guint8, root->needs->len + 1);
	GPtrArray *sorted = g_ptr_array_new();

	for (guint i = 0; i < root->entries->len; i++) {
		const RootEntry *entry = g_ptr_array_index(root->entries, i);

		for (guint n = 0; n < entry->needs->len; n++)
			used[g_array_index(entry->needs, guint32, n)] = 1;
	}
	for (guint i = 0; i < root->needs->len; i++)
		if (used[i])
			g_ptr_array_add(sorted, g_ptr_array_index(root->needs, i));
	g_ptr_array_sort(sorted, sort_refs);
	return sorted;
}

GBytes *mlv_root_format(const MlvRoot *root, gint64 time, const guint8 salt[MLV_ROOT_SALT],
			MlvId *id)
{
	g_autoptr(GPtrArray) needs = used_needs(root);
	g_autoptr(GPtrArray) entries = g_ptr_array_new();
	g_autofree guint32 *renumbered = g_new0(guint32, root->needs->len + 1);
	GString *text = g_string_new("mlv-root 1\n");
	GBytes *bytes;

	g_string_append_printf(text, "repo %s\nclone %s\nsalt ", root->repo, root->clone);
	for (gsize i = 0; i < MLV_ROOT_SALT; i++)
		g_string_append_printf(text, "%02x", salt[i]);
	g_string_append_printf(text, "\ntime %" G_GINT64_FORMAT "\n", MAX(time, 0));
	for (guint i = 0; i < needs->len; i++) {
		guint number = GPOINTER_TO_UINT(
			g_hash_table_lookup(root->numbers, g_ptr_array_index(needs, i)));

		renumbered[number - 1] = i;
	}
	format_needs(text, needs);
	for (guint i = 0; i < root->entries->len; i++)
		g_ptr_array_add(entries, g_ptr_array_index(root->entries, i));
	g_ptr_array_sort(entries, sort_entries);
	for (guint i = 0; i < entries->len; i++)
		format_entry(text, g_ptr_array_index(entries, i), renumbered);
	bytes = g_string_free_to_bytes(text);
	mlv_id_of(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), id);
	return bytes;
}

/* --- parsing: `at` moves over the text; nothing is copied but what is kept -------------------- */

typedef struct {
	const char *at, *end;
	MlvRoot *root;
	guint8 *used; /* a byte a need; made when the first entry comes */
} Parser;

static gboolean skip(Parser *parser, const char *word)
{
	gsize length = strlen(word);

	if ((gsize)(parser->end - parser->at) < length || memcmp(parser->at, word, length) != 0)
		return FALSE;
	parser->at += length;
	return TRUE;
}

/* Exactly `digits` lower-case hex digits, copied with a NUL behind. */
static gboolean parse_hex(Parser *parser, gsize digits, char *out)
{
	if ((gsize)(parser->end - parser->at) < digits || !is_hex(parser->at, digits))
		return FALSE;
	memcpy(out, parser->at, digits);
	out[digits] = '\0';
	parser->at += digits;
	return TRUE;
}

/* A decimal number without leading zeros, at most `max`. */
static gboolean parse_number(Parser *parser, guint64 max, guint64 *value)
{
	const char *start = parser->at;

	*value = 0;
	while (parser->at < parser->end && g_ascii_isdigit(*parser->at)) {
		guint digit = (guint)(*parser->at++ - '0');

		if (*value > (G_MAXUINT64 - digit) / 10)
			return FALSE;
		*value = *value * 10 + digit;
		if (*value > max)
			return FALSE;
	}
	return parser->at > start && (*start != '0' || parser->at == start + 1);
}

static gboolean parse_head(Parser *parser)
{
	MlvRoot *root = parser->root;
	char salt[2 * MLV_ROOT_SALT + 1];
	guint64 time;

	if (!skip(parser, "mlv-root 1\nrepo ") || !parse_hex(parser, MLV_ROOT_ID_HEX, root->repo) ||
	    !skip(parser, "\nclone ") || !parse_hex(parser, MLV_ROOT_ID_HEX, root->clone) ||
	    !skip(parser, "\nsalt ") || !parse_hex(parser, 2 * MLV_ROOT_SALT, salt) ||
	    !skip(parser, "\ntime ") || !parse_number(parser, G_MAXINT64 / 2, &time) ||
	    !skip(parser, "\n"))
		return FALSE;
	root->time = (gint64)time;
	return TRUE;
}

/* Behind "need ". */
static gboolean parse_need(Parser *parser)
{
	GPtrArray *needs = parser->root->needs;
	char hex[MLV_ID_HEX + 1];
	MlvRef ref = { 0 };
	guint64 depth;

	ref.kind = skip(parser, "blob ") ? MLV_KIND_BLOB : MLV_KIND_TREE;
	if ((ref.kind == MLV_KIND_TREE && !skip(parser, "tree ")) ||
	    !parse_number(parser, MLV_REF_MAX_DEPTH, &depth) || !skip(parser, " ") ||
	    !parse_hex(parser, MLV_ID_HEX, hex) || !mlv_id_parse(hex, &ref.id) ||
	    !skip(parser, " ") || !parse_number(parser, G_MAXUINT64, &ref.size) ||
	    !skip(parser, "\n"))
		return FALSE;
	ref.depth = (guint8)depth;
	if (needs->len > 0 && compare_refs(g_ptr_array_index(needs, needs->len - 1), &ref) >= 0)
		return FALSE;
	mlv_root_number(parser->root, &ref);
	return TRUE;
}

/* Behind "commit " or "run ". */
static gboolean parse_entry(Parser *parser, MlvRootUse use)
{
	MlvRoot *root = parser->root;
	GPtrArray *entries = root->entries;
	char oid[MLV_ID_HEX + 1];
	RootEntry *entry;

	if (!parse_hex(parser, MLV_ID_HEX, oid) && !parse_hex(parser, 40, oid))
		return FALSE;
	entry = mlv_root_entry_for(root, use, oid);
	if (g_ptr_array_index(entries, entries->len - 1) != entry ||
	    (entries->len > 1 &&
	     compare_entries(g_ptr_array_index(entries, entries->len - 2), entry) >= 0))
		return FALSE;
	while (skip(parser, " ")) {
		guint64 value;
		guint32 number;

		if (!parse_number(parser, G_MAXUINT32, &value) || value >= root->needs->len)
			return FALSE;
		number = (guint32)value;
		if (entry->needs->len > 0 &&
		    g_array_index(entry->needs, guint32, entry->needs->len - 1) >= number)
			return FALSE;
		g_array_append_val(entry->needs, number);
		parser->used[number] = 1;
	}
	return skip(parser, "\n");
}

static gboolean parse_body(Parser *parser)
{
	while (skip(parser, "need "))
		if (!parse_need(parser))
			return FALSE;
	parser->used = g_new0(guint8, parser->root->needs->len + 1);
	while (skip(parser, "commit "))
		if (!parse_entry(parser, MLV_ROOT_COMMIT))
			return FALSE;
	while (skip(parser, "run "))
		if (!parse_entry(parser, MLV_ROOT_RUN))
			return FALSE;
	for (guint i = 0; i < parser->root->needs->len; i++)
		if (!parser->used[i])
			return FALSE;
	return parser->at == parser->end;
}

MlvRoot *mlv_root_parse(const char *text, gsize length, const char *label, GError **error)
{
	g_autoptr(MlvRoot) root = mlv_root_new("", "");
	Parser parser = { .at = text, .end = text + length, .root = root };
	gboolean ok = length <= MLV_ROOT_MAX && parse_head(&parser) && parse_body(&parser);

	g_free(parser.used);
	if (ok)
		return g_steal_pointer(&root);
	mlv_fail(error, MLV_ERROR_CORRUPT, "the root '%s' is damaged at byte %" G_GSIZE_FORMAT,
		 label, (gsize)(parser.at - text));
	return NULL;
}
