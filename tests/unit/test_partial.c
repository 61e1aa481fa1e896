/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/partial.h"
#include "tests/unit/git_scratch.h"

typedef struct {
	char *dir;
	MlvRepo *repo;
	MlvPartial *partial;
} World;

static int setup(void **state)
{
	World *world = g_new0(World, 1);

	world->dir = git_scratch_repo();
	world->repo = mlv_repo_open(world->dir, NULL);
	assert_non_null(world->repo);
	world->partial = mlv_partial_open(world->repo, NULL);
	assert_non_null(world->partial);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	World *world = *state;

	mlv_partial_close(world->partial);
	mlv_repo_free(world->repo);
	git_scratch_remove(world->dir);
	g_free(world->dir);
	g_free(world);
	return 0;
}

static void reopen(World *world)
{
	assert_true(mlv_partial_save(world->partial, NULL));
	mlv_partial_close(world->partial);
	world->partial = mlv_partial_open(world->repo, NULL);
	assert_non_null(world->partial);
}

static void a_target_that_is_not_listed_is_expected_whole(void **state)
{
	World *world = *state;

	assert_false(mlv_partial_has(world->partial, "data"));
	assert_true(mlv_partial_expects(world->partial, "data", "data"));
	assert_true(mlv_partial_expects(world->partial, "data", "data/a/b"));
	assert_true(mlv_partial_expects_below(world->partial, "data", "data/a"));
	mlv_partial_include(world->partial, "data", "data/a");
	assert_false(mlv_partial_has(world->partial, "data"));
}

static void of_a_listed_one_only_what_is_included_is_expected(void **state)
{
	World *world = *state;

	mlv_partial_begin(world->partial, "data");
	assert_true(mlv_partial_has(world->partial, "data"));
	assert_false(mlv_partial_expects(world->partial, "data", "data"));
	assert_false(mlv_partial_expects_below(world->partial, "data", "data"));
	mlv_partial_include(world->partial, "data", "data/a/b");
	mlv_partial_include(world->partial, "data", "data/z");
	assert_true(mlv_partial_expects(world->partial, "data", "data/a/b"));
	assert_true(mlv_partial_expects(world->partial, "data", "data/a/b/c/d"));
	assert_false(mlv_partial_expects(world->partial, "data", "data/a"));
	assert_false(mlv_partial_expects(world->partial, "data", "data/a/bb"));
	assert_false(mlv_partial_expects(world->partial, "data", "data/a/b.x"));
	assert_true(mlv_partial_expects_below(world->partial, "data", "data"));
	assert_true(mlv_partial_expects_below(world->partial, "data", "data/a"));
	assert_true(mlv_partial_expects_below(world->partial, "data", "data/z/y"));
	assert_false(mlv_partial_expects_below(world->partial, "data", "data/b"));
}

static void a_folder_takes_in_what_was_included_below_it(void **state)
{
	World *world = *state;

	mlv_partial_begin(world->partial, "data");
	mlv_partial_include(world->partial, "data", "data/a/1");
	mlv_partial_include(world->partial, "data", "data/a-b");
	mlv_partial_include(world->partial, "data", "data/a/2");
	mlv_partial_include(world->partial, "data", "data/a");
	mlv_partial_include(world->partial, "data", "data/a/3");
	reopen(world);
	assert_true(mlv_partial_expects(world->partial, "data", "data/a"));
	assert_true(mlv_partial_expects(world->partial, "data", "data/a-b"));
	mlv_partial_include(world->partial, "data", "data");
	assert_false(mlv_partial_has(world->partial, "data"));
}

static void what_was_saved_comes_back_whatever_the_names(void **state)
{
	World *world = *state;

	mlv_partial_begin(world->partial, "odd\nname \\ x");
	mlv_partial_include(world->partial, "odd\nname \\ x", "odd\nname \\ x/\\n");
	mlv_partial_begin(world->partial, "empty");
	reopen(world);
	assert_true(mlv_partial_has(world->partial, "empty"));
	assert_true(mlv_partial_expects(world->partial, "odd\nname \\ x", "odd\nname \\ x/\\n"));
	assert_false(mlv_partial_expects(world->partial, "odd\nname \\ x", "odd\nname \\ x/\n"));
	mlv_partial_forget(world->partial, "empty");
	reopen(world);
	assert_false(mlv_partial_has(world->partial, "empty"));
}

static void a_renamed_target_keeps_what_it_includes(void **state)
{
	World *world = *state;

	mlv_partial_begin(world->partial, "data");
	mlv_partial_include(world->partial, "data", "data/a");
	mlv_partial_rename(world->partial, "data", "else/where");
	assert_false(mlv_partial_has(world->partial, "data"));
	assert_true(mlv_partial_expects(world->partial, "else/where", "else/where/a"));
	assert_false(mlv_partial_expects(world->partial, "else/where", "else/where/b"));
}

static void a_damaged_file_is_an_error(void **state)
{
	World *world = *state;
	static const char *const texts[] = {
		"",
		"mlv-partial 2\n",
		"mlv-partial 1\npath data/a\n",
		"mlv-partial 1\ntarget data",
		"mlv-partial 1\ntarget data\npath other/a\n",
		"mlv-partial 1\ntarget data\npath data\n",
		"mlv-partial 1\ntarget a\\x\n",
		"mlv-partial 1\ntarget data\ntarget data\n",
		"mlv-partial 1\ntarget \n",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;

		write_text(world->dir, ".git/mlv/partial", texts[i]);
		assert_null(mlv_partial_open(world->repo, &error));
		assert_int_equal(error->code, MLV_ERROR_CORRUPT);
	}
	write_text(world->dir, ".git/mlv/partial", "mlv-partial 1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_target_that_is_not_listed_is_expected_whole),
		TEST(of_a_listed_one_only_what_is_included_is_expected),
		TEST(a_folder_takes_in_what_was_included_below_it),
		TEST(what_was_saved_comes_back_whatever_the_names),
		TEST(a_renamed_target_keeps_what_it_includes),
		TEST(a_damaged_file_is_an_error),
	};

	git_scratch_environment();
	return cmocka_run_group_tests_name("partial", tests, NULL, NULL);
}
