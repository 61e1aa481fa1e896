/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/ui.h"
#include "cmd/ui_json.h"
#include "cmd/ui_progress.h"

static void assert_name(const char *name, const char *shown)
{
	g_autofree char *got = mlv_ui_name(name);

	assert_string_equal(got, shown);
}

static void names_are_quoted_as_git_quotes_them(void **state)
{
	assert_name("plain name.txt", "plain name.txt");
	assert_name("größe", "größe");
	assert_name("tab\there", "\"tab\\there\"");
	assert_name("line\nbreak", "\"line\\nbreak\"");
	assert_name("quote\"back\\", "\"quote\\\"back\\\\\"");
	assert_name("\033[31m", "\"\\033[31m\"");
	assert_name("\x7f", "\"\\177\"");
}

static void bytes_that_are_not_utf8_are_escaped(void **state)
{
	assert_name("\xff", "\"\\377\"");
	assert_name("a\xc3", "\"a\\303\"");
	assert_name("\xc0\xaf", "\"\\300\\257\"");
	assert_name("\xed\xa0\x80", "\"\\355\\240\\200\"");
}

static void characters_that_turn_the_text_are_escaped(void **state)
{
	assert_name("\xe2\x80\xae", "\"\\342\\200\\256\"");
	assert_name("\xc2\x9b", "\"\\302\\233\"");
}

static void texts_keep_their_quotes_and_lose_what_controls(void **state)
{
	g_autofree char *got = mlv_ui_printable("cannot open 'a\"b\\\r\n'");

	assert_string_equal(got, "cannot open 'a\"b\\\\r\\n'");
}

static void assert_size(guint64 bytes, const char *shown)
{
	g_autofree char *got = mlv_ui_size(bytes);

	assert_string_equal(got, shown);
}

static void sizes_have_three_or_four_digits(void **state)
{
	assert_size(0, "0 B");
	assert_size(1023, "1023 B");
	assert_size(1024, "1.0 KiB");
	assert_size(1536, "1.5 KiB");
	assert_size(1024 * 1024 - 1, "1.0 MiB");
	assert_size(G_MAXUINT64, "16.0 EiB");
}

static void durations_say_what_matters(void **state)
{
	const struct {
		gint64 microseconds;
		const char *shown;
	} rows[] = {
		{ -5, "0 ms" },
		{ 850000, "850 ms" },
		{ 12340000, "12.3 s" },
		{ 59960000, "1 min 0 s" },
		{ 250 * G_USEC_PER_SEC, "4 min 10 s" },
		{ (gint64)7500 * G_USEC_PER_SEC, "2 h 5 min" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = mlv_ui_duration(rows[i].microseconds);

		assert_string_equal(got, rows[i].shown);
	}
}

static void counts_are_grouped_and_have_their_word(void **state)
{
	g_autofree char *none = mlv_ui_plural(0, "file");
	g_autofree char *one = mlv_ui_plural(1, "file");
	g_autofree char *many = mlv_ui_count(1234567, "entry", "entries");

	assert_string_equal(none, "0 files");
	assert_string_equal(one, "1 file");
	assert_string_equal(many, "1,234,567 entries");
}

static void columns_are_as_wide_as_their_widest_cell_on_a_terminal(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	MlvColumns *columns = mlv_ui_columns_new("rll");

	mlv_ui_columns_add(columns, "1", "größe", "x");
	mlv_ui_columns_add(columns, "100", "\033[31mred\033[m", "y");
	mlv_ui_columns_add(columns, "10", "日本", "z");
	mlv_ui_columns_print(columns, out);
	fclose(out);
	assert_string_equal(text, "  1  größe  x\n"
				  "100  \033[31mred\033[m    y\n"
				  " 10  日本   z\n");
	free(text);
}

static void json_paths_that_are_not_utf8_come_in_base64(void **state)
{
	json_t *object = json_object();

	mlv_json_set_path(object, "path", "a/b");
	mlv_json_set_path(object, "old", "\xff");
	mlv_json_set_text(object, "text", "x\xff");
	mlv_json_set_size(object, "size", G_MAXUINT64);
	assert_string_equal(json_string_value(json_object_get(object, "path")), "a/b");
	assert_null(json_object_get(object, "old"));
	assert_string_equal(json_string_value(json_object_get(object, "old_b64")), "/w==");
	assert_string_equal(json_string_value(json_object_get(object, "text")), "x\xef\xbf\xbd");
	assert_true(json_integer_value(json_object_get(object, "size")) == G_MAXINT64);
	json_decref(object);
}

/* A terminal in place of stderr. */
struct terminal {
	int master;
	int saved;
};

static void open_terminal(struct terminal *terminal)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int slave;

	assert_int_equal(openpty(&terminal->master, &slave, NULL, NULL, &size), 0);
	fflush(stderr);
	terminal->saved = dup(STDERR_FILENO);
	dup2(slave, STDERR_FILENO);
	close(slave);
}

static void close_terminal(struct terminal *terminal)
{
	fflush(stderr);
	dup2(terminal->saved, STDERR_FILENO);
	close(terminal->saved);
	close(terminal->master);
}

/* What the terminal shows until `wanted` is among it; at most five seconds. */
static GString *read_until(struct terminal *terminal, const char *wanted)
{
	GString *seen = g_string_new(NULL);
	struct pollfd poller = { .fd = terminal->master, .events = POLLIN };

	while (!strstr(seen->str, wanted) && poll(&poller, 1, 5000) == 1) {
		char bytes[512];
		gssize got = read(terminal->master, bytes, sizeof(bytes));

		if (got <= 0)
			break;
		g_string_append_len(seen, bytes, got);
	}
	return seen;
}

static void progress_is_one_line_on_a_terminal_and_goes_away(void **state)
{
	struct terminal terminal;
	MlvProgress *progress;
	GString *seen;
	MlvUi ui;

	open_terminal(&terminal);
	mlv_ui_init(&ui);
	progress = mlv_ui_progress_begin(&ui, "storing");
	mlv_ui_progress_total(progress, 4096, 2);
	mlv_ui_progress_add(progress, 1024, 1);
	seen = read_until(&terminal, "storing: 25% 1.0 KiB of 4.0 KiB, 1 file of 2 files");
	assert_non_null(strstr(seen->str, "\rstoring: 25% 1.0 KiB of 4.0 KiB, 1 file of 2 files"));
	assert_null(strchr(seen->str, '\n'));
	g_string_free(seen, TRUE);
	mlv_ui_warn(&ui, "careful");
	seen = read_until(&terminal, "careful");
	assert_non_null(strstr(seen->str, "\r\033[K"));
	g_string_free(seen, TRUE);
	mlv_ui_progress_end(progress);
	mlv_ui_clear(&ui);
	close_terminal(&terminal);
}

static void progress_is_silent_when_asked_to_be(void **state)
{
	struct terminal terminal;
	struct pollfd poller;
	MlvProgress *progress;
	MlvUi ui;

	open_terminal(&terminal);
	mlv_ui_init(&ui);
	ui.quiet = TRUE;
	progress = mlv_ui_progress_begin(&ui, "storing");
	mlv_ui_progress_add(progress, 1024, 1);
	mlv_ui_note(&ui, "a remark");
	poller = (struct pollfd){ .fd = terminal.master, .events = POLLIN };
	assert_int_equal(poll(&poller, 1, 700), 0);
	mlv_ui_progress_end(progress);
	mlv_ui_clear(&ui);
	close_terminal(&terminal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_quoted_as_git_quotes_them),
		cmocka_unit_test(bytes_that_are_not_utf8_are_escaped),
		cmocka_unit_test(characters_that_turn_the_text_are_escaped),
		cmocka_unit_test(texts_keep_their_quotes_and_lose_what_controls),
		cmocka_unit_test(sizes_have_three_or_four_digits),
		cmocka_unit_test(durations_say_what_matters),
		cmocka_unit_test(counts_are_grouped_and_have_their_word),
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell_on_a_terminal),
		cmocka_unit_test(json_paths_that_are_not_utf8_come_in_base64),
		cmocka_unit_test(progress_is_one_line_on_a_terminal_and_goes_away),
		cmocka_unit_test(progress_is_silent_when_asked_to_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
