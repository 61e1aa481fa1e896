/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lineage/steps.h"

#include <string.h>

#define HEAD         "version: 1\nstages:\n"
#define BAD          G_MAXUINT
#define PROBLEMS_MAX 100 /* more help nobody */

struct MlvSteps {
	GPtrArray *all;      /* of MlvStep * */
	GHashTable *by_text; /* MlvId of folder and block -> number + 1, or BAD */
	GHashTable *makers;  /* MlvId, in a block -> GArray of guint */
	GHashTable *readers;
	MlvHash *hash;
	GPtrArray *problems;
};

static void step_free(gpointer data)
{
	MlvStep *step = data;

	g_free(step->address);
	mlv_lock_stage_free(step->block);
	g_array_unref(step->commits);
	g_ptr_array_unref(step->runs);
	g_free(step);
}

static GHashTable *new_index(void)
{
	return g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, NULL,
				     (GDestroyNotify)g_array_unref);
}

MlvSteps *mlv_steps_new(void)
{
	MlvSteps *steps = g_new0(MlvSteps, 1);

	steps->all = g_ptr_array_new_with_free_func(step_free);
	steps->by_text = g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, g_free, NULL);
	steps->makers = new_index();
	steps->readers = new_index();
	steps->hash = mlv_hash_new();
	steps->problems = g_ptr_array_new_with_free_func(g_free);
	return steps;
}

void mlv_steps_free(MlvSteps *steps)
{
	if (!steps)
		return;
	g_hash_table_unref(steps->by_text);
	g_hash_table_unref(steps->makers);
	g_hash_table_unref(steps->readers);
	g_ptr_array_unref(steps->all);
	mlv_hash_free(steps->hash);
	g_ptr_array_unref(steps->problems);
	g_free(steps);
}

static void add_problem(MlvSteps *steps, const char *label, const char *what)
{
	if (steps->problems->len < PROBLEMS_MAX)
		g_ptr_array_add(steps->problems, g_strdup_printf("'%s': %s", label, what));
}

/* --- one block -------------------------------------------------------------------------------- */

static void index_paths(GHashTable *index, const GPtrArray *paths, guint number)
{
	for (guint i = 0; i < paths->len; i++) {
		const MlvLockPath *path = paths->pdata[i];
		GArray *numbers;
		if (path->etag)
			continue;
		numbers = g_hash_table_lookup(index, &path->held.ref.id);
		if (!numbers) {
			numbers = g_array_new(FALSE, FALSE, sizeof(guint));
			g_hash_table_insert(index, (gpointer)&path->held.ref.id, numbers);
		}
		if (numbers->len == 0 || g_array_index(numbers, guint, numbers->len - 1) != number)
			g_array_append_val(numbers, number);
	}
}

static guint add_step(MlvSteps *steps, const char *folder, MlvLockStage *block)
{
	MlvStep *step = g_new0(MlvStep, 1);
	guint number = steps->all->len;

	step->address =
		*folder ? g_strconcat(folder, ":", block->name, NULL) : g_strdup(block->name);
	step->block = block;
	step->commits = g_array_new(FALSE, FALSE, sizeof(MlvOid));
	step->runs = g_ptr_array_new();
	g_ptr_array_add(steps->all, step);
	index_paths(steps->makers, block->outs, number);
	index_paths(steps->readers, block->deps, number);
	return number;
}

/* A copy that outlives its lock. */
static MlvLockStage *copy_block(const MlvLockStage *from)
{
	MlvLockStage *block = mlv_lock_stage_new(from->name);

	for (guint i = 0; i < from->cmds->len; i++)
		g_ptr_array_add(block->cmds, g_strdup(from->cmds->pdata[i]));
	for (guint i = 0; i < from->params->len; i++) {
		const MlvParam *param = from->params->pdata[i];
		MlvParam *copy = g_new0(MlvParam, 1);
		copy->file = g_strdup(param->file);
		copy->key = g_strdup(param->key);
		copy->value = mlv_value_ref(param->value);
		g_ptr_array_add(block->params, copy);
	}
	for (guint side = 0; side < 2; side++) {
		const GPtrArray *paths = side ? from->outs : from->deps;
		for (guint i = 0; i < paths->len; i++) {
			const MlvLockPath *path = paths->pdata[i];
			MlvLockPath *copy = mlv_lock_path_new(path->path, &path->held, path->etag);
			copy->no_cache = path->no_cache;
			copy->no_push = path->no_push;
			g_ptr_array_add(side ? block->outs : block->deps, copy);
		}
	}
	return block;
}

static guint parse_block(MlvSteps *steps, const char *folder, const char *data, gsize length,
			 const char *label)
{
	g_autoptr(GString) text = g_string_sized_new(sizeof(HEAD) + length);
	g_autoptr(GError) why = NULL;

	g_string_append(text, HEAD);
	g_string_append_len(text, data, (gssize)length);
	g_autoptr(MlvLock) lock = mlv_lock_parse(folder, text->str, text->len, label, &why);
	if (!lock) {
		add_problem(steps, label, why->message);
		return BAD;
	}
	g_autoptr(GPtrArray) names = mlv_lock_names(lock);
	const MlvLockStage *stage = names->len ? mlv_lock_get(lock, names->pdata[0]) : NULL;
	if (!stage)
		return BAD;
	if (stage->conflict) {
		g_autofree char *what = g_strdup_printf(
			"the block of the stage '%s' is no whole: it never ran so", stage->name);
		add_problem(steps, label, what);
		return BAD;
	}
	return add_step(steps, folder, copy_block(stage));
}

static guint find_block(MlvSteps *steps, const char *folder, const char *data, gsize length,
			const char *label)
{
	gpointer known;
	MlvId id;

	mlv_hash_update(steps->hash, folder, strlen(folder) + 1);
	mlv_hash_update(steps->hash, data, length);
	mlv_hash_finish(steps->hash, &id);
	if (g_hash_table_lookup_extended(steps->by_text, &id, NULL, &known))
		return GPOINTER_TO_UINT(known);
	guint number = parse_block(steps, folder, data, length, label);
	g_hash_table_insert(steps->by_text, g_memdup2(&id, sizeof(id)), GUINT_TO_POINTER(number));
	return number;
}

/* --- a text ----------------------------------------------------------------------------------- */

static gboolean is_marker(const char *line, gsize length, char c)
{
	gsize n = 0;

	while (n < length && line[n] == c)
		n++;
	return n == 7 && (length == 7 || line[7] == ' ' || line[7] == '\r');
}

/* Of a text with conflict markers our side. */
static GString *take_ours(const char *data, gsize length)
{
	GString *ours = g_string_sized_new(length);
	gboolean taken = TRUE;

	for (gsize at = 0; at < length;) {
		const char *line = data + at;
		const char *end = memchr(line, '\n', length - at);
		gsize size = end ? (gsize)(end - line) : length - at;
		if (is_marker(line, size, '|') || is_marker(line, size, '='))
			taken = FALSE;
		else if (is_marker(line, size, '<') || is_marker(line, size, '>'))
			taken = TRUE;
		else if (taken)
			g_string_append_len(ours, line, (gssize)MIN(size + 1, length - at));
		at += size + 1;
	}
	return ours;
}

static gint by_number(gconstpointer a, gconstpointer b)
{
	guint first = *(const guint *)a, second = *(const guint *)b;

	return first < second ? -1 : first > second;
}

static void sort_unique(GArray *numbers)
{
	guint kept = 0;

	g_array_sort(numbers, by_number);
	for (guint i = 0; i < numbers->len; i++) {
		guint number = g_array_index(numbers, guint, i);
		if (kept == 0 || g_array_index(numbers, guint, kept - 1) != number)
			g_array_index(numbers, guint, kept++) = number;
	}
	g_array_set_size(numbers, kept);
}

/* Where the next block begins: a line with exactly two blanks before it. */
static gsize next_block(const char *data, gsize length, gsize from)
{
	for (gsize at = from; at < length;) {
		const char *end = memchr(data + at, '\n', length - at);
		if (length - at > 2 && data[at] == ' ' && data[at + 1] == ' ' &&
		    data[at + 2] != ' ' && data[at + 2] != '\n' && data[at + 2] != '\r' &&
		    data[at + 2] != '#')
			return at;
		if (!end)
			break;
		at = (gsize)(end - data) + 1;
	}
	return length;
}

static gsize end_of_line(const char *data, gsize length, gsize at)
{
	const char *end = memchr(data + at, '\n', length - at);

	return end ? (gsize)(end - data) + 1 : length;
}

static gboolean check_head(MlvSteps *steps, const char *folder, const char *data, gsize length,
			   const char *label)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(MlvLock) lock = mlv_lock_parse(folder, data, length, label, &why);

	if (!lock)
		add_problem(steps, label, why->message);
	return lock != NULL;
}

GArray *mlv_steps_read(MlvSteps *steps, const char *folder, const char *data, gsize length,
		       const char *label)
{
	GArray *numbers = g_array_new(FALSE, FALSE, sizeof(guint));
	g_autoptr(GString) ours = NULL;

	if (memmem(data, length, "\n<<<<<<< ", 9) ||
	    (length > 8 && memcmp(data, "<<<<<<< ", 8) == 0)) {
		add_problem(steps, label, "it has conflict markers: our side is taken");
		ours = take_ours(data, length);
		data = ours->str;
		length = ours->len;
	}
	gsize at = next_block(data, length, 0);
	if (!check_head(steps, folder, data, at, label))
		return numbers;
	while (at < length) {
		gsize end = next_block(data, length, end_of_line(data, length, at));
		guint number = find_block(steps, folder, data + at, end - at, label);
		if (number != BAD)
			g_array_append_val(numbers, number);
		at = end;
	}
	sort_unique(numbers);
	return numbers;
}

guint mlv_steps_count(const MlvSteps *steps)
{
	return steps->all->len;
}

MlvStep *mlv_steps_get(const MlvSteps *steps, guint number)
{
	return steps->all->pdata[number];
}

const GArray *mlv_steps_makers(const MlvSteps *steps, const MlvId *id)
{
	return g_hash_table_lookup(steps->makers, id);
}

const GArray *mlv_steps_readers(const MlvSteps *steps, const MlvId *id)
{
	return g_hash_table_lookup(steps->readers, id);
}

const GPtrArray *mlv_steps_problems(const MlvSteps *steps)
{
	return steps->problems;
}
