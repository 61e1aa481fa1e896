/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters that a stage depends on, as they are now.
 *
 *	g_autoptr(MlvParamsCache) cache = mlv_params_cache_new(&files);
 *	g_autoptr(GPtrArray) params = mlv_params_resolve(cache, stage, error);
 *
 * Each file is read once for a cache. One thread.
 */
#ifndef MLV_CORE_PIPELINE_PARAMS_H
#define MLV_CORE_PIPELINE_PARAMS_H

#include "core/pipeline/stages.h"

typedef struct MlvParamsCache MlvParamsCache;

/* `files` is borrowed. */
MlvParamsCache *mlv_params_cache_new(const MlvFiles *files);
void mlv_params_cache_free(MlvParamsCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvParamsCache, mlv_params_cache_free)
/* Forgets what was read of a file, which may have changed; NULL: of all. */
void mlv_params_cache_forget(MlvParamsCache *cache, const char *file);

/* One parameter: a file, a key in it, and what is there. */
typedef struct {
	char *file; /* relative to the root */
	char *key;  /* as the stage names it; of a whole file each of its top-level keys, or "" if
			  * it is no map */
	MlvValue *value; /* NULL: it is not there */
} MlvParam;
void mlv_param_free(MlvParam *param);

/* Of MlvParam *, sorted by file and key. A file that is not there leaves its keys without values
 * (a whole one: a single MlvParam with key ""); one that cannot be read is an error. */
GPtrArray *mlv_params_resolve(MlvParamsCache *cache, const MlvStage *stage, GError **error);
/* Whether all have values; else MLV_ERROR_MISSING that names those which have none. */
gboolean mlv_params_check(const GPtrArray *params, const MlvStage *stage, GError **error);
/* A params file as it is now, NULL without an error if it is not there. Borrowed from the cache. */
gboolean mlv_params_file(MlvParamsCache *cache, const char *file, const MlvValue **root,
			 GError **error);

#endif
