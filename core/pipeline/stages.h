/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pipeline file (mlv.yaml, or dvc.yaml where its folder has none), checked, with every template
 * expanded and every path relative to the root. mlv-yaml(5) is the language.
 *
 *	g_autoptr(MlvPipelineFile) file = mlv_pipeline_file_read(&files, "sub/dvc.yaml", error);
 *	for (guint i = 0; i < file->stages->len; i++)
 *		const MlvStage *stage = file->stages->pdata[i];
 *
 * Everything in it is to be read only and belongs to the file. Threads: any may read it.
 */
#ifndef MLV_CORE_PIPELINE_STAGES_H
#define MLV_CORE_PIPELINE_STAGES_H

#include "core/pipeline/files.h"
#include "core/value.h"

#define MLV_PIPELINE_NAME     "mlv.yaml"
#define MLV_PIPELINE_DVC_NAME "dvc.yaml"

typedef enum {
	MLV_DEP_PATH,    /* in the repository */
	MLV_DEP_GLOB,    /* a pattern there, whose matches are the dependencies (glob.h) */
	MLV_DEP_OUTSIDE, /* a path outside: begins with "../" or "/" */
	MLV_DEP_URL,
} MlvDepType;

typedef struct {
	MlvDepType type;
	char *path;      /* relative to the root; a pattern, or a URL, where type says so */
	char *written;   /* as it is written, templates expanded */
	gboolean folder; /* written with a slash at the end: must be a directory */
	MlvWhere where;
} MlvDep;

typedef struct {
	char *file;      /* relative to the root (may lie outside) */
	gboolean whole;  /* all of the file */
	GPtrArray *keys; /* of char *, each as mlv_value_lookup() takes it; empty if whole */
	MlvWhere where;
} MlvParamsDep;

typedef enum {
	MLV_OUT_PLAIN,
	MLV_OUT_METRIC,
	MLV_OUT_PLOT,
} MlvOutType;

typedef struct {
	MlvOutType type;
	char *path;    /* relative to the root, never outside, never "" */
	char *written; /* as it is written, templates expanded */
	gboolean folder;
	gboolean cache;    /* kept in the store; FALSE: git's business */
	gboolean persist;  /* not removed before a run */
	gboolean push;     /* travels with push */
	char *remote;      /* or NULL */
	char *desc;        /* or NULL */
	MlvValue *options; /* all that is written of it, a map; of a plot its axes too; or NULL */
	MlvWhere where;
} MlvOut;

typedef struct MlvPipelineFile MlvPipelineFile;

typedef struct {
	const MlvPipelineFile *file;
	char *name;        /* "train", "train@cnn-1", "train@outer@inner" */
	char *address;     /* the name in the root's file, else "sub/dvc.yaml:train": unique */
	GPtrArray *groups; /* of char *: the names that stand for it with others, outermost first */
	GPtrArray *cmds;   /* of char *: each runs in a shell of its own, at least one */
	char *shell;       /* or NULL */
	char *wdir;        /* relative to the root; "" the root */
	GPtrArray *deps;   /* of MlvDep *, in the file's order, no path twice */
	GPtrArray *params; /* of MlvParamsDep *, no file twice */
	GPtrArray *outs;   /* of MlvOut *: outs, metrics, plots, no path twice */
	gboolean frozen;
	gboolean always_changed;
	char *desc;     /* or NULL */
	MlvValue *meta; /* or NULL */
	MlvWhere where; /* of its name */
} MlvStage;

/* An element of a top-level list. */
typedef struct {
	char *path;        /* relative to the root, or outside; of a plot perhaps just a name */
	char *name;        /* as it is written; of an artifact its name */
	MlvValue *options; /* of a plot, metric or artifact, or NULL */
	MlvWhere where;
} MlvPipelineItem;

struct MlvPipelineFile {
	char *path;        /* relative to the root: "sub/dvc.yaml" */
	char *folder;      /* "sub" */
	GPtrArray *stages; /* of MlvStage *, in the file's order, groups spread out in place */
	GPtrArray *params; /* of MlvPipelineItem *; so are these */
	GPtrArray *metrics;
	GPtrArray *plots;
	GPtrArray *artifacts;
	GPtrArray *var_files; /* of char *: the files whose variables its templates see */
	MlvValue *root;       /* the document, unexpanded */
	GPtrArray *kept;      /* private */
};

/* Reads and resolves one file. Absent is MLV_ERROR_MISSING; all that is wrong in it is
 * MLV_ERROR_CORRUPT (what DVC has and mlv has not: MLV_ERROR_UNSUPPORTED) and names file, line,
 * column and what was expected. */
MlvPipelineFile *mlv_pipeline_file_read(const MlvFiles *files, const char *path, GError **error);
/* The same of bytes at hand; `files` serves for what they name. */
MlvPipelineFile *mlv_pipeline_file_parse(const MlvFiles *files, const char *path, const char *data,
					 gsize length, GError **error);
void mlv_pipeline_file_free(MlvPipelineFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvPipelineFile, mlv_pipeline_file_free)

/* The pipeline file of a folder: "sub/mlv.yaml", else "sub/dvc.yaml", else NULL. Caller frees. */
char *mlv_pipeline_file_in(const MlvFiles *files, const char *folder);
/* A stage by its name; NULL if there is none. */
const MlvStage *mlv_pipeline_file_stage(const MlvPipelineFile *file, const char *name);

/* Whether a new stage may be called so: letters, digits, '-', '_' and blanks, as DVC has it; else
 * MLV_ERROR_USAGE. */
gboolean mlv_stage_check_name(const char *name, GError **error);

#endif
