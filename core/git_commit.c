/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commit is put together here and stored through libgit2; identities and the reference's update
 * are left to git (`git var`, `git update-ref`), so that dates, reflogs, locks and reference hooks
 * are git's own.
 */
#include "core/git_commit.h"

#include <unistd.h>

#include "core/git_internal.h"
#include "core/git_message.h"
#include "core/git_run.h"
#include "core/hook.h"

/* What a commit will be made of. */
typedef struct {
	MlvRepo *repo;
	const MlvCommitOptions *options;
	MlvOid head; /* zero in a branch without commits */
	gboolean unborn;
	GArray *parents; /* of MlvOid */
	gboolean merge;
	git_oid tree;
	char *author; /* taken over from another commit; NULL: the user */
	char *encoding;
	char *amended_message;
	gboolean picked; /* CHERRY_PICK_HEAD */
} Draft;

static void draft_clear(Draft *draft)
{
	g_clear_pointer(&draft->parents, g_array_unref);
	g_free(draft->author);
	g_free(draft->encoding);
	g_free(draft->amended_message);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Draft, draft_clear)

void mlv_commit_result_clear(MlvCommitResult *result)
{
	g_clear_pointer(&result->branch, g_free);
	g_clear_pointer(&result->subject, g_free);
}

static gboolean has_git_file(const MlvRepo *repo, const char *name)
{
	g_autofree char *file = g_build_filename(repo->git_dir, name, NULL);
	return g_file_test(file, G_FILE_TEST_EXISTS);
}

/* --- what it follows from --------------------------------------------------------------------- */

static gboolean check_state(const Draft *draft, GError **error)
{
	gboolean amend = draft->options->amend;

	if (has_git_file(draft->repo, "MERGE_AUTOSTASH"))
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"this merge has put work aside (--autostash): finish it with 'git commit'");
	if (amend && draft->unborn)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"there is no commit yet that could be amended");
	if (amend && (has_git_file(draft->repo, "MERGE_HEAD") ||
		      has_git_file(draft->repo, "CHERRY_PICK_HEAD")))
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"a merge or cherry-pick is under way: commit or abort it before you amend");
	return TRUE;
}

/* Author and encoding of another commit, as they stand in it. */
static gboolean take_author(Draft *draft, const MlvOid *oid, GError **error)
{
	g_autoptr(git_commit) commit = mlv_git_lookup_commit(draft->repo, oid, error);

	if (!commit)
		return FALSE;
	g_auto(GStrv) lines = g_strsplit(git_commit_raw_header(commit), "\n", -1);
	for (char **line = lines; *line; line++) {
		if (g_str_has_prefix(*line, "author ") && !draft->author)
			draft->author = g_strdup(*line + strlen("author "));
		else if (g_str_has_prefix(*line, "encoding ") && draft->options->amend &&
			 !draft->encoding)
			draft->encoding = g_strdup(*line + strlen("encoding "));
	}
	return TRUE;
}

static gboolean read_merge_heads(Draft *draft, GError **error)
{
	g_autofree char *file = g_build_filename(draft->repo->git_dir, "MERGE_HEAD", NULL);
	g_autofree char *text = NULL;

	if (!g_file_get_contents(file, &text, NULL, NULL))
		return TRUE;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		MlvOid oid;
		if (!**line)
			continue;
		if (!mlv_oid_parse(*line, &oid))
			return mlv_fail(error, MLV_ERROR_CORRUPT,
					"'%s' does not hold names of commits", file);
		g_array_append_val(draft->parents, oid);
		draft->merge = TRUE;
	}
	return TRUE;
}

static gboolean read_picked(Draft *draft, GError **error)
{
	g_autofree char *file = g_build_filename(draft->repo->git_dir, "CHERRY_PICK_HEAD", NULL);
	g_autofree char *text = NULL;
	MlvOid oid;

	if (!g_file_get_contents(file, &text, NULL, NULL) || !mlv_oid_parse(g_strchomp(text), &oid))
		return TRUE;
	draft->picked = TRUE;
	return take_author(draft, &oid, error);
}

static gboolean find_parents(Draft *draft, GError **error)
{
	draft->parents = g_array_new(FALSE, FALSE, sizeof(MlvOid));
	if (!mlv_git_head(draft->repo, &draft->head, &draft->unborn, error) ||
	    !check_state(draft, error))
		return FALSE;
	if (!draft->options->amend) {
		if (!draft->unborn)
			g_array_append_val(draft->parents, draft->head);
		return read_merge_heads(draft, error) && read_picked(draft, error);
	}
	g_autoptr(git_commit) head = mlv_git_lookup_commit(draft->repo, &draft->head, error);
	if (!head)
		return FALSE;
	for (unsigned int i = 0; i < git_commit_parentcount(head); i++) {
		MlvOid parent;
		mlv_oid_from_git(git_commit_parent_id(head, i), &parent);
		g_array_append_val(draft->parents, parent);
	}
	draft->merge = draft->parents->len > 1;
	draft->amended_message = g_strdup(git_commit_message(head));
	return take_author(draft, &draft->head, error);
}

/* --- its tree --------------------------------------------------------------------------------- */

static gboolean check_unmerged(git_index *index, GError **error)
{
	for (size_t i = 0; i < git_index_entrycount(index); i++) {
		const git_index_entry *entry = git_index_get_byindex(index, i);
		if (git_index_entry_stage(entry) > 0)
			return mlv_fail(
				error, MLV_ERROR_FAILED,
				"'%s' is unmerged: settle the conflict, then 'mlv add' or 'git "
				"add' it",
				entry->path);
	}
	return TRUE;
}

/* The index as a tree. What is only meant to be added (`git add -N`) stays out, as in git. */
static gboolean write_tree(Draft *draft, GError **error)
{
	g_autoptr(git_index) index = mlv_git_open_index(draft->repo, error);

	if (!index || !check_unmerged(index, error))
		return FALSE;
	for (size_t i = git_index_entrycount(index); i-- > 0;) {
		const git_index_entry *entry = git_index_get_byindex(index, i);
		if (entry->flags_extended & GIT_INDEX_ENTRY_INTENT_TO_ADD) {
			g_autofree char *path = g_strdup(entry->path);
			git_index_remove(index, path, 0);
		}
	}
	int code = git_index_write_tree_to(&draft->tree, index, draft->repo->git);
	return code == 0 || mlv_git_fail(error, code, "cannot store git's index as a tree");
}

static gboolean check_not_empty(const Draft *draft, GError **error)
{
	git_oid before, empty;

	if (draft->options->allow_empty || draft->merge)
		return TRUE;
	git_oid_fromstr(&empty, "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
	if (draft->parents->len == 0)
		before = empty;
	else if (!mlv_git_tree_of(draft->repo, &g_array_index(draft->parents, MlvOid, 0), &before,
				  error))
		return FALSE;
	if (!git_oid_equal(&before, &draft->tree))
		return TRUE;
	if (draft->options->amend)
		return mlv_fail(
			error, MLV_ERROR_CHECK,
			"amending would leave the commit empty; use --allow-empty, or remove it "
			"with 'git reset HEAD^'");
	return mlv_fail(error, MLV_ERROR_CHECK,
			"nothing to commit: nothing is staged that HEAD does not have");
}

static gboolean run_check(const Draft *draft, GError **error)
{
	g_autoptr(GPtrArray) sides =
		g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	gboolean root = draft->parents->len == 0;

	if (!draft->options->check)
		return TRUE;
	for (guint i = 0; i < MAX(draft->parents->len, 1); i++) {
		git_oid before;
		if (!root &&
		    !mlv_git_tree_of(draft->repo, &g_array_index(draft->parents, MlvOid, i),
				     &before, error))
			return FALSE;
		GPtrArray *changes = mlv_git_tree_changes(draft->repo, root ? NULL : &before,
							  &draft->tree, error);
		if (!changes)
			return FALSE;
		g_ptr_array_add(sides, changes);
	}
	g_autoptr(GPtrArray) added = mlv_git_new_pointers(sides);
	return added->len == 0 ||
	       draft->options->check(draft->repo, added, draft->options->user, error);
}

/* --- the commit itself ------------------------------------------------------------------------ */

char *mlv_git_identity(MlvRepo *repo, const char *who, GError **error)
{
	g_autofree char *variable = g_strdup_printf("GIT_%s_IDENT", who);
	const char *argv[] = { "var", variable, NULL };
	g_autoptr(GBytes) output = NULL;

	if (!mlv_git_capture(repo, argv, NULL, &output, NULL, error)) {
		g_prefix_error(error,
			       "git does not know who you are (set user.name and user.email): ");
		return NULL;
	}
	gsize length;
	const char *text = g_bytes_get_data(output, &length);
	return g_strchomp(g_strndup(text ? text : "", length));
}

static void append_header(GString *out, const char *key, const git_oid *oid)
{
	char hex[MLV_OID_HEX + 1];
	git_oid_tostr(hex, sizeof hex, oid);
	g_string_append_printf(out, "%s %s\n", key, hex);
}

static void append_parents(GString *out, const MlvOid *parents, guint n)
{
	for (guint i = 0; i < n; i++) {
		git_oid oid;
		mlv_oid_to_git(&parents[i], &oid);
		append_header(out, "parent", &oid);
	}
}

/* The signature's lines as one header: each but the first is indented. Carriage returns go. */
static char *signature_header(const char *signature)
{
	g_autoptr(GString) out = g_string_new("gpgsig");
	g_auto(GStrv) lines = g_strsplit(signature, "\n", -1);

	for (char **line = lines; *line; line++) {
		if (!**line && !line[1])
			break;
		g_strdelimit(*line, "\r", ' ');
		g_string_append_printf(out, " %s\n", g_strchomp(*line));
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static gboolean store_commit(MlvRepo *repo, const GString *text, git_oid *oid, GError **error)
{
	git_odb *odb = mlv_git_odb(repo, error);

	if (!odb)
		return FALSE;
	int code = git_odb_write(oid, odb, text->str, text->len, GIT_OBJECT_COMMIT);
	return code == 0 || mlv_git_fail(error, code, "cannot store the commit");
}

static gboolean make_commit(const Draft *draft, const char *message, git_oid *oid, GError **error)
{
	MlvRepo *repo = draft->repo;
	g_autofree char *author =
		draft->author ? g_strdup(draft->author) : mlv_git_identity(repo, "AUTHOR", error);
	g_autofree char *committer = author ? mlv_git_identity(repo, "COMMITTER", error) : NULL;
	const char *encoding = mlv_config_get(repo->config, "i18n.commitencoding");
	g_autofree char *signature = NULL;

	if (!committer)
		return FALSE;
	if (draft->encoding)
		encoding = draft->encoding;
	g_autoptr(GString) text = g_string_new(NULL);
	append_header(text, "tree", &draft->tree);
	append_parents(text, (const MlvOid *)(gpointer)draft->parents->data, draft->parents->len);
	g_string_append_printf(text, "author %s\ncommitter %s\n", author, committer);
	if (encoding && *encoding && g_ascii_strcasecmp(encoding, "utf-8") != 0)
		g_string_append_printf(text, "encoding %s\n", encoding);
	gsize headers = text->len;
	g_string_append_printf(text, "\n%s", message);
	if (!mlv_git_sign(repo, text->str, text->len, committer, &signature, error))
		return FALSE;
	if (signature) {
		g_autofree char *header = signature_header(signature);
		g_string_insert(text, (gssize)headers, header);
	}
	return store_commit(repo, text, oid, error);
}

static char *first_line(const char *message)
{
	return g_strndup(message, strcspn(message, "\n"));
}

/* HEAD, or the branch that it stands on, moves on from where it was when we began, or not at
 * all. */
static gboolean move_head(const Draft *draft, const git_oid *oid, const char *message,
			  GError **error)
{
	const char *kind = draft->options->amend ? " (amend)"
			   : draft->unborn       ? " (initial)"
			   : draft->merge        ? " (merge)"
			   : draft->picked       ? " (cherry-pick)"
						 : "";
	g_autofree char *subject = first_line(message);
	g_autofree char *log = g_strdup_printf("commit%s: %s", kind, subject);
	char before[MLV_OID_HEX + 1], after[MLV_OID_HEX + 1];
	g_autoptr(GBytes) output = NULL;

	mlv_oid_format(&draft->head, before);
	git_oid_tostr(after, sizeof after, oid);
	const char *argv[] = { "update-ref", "-m", log, "HEAD", after, before, NULL };
	return mlv_git_capture(draft->repo, argv, NULL, &output, NULL, error);
}

/* A cherry-pick or revert of several commits is over when its last one is committed; before that
 * 'git cherry-pick --continue' goes on after this one. */
static void end_sequence(const MlvRepo *repo)
{
	g_autofree char *folder = g_build_filename(repo->git_dir, "sequencer", NULL);
	g_autofree char *todo = g_build_filename(folder, "todo", NULL);
	g_autofree char *text = NULL;
	const char *name;

	if (!g_file_get_contents(todo, &text, NULL, NULL))
		return;
	const char *end = strchr(text, '\n');
	if (end && end[1])
		return;
	GDir *dir = g_dir_open(folder, 0, NULL);
	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(folder, name, NULL);
		unlink(file);
	}
	if (dir)
		g_dir_close(dir);
	rmdir(folder);
}

static void remove_state(const MlvRepo *repo)
{
	static const char *const names[] = { "CHERRY_PICK_HEAD", "REVERT_HEAD", "MERGE_HEAD",
					     "MERGE_RR",         "MERGE_MSG",   "MERGE_MODE",
					     "SQUASH_MSG",       "AUTO_MERGE" };

	if (has_git_file(repo, "CHERRY_PICK_HEAD") || has_git_file(repo, "REVERT_HEAD"))
		end_sequence(repo);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *file = g_build_filename(repo->git_dir, names[i], NULL);
		unlink(file);
	}
}

/* What git does once the commit stands; none of it can undo the commit, so none of it fails. */
static void finish(const Draft *draft, const git_oid *oid)
{
	MlvRepo *repo = draft->repo;
	const char *rerere[] = { "rerere", NULL };
	const char *maintain[] = { "maintenance", "run", "--auto", "--quiet", NULL };
	const char *amended[] = { "amend", NULL };
	g_autoptr(GBytes) output = NULL, more = NULL;
	MlvHookCall call = { .index_file = repo->index_file, .no_editor = TRUE };

	if (has_git_file(repo, "MERGE_RR"))
		mlv_git_capture(repo, rerere, NULL, &output, NULL, NULL);
	remove_state(repo);
	mlv_git_capture(repo, maintain, NULL, &more, NULL, NULL);
	mlv_hook_run(repo, "post-commit", &call, NULL, NULL);
	if (draft->options->amend) {
		char before[MLV_OID_HEX + 1], after[MLV_OID_HEX + 1];
		mlv_oid_format(&draft->head, before);
		git_oid_tostr(after, sizeof after, oid);
		char *line = g_strdup_printf("%s %s\n", before, after);
		call.argv = amended;
		call.input = g_bytes_new_take(line, strlen(line));
		mlv_hook_run(repo, "post-rewrite", &call, NULL, NULL);
		g_bytes_unref(call.input);
	}
}

static gboolean check_index(MlvRepo *repo, GError **error)
{
	g_autoptr(git_index) index = mlv_git_open_index(repo, error);
	return index && check_unmerged(index, error);
}

gboolean mlv_git_commit(MlvRepo *repo, const MlvCommitOptions *options, MlvCommitResult *result,
			GError **error)
{
	g_auto(Draft) draft = { .repo = repo, .options = options };
	MlvHookCall call = { .index_file = repo->index_file,
			     .no_editor = options->message && !options->edit };
	git_oid oid;

	*result = (MlvCommitResult){ 0 };
	if (!find_parents(&draft, error) || !check_index(repo, error))
		return FALSE;
	if (!options->no_verify && !mlv_hook_run(repo, "pre-commit", &call, NULL, error))
		return FALSE;
	/* The hook may have staged more: what is committed is read after it. */
	if (!write_tree(&draft, error) || !check_not_empty(&draft, error) ||
	    !run_check(&draft, error))
		return FALSE;
	MlvMessageSource source = { options, draft.amended_message, "HEAD", draft.merge };
	g_autofree char *message = mlv_git_compose_message(repo, &source, error);
	if (!message)
		return FALSE;
	if (!make_commit(&draft, message, &oid, error) || !move_head(&draft, &oid, message, error))
		return FALSE;
	mlv_oid_from_git(&oid, &result->oid);
	result->branch = mlv_git_branch(repo);
	result->subject = first_line(message);
	result->root = draft.parents->len == 0;
	finish(&draft, &oid);
	return TRUE;
}

gboolean mlv_git_commit_tree(MlvRepo *repo, const MlvOid *tree, const MlvOid *parents,
			     guint n_parents, const char *message, MlvOid *commit, GError **error)
{
	g_autofree char *author = mlv_git_identity(repo, "AUTHOR", error);
	g_autofree char *committer = author ? mlv_git_identity(repo, "COMMITTER", error) : NULL;
	git_oid oid;

	if (!committer)
		return FALSE;
	mlv_oid_to_git(tree, &oid);
	g_autoptr(GString) text = g_string_new(NULL);
	append_header(text, "tree", &oid);
	append_parents(text, parents, n_parents);
	g_string_append_printf(text, "author %s\ncommitter %s\n\n%s", author, committer, message);
	if (!store_commit(repo, text, &oid, error))
		return FALSE;
	mlv_oid_from_git(&oid, commit);
	return TRUE;
}
