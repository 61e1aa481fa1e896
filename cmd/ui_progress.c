/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ui_progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#define FIRST_AFTER  (G_USEC_PER_SEC / 2)
#define REDRAW_EVERY (G_USEC_PER_SEC / 10)
#define PLAIN_EVERY  (10 * G_USEC_PER_SEC)
#define RATE_OVER    (3 * G_USEC_PER_SEC)

struct MlvProgress {
	MlvUi *ui;
	GThread *drawer;
	GCond stop;        /* with ui->lock */
	gboolean stopping; /* guarded by ui->lock, as all below but the counters */
	char *title;
	gint64 began;   /* of this phase, monotonic microseconds */
	gboolean drawn; /* a line stands on the terminal */
	guint64 told;   /* without a terminal: what the last line told, bytes and files together */
	gint64 rate_since; /* where the current rate is measured from */
	guint64 rate_bytes, rate_files;
	double bytes_per_s, files_per_s;
	guint64 bytes, files, total_bytes, total_files; /* counters: atomics */
};

static guint64 load(const guint64 *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void store(guint64 *counter, guint64 value)
{
	__atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

/* The rate of the last seconds, so that it follows the work and does not jump. */
static void measure_rate(MlvProgress *progress, guint64 bytes, guint64 files, gint64 now)
{
	double seconds = (double)(now - progress->rate_since) / G_USEC_PER_SEC;
	gboolean first = progress->bytes_per_s == 0 && progress->files_per_s == 0;

	if (seconds <= 0 || bytes < progress->rate_bytes || files < progress->rate_files)
		return;
	if (!first && now - progress->rate_since < RATE_OVER)
		return;
	progress->bytes_per_s = (double)(bytes - progress->rate_bytes) / seconds;
	progress->files_per_s = (double)(files - progress->rate_files) / seconds;
	progress->rate_since = now;
	progress->rate_bytes = bytes;
	progress->rate_files = files;
}

static void append_amount(GString *line, guint64 done, guint64 total, gboolean size)
{
	g_autofree char *a = size ? mlv_ui_size(done) : mlv_ui_plural(done, "file");
	g_autofree char *b = size ? mlv_ui_size(total) : mlv_ui_plural(total, "file");

	if (total)
		g_string_append_printf(line, " %s of %s", a, b);
	else
		g_string_append_printf(line, " %s", a);
}

/* "storing: 40% 1.2 GiB of 3.0 GiB, 12 files of 30 files, 600.0 MiB/s, 3.1 s left" */
static char *format_line(MlvProgress *progress, gint64 now)
{
	guint64 bytes = load(&progress->bytes), files = load(&progress->files);
	guint64 total_bytes = load(&progress->total_bytes),
		total_files = load(&progress->total_files);
	GString *line = g_string_new(progress->title);
	gboolean by_bytes = total_bytes > 0;
	double done = by_bytes ? (double)bytes : (double)files;
	double total = by_bytes ? (double)total_bytes : (double)total_files;
	double rate;

	measure_rate(progress, bytes, files, now);
	rate = by_bytes ? progress->bytes_per_s : progress->files_per_s;
	g_string_append_c(line, ':');
	if (total > 0)
		g_string_append_printf(line, " %d%%", (int)MIN(100, done * 100 / total));
	if (bytes || total_bytes)
		append_amount(line, bytes, total_bytes, TRUE);
	if ((bytes || total_bytes) && (files || total_files))
		g_string_append_c(line, ',');
	if (files || total_files)
		append_amount(line, files, total_files, FALSE);
	if (progress->bytes_per_s >= 1) {
		g_autofree char *speed = mlv_ui_size((guint64)progress->bytes_per_s);

		g_string_append_printf(line, ", %s/s", speed);
	}
	if (rate > 0 && total > done) {
		g_autofree char *left =
			mlv_ui_duration((gint64)((total - done) / rate * G_USEC_PER_SEC));

		g_string_append_printf(line, ", %s left", left);
	}
	return g_string_free(line, FALSE);
}

static int terminal_width(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

static gboolean in_foreground(void)
{
	pid_t group = tcgetpgrp(STDERR_FILENO);

	return group < 0 || group == getpgrp();
}

/* In a log each line stays: one that tells nothing new is left out. */
static gboolean tells_nothing(MlvProgress *progress)
{
	guint64 now = load(&progress->bytes) + load(&progress->files);
	gboolean nothing = now == progress->told;

	progress->told = now;
	return nothing;
}

static void draw(MlvProgress *progress, gint64 now)
{
	if (!progress->ui->terminal_err && tells_nothing(progress))
		return;
	g_autofree char *line = format_line(progress, now);
	g_autofree char *harmless = mlv_ui_printable(line);

	if (!progress->ui->terminal_err) {
		fprintf(stderr, "%s\n", harmless);
	} else if (in_foreground()) {
		g_autofree char *cut = g_utf8_substring(
			harmless, 0, MIN(g_utf8_strlen(harmless, -1), terminal_width() - 1));

		fprintf(stderr, "\r%s\033[K", cut);
		progress->drawn = TRUE;
	}
	fflush(stderr);
}

static gpointer drawer(gpointer data)
{
	MlvProgress *progress = data;
	MlvUi *ui = progress->ui;
	gint64 every = ui->terminal_err ? REDRAW_EVERY : PLAIN_EVERY;
	gint64 next = progress->began + (ui->terminal_err ? FIRST_AFTER : PLAIN_EVERY);

	g_mutex_lock(&ui->lock);
	while (!progress->stopping) {
		gint64 now = g_get_monotonic_time();

		if (now < next) {
			g_cond_wait_until(&progress->stop, &ui->lock, next);
			continue;
		}
		draw(progress, now);
		next = now + every;
	}
	g_mutex_unlock(&ui->lock);
	return NULL;
}

static void begin_phase(MlvProgress *progress, const char *title)
{
	g_free(progress->title);
	progress->title = g_strdup(title);
	progress->began = progress->rate_since = g_get_monotonic_time();
	progress->rate_bytes = progress->rate_files = 0;
	progress->bytes_per_s = progress->files_per_s = 0;
	progress->told = 0;
	store(&progress->bytes, 0);
	store(&progress->files, 0);
	store(&progress->total_bytes, 0);
	store(&progress->total_files, 0);
}

MlvProgress *mlv_ui_progress_begin(MlvUi *ui, const char *title)
{
	MlvProgress *progress = g_new0(MlvProgress, 1);

	progress->ui = ui;
	g_cond_init(&progress->stop);
	begin_phase(progress, title);
	if (ui->quiet || ui->progress)
		return progress;
	ui->progress = progress;
	progress->drawer = g_thread_new("progress", drawer, progress);
	return progress;
}

void mlv_ui_progress_phase(MlvProgress *progress, const char *title)
{
	g_mutex_lock(&progress->ui->lock);
	begin_phase(progress, title);
	g_mutex_unlock(&progress->ui->lock);
}

void mlv_ui_progress_total(MlvProgress *progress, guint64 bytes, guint64 files)
{
	store(&progress->total_bytes, bytes);
	store(&progress->total_files, files);
}

void mlv_ui_progress_add(MlvProgress *progress, guint64 bytes, guint64 files)
{
	__atomic_fetch_add(&progress->bytes, bytes, __ATOMIC_RELAXED);
	__atomic_fetch_add(&progress->files, files, __ATOMIC_RELAXED);
}

void mlv_ui_progress_set(MlvProgress *progress, guint64 bytes, guint64 files)
{
	store(&progress->bytes, bytes);
	store(&progress->files, files);
}

void mlv_ui_progress_hide(MlvUi *ui)
{
	if (!ui->progress || !ui->progress->drawn)
		return;
	fputs("\r\033[K", stderr);
	ui->progress->drawn = FALSE;
}

void mlv_ui_progress_end(MlvProgress *progress)
{
	if (!progress)
		return;
	if (progress->drawer) {
		MlvUi *ui = progress->ui;

		g_mutex_lock(&ui->lock);
		progress->stopping = TRUE;
		mlv_ui_progress_hide(ui);
		fflush(stderr);
		ui->progress = NULL;
		g_cond_signal(&progress->stop);
		g_mutex_unlock(&ui->lock);
		g_thread_join(progress->drawer);
	}
	g_cond_clear(&progress->stop);
	g_free(progress->title);
	g_free(progress);
}
