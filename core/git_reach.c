/* SPDX-License-Identifier: Apache-2.0 */
#include "core/git_reach.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/git_internal.h"
#include "core/target.h"
#include "storage/file.h"

struct MlvGitReach {
	MlvRepo *repo;
	MlvGitWalk *walk;   /* tips with all their history */
	GArray *singles;    /* MlvOid: commits alone */
	GHashTable *tips;   /* MlvOid: everything that was added */
	GHashTable *trees;  /* MlvOid: trees that were walked */
	GHashTable *blobs;  /* MlvOid: pointers and locks that were visited */
	GPtrArray *indexes; /* paths of index files to be read */
	GArray *bare_trees; /* MlvOid: trees that a tag names itself */
};

static GHashTable *new_set(void)
{
	return g_hash_table_new_full(mlv_oid_hash, mlv_oid_equal_key, g_free, NULL);
}

/* TRUE if it was not in there. */
static gboolean set_add(GHashTable *set, const MlvOid *oid)
{
	if (g_hash_table_contains(set, oid))
		return FALSE;
	g_hash_table_add(set, g_memdup2(oid, sizeof *oid));
	return TRUE;
}

MlvGitReach *mlv_git_reach_new(MlvRepo *repo)
{
	MlvGitReach *reach = g_new0(MlvGitReach, 1);
	reach->repo = repo;
	reach->walk = mlv_git_walk_new(repo);
	reach->singles = g_array_new(FALSE, FALSE, sizeof(MlvOid));
	reach->bare_trees = g_array_new(FALSE, FALSE, sizeof(MlvOid));
	reach->tips = new_set();
	reach->trees = new_set();
	reach->blobs = new_set();
	reach->indexes = g_ptr_array_new_with_free_func(g_free);
	return reach;
}

void mlv_git_reach_free(MlvGitReach *reach)
{
	if (!reach)
		return;
	mlv_git_walk_free(reach->walk);
	g_array_unref(reach->singles);
	g_array_unref(reach->bare_trees);
	g_hash_table_unref(reach->tips);
	g_hash_table_unref(reach->trees);
	g_hash_table_unref(reach->blobs);
	g_ptr_array_unref(reach->indexes);
	g_free(reach);
}

gboolean mlv_git_reach_add(MlvGitReach *reach, const MlvOid *commit, gboolean history,
			   GError **error)
{
	set_add(reach->tips, commit);
	if (history)
		return mlv_git_walk_push(reach->walk, commit, error);
	g_array_append_val(reach->singles, *commit);
	return TRUE;
}

gboolean mlv_git_reach_hide(MlvGitReach *reach, const MlvOid *commit, GError **error)
{
	return mlv_git_walk_hide(reach->walk, commit, error);
}

/* --- everything that git keeps ---------------------------------------------------------------- */

/* An object that some reference names: a commit with its history, a tag's target, a tree alone.
 * What is gone (an old reflog entry's commit may have been collected by git) is passed over if
 * `may_be_gone`. */
static gboolean add_object(MlvGitReach *reach, const git_oid *oid, gboolean may_be_gone,
			   GError **error)
{
	g_autoptr(git_object) object = NULL, peeled = NULL;
	MlvOid id;
	int code = git_object_lookup(&object, reach->repo->git, oid, GIT_OBJECT_ANY);

	if (code == GIT_ENOTFOUND && may_be_gone) {
		git_error_clear();
		return TRUE;
	}
	if (code < 0)
		return mlv_git_fail(error, code, "cannot read git's object %.12s",
				    git_oid_tostr_s(oid));
	if (git_object_peel(&peeled, object, GIT_OBJECT_COMMIT) == 0) {
		mlv_oid_from_git(git_object_id(peeled), &id);
		return mlv_git_reach_add(reach, &id, TRUE, error);
	}
	if (git_object_peel(&peeled, object, GIT_OBJECT_TREE) == 0) {
		mlv_oid_from_git(git_object_id(peeled), &id);
		set_add(reach->tips, &id);
		g_array_append_val(reach->bare_trees, id);
	}
	git_error_clear();
	return TRUE;
}

static gboolean add_hex(MlvGitReach *reach, const char *hex, GError **error)
{
	git_oid oid;

	if (strlen(hex) != MLV_OID_HEX || git_oid_fromstr(&oid, hex) < 0 || git_oid_is_zero(&oid)) {
		git_error_clear();
		return TRUE;
	}
	/* Neighbouring lines of a reflog share their names. */
	MlvOid id;
	mlv_oid_from_git(&oid, &id);
	return g_hash_table_contains(reach->tips, &id) || add_object(reach, &oid, TRUE, error);
}

static gboolean add_refs(MlvGitReach *reach, GError **error)
{
	g_autoptr(git_reference_iterator) iterator = NULL;
	git_reference *next;
	int code = git_reference_iterator_new(&iterator, reach->repo->git);

	while (code == 0 && (code = git_reference_next(&next, iterator)) == 0) {
		g_autoptr(git_reference) ref = next;
		const git_oid *oid = git_reference_target(ref);
		/* A symbolic one leads to another, which is listed itself if it exists. */
		if (oid && !add_object(reach, oid, FALSE, error)) {
			g_prefix_error(error, "'%s': ", git_reference_name(ref));
			return FALSE;
		}
	}
	git_error_clear();
	return code == GIT_ITEROVER || mlv_git_fail(error, code, "cannot list git's references");
}

/* A reflog's lines begin with the old and the new name. */
static gboolean add_reflog(MlvGitReach *reach, const char *file, GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) local = NULL;

	if (!g_file_get_contents(file, &text, NULL, &local)) {
		if (g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
			return TRUE;
		return mlv_fail(error, MLV_ERROR_FAILED, "cannot read a reflog: %s",
				local->message);
	}
	for (char *line = text; *line;) {
		char *end = strchrnul(line, '\n');
		gsize length = (gsize)(end - line);
		if (length > 2 * MLV_OID_HEX + 1) {
			g_autofree char *before = g_strndup(line, MLV_OID_HEX);
			g_autofree char *after = g_strndup(line + MLV_OID_HEX + 1, MLV_OID_HEX);
			if (!add_hex(reach, before, error) || !add_hex(reach, after, error))
				return FALSE;
		}
		line = *end ? end + 1 : end;
	}
	return TRUE;
}

/* An absent folder is empty. */
static GPtrArray *list_folder(const char *folder, GError **error)
{
	g_autoptr(GError) why = NULL;
	GPtrArray *names = mlv_file_list(AT_FDCWD, folder, &why);

	if (!names && g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING))
		return g_ptr_array_new();
	if (!names)
		g_propagate_error(error, g_steal_pointer(&why));
	return names;
}

/* Every file below `folder` goes to `add`. An absent folder is empty. */
static gboolean each_file(MlvGitReach *reach, const char *folder,
			  gboolean (*add)(MlvGitReach *, const char *, GError **), GError **error)
{
	g_autoptr(GPtrArray) names = list_folder(folder, error);

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL);
		struct stat st;
		int result = lstat(path, &st);
		if (result < 0 && errno == ENOENT)
			continue;
		if (result < 0)
			return mlv_fail_errno(error, "cannot look at '%s'", path);
		if (!(S_ISDIR(st.st_mode) ? each_file(reach, path, add, error)
					  : add(reach, path, error)))
			return FALSE;
	}
	return names != NULL;
}

/* Not there, or no file at all: anything else must not pass for a file that names nothing. */
static gboolean is_absent(const GError *why)
{
	return g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT) ||
	       g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOTDIR) ||
	       g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_ISDIR);
}

/* A file with one name in each line: MERGE_HEAD, a loose reference of another work tree. */
static gboolean add_name_file(MlvGitReach *reach, const char *file, GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) why = NULL;
	gsize length;

	if (!g_file_get_contents(file, &text, &length, &why))
		return is_absent(why) ||
		       mlv_fail(error, MLV_ERROR_FAILED, "cannot read what git keeps there: %s",
				why->message);
	if (length > (1u << 20))
		return TRUE;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++)
		if (!add_hex(reach, g_strstrip(*line), error))
			return FALSE;
	return TRUE;
}

/* HEAD, reflogs, own references, unfinished operations and index of one git directory. */
static gboolean add_git_dir(MlvGitReach *reach, const char *git_dir, GError **error)
{
	static const char *const names[] = {
		"HEAD",
		"MERGE_HEAD",
		"CHERRY_PICK_HEAD",
		"REVERT_HEAD",
		"REBASE_HEAD",
		"AUTO_MERGE",
		"MERGE_AUTOSTASH",
		"rebase-merge/onto",
		"rebase-merge/orig-head",
		"rebase-merge/head",
		"rebase-merge/stopped-sha",
		"rebase-merge/autostash",
		"rebase-apply/onto",
		"rebase-apply/orig-head",
		"rebase-apply/autostash",
		"sequencer/head",
		"BISECT_EXPECTED_REV",
	};
	g_autofree char *logs = g_build_filename(git_dir, "logs", NULL);
	g_autofree char *refs = g_build_filename(git_dir, "refs", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *file = g_build_filename(git_dir, names[i], NULL);
		if (!add_name_file(reach, file, error))
			return FALSE;
	}
	g_ptr_array_add(reach->indexes, g_build_filename(git_dir, "index", NULL));
	return each_file(reach, logs, add_reflog, error) &&
	       each_file(reach, refs, add_name_file, error);
}

/* The git directories of the linked work trees. */
static GPtrArray *linked_git_dirs(const MlvRepo *repo, GError **error)
{
	g_autofree char *folder = g_build_filename(repo->common_dir, "worktrees", NULL);
	g_autoptr(GPtrArray) dirs = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) names = list_folder(folder, error);

	if (!names)
		return NULL;
	for (guint i = 0; i < names->len; i++)
		g_ptr_array_add(dirs, g_build_filename(folder, names->pdata[i], NULL));
	return g_steal_pointer(&dirs);
}

gboolean mlv_git_reach_add_everything(MlvGitReach *reach, GError **error)
{
	MlvRepo *repo = reach->repo;
	g_autoptr(GPtrArray) linked = linked_git_dirs(repo, error);

	if (!linked || !add_refs(reach, error) || !add_git_dir(reach, repo->common_dir, error))
		return FALSE;
	for (guint i = 0; i < linked->len; i++)
		if (!add_git_dir(reach, linked->pdata[i], error))
			return FALSE;
	g_ptr_array_add(reach->indexes, g_strdup(repo->index_file));
	return TRUE;
}

GPtrArray *mlv_git_worktrees(MlvRepo *repo, GError **error)
{
	g_autoptr(GPtrArray) linked = linked_git_dirs(repo, error);
	g_autoptr(GPtrArray) roots = g_ptr_array_new_with_free_func(g_free);

	if (!linked)
		return NULL;
	if (g_strcmp0(repo->main_root, repo->root) != 0 &&
	    strcmp(repo->main_root, repo->common_dir) != 0 &&
	    g_file_test(repo->main_root, G_FILE_TEST_IS_DIR))
		g_ptr_array_add(roots, g_strdup(repo->main_root));
	for (guint i = 0; i < linked->len; i++) {
		g_autofree char *file = g_build_filename(linked->pdata[i], "gitdir", NULL);
		g_autofree char *text = NULL;
		g_autoptr(GError) why = NULL;
		if (!g_file_get_contents(file, &text, NULL, &why)) {
			if (is_absent(why))
				continue;
			mlv_fail(error, MLV_ERROR_FAILED, "cannot read what git keeps there: %s",
				 why->message);
			return NULL;
		}
		g_autofree char *root = g_path_get_dirname(g_strchomp(text));
		if (g_strcmp0(root, repo->root) != 0 && g_file_test(root, G_FILE_TEST_IS_DIR))
			g_ptr_array_add(roots, g_steal_pointer(&root));
	}
	return g_steal_pointer(&roots);
}

/* --- visiting --------------------------------------------------------------------------------- */

typedef struct {
	MlvGitReach *reach;
	GString *path;
	GArray *found; /* of Found: pointers of this commit that were not seen before */
} Visit;

typedef struct {
	char *file; /* a pointer or a lock */
	git_oid blob;
} Found;

static void found_clear(gpointer data)
{
	g_free(((Found *)data)->file);
}

static GPtrArray *new_targets(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)mlv_tracked_free);
}

static gboolean collect_tree(Visit *visit, const git_oid *oid, GError **error)
{
	MlvOid id;

	mlv_oid_from_git(oid, &id);
	if (!set_add(visit->reach->trees, &id))
		return TRUE;
	g_autoptr(git_tree) tree = mlv_git_lookup_tree(visit->reach->repo, oid, error);
	if (!tree)
		return FALSE;
	for (size_t i = 0; i < git_tree_entrycount(tree); i++) {
		const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
		const char *name = git_tree_entry_name(entry);
		git_object_t type = git_tree_entry_type(entry);
		gsize length = visit->path->len;
		gboolean named = type == GIT_OBJECT_BLOB &&
				 mlv_target_file(name) != MLV_TARGET_NONE &&
				 git_tree_entry_filemode(entry) != GIT_FILEMODE_LINK;
		if (type != GIT_OBJECT_TREE && !named)
			continue;
		g_string_append_printf(visit->path, "%s%s", length ? "/" : "", name);
		if (visit->path->len > 4096)
			return mlv_fail(error, MLV_ERROR_CORRUPT,
					"a path in git's trees is longer than 4096 bytes");
		mlv_oid_from_git(git_tree_entry_id(entry), &id);
		if (type == GIT_OBJECT_TREE) {
			if (!collect_tree(visit, git_tree_entry_id(entry), error))
				return FALSE;
		} else if (set_add(visit->reach->blobs, &id)) {
			Found found = { g_strdup(visit->path->str), *git_tree_entry_id(entry) };
			g_array_append_val(visit->found, found);
		}
		g_string_truncate(visit->path, length);
	}
	return TRUE;
}

static gboolean visit_tree(MlvGitReach *reach, const git_oid *tree, const MlvOid *commit,
			   MlvGitReachVisit each, gpointer user, GError **error)
{
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Found));
	g_autoptr(GArray) oids = g_array_new(FALSE, FALSE, sizeof(git_oid));
	g_autoptr(GString) path = g_string_new(NULL);
	Visit visit = { reach, path, found };

	g_array_set_clear_func(found, found_clear);
	if (!collect_tree(&visit, tree, error))
		return FALSE;
	for (guint i = 0; i < found->len; i++)
		g_array_append_val(oids, g_array_index(found, Found, i).blob);
	if (oids->len > 0 && !mlv_git_fetch_missing(reach->repo, oids, error))
		return FALSE;
	for (guint i = 0; i < found->len; i++) {
		const Found *at = &g_array_index(found, Found, i);
		g_autoptr(GPtrArray) targets = new_targets();
		if (!mlv_git_read_targets(reach->repo, at->file, &at->blob, targets, error))
			return FALSE;
		for (guint j = 0; j < targets->len; j++)
			if (!each(targets->pdata[j], commit, user, error))
				return FALSE;
	}
	return TRUE;
}

static gboolean visit_index(MlvGitReach *reach, const char *file, MlvGitReachVisit each,
			    gpointer user, GError **error)
{
	g_autoptr(git_index) index = mlv_git_open_index_file(file, file, error);
	g_autoptr(GPtrArray) pointers =
		index ? mlv_git_pointers_of_index(reach->repo, index, error) : NULL;

	/* A lock's blob has many targets. */
	g_autoptr(GHashTable) fresh = new_set();
	for (guint i = 0; pointers && i < pointers->len; i++) {
		const MlvTracked *tracked = pointers->pdata[i];
		if (set_add(reach->blobs, &tracked->blob))
			set_add(fresh, &tracked->blob);
		if (g_hash_table_contains(fresh, &tracked->blob) &&
		    !each(tracked, NULL, user, error))
			return FALSE;
	}
	return pointers != NULL;
}

static gboolean visit_commit(MlvGitReach *reach, git_commit *commit, MlvGitReachVisit each,
			     gpointer user, GError **error)
{
	MlvOid oid;

	mlv_oid_from_git(git_commit_id(commit), &oid);
	return visit_tree(reach, git_commit_tree_id(commit), &oid, each, user, error);
}

gboolean mlv_git_reach_run(MlvGitReach *reach, MlvGitReachVisit each, gpointer user, GError **error)
{
	for (guint i = 0; i < reach->singles->len; i++) {
		g_autoptr(git_commit) commit = mlv_git_lookup_commit(
			reach->repo, &g_array_index(reach->singles, MlvOid, i), error);
		if (!commit || !visit_commit(reach, commit, each, user, error))
			return FALSE;
	}
	g_array_set_size(reach->singles, 0);
	for (;;) {
		g_autoptr(git_commit) commit = NULL;
		if (!mlv_git_walk_step(reach->walk, &commit, error))
			return FALSE;
		if (!commit)
			break;
		if (!visit_commit(reach, commit, each, user, error))
			return FALSE;
	}
	for (guint i = 0; i < reach->bare_trees->len; i++) {
		git_oid oid;
		mlv_oid_to_git(&g_array_index(reach->bare_trees, MlvOid, i), &oid);
		if (!visit_tree(reach, &oid, NULL, each, user, error))
			return FALSE;
	}
	g_array_set_size(reach->bare_trees, 0);
	for (guint i = 0; i < reach->indexes->len; i++)
		if (!visit_index(reach, reach->indexes->pdata[i], each, user, error))
			return FALSE;
	g_ptr_array_set_size(reach->indexes, 0);
	return TRUE;
}

static int compare_oids(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, MLV_OID_SIZE);
}

GArray *mlv_git_reach_tips(const MlvGitReach *reach)
{
	GArray *tips = g_array_new(FALSE, FALSE, sizeof(MlvOid));
	GHashTableIter at;
	gpointer oid;

	g_hash_table_iter_init(&at, reach->tips);
	while (g_hash_table_iter_next(&at, &oid, NULL))
		g_array_append_vals(tips, oid, 1);
	g_array_sort(tips, compare_oids);
	return tips;
}
