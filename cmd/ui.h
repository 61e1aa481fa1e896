/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people see: remarks, colours, names, sizes, columns.
 *
 * Results go to stdout with stdio, all else to stderr through here. A name, and whatever came
 * from outside, goes through mlv_ui_name() or mlv_ui_put_name() on its way to stdout; remarks are
 * made harmless here.
 */
#ifndef MLV_CMD_UI_H
#define MLV_CMD_UI_H

#include <stdio.h>

#include <glib.h>

typedef struct MlvProgress MlvProgress;

typedef struct {
	gboolean quiet; /* -q: no remarks, no progress */
	guint verbose;  /* -v: how often */
	gboolean color_out, color_err;
	gboolean color_fixed;  /* said by an option or the environment: configuration has no say */
	gboolean terminal_err; /* stderr is a terminal */
	GMutex lock;           /* for stderr, between remarks and progress */
	MlvProgress *progress; /* under way, or NULL; guarded by the lock */
} MlvUi;

void mlv_ui_init(MlvUi *ui);
void mlv_ui_clear(MlvUi *ui);
/* "always", "never", "auto", or a git boolean: the value of color.ui. */
void mlv_ui_set_color(MlvUi *ui, const char *value);

/* A remark: a line on stderr unless -q. The text is made harmless as by mlv_ui_printable(). */
void mlv_ui_note(MlvUi *ui, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The same only with -v. */
void mlv_ui_detail(MlvUi *ui, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* "warning: ..." on stderr, -q or not. */
void mlv_ui_warn(MlvUi *ui, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* For main alone: "mlv: ..." or "mlv NAME: ..." on stderr. */
void mlv_ui_error(MlvUi *ui, const char *name, const char *message);
/* Whether `fd` is a pipe or socket that nobody reads any more. */
gboolean mlv_ui_reader_gone(int fd);

typedef enum {
	MLV_COLOR_RESET,
	MLV_COLOR_BOLD,
	MLV_COLOR_DIM,
	MLV_COLOR_RED,
	MLV_COLOR_GREEN,
	MLV_COLOR_YELLOW,
	MLV_COLOR_CYAN,
} MlvColor;

/* The sequence that begins that colour on stdout, "" where there are no colours. Static. */
const char *mlv_ui_color(const MlvUi *ui, MlvColor color);

/* A name for people: as it is, or in double quotes with C escapes where it holds control
 * characters, quotes, backslashes, bytes that are not UTF-8, or characters that change the
 * direction of text. Caller frees. */
char *mlv_ui_name(const char *name);
/* A text for people: as mlv_ui_name() escapes, but without quotes, and quotes and backslashes
 * stay. Caller frees. */
char *mlv_ui_printable(const char *text);
/* A name to stdout, ended by a newline, or with `zero` (-z) as it is and ended by a NUL. */
void mlv_ui_put_name(const char *name, gboolean zero);

/* "17 B", "1.2 GiB". Caller frees. */
char *mlv_ui_size(guint64 bytes);
/* "850 ms", "12.3 s", "4 min 10 s", "2 h 5 min". `microseconds` as of g_get_monotonic_time().
 * Caller frees. */
char *mlv_ui_duration(gint64 microseconds);
/* "1 file", "2,000 files": the number and the word for it. Caller frees. */
char *mlv_ui_count(guint64 count, const char *one, const char *many);
/* The same with an s for many. */
char *mlv_ui_plural(guint64 count, const char *one);

/* Columns: rows of cells, printed with each column as wide as its widest cell. */
typedef struct MlvColumns MlvColumns;
/* `align` has a letter a column: 'l' or 'r'. */
MlvColumns *mlv_ui_columns_new(const char *align);
/* One row: as many strings as there are columns; they are copied. Give names through
 * mlv_ui_name(). */
void mlv_ui_columns_add(MlvColumns *columns, ...);
/* The same of an array. */
void mlv_ui_columns_add_row(MlvColumns *columns, const char *const *cells);
/* Prints and frees. Two spaces between columns; the last is not padded. */
void mlv_ui_columns_print(MlvColumns *columns, FILE *out);

#endif
