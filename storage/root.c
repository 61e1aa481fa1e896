/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/root.h"

#include "storage/root_private.h"

#include <string.h>

static guint hash_ref(gconstpointer key)
{
	const MlvRef *ref = key;

	return mlv_id_hash(&ref->id) ^ (guint)ref->kind << 8 ^ ref->depth ^ (guint)ref->size;
}

static gboolean equal_refs(gconstpointer a, gconstpointer b)
{
	return mlv_ref_equal(a, b);
}

static void free_entry(gpointer data)
{
	RootEntry *entry = data;

	g_array_unref(entry->needs);
	g_free(entry);
}

static guint hash_entry(gconstpointer key)
{
	const RootEntry *entry = key;

	return g_str_hash(entry->oid) + entry->use;
}

static gboolean equal_entries(gconstpointer a, gconstpointer b)
{
	const RootEntry *x = a, *y = b;

	return x->use == y->use && strcmp(x->oid, y->oid) == 0;
}

MlvRoot *mlv_root_new(const char *repo, const char *clone)
{
	MlvRoot *root = g_new0(MlvRoot, 1);

	g_strlcpy(root->repo, repo, sizeof(root->repo));
	g_strlcpy(root->clone, clone, sizeof(root->clone));
	root->needs = g_ptr_array_new_with_free_func(g_free);
	root->numbers = g_hash_table_new(hash_ref, equal_refs);
	root->entries = g_ptr_array_new_with_free_func(free_entry);
	root->by_oid = g_hash_table_new(hash_entry, equal_entries);
	return root;
}

void mlv_root_free(MlvRoot *root)
{
	if (!root)
		return;
	g_hash_table_unref(root->numbers);
	g_hash_table_unref(root->by_oid);
	g_ptr_array_unref(root->needs);
	g_ptr_array_unref(root->entries);
	g_free(root);
}

/* Numbers are stored plus one: 0 is absence. */
static gboolean find_number(const MlvRoot *root, const MlvRef *ref, guint32 *number)
{
	guint found = GPOINTER_TO_UINT(g_hash_table_lookup(root->numbers, ref));

	*number = found - 1;
	return found > 0;
}

guint32 mlv_root_number(MlvRoot *root, const MlvRef *ref)
{
	guint32 number;
	MlvRef *copy;

	if (find_number(root, ref, &number))
		return number;
	/* Field by field: padding must not differ between equal references. */
	copy = g_new0(MlvRef, 1);
	copy->id = ref->id;
	copy->size = ref->size;
	copy->kind = ref->kind;
	copy->depth = ref->depth;
	g_ptr_array_add(root->needs, copy);
	g_hash_table_insert(root->numbers, copy, GUINT_TO_POINTER(root->needs->len));
	return root->needs->len - 1;
}

static RootEntry *find_entry(const MlvRoot *root, MlvRootUse use, const char *oid)
{
	RootEntry key = { .use = use };

	g_strlcpy(key.oid, oid, sizeof(key.oid));
	return g_hash_table_lookup(root->by_oid, &key);
}

RootEntry *mlv_root_entry_for(MlvRoot *root, MlvRootUse use, const char *oid)
{
	RootEntry *entry = find_entry(root, use, oid);

	if (entry)
		return entry;
	entry = g_new0(RootEntry, 1);
	entry->use = use;
	g_strlcpy(entry->oid, oid, sizeof(entry->oid));
	entry->needs = g_array_new(FALSE, FALSE, sizeof(guint32));
	g_ptr_array_add(root->entries, entry);
	g_hash_table_add(root->by_oid, entry);
	return entry;
}

static gboolean has_number(const GArray *needs, guint32 number)
{
	for (guint i = 0; i < needs->len; i++)
		if (g_array_index(needs, guint32, i) == number)
			return TRUE;
	return FALSE;
}

void mlv_root_add(MlvRoot *root, MlvRootUse use, const char *oid, const MlvRef *refs, gsize count)
{
	RootEntry *entry = mlv_root_entry_for(root, use, oid);

	for (gsize i = 0; i < count; i++) {
		guint32 number = mlv_root_number(root, &refs[i]);

		if (!has_number(entry->needs, number))
			g_array_append_val(entry->needs, number);
	}
}

void mlv_root_merge(MlvRoot *root, const MlvRoot *from, MlvRootKeep keep, gpointer user)
{
	for (guint i = 0; i < from->entries->len; i++) {
		const RootEntry *entry = g_ptr_array_index(from->entries, i);

		if (keep && !keep(entry->use, entry->oid, user))
			continue;
		mlv_root_add(root, entry->use, entry->oid, NULL, 0);
		for (guint n = 0; n < entry->needs->len; n++)
			mlv_root_add(root, entry->use, entry->oid,
				     mlv_root_need(from, g_array_index(entry->needs, guint32, n)),
				     1);
	}
}

gboolean mlv_root_contains(const MlvRoot *root, const MlvRoot *other)
{
	for (guint i = 0; i < other->entries->len; i++) {
		const RootEntry *theirs = g_ptr_array_index(other->entries, i);
		const RootEntry *ours = find_entry(root, theirs->use, theirs->oid);

		if (!ours)
			return FALSE;
		for (guint n = 0; n < theirs->needs->len; n++) {
			guint32 number;

			if (!find_number(
				    root,
				    mlv_root_need(other, g_array_index(theirs->needs, guint32, n)),
				    &number) ||
			    !has_number(ours->needs, number))
				return FALSE;
		}
	}
	return TRUE;
}

const char *mlv_root_repo(const MlvRoot *root)
{
	return root->repo;
}

const char *mlv_root_clone(const MlvRoot *root)
{
	return root->clone;
}

gint64 mlv_root_time(const MlvRoot *root)
{
	return root->time;
}

gsize mlv_root_need_count(const MlvRoot *root)
{
	return root->needs->len;
}

const MlvRef *mlv_root_need(const MlvRoot *root, gsize number)
{
	return g_ptr_array_index(root->needs, number);
}

gboolean mlv_root_needs(const MlvRoot *root, const MlvRef *ref)
{
	return g_hash_table_contains(root->numbers, ref);
}

gsize mlv_root_entry_count(const MlvRoot *root)
{
	return root->entries->len;
}

const char *mlv_root_entry(const MlvRoot *root, gsize number, MlvRootUse *use, const GArray **needs)
{
	const RootEntry *entry = g_ptr_array_index(root->entries, number);

	if (use)
		*use = entry->use;
	if (needs)
		*needs = entry->needs;
	return entry->oid;
}
