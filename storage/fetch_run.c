/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of a fetch, what arrives by them, and its way through the hashing workers to the
 * sink. */
#include "storage/fetch_private.h"
#include "storage/pool.h"

#include <string.h>

/* Bytes of ranges that are asked for or wait to be hashed, in memory all of them. */
#define HELD_MAX (64u << 20)

/* Something that arrived. */
typedef struct {
	guint unit;
	gboolean whole;
	MlvId name; /* of the pack */
	char label[MLV_PACK_NAME_LENGTH + 1];
	MlvTemp *temp;         /* a whole pack ... */
	MlvPackTable *table;   /* ... and, once checked, its table */
	GBytes *bytes;         /* a range ... */
	MlvPackEntry *entries; /* ... and the chunks in it; their offsets count from its start */
	gsize count;
	GError *error;
} Arrival;

typedef struct {
	Fetch *fetch;
	guint next;
	MlvPool *pool;
	guint64 held; /* bytes of ranges in memory, or on their way there */
	GError *failed;
} Run;

static void arrival_free(gpointer data)
{
	Arrival *arrival = data;

	mlv_temp_free(arrival->temp);
	mlv_pack_table_free(arrival->table);
	g_clear_pointer(&arrival->bytes, g_bytes_unref);
	g_free(arrival->entries);
	g_clear_error(&arrival->error);
	g_free(arrival);
}

/* --- in a worker ------------------------------------------------------------------------------ */

static gboolean first_fault(const MlvPackEntry *entry, const GError *why, gpointer user)
{
	GError **fault = user;

	if (!*fault)
		*fault = g_error_copy(why);
	return FALSE;
}

static void check_pack(Arrival *arrival)
{
	g_autoptr(GError) other = NULL;
	int fd = mlv_temp_fd(arrival->temp);

	if (mlv_pack_check(fd, &arrival->name, arrival->label, first_fault, &arrival->error,
			   &other) &&
	    !arrival->error)
		arrival->table =
			mlv_pack_table_read(fd, &arrival->name, arrival->label, &arrival->error);
	else if (!arrival->error)
		arrival->error = g_steal_pointer(&other);
}

static void check_range(Arrival *arrival)
{
	const guint8 *data = g_bytes_get_data(arrival->bytes, NULL);
	g_autofree guint8 *raw = g_malloc(MLV_CHUNK_LIMIT);

	for (gsize i = 0; i < arrival->count && !arrival->error; i++) {
		MlvPackEntry *entry = &arrival->entries[i];
		MlvId id = entry->id;

		if (!mlv_pack_decode(entry, data + entry->offset, raw, arrival->label,
				     &arrival->error))
			return;
		if (entry->codec != MLV_CODEC_RAW)
			mlv_id_of(data + entry->offset, entry->stored, &id);
		memcpy(&entry->check, id.b, sizeof(entry->check));
		entry->check = GUINT32_FROM_LE(entry->check);
	}
}

static void check_arrival(gpointer job, gpointer user)
{
	Arrival *arrival = job;

	if (arrival->whole)
		check_pack(arrival);
	else
		check_range(arrival);
}

/* --- to the sink ------------------------------------------------------------------------------ */

static gboolean give_chunks(const Fetch *fetch, const Arrival *arrival, GError **error)
{
	const guint8 *data = g_bytes_get_data(arrival->bytes, NULL);

	for (gsize i = 0; i < arrival->count; i++)
		if (!fetch->sink->chunk(&arrival->entries[i], data + arrival->entries[i].offset,
					fetch->sink->user, error))
			return FALSE;
	return TRUE;
}

/* Damaged: again, and if that does not help a whole pack, its wanted chunks alone. */
static gboolean try_again(Fetch *fetch, const Arrival *arrival, GError **error)
{
	FetchUnit *unit = &g_array_index(fetch->units, FetchUnit, arrival->unit);

	if (!g_error_matches(arrival->error, MLV_ERROR, MLV_ERROR_CORRUPT)) {
		g_propagate_error(error, g_error_copy(arrival->error));
		return FALSE;
	}
	if (++unit->tries < MLV_REMOTE_TRIES) {
		g_array_append_val(fetch->again, arrival->unit);
		return TRUE;
	}
	if (unit->whole) {
		mlv_fetch_split(fetch, unit);
		return TRUE;
	}
	g_propagate_prefixed_error(
		error, g_error_copy(arrival->error),
		"the remote '%s' holds damaged bytes: ", fetch->remote->medium->url);
	return FALSE;
}

/* With what is under way, as far as it is. */
static void tell_moved(guint64 bytes, gpointer user)
{
	const Fetch *fetch = user;

	if (fetch->options->progress)
		fetch->options->progress(MIN(fetch->done + bytes, fetch->total), fetch->total,
					 fetch->options->user);
}

/* Takes the arrival. */
static void let_go(Run *run, Arrival *arrival)
{
	if (!arrival->whole)
		run->held -= g_array_index(run->fetch->units, FetchUnit, arrival->unit).length;
	arrival_free(arrival);
}

/* Takes the arrival. */
static gboolean deliver(Run *run, Arrival *arrival, GError **error)
{
	Fetch *fetch = run->fetch;
	const FetchUnit *unit = &g_array_index(fetch->units, FetchUnit, arrival->unit);
	gboolean ok;

	if (arrival->error) {
		ok = try_again(fetch, arrival, error);
	} else {
		fetch->done += unit->length;
		tell_moved(0, fetch);
		ok = arrival->whole ? fetch->sink->pack(g_steal_pointer(&arrival->temp),
							g_steal_pointer(&arrival->table),
							fetch->sink->user, error)
				    : give_chunks(fetch, arrival, error);
	}
	let_go(run, arrival);
	return ok;
}

/* --- requests --------------------------------------------------------------------------------- */

static Arrival *new_arrival(const Fetch *fetch, guint number)
{
	const FetchUnit *unit = &g_array_index(fetch->units, FetchUnit, number);
	const RemoteWant *wants = &g_array_index(fetch->wants, RemoteWant, unit->first);
	Arrival *arrival = g_new0(Arrival, 1);

	arrival->unit = number;
	arrival->whole = unit->whole;
	arrival->name = mlv_remote_pack(fetch->remote, wants->pack)->name;
	mlv_pack_path(&arrival->name, arrival->label);
	if (unit->whole)
		return arrival;
	arrival->count = unit->count;
	arrival->entries = g_new(MlvPackEntry, unit->count);
	for (guint i = 0; i < unit->count; i++) {
		arrival->entries[i] = mlv_remote_want_entry(&wants[i]);
		arrival->entries[i].offset = (guint32)(wants[i].offset - unit->offset);
	}
	return arrival;
}

static MlvOp *next_request(gpointer user)
{
	Run *run = user;
	Fetch *fetch = run->fetch;
	Arrival *arrival;
	MlvOp *op;
	guint number;

	if (run->failed || run->held >= HELD_MAX)
		return NULL;
	if (fetch->again->len > 0) {
		number = g_array_index(fetch->again, guint, fetch->again->len - 1);
		g_array_set_size(fetch->again, fetch->again->len - 1);
	} else if (run->next < fetch->units->len) {
		number = run->next++;
	} else {
		return NULL;
	}
	arrival = new_arrival(fetch, number);
	op = mlv_op_new(MLV_OP_GET, arrival->label);
	op->offset = g_array_index(fetch->units, FetchUnit, number).offset;
	op->length = g_array_index(fetch->units, FetchUnit, number).length;
	op->user = arrival;
	run->held += arrival->whole ? 0 : op->length;
	if (arrival->whole) {
		arrival->temp = fetch->sink->temp(fetch->sink->user, &run->failed);
		if (!arrival->temp) {
			arrival_free(arrival);
			mlv_op_free(op);
			return NULL;
		}
		op->fd = mlv_temp_fd(arrival->temp);
	}
	return op;
}

static void note_gone(Fetch *fetch, guint number)
{
	const FetchUnit *unit = &g_array_index(fetch->units, FetchUnit, number);

	for (guint i = 0; i < unit->count; i++) {
		const RemoteWant *want = &g_array_index(fetch->wants, RemoteWant, unit->first + i);
		MlvChunkKey key = { .id = want->id, .kind = want->kind };

		g_array_append_val(fetch->gone, key);
	}
}

/* Room for one more: the oldest is waited for and delivered. */
static gboolean make_room(Run *run, GError **error)
{
	while (mlv_pool_is_full(run->pool))
		if (!deliver(run, mlv_pool_take(run->pool), error))
			return FALSE;
	return TRUE;
}

static gboolean request_done(MlvOp *op, gpointer user, GError **error)
{
	Run *run = user;
	Arrival *arrival = op->user;
	gboolean ok = TRUE;

	arrival->error = g_steal_pointer(&op->error);
	arrival->bytes = g_steal_pointer(&op->bytes);
	mlv_op_free(op);
	if (g_error_matches(arrival->error, MLV_ERROR, MLV_ERROR_MISSING)) {
		note_gone(run->fetch, arrival->unit);
		mlv_remote_note_gone(run->fetch->remote, &arrival->name);
		let_go(run, arrival);
	} else if (arrival->error) {
		ok = deliver(run, arrival, error);
	} else if (make_room(run, error)) {
		mlv_pool_submit(run->pool, arrival);
		while (ok && (arrival = mlv_pool_poll(run->pool)))
			ok = deliver(run, arrival, error);
	} else {
		let_go(run, arrival);
		ok = FALSE;
	}
	return ok;
}

static gboolean drain(Run *run, GError **error)
{
	Arrival *arrival;

	while ((arrival = mlv_pool_take(run->pool)))
		if (!deliver(run, arrival, error))
			return FALSE;
	return TRUE;
}

gboolean mlv_fetch_run(Fetch *fetch, GError **error)
{
	MlvMedium *medium = fetch->remote->medium;
	guint threads =
		fetch->options->threads ? fetch->options->threads : mlv_pool_default_threads();
	Run run = { .fetch = fetch };
	gboolean ok = TRUE;

	run.pool = mlv_pool_new(threads, 2 * threads + 2, check_arrival, NULL);
	tell_moved(0, fetch);
	medium->moved = tell_moved;
	medium->moved_user = fetch;
	while (ok && (run.next < fetch->units->len || fetch->again->len > 0)) {
		ok = medium->methods->run(medium, next_request, request_done, &run, error);
		if (ok && run.failed) {
			g_propagate_error(error, g_steal_pointer(&run.failed));
			ok = FALSE;
		}
		ok = ok && drain(&run, error);
	}
	medium->moved = NULL;
	mlv_pool_free(run.pool, arrival_free);
	g_clear_error(&run.failed);
	return ok;
}
