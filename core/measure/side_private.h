/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by side.c (pipelines, the work tree), side_commit.c (what git has) and side_data.c (what
 * the store has). */
#ifndef MLV_CORE_MEASURE_SIDE_PRIVATE_H
#define MLV_CORE_MEASURE_SIDE_PRIVATE_H

#include "core/measure/side.h"

struct MlvSide {
	MlvView *view;
	MlvRepo *repo;
	char *name;
	MlvRevision revision;
	int root_fd;
	MlvFiles base; /* git's files, or those of the work tree */
	/* As base.read with the side as user; in the work tree it stays in it. */
	GBytes *(*read)(gpointer side, const char *path, gsize max, GError **error);
	MlvFiles all; /* these, and data */
	/* Of a commit: folder -> its entries, read at the first look. */
	GHashTable *folders;
	GStringChunk *names;
	GPtrArray *pipelines; /* of MlvPipelineFile *, or NULL: not read yet */
	GPtrArray *outputs;   /* of MlvTracked *: outputs that the locks name, sorted */
	GPtrArray *pointers;  /* of MlvTracked *: of the work tree, or NULL: not read yet */
	GPtrArray *problems;  /* of char * */
};

/* Sets base and read for a commit. */
void mlv_side_init_commit(MlvSide *side);
void mlv_side_clear_commit(MlvSide *side);

#endif
