/* SPDX-License-Identifier: Apache-2.0 */
/* From the work tree to objects: what is seen, what is told of it, and what need not be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "core/reader.h"
#include "core/snapshot.h"
#include "tests/unit/work_tree.h"

/* One snapshot of one path, and all that it told. */
typedef struct {
	gboolean done, present, complete, has_base, same, stored;
	MlvPointer pointer;
	guint64 read;     /* bytes that were hashed */
	GString *changes; /* "A path\n" each, sorted as they came */
	GString *problems;
} Seen;

static void seen_clear(Seen *seen)
{
	g_string_free(seen->changes, TRUE);
	g_string_free(seen->problems, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Seen, seen_clear)

static void on_done(const MlvSnapshotResult *result, gpointer data)
{
	Seen *seen = data;

	assert_false(seen->done);
	seen->done = TRUE;
	seen->present = result->present;
	seen->complete = result->complete;
	seen->has_base = result->has_base;
	seen->same = result->same;
	seen->stored = result->stored;
	seen->pointer = result->pointer;
}

static void on_change(const MlvChange *change, gpointer data)
{
	g_string_append_printf(((Seen *)data)->changes, "%c %s\n", change->kind, change->path);
}

static void on_problem(MlvProblemType type, const char *path, const char *why, gpointer data)
{
	g_string_append_printf(((Seen *)data)->problems, "%d %s\n", (int)type, path);
}

static void on_progress(guint64 bytes, guint64 files, gpointer data)
{
	((Seen *)data)->read = bytes;
}

/* `store`: what is seen is stored, and noted in the stat cache. */
static Seen look(WorkTree *tree, const char *path, const MlvPointer *base, gboolean store,
		 guint threads)
{
	Seen seen = { .changes = g_string_new(NULL), .problems = g_string_new(NULL) };
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvStoreWriter) writer =
		store ? mlv_store_writer_new(tree->local->store, &tree->local->write) : NULL;
	/* Later than any change so far: nothing is racy. */
	gint64 now = mlv_stat_fs_now(tree->repo) + G_GINT64_CONSTANT(1000000000000);
	g_autoptr(MlvStatWriter) cache =
		store ? mlv_statcache_writer_new(tree->local->cache, now) : NULL;
	const MlvSnapshotOptions options = { .repo = tree->repo,
					     .store = tree->local->store,
					     .cache = tree->local->cache,
					     .cache_writer = cache,
					     .partial = tree->local->partial,
					     .writer = writer,
					     .threads = threads,
					     .done = on_done,
					     .change = base ? on_change : NULL,
					     .problem = on_problem,
					     .progress = on_progress,
					     .data = &seen };
	g_autoptr(MlvSnapshot) snapshot = mlv_snapshot_new(&options);

	if (!mlv_snapshot_target(snapshot, path, path, base, NULL, &error) ||
	    !mlv_snapshot_finish(snapshot, &error) ||
	    (cache && !mlv_statcache_writer_commit(cache, &error)))
		fail_msg("%s", error->message);
	assert_true(seen.done);
	g_clear_pointer(&snapshot, mlv_snapshot_free);
	if (store)
		work_tree_reopen(tree);
	return seen;
}

/* data: files, an executable, a symlink, an empty folder. */
static int set_up(void **state)
{
	work_tree_setup(state);
	WorkTree *tree = *state;
	write_text(tree->dir, "data/a.txt", "alpha");
	write_text(tree->dir, "data/sub/b.txt", "beta");
	write_text(tree->dir, "data/sub/run.sh", "#!/bin/sh\n");
	g_autofree char *script = g_build_filename(tree->dir, "data/sub/run.sh", NULL);
	g_autofree char *link = g_build_filename(tree->dir, "data/link", NULL);
	g_autofree char *empty = g_build_filename(tree->dir, "data/empty", NULL);
	assert_int_equal(g_chmod(script, 0755), 0);
	assert_int_equal(symlink("sub/b.txt", link), 0);
	assert_int_equal(g_mkdir(empty, 0777), 0);
	return 0;
}

/* The names in a stored directory, with their modes: "1 a.txt\n" ... */
static char *names_in(WorkTree *tree, const MlvRef *ref)
{
	g_autoptr(MlvTreeCursor) cursor =
		mlv_tree_cursor_new(mlv_store_source(tree->local->store), ref, NULL);
	GString *names = g_string_new(NULL);
	MlvTreeEntry entry;

	assert_non_null(cursor);
	while (mlv_tree_cursor_next(cursor, &entry, NULL) && entry.name)
		g_string_append_printf(names, "%d %s\n", entry.mode, entry.name);
	return g_string_free(names, FALSE);
}

static void unlink_in(const WorkTree *tree, const char *path)
{
	g_autofree char *file = g_build_filename(tree->dir, path, NULL);

	assert_int_equal(g_unlink(file), 0);
}

/* --- what is seen ----------------------------------------------------------------------------- */

static void a_directory_becomes_a_tree_of_all_that_is_in_it(void **state)
{
	WorkTree *tree = *state;
	g_auto(Seen) seen = look(tree, "data", NULL, TRUE, 2);

	assert_true(seen.present && seen.complete && seen.stored);
	assert_false(seen.has_base);
	assert_int_equal(seen.pointer.mode, MLV_MODE_DIRECTORY);
	assert_int_equal(seen.pointer.files, 4);
	assert_int_equal(seen.pointer.bytes, 5 + 4 + 10 + 9);
	g_autofree char *names = names_in(tree, &seen.pointer.ref);
	assert_string_equal(names, "1 a.txt\n4 empty\n3 link\n4 sub\n");
}

static void the_same_is_seen_whatever_the_threads_and_without_a_store(void **state)
{
	WorkTree *tree = *state;
	g_auto(Seen) hashed = look(tree, "data", NULL, FALSE, 1);
	g_auto(Seen) more = look(tree, "data", NULL, FALSE, 7);
	g_auto(Seen) stored = look(tree, "data", NULL, TRUE, 3);
	gboolean has;

	assert_true(mlv_pointer_equal(&hashed.pointer, &more.pointer));
	assert_true(mlv_pointer_equal(&hashed.pointer, &stored.pointer));
	assert_false(hashed.stored);
	MlvSource *source = mlv_store_source(tree->local->store);
	assert_true(source->has(source, MLV_KIND_TREE, &hashed.pointer.ref.id, &has, NULL));
	assert_true(has);
}

static void a_snapshot_without_a_writer_stores_nothing(void **state)
{
	WorkTree *tree = *state;
	g_auto(Seen) seen = look(tree, "data", NULL, FALSE, 2);
	gboolean has;

	MlvSource *source = mlv_store_source(tree->local->store);
	assert_true(source->has(source, MLV_KIND_TREE, &seen.pointer.ref.id, &has, NULL));
	assert_false(has);
}

static void a_file_is_its_content_and_whether_it_is_executable(void **state)
{
	WorkTree *tree = *state;
	g_auto(Seen) plain = look(tree, "data/a.txt", NULL, TRUE, 2);
	g_autofree char *file = g_build_filename(tree->dir, "data/a.txt", NULL);
	MlvId id;

	mlv_id_of("alpha", 5, &id);
	assert_int_equal(plain.pointer.mode, MLV_MODE_FILE);
	assert_true(mlv_id_equal(&plain.pointer.ref.id, &id));
	assert_int_equal(g_chmod(file, 0755), 0);
	g_auto(Seen) executable = look(tree, "data/a.txt", &plain.pointer, TRUE, 2);
	assert_int_equal(executable.pointer.mode, MLV_MODE_EXECUTABLE);
	assert_true(mlv_id_equal(&executable.pointer.ref.id, &id));
	assert_false(executable.same);
	assert_string_equal(executable.changes->str, "M data/a.txt\n");
}

static void what_is_not_there_is_not_present(void **state)
{
	WorkTree *tree = *state;
	g_auto(Seen) seen = look(tree, "absent", NULL, FALSE, 2);

	assert_false(seen.present);
	assert_true(seen.complete);
	assert_string_equal(seen.problems->str, "");
}

static void what_mlvignore_leaves_out_is_not_seen(void **state)
{
	WorkTree *tree = *state;

	write_text(tree->dir, "data/.mlvignore", "*.tmp\n/sub/\n");
	write_text(tree->dir, "data/x.tmp", "x");
	g_auto(Seen) seen = look(tree, "data", NULL, TRUE, 2);
	g_autofree char *names = names_in(tree, &seen.pointer.ref);
	assert_string_equal(names, "1 .mlvignore\n1 a.txt\n4 empty\n3 link\n");
}

/* --- differences ------------------------------------------------------------------------------ */

static void every_difference_from_the_base_is_told(void **state)
{
	WorkTree *tree = *state;
	g_auto(Seen) before = look(tree, "data", NULL, TRUE, 2);

	write_text(tree->dir, "data/a.txt", "changed!");
	write_text(tree->dir, "data/new/n", "new");
	unlink_in(tree, "data/sub/b.txt");
	unlink_in(tree, "data/link");
	write_text(tree->dir, "data/link", "a file now");
	g_auto(Seen) after = look(tree, "data", &before.pointer, FALSE, 2);
	static const char *const lines[] = { "M data/a.txt\n", "A data/new/n\n", "T data/link\n",
					     "D data/sub/b.txt\n" };
	gsize length = 0;
	for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
		length += strlen(lines[i]);
		if (!strstr(after.changes->str, lines[i]))
			fail_msg("no '%s' in '%s'", lines[i], after.changes->str);
	}
	assert_int_equal(after.changes->len, length);
	assert_true(after.has_base);
	assert_false(after.same);
}

static void what_is_unchanged_is_the_same_and_not_read(void **state)
{
	WorkTree *tree = *state;
	g_auto(Seen) before = look(tree, "data", NULL, TRUE, 2);
	g_auto(Seen) after = look(tree, "data", &before.pointer, FALSE, 2);

	assert_true(before.read > 0);
	assert_int_equal(after.read, 0);
	assert_true(after.same && after.stored);
	assert_string_equal(after.changes->str, "");
}

static void only_what_changed_is_read(void **state)
{
	WorkTree *tree = *state;
	g_auto(Seen) before = look(tree, "data", NULL, TRUE, 2);

	write_text(tree->dir, "data/sub/b.txt", "nine more");
	g_auto(Seen) after = look(tree, "data", &before.pointer, TRUE, 2);
	assert_int_equal(after.read, 9);
	assert_string_equal(after.changes->str, "M data/sub/b.txt\n");
}

static void a_directory_that_became_a_file_is_told_file_by_file(void **state)
{
	WorkTree *tree = *state;
	g_auto(Seen) before = look(tree, "data/sub", NULL, TRUE, 2);

	unlink_in(tree, "data/sub/b.txt");
	unlink_in(tree, "data/sub/run.sh");
	g_autofree char *folder = g_build_filename(tree->dir, "data/sub", NULL);
	assert_int_equal(g_rmdir(folder), 0);
	write_text(tree->dir, "data/sub", "file");
	g_auto(Seen) after = look(tree, "data/sub", &before.pointer, FALSE, 2);
	assert_int_equal(after.pointer.mode, MLV_MODE_FILE);
	assert_false(after.same);
	assert_non_null(strstr(after.changes->str, "D data/sub/b.txt\n"));
	assert_non_null(strstr(after.changes->str, "D data/sub/run.sh\n"));
	assert_non_null(strstr(after.changes->str, "A data/sub\n"));
}

static void what_was_never_brought_is_no_deletion(void **state)
{
	WorkTree *tree = *state;
	g_auto(Seen) before = look(tree, "data", NULL, TRUE, 2);

	unlink_in(tree, "data/a.txt");
	unlink_in(tree, "data/sub/b.txt");
	mlv_partial_begin(tree->local->partial, "data");
	mlv_partial_include(tree->local->partial, "data", "data/sub");
	g_auto(Seen) after = look(tree, "data", &before.pointer, FALSE, 2);
	assert_string_equal(after.changes->str, "D data/sub/b.txt\n");
	assert_int_equal(after.pointer.files, 3);
}

static void what_a_store_lost_is_read_and_stored_again(void **state)
{
	WorkTree *tree = *state;
	g_auto(Seen) before = look(tree, "data", NULL, TRUE, 2);
	gboolean has;

	g_autofree char *store = g_strdup(mlv_store_path(tree->local->store));
	git_scratch_remove(store);
	work_tree_reopen(tree);
	g_auto(Seen) after = look(tree, "data", NULL, TRUE, 2);
	assert_true(mlv_pointer_equal(&before.pointer, &after.pointer));
	MlvSource *source = mlv_store_source(tree->local->store);
	assert_true(source->has(source, MLV_KIND_TREE, &after.pointer.ref.id, &has, NULL));
	assert_true(has);
}

/* --- problems --------------------------------------------------------------------------------- */

static void a_named_pipe_is_told_and_left_out(void **state)
{
	WorkTree *tree = *state;
	g_autofree char *pipe = g_build_filename(tree->dir, "data/pipe", NULL);
	g_auto(Seen) before = look(tree, "data", NULL, FALSE, 2);

	assert_int_equal(mkfifo(pipe, 0666), 0);
	g_auto(Seen) after = look(tree, "data", NULL, FALSE, 2);
	g_autofree char *expected = g_strdup_printf("%d data/pipe\n", (int)MLV_PROBLEM_KIND);
	assert_string_equal(after.problems->str, expected);
	assert_true(after.complete);
	assert_true(mlv_pointer_equal(&before.pointer, &after.pointer));
}

static void a_repository_or_a_pointer_inside_data_keeps_it_from_being_complete(void **state)
{
	WorkTree *tree = *state;
	g_auto(Seen) file = look(tree, "data/a.txt", NULL, FALSE, 2);
	g_autofree char *text = mlv_pointer_format(&file.pointer, NULL);

	write_text(tree->dir, "data/.git/config", "");
	write_text(tree->dir, "data/p.mlv", text);
	write_text(tree->dir, "data/no-pointer.mlv", "just a name");
	g_auto(Seen) seen = look(tree, "data", NULL, FALSE, 2);
	g_autofree char *git = g_strdup_printf("%d data/.git\n", (int)MLV_PROBLEM_REFUSED);
	g_autofree char *pointer = g_strdup_printf("%d data/p.mlv\n", (int)MLV_PROBLEM_REFUSED);
	assert_non_null(strstr(seen.problems->str, git));
	assert_non_null(strstr(seen.problems->str, pointer));
	assert_int_equal(seen.problems->len, strlen(git) + strlen(pointer));
	assert_false(seen.complete);
}

static void a_symlink_is_no_target(void **state)
{
	g_auto(Seen) seen = look(*state, "data/link", NULL, FALSE, 2);

	assert_false(seen.present);
	assert_false(seen.complete);
}

static void nothing_is_reached_through_a_symlink(void **state)
{
	WorkTree *tree = *state;
	g_autofree char *link = g_build_filename(tree->dir, "way", NULL);

	assert_int_equal(symlink("data", link), 0);
	g_auto(Seen) seen = look(tree, "way/a.txt", NULL, FALSE, 2);
	assert_false(seen.present);
	assert_false(seen.complete);
}

static void an_interrupted_snapshot_is_an_error(void **state)
{
	WorkTree *tree = *state;
	volatile sig_atomic_t cancel = 1;
	Seen seen = { 0 };
	const MlvSnapshotOptions options = { .repo = tree->repo,
					     .store = tree->local->store,
					     .cache = tree->local->cache,
					     .partial = tree->local->partial,
					     .cancel = &cancel,
					     .done = on_done,
					     .data = &seen };
	g_autoptr(MlvSnapshot) snapshot = mlv_snapshot_new(&options);
	g_autoptr(GError) error = NULL;

	assert_false(mlv_snapshot_target(snapshot, "data", "data", NULL, NULL, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CANCELLED));
	assert_false(seen.done);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, work_tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_directory_becomes_a_tree_of_all_that_is_in_it),
		TEST(the_same_is_seen_whatever_the_threads_and_without_a_store),
		TEST(a_snapshot_without_a_writer_stores_nothing),
		TEST(a_file_is_its_content_and_whether_it_is_executable),
		TEST(what_is_not_there_is_not_present),
		TEST(what_mlvignore_leaves_out_is_not_seen),
		TEST(every_difference_from_the_base_is_told),
		TEST(what_is_unchanged_is_the_same_and_not_read),
		TEST(only_what_changed_is_read),
		TEST(a_directory_that_became_a_file_is_told_file_by_file),
		TEST(what_was_never_brought_is_no_deletion),
		TEST(what_a_store_lost_is_read_and_stored_again),
		TEST(a_named_pipe_is_told_and_left_out),
		TEST(a_repository_or_a_pointer_inside_data_keeps_it_from_being_complete),
		TEST(a_symlink_is_no_target),
		TEST(nothing_is_reached_through_a_symlink),
		TEST(an_interrupted_snapshot_is_an_error),
	};

	git_scratch_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
