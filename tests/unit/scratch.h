/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary folder for one test, and bytes that are the same each time. Include after
 * <cmocka.h>. */
#ifndef MLV_TESTS_SCRATCH_H
#define MLV_TESTS_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <stdio.h>
#include <unistd.h>

typedef struct {
	char *path;
	int fd;
} Scratch;

static inline int scratch_remove_one(const char *path, const struct stat *st, int type,
				     struct FTW *ftw)
{
	return remove(path);
}

/* cmocka setup: *state is a new Scratch. */
static inline int scratch_setup(void **state)
{
	Scratch *scratch = g_new0(Scratch, 1);

	scratch->path = g_dir_make_tmp("mlv-unit-XXXXXX", NULL);
	assert_non_null(scratch->path);
	scratch->fd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(scratch->fd >= 0);
	*state = scratch;
	return 0;
}

static inline int scratch_teardown(void **state)
{
	Scratch *scratch = *state;

	close(scratch->fd);
	nftw(scratch->path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	g_free(scratch->path);
	g_free(scratch);
	return 0;
}

/* A new file in the folder, open for reading and writing. */
static inline int scratch_file(const Scratch *scratch, const char *name)
{
	int fd = openat(scratch->fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	assert_true(fd >= 0);
	return fd;
}

/* The whole of a file of the folder. */
static inline GBytes *scratch_read(const Scratch *scratch, const char *name)
{
	g_autofree char *path = g_build_filename(scratch->path, name, NULL);
	char *bytes;
	gsize length;

	assert_true(g_file_get_contents(path, &bytes, &length, NULL));
	return g_bytes_new_take(bytes, length);
}

/* The bytes that a page of the manual shows as hexdump -C does: dump `number` of it, from 0. */
static inline GByteArray *scratch_page_dump(const char *page, guint number)
{
	GByteArray *bytes = g_byte_array_new();
	g_autofree char *text = NULL;
	guint dumps = 0;

	if (!g_file_get_contents(page, &text, NULL, NULL))
		fail_msg("cannot read %s: tests run from the root of the tree", page);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i]; i++) {
		guint offset, byte;
		int at = 0, step;

		if (sscanf(lines[i], "%8x  %n", &offset, &at) != 1 || at != 10)
			continue;
		if (offset == 0)
			dumps++;
		if (dumps != number + 1)
			continue;
		assert_int_equal(offset, bytes->len);
		while (sscanf(lines[i] + at, "%2x%n", &byte, &step) == 1) {
			guint8 value = (guint8)byte;
			g_byte_array_append(bytes, &value, 1);
			at += step;
		}
	}
	return bytes;
}

/* xorshift64*: bytes that do not compress, by a seed other than 0. */
static inline void scratch_noise(guint8 *out, gsize length, guint64 seed)
{
	for (gsize i = 0; i < length; i++) {
		seed ^= seed >> 12;
		seed ^= seed << 25;
		seed ^= seed >> 27;
		out[i] = (guint8)((seed * 2685821657736338717u) >> 56);
	}
}

#endif
