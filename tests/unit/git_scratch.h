/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scratch repositories for tests, made and looked at by the real git, in an environment of their
 * own. Include after cmocka.h.
 */
#ifndef MLV_TESTS_UNIT_GIT_SCRATCH_H
#define MLV_TESTS_UNIT_GIT_SCRATCH_H

#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
/* libgit2 1.5 leaks the matches of a regular expression when it reads extensions. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpcre2\n";
}
#endif

static inline void git_scratch_remove(const char *dir)
{
	const char *argv[] = { "rm", "-rf", "--", dir, NULL };
	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
				   NULL, NULL, NULL));
}

static inline void git_scratch_remove_home(void)
{
	git_scratch_remove(g_getenv("HOME"));
}

/* A home without configuration, fixed names and times, nothing of the caller's git. Call once,
 * first in main. */
static inline void git_scratch_environment(void)
{
	static const char *const unset[] = { "GIT_DIR",
					     "GIT_WORK_TREE",
					     "GIT_INDEX_FILE",
					     "GIT_COMMON_DIR",
					     "GIT_EDITOR",
					     "VISUAL",
					     "GIT_CEILING_DIRECTORIES",
					     "GIT_CONFIG_PARAMETERS",
					     "GIT_CONFIG_COUNT",
					     "EMAIL",
					     "GIT_CONFIG_GLOBAL",
					     "XDG_CONFIG_HOME",
					     "GIT_AUTHOR_DATE",
					     "GIT_COMMITTER_DATE" };
	/* as the program does: a hook may end without reading what it is given */
	signal(SIGPIPE, SIG_IGN);
	char *home = g_dir_make_tmp("mlv-home-XXXXXX", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(unset); i++)
		g_unsetenv(unset[i]);
	g_setenv("HOME", home, TRUE);
	atexit(git_scratch_remove_home);
	g_setenv("GIT_CONFIG_NOSYSTEM", "1", TRUE);
	g_setenv("GIT_AUTHOR_NAME", "Ada", TRUE);
	g_setenv("GIT_AUTHOR_EMAIL", "ada@example.org", TRUE);
	g_setenv("GIT_COMMITTER_NAME", "Con", TRUE);
	g_setenv("GIT_COMMITTER_EMAIL", "con@example.org", TRUE);
	g_free(home);
}

static inline int git_run_words(const char *dir, char **argv, char **output)
{
	g_autofree char *complaint = NULL;
	int status = -1;

	g_assert_true(g_spawn_sync(dir, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, output,
				   &complaint, &status, NULL));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static inline char **git_words(const char *first, va_list args)
{
	GPtrArray *words = g_ptr_array_new();

	g_ptr_array_add(words, g_strdup("git"));
	for (const char *word = first; word; word = va_arg(args, const char *))
		g_ptr_array_add(words, g_strdup(word));
	g_ptr_array_add(words, NULL);
	return (char **)g_ptr_array_free(words, FALSE);
}

/* Exit status of `git words...` in dir. End with NULL. */
static inline int git_status(const char *dir, const char *first, ...)
{
	va_list args;
	g_autofree char *output = NULL;

	va_start(args, first);
	g_auto(GStrv) words = git_words(first, args);
	va_end(args);
	return git_run_words(dir, words, &output);
}

/* What git prints, without the last line end; the test fails if git does. */
static inline char *git_output(const char *dir, const char *first, ...)
{
	va_list args;
	char *output = NULL;

	va_start(args, first);
	g_auto(GStrv) words = git_words(first, args);
	va_end(args);
	int status = git_run_words(dir, words, &output);
	if (status != 0)
		fail_msg("git %s failed with %d", words[1], status);
	return g_strchomp(output);
}

#define git_ok(...) g_free(git_output(__VA_ARGS__, NULL))

/* A new repository on branch "main", without commits; its real path. */
static inline char *git_scratch_repo(void)
{
	g_autofree char *made = g_dir_make_tmp("mlv-test-XXXXXX", NULL);
	char *real = realpath(made, NULL);
	char *dir = g_strdup(real);

	free(real);
	git_ok(dir, "init", "-q", "-b", "main");
	return dir;
}

static inline void write_text(const char *dir, const char *path, const char *text)
{
	g_autofree char *file = g_build_filename(dir, path, NULL);
	g_autofree char *parent = g_path_get_dirname(file);

	g_assert_cmpint(g_mkdir_with_parents(parent, 0777), ==, 0);
	g_assert_true(g_file_set_contents(file, text, -1, NULL));
}

static inline char *read_text(const char *dir, const char *path)
{
	g_autofree char *file = g_build_filename(dir, path, NULL);
	char *text = NULL;

	g_file_get_contents(file, &text, NULL, NULL);
	return text;
}

#endif
