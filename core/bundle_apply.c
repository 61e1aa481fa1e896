/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bundle_apply.h"

#include <string.h>
#include <sys/mman.h>

#include "storage/pool.h"

#define WINDOW_MAX 4 /* packs that are read ahead while others are checked */

/* A pack on its way: in a temporary file of the store, or in memory. */
typedef struct {
	MlvBundlePack pack;
	char label[MLV_PACK_NAME_LENGTH + 1];
	MlvTemp *temp; /* or NULL */
	MlvFd memory;  /* or -1 */
	int fd;        /* whichever it is, borrowed */
	MlvPackTable *table;
	GError *error;
} Job;

typedef struct {
	MlvBundleReader *reader;
	MlvStore *store;
	MlvStoreWriter *writer; /* NULL: only verify */
	const MlvBundleReadOptions *options;
	MlvBundleResult *result;
	MlvPool *pool;
	MlvMarks *seen; /* verify: what was in the packs, metadata alone; else NULL */
	guint8 *chunk;
} Intake;

static void job_free(gpointer data)
{
	Job *job = data;

	mlv_temp_free(job->temp);
	mlv_fd_clear(&job->memory);
	mlv_pack_table_free(job->table);
	g_clear_error(&job->error);
	g_free(job);
}

static gboolean note_fault(const MlvPackEntry *entry, const GError *why, gpointer user)
{
	Job *job = user;

	if (!job->error)
		job->error = g_error_copy(why);
	return FALSE;
}

/* In a worker: every byte of the pack. */
static void run_job(gpointer data, gpointer user)
{
	Job *job = data;
	GError *failed = NULL;

	job->table = mlv_pack_table_read(job->fd, &job->pack.name, job->label, &job->error);
	if (!job->table)
		return;
	if (job->table->size != job->pack.size)
		mlv_fail(&job->error, MLV_ERROR_CORRUPT, "the pack '%s' has another size",
			 job->label);
	else if (!mlv_pack_check(job->fd, &job->pack.name, job->label, note_fault, job, &failed) &&
		 !job->error)
		job->error = g_steal_pointer(&failed);
	g_clear_error(&failed);
}

/* --- what the other side must have ------------------------------------------------------------ */

typedef struct {
	MlvStore *store;
	guint64 lacking;
	MlvId first;
} Lack;

static gboolean note_lacking(MlvKind kind, const MlvId *id, gpointer user, GError **error)
{
	Lack *lack = user;

	if (lack->lacking++ == 0)
		lack->first = *id;
	return TRUE;
}

static gboolean ask_store(MlvKind kind, const MlvId *id, guint64 length, gboolean *descend,
			  gpointer user, GError **error)
{
	Lack *lack = user;
	MlvPlace place;
	gboolean found;

	/* Lists and trees are read, and so missed, anyway; an empty file has no chunk. */
	if (kind != MLV_KIND_BLOB || length == 0)
		return TRUE;
	if (!mlv_store_find(lack->store, kind, id, &place, &found, error))
		return FALSE;
	return found || note_lacking(kind, id, user, error);
}

/* Counts what the store has not of all that lies below the references. */
static gboolean count_lacking(MlvStore *store, const GArray *refs, Lack *lack, GError **error)
{
	g_autoptr(MlvMarks) marks = mlv_marks_new();

	lack->store = store;
	lack->lacking = 0;
	for (guint i = 0; i < refs->len; i++)
		if (!mlv_mark(mlv_store_source(store), &g_array_index(refs, MlvRef, i), marks,
			      ask_store, note_lacking, lack, error))
			return FALSE;
	return TRUE;
}

static gboolean require_prerequisites(Intake *intake, GError **error)
{
	const MlvBundleManifest *manifest = mlv_bundle_reader_manifest(intake->reader);
	char hex[MLV_OID_HEX + 1] = "?", id[MLV_ID_HEX + 1];
	Lack lack = { 0 };

	if (!count_lacking(intake->store, manifest->have, &lack, error))
		return FALSE;
	intake->result->lacking = lack.lacking;
	if (lack.lacking == 0)
		return TRUE;
	if (manifest->prerequisites->len > 0)
		mlv_oid_format(&g_array_index(manifest->prerequisites, MlvOid, 0), hex);
	mlv_id_format(&lack.first, id);
	return mlv_fail(
		error, MLV_ERROR_MISSING,
		"the bundle builds on the data of commit %.12s, of which %" G_GUINT64_FORMAT
		" object%s not here (sha256:%.12s%s); first 'mlv fetch' them or apply the bundle "
		"that has them",
		hex, lack.lacking, lack.lacking == 1 ? " is" : "s are", id,
		lack.lacking > 1 ? ", ..." : "");
}

/* --- packs ------------------------------------------------------------------------------------ */

/* The chunks of a pack of which the store has some. */
static gboolean put_chunks(Intake *intake, const Job *job, GError **error)
{
	for (gsize i = 0; i < job->table->count; i++) {
		const MlvPackEntry *entry = &job->table->entries[i];
		gboolean mine;

		if (!mlv_store_writer_claim(intake->writer, entry->kind, &entry->id, &mine, error))
			return FALSE;
		if (!mine)
			continue;
		if (!mlv_file_read_at(job->fd, intake->chunk, entry->stored, entry->offset,
				      job->label, error) ||
		    !mlv_store_writer_put_stored(intake->writer, entry, intake->chunk, error))
			return FALSE;
	}
	return TRUE;
}

/* A pack of which the store has nothing becomes its own as it is. */
static gboolean store_pack(Intake *intake, Job *job, GError **error)
{
	gsize here = 0;

	for (gsize i = 0; i < job->table->count; i++) {
		const MlvPackEntry *entry = &job->table->entries[i];
		MlvPlace place;
		gboolean found;

		if (!mlv_store_find(intake->store, entry->kind, &entry->id, &place, &found, error))
			return FALSE;
		here += found ? 1 : 0;
	}
	if (here > 0)
		return put_chunks(intake, job, error);
	return mlv_store_writer_adopt(intake->writer, g_steal_pointer(&job->temp),
				      g_steal_pointer(&job->table), error);
}

static gboolean finish_job(Intake *intake, Job *job, GError **error)
{
	gboolean ok = job->error == NULL;

	if (!ok)
		g_propagate_error(error, g_steal_pointer(&job->error));
	if (ok) {
		intake->result->packs++;
		intake->result->objects += job->table->count;
		for (gsize i = 0; intake->seen && i < job->table->count; i++)
			if (job->table->entries[i].kind != MLV_KIND_BLOB)
				mlv_marks_add(intake->seen, job->table->entries[i].kind,
					      &job->table->entries[i].id);
	}
	if (ok && intake->writer && job->table->count > 0)
		ok = store_pack(intake, job, error);
	if (ok && intake->options->progress)
		intake->options->progress(mlv_bundle_reader_offset(intake->reader),
					  intake->result->objects, intake->options->user);
	job_free(job);
	return ok;
}

static gboolean copy_pack(Intake *intake, Job *job, GError **error)
{
	if (intake->writer) {
		job->temp = mlv_store_temp(intake->store, error);
		job->fd = job->temp ? mlv_temp_fd(job->temp) : -1;
		if (job->fd < 0)
			return FALSE;
	} else {
		job->fd = job->memory = memfd_create("mlv-bundle-pack", MFD_CLOEXEC);
		if (job->fd < 0)
			return mlv_fail_errno(error, "cannot hold a pack in memory");
	}
	return mlv_bundle_reader_copy(intake->reader, job->fd, job->label, error);
}

static gboolean take_pack(Intake *intake, const MlvBundlePack *pack, GError **error)
{
	Job *job = g_new0(Job, 1);
	Job *done;

	job->pack = *pack;
	job->memory = -1;
	mlv_pack_path(&pack->name, job->label);
	if (!copy_pack(intake, job, error)) {
		job_free(job);
		return FALSE;
	}
	while ((done = mlv_pool_is_full(intake->pool) ? mlv_pool_take(intake->pool)
						      : mlv_pool_poll(intake->pool))) {
		if (!finish_job(intake, done, error)) {
			job_free(job);
			return FALSE;
		}
	}
	mlv_pool_submit(intake->pool, job);
	return TRUE;
}

static gboolean take_packs(Intake *intake, GError **error)
{
	MlvBundlePack pack;
	gboolean more;
	Job *job;

	for (;;) {
		if (intake->options->cancel && *intake->options->cancel)
			return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
		if (!mlv_bundle_reader_next(intake->reader, &pack, &more, error))
			return FALSE;
		if (!more)
			break;
		if (!take_pack(intake, &pack, error))
			return FALSE;
	}
	while ((job = mlv_pool_take(intake->pool)))
		if (!finish_job(intake, job, error))
			return FALSE;
	intake->result->bytes = mlv_bundle_reader_offset(intake->reader);
	return TRUE;
}

static void intake_init(Intake *intake)
{
	guint threads = intake->options->threads;

	if (threads == 0)
		threads = mlv_pool_default_threads();
	memset(intake->result, 0, sizeof(*intake->result));
	/* Packs in memory are few at a time. */
	intake->pool = mlv_pool_new(threads, intake->writer ? MIN(threads + 1, WINDOW_MAX) : 1,
				    run_job, intake);
	intake->chunk = g_malloc(MLV_CHUNK_LIMIT);
}

static void intake_clear(Intake *intake)
{
	mlv_pool_free(intake->pool, job_free);
	mlv_store_writer_free(intake->writer);
	mlv_marks_free(intake->seen);
	g_free(intake->chunk);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Intake, intake_clear)

/* --- the whole -------------------------------------------------------------------------------- */

/* Each tree and list that is needed must at least begin somewhere. */
static gboolean check_roots(Intake *intake, GError **error)
{
	const GArray *need = mlv_bundle_reader_manifest(intake->reader)->need;
	char hex[MLV_ID_HEX + 1];

	for (guint i = 0; i < need->len; i++) {
		const MlvRef *ref = &g_array_index(need, MlvRef, i);
		MlvKind kind = mlv_ref_chunk_kind(ref);
		gboolean found =
			kind == MLV_KIND_BLOB || mlv_marks_contains(intake->seen, kind, &ref->id);
		MlvPlace place;

		if (!found && intake->store &&
		    !mlv_store_find(intake->store, kind, &ref->id, &place, &found, error))
			return FALSE;
		mlv_id_format(&ref->id, hex);
		if (!found && mlv_bundle_reader_manifest(intake->reader)->have->len == 0)
			return mlv_fail(error, MLV_ERROR_CORRUPT,
					"the bundle needs sha256:%.12s and does not hold it", hex);
	}
	return TRUE;
}

gboolean mlv_bundle_verify(MlvBundleReader *reader, MlvStore *store,
			   const MlvBundleReadOptions *options, MlvBundleResult *result,
			   GError **error)
{
	const MlvBundleManifest *manifest = mlv_bundle_reader_manifest(reader);
	g_auto(Intake)
		intake = { .reader = reader, .store = store, .options = options, .result = result };
	Lack lack = { 0 };

	intake_init(&intake);
	intake.seen = mlv_marks_new();
	if (!take_packs(&intake, error) || !check_roots(&intake, error))
		return FALSE;
	if (store && !count_lacking(store, manifest->have, &lack, error))
		return FALSE;
	result->lacking = lack.lacking;
	return TRUE;
}

gboolean mlv_bundle_apply(MlvBundleReader *reader, MlvStore *store, const MlvWriteOptions *write,
			  const MlvBundleReadOptions *options, MlvBundleResult *result,
			  GError **error)
{
	const MlvBundleManifest *manifest = mlv_bundle_reader_manifest(reader);
	g_auto(Intake)
		intake = { .reader = reader, .store = store, .options = options, .result = result };
	Lack lack = { 0 };
	char hex[MLV_ID_HEX + 1];

	intake.writer = mlv_store_writer_new(store, write);
	intake_init(&intake);
	if (!require_prerequisites(&intake, error) || !take_packs(&intake, error) ||
	    !mlv_store_writer_commit(intake.writer, error))
		return FALSE;
	result->stored = mlv_store_writer_written(intake.writer);
	if (!count_lacking(store, manifest->need, &lack, error))
		return FALSE;
	if (lack.lacking == 0)
		return TRUE;
	mlv_id_format(&lack.first, hex);
	return mlv_fail(
		error, MLV_ERROR_CORRUPT,
		"the bundle was taken in, but %" G_GUINT64_FORMAT
		" objects that its commits need were not in it (sha256:%.12s ...); make it again",
		lack.lacking, hex);
}
