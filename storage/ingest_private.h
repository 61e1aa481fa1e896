/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs of the ingest: what the main thread (ingest.c) and the workers (ingest_job.c) share. */
#ifndef MLV_STORAGE_INGEST_PRIVATE_H
#define MLV_STORAGE_INGEST_PRIVATE_H

#include <signal.h>

#include "storage/chunker.h"
#include "storage/ingest.h"
#include "storage/pool.h"

/* Bytes of a large file that one job works on: with the chunk before them they should stay in a
 * core's cache from being read to being written. Where blocks are shared instead of written, longer
 * ones share more at once. */
#define SEGMENT       (512u << 10)
#define SEGMENT_CLONE (2u << 20)
#define BATCH_FILES   128        /* small files that one job reads at most */
#define BATCH_BYTES   (1u << 20) /* their sizes together, about */
#define BUFFER_SIZE   (MLV_CHUNK_MAX + SEGMENT_CLONE)

/* A small file in a batch. */
typedef struct {
	int root;
	char *path;
	gpointer tag;
	guint64 size; /* as last seen */
	struct statx stat;
	MlvRef ref;
	GError *error;
} SmallFile;

/* A large file or a stream, shared by its segments. */
typedef struct {
	gint refs; /* atomic */
	int root;
	char *path;
	gpointer tag;
	MlvFd fd; /* of the file, or of a clone of it; -1 for a stream */
	gboolean is_clone;
	/* With a clone: the file, where its state tells if it still is the clone's; else -1. */
	MlvFd source;
	gboolean shares;   /* its blocks can be shared with packs */
	struct statx stat; /* before reading */
	gsize segment;     /* bytes of each but the last one */
	guint64 size;      /* bytes; a stream: so far */
	GMutex lock;
	GCond turn_cond;
	guint64 turn;     /* segment whose cuts are next; under lock */
	gboolean broken;  /* a segment failed: the others give up; under lock */
	MlvCutter cutter; /* the turn's holder's */
	gint misses;      /* chunks in a row that did not shrink; atomic */
	/* the main thread's */
	MlvListBuilder *list;
	GError *error;
} LargeFile;

/* One chunk that a job found. */
typedef struct {
	MlvPackEntry entry;  /* id, raw, stored, codec, check, kind */
	const guint8 *bytes; /* stored bytes, in the job's buffer or its compressed bytes */
	guint64 offset;      /* in the file */
	gboolean mine;       /* this job writes it */
} Chunk;

/* What a worker works in. The one that was given back last is taken first: it is in the cache. */
typedef struct {
	guint8 *bytes;      /* BUFFER_SIZE */
	guint8 *compressed; /* room for all of bytes, or NULL until needed */
	gsize compressed_length;
} Buffer;

typedef struct {
	MlvIngest *ingest;
	Buffer *buffer; /* NULL before the job is run and after it has written */
	GArray *chunks; /* of Chunk */
	guint64 turn;   /* of this job among all */
	MlvCandidates candidates;
	/* a batch */
	GArray *files; /* of SmallFile, or none */
	guint64 batch_bytes;
	/* a segment of a large file */
	LargeFile *large; /* NULL: a batch */
	guint64 number;   /* of the segment */
	gsize before;     /* bytes in the buffer that belong to segments before */
	gsize length;     /* bytes of the segment itself, behind them */
	gboolean last;
	gboolean filled; /* a stream's: the buffer is filled by the main thread */
	GError *error;   /* the segment could not be read, or the store cannot be used */
	gboolean fatal;  /* the latter */
} Job;

struct MlvIngest {
	MlvStoreWriter *writer;
	gboolean compress;
	gsize clone_block;
	MlvPool *pool;
	const volatile sig_atomic_t *cancel;
	MlvIngestDone done;
	gpointer user;
	Job *batch;        /* being gathered */
	LargeFile *stream; /* being fed */
	Job *segment;      /* of the stream, being filled */
	GPtrArray *idle;   /* Jobs, ready for use again */
	GMutex buffers_lock;
	GPtrArray *buffers; /* free Buffers; under buffers_lock */
	guint64 bytes;      /* atomic by __atomic builtins */
	guint64 submitted;  /* jobs */
	/* Jobs give their chunks their places in packs in the order of submission, so that a file's
	 * lie one behind the other. */
	GMutex turn_lock;
	GCond turn_cond;
	guint64 turn; /* under turn_lock */
};

static inline gboolean mlv_ingest_cancelled(const MlvIngest *ingest)
{
	return mlv_pool_is_cancelled(ingest->cancel);
}

Buffer *mlv_ingest_take_buffer(MlvIngest *ingest);
/* `buffer` may be NULL. */
void mlv_ingest_give_buffer(MlvIngest *ingest, Buffer *buffer);
/* Whether two states of a file are the same: size, times and inode. */
gboolean mlv_ingest_same_stat(const struct statx *a, const struct statx *b);
/* The work of one job, in a worker. */
void mlv_ingest_job_run(gpointer job, gpointer ingest);
/* A job without work, for the main thread to fill in. */
Job *mlv_ingest_job_new(MlvIngest *ingest);
/* Takes the job over; jobs that are done by now are finished first. */
gboolean mlv_ingest_submit(MlvIngest *ingest, Job *job, GError **error);
/* A file that is not opened yet, or a stream (`root` -1). */
LargeFile *mlv_ingest_large_new(int root, const char *path, gpointer tag, MlvIngest *ingest);
void mlv_ingest_large_unref(LargeFile *large); /* may be NULL */
/* Opens a file and submits its segments. A file that cannot be read is a result, not an error. */
gboolean mlv_ingest_large_give(MlvIngest *ingest, int root, const char *path, gpointer tag,
			       GError **error);
/* Whether the job's new chunks are shared with packs, by the main thread, instead of written. */
gboolean mlv_ingest_shares(const Job *job);
/* Stores a list of a large file (an MlvPutChunk with `user` the ingest); hashing only, it goes
 * nowhere. */
gboolean mlv_ingest_put(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
			gpointer user, GError **error);

#endif
