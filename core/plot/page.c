/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plot/page.h"

#include <string.h>

#include "core/plot/svg.h"

/* What a page looks like, on light and dark ground. Wide tables scroll in themselves. */
static const char style[] =
	":root{color-scheme:light dark;--ink:#1b1f23;--soft:#59636e;--rule:#d1d9e0;--ground:#fff}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--rule:#3d444d;"
	"--ground:#0d1117}}\n"
	"body{margin:1.5rem auto;max-width:84rem;padding:0 1rem;color:var(--ink);"
	"background:var(--ground);font:15px/1.45 system-ui,sans-serif}\n"
	"h1{font-size:1.5rem}h2{font-size:1.15rem;border-bottom:1px solid var(--rule)}\n"
	"table{border-collapse:collapse;display:block;overflow-x:auto;margin:.5rem 0 1.5rem}\n"
	"td,th{border:1px solid var(--rule);padding:.2rem .6rem;text-align:left;"
	"font-variant-numeric:tabular-nums}\n"
	"td.r,th.r{text-align:right}.better{color:#1a7f37}.worse{color:#cf222e}\n"
	".plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(30rem,100%),1fr));"
	"gap:1.5rem}\n"
	"figure{margin:0;min-width:0}figcaption{font-weight:600;overflow-wrap:anywhere}\n"
	"svg{width:100%;height:auto;font:12px system-ui,sans-serif}\n"
	"svg text{fill:var(--soft)}svg .labels text{fill:var(--ink)}svg text.dark{fill:#fff}\n"
	".axes line{stroke:var(--rule);stroke-width:1}\n"
	".line{fill:none;stroke-width:2;stroke-linejoin:round}\n"
	".legend,.notes,.meta{list-style:none;padding:0;margin:.3rem 0;color:var(--soft);"
	"font-size:.85rem}\n"
	".legend li,.meta li{display:inline-block;margin-right:1rem}\n"
	".key{display:inline-block;width:.8em;height:.8em;margin-right:.35em;border-radius:2px}\n"
	".beside{display:flex;flex-wrap:wrap;gap:1rem}.beside>div{flex:1 1 14rem;min-width:0}\n"
	".beside img{max-width:100%;height:auto;background:#fff}.name{font-size:.85rem;"
	"color:var(--soft)}\n";

void mlv_page_begin(GString *out, const char *title)
{
	g_string_append(out,
			"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
			"<meta name=\"viewport\" content=\"width=device-width\">\n"
			"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
			"'none'; img-src data:; style-src 'unsafe-inline'\">\n<title>");
	mlv_svg_append_text(out, title);
	g_string_append_printf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>", style);
	mlv_svg_append_text(out, title);
	g_string_append(out, "</h1>\n");
}

void mlv_page_end(GString *out)
{
	g_string_append(out, "</body>\n</html>\n");
}

static void append_key(GString *out, guint color)
{
	g_string_append_printf(out, "<span class=\"key\" style=\"background:%s\"></span>",
			       mlv_svg_color(color));
}

void mlv_page_revisions(GString *out, const char *const *names, const char *const *ids, guint count)
{
	g_string_append(out, "<ul class=\"meta\">\n");
	for (guint i = 0; i < count; i++) {
		g_string_append(out, "<li>");
		if (count > 1)
			append_key(out, i);
		mlv_svg_append_text(out, names[i]);
		if (ids[i] && !g_str_has_prefix(ids[i], names[i])) {
			g_string_append(out, " <code>");
			mlv_svg_append_short(out, ids[i], 13);
			g_string_append(out, "</code>");
		}
		g_string_append(out, "</li>\n");
	}
	g_string_append(out, "</ul>\n");
}

void mlv_page_heading(GString *out, const char *text)
{
	g_string_append(out, "<h2>");
	mlv_svg_append_text(out, text);
	g_string_append(out, "</h2>\n");
}

void mlv_page_paragraph(GString *out, const char *text)
{
	g_string_append(out, "<p>");
	mlv_svg_append_text(out, text);
	g_string_append(out, "</p>\n");
}

void mlv_page_table(GString *out, const char *align, const char *const *cells, guint rows)
{
	guint columns = (guint)strlen(align);

	g_string_append(out, "<table>\n");
	for (guint row = 0; row < rows; row++) {
		g_string_append(out, "<tr>");
		for (guint column = 0; column < columns; column++) {
			const char *cell = cells[row * columns + column];
			const char *name = row ? "td" : "th";
			gboolean verdict =
				row && (strcmp(cell, "better") == 0 || strcmp(cell, "worse") == 0);

			g_string_append_printf(out, "<%s", name);
			if (align[column] == 'r')
				g_string_append(out, " class=\"r\"");
			else if (verdict)
				g_string_append_printf(out, " class=\"%s\"", cell);
			g_string_append_c(out, '>');
			mlv_svg_append_text(out, cell);
			g_string_append_printf(out, "</%s>", name);
		}
		g_string_append(out, "</tr>\n");
	}
	g_string_append(out, "</table>\n");
}

/* --- a plot ----------------------------------------------------------------------------------- */

static void append_legend(GString *out, const MlvPlot *plot, const char *const *names, guint count)
{
	gboolean labels = plot->def->sources->len > 1;

	if (plot->series->len < 2)
		return;
	g_string_append(out, "<ul class=\"legend\">\n");
	for (guint i = 0; i < plot->series->len; i++) {
		const MlvPlotSeries *series = plot->series->pdata[i];

		g_string_append(out, "<li>");
		append_key(out, mlv_svg_color_of(series, count));
		if (count > 1)
			mlv_svg_append_text(out, names[series->side]);
		if (count > 1 && labels)
			g_string_append(out, ": ");
		if (labels || count == 1)
			mlv_svg_append_text(out, series->label);
		if (count > 1 && *mlv_svg_dash(series->variant))
			g_string_append(out, " (dashed)");
		g_string_append(out, "</li>\n");
	}
	g_string_append(out, "</ul>\n");
}

/* What stands above one of several pictures: the revision, what it shows (or NULL), or both. */
static void append_name(GString *out, const char *name, const char *label)
{
	if (!name && !label)
		return;
	g_string_append(out, "<div class=\"name\">");
	if (name)
		mlv_svg_append_text(out, name);
	if (name && label)
		g_string_append(out, ": ");
	if (label)
		mlv_svg_append_text(out, label);
	g_string_append(out, "</div>\n");
}

static void append_matrices(GString *out, const MlvPlot *plot, const char *const *names,
			    guint count)
{
	g_string_append(out, "<div class=\"beside\">\n");
	for (guint i = 0; i < plot->matrices->len; i++) {
		const MlvPlotMatrix *matrix = plot->matrices->pdata[i];

		g_string_append(out, "<div>\n");
		append_name(out, count > 1 ? names[matrix->side] : NULL,
			    plot->def->sources->len > 1 ? matrix->label : NULL);
		mlv_svg_append_matrix(out, plot, matrix);
		g_string_append(out, "</div>\n");
	}
	g_string_append(out, "</div>\n");
}

static void append_images(GString *out, const MlvPlot *plot, const char *const *names, guint count)
{
	g_string_append(out, "<div class=\"beside\">\n");
	for (guint i = 0; i < plot->images->len; i++) {
		const MlvPlotImage *image = plot->images->pdata[i];
		gsize length;
		const guint8 *data = g_bytes_get_data(image->bytes, &length);

		g_string_append(out, "<div>\n");
		append_name(out, count > 1 ? names[image->side] : NULL, NULL);
		g_string_append(out, "<img alt=\"");
		mlv_svg_append_text(out, plot->title);
		g_string_append(out, "\" src=\"");
		mlv_picture_append_uri(out, &image->info, data, length);
		g_string_append(out, "\">\n</div>\n");
	}
	g_string_append(out, "</div>\n");
}

void mlv_page_plot(GString *out, const MlvPlot *plot, const char *const *names, guint count)
{
	g_string_append(out, "<figure>\n<figcaption>");
	mlv_svg_append_text(out, plot->title);
	g_string_append(out, "</figcaption>\n");
	if (plot->images->len > 0)
		append_images(out, plot, names, count);
	if (plot->matrices->len > 0)
		append_matrices(out, plot, names, count);
	if (plot->series->len > 0) {
		append_legend(out, plot, names, count);
		mlv_svg_append_chart(out, plot, count);
	}
	if (plot->notes->len > 0) {
		g_string_append(out, "<ul class=\"notes\">\n");
		for (guint i = 0; i < plot->notes->len; i++) {
			g_string_append(out, "<li>");
			mlv_svg_append_text(out, plot->notes->pdata[i]);
			g_string_append(out, "</li>\n");
		}
		g_string_append(out, "</ul>\n");
	}
	g_string_append(out, "</figure>\n");
}
