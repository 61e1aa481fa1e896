/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/look.h"
#include "core/reader.h"

/* Bytes of a file as --range says: from the beginning, or the last `suffix`. */
typedef struct {
	const char *text;
	gboolean whole; /* no range was given */
	gboolean is_suffix;
	guint64 first, last; /* both included; last G_MAXUINT64: to the end */
	guint64 suffix;
} Range;

/* Digits only. What no file can be as long as is as good as the largest number. */
static gboolean parse_number(const char *text, guint64 *value)
{
	*value = 0;
	for (const char *at = text; *at; at++) {
		if (!g_ascii_isdigit(*at))
			return FALSE;
		if (*value > (G_MAXUINT64 - 9) / 10)
			*value = G_MAXUINT64;
		else
			*value = *value * 10 + (guint64)(*at - '0');
	}
	return *text != '\0';
}

static gboolean parse_range(const char *text, Range *range, GError **error)
{
	const char *dash = strchr(text, '-');
	g_autofree char *first = dash ? g_strndup(text, (gsize)(dash - text)) : NULL;
	gboolean ok;

	*range = (Range){ .text = text, .last = G_MAXUINT64 };
	if (!dash)
		ok = FALSE;
	else if (!*first)
		ok = range->is_suffix = parse_number(dash + 1, &range->suffix);
	else
		ok = parse_number(first, &range->first) &&
		     (!dash[1] ||
		      (parse_number(dash + 1, &range->last) && range->first <= range->last));
	return ok ||
	       mlv_fail(error, MLV_ERROR_USAGE,
			"'%s' is no range; write FIRST-LAST, FIRST- or -COUNT, in bytes from 0",
			text);
}

/* Where the range lies in a file of `size` bytes. One of which the file has no byte is an error, as
 * HTTP's status 416. */
static gboolean apply_range(const Range *range, const char *path, guint64 size, guint64 *from,
			    guint64 *length, GError **error)
{
	if (range->whole || (range->is_suffix && range->suffix > 0)) {
		*length = range->whole ? size : MIN(range->suffix, size);
		*from = size - *length;
		return TRUE;
	}
	if (range->is_suffix || range->first >= size)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"'%s' has %" G_GUINT64_FORMAT " bytes, and none in the range '%s'",
				path, size, range->text);
	*from = range->first;
	*length = MIN(range->last, size - 1) - range->first + 1;
	return TRUE;
}

static gboolean write_out(const guint8 *data, gsize length, gpointer user, GError **error)
{
	return mlv_cmd_write(user, data, length, error);
}

static gboolean cat_one(MlvCmd *cmd, MlvView *view, const char *word, const Range *range,
			guint threads, GError **error)
{
	g_autoptr(MlvSpot) spot = mlv_view_find(view, word, error);
	guint64 from = 0, length = 0;

	if (!spot)
		return FALSE;
	if (spot->folder || spot->entry.mode == MLV_MODE_DIRECTORY)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"'%s' is a directory; 'mlv ls %s' lists it", word, word);
	if (!apply_range(range, word, spot->entry.ref.size, &from, &length, error))
		return FALSE;
	return mlv_read_range(mlv_view_source(view), &spot->entry.ref, from, length, threads,
			      write_out, cmd, error) ||
	       mlv_view_advise(spot->path, error);
}

gboolean mlv_cmd_cat(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_autofree char *text = NULL;
	const GOptionEntry entries[] = {
		{ "range", 0, 0, G_OPTION_ARG_STRING, &text,
		  "only these bytes, counted from 0, both ends included", "FIRST-LAST" },
		{ NULL },
	};
	Range range = { .whole = TRUE };
	guint threads;

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[REV:]PATH...\nmlv cat v1.0:data/labels.csv\n"
			       "mlv cat --range 0-1023 model.bin",
			       error) ||
	    !mlv_options_count(cmd, argc, 1, -1, error) ||
	    (text && !parse_range(text, &range, error)))
		return FALSE;
	g_autoptr(MlvView) view = mlv_cmd_open_view(cmd, TRUE, error);
	if (!view || !mlv_cmd_jobs(cmd, &threads, error))
		return FALSE;
	for (int i = 1; i < argc; i++)
		if (!cat_one(cmd, view, argv[i], &range, threads, error))
			return FALSE;
	return TRUE;
}
