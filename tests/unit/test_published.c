/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/published.h"
#include "tests/unit/medium_mem.h"
#include "tests/unit/scratch.h"

#define FIXTURES "tests/fixtures/"

static GBytes *load(const char *path)
{
	char *text;
	gsize length;
	g_autoptr(GError) error = NULL;

	if (!g_file_get_contents(path, &text, &length, &error))
		fail_msg("%s", error->message);
	return g_bytes_new_take(text, length);
}

static GBytes *signed_text(const char *body)
{
	char hex[MLV_ID_HEX + 1];
	MlvId id;

	mlv_id_of(body, strlen(body), &id);
	mlv_id_format(&id, hex);
	char *text = g_strconcat(body, "sha256 ", hex, "\n", NULL);
	return g_bytes_new_take(text, strlen(text));
}

static void assert_corrupt(GBytes *bytes)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) listed = mlv_published_parse(bytes, "test", &error);

	assert_null(listed);
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define ONES  "1111111111111111111111111111111111111111111111111111111111111111"

static void the_golden_lists_are_read_and_written_as_they_are(void **state)
{
	static const struct {
		const char *file;
		guint count;
	} golden[] = { { FIXTURES "list-v1-empty.list", 0 }, { FIXTURES "list-v1.list", 5 } };

	for (gsize i = 0; i < G_N_ELEMENTS(golden); i++) {
		g_autoptr(GBytes) bytes = load(golden[i].file);
		g_autoptr(GArray) listed = mlv_published_parse(bytes, "golden", NULL);

		assert_non_null(listed);
		assert_int_equal(listed->len, golden[i].count);
		g_autoptr(GBytes) again = mlv_published_format(listed);
		assert_true(g_bytes_equal(bytes, again));
	}
}

static void the_page_shows_the_smallest_list(void **state)
{
	g_autoptr(GByteArray) shown = scratch_page_dump("man/mlv-store.5", 1);
	g_autoptr(GBytes) bytes = load(FIXTURES "list-v1-empty.list");

	assert_int_equal(shown->len, g_bytes_get_size(bytes));
	assert_memory_equal(shown->data, g_bytes_get_data(bytes, NULL), shown->len);
}

static void every_flipped_byte_and_every_length_is_noticed(void **state)
{
	g_autoptr(GBytes) bytes = load(FIXTURES "list-v1.list");
	gsize length;
	const guint8 *data = g_bytes_get_data(bytes, &length);

	for (gsize i = 0; i < length; i++) {
		g_autofree guint8 *copy = g_memdup2(data, length);
		g_autoptr(GError) error = NULL;

		copy[i] ^= 1;
		g_autoptr(GBytes) flipped = g_bytes_new(copy, length);
		assert_null(mlv_published_parse(flipped, "test", &error));
		assert_non_null(error);
		g_autoptr(GBytes) shorter = g_bytes_new(data, i);
		assert_corrupt(shorter);
	}
}

static void what_is_not_written_so_is_refused_though_its_sum_is_right(void **state)
{
	static const char *const bad[] = {
		"mlv list 1\nlive/i-" ZEROS " 1\n",
		"mlv list 1\nlive/i-" ZEROS " 1 2 3\n",
		"mlv list 1\nlive/i-" ZEROS " 01 2\n",
		"mlv list 1\nlive/i-" ZEROS " -1 2\n",
		"mlv list 1\nlive/i-" ZEROS "  1 2\n",
		"mlv list 1\nlive/i-" ZEROS " 1 99999999999999999999\n",
		"mlv list 1\nlive/i-" ONES " 1 2\nlive/i-" ZEROS " 1 2\n",
		"mlv list 1\nlive/i-" ZEROS " 1 2\nlive/i-" ZEROS " 1 2\n",
		"mlv list 1\nlive/other 1 2\n",
		"mlv list 1\npacks/00/" ZEROS ".pack 1 2\n",
		"mlv list 1\nlive/../../etc/passwd 1 2\n",
		"mlv list 1\n\n",
		"<html>\n",
		"",
	};
	g_autoptr(GBytes) newer = signed_text("mlv list 2\n");
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GBytes) bytes = signed_text(bad[i]);
		assert_corrupt(bytes);
	}
	assert_null(mlv_published_parse(newer, "test", &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_UNSUPPORTED));
}

/* --- on a medium ------------------------------------------------------------------------------ */

static void put(MemMedium *mem, const char *name)
{
	g_autoptr(GBytes) bytes = g_bytes_new("x", 1);

	mem_put(mem, name, bytes);
}

static MlvPublishedState state_of(MemMedium *mem)
{
	g_autoptr(GArray) listed = mlv_medium_list_all(&mem->medium, "live/", NULL);

	return mlv_published_state(listed);
}

static void a_listing_tells_whether_the_list_in_it_is_out_of_date(void **state)
{
	g_autoptr(MlvMedium) medium = &mem_new()->medium;
	MemMedium *mem = (MemMedium *)medium;
	guint64 names;

	mem->clock = 1000;
	put(mem, "live/i-" ZEROS);
	put(mem, "live/other");
	assert_int_equal(state_of(mem), MLV_PUBLISHED_NOT);
	assert_true(mlv_published_write(medium, &names, NULL));
	assert_int_equal(names, 1);
	assert_int_equal(state_of(mem), MLV_PUBLISHED_GOOD);
	put(mem, "live/i-" ONES);
	assert_int_equal(state_of(mem), MLV_PUBLISHED_STALE);
	assert_true(mlv_published_write_once(medium, NULL));
	assert_int_equal(state_of(mem), MLV_PUBLISHED_GOOD);
	/* one for another, of the same length: only the time tells */
	g_hash_table_remove(mem->files, "live/i-" ONES);
	mem->clock = 1001;
	put(mem, "live/i-2222"
		 "111111111111111111111111111111111111111111111111111111111111");
	assert_int_equal(state_of(mem), MLV_PUBLISHED_STALE);
	assert_true(mlv_published_remove(medium, NULL));
	assert_int_equal(state_of(mem), MLV_PUBLISHED_NOT);
}

/* A medium on which somebody else puts a file, and writes an older list, between our listing and
 * our writing. */
typedef struct {
	MlvMediumClass methods;
	const MlvMediumClass *real;
	guint lists;
	GBytes *older;
} Race;

static Race race;

static gboolean racing_list(MlvMedium *medium, const char *prefix, MlvMediumEach each,
			    gpointer user, GError **error)
{
	gboolean ok = race.real->list(medium, prefix, each, user, error);

	race.lists++;
	if (race.lists == 1) {
		put((MemMedium *)medium, "live/i-" ONES);
		g_hash_table_remove(((MemMedium *)medium)->files, MLV_PUBLISHED_NAME);
		mem_put((MemMedium *)medium, MLV_PUBLISHED_NAME, race.older);
	}
	return ok;
}

static void whoever_writes_last_has_listed_since(void **state)
{
	g_autoptr(MlvMedium) medium = &mem_new()->medium;
	MemMedium *mem = (MemMedium *)medium;
	g_autoptr(GBytes) older = signed_text("mlv list 1\n");
	guint64 names;

	put(mem, "live/i-" ZEROS);
	race = (Race){ .methods = *medium->methods, .real = medium->methods, .older = older };
	race.methods.list = racing_list;
	medium->methods = &race.methods;
	assert_true(mlv_published_write(medium, &names, NULL));
	medium->methods = race.real;
	assert_int_equal(names, 2);
	assert_int_equal(mem->puts, 2);
	g_autoptr(GBytes) bytes =
		mlv_medium_get(medium, MLV_PUBLISHED_NAME, 0, MLV_OP_ALL, 0, NULL);
	g_autoptr(GArray) listed = mlv_published_parse(bytes, "test", NULL);
	assert_int_equal(listed->len, 2);
}

static void a_medium_that_can_only_be_read_is_not_written_to(void **state)
{
	g_autoptr(MlvMedium) medium = &mem_new()->medium;
	g_autoptr(GError) error = NULL, other = NULL;
	guint64 names;

	medium->read_only = TRUE;
	assert_false(mlv_published_write(medium, &names, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_UNSUPPORTED));
	assert_false(mlv_published_remove(medium, &other));
	assert_int_equal(((MemMedium *)medium)->puts, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_golden_lists_are_read_and_written_as_they_are),
		cmocka_unit_test(the_page_shows_the_smallest_list),
		cmocka_unit_test(every_flipped_byte_and_every_length_is_noticed),
		cmocka_unit_test(what_is_not_written_so_is_refused_though_its_sum_is_right),
		cmocka_unit_test(a_listing_tells_whether_the_list_in_it_is_out_of_date),
		cmocka_unit_test(whoever_writes_last_has_listed_since),
		cmocka_unit_test(a_medium_that_can_only_be_read_is_not_written_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
