/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/pipeline/params.h"
#include "core/pipeline/stages.h"
#include "tests/unit/memory_files.h"

#define PARAMS                                                              \
	"lr: 1e-3\nmodels: [cnn, rf]\nname: hello\nTOP: ..\nflag: false\n"  \
	"sets:\n  us: {epochs: 3}\n  uk: {epochs: 4}\nlol: [[1, 2], [3]]\n" \
	"tree:\n  a: {x: 1, y: 2}\n  b: {z: 3}\n"

/* The file beside params.yaml and others, in the folder "sub". */
static MlvPipelineFile *read_text(const char *text, GError **error)
{
	const MemoryFile table[] = {
		{ "sub/dvc.yaml", text },
		{ "sub/params.yaml", PARAMS },
		{ "params.yaml", "lr: 5\nabove: {a: 1}\n" },
		{ "v.json", "{\"j\": 1.50}" },
		{ "sub/src/w.yaml", "w: 9\n" },
		{ "sub/a[1].txt", "x" },
		{ NULL, NULL },
	};
	const MlvFiles files = memory_files(table);
	return mlv_pipeline_file_read(&files, "sub/dvc.yaml", error);
}

static void append_stage(GString *text, const MlvStage *stage)
{
	static const char *const out_types[] = { "out", "metric", "plot" };
	static const char *const dep_types[] = { "dep", "glob", "outside", "url" };

	g_string_append_printf(text, "%s in '%s'%s%s", stage->name, stage->wdir,
			       stage->frozen ? " frozen" : "",
			       stage->always_changed ? " always" : "");
	for (guint i = 0; i < stage->cmds->len; i++)
		g_string_append_printf(text, " $(%s)", (const char *)stage->cmds->pdata[i]);
	for (guint i = 0; i < stage->deps->len; i++) {
		const MlvDep *dep = stage->deps->pdata[i];
		g_string_append_printf(text, " %s:%s%s", dep_types[dep->type], dep->path,
				       dep->folder ? "/" : "");
	}
	for (guint i = 0; i < stage->params->len; i++) {
		const MlvParamsDep *params = stage->params->pdata[i];
		g_string_append_printf(text, " params:%s", params->file);
		for (guint j = 0; j < params->keys->len; j++)
			g_string_append_printf(text, ",%s", (const char *)params->keys->pdata[j]);
	}
	for (guint i = 0; i < stage->outs->len; i++) {
		const MlvOut *out = stage->outs->pdata[i];
		g_string_append_printf(text, " %s:%s%s%s%s%s", out_types[out->type], out->path,
				       out->folder ? "/" : "", out->cache ? "" : "-nocache",
				       out->persist ? "-persist" : "", out->push ? "" : "-nopush");
	}
	g_string_append_c(text, '\n');
}

/* What the text of a file resolves to, a line a stage. */
static void assert_stages(const char *text, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvPipelineFile) file = read_text(text, &error);
	g_autoptr(GString) all = g_string_new("");

	if (!file)
		fail_msg("%s", error->message);
	for (guint i = 0; i < file->stages->len; i++)
		append_stage(all, file->stages->pdata[i]);
	assert_string_equal(all->str, expected);
}

static void a_stage_has_all_that_is_written_of_it(void **state)
{
	assert_stages(
		"stages:\n"
		"  train:\n"
		"    cmd: python train.py --lr ${lr}\n"
		"    wdir: src\n"
		"    deps: [train.py, ../data//raw/, ./x, /home/ann/project/top, /etc/y, "
		"../../../z, 's3://b/k', train.py]\n"
		"    params: [lr, a.b, {../../v.json: [j]}, {w.yaml: }, lr]\n"
		"    outs: [m.pkl, {../o/: {cache: false, persist: true, push: false, "
		"remote: r, desc: d, type: t, labels: [l], meta: {a: 1}, checkpoint: true}}]\n"
		"    metrics: [{m.json: {cache: false}}]\n"
		"    plots: [{p.csv: {x: a, y: b, cache: false}}, {q.csv: [{x: a}, {x: b}]}]\n"
		"    frozen: true\n"
		"    always_changed: true\n"
		"    desc: what it does\n"
		"    meta: {any: [thing]}\n",
		"train in 'sub/src' frozen always $(python train.py --lr 0.001) "
		"dep:sub/src/train.py dep:sub/data/raw/ dep:sub/src/x dep:top outside:/etc/y "
		"outside:../z url:s3://b/k params:sub/src/params.yaml,lr,a.b params:v.json,j "
		"params:sub/src/w.yaml out:sub/src/m.pkl out:sub/o/-nocache-persist-nopush "
		"metric:sub/src/m.json-nocache plot:sub/src/p.csv-nocache "
		"plot:sub/src/q.csv\n");
}

static void the_details_are_kept(void **state)
{
	g_autoptr(MlvPipelineFile) file = read_text("shell: zsh\n"
						    "stages:\n"
						    "  a:\n"
						    "    cmd: x\n"
						    "    desc: says ${name}\n"
						    "    meta: {k: v}\n"
						    "    outs:\n"
						    "    - o: {remote: r, desc: d}\n"
						    "    - \"${name}\"\n"
						    "  b: {cmd: y, shell: /bin/dash}\n",
						    NULL);
	const MlvStage *stage = mlv_pipeline_file_stage(file, "a");
	const MlvOut *first = stage->outs->pdata[0], *second = stage->outs->pdata[1];

	assert_string_equal(stage->address, "sub/dvc.yaml:a");
	assert_string_equal(stage->shell, "zsh");
	assert_string_equal(mlv_pipeline_file_stage(file, "b")->shell, "/bin/dash");
	assert_string_equal(stage->desc, "says hello");
	assert_string_equal(mlv_value_get(stage->meta, "k")->text, "v");
	assert_string_equal(first->remote, "r");
	assert_string_equal(first->desc, "d");
	assert_string_equal(second->written, "hello");
	assert_int_equal(stage->where.line, 3);
	assert_int_equal(stage->where.column, 3);
	assert_int_equal(first->where.line, 8);
	assert_int_equal(second->where.column, 7);
	assert_null(mlv_pipeline_file_stage(file, "c"));
	assert_string_equal(file->var_files->pdata[0], "sub/params.yaml");
}

static void commands_of_several_lines_are_several_commands(void **state)
{
	assert_stages("stages:\n"
		      "  list:\n"
		      "    cmd:\n"
		      "    - echo ${name}\n"
		      "    - |\n"
		      "      if x; then\n"
		      "        y\n"
		      "      fi\n"
		      "  lines:\n"
		      "    cmd: |\n"
		      "      one\n"
		      "\n"
		      "      two \\\n"
		      "        more\n"
		      "      three \\\\\n"
		      "  folded:\n"
		      "    cmd: >\n"
		      "      python x.py\n"
		      "      --lr ${lr}\n"
		      "  quoted:\n"
		      "    cmd: \"python x.py\n"
		      "      --lr ${lr}\"\n"
		      "  crlf: {cmd: \"a\\r\\nb\\rc\"}\n",
		      "list in 'sub' $(echo hello) $(if x; then\n  y\nfi\n)\n"
		      "lines in 'sub' $(one) $(two \\\n  more) $(three \\\\)\n"
		      "folded in 'sub' $(python x.py --lr 0.001)\n"
		      "quoted in 'sub' $(python x.py --lr 0.001)\n"
		      "crlf in 'sub' $(a) $(b) $(c)\n");
}

static void groups_are_spread_out_and_named_as_in_dvc(void **state)
{
	assert_stages("stages:\n"
		      "  a: {foreach: '${models}', do: {cmd: 'x ${item}', outs: ['o/${item}']}}\n"
		      "  b: {foreach: '${sets}', do: {cmd: 'x ${key} ${item.epochs}'}}\n"
		      "  c: {foreach: '${lol}', do: {cmd: 'x ${item[0]}'}}\n"
		      "  d: {foreach: [1, 2.50, true, null, x, x], do: {cmd: 'x ${item}'}}\n"
		      "  e: {foreach: {1: a, k: {v: b}}, do: {cmd: 'x ${key}'}}\n"
		      "  f: {foreach: [], do: {cmd: x}}\n",
		      "a@cnn in 'sub' $(x cnn) out:sub/o/cnn\na@rf in 'sub' $(x rf) out:sub/o/rf\n"
		      "b@us in 'sub' $(x us 3)\nb@uk in 'sub' $(x uk 4)\n"
		      "c@0 in 'sub' $(x 1)\nc@1 in 'sub' $(x 3)\n"
		      "d@1 in 'sub' $(x 1)\nd@2.5 in 'sub' $(x 2.5)\nd@true in 'sub' $(x true)\n"
		      "d@None in 'sub' $(x None)\nd@x in 'sub' $(x x)\n"
		      "e@1 in 'sub' $(x 1)\ne@k in 'sub' $(x k)\n");
}

static void a_matrix_is_every_combination(void **state)
{
	assert_stages("stages:\n"
		      "  g:\n"
		      "    matrix: {m: '${models}', f: [1, 1e-5], set: [{q: 1}, [2]]}\n"
		      "    cmd: x ${item.m} ${item.f} ${key}\n",
		      "g@cnn-1-set0 in 'sub' $(x cnn 1 cnn-1-set0)\n"
		      "g@cnn-1-set1 in 'sub' $(x cnn 1 cnn-1-set1)\n"
		      "g@cnn-1e-05-set0 in 'sub' $(x cnn 1e-05 cnn-1e-05-set0)\n"
		      "g@cnn-1e-05-set1 in 'sub' $(x cnn 1e-05 cnn-1e-05-set1)\n"
		      "g@rf-1-set0 in 'sub' $(x rf 1 rf-1-set0)\n"
		      "g@rf-1-set1 in 'sub' $(x rf 1 rf-1-set1)\n"
		      "g@rf-1e-05-set0 in 'sub' $(x rf 1e-05 rf-1e-05-set0)\n"
		      "g@rf-1e-05-set1 in 'sub' $(x rf 1e-05 rf-1e-05-set1)\n");
}

static void foreach_nests(void **state)
{
	assert_stages(
		"stages:\n"
		"  n:\n"
		"    foreach: ${tree}\n"
		"    do:\n"
		"      foreach: ${item}\n"
		"      do: {cmd: 'x ${parent.key} ${key} ${item}'}\n"
		"  l:\n"
		"    foreach: [a, b]\n"
		"    do:\n"
		"      foreach: [1]\n"
		"      do:\n"
		"        foreach: {k: v}\n"
		"        do: {cmd: 'x ${parent.parent.item} ${parent.item} ${item}'}\n"
		"  m:\n"
		"    foreach: [a]\n"
		"    do: {matrix: {p: [1, 2]}, cmd: 'x ${parent.item} ${item.p}'}\n",
		"n@a@x in 'sub' $(x a x 1)\nn@a@y in 'sub' $(x a y 2)\nn@b@z in 'sub' $(x b z 3)\n"
		"l@a@1@k in 'sub' $(x a 1 v)\nl@b@1@k in 'sub' $(x b 1 v)\n"
		"m@a@1 in 'sub' $(x a 1)\nm@a@2 in 'sub' $(x a 2)\n");
	g_autoptr(MlvPipelineFile) file =
		read_text("stages: {n: {foreach: [a], do: {foreach: [b], do: {cmd: x}}}}\n", NULL);
	const MlvStage *stage = file->stages->pdata[0];
	assert_int_equal(stage->groups->len, 2);
	assert_string_equal(stage->groups->pdata[0], "n");
	assert_string_equal(stage->groups->pdata[1], "n@a");
}

static void variables_come_from_the_file_and_the_stage(void **state)
{
	assert_stages(
		"vars: [{top: 1, deep: {a: {b: [1, {c: z}]}}}, ../params.yaml:above, ../v.json]\n"
		"stages:\n"
		"  a: {cmd: 'x ${top} ${deep.a.b[1].c} ${above.a} ${j} ${lr}'}\n"
		"  b:\n"
		"    wdir: src\n"
		"    vars: [{loc: 3, deep: {n: 4}}, w.yaml]\n"
		"    cmd: x ${loc} ${deep.n} ${w} ${deep.a.b[0]}\n"
		"  c:\n"
		"    wdir: ..\n"
		"    vars: [src/w.yaml]\n"
		"    cmd: x ${w}\n"
		"    deps: ['${TOP}/d']\n",
		"a in 'sub' $(x 1 z 1 1.5 0.001)\n"
		"b in 'sub/src' $(x 3 4 9 1)\n"
		"c in '' $(x 9) outside:../d\n");
}

static void lists_of_templates_are_spread_in_place(void **state)
{
	assert_stages(
		"stages:\n"
		"  a: {cmd: x, deps: '${models}', outs: [q, '${lol[0]}']}\n"
		"  b: {cmd: x, deps: ['${models}'], outs: [{'o/${name}': {cache: '${flag}'}}]}\n",
		"a in 'sub' $(x) dep:sub/cnn dep:sub/rf out:sub/q out:sub/1 out:sub/2\n"
		"b in 'sub' $(x) dep:sub/cnn dep:sub/rf out:sub/o/hello-nocache\n");
}

static void patterns_are_globs_unless_a_file_is_called_so(void **state)
{
	assert_stages(
		"stages:\n"
		"  a: {cmd: x, deps: ['d/*.csv', '../q/**/x?', 'a[1].txt', 'b[', 'c[12]/']}\n",
		"a in 'sub' $(x) glob:sub/d/*.csv glob:q/**/x? dep:sub/a[1].txt dep:sub/b[ "
		"glob:sub/c[12]/\n");
}

static void what_dvc_takes_silently_is_taken(void **state)
{
	assert_stages("", "");
	assert_stages("stages:\n", "");
	assert_stages("datasets: [{name: n, type: dvc, url: u}]\n"
		      "stages:\n"
		      "  a: {cmd: x, deps: , outs: [o, {o: {persist: true}}], plots: [p.csv: ]}\n",
		      "a in 'sub' $(x) out:sub/o-persist plot:sub/p.csv\n");
}

static void top_level_lists_are_read(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvPipelineFile) file =
		read_text("params: [params.yaml]\n"
			  "metrics: ['${name}.json', ../m.json]\n"
			  "plots:\n"
			  "- a.csv\n"
			  "- roc: {x: fpr, y: {b.csv: [tpr]}, title: t}\n"
			  "- c.csv:\n"
			  "artifacts:\n"
			  "  mymodel: {path: m.pkl, type: model, labels: [a], desc: d, meta: {}}\n",
			  &error);

	assert_null(error);
	const MlvPipelineItem *item = file->params->pdata[0];
	assert_string_equal(item->path, "sub/params.yaml");
	item = file->metrics->pdata[0];
	assert_string_equal(item->path, "sub/hello.json");
	item = file->metrics->pdata[1];
	assert_string_equal(item->path, "m.json");
	item = file->plots->pdata[1];
	assert_string_equal(item->name, "roc");
	assert_string_equal(mlv_value_get(item->options, "x")->text, "fpr");
	assert_int_equal(file->plots->len, 3);
	item = file->artifacts->pdata[0];
	assert_string_equal(item->name, "mymodel");
	assert_string_equal(item->path, "sub/m.pkl");
}

static void assert_refused(const char *text, const char *message)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvPipelineFile) file = read_text(text, &error);

	if (file)
		fail_msg("taken: %s", text);
	if (strcmp(error->message, message) != 0)
		fail_msg("'%s' for\n%s", error->message, text);
}

#define AT(line, column) "sub/dvc.yaml:" #line ":" #column ": "

static void what_is_wrong_names_file_line_and_column(void **state)
{
	assert_refused("stage: {}\n",
		       AT(1, 1) "a pipeline file has no 'stage'; did you mean 'stages'?");
	assert_refused("- a\n",
		       AT(1, 1) "a pipeline file is expected to be a map with 'stages', and "
				"this is a list");
	assert_refused("stages:\n  a: {cmd: x, dep: [y]}\n",
		       AT(2, 15) "a stage has no 'dep'; did you mean 'deps'?");
	assert_refused("stages:\n  a: {deps: [y]}\n",
		       AT(2, 3) "a stage needs a 'cmd', and this has "
				"none");
	assert_refused("stages:\n  a: x\n",
		       AT(2, 3) "a stage is expected to be a map with at least "
				"'cmd', and this is a string");
	assert_refused("stages: [a]\n", AT(1, 9) "'stages' is expected to be a map of names and "
						 "stages, and this is a list");
	assert_refused(
		"stages:\n  a: {cmd: x, outs: y}\n",
		AT(2, 21) "'outs' is expected to be a list ('- ' before each item), and this "
			  "is a string (stage 'a')");
	assert_refused("stages:\n  a: {cmd: x, frozen: 1}\n",
		       AT(2, 23) "'frozen' is expected to be true or false, and this is a whole "
				 "number (stage 'a')");
	assert_refused("stages:\n  a: {cmd: x, outs: [{y: {cached: true}}]}\n",
		       AT(2, 27) "an output has no 'cached'; did you mean 'cache'? (stage 'a')");
	assert_refused("stages:\n  a:\n    cmd: x\n    outs:\n      - y:\n        cache: false\n",
		       AT(6, 9) "'cache' stands beside a path, and belongs to it: indent it by two "
				"more (stage 'a')");
	assert_refused(
		"stages:\n  a: {cmd: x, outs: [{y: no}]}\n",
		AT(2, 26) "'y' is expected to be a map such as {cache: false}, and this is a "
			  "string (stage 'a')");
	assert_refused("stages:\n  a: {cmd: ''}\n", AT(2, 12) "'cmd' is empty (stage 'a')");
	assert_refused(
		"stages:\n  a: {cmd: {x: y}}\n",
		AT(2, 12) "'cmd' is expected to be a command or a list of them, and this is a "
			  "map (stage 'a')");
	assert_refused("stages:\n  a: {foreach: 3, do: {cmd: x}}\n",
		       AT(2, 16) "'foreach' is expected to be a list or a map, and this is a whole "
				 "number");
	assert_refused("stages:\n  a: {foreach: [1], do: {cmd: x}, deps: [y]}\n",
		       AT(2, 35) "'deps' stands beside 'foreach', and belongs under 'do'");
	assert_refused("stages:\n  a: {foreach: [1]}\n",
		       AT(2, 3) "'foreach' needs a 'do' with the stage that is repeated");
	assert_refused("stages:\n  a: {matrix: {m: x}, cmd: x}\n",
		       AT(2, 16) "'m' of the matrix is expected to be a list, and is a string");
	assert_refused("stages:\n  a: {matrix: {m: [a-b, a], n: [c, b-c]}, cmd: x}\n",
		       AT(2, 15) "two stages of the matrix would be called 'a@a-b-c'");
}

static void paths_and_names_that_cannot_be_are_refused(void **state)
{
	assert_refused(
		"stages:\n  a@b: {cmd: x}\n",
		AT(2, 3) "a stage cannot be called 'a@b': '@' and control characters are not "
			 "possible in its name");
	assert_refused("stages:\n  a: {cmd: x, outs: [../../y]}\n",
		       AT(2, 22) "the output '../../y' lies outside of the repository, where mlv "
				 "cannot keep it (stage 'a')");
	assert_refused(
		"stages:\n  a: {cmd: x, outs: ['s3://b/y']}\n",
		AT(2, 22) "the output 's3://b/y' lies outside of the repository: write it to "
			  "a file of the repository, and copy it in the command (stage 'a')");
	assert_refused("stages:\n  a: {cmd: x, outs: [..]}\n",
		       AT(2, 22) "the repository itself cannot be an output (stage 'a')");
	assert_refused("stages:\n  a: {cmd: x, outs: [.]}\n",
		       AT(2, 22) "the output '.' is or holds a pipeline's own file (stage 'a')");
	assert_refused("stages:\n  a: {cmd: x, outs: [y], metrics: [y]}\n",
		       AT(2, 36) "the output 'y' stands under another heading too (line 2) (stage "
				 "'a')");
	assert_refused("stages:\n  a: {cmd: x, wdir: ../..}\n",
		       AT(2, 21) "the folder '../..' lies outside of the repository, where a stage "
				 "cannot run (stage 'a')");
	assert_refused(
		"stages:\n  a: {cmd: x, params: [{p.py: }]}\n",
		AT(2, 25) "'sub/p.py' is a Python program, which is not run to read "
			  "parameters: keep them in a YAML or JSON file, which the program can "
			  "load (stage 'a')");
	assert_refused(
		"stages:\n  a: {cmd: x, params: [{p.yaml: k}]}\n",
		AT(2, 33) "'p.yaml' is expected to be a list of its parameters, or nothing for "
			  "all of them, and this is a string (stage 'a')");
	assert_refused("stages:\n  a: {cmd: x, live: {x: 1}}\n",
		       AT(2, 15) "a stage cannot have 'live': DVC 3 has no 'live' either: list its "
				 "files under 'metrics' and 'plots'");
	assert_refused(
		"stages:\n  a: {cmd: x, deps: ['ds://n']}\n",
		AT(2, 22) "'ds://n' is a dataset of DVC's registry, which mlv has not: bring "
			  "the data in with 'mlv import' and name its path (stage 'a')");
	assert_refused(
		"stages:\n  a: {cmd: x, deps: [\"a\\nb\"]}\n",
		AT(2, 22) "a path that the stage depends on is expected, and this has a line "
			  "end or another control character (stage 'a')");
	assert_refused("vars: ['${name}.yaml']\n",
		       AT(1, 8) "'vars' cannot have templates, since they are what templates see");
	assert_refused(
		"vars: [{lr: 2}]\n",
		AT(1, 13) "the variable 'lr' has another value already ('sub/params.yaml' line "
			  "1); give one of them another name");
	assert_refused("stages:\n  a:\n    foreach: [1]\n    do:\n      cmd: x ${itm}\n",
		       AT(5, 14) "there is no variable 'itm'; did you mean 'item'? (stage 'a@1')");
	assert_refused("artifacts: {m: {type: x}}\n",
		       AT(1, 13) "the artifact 'm' is expected to be a map with a 'path'");
	assert_refused("plots: [{a.csv: {z: 1}}]\n",
		       AT(1, 18) "a plot has no 'z'; it can have x, y, "
				 "x_label, y_label, title, template, "
				 "header, bins");
}

static void hostile_matrices_end_soon(void **state)
{
	g_autoptr(GString) text = g_string_new("stages:\n  a:\n    cmd: x\n    matrix:\n");
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < 20; i++)
		g_string_append_printf(text, "      k%u: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n", i);
	assert_null(read_text(text->str, &error));
	assert_non_null(strstr(error->message, "the matrix has more than 100000 stages"));
}

static void names_of_new_stages_are_checked(void **state)
{
	assert_true(mlv_stage_check_name("train-2_b", NULL));
	assert_false(mlv_stage_check_name("a@b", NULL));
	assert_false(mlv_stage_check_name("a/b", NULL));
	assert_false(mlv_stage_check_name("", NULL));
}

static void parameters_have_the_values_of_their_files(void **state)
{
	static const MemoryFile table[] = {
		{ "dvc.yaml",
		  "stages:\n"
		  "  a: {cmd: x, params: [t.lr, 'l[1]', none, {w.yaml: }, {n.json: [x]}, "
		  "{gone.yaml: }]}\n" },
		{ "params.yaml", "t: {lr: 1e-3}\nl: [1, 2]\n" },
		{ "w.yaml", "b: 2\na: {c: 1}\n" },
		{ NULL, NULL },
	};
	const MlvFiles files = memory_files(table);
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvPipelineFile) file = mlv_pipeline_file_read(&files, "dvc.yaml", &error);
	assert_null(error);
	const MlvStage *stage = file->stages->pdata[0];
	g_autoptr(MlvParamsCache) cache = mlv_params_cache_new(&files);
	g_autoptr(GPtrArray) params = mlv_params_resolve(cache, stage, &error);
	g_autoptr(GString) text = g_string_new("");

	assert_null(error);
	for (guint i = 0; i < params->len; i++) {
		const MlvParam *param = params->pdata[i];
		g_autofree char *value = param->value ? mlv_value_written(param->value) : NULL;
		g_string_append_printf(text, "%s %s %s\n", param->file, param->key,
				       value ? value : "-");
	}
	assert_string_equal(text->str, "gone.yaml  -\nn.json x -\nparams.yaml l[1] 2\n"
				       "params.yaml none -\nparams.yaml t.lr 1e-3\n"
				       "w.yaml a {\"c\": 1}\nw.yaml b 2\n");
	assert_false(mlv_params_check(params, stage, &error));
	assert_string_equal(error->message,
			    "stage 'a' depends on the parameters in 'gone.yaml', which "
			    "is not there");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stage_has_all_that_is_written_of_it),
		cmocka_unit_test(the_details_are_kept),
		cmocka_unit_test(commands_of_several_lines_are_several_commands),
		cmocka_unit_test(groups_are_spread_out_and_named_as_in_dvc),
		cmocka_unit_test(a_matrix_is_every_combination),
		cmocka_unit_test(foreach_nests),
		cmocka_unit_test(variables_come_from_the_file_and_the_stage),
		cmocka_unit_test(lists_of_templates_are_spread_in_place),
		cmocka_unit_test(patterns_are_globs_unless_a_file_is_called_so),
		cmocka_unit_test(what_dvc_takes_silently_is_taken),
		cmocka_unit_test(top_level_lists_are_read),
		cmocka_unit_test(what_is_wrong_names_file_line_and_column),
		cmocka_unit_test(paths_and_names_that_cannot_be_are_refused),
		cmocka_unit_test(hostile_matrices_end_soon),
		cmocka_unit_test(names_of_new_stages_are_checked),
		cmocka_unit_test(parameters_have_the_values_of_their_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
