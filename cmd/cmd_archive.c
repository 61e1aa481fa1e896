/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cmd/output_file.h"
#include "cmd/session.h"
#include "core/archive_create.h"

typedef struct {
	char *output;
	char *format;
	char *prefix;
	gboolean code;
} Options;

static void options_clear(Options *opt)
{
	g_free(opt->output);
	g_free(opt->format);
	g_free(opt->prefix);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

/* What the words say. */
typedef struct {
	char *rev;
	GPtrArray *paths; /* of char * */
} Wanted;

static void wanted_clear(Wanted *wanted)
{
	g_free(wanted->rev);
	g_clear_pointer(&wanted->paths, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wanted, wanted_clear)

typedef struct {
	MlvOutputFile *out;
	MlvProgress *progress;
} Target;

static gboolean give(const void *data, gsize length, gpointer user, GError **error)
{
	return mlv_output_file_write(data, length, ((Target *)user)->out, error);
}

static void moved(guint64 bytes, guint64 files, gpointer user)
{
	mlv_ui_progress_add(((Target *)user)->progress, bytes, files);
}

static gboolean choose_format(const Options *opt, MlvArchiveFormat *format, GError **error)
{
	*format = MLV_ARCHIVE_TAR;
	if (opt->format)
		return mlv_archive_format_parse(opt->format, format) ||
		       mlv_fail(
			       error, MLV_ERROR_USAGE,
			       "'%s' is no format of archives; there are tar, tar.gz, tar.zst and zip",
			       opt->format);
	if (!opt->output || strcmp(opt->output, "-") == 0 ||
	    mlv_archive_format_of_file(opt->output, format))
		return TRUE;
	return mlv_fail(error, MLV_ERROR_USAGE,
			"the ending of '%s' names no format of archives; say --format tar, tar.gz, "
			"tar.zst or zip",
			opt->output);
}

/* Whether the word is a revision; one that is also a name in the work tree must be told apart, as
 * in git. */
static gboolean is_revision(MlvRepo *repo, const char *word, gboolean *is, GError **error)
{
	MlvOid commit;
	struct stat st;

	*is = mlv_git_resolve(repo, word, &commit, NULL) || strcmp(word, "HEAD") == 0;
	if (*is && lstat(word, &st) == 0)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' is both a revision and a name here; put '--' behind the "
				"revision, or in front of the paths",
				word);
	return TRUE;
}

/* The first word: REV, REV:PATH or a path. */
static gboolean take_first(MlvRepo *repo, char *word, gboolean must_be_rev, Wanted *wanted,
			   GError **error)
{
	g_autofree char *path = NULL;
	gboolean is = must_be_rev;

	if (strchr(word, ':')) {
		if (!mlv_git_split_path(repo, word, &wanted->rev, &path, error))
			return FALSE;
		if (wanted->rev) {
			/* From the root on, but pathspecs begin where the user is. */
			g_ptr_array_add(wanted->paths, mlv_repo_display(repo, path));
			return TRUE;
		}
	}
	if (!is && !is_revision(repo, word, &is, error))
		return FALSE;
	if (is)
		wanted->rev = g_strdup(word);
	else
		g_ptr_array_add(wanted->paths, g_strdup(word));
	return TRUE;
}

static gboolean read_words(MlvRepo *repo, const MlvWords *words, Wanted *wanted, GError **error)
{
	wanted->paths = g_ptr_array_new_with_free_func(g_free);
	if (words->separator && words->n_before > 1)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"one revision at most stands in front of '--', not %u",
				words->n_before);
	for (guint i = 0; i < words->n_before; i++) {
		if (i > 0)
			g_ptr_array_add(wanted->paths, g_strdup(words->before[i]));
		else if (!take_first(repo, words->before[i], words->separator, wanted, error))
			return FALSE;
	}
	for (guint i = 0; i < words->n_after; i++)
		g_ptr_array_add(wanted->paths, g_strdup(words->after[i]));
	return TRUE;
}

/* HEAD unless another was named; before the first commit what is staged. */
static gboolean choose_revision(MlvView *view, const Wanted *wanted, const Options *opt,
				MlvRevision *revision, GError **error)
{
	if (!mlv_view_revision(view, wanted->rev ? wanted->rev : "HEAD", revision, error))
		return FALSE;
	if (revision->at == MLV_AT_NOTHING)
		revision->at = MLV_AT_INDEX;
	if (opt->code && revision->at != MLV_AT_COMMIT)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"--code takes git's files from a commit, and %s; commit first, or "
				"leave out --code",
				wanted->rev && !*wanted->rev ? "the index is none"
							     : "there is none yet");
	return TRUE;
}

gboolean mlv_cmd_archive(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_auto(Options) opt = { 0 };
	const GOptionEntry entries[] = {
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &opt.output,
		  "write to FILE; its ending names the format", "FILE" },
		{ "format", 0, 0, G_OPTION_ARG_STRING, &opt.format, "tar, tar.gz, tar.zst or zip",
		  "FORMAT" },
		{ "code", 0, 0, G_OPTION_ARG_NONE, &opt.code,
		  "add git's own files, the data in place of its pointers", NULL },
		{ "prefix", 0, 0, G_OPTION_ARG_FILENAME, &opt.prefix, "put PREFIX before each path",
		  "PREFIX" },
		{ NULL },
	};
	g_auto(Wanted) wanted = { 0 };
	g_autoptr(MlvView) view = NULL;
	g_autoptr(MlvOutputFile) out = NULL;
	g_autoptr(MlvProgress) progress = NULL;
	MlvArchivePlan plan = { .cancel = cmd->cancel, .sink = give, .moved = moved };
	Target target;
	MlvWords words;
	MlvRepo *repo;

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[REV] [--] [PATH...]\n"
			       "mlv archive -o data.tar.zst v1.0\n"
			       "mlv archive --code --prefix paper/ HEAD > paper.tar",
			       error))
		return FALSE;
	words = mlv_options_words(cmd, argc, argv);
	plan.prefix = opt.prefix ? opt.prefix : "";
	if (!choose_format(&opt, &plan.format, error) ||
	    !mlv_archive_check_prefix(plan.prefix, error))
		return FALSE;
	repo = mlv_cmd_open_repo(cmd, error);
	if (!repo || !read_words(repo, &words, &wanted, error) ||
	    !mlv_cmd_jobs(cmd, &plan.threads, error))
		return FALSE;
	/* A zip has local times, and the same bytes everywhere are wanted. Before any thread
	 * begins. */
	g_setenv("TZ", "UTC0", TRUE);
	tzset();
	view = mlv_view_open(repo, mlv_cmd_waiting, cmd, error);
	if (!view || !choose_revision(view, &wanted, &opt, &plan.revision, error))
		return FALSE;
	out = mlv_output_file_open(cmd, opt.output, "an archive", error);
	if (!out)
		return FALSE;
	progress = mlv_ui_progress_begin(cmd->ui, "archiving");
	target = (Target){ out, progress };
	plan.code = opt.code;
	plan.words = (char *const *)wanted.paths->pdata;
	plan.n_words = wanted.paths->len;
	plan.user = &target;
	return mlv_archive_create(view, &plan, error) && mlv_output_file_close(out, FALSE, error);
}
