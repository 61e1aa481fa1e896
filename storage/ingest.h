/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes in: files and streams are cut, hashed, looked up, compressed and written to packs, on all
 * cores.
 *
 * Files are given in some order and their results come back in that order, in the main thread,
 * from within later calls. Small files go to workers in batches; a large one in segments that are
 * worked on at once. Memory is bounded by the number of threads, not by the input. A file that
 * cannot be read, or that changes meanwhile, is a result with an error; a store that cannot be
 * written ends the whole.
 *
 *	MlvIngest *ingest = mlv_ingest_new(writer, threads, cancel, done, user);
 *	mlv_ingest_file(ingest, root_fd, "data/1.jpg", size, tag, error) ...
 *	mlv_ingest_finish(ingest, error);      (then mlv_store_writer_commit)
 */
#ifndef MLV_STORAGE_INGEST_H
#define MLV_STORAGE_INGEST_H

#include <signal.h>
#include <sys/stat.h>

#include "storage/store.h"

typedef struct {
	gpointer tag;      /* as given with the file */
	MlvRef ref;        /* kind BLOB */
	struct statx stat; /* files: STATX_BASIC_STATS of what was read; streams: zero */
	GError *error;     /* this one failed: NULL or the reason; the callback may steal it */
} MlvIngested;

typedef void (*MlvIngestDone)(MlvIngested *result, gpointer user);

typedef struct MlvIngest MlvIngest;

/* writer NULL: only hashes, nothing is stored. threads 0: one a core. `cancel` (may be NULL) ends
 * the work with MLV_ERROR_CANCELLED. */
MlvIngest *mlv_ingest_new(MlvStoreWriter *writer, guint threads,
			  const volatile sig_atomic_t *cancel, MlvIngestDone done, gpointer user);

/* Gives a regular file: `path` beneath `root` (followed through no symlink), `size` as last seen
 * (it chooses how the file is read; a file that has grown past it is reported as changed). path
 * is copied. */
gboolean mlv_ingest_file(MlvIngest *ingest, int root, const char *path, guint64 size, gpointer tag,
			 GError **error);

/* A stream of bytes that the caller feeds, as one file. Between begin and end nothing else may be
 * given. */
gboolean mlv_ingest_stream_begin(MlvIngest *ingest, gpointer tag, GError **error);
gboolean mlv_ingest_stream_write(MlvIngest *ingest, const void *data, gsize length, GError **error);
gboolean mlv_ingest_stream_end(MlvIngest *ingest, GError **error);

/* Waits until all results have been given. */
gboolean mlv_ingest_finish(MlvIngest *ingest, GError **error);

/* Bytes read so far, for progress; any thread. */
guint64 mlv_ingest_bytes(const MlvIngest *ingest);

void mlv_ingest_free(MlvIngest *ingest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvIngest, mlv_ingest_free)

#endif
