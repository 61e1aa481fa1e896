/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commits.h"
#include "cmd/look.h"

/* The commit, its author and its whole message, as git show begins. */
static void print_head(const MlvCommits *commits, const MlvCommit *commit)
{
	const MlvUi *ui = commits->cmd->ui;
	g_autofree char *date = mlv_cmd_date(commit->author_time, commit->author_offset);
	g_autofree char *author = mlv_ui_printable(commit->author_name);
	g_autofree char *email = mlv_ui_printable(commit->author_email);
	g_auto(GStrv) lines = g_strsplit(commit->message, "\n", -1);
	guint count = g_strv_length(lines);
	char hex[MLV_OID_HEX + 1];

	mlv_oid_format(&commit->oid, hex);
	printf("%scommit %s%s\n", mlv_ui_color(ui, MLV_COLOR_YELLOW), hex,
	       mlv_ui_color(ui, MLV_COLOR_RESET));
	printf("Author: %s <%s>\nDate:   %s\n\n", author, email, date);
	while (count > 0 && !*lines[count - 1])
		count--;
	for (guint i = 0; i < count; i++) {
		g_autofree char *line = mlv_ui_printable(lines[i]);

		printf("%s%s\n", *line ? "    " : "", line);
	}
	printf("\n");
}

static void warn_unreadable(MlvCmd *cmd, const MlvHistoryEntry *entry)
{
	for (guint i = 0; i < entry->targets->len; i++) {
		const MlvHistoryTarget *target =
			&g_array_index(entry->targets, MlvHistoryTarget, i);

		if (target->problem)
			mlv_ui_warn(cmd->ui, "%s", target->problem->message);
	}
}

static gboolean print(const MlvCommits *commits, const MlvHistoryEntry *entry, gboolean zero,
		      GError **error)
{
	MlvChanges changes = {
		.cmd = commits->cmd, .view = commits->view, .style = commits->style, .zero = zero
	};
	gboolean ok;

	if (commits->style == MLV_CHANGES_JSON) {
		json_t *document = mlv_json_new(commits->cmd);
		json_t *commit = mlv_commits_json(commits, entry, error);

		if (!commit) {
			json_decref(document);
			return FALSE;
		}
		json_object_update_new(document, commit);
		return mlv_json_print(commits->cmd, document, error);
	}
	warn_unreadable(commits->cmd, entry);
	if (!zero)
		print_head(commits, entry->commit);
	ok = mlv_commits_changes(commits, entry, &changes, error);
	if (ok && changes.count == 0)
		mlv_ui_note(commits->cmd->ui, "no tracked data changed in this commit");
	g_free(changes.target);
	return ok;
}

gboolean mlv_cmd_show(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	MlvChangesOptions show = { 0 };
	gboolean zero = FALSE;
	const GOptionEntry entries[] = {
		{ "patch", 'p', 0, G_OPTION_ARG_NONE, &show.patch,
		  "also the changed lines of tables, JSON and other small texts", NULL },
		{ "summary", 0, 0, G_OPTION_ARG_NONE, &show.summary, "only sums", NULL },
		{ "stat", 0, 0, G_OPTION_ARG_NONE, &show.stat, "the same", NULL },
		{ "name-only", 0, 0, G_OPTION_ARG_NONE, &show.names, "only paths", NULL },
		{ "name-status", 0, 0, G_OPTION_ARG_NONE, &show.name_status,
		  "only letters and paths", NULL },
		{ "null", 'z', 0, G_OPTION_ARG_NONE, &zero, "only names, as they are, ended by NUL",
		  NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &show.json, "print one JSON document", NULL },
		{ NULL },
	};
	g_autoptr(GPtrArray) revs = NULL, words_left = NULL;
	MlvCommits commits = { .cmd = cmd, .files = TRUE };
	MlvWords words;
	MlvOid commit;

	if (!mlv_options_parse(
		    cmd, entries, &argc, &argv,
		    "[REV] [--] [PATH...]\nmlv show\nmlv show -p v1.0 -- data/labels.csv", error))
		return FALSE;
	words = mlv_options_words(cmd, argc, argv);
	if (zero && !show.name_status)
		show.names = TRUE;
	g_autoptr(MlvView) view = mlv_cmd_open_view(cmd, FALSE, error);
	if (!view || !mlv_cmd_split_revisions(cmd, mlv_view_repo(view), &words, 1, &revs,
					      &words_left, error))
		return FALSE;
	g_autoptr(MlvPathspec) paths = mlv_pathspec_new(
		mlv_view_repo(view), (char **)words_left->pdata, words_left->len, error);
	if (!paths || !mlv_changes_style(&show, &commits.style, error) ||
	    !mlv_git_resolve(mlv_view_repo(view), revs->len > 0 ? revs->pdata[0] : "HEAD", &commit,
			     error))
		return FALSE;
	g_autoptr(MlvHistoryEntry) entry = mlv_history_read(view, &commit, paths, error);
	commits.view = view;
	commits.paths = paths;
	return entry && print(&commits, entry, zero, error);
}
