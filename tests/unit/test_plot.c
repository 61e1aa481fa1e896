/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "core/plot/axes.h"
#include "core/plot/page.h"
#include "core/plot/svg.h"
#include "core/plot/text_plot.h"

/* --- scales ----------------------------------------------------------------------------------- */

static void check_ticks(double low, double high, guint count, const char *wanted)
{
	g_autoptr(GString) text = g_string_new(NULL);
	MlvScale scale;

	mlv_scale_init(&scale, low, high, count, TRUE);
	for (guint i = 0; i < scale.ticks; i++) {
		g_autofree char *label = mlv_scale_label(&scale, mlv_scale_tick(&scale, i));
		g_string_append_printf(text, "%s%s", i ? " " : "", label);
	}
	assert_string_equal(text->str, wanted);
	assert_true(scale.from <= MIN(low, high) || !isfinite(low));
	assert_true(scale.to >= MAX(low, high) || !isfinite(high));
}

static void ticks_are_at_nice_numbers(void **state)
{
	check_ticks(0, 1, 5, "0 0.2 0.4 0.6 0.8 1.0");
	check_ticks(0, 100, 5, "0 20 40 60 80 100");
	check_ticks(-0.3, 0.31, 4, "-0.4 -0.2 0 0.2 0.4");
	check_ticks(1, 0, 5, "0 0.2 0.4 0.6 0.8 1.0");
	check_ticks(0.001, 0.0042, 4, "0.001 0.002 0.003 0.004 0.005");
	check_ticks(1e6, 5e6, 4, "1000000 2000000 3000000 4000000 5000000");
	check_ticks(1e10, 2e10, 2, "1e+10 1.5e+10 2e+10");
	check_ticks(1e-9, 3e-9, 3, "1e-09 2e-09 3e-09");
	check_ticks(995, 1005, 5, "994 996 998 1000 1002 1004 1006");
}

static void ranges_that_are_none_get_some_room(void **state)
{
	static const double numbers[] = { 0, 1, -5, 1e300, -1e-300, 1e-310, 123456789.123, 5e-324 };

	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
		MlvScale scale;
		mlv_scale_init(&scale, numbers[i], numbers[i], 5, TRUE);
		assert_true(scale.from < scale.to);
		assert_true(scale.from <= numbers[i] && scale.to >= numbers[i]);
		assert_true(scale.ticks >= 2 && scale.ticks <= 1000);
	}
}

static void scales_stand_any_two_numbers(void **state)
{
	static const double numbers[] = { 0,         1,      -1,   1e308,    -1e308,
					  1e-308,    5e-324, NAN,  INFINITY, -INFINITY,
					  1 + 1e-15, 1e15,   1e16, 0.1 };

	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
		for (gsize j = 0; j < G_N_ELEMENTS(numbers); j++) {
			MlvScale scale;
			mlv_scale_init(&scale, numbers[i], numbers[j], 7, j % 2);
			assert_true(isfinite(scale.from) && isfinite(scale.to));
			assert_true(scale.from < scale.to);
			assert_true(scale.ticks <= 1000);
			for (guint k = 0; k < scale.ticks; k++) {
				double tick = mlv_scale_tick(&scale, k);
				g_autofree char *label = mlv_scale_label(&scale, tick);
				assert_true(strlen(label) < 40);
			}
		}
	}
}

/* --- texts and numbers ------------------------------------------------------------------------ */

static void check_escape(const char *text, guint max, const char *wanted)
{
	g_autoptr(GString) out = g_string_new(NULL);

	mlv_svg_append_short(out, text, max);
	assert_string_equal(out->str, wanted);
}

static void texts_cannot_leave_their_place(void **state)
{
	check_escape("<script>alert('x')</script>", 100,
		     "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
	check_escape("\" onload=\"x & y", 100, "&quot; onload=&quot;x &amp; y");
	check_escape("a\001b\177\033[31mc", 100, "a\uFFFDb\uFFFD\uFFFD[31mc");
	check_escape("\u202Eevil", 100, "\uFFFDevil");
	check_escape("\xff\xfe", 100, "\uFFFD\uFFFD");
	check_escape("größer", 4, "grö…");
	check_escape("größe", 5, "größe");
}

static void coordinates_are_short_and_always_the_same(void **state)
{
	static const struct {
		double number;
		const char *text;
	} numbers[] = { { 0, "0" },     { 1.25, "1.3" }, { -0.04, "0" },       { -0.06, "-0.1" },
			{ 12.0, "12" }, { NAN, "0" },    { 1e300, "1000000" }, { 99.95, "100" } };

	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
		g_autoptr(GString) out = g_string_new(NULL);
		mlv_svg_append_number(out, numbers[i].number);
		if (strcmp(out->str, numbers[i].text) != 0 &&
		    !(numbers[i].number == -0.04 && strcmp(out->str, "-0") == 0))
			fail_msg("%g is '%s'", numbers[i].number, out->str);
	}
}

/* --- plots ------------------------------------------------------------------------------------ */

static MlvPlotSeries *new_series(guint side, guint n, double (*y)(guint i))
{
	MlvPlotSeries *series = g_new0(MlvPlotSeries, 1);

	series->label = g_strdup("y<&>");
	series->side = side;
	series->x = g_array_new(FALSE, FALSE, sizeof(double));
	series->y = g_array_new(FALSE, FALSE, sizeof(double));
	for (guint i = 0; i < n; i++) {
		double at_x = i, at_y = y(i);
		g_array_append_val(series->x, at_x);
		g_array_append_val(series->y, at_y);
	}
	return series;
}

static void series_free(gpointer data)
{
	MlvPlotSeries *series = data;

	g_array_unref(series->x);
	g_array_unref(series->y);
	g_free(series->label);
	g_free(series);
}

static MlvPlotDef *new_def(void)
{
	MlvPlotDef *def = g_new0(MlvPlotDef, 1);

	def->id = g_strdup("id");
	def->sources = g_ptr_array_new();
	return def;
}

static MlvPlot *new_plot(const MlvPlotDef *def, MlvPlotKind kind)
{
	MlvPlot *plot = g_new0(MlvPlot, 1);

	plot->def = def;
	plot->kind = kind;
	plot->title = g_strdup("</title><b>");
	plot->x_label = g_strdup("x\"");
	plot->y_label = g_strdup("y'");
	plot->series = g_ptr_array_new_with_free_func(series_free);
	plot->matrices = g_ptr_array_new();
	plot->images = g_ptr_array_new();
	plot->notes = g_ptr_array_new_with_free_func(g_free);
	return plot;
}

static double wave(guint i)
{
	return i % 1000 == 500 ? NAN : sin(i / 50.0) * (i % 7);
}

static double spike(guint i)
{
	return i == 54321 ? 1000 : 0;
}

static double broken(guint i)
{
	return i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -INFINITY;
}

static void few_points_are_drawn_of_many_and_none_that_matters_is_lost(void **state)
{
	g_autoptr(MlvPlotDef) def = new_def();
	g_autoptr(MlvPlot) plot = new_plot(def, MLV_PLOT_LINES);
	gboolean found = FALSE;
	MlvAxes axes;

	g_ptr_array_add(plot->series, new_series(0, 100000, spike));
	assert_true(mlv_axes_init(&axes, plot, 8, 7));
	g_autoptr(GArray) points = mlv_axes_points(&axes, plot->series->pdata[0], 640);
	assert_true(points->len < 4 * 642);
	for (guint i = 0; i < points->len; i++) {
		found |= g_array_index(points, MlvPoint, i).index == 54321;
		assert_true(i == 0 || g_array_index(points, MlvPoint, i - 1).index <
					      g_array_index(points, MlvPoint, i).index);
	}
	assert_true(found);
	assert_int_equal(g_array_index(points, MlvPoint, 0).index, 0);
	assert_int_equal(g_array_index(points, MlvPoint, points->len - 1).index, 99999);
}

static void a_page_is_the_same_each_time_and_holds_no_markup_of_others(void **state)
{
	static const MlvPlotKind kinds[] = { MLV_PLOT_LINES, MLV_PLOT_SCATTER };
	const char *const names[] = { "v1<", "HEAD" };
	g_autofree char *before = NULL;

	for (guint round = 0; round < 2; round++) {
		g_autoptr(GString) out = g_string_new(NULL);

		mlv_page_begin(out, "<Plots>");
		for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
			g_autoptr(MlvPlotDef) def = new_def();
			g_autoptr(MlvPlot) plot = new_plot(def, kinds[i]);

			g_ptr_array_add(plot->series, new_series(0, 5000, wave));
			g_ptr_array_add(plot->series, new_series(1, 50, wave));
			g_ptr_array_add(plot->notes, g_strdup("<img src=x>"));
			mlv_page_plot(out, plot, names, 2);
		}
		mlv_page_end(out);
		assert_null(strstr(out->str, "<b>"));
		assert_null(strstr(out->str, "<img"));
		assert_null(strstr(out->str, "v1<"));
		assert_null(strstr(out->str, "nan"));
		assert_null(strstr(out->str, "http:"));
		assert_null(strstr(out->str, "https:"));
		assert_null(strstr(out->str, "<script"));
		assert_true(g_utf8_validate(out->str, (gssize)out->len, NULL));
		if (before)
			assert_string_equal(before, out->str);
		else
			before = g_strdup(out->str);
	}
}

static void plots_without_a_number_draw_nothing(void **state)
{
	const MlvTextOptions options = { .width = 60, .height = 12 };
	const char *const names[] = { "HEAD" };
	g_autoptr(MlvPlotDef) def = new_def();
	g_autoptr(MlvPlot) plot = new_plot(def, MLV_PLOT_LINES);
	g_autoptr(GString) page = g_string_new(NULL), text = g_string_new(NULL);

	g_ptr_array_add(plot->series, new_series(0, 9, broken));
	g_ptr_array_add(plot->series, new_series(0, 0, wave));
	mlv_page_plot(page, plot, names, 1);
	mlv_text_append_plot(text, plot, names, 1, &options);
	assert_null(strstr(page->str, "<svg"));
	assert_null(strstr(text->str, "┤"));
}

static double square(guint i)
{
	return (double)i * i;
}

static void a_chart_of_text_has_its_size(void **state)
{
	const MlvTextOptions options = { .width = 40, .height = 12 };
	const char *const names[] = { "a", "b\033[31m" };
	g_autoptr(MlvPlotDef) def = new_def();
	g_autoptr(MlvPlot) plot = new_plot(def, MLV_PLOT_LINES);
	g_autoptr(GString) text = g_string_new(NULL);

	g_ptr_array_add(plot->series, new_series(0, 11, square));
	g_ptr_array_add(plot->series, new_series(1, 6, square));
	mlv_text_append_plot(text, plot, names, 2, &options);
	assert_null(strchr(text->str, '\033'));
	assert_non_null(strstr(text->str, "100 ┤"));
	assert_non_null(strstr(text->str, "● a"));
	g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
	/* Title, label, eight rows, axis, its labels, its name, legend, and the end. */
	assert_int_equal(g_strv_length(lines), 15);
	for (char **line = lines; *line; line++)
		assert_true(g_utf8_strlen(*line, -1) <= 41);
}

static void pictures_are_known_by_their_bytes(void **state)
{
	static const guint8 png[24] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13,
					'I',  'H', 'D', 'R', 0,    0,    1,    0,    0, 0, 0, 7 };
	static const guint8 jpeg[] = { 0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 1, 0xff, 0xc0,
				       0,    11,   8,    0,    9, 0, 5, 1, 1,    1 };
	const char *svg = "<?xml version='1.0'?>\n<svg xmlns='x'/>";
	MlvPictureInfo info;

	assert_true(mlv_picture_look(png, sizeof png, &info));
	assert_string_equal(info.type, "image/png");
	assert_int_equal(info.width, 256);
	assert_int_equal(info.height, 7);
	for (gsize i = 3; i < sizeof jpeg; i++)
		mlv_picture_look(jpeg, i, &info);
	assert_true(mlv_picture_look(jpeg, sizeof jpeg, &info));
	assert_int_equal(info.width, 5);
	assert_int_equal(info.height, 9);
	assert_true(mlv_picture_look((const guint8 *)svg, strlen(svg), &info));
	assert_string_equal(info.type, "image/svg+xml");
	assert_false(mlv_picture_look((const guint8 *)"<html>", 6, &info));
	assert_false(mlv_picture_look((const guint8 *)"", 0, &info));
	assert_true(mlv_picture_is_name("a/b.PNG"));
	assert_false(mlv_picture_is_name("a.png/b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_are_at_nice_numbers),
		cmocka_unit_test(ranges_that_are_none_get_some_room),
		cmocka_unit_test(scales_stand_any_two_numbers),
		cmocka_unit_test(texts_cannot_leave_their_place),
		cmocka_unit_test(coordinates_are_short_and_always_the_same),
		cmocka_unit_test(few_points_are_drawn_of_many_and_none_that_matters_is_lost),
		cmocka_unit_test(a_page_is_the_same_each_time_and_holds_no_markup_of_others),
		cmocka_unit_test(plots_without_a_number_draw_nothing),
		cmocka_unit_test(a_chart_of_text_has_its_size),
		cmocka_unit_test(pictures_are_known_by_their_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
