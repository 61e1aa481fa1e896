/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/plot_print.h"

#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/markup.h"
#include "cmd/output_file.h"
#include "core/plot/page.h"
#include "core/plot/text_plot.h"

#define PAGE_MAX (512u << 20) /* bytes of a page */

const char **mlv_plot_names(const MlvSides *sides)
{
	const char **names = g_new0(const char *, sides->sides->len + 1);

	for (guint i = 0; i < sides->sides->len; i++)
		names[i] = mlv_side_name(sides->sides->pdata[i]);
	return names;
}

guint mlv_plot_terminal_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

gboolean mlv_plot_print_text(const MlvPlotPrint *print, GError **error)
{
	g_autoptr(MlvPlotLoader) loader = mlv_plot_loader_new(print->sides->sides);
	g_autofree const char **names = mlv_plot_names(print->sides);
	const MlvTextOptions options = { .width = print->width,
					 .height = print->height,
					 .color = print->cmd->ui->color_out };

	for (guint i = 0; i < print->defs->len; i++) {
		g_autoptr(MlvPlot) plot = mlv_plot_load(loader, print->defs->pdata[i]);
		g_autoptr(GString) text = g_string_new(i ? "\n" : "");

		mlv_text_append_plot(text, plot, names, print->sides->sides->len, &options);
		if (!mlv_cmd_write(print->cmd, text->str, text->len, error))
			return FALSE;
	}
	return TRUE;
}

/* --- HTML ------------------------------------------------------------------------------------- */

gboolean mlv_plot_append_figures(const MlvPlotPrint *print, GString *page, GError **error)
{
	g_autoptr(MlvPlotLoader) loader = mlv_plot_loader_new(print->sides->sides);
	g_autofree const char **names = mlv_plot_names(print->sides);

	g_string_append(page, "<div class=\"plots\">\n");
	for (guint i = 0; i < print->defs->len; i++) {
		g_autoptr(MlvPlot) plot = mlv_plot_load(loader, print->defs->pdata[i]);

		mlv_page_plot(page, plot, names, print->sides->sides->len);
		if (page->len > PAGE_MAX)
			return mlv_fail(
				error, MLV_ERROR_FAILED,
				"the page grows larger than %u MiB; name the plots that you "
				"mean",
				PAGE_MAX >> 20);
		if (!mlv_cmd_keep_going(print->cmd, error))
			return FALSE;
	}
	g_string_append(page, "</div>\n");
	return TRUE;
}

void mlv_plot_append_revisions(const MlvSides *sides, GString *page)
{
	g_autofree const char **names = mlv_plot_names(sides);
	g_auto(GStrv) ids = g_new0(char *, sides->sides->len + 1);

	/* A gap would end the array: what has no commit has an empty id. */
	for (guint i = 0; i < sides->sides->len; i++) {
		char *id = mlv_sides_id(sides->sides->pdata[i]);
		ids[i] = id ? id : g_strdup("");
	}
	g_autofree const char **shown = g_new0(const char *, sides->sides->len + 1);
	for (guint i = 0; i < sides->sides->len; i++)
		shown[i] = *ids[i] ? ids[i] : NULL;
	mlv_page_revisions(page, names, shown, sides->sides->len);
}

gboolean mlv_plot_print_page(const MlvPlotPrint *print, const char *file, GError **error)
{
	g_autoptr(GString) page = g_string_new(NULL);

	mlv_page_begin(page, "Plots");
	mlv_plot_append_revisions(print->sides, page);
	if (!mlv_plot_append_figures(print, page, error))
		return FALSE;
	mlv_page_end(page);
	g_autoptr(MlvOutputFile) out = mlv_output_file_open(print->cmd, file, "a page", error);
	if (!out || !mlv_output_file_write(page->str, page->len, out, error) ||
	    !mlv_output_file_close(out, FALSE, error))
		return FALSE;
	if (strcmp(file, "-") != 0)
		mlv_ui_note(print->cmd->ui, "wrote %s to '%s'",
			    print->defs->len == 1 ? "1 plot" : "all plots", file);
	return TRUE;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void append_json_text(GString *out, const char *key, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	g_string_append_printf(out, "\"%s\": ", key);
	mlv_value_append_json_string(out, valid, strlen(valid));
}

static MlvValue *number_value(double number)
{
	gboolean whole = fabs(number) < 1e15 && number == floor(number);

	return whole ? mlv_value_new_int((gint64)number) : mlv_value_new_float(number);
}

static void append_numbers(GString *out, const char *key, const GArray *numbers,
			   const GPtrArray *names)
{
	g_string_append_printf(out, ", \"%s\": [", key);
	for (guint i = 0; i < numbers->len; i++) {
		double number = g_array_index(numbers, double, i);
		g_autoptr(MlvValue) value =
			names ? mlv_value_new_string(
					names->pdata[MIN((guint)number, names->len - 1)])
			      : number_value(number);
		g_autofree char *text = mlv_json_value(value);

		g_string_append_printf(out, "%s%s", i ? ", " : "", text);
	}
	g_string_append_c(out, ']');
}

static void append_matrix(GString *out, const MlvPlot *plot, const MlvPlotMatrix *matrix)
{
	g_string_append(out, ", \"classes\": [");
	for (guint i = 0; i < plot->x_names->len; i++) {
		const char *name = plot->x_names->pdata[i];
		g_string_append(out, i ? ", " : "");
		mlv_value_append_json_string(out, name, strlen(name));
	}
	g_string_append_c(out, ']');
	append_numbers(out, "counts", matrix->counts, NULL);
}

static void append_plot(GString *out, const MlvPlot *plot, const char *const *names)
{
	const char *separator = "";

	g_string_append(out, "    {");
	append_json_text(out, "id", plot->def->id);
	g_string_append(out, ", ");
	append_json_text(out, "title", plot->title);
	g_string_append(out, ", ");
	append_json_text(out, "x_label", plot->x_label);
	g_string_append(out, ", ");
	append_json_text(out, "y_label", plot->y_label);
	g_string_append(out, ", \"data\": [");
	for (guint i = 0; i < plot->series->len; i++, separator = ",") {
		const MlvPlotSeries *series = plot->series->pdata[i];

		g_string_append_printf(out, "%s\n      {", separator);
		append_json_text(out, "revision", names[series->side]);
		g_string_append(out, ", ");
		append_json_text(out, "label", series->label);
		append_numbers(out, "x", series->x, plot->x_names);
		append_numbers(out, "y", series->y, plot->y_names);
		g_string_append_c(out, '}');
	}
	for (guint i = 0; i < plot->matrices->len; i++, separator = ",") {
		const MlvPlotMatrix *matrix = plot->matrices->pdata[i];

		g_string_append_printf(out, "%s\n      {", separator);
		append_json_text(out, "revision", names[matrix->side]);
		g_string_append(out, ", ");
		append_json_text(out, "label", matrix->label);
		append_matrix(out, plot, matrix);
		g_string_append_c(out, '}');
	}
	for (guint i = 0; i < plot->images->len; i++, separator = ",") {
		const MlvPlotImage *image = plot->images->pdata[i];

		g_string_append_printf(out, "%s\n      {", separator);
		append_json_text(out, "revision", names[image->side]);
		g_string_append_printf(out, ", \"type\": \"%s\", \"bytes\": %" G_GSIZE_FORMAT "}",
				       image->info.type, g_bytes_get_size(image->bytes));
	}
	g_string_append(out, "]}");
}

gboolean mlv_plot_print_json(const MlvPlotPrint *print, GError **error)
{
	g_autoptr(MlvPlotLoader) loader = mlv_plot_loader_new(print->sides->sides);
	g_autofree const char **names = mlv_plot_names(print->sides);
	g_autofree char *head = g_strdup_printf("{\n  \"mlv\": 1,\n  \"command\": \"%s\",\n"
						"  \"plots\": [",
						print->cmd->name);
	const char *tail = print->defs->len ? "\n  ]\n}\n" : "]\n}\n";

	if (!mlv_cmd_write(print->cmd, head, strlen(head), error))
		return FALSE;
	for (guint i = 0; i < print->defs->len; i++) {
		g_autoptr(MlvPlot) plot = mlv_plot_load(loader, print->defs->pdata[i]);
		g_autoptr(GString) out = g_string_new(i ? ",\n" : "\n");

		append_plot(out, plot, names);
		if (!mlv_cmd_write(print->cmd, out->str, out->len, error))
			return FALSE;
	}
	return mlv_cmd_write(print->cmd, tail, strlen(tail), error);
}
