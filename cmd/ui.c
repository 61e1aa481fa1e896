/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ui.h"

#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ui_progress.h"

static gboolean can_color(int fd)
{
	const char *terminal = g_getenv("TERM");

	return isatty(fd) && terminal && strcmp(terminal, "dumb") != 0;
}

void mlv_ui_init(MlvUi *ui)
{
	const char *no_color = g_getenv("NO_COLOR");

	*ui = (MlvUi){
		.terminal_err = isatty(STDERR_FILENO),
		.color_out = can_color(STDOUT_FILENO),
		.color_err = can_color(STDERR_FILENO),
	};
	g_mutex_init(&ui->lock);
	if (no_color && *no_color) {
		mlv_ui_set_color(ui, "never");
		ui->color_fixed = TRUE;
	}
}

void mlv_ui_clear(MlvUi *ui)
{
	g_mutex_clear(&ui->lock);
}

void mlv_ui_set_color(MlvUi *ui, const char *value)
{
	static const char *const off[] = { "never", "false", "no", "off", "0", NULL };

	if (!value || ui->color_fixed)
		return;
	if (strcmp(value, "always") == 0) {
		ui->color_out = ui->color_err = TRUE;
		return;
	}
	for (const char *const *word = off; *word; word++)
		if (g_ascii_strcasecmp(value, *word) == 0)
			ui->color_out = ui->color_err = FALSE;
}

const char *mlv_ui_color(const MlvUi *ui, MlvColor color)
{
	static const char *const sequences[] = {
		[MLV_COLOR_RESET] = "\033[m",   [MLV_COLOR_BOLD] = "\033[1m",
		[MLV_COLOR_DIM] = "\033[2m",    [MLV_COLOR_RED] = "\033[31m",
		[MLV_COLOR_GREEN] = "\033[32m", [MLV_COLOR_YELLOW] = "\033[33m",
		[MLV_COLOR_CYAN] = "\033[36m",
	};

	return ui->color_out ? sequences[color] : "";
}

/* One line on stderr, clear of progress and in one piece. */
static void put_line(MlvUi *ui, const char *prefix, const char *text)
{
	g_autofree char *harmless = mlv_ui_printable(text);

	g_mutex_lock(&ui->lock);
	mlv_ui_progress_hide(ui);
	fprintf(stderr, "%s%s\n", prefix, harmless);
	fflush(stderr);
	g_mutex_unlock(&ui->lock);
}

void mlv_ui_note(MlvUi *ui, const char *format, ...)
{
	va_list ap;

	if (ui->quiet)
		return;
	va_start(ap, format);
	g_autofree char *text = g_strdup_vprintf(format, ap);
	va_end(ap);
	put_line(ui, "", text);
}

void mlv_ui_detail(MlvUi *ui, const char *format, ...)
{
	va_list ap;

	if (ui->quiet || !ui->verbose)
		return;
	va_start(ap, format);
	g_autofree char *text = g_strdup_vprintf(format, ap);
	va_end(ap);
	put_line(ui, "", text);
}

void mlv_ui_warn(MlvUi *ui, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	g_autofree char *text = g_strdup_vprintf(format, ap);
	va_end(ap);
	put_line(ui, ui->color_err ? "\033[33mwarning:\033[m " : "warning: ", text);
}

void mlv_ui_error(MlvUi *ui, const char *name, const char *message)
{
	g_autofree char *prefix = name ? g_strdup_printf("mlv %s: ", name) : g_strdup("mlv: ");

	put_line(ui, prefix, message);
}

gboolean mlv_ui_reader_gone(int fd)
{
	struct pollfd poller = { .fd = fd, .events = POLLOUT };

	return poll(&poller, 1, 0) == 1 && (poller.revents & POLLERR);
}
