/* SPDX-License-Identifier: Apache-2.0 */
/* Interpreters: where they are, and which version they say they are. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/env/environment_private.h"
#include "storage/file.h"

#define ANSWER_MAX 4096
#define CACHE_MAX  (1u << 20)

/* --- asking ----------------------------------------------------------------------------------- */

static int start(const char *const *argv, const char *const *variables, pid_t *pid)
{
	static const char *const none[] = { NULL };
	posix_spawn_file_actions_t actions;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
	int failed = posix_spawn(pid, argv[0], &actions, NULL, (char *const *)argv,
				 (char *const *)(variables ? variables : none));
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (failed) {
		close(ends[0]);
		return -1;
	}
	return ends[0];
}

/* Reads until the end, or until the time is over. */
static gboolean listen_to(int fd, GString *answer, gint64 until)
{
	for (;;) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		gint64 left = (until - g_get_monotonic_time()) / 1000;
		char buffer[1024];

		if (left <= 0 || poll(&wait, 1, (int)left) == 0)
			return FALSE;
		ssize_t n = read(fd, buffer, sizeof buffer);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n == 0;
		if (answer->len < ANSWER_MAX)
			g_string_append_len(answer, buffer, n);
	}
}

static char *ask_now(const MlvEnvironmentOptions *options, const char *const *argv,
		     guint milliseconds)
{
	g_autoptr(GString) answer = g_string_new(NULL);
	pid_t pid;
	int status = 0;
	g_auto(MlvFd) fd = start(argv, options->variables, &pid);

	if (fd < 0)
		return NULL;
	if (!listen_to(fd, answer, g_get_monotonic_time() + milliseconds * 1000ll))
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return NULL;
	char *line = g_strndup(answer->str, strcspn(answer->str, "\r\n"));
	return g_strstrip(line);
}

/* --- what was answered before ----------------------------------------------------------------- */

/* A line is "KEY\tANSWER": the key names the file as it is. */
static char *cache_key(const char *const *argv)
{
	g_autofree char *words = g_strjoinv(" ", (char **)argv);
	struct stat st;

	if (stat(argv[0], &st) < 0 || strpbrk(words, "\t\n"))
		return NULL;
	return g_strdup_printf("%s %lld %lld.%09ld", words, (long long)st.st_size,
			       (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static char *cache_find(const char *text, const char *key)
{
	gsize length = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) == 0 && line[length] == '\t')
			return g_strndup(line + length + 1, strcspn(line + length + 1, "\n"));
	}
	return NULL;
}

/* Without it the program is asked again: that it cannot be written is no error. */
static void cache_add(const char *file, const char *text, const char *key, const char *answer)
{
	g_autofree char *all = g_strdup_printf("%s%s\t%s\n", text ? text : "", key, answer);

	if (strlen(all) <= CACHE_MAX && !strchr(answer, '\n'))
		mlv_file_replace(AT_FDCWD, file, all, strlen(all), 0666, FALSE, NULL);
}

char *mlv_environment_ask(const MlvEnvironmentOptions *options, const char *const *argv,
			  guint milliseconds)
{
	g_autofree char *key = options->cache ? cache_key(argv) : NULL;
	g_autofree char *text = NULL;

	if (key)
		g_file_get_contents(options->cache, &text, NULL, NULL);
	char *answer = key ? cache_find(text, key) : NULL;
	if (answer)
		return answer;
	answer = ask_now(options, argv, milliseconds);
	if (answer && key)
		cache_add(options->cache, text, key, answer);
	return answer;
}

/* --- finding ---------------------------------------------------------------------------------- */

void mlv_environment_program_clear(MlvEnvironmentProgram *program)
{
	g_clear_pointer(&program->path, g_free);
	g_clear_pointer(&program->version, g_free);
}

static char *find_on_path(const MlvEnvironmentOptions *options, const char *name)
{
	const char *path = mlv_environment_variable(options, "PATH");
	g_auto(GStrv) folders = g_strsplit(path ? path : "", ":", -1);

	for (char **folder = folders; *folder; folder++) {
		g_autofree char *file = g_build_filename(**folder ? *folder : ".", name, NULL);
		if (g_file_test(file, G_FILE_TEST_IS_REGULAR) && access(file, X_OK) == 0)
			return g_canonicalize_filename(file, options->folder);
	}
	return NULL;
}

/* The version that pyenv stands in for: by variable, by a file here or above, by its own. */
static char *pyenv_version(const MlvEnvironmentOptions *options, const char *root)
{
	const char *variable = mlv_environment_variable(options, "PYENV_VERSION");
	g_autofree char *folder =
		g_canonicalize_filename(options->folder ? options->folder : ".", NULL);

	if (variable && *variable)
		return g_strdup(variable);
	for (;;) {
		g_autofree char *file = g_build_filename(folder, ".python-version", NULL);
		char *version = mlv_environment_text(file);
		if (version)
			return version;
		if (strcmp(folder, "/") == 0)
			break;
		char *above = g_path_get_dirname(folder);
		g_free(folder);
		folder = above;
	}
	g_autofree char *file = g_build_filename(root, "version", NULL);
	return mlv_environment_text(file);
}

/* What a version manager's stand-in starts; else the path itself. Takes `path`. */
static char *behind_stand_in(const MlvEnvironmentOptions *options, char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *root = g_path_get_dirname(folder);

	if (!g_str_has_suffix(folder, "/shims"))
		return path;
	g_autofree char *text = pyenv_version(options, root);
	g_auto(GStrv) versions = text ? g_strsplit_set(text, ":\n \t", -1) : NULL;
	for (char **version = versions; version && *version; version++) {
		g_autofree char *file =
			g_build_filename(root, "versions", *version, "bin", name, NULL);
		if (**version && !strstr(*version, "..") && access(file, X_OK) == 0) {
			g_free(path);
			return g_steal_pointer(&file);
		}
	}
	return path;
}

/* "Python 3.11.2" and "v18.13.0" without what only says whose number it is. */
static char *plain_version(const char *answer)
{
	const char *at = answer;

	while (*at && !g_ascii_isdigit(*at))
		at++;
	return *at ? g_strndup(at, strcspn(at, " \t,;(")) : g_strdup(answer);
}

gboolean mlv_environment_find_program(const MlvEnvironmentOptions *options, const char *name,
				      MlvEnvironmentProgram *program)
{
	g_autofree char *found = find_on_path(options, name);

	*program = (MlvEnvironmentProgram){ 0 };
	if (!found)
		return FALSE;
	program->path = behind_stand_in(options, g_steal_pointer(&found));
	const char *argv[] = { program->path, "--version", NULL };
	g_autofree char *answer = mlv_environment_ask(options, argv, 2000);
	if (answer && *answer)
		program->version = plain_version(answer);
	return TRUE;
}
