/* SPDX-License-Identifier: Apache-2.0 */
/* What `mlv repro --trace` tells of a stage. */
#include <string.h>

#include "cmd/repro_tell.h"

#define SHOWN_WHOLE 20 /* with more, folders stand for what lies in them */

/* The folder at the beginning of a path that stands for it: its first part, or of an absolute one
 * the first three. Its length, the slash included; 0: none. */
static gsize folder_length(const char *path)
{
	guint parts = *path == '/' ? 4 : 1;
	const char *at = path;

	while (parts-- > 0) {
		const char *slash = strchr(at, '/');
		if (!slash)
			return 0;
		at = slash + 1;
	}
	return (gsize)(at - path);
}

/* How many paths from `first` on lie in its folder. */
static guint count_folder(const GPtrArray *paths, guint first, gsize length)
{
	guint next = first + 1;

	while (next < paths->len && strncmp(paths->pdata[first], paths->pdata[next], length) == 0)
		next++;
	return next - first;
}

static void print_path(const char *path, gsize length, guint count)
{
	g_autofree char *folder = g_strndup(path, length);
	g_autofree char *name = mlv_ui_name(count > 1 ? folder : path);

	if (count > 1)
		printf("    %s  (%u files)\n", name, count);
	else
		printf("    %s\n", name);
}

static void print_paths(const MlvStage *stage, const char *what, const GPtrArray *paths)
{
	g_autofree char *name = mlv_ui_printable(stage->address);

	if (paths->len == 0)
		return;
	printf("%s: %s\n", name, what);
	for (guint i = 0; i < paths->len;) {
		gsize length = paths->len > SHOWN_WHOLE ? folder_length(paths->pdata[i]) : 0;
		guint count = length ? count_folder(paths, i, length) : 1;
		print_path(paths->pdata[i], length, count);
		i += count;
	}
}

void mlv_repro_trace_print(const MlvReproTell *tell, const MlvReproOutcome *outcome)
{
	const MlvTraceReport *report = outcome->trace;
	const MlvStage *stage = outcome->stage;

	print_paths(stage, "read, and no dependency:", report->reads);
	print_paths(stage, "written, and no output:", report->writes);
	print_paths(stage,
		    "read outside of the repository, and no dependency:", report->outside_reads);
	print_paths(stage, "written outside of the repository:", report->outside_writes);
	if (report->overflowed)
		mlv_ui_warn(tell->cmd->ui, "%s: it touched too many files: not all are told",
			    stage->address);
	/* Of one that broke off nothing can be said. */
	for (guint i = 0; outcome->result == MLV_REPRO_RAN && i < report->unread->len; i++)
		mlv_ui_note(tell->cmd->ui, "%s: the dependency '%s' was not read", stage->address,
			    (char *)report->unread->pdata[i]);
	fflush(stdout);
}

static void set_paths(json_t *object, const char *key, const GPtrArray *paths)
{
	json_t *array = json_array();

	for (guint i = 0; i < paths->len; i++) {
		json_t *row = json_object();
		mlv_json_set_path(row, "path", paths->pdata[i]);
		json_array_append_new(array, row);
	}
	json_object_set_new(object, key, array);
}

json_t *mlv_repro_trace_json(const MlvTraceReport *report)
{
	json_t *object = json_object();

	set_paths(object, "reads", report->reads);
	set_paths(object, "writes", report->writes);
	set_paths(object, "outside_reads", report->outside_reads);
	set_paths(object, "outside_writes", report->outside_writes);
	set_paths(object, "missing", report->missing);
	set_paths(object, "unread", report->unread);
	mlv_json_set_bool(object, "complete", !report->overflowed);
	return object;
}
