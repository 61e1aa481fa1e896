/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/cmd.h"

static const volatile sig_atomic_t never = 0;

/* What the command under test was given. */
struct given {
	gboolean force, all;
	char *message;
	char **patterns;
	int number;
};

struct fixture {
	MlvUi ui;
	MlvCmd cmd;
	struct given given;
	GError *error;
};

static gboolean unused(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	return TRUE;
}

static const MlvCommand row = { "sample", unused, MLV_GROUP_HELP, 0, "a sample" };

static int set_up(void **state)
{
	struct fixture *f = g_new0(struct fixture, 1);

	mlv_ui_init(&f->ui);
	mlv_cmd_context_init(&f->cmd, &row, &f->ui, &never);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	g_clear_error(&f->error);
	g_free(f->given.message);
	g_strfreev(f->given.patterns);
	mlv_cmd_context_clear(&f->cmd);
	mlv_ui_clear(&f->ui);
	g_free(f);
	return 0;
}

static gboolean parse(struct fixture *f, int *argc, char ***argv)
{
	const GOptionEntry entries[] = {
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &f->given.force, "force", NULL },
		{ "all", 'a', 0, G_OPTION_ARG_NONE, &f->given.all, "all", NULL },
		{ "message", 'm', 0, G_OPTION_ARG_STRING, &f->given.message, "text", "TEXT" },
		{ "glob", 0, 0, G_OPTION_ARG_STRING_ARRAY, &f->given.patterns, "names", "GLOB" },
		{ "number", 'n', 0, G_OPTION_ARG_INT, &f->given.number, "count", "N" },
		{ NULL },
	};

	return mlv_options_parse(&f->cmd, entries, argc, argv, "PATH...\nmlv sample x", &f->error);
}

#define PARSE(f, ...)                                            \
	char *words[] = { (char *)"sample", __VA_ARGS__, NULL }; \
	char **argv = words;                                     \
	int argc = (int)G_N_ELEMENTS(words) - 1;                 \
	gboolean ok = parse(f, &argc, &argv)

static void options_and_words_may_be_mixed(void **state)
{
	struct fixture *f = *state;
	PARSE(f, (char *)"a", (char *)"-f", (char *)"b", (char *)"--message", (char *)"hello",
	      (char *)"c");

	assert_true(ok);
	assert_true(f->given.force);
	assert_string_equal(f->given.message, "hello");
	assert_int_equal(argc, 4);
	assert_string_equal(argv[0], "sample");
	assert_string_equal(argv[1], "a");
	assert_string_equal(argv[3], "c");
	assert_null(argv[4]);
}

static void letters_may_stand_together_with_a_value_at_the_end(void **state)
{
	struct fixture *f = *state;
	PARSE(f, (char *)"-famhello", (char *)"-n3");

	assert_true(ok);
	assert_true(f->given.force && f->given.all);
	assert_string_equal(f->given.message, "hello");
	assert_int_equal(f->given.number, 3);
	assert_int_equal(argc, 1);
}

static void values_may_look_like_options(void **state)
{
	struct fixture *f = *state;
	PARSE(f, (char *)"-m", (char *)"--", (char *)"--glob", (char *)"-f", (char *)"--glob=--",
	      (char *)"x");

	assert_true(ok);
	assert_string_equal(f->given.message, "--");
	assert_string_equal(f->given.patterns[0], "-f");
	assert_string_equal(f->given.patterns[1], "--");
	assert_false(f->given.force);
	assert_int_equal(argc, 2);
	assert_false(mlv_options_words(&f->cmd, argc, argv).separator);
}

static void values_are_bytes(void **state)
{
	struct fixture *f = *state;
	PARSE(f, (char *)"-m", (char *)"\xff\xfe", (char *)"--glob", (char *)"\x80*",
	      (char *)"\xc3\x28");

	assert_true(ok);
	assert_string_equal(f->given.message, "\xff\xfe");
	assert_string_equal(f->given.patterns[0], "\x80*");
	assert_string_equal(argv[1], "\xc3\x28");
}

static void what_stands_behind_two_dashes_is_kept_apart(void **state)
{
	struct fixture *f = *state;
	PARSE(f, (char *)"HEAD", (char *)"--", (char *)"-f", (char *)"--", (char *)"b");
	MlvWords got;

	assert_true(ok);
	assert_false(f->given.force);
	got = mlv_options_words(&f->cmd, argc, argv);
	assert_true(got.separator);
	assert_int_equal(got.n_before, 1);
	assert_string_equal(got.before[0], "HEAD");
	assert_int_equal(got.n_after, 3);
	assert_string_equal(got.after[0], "-f");
	assert_string_equal(got.after[1], "--");
}

static void a_lone_dash_is_a_word(void **state)
{
	struct fixture *f = *state;
	PARSE(f, (char *)"-");

	assert_true(ok);
	assert_string_equal(argv[1], "-");
}

static void names_are_never_abbreviated(void **state)
{
	struct fixture *f = *state;
	PARSE(f, (char *)"--forc");

	assert_false(ok);
	assert_true(g_error_matches(f->error, MLV_ERROR, MLV_ERROR_USAGE));
	assert_string_equal(f->error->message, "unknown option '--forc'; did you mean '--force'?");
}

static void a_value_that_is_missing_is_a_usage_error(void **state)
{
	struct fixture *f = *state;
	PARSE(f, (char *)"-am");

	assert_false(ok);
	assert_true(g_error_matches(f->error, MLV_ERROR, MLV_ERROR_USAGE));
	assert_string_equal(f->error->message, "option '-m' needs a value");
}

static void a_number_that_is_none_is_a_usage_error(void **state)
{
	struct fixture *f = *state;
	PARSE(f, (char *)"-n", (char *)"three");

	assert_false(ok);
	assert_true(g_error_matches(f->error, MLV_ERROR, MLV_ERROR_USAGE));
}

static void common_options_reach_the_command(void **state)
{
	struct fixture *f = *state;
	PARSE(f, (char *)"-qv", (char *)"-j", (char *)"7");

	assert_true(ok);
	assert_true(f->ui.quiet);
	assert_int_equal(f->ui.verbose, 1);
	assert_int_equal(f->cmd.jobs, 7);
}

static void the_usage_line_names_the_words(void **state)
{
	struct fixture *f = *state;
	PARSE(f, (char *)"x");
	g_autofree char *line = mlv_options_usage_line(&f->cmd);

	assert_true(ok);
	assert_string_equal(line, "usage: mlv sample [OPTION...] PATH...");
}

static void the_number_of_words_is_checked(void **state)
{
	struct fixture *f = *state;
	PARSE(f, (char *)"a", (char *)"--", (char *)"b");

	assert_true(ok);
	assert_true(mlv_options_count(&f->cmd, argc, 1, 2, NULL));
	assert_true(mlv_options_count(&f->cmd, argc, 0, -1, NULL));
	assert_false(mlv_options_count(&f->cmd, argc, 3, -1, NULL));
	assert_false(mlv_options_count(&f->cmd, argc, 0, 1, &f->error));
	assert_non_null(strstr(f->error->message, "'b'"));
}

static gboolean sub_add(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean local = FALSE;
	const GOptionEntry entries[] = {
		{ "local", 0, 0, G_OPTION_ARG_NONE, &local, "here only", NULL },
		{ NULL },
	};

	if (!mlv_options_parse(cmd, entries, &argc, &argv, "NAME URL", error))
		return FALSE;
	cmd->status = local ? 7 : 6;
	return mlv_options_count(cmd, argc, 2, 2, error);
}

static gboolean sub_list(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	const GOptionEntry entries[] = { { NULL } };

	if (!mlv_options_parse(cmd, entries, &argc, &argv, "", error))
		return FALSE;
	cmd->status = 5;
	return mlv_options_count(cmd, argc, 0, 0, error);
}

static gboolean parent(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	static const MlvSubcommand rows[] = {
		{ "add", sub_add, "add one" },
		{ "list", sub_list, "list them" },
		{ NULL, NULL, NULL },
	};

	return mlv_options_dispatch(cmd, rows, "list", argc, argv, error);
}

static const MlvCommand parent_row = { "sample", parent, MLV_GROUP_HELP, 0, "a sample" };

static gboolean dispatch(struct fixture *f, int argc, char **argv)
{
	f->cmd.command = &parent_row;
	return parent(&f->cmd, argc, argv, &f->error);
}

static void a_sub_command_is_found_by_its_name(void **state)
{
	struct fixture *f = *state;
	char *argv[] = { (char *)"sample", (char *)"add", (char *)"--local",
			 (char *)"a",      (char *)"b",   NULL };

	assert_true(dispatch(f, 5, argv));
	assert_int_equal(f->cmd.status, 7);
	assert_string_equal(f->cmd.name, "sample add");
}

static void without_a_word_the_fallback_runs(void **state)
{
	struct fixture *f = *state;
	char *argv[] = { (char *)"sample", (char *)"-v", NULL };

	assert_true(dispatch(f, 2, argv));
	assert_int_equal(f->cmd.status, 5);
}

static void an_unknown_sub_command_offers_what_is_near(void **state)
{
	struct fixture *f = *state;
	char *argv[] = { (char *)"sample", (char *)"ad", NULL };

	assert_false(dispatch(f, 2, argv));
	assert_true(g_error_matches(f->error, MLV_ERROR, MLV_ERROR_USAGE));
	assert_non_null(strstr(f->error->message, "did you mean 'add'?"));
}

static void a_command_is_seen_without_being_run(void **state)
{
	struct fixture *f = *state;
	g_autoptr(GPtrArray) all = NULL;
	const MlvOptionsSeen *seen;

	f->cmd.command = &parent_row;
	all = mlv_options_see(&f->cmd);
	assert_int_equal(all->len, 3);
	seen = all->pdata[0];
	assert_string_equal(seen->name, "sample");
	assert_null(seen->entries);
	seen = all->pdata[1];
	assert_string_equal(seen->name, "sample add");
	assert_string_equal(seen->summary, "add one");
	assert_string_equal(seen->synopsis, "NAME URL");
	assert_string_equal(g_array_index(seen->entries, GOptionEntry, 0).long_name, "local");
	assert_int_equal(f->cmd.status, 0);
}

static void the_nearest_word_is_within_a_third_of_its_letters(void **state)
{
	const char *names[] = { "status", "commit", "checkout", "rm", NULL };

	assert_string_equal(mlv_options_nearest("stauts", names), "status");
	assert_string_equal(mlv_options_nearest("comit", names), "commit");
	assert_string_equal(mlv_options_nearest("check", names), "checkout");
	assert_null(mlv_options_nearest("x", names));
	assert_null(mlv_options_nearest("", names));
	assert_null(mlv_options_nearest("something-else", names));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(options_and_words_may_be_mixed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(letters_may_stand_together_with_a_value_at_the_end,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(values_may_look_like_options, set_up, tear_down),
		cmocka_unit_test_setup_teardown(values_are_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_stands_behind_two_dashes_is_kept_apart, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_lone_dash_is_a_word, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_are_never_abbreviated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_value_that_is_missing_is_a_usage_error, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_number_that_is_none_is_a_usage_error, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(common_options_reach_the_command, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_usage_line_names_the_words, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_number_of_words_is_checked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_sub_command_is_found_by_its_name, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(without_a_word_the_fallback_runs, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_unknown_sub_command_offers_what_is_near, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_command_is_seen_without_being_run, set_up,
						tear_down),
		cmocka_unit_test(the_nearest_word_is_within_a_third_of_its_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
