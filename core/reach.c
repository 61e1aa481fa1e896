/* SPDX-License-Identifier: Apache-2.0 */
#include "core/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/collect.h"
#include "core/git_reach.h"
#include "core/pipeline/runcache.h"
#include "core/target.h"

#define TEXT_MAX \
	(64u *   \
	 MLV_POINTER_MAX) /* a pointer with conflict markers may be long; a longer file is none */

/* A repository whose pointers count. */
typedef struct {
	MlvRepo *repo;
	gboolean owned;
	MlvGitReach *git;
} Source;

struct MlvReach {
	MlvStore *store;    /* NULL: the register does not count */
	GPtrArray *sources; /* Source; the first is the command's own */
	GHashTable *trees;  /* root of a work tree -> MlvRepo, owned */
	MlvMarks *seen;     /* texts of pointers, as blobs */
	gint64 runs_since;  /* unix seconds */
};

/* One reading. */
typedef struct {
	MlvReach *reach;
	MlvRepo *repo;
	const char *where; /* NULL: what git keeps */
	MlvReachEach each;
	gpointer user;
	gboolean fresh;
} Reading;

static void source_free(gpointer data)
{
	Source *source = data;

	mlv_git_reach_free(source->git);
	if (source->owned)
		mlv_repo_free(source->repo);
	g_free(source);
}

static void add_source(MlvReach *reach, MlvRepo *repo, gboolean owned)
{
	Source *source = g_new0(Source, 1);

	source->repo = repo;
	source->owned = owned;
	source->git = mlv_git_reach_new(repo);
	g_ptr_array_add(reach->sources, source);
}

MlvReach *mlv_reach_new(MlvRepo *repo, MlvStore *store)
{
	MlvReach *reach = g_new0(MlvReach, 1);

	reach->store = store;
	reach->sources = g_ptr_array_new_with_free_func(source_free);
	reach->trees = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					     (GDestroyNotify)mlv_repo_free);
	reach->seen = mlv_marks_new();
	reach->runs_since = G_MININT64;
	add_source(reach, repo, FALSE);
	return reach;
}

void mlv_reach_free(MlvReach *reach)
{
	if (!reach)
		return;
	g_ptr_array_unref(reach->sources);
	g_hash_table_unref(reach->trees);
	mlv_marks_free(reach->seen);
	g_free(reach);
}

void mlv_reach_set_runs_since(MlvReach *reach, gint64 since)
{
	reach->runs_since = since;
}

/* --- one pointer ------------------------------------------------------------------------------ */

/* The bytes of what is called a pointer and is none; NULL without an error if it cannot be one. */
static gboolean read_text(const Reading *reading, const MlvTracked *tracked, GBytes **text,
			  GError **error)
{
	g_autofree char *file =
		tracked->lock ? g_strdup(tracked->lock) : mlv_pointer_path(tracked->path);
	gsize max = tracked->lock ? mlv_target_max(MLV_TARGET_LOCK) : TEXT_MAX;
	struct stat st;

	*text = NULL;
	if (!reading->where) {
		g_autoptr(GError) why = NULL;
		*text = mlv_git_read_blob(reading->repo, &tracked->blob, max, &why);
		if (*text || g_error_matches(why, MLV_ERROR, MLV_ERROR_FAILED))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	if (fstatat(mlv_repo_root_fd(reading->repo), file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || errno == ENOTDIR ||
		       mlv_fail_errno(error, "cannot examine '%s'", file);
	if (!S_ISREG(st.st_mode) || (guint64)st.st_size > max)
		return TRUE;
	*text = mlv_repo_read_file(reading->repo, file, max, error);
	return *text != NULL;
}

static gboolean tell(Reading *reading, const MlvTracked *tracked, const char *where, GError **error)
{
	MlvReached reached = { .path = tracked->path, .where = where, .error = tracked->error };
	g_autoptr(GBytes) text = NULL;
	g_autofree char *formatted = NULL;
	gsize length;
	MlvId id;

	if (tracked->error) {
		if (!read_text(reading, tracked, &text, error))
			return FALSE;
		if (!text)
			return TRUE;
		mlv_id_of(g_bytes_get_data(text, NULL), g_bytes_get_size(text), &id);
	} else {
		formatted = mlv_pointer_format(&tracked->pointer, &length);
		mlv_id_of(formatted, length, &id);
		reached.pointer = tracked->pointer;
	}
	if (!mlv_marks_add(reading->reach->seen, MLV_KIND_BLOB, &id))
		return TRUE;
	reading->fresh = TRUE;
	reached.text = text;
	return reading->each(&reached, reading->user, error);
}

static gboolean visit_git(const MlvTracked *tracked, const MlvOid *commit, gpointer user,
			  GError **error)
{
	char hex[MLV_OID_HEX + 1];

	if (!commit)
		return tell(user, tracked, "the index", error);
	mlv_oid_format(commit, hex);
	g_autofree char *where = g_strdup_printf("commit %.12s", hex);
	return tell(user, tracked, where, error);
}

/* What an entry of the run cache names, outputs that are git's among it. One that cannot be read is
 * none. */
static gboolean visit_run(const MlvId *key, GBytes *bytes, gpointer user, GError **error)
{
	g_autoptr(MlvLock) entry = mlv_runcache_parse(key, bytes);
	const MlvLockStage *stage = entry ? mlv_runcache_stage(entry) : NULL;

	for (guint i = 0; stage && i < stage->outs->len; i++) {
		const MlvLockPath *out = stage->outs->pdata[i];
		const MlvTracked tracked = { .path = out->path, .pointer = out->held };
		if (!out->etag && !tell(user, &tracked, "the run cache", error))
			return FALSE;
	}
	return TRUE;
}

/* --- work trees and repositories -------------------------------------------------------------- */

static gboolean read_work_tree(Reading *reading, MlvRepo *repo, GError **error)
{
	g_autofree char *where = g_strdup_printf("work tree '%s'", mlv_repo_root(repo));
	g_autoptr(GPtrArray) pointers = mlv_git_pointers_in_workspace(repo, TRUE, error);

	reading->repo = repo;
	reading->where = where;
	for (guint i = 0; pointers && i < pointers->len; i++)
		if (!tell(reading, pointers->pdata[i], where, error))
			return FALSE;
	reading->where = NULL;
	return pointers != NULL;
}

/* The repository as seen from another of its work trees. */
static MlvRepo *open_work_tree(MlvReach *reach, const char *root, GError **error)
{
	MlvRepo *repo = g_hash_table_lookup(reach->trees, root);
	g_autofree char *git_dir = g_build_filename(root, ".git", NULL);

	if (repo)
		return repo;
	repo = mlv_repo_open_git_dir(git_dir, error);
	if (repo)
		g_hash_table_insert(reach->trees, g_strdup(root), repo);
	else
		g_prefix_error(error, "work tree '%s': ", root);
	return repo;
}

static gboolean read_source(Reading *reading, const Source *source, GError **error)
{
	g_autoptr(GPtrArray) roots = NULL;

	reading->repo = source->repo;
	reading->where = NULL;
	if (!mlv_git_reach_add_everything(source->git, error) ||
	    !mlv_git_reach_run(source->git, visit_git, reading, error) ||
	    !mlv_runcache_foreach(source->repo, reading->reach->runs_since, visit_run, reading,
				  error))
		return FALSE;
	if (mlv_repo_root(source->repo) && !read_work_tree(reading, source->repo, error))
		return FALSE;
	roots = mlv_git_worktrees(source->repo, error);
	for (guint i = 0; roots && i < roots->len; i++) {
		g_autofree char *git = g_build_filename(roots->pdata[i], ".git", NULL);

		/* Something else may stand where a work tree was. */
		if (!g_file_test(git, G_FILE_TEST_EXISTS))
			continue;
		MlvRepo *repo = open_work_tree(reading->reach, roots->pdata[i], error);
		if (!repo || (mlv_repo_root(repo) && !read_work_tree(reading, repo, error)))
			return FALSE;
	}
	return roots != NULL;
}

static gboolean is_known(const MlvReach *reach, const char *git_dir)
{
	for (guint i = 0; i < reach->sources->len; i++)
		if (strcmp(mlv_repo_common_dir(((Source *)reach->sources->pdata[i])->repo),
			   git_dir) == 0)
			return TRUE;
	return FALSE;
}

/* Nobody knows what a repository needs that cannot be read. */
static gboolean blame(const char *git_dir, GError **error)
{
	g_prefix_error(error, "repository '%s' shares this store: ", git_dir);
	if (error && *error) {
		char *message = g_strdup_printf(
			"%s; if it is gone for good, 'mlv gc --forget-repository %s' forgets it",
			(*error)->message, git_dir);
		g_free((*error)->message);
		(*error)->message = message;
	}
	return FALSE;
}

static gboolean add_registered(MlvReach *reach, GError **error)
{
	g_autoptr(GPtrArray) paths = mlv_collect_registered(reach->store, error);

	for (guint i = 0; paths && i < paths->len; i++) {
		if (is_known(reach, paths->pdata[i]))
			continue;
		MlvRepo *repo = mlv_repo_open_git_dir(paths->pdata[i], error);
		if (!repo)
			return blame(paths->pdata[i], error);
		add_source(reach, repo, TRUE);
	}
	return paths != NULL;
}

gboolean mlv_reach_read(MlvReach *reach, MlvReachEach each, gpointer user, gboolean *fresh,
			GError **error)
{
	Reading reading = { .reach = reach, .each = each, .user = user };

	*fresh = FALSE;
	if (reach->store && !add_registered(reach, error))
		return FALSE;
	for (guint i = 0; i < reach->sources->len; i++) {
		const Source *source = reach->sources->pdata[i];

		if (!read_source(&reading, source, error))
			return i == 0 ? FALSE : blame(mlv_repo_common_dir(source->repo), error);
	}
	*fresh = reading.fresh;
	return TRUE;
}
