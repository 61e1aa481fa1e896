/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a pipeline file is resolved: stages.c takes the file apart, stage_groups.c spreads out
 * foreach and matrix, stage_build.c makes one stage of its expanded map, stage_check.c says what is
 * wrong.
 */
#ifndef MLV_CORE_PIPELINE_STAGES_PRIVATE_H
#define MLV_CORE_PIPELINE_STAGES_PRIVATE_H

#include "core/pipeline/stages.h"
#include "core/pipeline/template.h"

/* Stages of a file, groups spread out; and paths in them. */
#define MLV_STAGES_MAX      100000
#define MLV_STAGE_PATHS_MAX (4u << 20)

typedef struct {
	const MlvFiles *files;
	MlvPipelineFile *file;
	MlvScope *scope;     /* the file's variables */
	GHashTable *by_name; /* of file->stages */
	guint64 paths;       /* so far */
} MlvStageLoader;

/* --- stage_check.c --- */

/* Whether every key of the map is one of the names (NULL behind the last); `what` has the keys: "a
 * stage", "an output". */
gboolean mlv_stage_check_keys(const MlvValue *map, const char *const *names, const char *what,
			      GError **error);
/* Says that the value under `key` is of the wrong type; FALSE. */
gboolean mlv_stage_fail_type(const MlvValue *value, const char *key, const char *expected,
			     GError **error);
/* A map's bool, string or list; absent leaves *to as it is, null counts as absent. Borrowed. */
gboolean mlv_stage_get_bool(const MlvValue *map, const char *key, gboolean *to, GError **error);
gboolean mlv_stage_get_string(const MlvValue *map, const char *key, char **to, GError **error);
gboolean mlv_stage_get_list(const MlvValue *map, const char *key, const MlvValue **to,
			    GError **error);
/* A scalar's text, for a path or a name; NULL with *error. Caller frees. */
char *mlv_stage_word(const MlvValue *value, const char *what, GError **error);
/* Whether a definition (before templates are expanded) has the keys that it may have and must
 * have; `under_do` within another's `do`. */
gboolean mlv_stage_check_definition(const MlvValue *definition, const MlvWhere *where,
				    GError **error);

/* --- stage_groups.c --- */

/* Adds the stage or stages of a definition; `groups` (of char *) stand for it with others. */
gboolean mlv_stage_spread(MlvStageLoader *loader, const MlvValue *definition, const MlvWhere *where,
			  const char *name, const MlvScope *scope, const GPtrArray *groups,
			  GError **error);

/* --- stage_build.c --- */

/* Adds one stage to the file. */
gboolean mlv_stage_build(MlvStageLoader *loader, const MlvValue *definition, const MlvWhere *where,
			 const char *name, const MlvScope *scope, const GPtrArray *groups,
			 GError **error);
/* Adds the variables that a `vars` list names or holds. */
gboolean mlv_stage_load_vars(MlvStageLoader *loader, MlvScope *scope, const MlvValue *vars,
			     const char *folder, const char *fallback, GError **error);

/* --- stage_outs.c --- */

/* Reads a list of deps, of params, of outs into the stage. */
gboolean mlv_stage_build_deps(MlvStageLoader *loader, MlvStage *stage, const MlvValue *list,
			      GError **error);
gboolean mlv_stage_build_params(MlvStageLoader *loader, MlvStage *stage, const MlvValue *list,
				GError **error);
gboolean mlv_stage_build_outs(MlvStageLoader *loader, MlvStage *stage, const MlvValue *list,
			      MlvOutType type, GError **error);
void mlv_pipeline_stage_free(MlvStage *stage);

#endif
