/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roots: what a clone's pushes need on a remote. A root names commits (or runs) of one
 * repository, and the references that each of them needs; whatever lies below these is kept
 * there. mlv-root(5) is the format.
 *
 *	g_autoptr(MlvRoot) root = mlv_root_new(repo, clone);
 *	mlv_root_add(root, MLV_ROOT_COMMIT, "3f...", refs, n_refs);
 *	GBytes *bytes = mlv_root_format(root, now, salt, &name);
 *
 * A root lies in live/ under one of two names with the same 64 digits. It is put as *pending*
 * first; when the push has listed again and found that nothing it relies on was tombstoned, also
 * as *confirmed*. Both keep what they name from being collected. Only a confirmed root promises
 * that all of it is there: a push that died in between leaves a pending one, and nobody may
 * conclude anything from that.
 *
 * Not thread safe.
 */
#ifndef MLV_STORAGE_ROOT_H
#define MLV_STORAGE_ROOT_H

#include "storage/error.h"
#include "storage/id.h"

#define MLV_ROOT_ID_HEX      16           /* digits of a repository's or clone's id */
#define MLV_ROOT_SALT        8            /* bytes; make that no name is ever used twice */
#define MLV_ROOT_MAX         (128u << 20) /* bytes of a root, at most */
#define MLV_ROOT_NAME_LENGTH (5 + 2 + 2 * (MLV_ROOT_ID_HEX + 1) + MLV_ID_HEX)

/* What an entry of a root is about. */
typedef enum {
	MLV_ROOT_COMMIT, /* 40 or 64 hex: a git commit */
	MLV_ROOT_RUN,    /* 40 or 64 hex: an entry of the run cache */
} MlvRootUse;

/* "live/r-<repo>-<clone>-<hex>", pending "live/p-...". */
typedef struct {
	char repo[MLV_ROOT_ID_HEX + 1];
	char clone[MLV_ROOT_ID_HEX + 1];
	MlvId id; /* SHA-256 of the root's bytes */
	gboolean pending;
} MlvRootName;

void mlv_root_path(const MlvRootName *name, char path[MLV_ROOT_NAME_LENGTH + 1]);
gboolean mlv_root_parse_path(const char *path, MlvRootName *name);

typedef struct MlvRoot MlvRoot;

/* An empty one. `repo` and `clone` are 16 lower-case hex digits each. */
MlvRoot *mlv_root_new(const char *repo, const char *clone);
void mlv_root_free(MlvRoot *root);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvRoot, mlv_root_free)

/* Says that `oid` needs these references; added to what it needs already. `oid` is 40 or 64
 * lower-case hex digits. */
void mlv_root_add(MlvRoot *root, MlvRootUse use, const char *oid, const MlvRef *refs, gsize count);

/* Whether an entry stays. */
typedef gboolean (*MlvRootKeep)(MlvRootUse use, const char *oid, gpointer user);
/* Adds the entries of `from` for which `keep` (NULL: all) is TRUE. */
void mlv_root_merge(MlvRoot *root, const MlvRoot *from, MlvRootKeep keep, gpointer user);

/* Whether `root` names every entry of `other`, each with all that it needs there. */
gboolean mlv_root_contains(const MlvRoot *root, const MlvRoot *other);

const char *mlv_root_repo(const MlvRoot *root);
const char *mlv_root_clone(const MlvRoot *root);
gint64 mlv_root_time(const MlvRoot *root); /* unix seconds; 0 if it was not parsed */
gsize mlv_root_need_count(const MlvRoot *root);
const MlvRef *mlv_root_need(const MlvRoot *root, gsize number);
gboolean mlv_root_needs(const MlvRoot *root, const MlvRef *ref);
gsize mlv_root_entry_count(const MlvRoot *root);
/* The entry's object id, borrowed; *use, and in *needs the numbers of what it needs (guint32),
 * borrowed. */
const char *mlv_root_entry(const MlvRoot *root, gsize number, MlvRootUse *use,
			   const GArray **needs);

/* The bytes, and their SHA-256. One byte sequence per content, time and salt. */
GBytes *mlv_root_format(const MlvRoot *root, gint64 time, const guint8 salt[MLV_ROOT_SALT],
			MlvId *id);

/* Reads what mlv_root_format made; anything else is MLV_ERROR_CORRUPT. `label` is what messages
 * call it. */
MlvRoot *mlv_root_parse(const char *text, gsize length, const char *label, GError **error);

#endif
