/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the store's packs into a bundle's: workers read chunks, check them and compress what the
 * store holds raw; the main thread writes them into packs, one at a time in memory, and these
 * into the bundle.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/bundle_private.h"
#include "storage/file.h"
#include "storage/pool.h"

#define JOB_BYTES       (1u << 20) /* stored bytes that one job reads, about */
#define JOB_CHUNKS      512
#define WINDOW_MAX      16
#define PACK_CHUNKS_MAX (128u << 10)

typedef struct {
	guint pack; /* the store's number: acquired while the job lives */
	int fd;
	int level;
	guint64 bytes;   /* stored, in the store */
	GArray *entries; /* of MlvPackEntry: as in the store, then as in the bundle */
	GByteArray *out; /* their stored bytes, one behind the other */
	GError *error;
} Job;

typedef struct {
	MlvBundlePlan *plan;
	MlvBundleWriter *bundle;
	MlvPool *pool;
	Job *job; /* being gathered */
	MlvClass pack_class;
	MlvFd fd;              /* the pack being written, in memory */
	MlvPackWriter *writer; /* or NULL */
	guint64 bytes, chunks;
} Packing;

static void job_free(gpointer data)
{
	Job *job = data;

	g_array_unref(job->entries);
	g_byte_array_unref(job->out);
	g_clear_error(&job->error);
	g_free(job);
}

/* --- in a worker ------------------------------------------------------------------------------ */

/* Reads one chunk, checks it, and appends it in the form in which it goes into the bundle. */
static gboolean convert(Job *job, MlvPackEntry *entry, guint8 *stored, guint8 *raw, GError **error)
{
	const guint8 *out = stored;
	gsize smaller = 0;

	if (entry->stored > MLV_CHUNK_LIMIT || entry->raw > MLV_CHUNK_LIMIT)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"a pack's table has an impossible length");
	if (!mlv_file_read_at(job->fd, stored, entry->stored, entry->offset, "a pack", error) ||
	    !mlv_pack_decode(entry, stored, raw, "the store", error))
		return FALSE;
	if (entry->codec == MLV_CODEC_RAW && job->level != 0 && entry->raw > 0 &&
	    mlv_codec_looks_compressible(raw, entry->raw))
		smaller = mlv_codec_compress(raw, entry->raw, stored, job->level);
	if (smaller > 0) {
		entry->codec = MLV_CODEC_ZSTD;
		entry->stored = (guint32)smaller;
	} else if (entry->codec == MLV_CODEC_RAW) {
		out = raw;
	}
	entry->check = mlv_pack_check_value(entry, out);
	g_byte_array_append(job->out, out, entry->stored);
	return TRUE;
}

static void run_job(gpointer data, gpointer user)
{
	const Packing *packing = user;
	const volatile sig_atomic_t *cancel = packing->plan->options->cancel;
	Job *job = data;
	g_autofree guint8 *stored = g_malloc(MLV_CHUNK_LIMIT);
	g_autofree guint8 *raw = g_malloc(MLV_CHUNK_LIMIT);

	for (guint i = 0; i < job->entries->len && !job->error; i++) {
		if (cancel && *cancel)
			mlv_fail(&job->error, MLV_ERROR_CANCELLED, "interrupted");
		else
			convert(job, &g_array_index(job->entries, MlvPackEntry, i), stored, raw,
				&job->error);
	}
}

/* --- in the main thread ----------------------------------------------------------------------- */

static gboolean open_pack(Packing *packing, GError **error)
{
	if (packing->writer)
		return TRUE;
	packing->fd = memfd_create("mlv-bundle-pack", MFD_CLOEXEC);
	if (packing->fd < 0)
		return mlv_fail_errno(error, "cannot make a pack in memory");
	packing->writer = mlv_pack_writer_new(packing->fd, packing->pack_class, "a pack in memory");
	return TRUE;
}

/* The pack that is being written goes into the bundle. */
static gboolean close_pack(Packing *packing, GError **error)
{
	MlvId name;
	gboolean ok;

	if (!packing->writer)
		return TRUE;
	ok = mlv_pack_writer_finish(packing->writer, &name, error) &&
	     mlv_bundle_writer_pack(packing->bundle, packing->fd, &name,
				    mlv_pack_writer_size(packing->writer), error);
	g_clear_pointer(&packing->writer, mlv_pack_writer_free);
	mlv_fd_clear(&packing->fd);
	packing->fd = -1;
	return ok;
}

static gboolean write_job(Packing *packing, Job *job, GError **error)
{
	const MlvBundleOptions *options = packing->plan->options;

	if (job->error) {
		g_propagate_error(error, g_steal_pointer(&job->error));
		return FALSE;
	}
	if (packing->writer &&
	    (mlv_pack_writer_size(packing->writer) + job->out->len > MLV_PACK_TARGET ||
	     mlv_pack_writer_count(packing->writer) + job->entries->len > PACK_CHUNKS_MAX) &&
	    !close_pack(packing, error))
		return FALSE;
	if (!open_pack(packing, error) ||
	    !mlv_pack_writer_add(packing->writer, job->out->data,
				 (MlvPackEntry *)(gpointer)job->entries->data, job->entries->len,
				 error))
		return FALSE;
	packing->bytes += job->bytes;
	packing->chunks += job->entries->len;
	if (options->progress)
		options->progress(packing->bytes, packing->chunks, options->user);
	return TRUE;
}

static gboolean finish_job(Packing *packing, Job *job, GError **error)
{
	gboolean ok = write_job(packing, job, error);

	mlv_store_pack_release(packing->plan->store, job->pack);
	job_free(job);
	return ok;
}

static gboolean submit(Packing *packing, GError **error)
{
	Job *done;

	if (!packing->job)
		return TRUE;
	while ((done = mlv_pool_is_full(packing->pool) ? mlv_pool_take(packing->pool)
						       : mlv_pool_poll(packing->pool)))
		if (!finish_job(packing, done, error))
			return FALSE;
	mlv_pool_submit(packing->pool, g_steal_pointer(&packing->job));
	return TRUE;
}

static gboolean begin_job(Packing *packing, guint pack, GError **error)
{
	int fd = mlv_store_pack_acquire(packing->plan->store, pack, error);
	Job *job;

	if (fd < 0)
		return FALSE;
	job = g_new0(Job, 1);
	job->pack = pack;
	job->fd = fd;
	job->level = packing->pack_class == MLV_CLASS_DATA ? packing->plan->options->level : 0;
	job->entries = g_array_new(FALSE, FALSE, sizeof(MlvPackEntry));
	job->out = g_byte_array_new();
	packing->job = job;
	return TRUE;
}

static gboolean add_chunk(Packing *packing, guint pack, const MlvPackEntry *entry, GError **error)
{
	Job *job = packing->job;

	if (job && (job->bytes >= JOB_BYTES || job->entries->len >= JOB_CHUNKS) &&
	    !submit(packing, error))
		return FALSE;
	if (!packing->job && !begin_job(packing, pack, error))
		return FALSE;
	g_array_append_val(packing->job->entries, *entry);
	packing->job->bytes += entry->stored;
	return TRUE;
}

/* The chunks of one of the store's packs: `keys` and its table are both in order of offset. */
static gboolean add_pack(Packing *packing, guint pack, const guint64 *keys, gsize count,
			 GError **error)
{
	MlvId name = mlv_store_pack_name(packing->plan->store, pack);
	g_auto(MlvFd) fd = mlv_store_pack_open(packing->plan->store, &name, error);
	char label[MLV_PACK_NAME_LENGTH + 1];
	g_autoptr(MlvPackTable) table = NULL;
	gsize at = 0;

	if (fd < 0)
		return FALSE;
	mlv_pack_path(&name, label);
	table = mlv_pack_table_read(fd, &name, label, error);
	if (!table)
		return FALSE;
	for (gsize i = 0; i < count; i++) {
		guint32 offset = (guint32)keys[i];

		while (at < table->count && table->entries[at].offset < offset)
			at++;
		if (at == table->count || table->entries[at].offset != offset)
			return mlv_fail(error, MLV_ERROR_CORRUPT,
					"an index does not match the pack '%s'; run 'mlv fsck'",
					label);
		if (!add_chunk(packing, pack, &table->entries[at], error))
			return FALSE;
	}
	return submit(packing, error);
}

/* All chunks of one class. */
static gboolean add_keys(Packing *packing, MlvClass pack_class, const GArray *keys, GError **error)
{
	const guint64 *all = (const guint64 *)(gconstpointer)keys->data;
	Job *job;

	packing->pack_class = pack_class;
	for (gsize i = 0, end; i < keys->len; i = end) {
		guint pack = (guint)(all[i] >> 32);

		for (end = i + 1; end < keys->len && all[end] >> 32 == pack;)
			end++;
		if (!add_pack(packing, pack, all + i, end - i, error))
			return FALSE;
	}
	while ((job = mlv_pool_take(packing->pool)))
		if (!finish_job(packing, job, error))
			return FALSE;
	return close_pack(packing, error);
}

static void packing_clear(Packing *packing)
{
	Job *job;

	if (packing->pool) {
		/* After a failure: packs stay acquired until their jobs have ended. */
		while ((job = mlv_pool_take(packing->pool))) {
			mlv_store_pack_release(packing->plan->store, job->pack);
			job_free(job);
		}
		mlv_pool_free(packing->pool, NULL);
	}
	if (packing->job) {
		mlv_store_pack_release(packing->plan->store, packing->job->pack);
		job_free(packing->job);
	}
	mlv_pack_writer_free(packing->writer);
	mlv_fd_clear(&packing->fd);
	mlv_bundle_writer_free(packing->bundle);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Packing, packing_clear)

gboolean mlv_bundle_plan_write(MlvBundlePlan *plan, MlvBundleSink sink, gpointer user,
			       guint64 *size, GError **error)
{
	g_auto(Packing) packing = { .plan = plan, .fd = -1 };
	guint threads = plan->options->threads;

	if (threads == 0)
		threads = mlv_pool_default_threads();
	packing.bundle = mlv_bundle_writer_new(plan->manifest, sink, user, error);
	if (!packing.bundle)
		return FALSE;
	packing.pool = mlv_pool_new(threads, MIN(2 * threads + 2, WINDOW_MAX), run_job, &packing);
	if (!add_keys(&packing, MLV_CLASS_DATA, plan->data, error) ||
	    !add_keys(&packing, MLV_CLASS_META, plan->meta, error) ||
	    !mlv_bundle_writer_finish(packing.bundle, error))
		return FALSE;
	*size = mlv_bundle_writer_size(packing.bundle);
	return TRUE;
}
