/* SPDX-License-Identifier: Apache-2.0 */
/* A scratch repository made ready for mlv, for tests of what works on its data. Include after
 * <cmocka.h>; main() calls git_scratch_environment() first. */
#ifndef MLV_TESTS_WORK_TREE_H
#define MLV_TESTS_WORK_TREE_H

#include "core/local.h"
#include "core/track.h"
#include "tests/unit/git_scratch.h"

typedef struct {
	char *dir;
	MlvRepo *repo;
	MlvLocal *local;
} WorkTree;

/* Opens again what a command would: the stat cache and the record of parts are read anew. */
static inline void work_tree_reopen(WorkTree *tree)
{
	g_autoptr(GError) error = NULL;

	mlv_local_close(tree->local);
	tree->local = mlv_local_open(tree->repo, NULL, NULL, &error);
	if (!tree->local)
		fail_msg("%s", error->message);
	tree->local->write.sync = FALSE;
}

static inline int work_tree_setup(void **state)
{
	WorkTree *tree = g_new0(WorkTree, 1);
	gboolean created;

	tree->dir = git_scratch_repo();
	tree->repo = mlv_repo_init(tree->dir, &created, NULL);
	assert_non_null(tree->repo);
	*state = tree;
	work_tree_reopen(tree);
	return 0;
}

static inline int work_tree_teardown(void **state)
{
	WorkTree *tree = *state;

	mlv_local_close(tree->local);
	mlv_repo_free(tree->repo);
	git_scratch_remove(tree->dir);
	g_free(tree->dir);
	g_free(tree);
	return 0;
}

static inline gboolean work_tree_exists(const WorkTree *tree, const char *path)
{
	g_autofree char *file = g_build_filename(tree->dir, path, NULL);
	GStatBuf st;

	return g_lstat(file, &st) == 0;
}

static inline void work_tree_assert_text(const WorkTree *tree, const char *path, const char *text)
{
	g_autofree char *is = read_text(tree->dir, path);

	if (!is)
		fail_msg("there is no '%s'", path);
	assert_string_equal(is, text);
}

static inline void work_tree_added(const char *path, const MlvPointer *pointer, gboolean is_new,
				   gboolean changed, gboolean gone, gpointer data)
{
}

/* Tracks the path as `mlv add` does. */
static inline void work_tree_add(WorkTree *tree, const char *path)
{
	const MlvTrackOptions options = { .threads = 2, .added = work_tree_added };
	g_autoptr(GError) error = NULL;
	MlvTrackResult result;

	if (!mlv_track_add(tree->local, &path, 1, &options, &result, &error))
		fail_msg("%s", error->message);
	work_tree_reopen(tree);
}

#endif
