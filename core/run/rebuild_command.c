/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/rebuild_command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/measure/metric_log.h"
#include "core/run/rebuild_private.h"
#include "core/run/run_exec.h"

#define LOG_MAX  (1u << 20)
#define FILE_MAX (1u << 30) /* bytes of a file that is compared */

typedef struct {
	Rebuilding rebuilding;
	MlvRebuildStage *stage;
	const char *folder;
	MlvRebuildPrepare prepare;
} Command;

static MlvRepo *repo_of(const Command *command)
{
	return command->rebuilding.options->repro.local->repo;
}

/* --- running ---------------------------------------------------------------------------------- */

static void take_log(Command *command, const char *path)
{
	g_autofree char *text = NULL;
	gsize length;

	if (g_file_get_contents(path, &text, &length, NULL))
		mlv_rebuild_log(command->stage, (const guint8 *)text, length);
}

static gboolean execute(Command *command, const char *log, int *status, GError **error)
{
	const MlvRebuildOptions *options = command->rebuilding.options;
	const MlvRun *run = options->run->run;
	g_autofree char *directory =
		g_build_filename(mlv_repo_root(repo_of(command)), run->folder, NULL);
	g_auto(GStrv) words = g_new0(char *, run->words->len + 1);
	MlvRunExec exec = { .argv = (const char *const *)words,
			    .directory = directory,
			    .environ = options->repro.environ,
			    .log = log,
			    .max_log = LOG_MAX,
			    .quiet = TRUE,
			    .cancel = options->repro.cancel };

	for (guint i = 0; i < run->words->len; i++)
		words[i] = g_strdup(run->words->pdata[i]);
	unlink(options->logged);
	if (!command->prepare(options->user, error) || !mlv_run_exec(&exec, status, error))
		return FALSE;
	return !options->repro.cancel || !*options->repro.cancel ||
	       mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
}

static gboolean run_first(Command *command, GError **error)
{
	MlvRebuildStage *stage = command->stage;
	g_autofree char *log = g_build_filename(command->folder, "first.log", NULL);
	gint64 before = g_get_monotonic_time();

	if (!execute(command, log, &stage->status, error))
		return FALSE;
	stage->duration = g_get_monotonic_time() - before;
	stage->result = stage->status == 0 ? MLV_REPRO_RAN : MLV_REPRO_FAILED;
	if (stage->status != 0)
		stage->why = g_strdup_printf("it ended with status %d", stage->status);
	take_log(command, log);
	return TRUE;
}

/* --- files ------------------------------------------------------------------------------------ */

typedef struct {
	guint32 mode;
	MlvOid oid;
} Blob;

static gboolean take_blob(const char *path, guint32 mode, const MlvOid *oid, gboolean *descend,
			  gpointer user, GError **error)
{
	Blob *blob;

	if (S_ISDIR(mode) || mode == 0160000) {
		*descend = strcmp(path, MLV_RUN_FOLDER) != 0;
		return TRUE;
	}
	blob = g_new0(Blob, 1);
	blob->mode = mode;
	blob->oid = *oid;
	g_hash_table_insert(user, g_strdup(path), blob);
	return TRUE;
}

static GHashTable *files_of(MlvRepo *repo, const MlvOid *commit, GError **error)
{
	GHashTable *files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	if (mlv_git_walk_tree(repo, commit, "", take_blob, files, error))
		return files;
	g_hash_table_unref(files);
	return NULL;
}

static void set_pointer(MlvPointer *pointer, guint32 mode, const void *data, gsize length)
{
	*pointer = (MlvPointer){ .ref = { .kind = MLV_KIND_BLOB, .size = length },
				 .mode = S_ISLNK(mode)   ? MLV_MODE_SYMLINK
					 : (mode & 0100) ? MLV_MODE_EXECUTABLE
							 : MLV_MODE_FILE,
				 .files = 1,
				 .bytes = length };
	mlv_id_of(data ? data : "", length, &pointer->ref.id);
}

/* The file as it is; FALSE if it is not there. */
static gboolean read_now(MlvRepo *repo, const char *path, MlvPointer *now)
{
	struct stat st;
	gsize length;

	if (fstatat(mlv_repo_root_fd(repo), path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return FALSE;
	if (S_ISLNK(st.st_mode)) {
		g_autofree char *whole = g_build_filename(mlv_repo_root(repo), path, NULL);
		g_autofree char *target = g_file_read_link(whole, NULL);
		set_pointer(now, st.st_mode, target, target ? strlen(target) : 0);
		return target != NULL;
	}
	g_autoptr(GBytes) bytes = mlv_repo_read_file(repo, path, FILE_MAX, NULL);
	if (!bytes)
		return FALSE;
	const void *data = g_bytes_get_data(bytes, &length);
	set_pointer(now, st.st_mode, data, length);
	return TRUE;
}

static gboolean add_file(Command *command, const char *path, const Blob *was, GError **error)
{
	MlvRebuildOut *out = g_new0(MlvRebuildOut, 1);
	gsize length;

	g_ptr_array_add(command->stage->outs, out);
	out->path = g_strdup(path);
	out->has_was = was != NULL;
	if (was) {
		g_autoptr(GBytes) bytes =
			mlv_git_read_blob(repo_of(command), &was->oid, FILE_MAX, error);
		if (!bytes)
			return FALSE;
		const void *data = g_bytes_get_data(bytes, &length);
		set_pointer(&out->was, was->mode, data, length);
	}
	out->has_now = read_now(repo_of(command), path, &out->now);
	out->differs = out->has_was != out->has_now ||
		       (out->has_was && !mlv_pointer_equal(&out->was, &out->now));
	return TRUE;
}

static gint by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_changed(GHashTable *from, GHashTable *to, gboolean gone, GPtrArray *paths)
{
	GHashTableIter at;
	gpointer path, value;

	g_hash_table_iter_init(&at, from);
	while (g_hash_table_iter_next(&at, &path, &value)) {
		const Blob *one = value, *other = g_hash_table_lookup(to, path);
		if (!other ||
		    (!gone && (one->mode != other->mode || !mlv_oid_equal(&one->oid, &other->oid))))
			g_ptr_array_add(paths, path);
	}
}

/* The files that the run changed, made or removed are what it made. */
static gboolean compare_files(Command *command, GError **error)
{
	const MlvRunEntry *entry = command->rebuilding.options->run;
	g_autoptr(MlvCommit) record = mlv_git_commit_read(repo_of(command), &entry->record, error);
	g_autoptr(GPtrArray) paths = g_ptr_array_new();

	if (!record)
		return FALSE;
	if (record->n_parents == 0)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"the record of run '%s' does not say what it began with",
				entry->name);
	g_autoptr(GHashTable) after = files_of(repo_of(command), &record->oid, error);
	g_autoptr(GHashTable) before =
		after ? files_of(repo_of(command), &record->parents[0], error) : NULL;
	if (!before)
		return FALSE;
	add_changed(after, before, FALSE, paths);
	add_changed(before, after, TRUE, paths);
	g_ptr_array_sort(paths, by_text);
	for (guint i = 0; i < paths->len; i++)
		if (!add_file(command, paths->pdata[i], g_hash_table_lookup(after, paths->pdata[i]),
			      error))
			return FALSE;
	return TRUE;
}

/* --- once more -------------------------------------------------------------------------------- */

static gboolean same_files(const Command *command)
{
	const GPtrArray *outs = command->stage->outs;

	for (guint i = 0; i < outs->len; i++) {
		const MlvRebuildOut *out = outs->pdata[i];
		MlvPointer now;
		gboolean there = read_now(repo_of(command), out->path, &now);
		if (out->differs &&
		    (there != out->has_now || (there && !mlv_pointer_equal(&now, &out->now))))
			return FALSE;
	}
	return TRUE;
}

static gboolean same_logged(const Command *command)
{
	const MlvRebuild *result = command->rebuilding.result;
	g_autoptr(GMappedFile) mapped =
		g_mapped_file_new(command->rebuilding.options->logged, FALSE, NULL);
	gsize length = mapped ? g_mapped_file_get_length(mapped) : 0;
	g_autoptr(MlvLog) log = length > 0 && length <= MLV_LOG_MAX
					? mlv_log_parse(g_mapped_file_get_contents(mapped), length,
							MLV_LOG_LAST, MLV_LOG_METRICS, NULL)
					: NULL;

	for (guint i = 0; i < result->metrics->len; i++) {
		const MlvRebuildMetric *metric = result->metrics->pdata[i];
		const MlvLogMetric *again = log ? mlv_log_find(log, metric->name) : NULL;
		g_autoptr(MlvValue) value = again ? mlv_value_new_float(again->last) : NULL;
		if (metric->differs && !mlv_value_equal(metric->now, value))
			return FALSE;
	}
	return TRUE;
}

static gboolean repeat(Command *command, GError **error)
{
	const MlvRebuildOptions *options = command->rebuilding.options;
	g_autofree char *log = g_build_filename(command->folder, "second.log", NULL);
	int status;

	if (options->again)
		options->again(1, options->user);
	if (!execute(command, log, &status, error))
		return FALSE;
	command->stage->repeat = status == 0 && same_files(command) && same_logged(command)
					 ? MLV_REPEAT_SAME
					 : MLV_REPEAT_OTHER;
	return TRUE;
}

/* --- the whole -------------------------------------------------------------------------------- */

static gboolean differs(const Command *command)
{
	const MlvRebuildStage *stage = command->stage;
	gboolean any = stage->result != MLV_REPRO_RAN;

	for (guint i = 0; i < stage->outs->len; i++)
		any |= ((MlvRebuildOut *)stage->outs->pdata[i])->differs;
	for (guint i = 0; i < stage->metrics->len; i++)
		any |= ((MlvRebuildMetric *)stage->metrics->pdata[i])->differs;
	for (guint i = 0; i < command->rebuilding.result->metrics->len; i++)
		any |= ((MlvRebuildMetric *)command->rebuilding.result->metrics->pdata[i])->differs;
	return any;
}

static gboolean rebuild(Command *command, GError **error)
{
	if (!run_first(command, error) || !compare_files(command, error) ||
	    !mlv_rebuild_compare_metrics(&command->rebuilding, error))
		return FALSE;
	command->stage->differs = differs(command);
	if (command->stage->differs && command->stage->result == MLV_REPRO_RAN &&
	    !repeat(command, error))
		return FALSE;
	mlv_rebuild_judge(&command->rebuilding);
	return TRUE;
}

MlvRebuild *mlv_rebuild_command(const MlvRebuildOptions *options, const char *folder,
				MlvRebuildPrepare prepare, GError **error)
{
	g_autoptr(MlvRebuild) result = mlv_rebuild_new();
	g_autofree char *text = mlv_run_command_text(options->run->run);
	Command command = { .rebuilding = { .options = options, .result = result },
			    .stage = mlv_rebuild_stage_new(text),
			    .folder = folder,
			    .prepare = prepare };

	g_ptr_array_add(result->stages, command.stage);
	return rebuild(&command, error) ? g_steal_pointer(&result) : NULL;
}
