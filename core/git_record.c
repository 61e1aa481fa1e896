/* SPDX-License-Identifier: Apache-2.0 */
/* Commits and references that are not the user's branches (core/git_snapshot.h). */
#include "core/git_commit.h"
#include "core/git_internal.h"
#include "core/git_snapshot.h"

/* --- commits ---------------------------------------------------------------------------------- */

/* What git refuses in a name: it would end it. */
static void make_plain(char *text)
{
	g_strdelimit(text, "<>\n\r", ' ');
	g_strstrip(text);
}

/* Text that git takes as it is. */
static gboolean is_clean(const char *text)
{
	static const char crud[] = ".,:;<>\"\\'";

	if (!text || !*text || *text <= ' ' || strchr(crud, *text))
		return FALSE;
	for (; *text; text++)
		if ((guchar)*text < ' ' || *text == '<' || *text == '>')
			return FALSE;
	return text[-1] != ' ' && !strchr(crud, text[-1]);
}

/* The committer, where nothing but user.name and user.email says who that is: to ask git takes
 * longer than many a run. NULL: git is to be asked. */
static char *plain_committer(const MlvRepo *repo)
{
	static const char *const variables[] = { "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL" };
	const MlvConfig *config = mlv_repo_config(repo);
	const char *name = mlv_config_get(config, "user.name");
	const char *email = mlv_config_get(config, "user.email");

	for (gsize i = 0; i < G_N_ELEMENTS(variables); i++)
		if (g_getenv(variables[i]))
			return NULL;
	if (mlv_config_get(config, "committer.name") || mlv_config_get(config, "committer.email") ||
	    !is_clean(name) || !is_clean(email))
		return NULL;
	return g_strdup_printf("%s <%s>", name, email);
}

char *mlv_git_anyone(MlvRepo *repo)
{
	char *plain = plain_committer(repo);
	if (plain)
		return plain;
	g_autofree char *known = mlv_git_identity(repo, "COMMITTER", NULL);
	char *end = known ? strrchr(known, '>') : NULL;

	if (end) {
		end[1] = '\0';
		return g_steal_pointer(&known);
	}
	g_autofree char *name = g_strdup(g_get_real_name());
	g_autofree char *account = g_strdup(g_get_user_name());
	g_autofree char *host = g_strdup(g_get_host_name());
	make_plain(name);
	make_plain(account);
	make_plain(host);
	return g_strdup_printf("%s <%s@%s>", *name ? name : account, account, host);
}

/* "1700000000 +0000": of GIT_COMMITTER_DATE in git's raw form if it is set so, else `time`. */
static char *commit_time(gint64 time)
{
	const char *set = g_getenv("GIT_COMMITTER_DATE");

	if (set && *set == '@')
		set++;
	if (set && strspn(set, "0123456789") >= 5 && set[strspn(set, "0123456789")] == ' ' &&
	    strspn(set + strspn(set, "0123456789") + 1, "+-0123456789") == 5 &&
	    strlen(set) == strspn(set, "0123456789") + 6)
		return g_strdup(set);
	g_autoptr(GDateTime) local = g_date_time_new_from_unix_local(time);
	gint minutes = local ? (gint)(g_date_time_get_utc_offset(local) / G_TIME_SPAN_MINUTE) : 0;
	return g_strdup_printf("%" G_GINT64_FORMAT " %c%02d%02d", time, minutes < 0 ? '-' : '+',
			       ABS(minutes) / 60, ABS(minutes) % 60);
}

gboolean mlv_git_store_commit(MlvRepo *repo, const MlvGitRecord *record, MlvOid *oid,
			      GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *time = commit_time(record->time);
	char hex[MLV_OID_HEX + 1];
	git_oid result;
	git_odb *odb = mlv_git_odb(repo, error);

	if (!odb)
		return FALSE;
	mlv_oid_format(&record->tree, hex);
	g_string_append_printf(text, "tree %s\n", hex);
	for (guint i = 0; i < record->n_parents; i++) {
		mlv_oid_format(&record->parents[i], hex);
		g_string_append_printf(text, "parent %s\n", hex);
	}
	g_string_append_printf(text, "author %s %s\ncommitter %s %s\n\n%s", record->who, time,
			       record->who, time, record->message);
	int code = git_odb_write(&result, odb, text->str, text->len, GIT_OBJECT_COMMIT);
	if (code < 0)
		return mlv_git_fail(error, code, "cannot store the commit");
	mlv_oid_from_git(&result, oid);
	return TRUE;
}

char *mlv_git_commit_message(MlvRepo *repo, const MlvOid *oid, GError **error)
{
	git_oid id;

	mlv_oid_to_git(oid, &id);
	g_autoptr(git_odb_object) object = mlv_git_read_object(repo, &id, error);
	if (!object)
		return NULL;
	const char *data = git_odb_object_data(object);
	gsize length = git_odb_object_size(object);
	const char *end = git_odb_object_type(object) == GIT_OBJECT_COMMIT
				  ? memmem(data, length, "\n\n", 2)
				  : NULL;
	if (!end) {
		char hex[MLV_OID_HEX + 1];
		mlv_oid_format(oid, hex);
		mlv_fail(error, MLV_ERROR_CORRUPT, "'%.12s' is not a commit", hex);
		return NULL;
	}
	return g_strndup(end + 2, length - (gsize)(end + 2 - data));
}

/* --- references ------------------------------------------------------------------------------- */

gboolean mlv_git_ref_is_valid(const char *name)
{
	int valid = 0;
	return git_reference_name_is_valid(&valid, name) == 0 && valid;
}

gboolean mlv_git_move_ref(MlvRepo *repo, const char *name, const MlvOid *oid, const MlvOid *old,
			  GError **error)
{
	g_autoptr(git_reference) reference = NULL;
	git_oid to, from;
	int code;

	mlv_oid_to_git(oid, &to);
	if (old) {
		mlv_oid_to_git(old, &from);
		code = git_reference_create_matching(&reference, repo->git, name, &to, 1, &from,
						     "mlv");
	} else {
		code = git_reference_create(&reference, repo->git, name, &to, 0, "mlv");
	}
	if (code == GIT_EMODIFIED)
		return mlv_fail(error, MLV_ERROR_EXISTS, "'%s' was changed meanwhile", name);
	return code == 0 || mlv_git_fail(error, code, "cannot write the reference '%s'", name);
}

gboolean mlv_git_delete_ref(MlvRepo *repo, const char *name, GError **error)
{
	int code = git_reference_remove(repo->git, name);

	if (code == GIT_ENOTFOUND) {
		git_error_clear();
		return TRUE;
	}
	return code == 0 || mlv_git_fail(error, code, "cannot delete the reference '%s'", name);
}

gboolean mlv_git_read_ref(MlvRepo *repo, const char *name, MlvOid *oid, gboolean *found,
			  GError **error)
{
	git_oid id;
	int code = git_reference_name_to_id(&id, repo->git, name);

	*found = code == 0;
	if (code == 0)
		mlv_oid_from_git(&id, oid);
	if (code < 0 && code != GIT_ENOTFOUND && code != GIT_EINVALIDSPEC)
		return mlv_git_fail(error, code, "cannot read the reference '%s'", name);
	git_error_clear();
	return TRUE;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	const MlvGitRef *first = *(const MlvGitRef *const *)a,
			*second = *(const MlvGitRef *const *)b;
	return strcmp(first->name, second->name);
}

GPtrArray *mlv_git_list_refs(MlvRepo *repo, const char *prefix, GError **error)
{
	g_autoptr(GPtrArray) refs =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_git_ref_free);
	g_autoptr(git_reference_iterator) iterator = NULL;
	g_autofree char *glob = g_strconcat(prefix, "*", NULL);
	git_reference *reference;
	int code = git_reference_iterator_glob_new(&iterator, repo->git, glob);

	while (code == 0 && (code = git_reference_next(&reference, iterator)) == 0) {
		const git_oid *target = git_reference_target(reference);
		if (target) {
			MlvGitRef *ref = g_new0(MlvGitRef, 1);
			ref->name = g_strdup(git_reference_name(reference));
			mlv_oid_from_git(target, &ref->commit);
			g_ptr_array_add(refs, ref);
		}
		git_reference_free(reference);
	}
	if (code != GIT_ITEROVER) {
		mlv_git_fail(error, code, "cannot list the references '%s'", prefix);
		return NULL;
	}
	git_error_clear();
	g_ptr_array_sort(refs, by_name);
	return g_steal_pointer(&refs);
}
