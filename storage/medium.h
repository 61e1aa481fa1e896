/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A medium: what a remote store lies on. Four calls; directory, S3 and HTTP implement them and
 * nothing above knows the difference. Names are those of DESIGN's layout ("format",
 * "packs/ab/....pack", "live/i-..."), made of [a-z0-9/._-] only.
 *
 * Transfers are run in batches: `run` asks `next` for operations until it gives NULL, keeps as
 * many in flight as the medium likes, and calls `done` for each, in any order. next and done are
 * called in the thread that called run. Every operation that next gave comes to done exactly
 * once, also after the batch has failed (then done's answer no longer matters). When next has
 * given NULL it may be asked again after a later done. Neither may start another batch on the
 * same medium.
 *
 *	g_autoptr(GPtrArray) ops = mlv_ops_new();
 *	g_ptr_array_add(ops, mlv_op_new(MLV_OP_GET, "live/i-..."));
 *	if (!mlv_medium_run_all(medium, ops, FALSE, error))
 *		return FALSE;
 *
 * A medium belongs to one thread at a time.
 */
#ifndef MLV_STORAGE_MEDIUM_H
#define MLV_STORAGE_MEDIUM_H

#include "storage/error.h"

typedef enum {
	MLV_OP_GET,    /* bytes of a name, all or a range */
	MLV_OP_PUT,    /* makes a name if absent; being there already is success */
	MLV_OP_DELETE, /* not being there is success */
} MlvOpType;

#define MLV_OP_ALL G_MAXUINT64

typedef struct {
	MlvOpType type;
	char *name;     /* owned by the operation */
	guint64 offset; /* GET: first byte */
	/* GET: bytes (fewer there are is MLV_ERROR_CORRUPT), or MLV_OP_ALL to the end; PUT from
	 * fd: bytes of the file, from its offset 0 */
	guint64 length;
	/* GET into memory: more than this is MLV_ERROR_CORRUPT; 0 means no bound but length */
	guint64 max;
	/* GET: where to write the bytes (from its offset 0); PUT: where to read them; -1:
	 * `bytes` */
	int fd;
	GBytes *bytes;    /* PUT: what to send; GET with fd -1: what came. Owned */
	gboolean replace; /* PUT of bytes: in place of what is there, at once for every reader */
	/* what went wrong with this one: MLV_ERROR_MISSING where the name is absent. Owned */
	GError *error;
	gpointer user; /* the caller's */
} MlvOp;

MlvOp *mlv_op_new(MlvOpType type, const char *name);
void mlv_op_free(MlvOp *op);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvOp, mlv_op_free)

/* The next operation (the medium borrows it until `done`), or NULL when there are no more. */
typedef MlvOp *(*MlvOpNext)(gpointer user);
/* `op` ended, well or with op->error; it is the callee's to free. FALSE with *error stops the
 * batch. */
typedef gboolean (*MlvOpDone)(MlvOp *op, gpointer user, GError **error);
/* FALSE stops the listing without an error. */
typedef gboolean (*MlvMediumEach)(const char *name, guint64 size, gint64 mtime, gpointer user);

typedef struct MlvMedium MlvMedium;
typedef struct {
	/* All names that begin with `prefix` ("live/", "packs/"), in any order; temporary names
	 * are not among them. A store that does not exist yet lists nothing. */
	gboolean (*list)(MlvMedium *medium, const char *prefix, MlvMediumEach each, gpointer user,
			 GError **error);
	gboolean (*run)(MlvMedium *medium, MlvOpNext next, MlvOpDone done, gpointer user,
			GError **error);
	/* Where the medium has locks (a directory): shared for push, exclusive for gc; waits;
	 * `waiting` (may be NULL) is called once when it has to. NULL elsewhere. */
	gboolean (*lock)(MlvMedium *medium, gboolean exclusive, void (*waiting)(gpointer),
			 gpointer user, GError **error);
	void (*unlock)(MlvMedium *medium);
	/* Before a remote is made: an error if the place holds something of another kind. NULL
	 * where that is not looked at. */
	gboolean (*check_vacant)(MlvMedium *medium, GError **error);
	void (*free)(MlvMedium *medium);
} MlvMediumClass;

struct MlvMedium {
	const MlvMediumClass *methods;
	char *url; /* for messages; never holds a secret */
	gboolean read_only;
	gint64 (*now)(void); /* unix seconds; the system's clock unless a test says otherwise */
	gint64 skew;         /* seconds that the medium's clock is ahead of that one */
	/* Several times a second in `run`, where that takes long: bytes that have moved for
	 * operations that have not ended. May be NULL. */
	void (*moved)(guint64 bytes, gpointer user);
	gpointer moved_user;
};

void mlv_medium_free(MlvMedium *medium);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvMedium, mlv_medium_free)

/* Unix seconds by the medium's clock. */
gint64 mlv_medium_now(const MlvMedium *medium);
/* For media: calls `moved` of the MlvMedium that is given, if it has one. */
void mlv_medium_tell_moved(guint64 bytes, gpointer medium);

/* An array of operations that owns them. */
GPtrArray *mlv_ops_new(void);
/* Runs them all; they stay in the array with their results. The first that failed gives *error;
 * one whose name is absent only if `missing_ok` is FALSE (else its op->error tells). */
gboolean mlv_medium_run_all(MlvMedium *medium, GPtrArray *ops, gboolean missing_ok, GError **error);

/* One name of a listing. */
typedef struct {
	char *name;
	guint64 size;
	gint64 mtime; /* unix seconds by the medium's clock */
} MlvListed;
/* All names that begin with `prefix`, sorted by name, each once. Free with g_array_unref. */
GArray *mlv_medium_list_all(MlvMedium *medium, const char *prefix, GError **error);

/* One operation, waited for. `length` and `max` as in MlvOp. */
GBytes *mlv_medium_get(MlvMedium *medium, const char *name, guint64 offset, guint64 length,
		       guint64 max, GError **error);
gboolean mlv_medium_put_bytes(MlvMedium *medium, const char *name, GBytes *bytes, GError **error);
gboolean mlv_medium_delete(MlvMedium *medium, const char *name, GError **error);

/* A directory. With `sync` files and folders are synced as in the local store. The directory
 * itself may be missing: it is made by the first PUT if its parent exists. */
MlvMedium *mlv_medium_dir_new(const char *path, gboolean sync, GError **error);

#endif
