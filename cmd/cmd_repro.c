/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/pipelines.h"
#include "cmd/repro_tell.h"
#include "cmd/session.h"
#include "cmd/verify_call.h"

typedef struct {
	gboolean dry_run, force, keep_going, single, downstream, pull, no_run_cache, all, json;
	gboolean verify;
	char **tolerances;
	char *junit, *worker;
	gboolean trace, trace_all, strict;
} Options;

static void options_clear(Options *opt)
{
	g_strfreev(opt->tolerances);
	g_free(opt->junit);
	g_free(opt->worker);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean check(const Options *opt, const MlvWords *words, GError **error)
{
	if (opt->single && opt->downstream)
		return mlv_fail(
			error, MLV_ERROR_USAGE,
			"-s is about the stages named alone, --downstream about what follows "
			"them: use one of the two");
	if (opt->verify &&
	    (opt->dry_run || opt->force || opt->keep_going || opt->single || opt->downstream ||
	     opt->pull || opt->no_run_cache || opt->all || opt->trace))
		return mlv_fail(
			error, MLV_ERROR_USAGE,
			"--verify runs everything anew in a work tree of its own: of the other "
			"options only -j, --json, --junit and --tolerance go with it");
	if (!opt->verify && (opt->tolerances || opt->junit))
		return mlv_fail(error, MLV_ERROR_USAGE,
				"--tolerance and --junit are about what --verify compares");
	if (opt->dry_run && opt->trace)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"-n runs nothing, and what does not run cannot be traced: use -n "
				"or --trace");
	if ((opt->trace_all || opt->strict) && !opt->trace)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"--trace-all and --strict say more of --trace: give that too");
	if (opt->all && words->n_before + words->n_after > 0)
		return mlv_fail(error, MLV_ERROR_USAGE, "-P means all stages: name none with it");
	return TRUE;
}

/* A run that `mlv run` has begun gives its name; it becomes that of a folder. */
static char *run_name(const char *const *variables)
{
	const char *name = g_environ_getenv((char **)variables, "MLV_RUN");

	if (name && *name && *name != '.' && !strchr(name, '/') && strlen(name) <= MLV_NAME_MAX)
		return g_strdup(name);
	return mlv_repro_run_name();
}

static gboolean run(MlvCmd *cmd, const Options *opt, MlvLocal *local, const MlvPipelines *pipelines,
		    const GArray *targets, GError **error)
{
	g_auto(GStrv) variables = g_get_environ();
	g_autofree char *name = run_name((const char *const *)variables);
	g_auto(MlvReproTell) tell = { 0 };
	MlvReproTotals totals;
	MlvReproOptions options = {
		.local = local,
		.pipeline = pipelines->pipeline,
		.files = &pipelines->files,
		.environ = (const char *const *)variables,
		.run = name,
		.dry_run = opt->dry_run,
		.force = opt->force,
		.keep_going = opt->keep_going,
		.pull = opt->pull,
		.single = opt->single,
		.downstream = opt->downstream,
		.no_run_cache = opt->no_run_cache,
		.trace = opt->trace,
		.trace_all = opt->trace_all,
		.jobs = cmd->jobs,
		.cancel = cmd->cancel,
	};

	mlv_repro_tell_init(&tell, cmd, opt->dry_run, cmd->jobs > 1, opt->json);
	tell.strict = opt->strict;
	mlv_repro_tell_options(&tell, &options);
	return mlv_repro(&options, targets, &totals, error) &&
	       mlv_repro_tell_end(&tell, name, &totals, error);
}

static GArray *find_targets(const Options *opt, const MlvPipelines *pipelines,
			    const MlvWords *words, GError **error)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();

	for (guint i = 0; i < words->n_before; i++)
		g_ptr_array_add(all, words->before[i]);
	for (guint i = 0; i < words->n_after; i++)
		g_ptr_array_add(all, words->after[i]);
	return opt->all ? mlv_pipelines_all(pipelines)
			: mlv_pipelines_targets(pipelines, (char *const *)all->pdata, all->len,
						error);
}

/* "--verify=REV": the option is a flag, and what it is about a word; both are taken in one too. */
static const char *take_verified(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (g_str_has_prefix(argv[i], "--verify=")) {
			const char *rev = argv[i] + strlen("--verify=");
			argv[i] = (char *)"--verify";
			return rev;
		}
	return NULL;
}

static gboolean verify(MlvCmd *cmd, const Options *opt, const char *rev, const MlvWords *words,
		       GError **error)
{
	gboolean first = !rev && words->n_before > 0;
	const MlvVerifyCall call = { .cmd = cmd,
				     .rev = first ? words->before[0]
					    : rev ? rev
						  : "HEAD",
				     .targets = { .before = words->before + first,
						  .n_before = words->n_before - first,
						  .after = words->after,
						  .n_after = words->n_after },
				     .tolerances = opt->tolerances,
				     .junit = opt->junit,
				     .folder = opt->worker,
				     .json = opt->json };

	return opt->worker ? mlv_verify_call_worker(&call, error) : mlv_verify_call(&call, error);
}

gboolean mlv_cmd_repro(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_auto(Options) opt = { 0 };
	const GOptionEntry entries[] = {
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &opt.dry_run,
		  "only say what would run, and why", NULL },
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &opt.force,
		  "run the stages whether they have changed or not", NULL },
		{ "single-item", 's', 0, G_OPTION_ARG_NONE, &opt.single,
		  "only the stages named, not what they need", NULL },
		{ "downstream", 0, 0, G_OPTION_ARG_NONE, &opt.downstream,
		  "the stages named and what follows them", NULL },
		{ "keep-going", 'k', 0, G_OPTION_ARG_NONE, &opt.keep_going,
		  "after a failure go on with what does not need it", NULL },
		{ "all-pipelines", 'P', 0, G_OPTION_ARG_NONE, &opt.all,
		  "the stages of all pipeline files", NULL },
		{ "pull", 0, 0, G_OPTION_ARG_NONE, &opt.pull,
		  "fetch data that a stage needs and that is not here", NULL },
		{ "no-run-cache", 0, 0, G_OPTION_ARG_NONE, &opt.no_run_cache,
		  "run what was computed before, too", NULL },
		{ "verify", 0, 0, G_OPTION_ARG_NONE, &opt.verify,
		  "run a commit or run again from nothing, and compare what comes of it",
		  "[REV | RUN]" },
		{ "tolerance", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt.tolerances,
		  "with --verify: how far a metric may be from what it was", "NAME=NUMBER" },
		{ "junit", 0, 0, G_OPTION_ARG_STRING, &opt.junit,
		  "with --verify: write what was found to this file, as JUnit has it", "FILE" },
		{ "worker", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &opt.worker,
		  "verify here, in a clean work tree", "FOLDER" },
		{ "trace", 0, 0, G_OPTION_ARG_NONE, &opt.trace,
		  "run the stages and tell what they read and wrote undeclared", NULL },
		{ "trace-all", 0, 0, G_OPTION_ARG_NONE, &opt.trace_all,
		  "with --trace: files of the system and of programs too", NULL },
		{ "strict", 0, 0, G_OPTION_ARG_NONE, &opt.strict,
		  "with --trace: undeclared files are a failure", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};
	g_auto(MlvPipelines) pipelines = { 0 };
	const char *verified = take_verified(argc, argv);

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[TARGET...]\nmlv repro\nmlv repro -n\nmlv repro -j 4 train\n"
			       "mlv repro sub/mlv.yaml:prepare\n"
			       "mlv repro --verify HEAD~1\nmlv repro --verify HEAD -- train",
			       error))
		return FALSE;
	MlvWords words = mlv_options_words(cmd, argc, argv);
	if (!check(&opt, &words, error))
		return FALSE;
	if (opt.verify)
		return verify(cmd, &opt, verified, &words, error);
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);
	if (!local || !mlv_pipelines_open(&pipelines, local->repo, error))
		return FALSE;
	g_autoptr(GArray) targets = find_targets(&opt, &pipelines, &words, error);
	return targets && run(cmd, &opt, local, &pipelines, targets, error);
}
