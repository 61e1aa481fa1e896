/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/ignore.h"
#include "tests/unit/git_scratch.h"

static char *add(const char *before, const char *name)
{
	g_autoptr(GBytes) after = mlv_ignore_add_lines(before, strlen(before), &name, 1);
	gsize length;

	if (!after)
		return NULL;
	const char *data = g_bytes_get_data(after, &length);
	return g_strndup(data, length);
}

static void assert_added(const char *before, const char *name, const char *after)
{
	g_autofree char *text = add(before, name);

	assert_non_null(text);
	assert_string_equal(text, after);
	g_autofree char *again = add(text, name);
	assert_null(again);
}

static void a_line_is_added_once_in_the_style_of_the_file(void **state)
{
	assert_added("", "x", "/x\n");
	assert_added("*.o\n", "x", "*.o\n/x\n");
	assert_added("*.o", "x", "*.o\n/x\n");
	assert_added("*.o\r\nb", "x", "*.o\r\nb\r\n/x\r\n");
}

static void a_line_is_removed_and_the_rest_kept_byte_for_byte(void **state)
{
	const char *name = "x";
	const char before[] = "#a\r\n/x\r\n\n/xy\n/x";
	g_autoptr(GBytes) after = mlv_ignore_remove_lines(before, strlen(before), &name, 1);

	assert_non_null(after);
	assert_int_equal(g_bytes_get_size(after), 9);
	assert_memory_equal(g_bytes_get_data(after, NULL), "#a\r\n\n/xy\n", 9);
	assert_null(mlv_ignore_remove_lines("/y\n", 3, &name, 1));
}

/* git itself says whether the escaping is right: the name is ignored, its neighbours are not. */
static void git_understands_every_escaped_name(void **state)
{
	static const char *const names[] = { "plain", "#hash", "!bang",    "sp ",         "two  ",
					     "a*b",   "a?b",   "a[b]c",    "back\\slash", "tab\t",
					     "\\",    " lead", "cr\r",     "\xff\xfe",    "a\\ ",
					     "*",     "[",     "trail\\\\" };
	g_autofree char *dir = git_scratch_repo();
	g_autofree char *file = g_build_filename(dir, ".gitignore", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *text = add("", names[i]);
		assert_true(g_file_set_contents(file, text, -1, NULL));
		assert_int_equal(git_status(dir, "check-ignore", "-q", "--", names[i], NULL), 0);
		g_autofree char *other = g_strconcat(names[i], "z", NULL);
		assert_int_equal(git_status(dir, "check-ignore", "-q", "--", other, NULL), 1);
		assert_int_equal(git_status(dir, "check-ignore", "-q", "--", "aXb", NULL), 1);
	}
	git_scratch_remove(dir);
}

static void assert_match(const char *rules_text, const char *path, gboolean is_dir,
			 gboolean expected)
{
	g_autoptr(MlvIgnoreRules) rules =
		mlv_ignore_rules_new(NULL, "", rules_text, strlen(rules_text));

	if (mlv_ignore_match(rules, path, is_dir) != expected)
		fail_msg("'%s' against '%s' is not %d", path, rules_text, expected);
}

static void patterns_match_as_gitignore_says(void **state)
{
	assert_match("*.tmp\n", "a/b.tmp", FALSE, TRUE);
	assert_match("/*.tmp\n", "a/b.tmp", FALSE, FALSE);
	assert_match("/*.tmp\n", "b.tmp", FALSE, TRUE);
	assert_match("build/\n", "a/build", TRUE, TRUE);
	assert_match("build/\n", "a/build", FALSE, FALSE);
	assert_match("a/b\n", "a/b", FALSE, TRUE);
	assert_match("a/b\n", "x/a/b", FALSE, FALSE);
	assert_match("**/b\n", "x/a/b", FALSE, TRUE);
	assert_match("a/**/b\n", "a/b", FALSE, TRUE);
	assert_match("a/**/b\n", "a/x/y/b", FALSE, TRUE);
	assert_match("a/**\n", "a", TRUE, FALSE);
	assert_match("a/**\n", "a/x/y", FALSE, TRUE);
	assert_match("*\n!keep\n", "keep", FALSE, FALSE);
	assert_match("*\n!keep\n", "drop", FALSE, TRUE);
	assert_match("# x\n\n\\#x\n", "#x", FALSE, TRUE);
	assert_match("\\!x\n", "!x", FALSE, TRUE);
	assert_match("x \n", "x", FALSE, TRUE);
	assert_match("x\\ \n", "x ", FALSE, TRUE);
	assert_match("[a-c]?[!0-9]\r\n", "bxy", FALSE, TRUE);
	assert_match("[a-c]?[!0-9]\n", "bx5", FALSE, FALSE);
	assert_match("[[:digit:]x]y\n", "7y", FALSE, TRUE);
	assert_match("[]]\n", "]", FALSE, TRUE);
	assert_match("a[\n", "a[", FALSE, FALSE);
	assert_match("a*b*c*d\n", "a1b2c3d", FALSE, TRUE);
	assert_match("foo*\n", "foo/bar", FALSE, FALSE);
	assert_match("[b-*]x\n", "bx", FALSE, TRUE);
	assert_match("[b-*]x\n", "ax", FALSE, FALSE);
	assert_match("****/b\n", "x/y/b", FALSE, TRUE);
	assert_match("a/***\n", "a/x/y", FALSE, TRUE);
	assert_match("a\nb\r", "b", FALSE, TRUE);
}

static void nested_files_win_over_outer_ones(void **state)
{
	g_autoptr(MlvIgnoreRules) outer = mlv_ignore_rules_new(NULL, "", "*.log\n", 6);
	g_autoptr(MlvIgnoreRules) inner =
		mlv_ignore_rules_new(outer, "keep", "!*.log\n/only\n", 13);
	g_autoptr(MlvIgnoreRules) same = mlv_ignore_rules_new(inner, "keep/x", "# none\n", 7);

	assert_ptr_equal(same, inner);
	assert_true(mlv_ignore_match(inner, "a.log", FALSE));
	assert_false(mlv_ignore_match(inner, "keep/a.log", FALSE));
	assert_true(mlv_ignore_match(inner, "keep/only", FALSE));
	assert_false(mlv_ignore_match(inner, "keep/x/only", FALSE));
	assert_false(mlv_ignore_match(NULL, "x", FALSE));
}

static void a_hostile_pattern_ends_soon(void **state)
{
	g_autoptr(GString) pattern = g_string_new(NULL);
	g_autofree char *text = g_strnfill(2000, 'a');

	for (int i = 0; i < 1000; i++)
		g_string_append(pattern, "a*");
	g_string_append(pattern, "b");
	assert_false(mlv_ignore_wildmatch(pattern->str, text));
	g_string_assign(pattern, "");
	g_autoptr(GString) path = g_string_new("a");
	for (int i = 0; i < 400; i++) {
		g_string_append(pattern, "**/a/");
		g_string_append(path, "/a");
	}
	g_string_append(pattern, "b");
	assert_false(mlv_ignore_wildmatch(pattern->str, path->str));
}

/* The same patterns and paths given to git: it must agree. */
static void git_agrees(void **state)
{
	static const char *const patterns[] = { "*.c",    "/a",        "a/",   "a/*",    "**/x",
						"a/**/x", "*",         "!b",   "[ab]",   "a?c",
						"a/b/**", "\\*",       "*a*",  "**",     "a**b",
						"/**/b",  "x/**/**/y", "[^a]", "b/../c", "abc/" };
	static const char *const paths[] = { "a",       "b",   "x",       "a/x",   "a/b/x",
					     "abc",     "b/a", "m.c",     "a/m.c", "*",
					     "a/b/c/d", "x/y", "x/1/2/y", "aXXb",  "c/b" };
	g_autofree char *dir = git_scratch_repo();
	g_autofree char *file = g_build_filename(dir, ".gitignore", NULL);

	for (gsize p = 0; p < G_N_ELEMENTS(patterns); p++) {
		g_autofree char *text = g_strconcat(patterns[p], "\n", NULL);
		g_autoptr(MlvIgnoreRules) rules =
			mlv_ignore_rules_new(NULL, "", text, strlen(text));
		assert_true(g_file_set_contents(file, text, -1, NULL));
		for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
			/* git also says yes below an ignored folder; the walk does that here. */
			gboolean ours = FALSE;
			for (const char *at = paths[i]; at && !ours;) {
				const char *slash = strchr(at, '/');
				g_autofree char *head =
					slash ? g_strndup(paths[i], (gsize)(slash - paths[i]))
					      : g_strdup(paths[i]);
				ours = mlv_ignore_match(rules, head, slash != NULL);
				at = slash ? slash + 1 : NULL;
			}
			int status = git_status(dir, "check-ignore", "-q", "--", paths[i], NULL);
			if (ours != (status == 0))
				fail_msg("'%s' against '%s': git says %d", paths[i], patterns[p],
					 status == 0);
		}
	}
	git_scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_added_once_in_the_style_of_the_file),
		cmocka_unit_test(a_line_is_removed_and_the_rest_kept_byte_for_byte),
		cmocka_unit_test(git_understands_every_escaped_name),
		cmocka_unit_test(patterns_match_as_gitignore_says),
		cmocka_unit_test(nested_files_win_over_outer_ones),
		cmocka_unit_test(a_hostile_pattern_ends_soon),
		cmocka_unit_test(git_agrees),
	};
	git_scratch_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
