/* SPDX-License-Identifier: Apache-2.0 */
/* Sending chunks: local packs as they are where all of one is wanted, else new packs. */
#include "storage/push_build.h"

#include <string.h>
#include <unistd.h>

/* A local pack below this is joined with others, so that many small commits do not make many
 * small packs. */
#define WHOLE_MIN (16u << 20)
#define SAMPLE \
	16 /* raw chunks of a pack that are looked at to see whether it should be compressed */

/* Packs that are built while others are sent. */
#define BUILD_AHEAD 2

/* A new pack: temp NULL where there was nothing left, or with error. */
typedef struct {
	MlvTemp *temp;
	MlvIndexPack pack;
	MlvPackEntry *entries;
	gsize count;
	guint64 bytes;
	GError *error;
} Built;

/* A pack on its way. */
typedef struct {
	MlvIndexPack pack;
	MlvTemp *temp; /* one that was built */
	int fd;        /* a local one, -1 otherwise */
	MlvPackEntry *entries;
	gsize count;
	guint64 bytes; /* of chunks, as they lie here */
} Sending;

typedef struct {
	PushState *state;
	MlvClass pack_class;
	MlvIndexBuilder *builder;
	guint8 *whole;   /* a flag a local pack */
	guint next_pack; /* local packs still to be sent as they are */
	PushBuild build;
	MlvPool *ahead;       /* builds; NULL: too little for more than one pack */
	gboolean build_ended; /* the worker's own */
	gboolean all_built;
	guint in_flight;
	GError *failed;
} Sender;

/* --- which packs go as they are --------------------------------------------------------------- */

static gboolean should_compress(const PushState *state, int fd, const MlvPackTable *table)
{
	gsize step = MAX(table->count / SAMPLE, 1);
	g_autofree guint8 *chunk = g_malloc(MLV_CHUNK_LIMIT);
	guint raw = 0, good = 0;

	if (state->push->level == 0)
		return FALSE;
	for (gsize i = 0; i < table->count; i += step) {
		const MlvPackEntry *entry = &table->entries[i];

		if (entry->codec != MLV_CODEC_RAW || entry->stored > MLV_CHUNK_LIMIT ||
		    !mlv_file_read_at(fd, chunk, entry->stored, entry->offset, "pack", NULL))
			continue;
		raw++;
		good += mlv_codec_looks_compressible(chunk, entry->stored) ? 1 : 0;
	}
	return good > 0 && good * 2 >= raw;
}

/* Opens a local pack and reads its table. */
static MlvPackTable *open_local(PushState *state, const PushPack *pack, int *fd, GError **error)
{
	const MlvPushProvider *provider = &state->push->provider;
	char path[MLV_PACK_NAME_LENGTH + 1];
	MlvPackTable *table;

	mlv_pack_path(&pack->name, path);
	*fd = provider->open_pack(&pack->name, provider->user, error);
	if (*fd < 0)
		return NULL;
	table = mlv_pack_table_read(*fd, &pack->name, path, error);
	if (!table)
		mlv_fd_clear(fd);
	return table;
}

static gboolean goes_whole(PushState *state, const PushPack *pack, gboolean alone, gboolean *whole,
			   GError **error)
{
	g_auto(MlvFd) fd = -1;
	g_autoptr(MlvPackTable) table = NULL;

	*whole = FALSE;
	if (mlv_remote_is_tombstoned(state->remote, &pack->name) ||
	    g_hash_table_contains(state->remote->pack_numbers, &pack->name))
		return TRUE;
	table = open_local(state, pack, &fd, error);
	if (!table)
		return FALSE;
	*whole = table->count == pack->missing && (alone || table->size >= WHOLE_MIN) &&
		 !should_compress(state, fd, table);
	return TRUE;
}

/* The chunks of the class are state->chunks[*first .. *end). */
static void class_range(const PushState *state, MlvClass pack_class, guint *first, guint *end)
{
	for (*first = 0; *first < state->chunks->len; (*first)++)
		if (mlv_class_of(g_array_index(state->chunks, PushChunk, *first).entry.kind) ==
		    pack_class)
			break;
	for (*end = *first; *end < state->chunks->len; (*end)++)
		if (mlv_class_of(g_array_index(state->chunks, PushChunk, *end).entry.kind) !=
		    pack_class)
			break;
}

static gboolean plan(Sender *sender, GError **error)
{
	PushState *state = sender->state;
	PushBuild *build = &sender->build;
	guint32 previous;
	guint packs = 0;

	class_range(state, sender->pack_class, &build->at, &build->end);
	sender->whole = g_new0(guint8, state->packs->len + 1);
	build->at_start = build->at;
	build->skip = sender->whole;
	for (int pass = 0; pass < 2; pass++) {
		previous = G_MAXUINT32;
		for (guint i = build->at; i < build->end; i++) {
			guint32 number = g_array_index(state->chunks, PushChunk, i).pack;
			gboolean whole = FALSE;

			if (number == previous)
				continue;
			previous = number;
			if (pass == 0)
				packs++;
			else if (!goes_whole(state, &g_array_index(state->packs, PushPack, number),
					     packs == 1, &whole, error))
				return FALSE;
			sender->whole[number] = whole;
		}
	}
	return TRUE;
}

static void built_free(gpointer data)
{
	Built *built = data;

	if (!built)
		return;
	mlv_temp_free(built->temp);
	g_free(built->entries);
	g_clear_error(&built->error);
	g_free(built);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Built, built_free)

static void build_one(Sender *sender, Built *built)
{
	mlv_push_build_next(&sender->build, &built->temp, &built->pack, &built->entries,
			    &built->count, &built->bytes, &built->error);
}

static void build_in_worker(gpointer job, gpointer user)
{
	Sender *sender = user;
	Built *built = job;

	if (!sender->build_ended)
		build_one(sender, built);
	sender->build_ended = built->temp == NULL;
}

/* Whether more than one pack is to be built. */
static gboolean builds_several(const Sender *sender)
{
	const PushState *state = sender->state;
	guint64 bytes = 0;

	for (guint i = sender->build.at; i < sender->build.end && bytes <= MLV_PACK_TARGET; i++) {
		const PushChunk *chunk = &g_array_index(state->chunks, PushChunk, i);

		bytes += sender->whole[chunk->pack] ? 0 : chunk->entry.stored;
	}
	return bytes > MLV_PACK_TARGET;
}

static void sender_clear(Sender *sender)
{
	mlv_pool_free(sender->ahead, built_free);
	mlv_index_builder_free(sender->builder);
	g_free(sender->whole);
	mlv_push_build_clear(&sender->build);
	g_clear_error(&sender->failed);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sender, sender_clear)

static gboolean sender_init(Sender *sender, PushState *state, MlvClass pack_class, GError **error)
{
	memset(sender, 0, sizeof(*sender));
	sender->state = state;
	sender->pack_class = pack_class;
	sender->builder = mlv_index_builder_new(pack_class);
	mlv_push_build_init(&sender->build, state, pack_class);
	return plan(sender, error);
}

/* Building and sending take turns no longer: one worker builds, which uses others to compress. */
static void build_ahead(Sender *sender)
{
	if (builds_several(sender))
		sender->ahead = mlv_pool_new(1, BUILD_AHEAD, build_in_worker, sender);
}

/* --- sending ---------------------------------------------------------------------------------- */

static void sending_free(Sending *sending)
{
	mlv_temp_free(sending->temp);
	mlv_fd_clear(&sending->fd);
	g_free(sending->entries);
	g_free(sending);
}

static MlvOp *put_op(Sending *sending, int fd)
{
	char path[MLV_PACK_NAME_LENGTH + 1];
	MlvOp *op;

	mlv_pack_path(&sending->pack.name, path);
	op = mlv_op_new(MLV_OP_PUT, path);
	op->fd = fd;
	op->length = sending->pack.size;
	op->user = sending;
	return op;
}

static gboolean check_whole(const PushState *state, int fd, const MlvId *name, GError **error)
{
	char path[MLV_PACK_NAME_LENGTH + 1];

	mlv_pack_path(name, path);
	return !state->push->verify || mlv_push_verify_pack(fd, name, path, error);
}

/* The next local pack that goes as it is. */
static MlvOp *next_whole(Sender *sender, GError **error)
{
	PushState *state = sender->state;

	while (sender->next_pack < state->packs->len) {
		guint number = sender->next_pack++;
		const PushPack *pack = &g_array_index(state->packs, PushPack, number);
		g_autoptr(MlvPackTable) table = NULL;
		Sending *sending;
		int fd;

		if (!sender->whole[number])
			continue;
		table = open_local(state, pack, &fd, error);
		if (!table)
			return NULL;
		if (!check_whole(state, fd, &pack->name, error)) {
			close(fd);
			return NULL;
		}
		sending = g_new0(Sending, 1);
		sending->pack = (MlvIndexPack){ table->name, table->size };
		sending->fd = fd;
		sending->count = table->count;
		sending->entries = g_steal_pointer(&table->entries);
		for (gsize i = 0; i < sending->count; i++)
			sending->bytes += sending->entries[i].stored;
		state->result->whole_packs++;
		return put_op(sending, fd);
	}
	return NULL;
}

/* The next pack that was built. NULL: none is left, or none is ready and others are in flight,
 * after which it is asked for again. */
static Built *take_built(Sender *sender)
{
	Built *built;

	if (sender->all_built)
		return NULL;
	if (!sender->ahead) {
		built = g_new0(Built, 1);
		build_one(sender, built);
	} else {
		while (!mlv_pool_is_full(sender->ahead))
			mlv_pool_submit(sender->ahead, g_new0(Built, 1));
		built = sender->in_flight == 0 ? mlv_pool_take(sender->ahead)
					       : mlv_pool_poll(sender->ahead);
	}
	sender->all_built = built && !built->temp;
	return built;
}

static MlvOp *next_built(Sender *sender, GError **error)
{
	g_autoptr(Built) built = take_built(sender);
	Sending *sending;

	if (!built || built->error || !built->temp) {
		if (built && built->error)
			g_propagate_error(error, g_steal_pointer(&built->error));
		return NULL;
	}
	sending = g_new0(Sending, 1);
	sending->pack = built->pack;
	sending->temp = g_steal_pointer(&built->temp);
	sending->fd = -1;
	sending->entries = g_steal_pointer(&built->entries);
	sending->count = built->count;
	sending->bytes = built->bytes;
	return put_op(sending, mlv_temp_fd(sending->temp));
}

static MlvOp *next_pack(gpointer user)
{
	Sender *sender = user;
	MlvOp *op = sender->failed ? NULL : next_whole(sender, &sender->failed);

	if (!op && !sender->failed)
		op = next_built(sender, &sender->failed);
	sender->in_flight += op ? 1 : 0;
	return op;
}

/* With what is under way, as far as it is. */
static void tell_moved(guint64 bytes, gpointer user)
{
	const PushState *state = user;
	guint64 done = MIN(state->result->bytes + bytes, state->total);

	if (state->push->progress)
		state->push->progress(done, state->total, state->push->user);
}

static gboolean pack_sent(MlvOp *op, gpointer user, GError **error)
{
	Sender *sender = user;
	PushState *state = sender->state;
	Sending *sending = op->user;
	gboolean ok = op->error == NULL;

	sender->in_flight--;
	if (ok) {
		mlv_index_builder_add_pack(sender->builder, &sending->pack.name, sending->pack.size,
					   sending->entries, sending->count);
		mlv_push_journal_pack(state, &sending->pack);
		mlv_id_set_add(state->relied, &sending->pack.name);
		state->result->packs++;
		state->result->chunks += sending->count;
		state->result->bytes += sending->bytes;
		tell_moved(0, state);
	} else {
		g_propagate_error(error, g_steal_pointer(&op->error));
	}
	sending_free(sending);
	mlv_op_free(op);
	return ok;
}

static guint add_reused(Sender *sender)
{
	PushState *state = sender->state;
	guint count = 0;

	for (guint i = 0; i < state->journal->len; i++) {
		JournalPack *sent = &g_array_index(state->journal, JournalPack, i);

		if (!sent->used || sent->table->pack_class != sender->pack_class)
			continue;
		mlv_index_builder_add_pack(sender->builder, &sent->pack.name, sent->pack.size,
					   sent->table->entries, sent->table->count);
		mlv_id_set_add(state->relied, &sent->pack.name);
		count++;
	}
	return count;
}

static gboolean send_packs(Sender *sender, GError **error)
{
	MlvMedium *medium = sender->state->remote->medium;
	gboolean ok;

	tell_moved(0, sender->state);
	medium->moved = tell_moved;
	medium->moved_user = sender->state;
	ok = medium->methods->run(medium, next_pack, pack_sent, sender, error);
	medium->moved = NULL;
	return ok;
}

gboolean mlv_push_send(PushState *state, MlvClass pack_class, GError **error)
{
	g_auto(Sender) sender = { 0 };
	guint reused;

	if (!sender_init(&sender, state, pack_class, error))
		return FALSE;
	reused = add_reused(&sender);
	build_ahead(&sender);
	if (!send_packs(&sender, error))
		return FALSE;
	if (sender.failed) {
		g_propagate_error(error, g_steal_pointer(&sender.failed));
		return FALSE;
	}
	if (sender.build.at_start == sender.build.end && reused == 0)
		return TRUE;
	/* Tombstones of what this index would name may be forgotten by now. */
	if (mlv_push_is_too_old(state))
		return mlv_fail(error, MLV_ERROR_CANCELLED, "the push took too long");
	return mlv_remote_put_index(state->remote, sender.builder, pack_class, error);
}

gboolean mlv_push_count(PushState *state, MlvClass pack_class, GError **error)
{
	g_auto(Sender) sender = { 0 };
	guint64 size = 0;

	if (!sender_init(&sender, state, pack_class, error))
		return FALSE;
	for (guint i = 0; i < state->packs->len; i++) {
		state->result->packs += sender.whole[i];
		state->result->whole_packs += sender.whole[i];
	}
	for (guint i = sender.build.at; i < sender.build.end; i++) {
		const PushChunk *chunk = &g_array_index(state->chunks, PushChunk, i);

		state->result->chunks++;
		state->result->bytes += chunk->entry.stored;
		if (sender.whole[chunk->pack])
			continue;
		state->result->packs += size == 0 ? 1 : 0;
		size += chunk->entry.stored;
		if (size >= MLV_PACK_TARGET)
			size = 0;
	}
	return TRUE;
}
