/* SPDX-License-Identifier: Apache-2.0 */
/* What storage/check*.c share. */
#ifndef MLV_STORAGE_CHECK_PRIVATE_H
#define MLV_STORAGE_CHECK_PRIVATE_H

#include "storage/check.h"
#include "storage/upkeep.h"

/* An index that names a pack, and how many chunks it says are in it. */
typedef struct {
	MlvIndex *index; /* borrowed */
	guint32 number;  /* of the pack in the index */
	guint64 entries;
} CheckNamed;

/* A pack file and what was found in it. */
typedef struct {
	const MlvPackFile *file;
	GArray *named; /* CheckNamed */
	gboolean damaged;
	gboolean readable; /* its table is good */
	GArray *bad;       /* MlvPackEntry of damaged chunks */
} CheckPack;

/* A chunk. */
typedef struct {
	MlvId id;
	guint8 kind;
} CheckChunk;

struct MlvCheck {
	MlvStore *store;
	MlvCheckOptions options;
	MlvCheckResult result;
	GPtrArray *indexes;  /* good live ones */
	GArray *files;       /* MlvPackFile */
	CheckPack *packs;    /* one for each of files */
	GArray *bad_indexes; /* MlvId of damaged index files */
	GHashTable *gone;    /* MlvId of packs that are not there */
	MlvMarks *unindexed;
	MlvMarks *damaged;
	MlvMarks *lost;
	gboolean bad_format;
	gboolean bad_entries; /* an index does not fit a pack that is good itself */
};

/* Whether a pack that is not damaged has the chunk, by the good indexes. */
gboolean mlv_check_has_good(const MlvCheck *check, MlvKind kind, const MlvId *id);
/* Gives a fault to the caller, and counts it. */
void mlv_check_report(MlvCheck *check, MlvFaultKind kind, const char *file,
		      const MlvPackEntry *entry, const char *message);
gboolean mlv_check_keep_going(const MlvCheck *check, GError **error);

#endif
