/* SPDX-License-Identifier: Apache-2.0 */
/* What core/checkout*.c share. */
#ifndef MLV_CORE_CHECKOUT_PRIVATE_H
#define MLV_CORE_CHECKOUT_PRIVATE_H

#include "core/checkout.h"
#include "core/scan.h"
#include "storage/ingest.h"
#include "storage/untouched.h"

typedef enum {
	OP_PENDING, /* decided once the file is hashed */
	OP_KEEP,
	OP_WRITE,
	OP_MODE,
	OP_REMOVE,
	OP_NONE, /* left alone */
} ItemOp;

enum {
	ITEM_HAS_OLD = 1 << 0, /* `st` is what stands there */
	ITEM_CACHED = 1 << 1,  /* the stat cache's record holds, and is copied */
	ITEM_WRITTEN = 1 << 2, /* `st` is what was written */
	ITEM_HIDDEN = 1 << 3,  /* .mlvignore leaves it out */
	ITEM_WANTED = 1 << 4,  /* id, size, depth, mode are what is to be there */
	ITEM_DONE = 1 << 5,    /* removed, or its mode changed */
	ITEM_STORED = 1 << 6,  /* kept, and in the store */
};

/* A file or symlink of a directory. */
typedef struct {
	MlvId id;
	guint64 size;
	const char *name;             /* in checkout->names */
	MlvStat st;                   /* before: what stands there; after: what was written */
	guint32 pack, offset, stored; /* of a single chunk */
	guint8 codec, mode, depth, op, flags;
} CheckoutItem;

typedef struct CheckoutTarget CheckoutTarget;
typedef struct CheckoutDir CheckoutDir;

struct CheckoutDir {
	char *path;
	CheckoutDir *parent; /* NULL at the top of a target */
	CheckoutTarget *target;
	GArray *items;     /* CheckoutItem, in order of names; NULL: none are noted */
	MlvTreeEntry tree; /* wanted; mode 0: the directory is to go */
	guint64 subdirs;   /* mlv_statcache_add_subdir over those that will be there */
	gboolean on_disk;
	gboolean folder;     /* a target file's folder: not data itself */
	gboolean folds;      /* it does not tell upper case from lower case */
	gboolean incomplete; /* it will not hold just what the tree says */
	gboolean unchanged;  /* all files are those of the stat cache's block */
	gboolean dirty;      /* its block must be written anew */
	gboolean must_go;    /* a file takes its place */
	gboolean whole;      /* all of it is meant, so it is made even if nothing is in it */
	gboolean unstored;   /* something that is kept in it is not in the store */
};

struct CheckoutTarget {
	gboolean unfinished; /* something in it was to be removed and is still there */
	char *path;
	gboolean wanted;
	gboolean absent;    /* nothing was there */
	GPtrArray *brought; /* paths that the path filter meant */
};

/* A file on disk whose content must be known before it is decided upon. */
typedef struct {
	MlvCheckout *checkout;
	CheckoutDir *dir;
	guint item;
} CheckoutPending;

struct MlvCheckout {
	MlvCheckoutOptions options;
	int root;
	gboolean by_path; /* options.paths says what is meant, else `partial` */
	MlvScan *scan;
	MlvIngest *ingest;
	GStringChunk *names;
	GPtrArray *targets;       /* CheckoutTarget */
	GPtrArray *dirs;          /* CheckoutDir: before those below it */
	GPtrArray *conflicts;     /* char * paths; the first of them */
	GPtrArray *missing_paths; /* char * */
	GArray *missing;          /* MlvRef */
	GHashTable *missing_seen; /* MlvId of those */
	MlvCheckoutTotals totals;
	guint64 copied_bytes; /* to be written and not cloned */
	guint64 freed_bytes;  /* of files that go */
	gboolean scarce;      /* the disk may fill up: large files take their room first */
	GPtrArray *pending;   /* CheckoutPending, being hashed */
	gint64 hash_now;      /* the file system's time before anything was hashed */
	gsize clone_block;    /* 0: blocks cannot be shared */
	gboolean root_probed, root_folds; /* the work tree's root does not tell cases apart */
	gboolean no_attributes;           /* nor has its file system an attribute for that */
	MlvUntouched *untouched;          /* NULL if they cannot */
	MlvId zeros;                      /* of the longest chunk of zeros */
	GAsyncQueue *buffers;             /* of workers: guint8 *, CHECKOUT_BUFFER bytes */
	GError *error;                    /* the first of a callback */
};

/* --- checkout_plan.c, checkout_decide.c ------------------------------------------------------- */

/* Walks the target, whose folder is `folder`; each of the three is NULL where there is none. */
gboolean mlv_checkout_walk_target(MlvCheckout *checkout, CheckoutTarget *target, const char *folder,
				  const MlvTreeEntry *want, const MlvTreeEntry *base,
				  const MlvScanEntry *found, GError **error);
/* The path of an item; caller frees. */
char *mlv_checkout_item_path(const CheckoutDir *dir, const char *name);
CheckoutItem *mlv_checkout_add_item(MlvCheckout *checkout, CheckoutDir *dir,
				    const MlvTreeEntry *wanted, const char *name);
/* Makes the item one to be written: finds its chunks, or notes that they are missing. */
gboolean mlv_checkout_want(MlvCheckout *checkout, CheckoutDir *dir, CheckoutItem *item,
			   GError **error);
/* What to do about a file on disk (item->st) that is to be replaced (ITEM_WANTED) or removed. */
gboolean mlv_checkout_meet(MlvCheckout *checkout, CheckoutDir *dir, CheckoutItem *item,
			   const MlvScanEntry *found, GError **error);
void mlv_checkout_conflict(MlvCheckout *checkout, const char *path);
void mlv_checkout_lack(MlvCheckout *checkout, const char *path, const MlvRef *ref, guint64 bytes);
void mlv_checkout_hashed(MlvIngested *result, gpointer user); /* an MlvIngestDone */

/* --- checkout_twins.c ------------------------------------------------------------------------- */

/* Finds out dir->folds. */
void mlv_checkout_find_fold(MlvCheckout *checkout, CheckoutDir *dir);
/* Notes a name that will be in a folder that folds case; one that differs from an earlier one in
 * case only is an error. *names begins as NULL; free with g_hash_table_unref. */
gboolean mlv_checkout_fold_name(GHashTable **names, const CheckoutDir *dir, const char *name,
				GError **error);
/* Whether the directory lists a name that differs from this one in case alone. *names: as above. */
gboolean mlv_checkout_lists_twin(GHashTable **names, const MlvScanDir *disk, const char *name);

/* --- checkout_job.c --------------------------------------------------------------------------- */

/* Writes all OP_WRITE items, on all cores. */
gboolean mlv_checkout_write(MlvCheckout *checkout, GError **error);

static inline MlvRef mlv_checkout_item_ref(const CheckoutItem *item)
{
	return (MlvRef){
		.id = item->id, .size = item->size, .kind = MLV_KIND_BLOB, .depth = item->depth
	};
}

#endif
