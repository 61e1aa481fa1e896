/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The golden bundles in tests/fixtures are made here: run with --write-fixtures from the root of
 * the tree to write them anew. That is right only when a new format version adds files; those of
 * a released version never change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/bundle_apply.h"
#include "core/bundle_format.h"
#include "storage/file.h"
#include "tests/unit/scratch.h"

#define GOLDEN_EMPTY "tests/fixtures/bundle-v1-empty.bundle"
#define GOLDEN       "tests/fixtures/bundle-v1.bundle"
#define PACK         "tests/fixtures/pack-v1.pack"
#define PACK_EMPTY   "tests/fixtures/pack-v1-empty.pack"

static gboolean append(const void *data, gsize length, gpointer user, GError **error)
{
	g_byte_array_append(user, data, (guint)length);
	return TRUE;
}

static MlvOid oid_of(char digit)
{
	MlvOid oid;
	char hex[MLV_OID_HEX + 1];

	memset(hex, digit, MLV_OID_HEX);
	hex[MLV_OID_HEX] = '\0';
	assert_true(mlv_oid_parse(hex, &oid));
	return oid;
}

static void add_ref(GArray *refs, const char *content, MlvKind kind, guint8 depth, guint64 size)
{
	MlvRef ref = { .kind = (guint8)kind, .depth = depth, .size = size };

	mlv_id_of(content, strlen(content), &ref.id);
	g_array_append_val(refs, ref);
}

/* Something of everything, in an order that is not that of the text. */
static MlvBundleManifest *make_manifest(void)
{
	MlvBundleManifest *manifest = mlv_bundle_manifest_new();
	MlvOid b = oid_of('b'), a = oid_of('a'), zero = oid_of('1');

	g_strlcpy(manifest->repo, "0123456789abcdef", sizeof(manifest->repo));
	manifest->objects = 5;
	manifest->bytes = 123456789;
	g_array_append_val(manifest->prerequisites, zero);
	g_array_append_val(manifest->commits, b);
	g_array_append_val(manifest->commits, a);
	g_array_append_val(manifest->commits, b);
	mlv_bundle_manifest_add_name(manifest,
				     "refs/heads/gr\xc3\xbc"
				     "n",
				     &b);
	mlv_bundle_manifest_add_name(manifest, "refs/tags/v1", &a);
	g_ptr_array_add(manifest->paths, g_strdup("a b\n\xff%"));
	g_ptr_array_add(manifest->paths, g_strdup("data/images"));
	add_ref(manifest->have, "h", MLV_KIND_TREE, 1, G_MAXINT64);
	add_ref(manifest->need, "n", MLV_KIND_TREE, 0, 77);
	add_ref(manifest->need, "m", MLV_KIND_BLOB, MLV_REF_MAX_DEPTH, 1);
	return manifest;
}

static void add_pack(MlvBundleWriter *writer, const char *file)
{
	g_auto(MlvFd) fd = open(file, O_RDONLY | O_CLOEXEC);
	g_autoptr(MlvPackTable) table = NULL;

	if (fd < 0)
		fail_msg("cannot read %s: tests run from the root of the tree", file);
	table = mlv_pack_table_read(fd, NULL, file, NULL);
	assert_non_null(table);
	assert_true(mlv_bundle_writer_pack(writer, fd, &table->name, table->size, NULL));
}

static GByteArray *make_bundle(const MlvBundleManifest *manifest, gboolean packs)
{
	GByteArray *bytes = g_byte_array_new();
	g_autoptr(MlvBundleWriter) writer = mlv_bundle_writer_new(manifest, append, bytes, NULL);

	assert_non_null(writer);
	if (packs) {
		add_pack(writer, PACK);
		add_pack(writer, PACK_EMPTY);
	}
	assert_true(mlv_bundle_writer_finish(writer, NULL));
	assert_int_equal(mlv_bundle_writer_size(writer), bytes->len);
	return bytes;
}

static GByteArray *make_golden(gboolean empty)
{
	g_autoptr(MlvBundleManifest) manifest = empty ? mlv_bundle_manifest_new() : make_manifest();

	/* Verifying would ask for what is needed. */
	g_array_set_size(manifest->need, 0);
	return make_bundle(manifest, !empty);
}

/* Whether mlv_bundle_verify finds nothing wrong with these bytes. */
static gboolean verify(const Scratch *scratch, const guint8 *bytes, gsize length, GError **error)
{
	g_auto(MlvFd) fd = scratch_file(scratch, "bundle");
	g_autoptr(MlvBundleReader) reader = NULL;
	MlvBundleReadOptions options = { .threads = 1 };
	MlvBundleResult result;

	assert_true(mlv_file_write(fd, bytes, length, "bundle", NULL));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	reader = mlv_bundle_reader_new(fd, "bundle", error);
	return reader && mlv_bundle_verify(reader, NULL, &options, &result, error);
}

/* --- golden bundles --------------------------------------------------------------------------- */

static void expect_golden(const char *file, gboolean empty)
{
	g_autoptr(GByteArray) now = make_golden(empty);
	g_autofree char *bytes = NULL;
	gsize length;

	assert_true(g_file_get_contents(file, &bytes, &length, NULL));
	assert_int_equal(now->len, length);
	assert_memory_equal(now->data, bytes, length);
}

static void the_golden_bundles_are_what_is_written_today(void **state)
{
	expect_golden(GOLDEN_EMPTY, TRUE);
	expect_golden(GOLDEN, FALSE);
}

static void the_golden_bundle_is_whole(void **state)
{
	g_autofree char *bytes = NULL;
	gsize length;

	assert_true(g_file_get_contents(GOLDEN, &bytes, &length, NULL));
	assert_true(verify(*state, (const guint8 *)bytes, length, NULL));
}

static void the_page_shows_the_smallest_bundle(void **state)
{
	g_autoptr(GByteArray) shown = scratch_page_dump("man/mlv-bundle.5", 0);
	g_autofree char *bytes = NULL;
	gsize length;

	assert_true(g_file_get_contents(GOLDEN_EMPTY, &bytes, &length, NULL));
	assert_int_equal(shown->len, length);
	assert_memory_equal(shown->data, bytes, length);
}

/* --- manifests -------------------------------------------------------------------------------- */

static void a_manifest_is_read_as_it_was_written(void **state)
{
	g_autoptr(MlvBundleManifest) manifest = make_manifest();
	g_autoptr(GBytes) text = mlv_bundle_manifest_format(manifest);
	gsize length;
	const char *data = g_bytes_get_data(text, &length);
	g_autoptr(MlvBundleManifest) back = mlv_bundle_manifest_parse(data, length, "b", NULL);

	assert_non_null(back);
	assert_string_equal(back->repo, "0123456789abcdef");
	assert_int_equal(back->objects, 5);
	assert_int_equal(back->commits->len, 2);
	assert_int_equal(back->prerequisites->len, 1);
	assert_string_equal(back->paths->pdata[0], "a b\n\xff%");
	assert_string_equal(g_array_index(back->names, MlvBundleName, 1).name,
			    "refs/heads/gr\xc3\xbc"
			    "n");
	assert_int_equal(g_array_index(back->have, MlvRef, 0).size, G_MAXINT64);
	assert_int_equal(g_array_index(back->need, MlvRef, 0).depth, MLV_REF_MAX_DEPTH);
}

static void a_manifest_has_one_form_only(void **state)
{
	static const char *const texts[] = {
		"",
		"mlv-bundle 1",
		"mlv-bundle 1\n",
		"mlv-bundle 1\nobjects 1\n",
		"mlv-bundle 1\nobjects 01\nbytes 0\n",
		"mlv-bundle 1\nobjects +1\nbytes 0\n",
		"mlv-bundle 1\nobjects 1\nbytes 0",
		"mlv-bundle 1\nbytes 0\nobjects 1\n",
		"mlv-bundle 1\nobjects 1\nobjects 1\nbytes 0\n",
		"mlv-bundle 1\nobjects 99999999999999999999\nbytes 0\n",
		"mlv-bundle 1\nrepository 0123456789ABCDEF\nobjects 1\nbytes 0\n",
		"mlv-bundle 1\nobjects 1\nbytes 0\ncommit 123\n",
		"mlv-bundle 1\nobjects 1\nbytes 0\nname x\n",
		"mlv-bundle 1\nobjects 1\nbytes 0\npath %00\n",
		"mlv-bundle 1\nobjects 1\nbytes 0\npath %61\n",
		"mlv-bundle 1\nobjects 1\nbytes 0\npath \n",
		"mlv-bundle 1\nobjects 1\nbytes 0\nneed tree 9 1 sha256:00\n",
		"mlv-bundle 1\nobjects 1\nbytes 0\nunknown x\n",
		"mlv-bundle 1\nobjects 1\nbytes 0\npath b\npath a\n",
		"mlv-bundle 1\nobjects 1\nbytes 0\npath a\npath a\n",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(mlv_bundle_manifest_parse(texts[i], strlen(texts[i]), "b", &error));
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	}
}

static void a_later_version_is_told_apart_from_damage(void **state)
{
	const char text[] = "mlv-bundle 2\nanything\n";
	g_autoptr(GError) error = NULL;

	assert_null(mlv_bundle_manifest_parse(text, strlen(text), "b", &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_UNSUPPORTED));
}

/* --- damage ----------------------------------------------------------------------------------- */

static void every_flipped_byte_is_found(void **state)
{
	g_autoptr(GByteArray) bytes = make_golden(FALSE);

	for (guint i = 0; i < bytes->len; i++) {
		g_autoptr(GError) error = NULL;

		bytes->data[i] ^= (guint8)(1 << i % 8);
		assert_false(verify(*state, bytes->data, bytes->len, &error));
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
		bytes->data[i] ^= (guint8)(1 << i % 8);
	}
}

static void every_truncation_is_found(void **state)
{
	g_autoptr(GByteArray) bytes = make_golden(FALSE);

	for (guint i = 0; i < bytes->len; i++) {
		g_autoptr(GError) error = NULL;

		assert_false(verify(*state, bytes->data, i, &error));
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	}
}

static void what_follows_the_end_is_found(void **state)
{
	g_autoptr(GByteArray) bytes = make_golden(FALSE);

	g_byte_array_append(bytes, (const guint8 *)"", 1);
	assert_false(verify(*state, bytes->data, bytes->len, NULL));
}

/* Checksums made right, so that only what they cover is wrong. */
static void seal(GByteArray *bytes)
{
	guint8 *header = bytes->data, *footer = bytes->data + bytes->len - MLV_BUNDLE_FOOTER;
	MlvId id;

	mlv_id_of(header + MLV_BUNDLE_HEADER, mlv_bundle_get_u64(header + 8), &id);
	memcpy(header + 16, id.b, MLV_ID_SIZE);
	mlv_id_of(bytes->data, bytes->len - 32, &id);
	memcpy(footer + 32, id.b, MLV_ID_SIZE);
}

static void lies_are_found_though_the_sums_are_right(void **state)
{
	g_autoptr(GByteArray) bytes = make_golden(FALSE);
	gsize frame = MLV_BUNDLE_HEADER + mlv_bundle_get_u64(bytes->data + 8);
	gsize pack = frame + MLV_BUNDLE_FRAME;
	gsize footer = bytes->len - MLV_BUNDLE_FOOTER;
	gsize table = mlv_bundle_get_u64(bytes->data + footer);
	const gsize places[] = {
		frame + 8,  frame + 15, frame + 16, pack,   pack + 40,  table + 8,   table + 16,
		table + 48, table + 80, table + 88, footer, footer + 8, footer + 16,
	};

	seal(bytes);
	assert_true(verify(*state, bytes->data, bytes->len, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autoptr(GError) error = NULL;

		bytes->data[places[i]] ^= 1;
		seal(bytes);
		assert_false(verify(*state, bytes->data, bytes->len, &error));
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
		bytes->data[places[i]] ^= 1;
	}
}

static void a_manifest_of_impossible_length_allocates_nothing(void **state)
{
	guint8 bytes[MLV_BUNDLE_HEADER] = BUNDLE_MAGIC;

	mlv_bundle_put_u64(bytes + 8, G_MAXUINT64);
	assert_false(verify(*state, bytes, sizeof(bytes), NULL));
	mlv_bundle_put_u64(bytes + 8, MLV_BUNDLE_MANIFEST_MAX);
	assert_false(verify(*state, bytes, sizeof(bytes), NULL));
}

static void a_bundle_without_what_it_needs_is_not_whole(void **state)
{
	g_autoptr(MlvBundleManifest) manifest = mlv_bundle_manifest_new();
	g_autoptr(GByteArray) bytes = NULL;
	g_autoptr(GError) error = NULL;

	add_ref(manifest->need, "not there", MLV_KIND_TREE, 0, 9);
	bytes = make_bundle(manifest, TRUE);
	assert_false(verify(*state, bytes->data, bytes->len, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
}

/* --- taking one in ---------------------------------------------------------------------------- */

static gboolean apply(const Scratch *scratch, MlvStore *store, const GByteArray *bytes,
		      MlvBundleResult *result, GError **error)
{
	g_auto(MlvFd) fd = scratch_file(scratch, "bundle");
	g_autoptr(MlvBundleReader) reader = NULL;
	MlvBundleReadOptions options = { .threads = 2 };
	MlvWriteOptions write = { .level = 1 };

	assert_true(mlv_file_write(fd, bytes->data, bytes->len, "bundle", NULL));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	reader = mlv_bundle_reader_new(fd, "bundle", error);
	return reader && mlv_bundle_apply(reader, store, &write, &options, result, error);
}

static MlvStore *open_store(const Scratch *scratch)
{
	g_autofree char *path = g_build_filename(scratch->path, "store", NULL);
	MlvStore *store = mlv_store_open(path, TRUE, NULL, NULL, NULL);

	assert_non_null(store);
	return store;
}

static void a_bundle_is_taken_in_once(void **state)
{
	g_autoptr(MlvStore) store = open_store(*state);
	g_autoptr(MlvBundleManifest) manifest = mlv_bundle_manifest_new();
	g_autoptr(GByteArray) bytes = make_bundle(manifest, TRUE);
	MlvBundleResult result;

	assert_true(apply(*state, store, bytes, &result, NULL));
	assert_true(result.stored > 0);
	assert_int_equal(result.packs, 2);
	assert_true(apply(*state, store, bytes, &result, NULL));
	assert_int_equal(result.stored, 0);
}

static void what_a_bundle_builds_on_must_be_there(void **state)
{
	g_autoptr(MlvStore) store = open_store(*state);
	g_autoptr(MlvBundleManifest) manifest = make_manifest();
	g_autoptr(GByteArray) bytes = make_bundle(manifest, TRUE);
	g_autoptr(GPtrArray) indexes = NULL;
	g_autoptr(GError) error = NULL;
	MlvBundleResult result;

	assert_false(apply(*state, store, bytes, &result, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING));
	indexes = mlv_store_indexes(store, MLV_CLASS_DATA);
	assert_int_equal(indexes->len, 0);
}

static void nothing_of_a_damaged_bundle_is_seen(void **state)
{
	g_autoptr(MlvStore) store = open_store(*state);
	g_autoptr(MlvBundleManifest) manifest = mlv_bundle_manifest_new();
	g_autoptr(GByteArray) bytes = make_bundle(manifest, TRUE);
	g_autoptr(GPtrArray) indexes = NULL;
	g_autoptr(GError) error = NULL;
	MlvBundleResult result;

	bytes->data[bytes->len - 1] ^= 1;
	assert_false(apply(*state, store, bytes, &result, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	indexes = mlv_store_indexes(store, MLV_CLASS_DATA);
	assert_int_equal(indexes->len, 0);
}

/* --- main ------------------------------------------------------------------------------------- */

static int write_fixtures(void)
{
	g_autoptr(GByteArray) empty = make_golden(TRUE);
	g_autoptr(GByteArray) full = make_golden(FALSE);

	return g_file_set_contents(GOLDEN_EMPTY, (const char *)empty->data, empty->len, NULL) &&
			       g_file_set_contents(GOLDEN, (const char *)full->data, full->len,
						   NULL)
		       ? 0
		       : 1;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(the_golden_bundles_are_what_is_written_today),
		TEST(the_golden_bundle_is_whole),
		TEST(the_page_shows_the_smallest_bundle),
		TEST(a_manifest_is_read_as_it_was_written),
		TEST(a_manifest_has_one_form_only),
		TEST(a_later_version_is_told_apart_from_damage),
		TEST(every_flipped_byte_is_found),
		TEST(every_truncation_is_found),
		TEST(what_follows_the_end_is_found),
		TEST(lies_are_found_though_the_sums_are_right),
		TEST(a_manifest_of_impossible_length_allocates_nothing),
		TEST(a_bundle_without_what_it_needs_is_not_whole),
		TEST(a_bundle_is_taken_in_once),
		TEST(what_a_bundle_builds_on_must_be_there),
		TEST(nothing_of_a_damaged_bundle_is_seen),
	};

	if (argc == 2 && strcmp(argv[1], "--write-fixtures") == 0)
		return write_fixtures();
	return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
