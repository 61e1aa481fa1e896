/* SPDX-License-Identifier: Apache-2.0 */
/* Where a difference comes from. */
#include <string.h>

#include "core/env/environment.h"
#include "core/git_run.h"
#include "core/run/rebuild_private.h"

#define ENVIRONMENT_MAX (64u << 20) /* bytes of a recorded one */

static MlvRepo *repo_of(const Rebuilding *rebuilding)
{
	return rebuilding->options->repro.local->repo;
}

/* --- inputs ----------------------------------------------------------------------------------- */

static MlvRebuildCause *cause_new(MlvLayer layer, const char *what, char *was, char *now,
				  char *text)
{
	MlvRebuildCause *cause = g_new0(MlvRebuildCause, 1);

	cause->layer = layer;
	cause->what = g_strdup(what);
	cause->was = was;
	cause->now = now;
	cause->text = text;
	return cause;
}

/* The stage of this pipeline that makes a path, if it is one that runs; NULL otherwise. */
static const MlvStage *maker_of(const Rebuilding *rebuilding, const char *path)
{
	const MlvPipeline *pipeline = rebuilding->options->repro.pipeline;
	gint number = mlv_pipeline_producer(pipeline, path, NULL);
	const MlvStage *stage =
		number >= 0 ? mlv_pipeline_node(pipeline, (guint)number)->stage : NULL;

	return stage && !stage->frozen ? stage : NULL;
}

/* Whether a path lies in a submodule. */
static gboolean is_in_submodule(MlvRepo *repo, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		g_autofree char *folder = g_strndup(path, (gsize)(slash - path));
		g_autofree char *mark = g_build_filename(mlv_repo_root(repo), folder, ".git", NULL);
		if (g_file_test(mark, G_FILE_TEST_EXISTS))
			return TRUE;
	}
	return FALSE;
}

/* What a path belongs to: git's files are code, all else is data. */
static MlvLayer layer_of_path(const Rebuilding *rebuilding, const char *path)
{
	g_autoptr(GPtrArray) pointers = NULL;
	gboolean tracked = FALSE;
	const char *rest;

	if (mlv_files_is_outside(path) || mlv_files_is_url(path))
		return MLV_LAYER_DATA;
	pointers = mlv_git_pointers_in_workspace(repo_of(rebuilding), FALSE, NULL);
	if (pointers && mlv_tracked_cover(pointers, path, &rest))
		return MLV_LAYER_DATA;
	for (guint i = 0; pointers && i < pointers->len; i++)
		if (mlv_files_is_below(((MlvTracked *)pointers->pdata[i])->path, path))
			return MLV_LAYER_DATA;
	if (!mlv_git_tracks(repo_of(rebuilding), path, &tracked, NULL, NULL))
		return MLV_LAYER_CODE;
	return tracked || is_in_submodule(repo_of(rebuilding), path) ? MLV_LAYER_CODE
								     : MLV_LAYER_DATA;
}

static char *missing_text(const char *path)
{
	return mlv_files_is_outside(path)
		       ? g_strdup_printf("dependency '%s', outside of the repository, is not there",
					 path)
		       : g_strdup_printf("dependency '%s' is not there: neither git nor mlv "
					 "tracks it",
					 path);
}

static void add_dep(const Rebuilding *rebuilding, MlvRebuildStage *stage, const MlvReason *reason)
{
	const MlvStage *maker = maker_of(rebuilding, reason->what);
	gboolean missing = reason->type == MLV_REASON_DEP_MISSING;
	gboolean declared = reason->type == MLV_REASON_DEP_CHANGED || missing;
	/* a new dependency that is made here was written into the pipeline file */
	MlvLayer layer = maker ? (declared ? MLV_LAYER_NONE : MLV_LAYER_CODE)
			 : reason->type == MLV_REASON_DEP_GONE
				 ? MLV_LAYER_CODE
				 : layer_of_path(rebuilding, reason->what);
	MlvRebuildCause *cause =
		cause_new(layer, reason->what, g_strdup(reason->old), g_strdup(reason->new),
			  missing && !maker ? missing_text(reason->what) : mlv_reason_text(reason));

	if (layer == MLV_LAYER_NONE)
		cause->stage = g_strdup(maker->address);
	g_ptr_array_add(stage->causes, cause);
}

static void add_param(const Rebuilding *rebuilding, MlvRebuildStage *stage, const MlvReason *reason)
{
	const char *colon = strrchr(reason->what, ':');
	g_autofree char *file = g_strndup(reason->what, colon ? (gsize)(colon - reason->what)
							      : strlen(reason->what));
	const MlvStage *maker = maker_of(rebuilding, file);
	MlvRebuildCause *cause =
		cause_new(maker ? MLV_LAYER_NONE : MLV_LAYER_PARAMS, reason->what,
			  g_strdup(reason->old), g_strdup(reason->new), mlv_reason_text(reason));

	if (maker)
		cause->stage = g_strdup(maker->address);
	g_ptr_array_add(stage->causes, cause);
}

/* --- commands with parameters in them --------------------------------------------------------- */

static gboolean has_param_reason(const GPtrArray *reasons)
{
	for (guint i = 0; i < reasons->len; i++)
		if (((MlvReason *)reasons->pdata[i])->type == MLV_REASON_PARAM_CHANGED)
			return TRUE;
	return FALSE;
}

static char *git_line(MlvRepo *repo, const char *const *argv)
{
	g_autoptr(GBytes) output = NULL;
	gsize length;

	if (!mlv_git_capture(repo, argv, NULL, &output, NULL, NULL))
		return NULL;
	const char *text = g_bytes_get_data(output, &length);
	return g_strchomp(g_strndup(text ? text : "", length));
}

/* Whether the pipeline file is the one that its lock was last committed with. *known FALSE: history
 * does not reach back so far. */
static gboolean is_same_file(MlvRepo *repo, const char *rev, const MlvPipelineFile *file,
			     gboolean *known)
{
	g_autofree char *lock =
		g_strconcat(file->folder, *file->folder ? "/" : "", MLV_LOCK_NAME, NULL);
	const char *log[] = { "log", "-1", "--format=%H", rev, "--", lock, NULL };
	static const char *const shallow[] = { "rev-parse", "--is-shallow-repository", NULL };
	g_autofree char *commit = git_line(repo, log);
	g_autofree char *is_shallow = git_line(repo, shallow);
	const char *diff[] = { "diff", "--quiet", commit, rev, "--", file->path, (char *)NULL };
	g_autoptr(GBytes) output = NULL;
	int status = 1;

	*known = commit && *commit && is_shallow &&
		 !(strcmp(commit, rev) == 0 && strcmp(is_shallow, "true") == 0) &&
		 mlv_git_capture(repo, diff, NULL, &output, &status, NULL);
	return *known && status == 0;
}

/* A command is written in the pipeline file, which is code; but where that is the same, values of
 * variables in it are not. */
static MlvLayer layer_of_command(const Rebuilding *rebuilding, const MlvStage *stage,
				 const GPtrArray *reasons)
{
	gboolean known, same;

	if (stage->file->var_files->len == 0)
		return MLV_LAYER_CODE;
	same = is_same_file(repo_of(rebuilding), rebuilding->options->rev, stage->file, &known);
	if (!known)
		same = has_param_reason(reasons);
	return same ? MLV_LAYER_PARAMS : MLV_LAYER_CODE;
}

static void add_command(const Rebuilding *rebuilding, MlvRebuildStage *stage,
			const GPtrArray *reasons, const MlvReason *reason)
{
	const MlvStage *its =
		mlv_pipeline_node(rebuilding->options->repro.pipeline, stage->number)->stage;
	const MlvLockStage *old = mlv_rebuild_recorded(rebuilding, its);
	char *was = NULL, *now = NULL;

	for (guint i = 0; i < MAX(old->cmds->len, its->cmds->len) && !was && !now; i++) {
		const char *a = i < old->cmds->len ? old->cmds->pdata[i] : NULL;
		const char *b = i < its->cmds->len ? its->cmds->pdata[i] : NULL;
		if (g_strcmp0(a, b) == 0)
			continue;
		was = g_strdup(a);
		now = g_strdup(b);
	}
	g_autofree char *text = mlv_reason_text(reason);
	g_ptr_array_add(stage->causes,
			cause_new(layer_of_command(rebuilding, its, reasons), NULL, was, now,
				  g_strdup_printf("%s: %s -> %s", text, was ? was : "(none)",
						  now ? now : "(none)")));
}

static void add_code(MlvRebuildStage *stage, const MlvReason *reason)
{
	g_ptr_array_add(stage->causes, cause_new(MLV_LAYER_CODE, reason->what, NULL, NULL,
						 mlv_reason_text(reason)));
}

void mlv_rebuild_add_causes(const Rebuilding *rebuilding, MlvRebuildStage *stage,
			    const GPtrArray *reasons)
{
	for (guint i = 0; i < reasons->len; i++) {
		const MlvReason *reason = reasons->pdata[i];
		switch (reason->type) {
		case MLV_REASON_CMD:
			add_command(rebuilding, stage, reasons, reason);
			break;
		case MLV_REASON_OUT_NEW:
			add_code(stage, reason);
			break;
		case MLV_REASON_DEP_NEW:
		case MLV_REASON_DEP_GONE:
		case MLV_REASON_DEP_CHANGED:
		case MLV_REASON_DEP_MISSING:
			add_dep(rebuilding, stage, reason);
			break;
		case MLV_REASON_PARAM_NEW:
		case MLV_REASON_PARAM_GONE:
		case MLV_REASON_PARAM_CHANGED:
			add_param(rebuilding, stage, reason);
			break;
		default:
			break;
		}
	}
}

static gboolean is_exact(const MlvRebuildStage *stage)
{
	for (guint i = 0; i < stage->outs->len; i++) {
		const MlvRebuildOut *out = stage->outs->pdata[i];
		if (out->differs || out->tolerated)
			return FALSE;
	}
	return stage->made != NULL;
}

void mlv_rebuild_settle_causes(const Rebuilding *rebuilding)
{
	const GPtrArray *stages = rebuilding->result->stages;

	for (guint i = 0; i < stages->len; i++) {
		const MlvRebuildStage *stage = stages->pdata[i];
		for (guint j = 0; j < stage->causes->len; j++) {
			MlvRebuildCause *cause = stage->causes->pdata[j];
			const MlvRebuildStage *maker =
				cause->stage ? mlv_rebuild_find(rebuilding->result, cause->stage)
					     : NULL;
			if (!maker || !is_exact(maker))
				continue;
			char *text = g_strdup_printf("%s: '%s' ran since, and '%s' did not",
						     cause->text, cause->stage, stage->address);
			g_free(cause->text);
			cause->text = text;
			cause->layer = MLV_LAYER_DATA;
			g_clear_pointer(&cause->stage, g_free);
		}
	}
}

gboolean mlv_rebuild_follows(const MlvRebuildStage *stage)
{
	for (guint i = 0; i < stage->causes->len; i++)
		if (((MlvRebuildCause *)stage->causes->pdata[i])->layer == MLV_LAYER_NONE)
			return TRUE;
	return stage->result == MLV_REPRO_SKIPPED;
}

MlvLayer mlv_rebuild_own_layer(const MlvRebuildStage *stage)
{
	MlvLayer first = MLV_LAYER_NONE;

	for (guint i = 0; i < stage->causes->len; i++) {
		MlvLayer layer = ((MlvRebuildCause *)stage->causes->pdata[i])->layer;
		if (layer != MLV_LAYER_NONE && (first == MLV_LAYER_NONE || layer < first))
			first = layer;
	}
	return first;
}

/* --- the environment -------------------------------------------------------------------------- */

/* Whether a run ended with all the outputs that were recorded of the stages which differ. */
static gboolean made_them(const Rebuilding *rebuilding, const MlvRun *run)
{
	gboolean any = FALSE;

	for (guint i = 0; i < rebuilding->result->stages->len; i++) {
		const MlvRebuildStage *stage = rebuilding->result->stages->pdata[i];
		for (guint j = 0; stage->differs && j < stage->outs->len; j++) {
			const MlvRebuildOut *out = stage->outs->pdata[j];
			const MlvValue *made = mlv_value_get(run->outs, out->path);
			char hex[MLV_ID_HEX + 1];
			if (!out->has_was)
				continue;
			mlv_id_format(&out->was.ref.id, hex);
			if (!mlv_value_is(made, MLV_VALUE_STRING) ||
			    !g_str_has_suffix(made->text, hex))
				return FALSE;
			any = TRUE;
		}
	}
	return any;
}

/* The run whose environment the record was made in: itself, or, of a commit, the newest that ended
 * with the same outputs. */
static MlvRunEntry *find_run(const Rebuilding *rebuilding)
{
	g_autoptr(GPtrArray) runs = mlv_runs_read(repo_of(rebuilding), NULL, NULL);

	for (guint i = 0; runs && i < runs->len; i++) {
		const MlvRunEntry *entry = runs->pdata[i];
		if (entry->run->state == MLV_RUN_DONE && made_them(rebuilding, entry->run))
			return mlv_runs_find(repo_of(rebuilding), entry->name, NULL);
	}
	return NULL;
}

static void add_difference(const char *path, const MlvValue *from, const MlvValue *to,
			   gpointer user)
{
	const Rebuilding *rebuilding = user;
	char *was = from ? mlv_value_written(from) : NULL;
	char *now = to ? mlv_value_written(to) : NULL;

	/* each container has a name of its own */
	if (g_str_has_prefix(path, "container")) {
		g_free(was);
		g_free(now);
		return;
	}
	g_ptr_array_add(rebuilding->result->environment,
			cause_new(MLV_LAYER_ENVIRONMENT, path, was, now,
				  g_strdup_printf("%s: %s -> %s", path, was ? was : "(none)",
						  now ? now : "(none)")));
}

static void compare_environment(const Rebuilding *rebuilding)
{
	const MlvRebuildOptions *options = rebuilding->options;
	g_autoptr(MlvRunEntry) found = options->run ? NULL : find_run(rebuilding);
	const MlvRunEntry *entry = options->run ? options->run : found;
	g_autoptr(GBytes) bytes = entry ? mlv_run_read_file(repo_of(rebuilding), entry, "env.json",
							    ENVIRONMENT_MAX, NULL)
					: NULL;
	gsize length;

	if (!bytes || !options->environment)
		return;
	const char *data = g_bytes_get_data(bytes, &length);
	g_autoptr(MlvValue) was = mlv_value_parse_json(data ? data : "", length, "env.json", NULL);
	if (!was)
		return;
	g_autoptr(MlvValue) now = options->environment(options->user);
	rebuilding->result->environment_run = g_strdup(entry->name);
	mlv_environment_compare(was, now, add_difference, (gpointer)rebuilding);
}

/* --- the verdict ------------------------------------------------------------------------------ */

/* A program that gives two results in one environment needs no other to explain a third. */
static MlvLayer layer_of_rest(const Rebuilding *rebuilding, MlvRepeat repeat)
{
	return repeat != MLV_REPEAT_OTHER && rebuilding->result->environment->len > 0
		       ? MLV_LAYER_ENVIRONMENT
		       : MLV_LAYER_PROGRAM;
}

static void judge_stage(const Rebuilding *rebuilding, MlvRebuildStage *stage)
{
	MlvRebuild *result = rebuilding->result;

	stage->layer = mlv_rebuild_own_layer(stage);
	if (stage->layer == MLV_LAYER_NONE && !mlv_rebuild_follows(stage))
		stage->layer = layer_of_rest(rebuilding, stage->repeat);
	if (stage->layer != MLV_LAYER_NONE &&
	    (result->layer == MLV_LAYER_NONE || stage->layer < result->layer))
		result->layer = stage->layer;
	result->repeat = MAX(result->repeat, stage->repeat);
}

void mlv_rebuild_judge(const Rebuilding *rebuilding)
{
	MlvRebuild *result = rebuilding->result;
	gboolean differs = FALSE;

	for (guint i = 0; i < result->stages->len; i++)
		differs |= ((MlvRebuildStage *)result->stages->pdata[i])->differs;
	for (guint i = 0; i < result->metrics->len; i++)
		differs |= ((MlvRebuildMetric *)result->metrics->pdata[i])->differs;
	result->reproduced = !differs;
	if (!differs)
		return;
	compare_environment(rebuilding);
	for (guint i = 0; i < result->stages->len; i++) {
		MlvRebuildStage *stage = result->stages->pdata[i];
		if (stage->differs)
			judge_stage(rebuilding, stage);
	}
	/* it follows from what is tolerated, or it was only logged */
	if (result->layer == MLV_LAYER_NONE)
		result->layer = layer_of_rest(rebuilding, result->repeat);
}
