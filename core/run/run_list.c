/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/run_list.h"

#include <string.h>

#include "core/git_run.h"
#include "core/pointer.h"
#include "core/reader.h"
#include "core/view.h"

void mlv_run_entry_free(MlvRunEntry *entry)
{
	if (!entry)
		return;
	g_free(entry->name);
	mlv_run_free(entry->run);
	g_free(entry);
}

static MlvRunEntry *read_entry(MlvRepo *repo, const MlvGitRef *ref, GError **error)
{
	const char *name = ref->name + strlen(MLV_RUN_REFS);
	g_autofree char *message = mlv_git_commit_message(repo, &ref->commit, error);
	g_autofree char *label = g_strdup_printf("run '%s'", name);
	const char *json = message ? strstr(message, "\n\n{") : NULL;

	if (!message)
		return NULL;
	if (!json) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "%s is no record of a run", label);
		return NULL;
	}
	MlvRun *run = mlv_run_parse(json + 2, strlen(json + 2), label, error);
	if (!run)
		return NULL;
	/* The reference's name is what git and the user know it by. */
	g_free(run->name);
	run->name = g_strdup(name);
	MlvRunEntry *entry = g_new0(MlvRunEntry, 1);
	entry->name = g_strdup(name);
	entry->record = ref->commit;
	entry->run = run;
	return entry;
}

static gint newest_first(gconstpointer a, gconstpointer b)
{
	const MlvRunEntry *first = *(const MlvRunEntry *const *)a,
			  *second = *(const MlvRunEntry *const *)b;

	if (first->run->created != second->run->created)
		return first->run->created > second->run->created ? -1 : 1;
	return strcmp(first->name, second->name);
}

GPtrArray *mlv_runs_read(MlvRepo *repo, guint *bad, GError **error)
{
	g_autoptr(GPtrArray) refs = mlv_git_list_refs(repo, MLV_RUN_REFS, error);
	g_autoptr(GPtrArray) entries =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_run_entry_free);
	guint passed = 0;

	if (!refs)
		return NULL;
	for (guint i = 0; i < refs->len; i++) {
		MlvRunEntry *entry = read_entry(repo, refs->pdata[i], NULL);
		if (entry)
			g_ptr_array_add(entries, entry);
		else
			passed++;
	}
	if (bad)
		*bad = passed;
	g_ptr_array_sort(entries, newest_first);
	return g_steal_pointer(&entries);
}

/* The one reference that begins or ends so. */
static const MlvGitRef *find_part(const GPtrArray *refs, const char *text, GError **error)
{
	const MlvGitRef *found = NULL;

	for (guint i = 0; i < refs->len; i++) {
		const MlvGitRef *ref = refs->pdata[i];
		const char *name = ref->name + strlen(MLV_RUN_REFS);
		if (!g_str_has_prefix(name, text) && !g_str_has_suffix(name, text))
			continue;
		if (found) {
			mlv_fail(error, MLV_ERROR_MISSING,
				 "'%s' may be the run '%s' or '%s': write more of it", text,
				 found->name + strlen(MLV_RUN_REFS), name);
			return NULL;
		}
		found = ref;
	}
	if (!found)
		mlv_fail(error, MLV_ERROR_MISSING,
			 "there is no run '%s'; 'mlv runs' lists those there are", text);
	return found;
}

MlvRunEntry *mlv_runs_find(MlvRepo *repo, const char *text, GError **error)
{
	g_autofree char *name = g_strconcat(MLV_RUN_REFS, text, NULL);
	MlvGitRef exact = { .name = name };
	gboolean found;

	if (!*text) {
		mlv_fail(error, MLV_ERROR_USAGE, "an empty name is no run's");
		return NULL;
	}
	if (!mlv_git_read_ref(repo, name, &exact.commit, &found, error))
		return NULL;
	if (found)
		return read_entry(repo, &exact, error);
	g_autoptr(GPtrArray) refs = mlv_git_list_refs(repo, MLV_RUN_REFS, error);
	const MlvGitRef *ref = refs ? find_part(refs, text, error) : NULL;
	return ref ? read_entry(repo, ref, error) : NULL;
}

gboolean mlv_runs_remove(MlvRepo *repo, const GPtrArray *entries, GError **error)
{
	static const char *const argv[] = { "update-ref", "--stdin", NULL };
	g_autoptr(GString) input = g_string_new(NULL);
	g_autoptr(GBytes) output = NULL;

	for (guint i = 0; i < entries->len; i++) {
		const MlvRunEntry *entry = entries->pdata[i];
		char hex[MLV_OID_HEX + 1];
		mlv_oid_format(&entry->record, hex);
		g_string_append_printf(input, "delete %s%s %s\n", MLV_RUN_REFS, entry->name, hex);
	}
	if (entries->len == 0)
		return TRUE;
	g_autoptr(GBytes) bytes = g_bytes_new(input->str, input->len);
	return mlv_git_capture(repo, argv, bytes, &output, NULL, error);
}

GBytes *mlv_run_read_file(MlvRepo *repo, const MlvRunEntry *entry, const char *name, gsize max,
			  GError **error)
{
	g_autofree char *path = g_build_filename(MLV_RUN_FOLDER, name, NULL);
	g_autofree char *pointer_path = mlv_pointer_path(path);
	g_autoptr(GError) problem = NULL;
	MlvPointer pointer;
	gsize length;

	GBytes *bytes = mlv_git_read_file(repo, &entry->record, path, max, &problem);
	if (bytes || !g_error_matches(problem, MLV_ERROR, MLV_ERROR_MISSING)) {
		if (!bytes)
			g_propagate_error(error, g_steal_pointer(&problem));
		return bytes;
	}
	g_autoptr(GBytes) text =
		mlv_git_read_file(repo, &entry->record, pointer_path, MLV_POINTER_MAX, error);
	if (!text)
		return NULL;
	const void *data = g_bytes_get_data(text, &length);
	if (!mlv_pointer_parse(data, length, pointer_path, &pointer, error))
		return NULL;
	g_autoptr(MlvView) view = mlv_view_open(repo, NULL, NULL, error);
	return view ? mlv_read_whole(mlv_view_source(view), &pointer.ref, max, error) : NULL;
}
