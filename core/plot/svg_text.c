/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "core/plot/svg.h"

/* Told apart by people with any colour vision (Okabe and Ito), dark enough on white. */
const char *mlv_svg_color(guint i)
{
	static const char *const colors[] = { "#0072b2", "#d55e00", "#009e73", "#cc79a7",
					      "#e69f00", "#56b4e9", "#7f7f7f", "#8c564b" };
	return colors[i % G_N_ELEMENTS(colors)];
}

const char *mlv_svg_dash(guint i)
{
	static const char *const dashes[] = { "", "7 3", "2 3", "9 3 2 3", "14 4" };
	return dashes[i % G_N_ELEMENTS(dashes)];
}

guint mlv_svg_color_of(const MlvPlotSeries *series, guint sides)
{
	return sides > 1 ? series->side : series->variant;
}

/* Characters that XML cannot hold, or that make a text look like another. */
static gboolean is_harmful(gunichar c)
{
	return (c < 0x20 && c != '\t') || (c >= 0x7f && c < 0xa0) || c == 0x061c ||
	       (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

static void append_char(GString *out, gunichar c, gboolean escape)
{
	if (!escape)
		g_string_append_unichar(out, is_harmful(c) || c == '\t' ? 0xfffd : c);
	else if (c == '&')
		g_string_append(out, "&amp;");
	else if (c == '<')
		g_string_append(out, "&lt;");
	else if (c == '>')
		g_string_append(out, "&gt;");
	else if (c == '"')
		g_string_append(out, "&quot;");
	else if (c == '\'')
		g_string_append(out, "&#39;");
	else
		g_string_append_unichar(out, is_harmful(c) ? 0xfffd : c);
}

static void append(GString *out, const char *text, guint max, gboolean escape)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	guint count = 0;

	for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
		if (++count == max && *g_utf8_next_char(at)) {
			g_string_append(out, "…");
			return;
		}
		append_char(out, g_utf8_get_char(at), escape);
	}
}

void mlv_svg_append_short(GString *out, const char *text, guint max)
{
	append(out, text, max, TRUE);
}

void mlv_svg_append_plain(GString *out, const char *text, guint max)
{
	append(out, text, max, FALSE);
}

void mlv_svg_append_text(GString *out, const char *text)
{
	mlv_svg_append_short(out, text, G_MAXUINT);
}

void mlv_svg_append_number(GString *out, double number)
{
	gint64 tenths = isfinite(number) ? (gint64)llround(CLAMP(number, -1e6, 1e6) * 10) : 0;
	gint64 whole = ABS(tenths) / 10;
	int tenth = (int)(ABS(tenths) % 10);

	g_string_append_printf(out, "%s%" G_GINT64_FORMAT, tenths < 0 ? "-" : "", whole);
	if (tenth)
		g_string_append_printf(out, ".%d", tenth);
}
