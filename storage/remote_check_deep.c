/* SPDX-License-Identifier: Apache-2.0 */
/* Every byte of every pack of a remote. */
#include "storage/pool.h"
#include "storage/remote_check_private.h"

#include <fcntl.h>
#include <string.h>

typedef struct {
	MlvRemoteFaultKind kind;
	MlvChunkKey object;
	gboolean has_object;
	char *message;
} Found;

/* A pack on its way through. */
typedef struct {
	MlvIndexPack pack;
	char path[MLV_PACK_NAME_LENGTH + 1];
	MlvTemp *temp;
	const CheckEntry *entries; /* what indexes say of it; borrowed */
	gsize count;
	GArray *found; /* Found */
	GError *error; /* it could not be fetched */
} Job;

typedef struct {
	CheckState *state;
	guint next;
	MlvPool *pool;
	guint64 done;
	GError *failed;
} Run;

static void clear_found(gpointer data)
{
	g_free(((Found *)data)->message);
}

static void job_free(gpointer data)
{
	Job *job = data;

	mlv_temp_free(job->temp);
	g_array_unref(job->found);
	g_clear_error(&job->error);
	g_free(job);
}

static void add_found(Job *job, MlvRemoteFaultKind kind, const MlvPackEntry *entry,
		      const char *message)
{
	Found found = { .kind = kind, .message = g_strdup(message) };

	if (entry) {
		found.has_object = TRUE;
		found.object.id = entry->id;
		found.object.kind = entry->kind;
	}
	g_array_append_val(job->found, found);
}

static gboolean note_fault(const MlvPackEntry *entry, const GError *why, gpointer user)
{
	add_found(user, entry ? MLV_REMOTE_FAULT_OBJECT : MLV_REMOTE_FAULT_PACK, entry,
		  why->message);
	return TRUE;
}

static gboolean agrees(const CheckEntry *said, const MlvPackTable *table)
{
	gsize low = 0, high = table->count;
	guint64 id;

	while (low < high) {
		gsize middle = low + (high - low) / 2;

		if (table->entries[middle].offset < said->offset)
			low = middle + 1;
		else
			high = middle;
	}
	/* Empty chunks share an offset with what follows them. */
	for (; low < table->count && table->entries[low].offset == said->offset; low++) {
		memcpy(&id, table->entries[low].id.b, sizeof(id));
		if (table->entries[low].stored == said->stored && id == said->id)
			return TRUE;
	}
	return FALSE;
}

/* In a worker. */
static void check_pack(gpointer data, gpointer user)
{
	Job *job = data;
	int fd = mlv_temp_fd(job->temp);
	g_autoptr(GError) why = NULL;
	g_autoptr(MlvPackTable) table = NULL;

	if (!mlv_pack_check(fd, &job->pack.name, job->path, note_fault, job, &why)) {
		add_found(job, MLV_REMOTE_FAULT_PACK, NULL, why->message);
		return;
	}
	table = mlv_pack_table_read(fd, &job->pack.name, job->path, NULL);
	for (gsize i = 0; table && i < job->count; i++) {
		g_autofree char *message = NULL;

		if (agrees(&job->entries[i], table))
			continue;
		message = g_strdup_printf(
			"an index says that a chunk lies at byte %u of the pack '%s', and it "
			"does not",
			job->entries[i].offset, job->path);
		add_found(job, MLV_REMOTE_FAULT_ENTRIES, NULL, message);
	}
}

static void finish(Run *run, Job *job)
{
	CheckState *state = run->state;

	for (guint i = 0; i < job->found->len; i++) {
		const Found *found = &g_array_index(job->found, Found, i);

		mlv_remote_check_found(state, found->kind, job->path,
				       found->has_object ? &found->object : NULL, found->message);
	}
	run->done += job->pack.size;
	if (state->check->progress)
		state->check->progress(run->done, state->result->pack_bytes, state->check->user);
	job_free(job);
}

/* What indexes say of the pack: a stretch of the sorted entries. */
static void take_entries(const CheckState *state, Job *job)
{
	guint number =
		GPOINTER_TO_UINT(g_hash_table_lookup(state->remote->pack_numbers, &job->pack.name));
	const CheckEntry *all = (const CheckEntry *)(gpointer)state->entries->data;
	gsize low = 0, high = state->entries->len;

	if (number == 0)
		return;
	while (low < high) {
		gsize middle = low + (high - low) / 2;

		if (all[middle].pack < number - 1)
			low = middle + 1;
		else
			high = middle;
	}
	job->entries = all + low;
	while (low + job->count < state->entries->len && all[low + job->count].pack == number - 1)
		job->count++;
}

static MlvOp *next_pack(gpointer user)
{
	Run *run = user;
	CheckState *state = run->state;
	Job *job;
	MlvOp *op;

	if (run->failed || run->next == state->listed->len)
		return NULL;
	job = g_new0(Job, 1);
	job->found = g_array_new(FALSE, FALSE, sizeof(Found));
	g_array_set_clear_func(job->found, clear_found);
	job->pack = g_array_index(state->listed, MlvIndexPack, run->next++);
	mlv_pack_path(&job->pack.name, job->path);
	take_entries(state, job);
	job->temp = mlv_temp_open(AT_FDCWD, state->check->temp_dir, &run->failed);
	if (!job->temp) {
		job_free(job);
		return NULL;
	}
	op = mlv_op_new(MLV_OP_GET, job->path);
	op->fd = mlv_temp_fd(job->temp);
	op->length = job->pack.size;
	op->user = job;
	return op;
}

static gboolean pack_arrived(MlvOp *op, gpointer user, GError **error)
{
	Run *run = user;
	Job *job = op->user;
	g_autoptr(GError) failed = g_steal_pointer(&op->error);

	mlv_op_free(op);
	if (failed) {
		/* Deleted since it was listed: a gc's work, or it is told of by who needs it. */
		gboolean gone = g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING);

		if (g_error_matches(failed, MLV_ERROR, MLV_ERROR_CORRUPT))
			add_found(job, MLV_REMOTE_FAULT_PACK, NULL, failed->message);
		else if (!gone)
			g_propagate_error(error, g_steal_pointer(&failed));
		finish(run, job);
		return failed != NULL;
	}
	while (mlv_pool_is_full(run->pool))
		finish(run, mlv_pool_take(run->pool));
	mlv_pool_submit(run->pool, job);
	return mlv_remote_check_go_on(run->state, error);
}

gboolean mlv_remote_check_deep(CheckState *state, GError **error)
{
	MlvMedium *medium = state->remote->medium;
	guint threads = state->check->threads ? state->check->threads : mlv_pool_default_threads();
	Run run = { .state = state };
	gboolean ok;
	Job *job;

	run.pool = mlv_pool_new(threads, threads + 2, check_pack, NULL);
	ok = medium->methods->run(medium, next_pack, pack_arrived, &run, error);
	while ((job = mlv_pool_take(run.pool)))
		finish(&run, job);
	mlv_pool_free(run.pool, job_free);
	if (ok && run.failed) {
		g_propagate_error(error, run.failed);
		return FALSE;
	}
	g_clear_error(&run.failed);
	return ok;
}
