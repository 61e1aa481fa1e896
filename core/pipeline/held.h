/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What paths hold now: dependencies and outputs of stages, hashed through the stat cache.
 *
 *	g_autoptr(MlvHeldSet) set = mlv_held_new(&options);
 *	mlv_held_ask(set, "data/raw", FALSE); ...
 *	mlv_held_look(set, error);                one stat a file where nothing has changed
 *	const MlvHeld *now = mlv_held_get(set, "data/raw");
 *
 * Paths are as pipeline files have them: relative to the root, or outside ("../x", "/x"). An answer
 * is kept until it is forgotten. Symlinks to dependencies are followed. Main thread.
 */
#ifndef MLV_CORE_PIPELINE_HELD_H
#define MLV_CORE_PIPELINE_HELD_H

#include <signal.h>

#include "core/git_tree.h"
#include "core/local.h"

typedef enum {
	MLV_HELD_NOTHING,
	MLV_HELD_HERE,
	MLV_HELD_AWAY,    /* not here, but tracked: `pointer` is what is tracked */
	MLV_HELD_PARTLY,  /* a tracked directory of which only parts are here; likewise */
	MLV_HELD_PENDING, /* will be here once what is restored is written: mlv_held_put() */
	MLV_HELD_UNREAD,  /* `why` */
} MlvHeldType;

typedef struct {
	MlvHeldType type;
	MlvPointer pointer;
	char *why;
	/* private */
	gboolean data;  /* tracked data, or an output: only .mlvignore leaves things out of it */
	gboolean fresh; /* looked at, and not forgotten since */
	gboolean asked; /* to be looked at next */
	gboolean racy;  /* its stat data do not say yet whether it is unchanged */
	gboolean single;
	MlvStat stat; /* of a single file */
} MlvHeld;

/* Whether both are the same content (and executable bit), here or not. */
gboolean mlv_held_same(const MlvHeld *a, const MlvHeld *b);

typedef struct {
	MlvLocal *local; /* its stat cache is opened anew when it was written */
	guint threads;
	const volatile sig_atomic_t *cancel;
	/* So much was hashed; may be NULL. */
	void (*progress)(guint64 bytes, guint64 files, gpointer user);
	gpointer user;
} MlvHeldOptions;

typedef struct MlvHeldSet MlvHeldSet;

MlvHeldSet *mlv_held_new(const MlvHeldOptions *options);
void mlv_held_free(MlvHeldSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvHeldSet, mlv_held_free)

/* Asks for a path, if its answer is not known. `data`: it is an output, or in one. */
void mlv_held_ask(MlvHeldSet *set, const char *path, gboolean data);
/* Looks at all that was asked for. What cannot be read is an answer; FALSE where nothing can be
 * said at all. */
gboolean mlv_held_look(MlvHeldSet *set, GError **error);
/* The answer, borrowed until the next look; NULL if it was never asked for. */
const MlvHeld *mlv_held_get(const MlvHeldSet *set, const char *path);
/* Forgets the answers for the path and all that lie in it or that it lies in. */
void mlv_held_forget(MlvHeldSet *set, const char *path);
/* All but what is planned. */
void mlv_held_forget_all(MlvHeldSet *set);
/* What the path will hold when a restored output is written; it is not looked at until then. */
void mlv_held_put(MlvHeldSet *set, const char *path, const MlvPointer *pointer);

/* Looks at outputs anew and puts them into the store by `writer`, which stays open; with `writer`
 * NULL only looks. A symlink is MLV_HELD_UNREAD. */
gboolean mlv_held_store(MlvHeldSet *set, const char *const *paths, gsize count,
			MlvStoreWriter *writer, GError **error);
/* That writer was committed: only now may the stat cache say that the store has these files. */
void mlv_held_committed(MlvHeldSet *set);
/* Files that were stored since, which a further look would have to read again. */
guint64 mlv_held_uncommitted(const MlvHeldSet *set);

/* Reads again, once the file system's clock has moved on, what was written too near to when it was
 * hashed, so that the next command finds it by its stat data; then saves. */
gboolean mlv_held_settle(MlvHeldSet *set, GError **error);
/* Writes the stat cache if anything new was learnt. Never while something is uncommitted. */
gboolean mlv_held_save(MlvHeldSet *set, GError **error);
/* Opens the stat cache anew, which somebody else has written. */
gboolean mlv_held_reopen(MlvHeldSet *set, GError **error);
const MlvHeldOptions *mlv_held_options(const MlvHeldSet *set);

/* The targets of the work tree, read at the first need; of MlvTracked *, borrowed. NULL with
 * *error. */
const GPtrArray *mlv_held_targets(MlvHeldSet *set, GError **error);
void mlv_held_forget_targets(MlvHeldSet *set);

#endif
