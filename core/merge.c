/* SPDX-License-Identifier: Apache-2.0 */
#include "core/merge.h"

#include <string.h>

#define THEIRS_SUFFIX ".theirs"

typedef struct {
	const MlvMergeOptions *options;
	guint64 conflicts;
} Merge;

/* The three sides of one name. */
typedef struct {
	const char *name;
	const MlvTreeEntry *base, *ours, *theirs; /* NULL: not there */
} Trio;

/* An entry whose name is owned. */
typedef struct {
	char *name;
	MlvTreeEntry entry;
} Named;

/* One directory that is being merged. */
typedef struct {
	const char *path;
	GArray *const *sides; /* base, ours, theirs: Named, sorted */
	GArray *result;       /* of Named */
	GHashTable *beside;   /* names made for their versions, borrowed from `result` */
} Folder;

static void named_clear(gpointer data)
{
	g_free(((Named *)data)->name);
}

/* All entries of a directory; none for NULL or what is no directory. */
static GArray *read_entries(MlvSource *source, const MlvTreeEntry *tree, GError **error)
{
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(Named));

	g_array_set_clear_func(entries, named_clear);
	if (!tree || tree->mode != MLV_MODE_DIRECTORY)
		return g_steal_pointer(&entries);
	g_autoptr(MlvTreeCursor) cursor = mlv_tree_cursor_new(source, &tree->ref, error);
	if (!cursor)
		return NULL;
	for (;;) {
		Named named;

		if (!mlv_tree_cursor_next(cursor, &named.entry, error))
			return NULL;
		if (!named.entry.name)
			return g_steal_pointer(&entries);
		named.name = g_strdup(named.entry.name);
		named.entry.name = named.name;
		g_array_append_val(entries, named);
	}
}

static gboolean same(const MlvTreeEntry *a, const MlvTreeEntry *b)
{
	if (!a || !b)
		return a == b;
	return a->mode == b->mode && mlv_ref_equal(&a->ref, &b->ref);
}

static gboolean is_directory(const MlvTreeEntry *entry)
{
	return entry && entry->mode == MLV_MODE_DIRECTORY;
}

static gboolean is_file(const MlvTreeEntry *entry)
{
	return entry && (entry->mode == MLV_MODE_FILE || entry->mode == MLV_MODE_EXECUTABLE);
}

/* A file of which one side changed the content and the other whether it is executable has both, as
 * in git. FALSE if that is not what happened. */
static gboolean merge_file(const Trio *trio, MlvTreeEntry *merged)
{
	if (!is_file(trio->base) || !is_file(trio->ours) || !is_file(trio->theirs))
		return FALSE;
	*merged = *trio->ours;
	if (trio->base->mode == trio->ours->mode)
		merged->mode = trio->theirs->mode;
	if (mlv_ref_equal(&trio->ours->ref, &trio->theirs->ref) ||
	    mlv_ref_equal(&trio->base->ref, &trio->theirs->ref))
		return TRUE;
	merged->ref = trio->theirs->ref;
	merged->files = trio->theirs->files;
	merged->bytes = trio->theirs->bytes;
	return mlv_ref_equal(&trio->base->ref, &trio->ours->ref);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(((const Named *)a)->name, ((const Named *)b)->name);
}

static const char *keep(Folder *folder, const char *name, const MlvTreeEntry *entry)
{
	Named named = { g_strdup(name), *entry };

	named.entry.name = named.name;
	g_array_append_val(folder->result, named);
	return named.name;
}

static gboolean name_is_free(const Folder *folder, const char *name)
{
	Named wanted = { .name = (char *)name };

	if (g_hash_table_contains(folder->beside, name))
		return FALSE;
	for (guint i = 0; i < 3; i++)
		if (g_array_binary_search(folder->sides[i], &wanted, by_name, NULL))
			return FALSE;
	return TRUE;
}

/* A name for their version that none of the three sides has, nor another's: "x.theirs",
 * "x.theirs-2" ... */
static char *theirs_name(const Folder *folder, const char *name)
{
	gsize length = MIN(strlen(name), MLV_NAME_MAX - strlen(THEIRS_SUFFIX) - 8);

	/* A name that is cut is not cut within a character. */
	while (length > 0 && ((guint8)name[length] & 0xc0) == 0x80)
		length--;
	for (guint number = 1;; number++) {
		g_autofree char *suffix = number == 1
						  ? g_strdup(THEIRS_SUFFIX)
						  : g_strdup_printf(THEIRS_SUFFIX "-%u", number);
		g_autofree char *made = g_strdup_printf("%.*s%s", (int)length, name, suffix);
		if (name_is_free(folder, made))
			return g_steal_pointer(&made);
	}
}

static void tell(Merge *merge, const char *folder, const char *name, const char *theirs)
{
	g_autofree char *path = g_strconcat(folder, *folder ? "/" : "", name, NULL);
	g_autofree char *beside =
		theirs ? g_strconcat(folder, *folder ? "/" : "", theirs, NULL) : NULL;

	merge->conflicts++;
	merge->options->conflict(path, beside, merge->options->user);
}

static gboolean merge_directory(Merge *merge, const char *path, const Trio *trio, MlvTreeEntry *out,
				GError **error);

/* What both sides, or the only one that changed it, make of it; FALSE if both changed it. */
static gboolean settle(const Trio *trio, const MlvTreeEntry **result)
{
	*result = same(trio->base, trio->ours) ? trio->theirs : trio->ours;
	return same(trio->ours, trio->theirs) || same(trio->base, trio->theirs) ||
	       same(trio->base, trio->ours);
}

/* The directories of a name, one that is not there taken for empty. *out mode 0: none is left. */
static gboolean merge_directories(Merge *merge, const Folder *folder, const Trio *trio,
				  MlvTreeEntry *out, GError **error)
{
	const MlvTreeEntry *settled;

	memset(out, 0, sizeof(*out));
	if (settle(trio, &settled)) {
		if (settled)
			*out = *settled;
		return TRUE;
	}
	g_autofree char *below =
		g_strconcat(folder->path, *folder->path ? "/" : "", trio->name, NULL);
	if (!merge_directory(merge, below, trio, out, error))
		return FALSE;
	if (out->files == 0 && (!trio->ours || !trio->theirs))
		out->mode = 0;
	return TRUE;
}

/* The files of a name: what is kept under it (mode 0: nothing) and, where both sides changed it,
 * theirs. FALSE for a conflict. */
static gboolean merge_files(const Trio *trio, MlvTreeEntry *out, const MlvTreeEntry **theirs)
{
	const MlvTreeEntry *settled;
	gboolean clean = settle(trio, &settled);

	*theirs = NULL;
	memset(out, 0, sizeof(*out));
	if (clean && settled)
		*out = *settled;
	if (clean || merge_file(trio, out))
		return TRUE;
	*out = *(trio->ours ? trio->ours : trio->theirs);
	if (trio->ours)
		*theirs = trio->theirs;
	return FALSE;
}

static Trio only(const Trio *trio, gboolean directories)
{
	Trio out = { .name = trio->name };

	if (is_directory(trio->base) == directories)
		out.base = trio->base;
	if (is_directory(trio->ours) == directories)
		out.ours = trio->ours;
	if (is_directory(trio->theirs) == directories)
		out.theirs = trio->theirs;
	return out;
}

static void keep_beside(Merge *merge, Folder *folder, const char *name, const MlvTreeEntry *entry)
{
	g_autofree char *beside = theirs_name(folder, name);

	g_hash_table_add(folder->beside, (gpointer)keep(folder, beside, entry));
	tell(merge, folder->path, name, beside);
}

/* Files and directories apart, as git knows files only; both under one name are a conflict. */
static gboolean merge_name(Merge *merge, Folder *folder, const Trio *trio, GError **error)
{
	const Trio files = only(trio, FALSE), directories = only(trio, TRUE);
	MlvTreeEntry file, directory;
	const MlvTreeEntry *theirs;

	if (!merge_directories(merge, folder, &directories, &directory, error))
		return FALSE;
	gboolean clean = merge_files(&files, &file, &theirs);
	if (file.mode != 0 && directory.mode != 0) {
		gboolean ours = is_directory(trio->ours);

		keep(folder, trio->name, ours ? &directory : &file);
		keep_beside(merge, folder, trio->name, ours ? &file : &directory);
		return TRUE;
	}
	if (file.mode != 0 || directory.mode != 0)
		keep(folder, trio->name, file.mode != 0 ? &file : &directory);
	if (theirs)
		keep_beside(merge, folder, trio->name, theirs);
	else if (!clean)
		tell(merge, folder->path, trio->name, NULL);
	return TRUE;
}

static const MlvTreeEntry *side_entry(GArray *side, guint *at, const char *name)
{
	if (*at >= side->len || strcmp(g_array_index(side, Named, *at).name, name) != 0)
		return NULL;
	return &g_array_index(side, Named, (*at)++).entry;
}

/* The least name that any side has next, or NULL. */
static const char *next_name(GArray *const sides[3], const guint at[3])
{
	const char *least = NULL;

	for (guint i = 0; i < 3; i++) {
		const char *name =
			at[i] < sides[i]->len ? g_array_index(sides[i], Named, at[i]).name : NULL;
		if (name && (!least || strcmp(name, least) < 0))
			least = name;
	}
	return least;
}

static gboolean merge_sides(Merge *merge, const char *path, GArray *const sides[3],
			    MlvTreeEntry *out, GError **error)
{
	guint at[3] = { 0 };
	g_autoptr(GArray) result = g_array_new(FALSE, FALSE, sizeof(Named));
	g_autoptr(GHashTable) beside = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(MlvTreeBuilder) builder =
		mlv_tree_builder_new(merge->options->put, merge->options->put_user);
	Folder folder = { path, sides, result, beside };
	Trio trio;

	g_array_set_clear_func(result, named_clear);
	while ((trio.name = next_name(sides, at))) {
		trio.base = side_entry(sides[0], &at[0], trio.name);
		trio.ours = side_entry(sides[1], &at[1], trio.name);
		trio.theirs = side_entry(sides[2], &at[2], trio.name);
		if (!merge_name(merge, &folder, &trio, error))
			return FALSE;
	}
	g_array_sort(result, by_name);
	for (guint i = 0; i < result->len; i++)
		if (!mlv_tree_builder_add(builder, &g_array_index(result, Named, i).entry, error))
			return FALSE;
	memset(out, 0, sizeof(*out));
	out->mode = MLV_MODE_DIRECTORY;
	return mlv_tree_builder_finish(builder, &out->ref, &out->files, &out->bytes, error);
}

static gboolean merge_directory(Merge *merge, const char *path, const Trio *trio, MlvTreeEntry *out,
				GError **error)
{
	MlvSource *source = merge->options->source;
	g_autoptr(GArray) base = read_entries(source, trio->base, error);
	g_autoptr(GArray) ours = base ? read_entries(source, trio->ours, error) : NULL;
	g_autoptr(GArray) theirs = ours ? read_entries(source, trio->theirs, error) : NULL;
	GArray *const sides[3] = { base, ours, theirs };

	return theirs && merge_sides(merge, path, sides, out, error);
}

static const MlvTreeEntry *entry_of(const MlvPointer *pointer, MlvTreeEntry *entry)
{
	if (!pointer)
		return NULL;
	*entry = (MlvTreeEntry){ .mode = pointer->mode,
				 .ref = pointer->ref,
				 .files = pointer->files,
				 .bytes = pointer->bytes };
	return entry;
}

gboolean mlv_merge_pointers(const MlvMergeOptions *options, const MlvPointer *base,
			    const MlvPointer *ours, const MlvPointer *theirs, MlvPointer *result,
			    guint64 *conflicts, GError **error)
{
	Merge merge = { options, 0 };
	MlvTreeEntry entries[3], merged;
	Trio trio = { "", entry_of(base, &entries[0]), entry_of(ours, &entries[1]),
		      entry_of(theirs, &entries[2]) };

	*conflicts = 0;
	*result = *ours;
	if (same(trio.ours, trio.theirs) || same(trio.base, trio.theirs))
		return TRUE;
	if (trio.theirs && same(trio.base, trio.ours)) {
		*result = *theirs;
		return TRUE;
	}
	if (merge_file(&trio, &merged))
		return mlv_pointer_from_entry(&merged, result);
	if (!is_directory(trio.ours) || !is_directory(trio.theirs)) {
		*conflicts = 1;
		options->conflict("", NULL, options->user);
		return TRUE;
	}
	if (!merge_directory(&merge, "", &trio, &merged, error) ||
	    !mlv_pointer_from_entry(&merged, result))
		return FALSE;
	*conflicts = merge.conflicts;
	return TRUE;
}
