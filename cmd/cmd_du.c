/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/look.h"
#include "core/usage.h"

typedef struct {
	gboolean summarize, bytes, json;
} Options;

/* One line of the result. */
typedef struct {
	char *name; /* as it is shown: "v1.0:data/images" */
	char *path; /* relative to the root */
	char *rev;
	GArray *refs; /* of MlvRef */
	guint64 files, bytes;
	MlvUsageSizes sizes;
} Line;

typedef struct {
	MlvCmd *cmd;
	const Options *opt;
	MlvView *view;
	MlvUsage *usage;
	GPtrArray *lines; /* of Line * */
	/* Targets that the lines are about: path and id, or the path of one that is shown in
	 * part. */
	GHashTable *covered;
} Du;

static void line_free(gpointer data)
{
	Line *line = data;

	g_free(line->name);
	g_free(line->path);
	g_free(line->rev);
	g_array_unref(line->refs);
	g_free(line);
}

static Line *add_line(Du *du, const MlvSpot *spot, const char *path)
{
	Line *line = g_new0(Line, 1);

	line->name = spot->rev ? g_strconcat(spot->rev, ":", path, NULL)
			       : mlv_repo_display(mlv_view_repo(du->view), path);
	line->path = g_strdup(path);
	line->rev = g_strdup(spot->rev);
	line->refs = g_array_new(FALSE, FALSE, sizeof(MlvRef));
	g_ptr_array_add(du->lines, line);
	return line;
}

static void add_data(Line *line, const MlvRef *ref, guint64 files, guint64 bytes)
{
	g_array_append_val(line->refs, *ref);
	line->files += files;
	line->bytes += bytes;
}

/* What HEAD has of the very same target is not another's. */
static char *same_key(const char *path, const MlvRef *ref)
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(&ref->id, hex);
	return g_strconcat(path, "\n", hex, NULL);
}

static void add_targets(Du *du, const MlvSpot *spot)
{
	Line *line = du->opt->summarize ? add_line(du, spot, spot->path) : NULL;

	for (guint i = 0; i < spot->targets->len; i++) {
		const MlvTracked *target = spot->targets->pdata[i];

		if (target->error) {
			mlv_ui_warn(du->cmd->ui, "%s", target->error->message);
			continue;
		}
		add_data(line ? line : add_line(du, spot, target->path), &target->pointer.ref,
			 target->pointer.files, target->pointer.bytes);
		g_hash_table_add(du->covered, same_key(target->path, &target->pointer.ref));
	}
}

static gboolean add_word(Du *du, const char *word, GError **error)
{
	g_autoptr(MlvSpot) spot = mlv_view_find(du->view, word, error);

	if (!spot)
		return FALSE;
	if (spot->folder) {
		add_targets(du, spot);
		return TRUE;
	}
	add_data(add_line(du, spot, spot->path), &spot->entry.ref, spot->entry.files,
		 spot->entry.bytes);
	if (strcmp(spot->path, spot->target->path) == 0)
		g_hash_table_add(du->covered,
				 same_key(spot->target->path, &spot->target->pointer.ref));
	else
		g_hash_table_add(du->covered, g_strdup(spot->target->path));
	return TRUE;
}

/* Everything else that HEAD needs, as one. */
static gboolean claim_head(Du *du, GError **error)
{
	g_autoptr(GPtrArray) head = mlv_git_pointers_in_head(mlv_view_repo(du->view), error);
	g_autoptr(GArray) refs = g_array_new(FALSE, FALSE, sizeof(MlvRef));

	for (guint i = 0; head && i < head->len; i++) {
		const MlvTracked *tracked = head->pdata[i];
		g_autofree char *key = NULL;

		if (tracked->error)
			continue;
		key = same_key(tracked->path, &tracked->pointer.ref);
		if (!g_hash_table_contains(du->covered, key) &&
		    !g_hash_table_contains(du->covered, tracked->path))
			g_array_append_val(refs, tracked->pointer.ref);
	}
	return head &&
	       mlv_usage_claim(du->usage, (const MlvRef *)(gpointer)refs->data, refs->len, error);
}

static gboolean measure(Du *du, Line *total, GError **error)
{
	if (!claim_head(du, error))
		return FALSE;
	for (guint i = 0; i < du->lines->len; i++) {
		Line *line = du->lines->pdata[i];

		if (!mlv_usage_claim(du->usage, (const MlvRef *)(gpointer)line->refs->data,
				     line->refs->len, error))
			return FALSE;
	}
	for (guint i = 0; i < du->lines->len; i++) {
		Line *line = du->lines->pdata[i];

		if (!mlv_usage_measure(du->usage, (const MlvRef *)(gpointer)line->refs->data,
				       line->refs->len, &line->sizes, error))
			return FALSE;
		g_array_append_vals(total->refs, line->refs->data, line->refs->len);
		total->files += line->files;
		total->bytes += line->bytes;
	}
	return mlv_usage_measure(du->usage, (const MlvRef *)(gpointer)total->refs->data,
				 total->refs->len, &total->sizes, error);
}

/* --- printing --------------------------------------------------------------------------------- */

static char *number(const Du *du, guint64 bytes)
{
	return du->opt->bytes ? g_strdup_printf("%" G_GUINT64_FORMAT, bytes) : mlv_ui_size(bytes);
}

/* What is not here: a plus where there may be more below it. */
static char *missing_text(const Du *du, const MlvUsageSizes *sizes)
{
	g_autofree char *bytes = number(du, sizes->missing_bytes);

	return sizes->incomplete ? g_strconcat(bytes, "+", NULL) : g_steal_pointer(&bytes);
}

static void add_row(const Du *du, MlvColumns *columns, const Line *line, const char *name)
{
	g_autofree char *bytes = number(du, line->bytes);
	g_autofree char *files = g_strdup_printf("%" G_GUINT64_FORMAT, line->files);
	g_autofree char *stored = number(du, line->sizes.stored);
	g_autofree char *shared = number(du, line->sizes.shared);
	g_autofree char *missing = missing_text(du, &line->sizes);

	mlv_ui_columns_add(columns, bytes, files, stored, shared, missing, name);
}

static void print_table(const Du *du, const Line *total)
{
	MlvColumns *columns = mlv_ui_columns_new("rrrrrl");

	mlv_ui_columns_add(columns, "LOGICAL", "FILES", "STORED", "SHARED", "MISSING", "PATH");
	for (guint i = 0; i < du->lines->len; i++) {
		const Line *line = du->lines->pdata[i];
		g_autofree char *name = mlv_ui_name(line->name);

		add_row(du, columns, line, name);
	}
	if (du->lines->len != 1)
		add_row(du, columns, total, "total");
	mlv_ui_columns_print(columns, stdout);
}

static json_t *line_json(const Line *line)
{
	json_t *object = json_object();

	if (line->path)
		mlv_json_set_path(object, "path", line->path);
	if (line->rev)
		mlv_json_set_text(object, "rev", line->rev);
	mlv_json_set_size(object, "bytes", line->bytes);
	mlv_json_set_size(object, "files", line->files);
	mlv_json_set_size(object, "stored", line->sizes.stored);
	mlv_json_set_size(object, "shared", line->sizes.shared);
	mlv_json_set_size(object, "missing_objects", line->sizes.missing);
	mlv_json_set_size(object, "missing_bytes", line->sizes.missing_bytes);
	mlv_json_set_bool(object, "missing_bytes_known", !line->sizes.incomplete);
	return object;
}

static gboolean print_json(const Du *du, const Line *total, GError **error)
{
	json_t *document = mlv_json_new(du->cmd), *paths = json_array();

	for (guint i = 0; i < du->lines->len; i++)
		json_array_append_new(paths, line_json(du->lines->pdata[i]));
	json_object_set_new(document, "paths", paths);
	json_object_set_new(document, "total", line_json(total));
	return mlv_json_print(du->cmd, document, error);
}

gboolean mlv_cmd_du(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Options opt = { 0 };
	const GOptionEntry entries[] = {
		{ "summarize", 's', 0, G_OPTION_ARG_NONE, &opt.summarize,
		  "one line for each word, not for each thing tracked below it", NULL },
		{ "bytes", 'b', 0, G_OPTION_ARG_NONE, &opt.bytes, "sizes in bytes", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(line_free);
	g_autoptr(GHashTable) covered =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GArray) refs = g_array_new(FALSE, FALSE, sizeof(MlvRef));
	Line total = { .refs = refs };
	Du du = { .cmd = cmd, .opt = &opt, .lines = lines, .covered = covered };

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[[REV:]PATH...]\nmlv du data\nmlv du -s v1.0:data HEAD:data",
			       error))
		return FALSE;
	g_autoptr(MlvView) view = mlv_cmd_open_view(cmd, FALSE, error);
	if (!view)
		return FALSE;
	g_autoptr(MlvUsage) usage = mlv_usage_new(mlv_view_store(view));
	du.view = view;
	du.usage = usage;
	if (argc < 2 && !add_word(&du, ".", error))
		return FALSE;
	for (int i = 1; i < argc; i++)
		if (!add_word(&du, argv[i], error))
			return FALSE;
	if (!measure(&du, &total, error))
		return FALSE;
	if (opt.json)
		return print_json(&du, &total, error);
	print_table(&du, &total);
	return TRUE;
}
