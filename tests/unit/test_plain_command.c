/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/pipeline/plain_command.h"

static void words_and_simple_operators_are_plain(void **state)
{
	static const char *const plain[] = {
		"echo 1 > out",
		"cp a b",
		"python train.py --lr 0.1 data/x.csv",
		"cat in.txt>out.txt",
		"mkdir -p out && sort < in | uniq -c >> out/x ; ls",
		"./run.sh || true",
		"> out echo x",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(plain); i++)
		if (!mlv_command_is_plain(plain[i]))
			fail_msg("'%s' is plain", plain[i]);
}

static void what_a_shell_may_read_in_its_own_way_is_not(void **state)
{
	static const char *const other[] = {
		"",           "echo $HOME",   "echo 'a'",     "echo \"a\"",
		"echo a\\b",  "ls *.c",       "echo {a,b}",   "echo -e a",
		"echo  -n a", "x=1 env",      "test a == b",  "source env",
		". env",      "time sleep 1", "cd sub && ls", "printf x",
		"a & b",      "a |& b",       "a &> b",       "a >& b",
		"a >| b",     "a 2> b",       "a << b",       "a <<< b",
		"a ;; b",     "(a)",          "a; while b",   "! a",
		"a #b",       "a\nb",         "~/x",          "a &&",
		"> > b",      "a || ",        "; a",          "gr\303\266\303\237e",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(other); i++)
		if (mlv_command_is_plain(other[i]))
			fail_msg("'%s' is not plain", other[i]);
}

static void an_environment_that_speaks_to_bash_is_not_plain(void **state)
{
	const char *plain[] = { "HOME=/", "PATH=/bin", NULL };
	const char *env[] = { "HOME=/", "BASH_ENV=/x", NULL };
	const char *function[] = { "BASH_FUNC_ls%%=() {  true; }", NULL };

	assert_true(mlv_environ_is_plain(plain));
	assert_false(mlv_environ_is_plain(env));
	assert_false(mlv_environ_is_plain(function));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_simple_operators_are_plain),
		cmocka_unit_test(what_a_shell_may_read_in_its_own_way_is_not),
		cmocka_unit_test(an_environment_that_speaks_to_bash_is_not_plain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
