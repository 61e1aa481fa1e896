/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commits.h"

#include "cmd/look.h"

gboolean mlv_commits_changes(const MlvCommits *commits, const MlvHistoryEntry *entry,
			     MlvChanges *changes, GError **error)
{
	MlvCompareOptions options = {
		.files = TRUE,
		.renames = TRUE,
		.paths = commits->paths,
		.visit = mlv_changes_visit,
		.user = changes,
	};
	g_autoptr(MlvCompare) compare = mlv_compare_new(mlv_view_source(commits->view), &options);
	g_autoptr(GPtrArray) readable = g_ptr_array_new();

	for (guint i = 0; i < entry->changes->len; i++) {
		MlvPointerChange *change = entry->changes->pdata[i];

		if (!(change->from && change->from->error) && !(change->to && change->to->error))
			g_ptr_array_add(readable, change);
	}
	return mlv_compare_pointer_changes(compare, readable, error) &&
	       mlv_compare_finish(compare, error) && mlv_changes_end(changes, error);
}

/* --- text ------------------------------------------------------------------------------------- */

/* A target of which not all is here: what its pointers say. */
static char *describe_pointers(const MlvPointerChange *change)
{
	guint64 from_files = change->from ? change->from->pointer.files : 0;
	guint64 to_files = change->to ? change->to->pointer.files : 0;
	gint64 bytes = (gint64)(change->to ? change->to->pointer.bytes : 0) -
		       (gint64)(change->from ? change->from->pointer.bytes : 0);
	g_autofree char *delta = mlv_changes_delta(bytes);
	g_autofree char *files = mlv_ui_plural(to_files, "file");

	return g_strdup_printf("%" G_GUINT64_FORMAT
			       " -> %s  %s  (its objects are not here; 'mlv fetch' brings them)",
			       from_files, files, delta);
}

/* What a commit did to one target. */
static char *describe_target(const MlvHistoryTarget *target)
{
	const char *word = "";
	g_autofree char *totals = NULL, *from = NULL;

	if (target->problem)
		return mlv_ui_printable(target->problem->message);
	if (target->totals.unread)
		return describe_pointers(target->change);
	totals = mlv_changes_totals(&target->totals);
	if (target->from_path) {
		from = mlv_ui_name(target->from_path);
		return g_strdup_printf("%s  (moved from %s)", totals, from);
	}
	if (!target->change->from)
		word = "  (new)";
	else if (!target->change->to)
		word = "  (removed)";
	return g_strconcat(totals, word, NULL);
}

static void print_targets(const MlvCommits *commits, const MlvHistoryEntry *entry)
{
	MlvColumns *columns = mlv_ui_columns_new("ll");

	for (guint i = 0; i < entry->targets->len; i++) {
		const MlvHistoryTarget *target =
			&g_array_index(entry->targets, MlvHistoryTarget, i);
		g_autofree char *name = mlv_ui_name(target->change->path);
		g_autofree char *indented = g_strconcat("    ", name, NULL);
		g_autofree char *text = describe_target(target);

		mlv_ui_columns_add(columns, indented, text);
	}
	mlv_ui_columns_print(columns, stdout);
}

static void print_oneline(const MlvCommits *commits, const MlvHistoryEntry *entry)
{
	const MlvUi *ui = commits->cmd->ui;
	g_autofree char *oid = mlv_git_short_oid(mlv_view_repo(commits->view), &entry->commit->oid);
	g_autofree char *subject = mlv_commit_subject(entry->commit);
	g_autofree char *shown = mlv_ui_printable(subject);

	printf("%s%s%s %s", mlv_ui_color(ui, MLV_COLOR_YELLOW), oid,
	       mlv_ui_color(ui, MLV_COLOR_RESET), shown);
	for (guint i = 0; i < entry->targets->len; i++) {
		const MlvHistoryTarget *target =
			&g_array_index(entry->targets, MlvHistoryTarget, i);
		g_autofree char *name = mlv_ui_name(target->change->path);
		g_autofree char *text = describe_target(target);

		printf("%s%s %s", i ? "; " : "  ", name, text);
	}
	printf("\n");
}

gboolean mlv_commits_print(const MlvCommits *commits, const MlvHistoryEntry *entry, GError **error)
{
	const MlvUi *ui = commits->cmd->ui;
	const MlvCommit *commit = entry->commit;
	MlvChanges changes = { .cmd = commits->cmd,
			       .view = commits->view,
			       .style = commits->style,
			       .indent = "    " };
	gboolean ok = TRUE;

	if (commits->oneline) {
		print_oneline(commits, entry);
	} else {
		g_autofree char *oid =
			mlv_git_short_oid(mlv_view_repo(commits->view), &commit->oid);
		g_autofree char *date = mlv_cmd_date(commit->author_time, commit->author_offset);
		g_autofree char *author = mlv_ui_printable(commit->author_name);
		g_autofree char *subject = mlv_commit_subject(commit);
		g_autofree char *shown = mlv_ui_printable(subject);

		printf("%scommit %s%s  %s  %s  %s\n", mlv_ui_color(ui, MLV_COLOR_YELLOW), oid,
		       mlv_ui_color(ui, MLV_COLOR_RESET), date, author, shown);
		print_targets(commits, entry);
	}
	if (commits->files)
		ok = mlv_commits_changes(commits, entry, &changes, error);
	g_free(changes.target);
	return ok && mlv_cmd_keep_going(commits->cmd, error);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void set_pointer(json_t *object, const char *key, const MlvTracked *tracked)
{
	json_t *value;

	if (!tracked || tracked->error)
		return;
	value = json_object();
	mlv_cmd_json_data(value, tracked->pointer.mode, &tracked->pointer.ref,
			  tracked->pointer.files, tracked->pointer.bytes);
	json_object_set_new(object, key, value);
}

static json_t *target_json(const MlvHistoryTarget *target)
{
	json_t *object = json_object();

	mlv_json_set_path(object, "path", target->change->path);
	if (target->from_path)
		mlv_json_set_path(object, "from", target->from_path);
	set_pointer(object, "old", target->change->from);
	set_pointer(object, "new", target->change->to);
	if (target->problem)
		mlv_json_set_text(object, "problem", target->problem->message);
	else
		json_object_update_new(object, mlv_changes_totals_json(&target->totals));
	return object;
}

json_t *mlv_commit_json(const MlvCommit *commit)
{
	json_t *object = json_object(), *parents = json_array();
	g_autofree char *date = mlv_cmd_date(commit->author_time, commit->author_offset);
	g_autofree char *subject = mlv_commit_subject(commit);
	char hex[MLV_OID_HEX + 1];

	mlv_oid_format(&commit->oid, hex);
	mlv_json_set_text(object, "commit", hex);
	for (guint i = 0; i < commit->n_parents; i++) {
		mlv_oid_format(&commit->parents[i], hex);
		json_array_append_new(parents, json_string(hex));
	}
	json_object_set_new(object, "parents", parents);
	mlv_json_set_text(object, "author", commit->author_name);
	mlv_json_set_text(object, "email", commit->author_email);
	mlv_json_set_text(object, "date", date);
	json_object_set_new(object, "time", json_integer(commit->author_time));
	mlv_json_set_text(object, "subject", subject);
	return object;
}

json_t *mlv_commits_json(const MlvCommits *commits, const MlvHistoryEntry *entry, GError **error)
{
	json_t *object = mlv_commit_json(entry->commit), *targets = json_array();
	MlvChanges changes = { .cmd = commits->cmd,
			       .view = commits->view,
			       .style = MLV_CHANGES_JSON };

	for (guint i = 0; i < entry->targets->len; i++)
		json_array_append_new(
			targets, target_json(&g_array_index(entry->targets, MlvHistoryTarget, i)));
	json_object_set_new(object, "targets", targets);
	if (!commits->files)
		return object;
	changes.array = json_array();
	json_object_set_new(object, "changes", changes.array);
	if (!mlv_commits_changes(commits, entry, &changes, error))
		g_clear_pointer(&object, json_decref);
	g_free(changes.target);
	return object;
}
