/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plot/text_plot.h"

#include <string.h>

#include "core/plot/svg.h"
#include "core/plot/text_private.h"

const char *mlv_text_color(const MlvTextOptions *options, guint i)
{
	static const char *const colors[] = { "\033[34m", "\033[33m", "\033[32m", "\033[35m",
					      "\033[36m", "\033[31m", "\033[90m", "\033[94m" };
	return options->color ? colors[i % G_N_ELEMENTS(colors)] : "";
}

const char *mlv_text_reset(const MlvTextOptions *options)
{
	return options->color ? "\033[m" : "";
}

const char *mlv_text_mark(guint i)
{
	static const char *const marks[] = { "●", "○", "▲", "△", "■", "□", "◆", "◇" };
	return marks[i % G_N_ELEMENTS(marks)];
}

guint mlv_text_width(const char *text)
{
	guint width = 0;

	for (const char *at = text; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);
		if (!g_unichar_iszerowidth(c))
			width += g_unichar_iswide(c) ? 2 : 1;
	}
	return width;
}

void mlv_text_append_cell(GString *out, const char *text, guint width, gboolean right)
{
	g_autoptr(GString) plain = g_string_new(NULL);
	guint max = width, taken;

	/* Wide characters take two columns each: fewer of them fit. */
	do {
		g_string_truncate(plain, 0);
		mlv_svg_append_plain(plain, text, max);
		taken = mlv_text_width(plain->str);
	} while (taken > width && --max > 0);
	guint pad = width > taken ? width - taken : 0;
	if (right)
		g_string_append_printf(out, "%*s", (int)pad, "");
	g_string_append(out, plain->str);
	if (!right)
		g_string_append_printf(out, "%*s", (int)pad, "");
}

/* --- around the picture ----------------------------------------------------------------------- */

static void append_legend(GString *out, const MlvPlot *plot, const char *const *names, guint count,
			  const MlvTextOptions *options)
{
	gboolean labels = plot->def->sources->len > 1;

	if (plot->series->len < 2)
		return;
	g_string_append(out, "  ");
	for (guint i = 0; i < plot->series->len; i++) {
		const MlvPlotSeries *series = plot->series->pdata[i];

		g_string_append_printf(out, "%s%s%s%s ", i ? "   " : "", mlv_text_color(options, i),
				       options->color ? "━" : mlv_text_mark(i),
				       mlv_text_reset(options));
		if (count > 1)
			mlv_svg_append_plain(out, names[series->side], 40);
		if (count > 1 && labels)
			g_string_append(out, ": ");
		if (labels || count == 1)
			mlv_svg_append_plain(out, series->label, 40);
	}
	g_string_append_c(out, '\n');
}

static void append_images(GString *out, const MlvPlot *plot, const char *const *names)
{
	for (guint i = 0; i < plot->images->len; i++) {
		const MlvPlotImage *image = plot->images->pdata[i];

		g_string_append(out, "  ");
		mlv_svg_append_plain(out, names[image->side], 40);
		g_string_append_printf(out, ": %s", image->info.type);
		if (image->info.width)
			g_string_append_printf(out, ", %u x %u", image->info.width,
					       image->info.height);
		g_string_append_printf(out, ", %" G_GSIZE_FORMAT " bytes\n",
				       g_bytes_get_size(image->bytes));
	}
}

static void append_matrix_name(GString *out, const MlvPlot *plot, const MlvPlotMatrix *matrix,
			       const char *name)
{
	gboolean labels = plot->def->sources->len > 1;

	if (!name && !labels)
		return;
	g_string_append(out, "  ");
	if (name)
		mlv_svg_append_plain(out, name, 40);
	if (name && labels)
		g_string_append(out, ": ");
	if (labels)
		mlv_svg_append_plain(out, matrix->label, 40);
	g_string_append_c(out, '\n');
}

void mlv_text_append_plot(GString *out, const MlvPlot *plot, const char *const *names, guint count,
			  const MlvTextOptions *options)
{
	g_string_append(out, options->color ? "\033[1m" : "");
	mlv_svg_append_plain(out, plot->title, MAX(options->width, 20));
	g_string_append_printf(out, "%s\n", mlv_text_reset(options));
	append_images(out, plot, names);
	for (guint i = 0; i < plot->matrices->len; i++) {
		const MlvPlotMatrix *matrix = plot->matrices->pdata[i];

		append_matrix_name(out, plot, matrix, count > 1 ? names[matrix->side] : NULL);
		mlv_text_append_matrix(out, plot, matrix, options);
	}
	if (plot->kind == MLV_PLOT_HISTOGRAM || plot->kind == MLV_PLOT_BARS ||
	    plot->kind == MLV_PLOT_BARS_SORTED)
		mlv_text_append_bars(out, plot, count, options);
	else if (plot->series->len > 0)
		mlv_text_append_chart(out, plot, count, options);
	append_legend(out, plot, names, count, options);
	for (guint i = 0; i < plot->notes->len; i++) {
		g_string_append(out, "  (");
		mlv_svg_append_plain(out, plot->notes->pdata[i], 400);
		g_string_append(out, ")\n");
	}
}
