/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pipeline/trace_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/import_record.h"
#include "core/pointer.h"

typedef struct {
	const MlvTrace *trace;
	MlvTraceReport *report;
	char *root;         /* without symbolic links */
	GHashTable *inputs; /* of char *, absolute: dependencies and parameter files */
	GHashTable *outs;
	GHashTable *apart; /* mlv's and git's own, and what belongs to programs */
	gboolean all;
} Builder;

/* --- what is declared ------------------------------------------------------------------------- */

/* A path under the name that it has, and under that which the kernel gives it. */
static void declare(const Builder *builder, GHashTable *set, const char *path)
{
	char *named = g_canonicalize_filename(path, builder->root);
	char *real = realpath(named, NULL);

	if (real)
		g_hash_table_add(set, g_strdup(real));
	free(real);
	g_hash_table_add(set, named);
}

/* Whether it is, or lies in, one of them. */
static gboolean is_covered(const GHashTable *set, const char *path)
{
	g_autofree char *at = g_strdup(path);

	for (char *slash;;) {
		if (g_hash_table_contains((GHashTable *)set, at))
			return TRUE;
		slash = strrchr(at, '/');
		if (!slash || slash == at)
			return FALSE;
		*slash = '\0';
	}
}

static GHashTable *new_set(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void declare_stage(Builder *builder, const MlvRepo *repo, const MlvStage *stage,
			  const GPtrArray *deps)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);

	for (guint i = 0; i < deps->len; i++)
		if (!mlv_files_is_url(deps->pdata[i]))
			declare(builder, builder->inputs, deps->pdata[i]);
	for (guint i = 0; i < stage->params->len; i++)
		declare(builder, builder->inputs, ((MlvParamsDep *)stage->params->pdata[i])->file);
	for (guint i = 0; i < stage->outs->len; i++)
		declare(builder, builder->outs, ((MlvOut *)stage->outs->pdata[i])->path);
	declare(builder, builder->apart, mlv_repo_git_dir(repo));
	declare(builder, builder->apart, mlv_repo_common_dir(repo));
	declare(builder, builder->apart, mlv_repo_mlv_dir(repo));
	declare(builder, builder->apart, mlv_repo_store_dir(repo));
	if (self)
		declare(builder, builder->apart, self);
}

/* --- what does not count ---------------------------------------------------------------------- */

static gboolean is_system(const char *path)
{
	static const char *const folders[] = { "/usr/",   "/bin/",    "/sbin/", "/lib/",  "/lib32/",
					       "/lib64/", "/libx32/", "/etc/",  "/proc/", "/dev/",
					       "/sys/",   "/run/",    "/var/",  "/tmp/" };

	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++)
		if (g_str_has_prefix(path, folders[i]))
			return TRUE;
	return FALSE;
}

/* Files that mlv and git keep beside the user's. */
static gboolean is_kept(const char *path)
{
	static const char *const names[] = { "mlv.yaml",    "mlv.lock",   "dvc.yaml",
					     "dvc.lock",    ".mlvconfig", ".mlvignore",
					     ".dvcignore",  ".gitignore", ".gitattributes",
					     ".gitmodules", ".gitconfig" };
	const char *name = strrchr(path, '/') + 1;

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(name, names[i]) == 0)
			return TRUE;
	return mlv_pointer_is_path(path) || g_str_has_suffix(name, MLV_IMPORT_RECORD_SUFFIX) ||
	       strstr(path, "/.git/") || strstr(path, "/.config/git/") ||
	       strstr(path, "/__pycache__/");
}

/* The path within the repository, or NULL. */
static const char *within(const Builder *builder, const char *path)
{
	gsize length = strlen(builder->root);

	return strncmp(path, builder->root, length) == 0 && path[length] == '/' ? path + length + 1
										: NULL;
}

static gboolean counts(const Builder *builder, const char *path)
{
	return !is_covered(builder->apart, path) && !is_kept(path) &&
	       (within(builder, path) || builder->all || !is_system(path));
}

static gboolean is_gone(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* --- programs and what belongs to them -------------------------------------------------------- */

/* Where a program of that path is installed: what lies before "bin". */
static char *prefix_of(const char *path)
{
	static const char *const folders[] = { "bin", "libexec", "shims" };
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(folder);

	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++)
		if (strcmp(name, folders[i]) == 0)
			return g_path_get_dirname(folder);
	return NULL;
}

static gboolean is_around(const char *folder, const char *path)
{
	gsize length = strlen(folder);

	return strncmp(folder, path, length) == 0 && (!path[length] || path[length] == '/');
}

/* A program from elsewhere is no input, nor are its libraries: it is part of the environment. What
 * lies around the repository, or is all of the user's, is nobody's installation. */
static void leave_out_program(Builder *builder, const char *path)
{
	g_autofree char *prefix = within(builder, path) ? NULL : prefix_of(path);

	if (within(builder, path))
		return;
	g_hash_table_add(builder->apart, g_strdup(path));
	if (prefix && strcmp(prefix, "/") != 0 && !is_around(prefix, builder->root) &&
	    !is_around(prefix, g_get_home_dir()))
		g_hash_table_add(builder->apart, g_steal_pointer(&prefix));
}

/* Programs, and Python's virtual environments, which are known by the file that names them. */
static void find_environment(Builder *builder, const GArray *files)
{
	for (guint i = 0; i < files->len && !builder->all; i++) {
		const MlvTraced *traced = &g_array_index(files, MlvTraced, i);
		if (traced->program)
			leave_out_program(builder, traced->path);
		if (traced->input && g_str_has_suffix(traced->path, "/pyvenv.cfg"))
			g_hash_table_add(builder->apart, g_path_get_dirname(traced->path));
	}
}

/* --- sorting out ------------------------------------------------------------------------------ */

static void add(GPtrArray *inside, GPtrArray *outside, const Builder *builder, const char *path)
{
	const char *rest = within(builder, path);

	if (rest)
		g_ptr_array_add(inside, g_strdup(rest));
	else if (outside)
		g_ptr_array_add(outside, g_strdup(path));
}

static void sort_out(Builder *builder, const MlvTraced *traced)
{
	MlvTraceReport *report = builder->report;
	gboolean out = is_covered(builder->outs, traced->path);

	if (!counts(builder, traced->path))
		return;
	if (traced->input && !out && !is_covered(builder->inputs, traced->path))
		add(report->reads, report->outside_reads, builder, traced->path);
	/* What it made and removed again was its own affair. */
	if (traced->written && !out && !(traced->own && is_gone(traced->path)))
		add(report->writes, report->outside_writes, builder, traced->path);
}

/* What was looked for stands there as the program wrote it. */
static void sort_missing(Builder *builder, const MlvTraced *traced)
{
	g_autofree char *path = g_canonicalize_filename(traced->path, "/");

	if (within(builder, path) && counts(builder, path) && is_gone(path) &&
	    !is_covered(builder->inputs, path) && !is_covered(builder->outs, path))
		add(builder->report->missing, NULL, builder, path);
}

/* Whether a file at or below the path was read. */
static gboolean was_read(const GHashTable *read, const char *root, const char *path)
{
	g_autofree char *named = g_canonicalize_filename(path, root);
	char *real = realpath(named, NULL);
	gboolean found = g_hash_table_contains((GHashTable *)read, real ? real : named);

	free(real);
	return found;
}

/* Each file that was read, and each folder around one. */
static GHashTable *read_places(const GArray *files)
{
	GHashTable *places = new_set();

	for (guint i = 0; i < files->len; i++) {
		const MlvTraced *traced = &g_array_index(files, MlvTraced, i);
		g_autofree char *at = traced->input ? g_strdup(traced->path) : NULL;
		while (at && *at && g_hash_table_add(places, g_strdup(at))) {
			char *slash = strrchr(at, '/');
			*slash = '\0';
		}
	}
	return places;
}

static void find_unread(Builder *builder, const GArray *files, const GPtrArray *deps)
{
	g_autoptr(GHashTable) places = read_places(files);

	for (guint i = 0; i < deps->len; i++)
		if (!mlv_files_is_url(deps->pdata[i]) &&
		    !was_read(places, builder->root, deps->pdata[i]))
			g_ptr_array_add(builder->report->unread, g_strdup(deps->pdata[i]));
}

static gint by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two ways of writing a path that is missing are one. */
static void drop_doubles(GPtrArray *paths)
{
	g_ptr_array_sort(paths, by_text);
	for (guint i = paths->len; i-- > 1;)
		if (strcmp(paths->pdata[i - 1], paths->pdata[i]) == 0)
			g_ptr_array_remove_index(paths, i);
}

MlvTraceReport *mlv_trace_report_new(const MlvTrace *trace, const MlvRepo *repo,
				     const MlvStage *stage, const GPtrArray *deps, gboolean all)
{
	MlvTraceReport *report = g_new0(MlvTraceReport, 1);
	g_autoptr(GHashTable) inputs = new_set(), outs = new_set(), apart = new_set();
	g_autoptr(GArray) files = mlv_trace_files(trace);
	char *root = realpath(mlv_repo_root(repo), NULL);
	Builder builder = { trace, report, root ? root : strdup(mlv_repo_root(repo)), inputs, outs,
			    apart, all };

	report->reads = g_ptr_array_new_with_free_func(g_free);
	report->writes = g_ptr_array_new_with_free_func(g_free);
	report->outside_reads = g_ptr_array_new_with_free_func(g_free);
	report->outside_writes = g_ptr_array_new_with_free_func(g_free);
	report->missing = g_ptr_array_new_with_free_func(g_free);
	report->unread = g_ptr_array_new_with_free_func(g_free);
	report->overflowed = mlv_trace_overflowed(trace);
	declare_stage(&builder, repo, stage, deps);
	find_environment(&builder, files);
	for (guint i = 0; i < files->len; i++) {
		const MlvTraced *traced = &g_array_index(files, MlvTraced, i);
		sort_out(&builder, traced);
		if (traced->missing)
			sort_missing(&builder, traced);
	}
	find_unread(&builder, files, deps);
	drop_doubles(report->missing);
	free(builder.root);
	return report;
}

void mlv_trace_report_free(MlvTraceReport *report)
{
	if (!report)
		return;
	g_ptr_array_unref(report->reads);
	g_ptr_array_unref(report->writes);
	g_ptr_array_unref(report->outside_reads);
	g_ptr_array_unref(report->outside_writes);
	g_ptr_array_unref(report->missing);
	g_ptr_array_unref(report->unread);
	g_free(report);
}

gboolean mlv_trace_report_finds(const MlvTraceReport *report)
{
	return report->reads->len + report->writes->len + report->outside_reads->len +
		       report->outside_writes->len >
	       0;
}
