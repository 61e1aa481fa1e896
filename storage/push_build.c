/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/push_build.h"

#include <fcntl.h>
#include <string.h>

#define RUN_BYTES    (1u << 20) /* chunks of one job, at most */
#define RUN_CHUNKS   2048
#define THREADS_FROM (4u << 20) /* bytes from which threads are worth it */
#define COMPRESS_MIN 256        /* bytes below which a chunk is not tried */

/* Chunks that lie one behind the other in a local pack. */
typedef struct {
	MlvPackEntry *entries;
	gsize count;
	guint8 *stored; /* their bytes; after the job, as they are to be stored */
	gsize length;
	guint64 read; /* bytes as they lie here */
	int level;
	gboolean verify;
	char label[MLV_PACK_NAME_LENGTH + 1];
	GError *error;
} Run;

static void run_free(gpointer data)
{
	Run *run = data;

	g_free(run->entries);
	g_free(run->stored);
	g_clear_error(&run->error);
	g_free(run);
}

static guint32 check_of(const MlvId *id)
{
	guint32 check;

	memcpy(&check, id->b, sizeof(check));
	return GUINT32_FROM_LE(check);
}

/* Appends one chunk to `out`, compressed if that pays. */
static gboolean pack_chunk(Run *run, MlvPackEntry *entry, const guint8 *stored, guint8 *raw,
			   guint8 *out, gsize *length)
{
	MlvId id;
	gsize smaller = 0;

	if (run->verify && !mlv_pack_decode(entry, stored, raw, run->label, &run->error))
		return FALSE;
	if (run->level > 0 && entry->codec == MLV_CODEC_RAW && entry->stored >= COMPRESS_MIN &&
	    mlv_codec_looks_compressible(stored, entry->stored))
		smaller = mlv_codec_compress(stored, entry->stored, out + *length, run->level);
	if (smaller > 0) {
		entry->codec = MLV_CODEC_ZSTD;
		entry->stored = (guint32)smaller;
	} else {
		memcpy(out + *length, stored, entry->stored);
	}
	if (entry->codec == MLV_CODEC_RAW)
		id = entry->id;
	else
		mlv_id_of(out + *length, entry->stored, &id);
	entry->check = check_of(&id);
	*length += entry->stored;
	return TRUE;
}

/* A job: may run in a worker. */
static void process(gpointer job, gpointer user)
{
	Run *run = job;
	g_autofree guint8 *raw = g_malloc(MLV_CHUNK_LIMIT);
	guint8 *out = g_malloc(run->length + 1);
	const guint8 *stored = run->stored;
	gsize length = 0;

	for (gsize i = 0; i < run->count; i++) {
		guint32 before = run->entries[i].stored;

		if (!pack_chunk(run, &run->entries[i], stored, raw, out, &length))
			break;
		stored += before;
	}
	g_free(run->stored);
	run->stored = out;
	run->length = length;
}

void mlv_push_build_init(PushBuild *build, PushState *state, MlvClass pack_class)
{
	build->state = state;
	build->pack_class = pack_class;
	build->fd = -1;
	build->open = G_MAXUINT32;
}

void mlv_push_build_clear(PushBuild *build)
{
	mlv_pool_free(build->pool, run_free);
	build->pool = NULL;
	if (build->state)
		mlv_fd_clear(&build->fd);
}

static void decide_threads(PushBuild *build)
{
	const GArray *chunks = build->state->chunks;
	guint64 bytes = 0;

	build->decided = TRUE;
	for (guint i = build->at; i < build->end && bytes < THREADS_FROM; i++)
		bytes += g_array_index(chunks, PushChunk, i).entry.stored;
	if (bytes >= THREADS_FROM)
		build->pool = mlv_pool_new(0, 2 * mlv_pool_default_threads() + 2, process, NULL);
}

static gboolean open_pack(PushBuild *build, guint32 number, GError **error)
{
	const MlvPushProvider *provider = &build->state->push->provider;

	if (build->open == number)
		return TRUE;
	mlv_fd_clear(&build->fd);
	build->open = G_MAXUINT32;
	build->fd = provider->open_pack(&g_array_index(build->state->packs, PushPack, number).name,
					provider->user, error);
	if (build->fd < 0)
		return FALSE;
	build->open = number;
	return TRUE;
}

static void skip_others(PushBuild *build)
{
	const GArray *chunks = build->state->chunks;

	while (build->at < build->end &&
	       build->skip[g_array_index(chunks, PushChunk, build->at).pack])
		build->at++;
}

/* The next chunks that lie together, read; NULL at the end, or with *error. */
static Run *next_run(PushBuild *build, GError **error)
{
	const PushChunk *chunks = (const PushChunk *)(gpointer)build->state->chunks->data;
	const PushChunk *first;
	guint64 end;
	guint from;
	Run *run;

	skip_others(build);
	if (build->at == build->end)
		return NULL;
	from = build->at;
	first = &chunks[from];
	end = first->entry.offset;
	while (build->at < build->end && build->at - from < RUN_CHUNKS &&
	       chunks[build->at].pack == first->pack && chunks[build->at].entry.offset == end &&
	       (build->at == from ||
		end + chunks[build->at].entry.stored - first->entry.offset <= RUN_BYTES))
		end += chunks[build->at++].entry.stored;
	if (!open_pack(build, first->pack, error))
		return NULL;
	run = g_new0(Run, 1);
	run->count = build->at - from;
	run->entries = g_new(MlvPackEntry, run->count);
	for (gsize i = 0; i < run->count; i++)
		run->entries[i] = chunks[from + i].entry;
	run->length = run->read = end - first->entry.offset;
	run->stored = g_malloc(run->length + 1);
	run->level = build->state->push->level;
	run->verify = build->state->push->verify;
	mlv_pack_path(&g_array_index(build->state->packs, PushPack, first->pack).name, run->label);
	if (mlv_file_read_at(build->fd, run->stored, run->length, first->entry.offset, run->label,
			     error))
		return run;
	run_free(run);
	return NULL;
}

static gboolean write_run(MlvPackWriter *writer, Run *run, guint64 *bytes, GError **error)
{
	gboolean ok = FALSE;

	if (run->error)
		g_propagate_error(error, g_steal_pointer(&run->error));
	else
		ok = mlv_pack_writer_add(writer, run->stored, run->entries, run->count, error);
	*bytes += run->read;
	run_free(run);
	return ok;
}

/* Fills a pack up to its target. */
static gboolean fill(PushBuild *build, MlvPackWriter *writer, guint64 *bytes, GError **error)
{
	g_autoptr(GError) failed = NULL;
	guint64 under_way = 0;
	Run *run;

	while (mlv_pack_writer_size(writer) + under_way < MLV_PACK_TARGET &&
	       (run = next_run(build, &failed))) {
		if (!build->pool) {
			process(run, NULL);
			if (!write_run(writer, run, bytes, error))
				return FALSE;
			continue;
		}
		if (mlv_pool_is_full(build->pool)) {
			Run *oldest = mlv_pool_take(build->pool);

			under_way -= oldest->read;
			if (!write_run(writer, oldest, bytes, error)) {
				run_free(run);
				return FALSE;
			}
		}
		under_way += run->read;
		mlv_pool_submit(build->pool, run);
	}
	while (build->pool && (run = mlv_pool_take(build->pool)))
		if (!write_run(writer, run, bytes, error))
			return FALSE;
	if (!failed)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&failed));
	return FALSE;
}

gboolean mlv_push_build_next(PushBuild *build, MlvTemp **temp, MlvIndexPack *pack,
			     MlvPackEntry **entries, gsize *count, guint64 *bytes, GError **error)
{
	g_autoptr(MlvTemp) file = NULL;
	g_autoptr(MlvPackWriter) writer = NULL;

	*temp = NULL;
	*bytes = 0;
	if (!build->decided)
		decide_threads(build);
	skip_others(build);
	if (build->at == build->end)
		return TRUE;
	file = mlv_temp_open(AT_FDCWD, build->state->push->temp_dir, error);
	if (!file)
		return FALSE;
	writer = mlv_pack_writer_new(mlv_temp_fd(file), build->pack_class, mlv_temp_label(file));
	if (!fill(build, writer, bytes, error))
		return FALSE;
	*count = mlv_pack_writer_count(writer);
	*entries = g_memdup2(mlv_pack_writer_entries(writer), *count * sizeof(MlvPackEntry));
	if (!mlv_pack_writer_finish(writer, &pack->name, error)) {
		g_clear_pointer(entries, g_free);
		return FALSE;
	}
	pack->size = mlv_pack_writer_size(writer);
	*temp = g_steal_pointer(&file);
	return TRUE;
}

static gboolean first_fault(const MlvPackEntry *entry, const GError *why, gpointer user)
{
	GError **fault = user;

	if (!*fault)
		*fault = g_error_copy(why);
	return FALSE;
}

gboolean mlv_push_verify_pack(int fd, const MlvId *name, const char *label, GError **error)
{
	g_autoptr(GError) fault = NULL, other = NULL;

	if (mlv_pack_check(fd, name, label, first_fault, &fault, &other) && !fault)
		return TRUE;
	g_propagate_error(error, fault ? g_steal_pointer(&fault) : g_steal_pointer(&other));
	return FALSE;
}
