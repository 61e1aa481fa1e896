/* SPDX-License-Identifier: Apache-2.0 */
/* Reading mlv.lock, line by line. Of a text with conflict markers each side is read by itself:
 * every stage on which they agree, or which one alone has, is as good as without the conflict. */
#include <string.h>

#include "core/pipeline/lock_private.h"

#define ID_PREFIX "sha256:"

typedef struct {
	MlvLock *lock;
	const char *label;
	guint line;
	gboolean version, stages; /* the head's lines were read */
	MlvLockStage *stage;      /* being read; NULL before the first */
	GString *block;           /* its lines so far, as they are written */
	gboolean summed;          /* its sum was read and is right */
} Reader;

static gboolean fail_line(Reader *reader, GError **error, const char *expected)
{
	MlvWhere where = { reader->label, reader->line, 1 };
	return mlv_fail_at(error, &where, MLV_ERROR_CORRUPT,
			   "expected %s; take the file from git again, or remove it: 'mlv repro' "
			   "then restores from the run cache what it can",
			   expected);
}

/* --- entries ---------------------------------------------------------------------------------- */

static gboolean get_size(const MlvValue *map, const char *key, guint64 *size)
{
	const MlvValue *value = mlv_value_get(map, key);

	if (!mlv_value_is(value, MLV_VALUE_INT) || value->integer < 0 || value->big)
		return FALSE;
	*size = (guint64)value->integer;
	return TRUE;
}

static const char *get_text(const MlvValue *map, const char *key)
{
	const MlvValue *value = mlv_value_get(map, key);
	return mlv_value_is(value, MLV_VALUE_STRING) ? value->text : NULL;
}

static gboolean read_held(const MlvValue *map, MlvPointer *held)
{
	const char *id = get_text(map, "id"), *kind = get_text(map, "kind");
	const MlvValue *executable = mlv_value_get(map, "executable");
	guint64 depth = 0;

	if (!id || !g_str_has_prefix(id, ID_PREFIX) ||
	    !mlv_id_parse(id + strlen(ID_PREFIX), &held->ref.id) ||
	    !get_size(map, "size", &held->ref.size))
		return FALSE;
	if (mlv_value_get(map, "depth") &&
	    (!get_size(map, "depth", &depth) || depth > MLV_REF_MAX_DEPTH))
		return FALSE;
	held->ref.depth = (guint8)depth;
	if (kind) {
		held->mode = MLV_MODE_DIRECTORY;
		held->ref.kind = MLV_KIND_TREE;
		return strcmp(kind, "directory") == 0 && get_size(map, "files", &held->files) &&
		       get_size(map, "bytes", &held->bytes);
	}
	held->mode = mlv_value_is(executable, MLV_VALUE_BOOL) && executable->boolean
			     ? MLV_MODE_EXECUTABLE
			     : MLV_MODE_FILE;
	held->ref.kind = MLV_KIND_BLOB;
	held->files = 1;
	held->bytes = held->ref.size;
	return TRUE;
}

static char *read_path(const MlvLock *lock, const char *written)
{
	static const MlvFiles pure = { 0 };
	return mlv_files_is_url(written) ? g_strdup(written)
					 : mlv_files_normal(&pure, lock->folder, written);
}

static gboolean is_false(const MlvValue *value)
{
	return mlv_value_is(value, MLV_VALUE_BOOL) && !value->boolean;
}

static gboolean add_path(Reader *reader, const MlvValue *map, GPtrArray *paths)
{
	const char *written = get_text(map, "path"), *etag = get_text(map, "etag");
	MlvPointer held = { .mode = 0 };

	if (!written || !*written || (!etag && !read_held(map, &held)))
		return FALSE;
	g_autofree char *path = read_path(reader->lock, written);
	MlvLockPath *entry = mlv_lock_path_new(path, &held, etag);
	entry->no_cache = is_false(mlv_value_get(map, "cache"));
	entry->no_push = is_false(mlv_value_get(map, "push"));
	g_ptr_array_add(paths, entry);
	return TRUE;
}

static gboolean add_param(Reader *reader, const MlvValue *map)
{
	const char *file = get_text(map, "file"), *key = get_text(map, "key");
	const MlvValue *value = mlv_value_get(map, "value");

	if (!file || !*file || !key || !value)
		return FALSE;
	MlvParam *param = g_new0(MlvParam, 1);
	param->file = read_path(reader->lock, file);
	param->key = g_strdup(key);
	param->value = mlv_value_ref(value);
	g_ptr_array_add(reader->stage->params, param);
	return TRUE;
}

static gboolean read_entry(Reader *reader, const char *line, gsize length, GError **error)
{
	static const char *const kinds[] = { "cmd", "dep", "param", "out", "sum" };
	const char *colon = memchr(line, ':', length);
	g_autoptr(MlvValue) value = NULL;
	gsize kind = 0;

	while (colon && kind < G_N_ELEMENTS(kinds) &&
	       (strlen(kinds[kind]) != (gsize)(colon - line) ||
		memcmp(kinds[kind], line, (gsize)(colon - line)) != 0))
		kind++;
	if (!colon || kind == G_N_ELEMENTS(kinds))
		return fail_line(reader, error, "an entry: cmd, dep, param, out or sum");
	value = mlv_value_parse_json(colon + 1, length - (gsize)(colon + 1 - line), reader->label,
				     NULL);
	if (!value)
		return fail_line(reader, error, "a value of JSON behind the colon");
	gboolean ok = FALSE;
	switch (kind) {
	case 0:
		ok = value->type == MLV_VALUE_STRING;
		if (ok)
			g_ptr_array_add(reader->stage->cmds, g_strdup(value->text));
		break;
	case 1:
		ok = add_path(reader, value, reader->stage->deps);
		break;
	case 2:
		ok = add_param(reader, value);
		break;
	case 3:
		ok = add_path(reader, value, reader->stage->outs);
		break;
	default: {
		g_autofree char *sum = mlv_lock_sum(reader->block->str, reader->block->len);
		ok = value->type == MLV_VALUE_STRING;
		reader->summed = ok && strcmp(sum, value->text) == 0;
	}
	}
	return ok || fail_line(reader, error, "an entry as mlv-lock(5) has it");
}

/* --- stages ----------------------------------------------------------------------------------- */

/* A block that lacks its sum, or whose sum is another, was put together by a merge or by hand. */
static void finish_stage(Reader *reader)
{
	MlvLockStage *stage = g_steal_pointer(&reader->stage);

	if (!stage)
		return;
	stage->conflict = !reader->summed || mlv_lock_get(reader->lock, stage->name);
	mlv_lock_set(reader->lock, stage);
}

static gboolean begin_stage(Reader *reader, const char *line, gsize length, GError **error)
{
	g_autofree char *name = NULL;

	finish_stage(reader);
	if (length < 2 || line[length - 1] != ':')
		return fail_line(reader, error, "a stage's name and a colon");
	if (*line == '"') {
		g_autoptr(MlvValue) value =
			mlv_value_parse_json(line, length - 1, reader->label, NULL);
		if (!mlv_value_is(value, MLV_VALUE_STRING) || value->length == 0)
			return fail_line(reader, error, "a stage's name in quotes");
		name = g_strdup(value->text);
	} else {
		name = g_strndup(line, length - 1);
	}
	reader->stage = mlv_lock_stage_new(name);
	reader->summed = FALSE;
	g_string_truncate(reader->block, 0);
	return TRUE;
}

static gboolean read_head(Reader *reader, const char *line, gsize length, GError **error)
{
	g_autofree char *text = g_strndup(line, length);

	if (!reader->version && g_str_has_prefix(text, "version: ")) {
		reader->version = TRUE;
		if (strcmp(text + 9, "1") == 0)
			return TRUE;
		MlvWhere where = { reader->label, reader->line, 1 };
		return mlv_fail_at(error, &where, MLV_ERROR_UNSUPPORTED,
				   "the file has format version %s, and this mlv reads version 1: "
				   "install a newer mlv",
				   text + 9);
	}
	if (reader->version && !reader->stages && strcmp(text, "stages:") == 0) {
		reader->stages = TRUE;
		return TRUE;
	}
	return fail_line(reader, error, reader->version ? "'stages:'" : "'version: 1'");
}

static gboolean read_line(Reader *reader, const char *line, gsize length, GError **error)
{
	gsize blanks = 0;

	if (length > 0 && line[length - 1] == '\r')
		length--;
	while (blanks < length && line[blanks] == ' ')
		blanks++;
	if (blanks == length || line[blanks] == '#')
		return TRUE;
	if (!reader->stages)
		return read_head(reader, line, length, error);
	if (blanks == 2) {
		if (!begin_stage(reader, line + 2, length - 2, error))
			return FALSE;
	} else if (blanks == 4 && reader->stage && length > 6 && line[4] == '-' && line[5] == ' ') {
		if (!read_entry(reader, line + 6, length - 6, error))
			return FALSE;
	} else {
		return fail_line(reader, error, "a stage indented by 2 blanks, or its entry by 4");
	}
	g_string_append_len(reader->block, line, (gssize)length);
	g_string_append_c(reader->block, '\n');
	return TRUE;
}

/* --- conflict markers ------------------------------------------------------------------------- */

typedef enum {
	SIDE_BOTH,
	SIDE_OURS,
	SIDE_BASE,
	SIDE_THEIRS
} Side;

static gboolean is_marker(const char *line, gsize length, char c)
{
	for (gsize i = 0; i < 7; i++)
		if (i >= length || line[i] != c)
			return FALSE;
	return length == 7 || line[7] == ' ' || line[7] == '\r';
}

/* Whether the line is a marker, and which side begins behind it. */
static gboolean read_marker(const char *line, gsize length, Side *side)
{
	static const char marks[] = "<|=>";
	static const Side sides[] = { SIDE_OURS, SIDE_BASE, SIDE_THEIRS, SIDE_BOTH };

	for (gsize i = 0; i < G_N_ELEMENTS(sides); i++)
		if (is_marker(line, length, marks[i])) {
			*side = sides[i];
			return TRUE;
		}
	return FALSE;
}

/* Reads the lines of one side (`left` out is the other). */
static MlvLock *read_side(const char *folder, const char *data, gsize length, const char *label,
			  Side left, GError **error)
{
	g_autoptr(MlvLock) lock = mlv_lock_new(folder);
	Reader reader = { .lock = lock, .label = label, .block = g_string_new("") };
	Side side = SIDE_BOTH;
	gboolean ok = TRUE;

	for (gsize at = 0; at < length && ok;) {
		const char *line = data + at;
		const char *end = memchr(line, '\n', length - at);
		gsize size = end ? (gsize)(end - line) : length - at;

		reader.line++;
		at += size + 1;
		if (read_marker(line, size, &side))
			lock->conflicts = TRUE;
		else if (side != SIDE_BASE && side != left)
			ok = read_line(&reader, line, size, error);
	}
	if (ok)
		finish_stage(&reader);
	mlv_lock_stage_free(reader.stage);
	g_string_free(reader.block, TRUE);
	return ok ? g_steal_pointer(&lock) : NULL;
}

static gboolean same_paths(const GPtrArray *a, const GPtrArray *b)
{
	for (guint i = 0; i < a->len && a->len == b->len; i++) {
		const MlvLockPath *first = a->pdata[i], *second = b->pdata[i];
		if (strcmp(first->path, second->path) != 0 || !mlv_lock_path_same(first, second))
			return FALSE;
	}
	return a->len == b->len;
}

static gboolean same_params(const GPtrArray *a, const GPtrArray *b)
{
	for (guint i = 0; i < a->len && a->len == b->len; i++) {
		const MlvParam *first = a->pdata[i], *second = b->pdata[i];
		if (strcmp(first->file, second->file) != 0 ||
		    strcmp(first->key, second->key) != 0 ||
		    !mlv_value_equal(first->value, second->value))
			return FALSE;
	}
	return a->len == b->len;
}

static gboolean same_stage(const MlvLockStage *a, const MlvLockStage *b)
{
	for (guint i = 0; i < a->cmds->len && a->cmds->len == b->cmds->len; i++)
		if (strcmp(a->cmds->pdata[i], b->cmds->pdata[i]) != 0)
			return FALSE;
	return a->cmds->len == b->cmds->len && same_paths(a->deps, b->deps) &&
	       same_params(a->params, b->params) && same_paths(a->outs, b->outs);
}

/* Puts theirs beside ours: a stage that they have differently is in conflict. */
static void join_sides(MlvLock *ours, MlvLock *theirs)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, theirs->stages);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		MlvLockStage *other = value;
		MlvLockStage *own = g_hash_table_lookup(ours->stages, other->name);
		if (!own || (own->conflict && !other->conflict)) {
			g_hash_table_iter_steal(&iter);
			g_hash_table_replace(ours->stages, other->name, other);
			other->conflict |= own != NULL;
		} else if (!same_stage(own, other)) {
			own->conflict = TRUE;
		}
	}
}

MlvLock *mlv_lock_parse(const char *folder, const char *data, gsize length, const char *label,
			GError **error)
{
	g_autoptr(MlvLock) ours = read_side(folder, data, length, label, SIDE_THEIRS, error);

	if (!ours || !ours->conflicts)
		return g_steal_pointer(&ours);
	g_autoptr(MlvLock) theirs = read_side(folder, data, length, label, SIDE_OURS, error);
	if (!theirs)
		return NULL;
	join_sides(ours, theirs);
	return g_steal_pointer(&ours);
}

MlvLock *mlv_lock_read(const MlvFiles *files, const char *folder, GError **error)
{
	g_autofree char *path = g_strconcat(folder, *folder ? "/" : "", MLV_LOCK_NAME, NULL);
	g_autoptr(GError) problem = NULL;
	g_autoptr(GBytes) bytes = files->read(files->user, path, MLV_LOCK_MAX, &problem);
	gsize length;

	if (!bytes && problem->code == MLV_ERROR_MISSING)
		return mlv_lock_new(folder);
	if (!bytes) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return NULL;
	}
	const char *data = g_bytes_get_data(bytes, &length);
	return mlv_lock_parse(folder, data ? data : "", length, path, error);
}
