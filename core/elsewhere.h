/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A repository that is not this one: at a path, or at a URL, of which git fetches one commit into a
 * temporary place, without files. For reading data out of it without cloning it.
 *
 *	g_autoptr(MlvElsewhere) there = mlv_elsewhere_open(here, "https://host/x.git", "v1", error);
 *	MlvSource *source = mlv_elsewhere_source(there);
 *
 * Main thread only, but for the source, which is thread safe.
 */
#ifndef MLV_CORE_ELSEWHERE_H
#define MLV_CORE_ELSEWHERE_H

#include "core/export.h"
#include "core/git_tree.h"

typedef struct MlvElsewhere MlvElsewhere;

/* `place` is a remote's name of `here` (NULL: no repository is around), the address of a remote,
 * the path of a repository, or a URL that git can fetch from. `rev` is any revision there, and of a
 * remote here; NULL: HEAD. */
MlvElsewhere *mlv_elsewhere_open(MlvRepo *here, const char *place, const char *rev, GError **error);
/* Removes what was temporary. */
void mlv_elsewhere_close(MlvElsewhere *there);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvElsewhere, mlv_elsewhere_close)

MlvRepo *mlv_elsewhere_repo(const MlvElsewhere *there); /* borrowed */
const MlvOid *mlv_elsewhere_commit(const MlvElsewhere *there);
/* Chunks: of the store there, if it is near, then of its remote, which is opened when it is needed.
 * Borrowed. */
MlvSource *mlv_elsewhere_source(MlvElsewhere *there);

/* What lies at a path of that commit. */
typedef enum {
	MLV_THERE_ENTRY,  /* data: `entry` */
	MLV_THERE_FILE,   /* a file of git's: `file` */
	MLV_THERE_FOLDER, /* a folder with data in it: `targets` */
} MlvThereKind;

typedef struct {
	MlvThereKind kind;
	char *path; /* clean, "" is the root */
	char *name; /* its last part; entry.name is this */
	MlvTreeEntry entry;
	GBytes *file;
	guint8 mode;        /* MlvMode, of the file */
	GPtrArray *targets; /* of MlvTracked *: data below the folder, those that can be read */
} MlvThere;

/* Nothing there is MLV_ERROR_MISSING. */
MlvThere *mlv_elsewhere_find(MlvElsewhere *there, const char *path, GError **error);
/* Writes it as `name` in an open folder where nothing of that name is; as mlv_export. */
gboolean mlv_there_write(const MlvThere *what, const MlvExport *export, int dir, const char *name,
			 GError **error);
void mlv_there_free(MlvThere *what);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvThere, mlv_there_free)

#endif
