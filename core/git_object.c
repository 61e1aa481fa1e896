/* SPDX-License-Identifier: Apache-2.0 */
/* Reading git's objects; those that a partial clone has left out are fetched by git itself
 * first. */
#include "core/git_internal.h"
#include "core/git_run.h"
#include "core/target.h"

#define POINTER_CACHE_MAX 200000u /* entries of some 130 bytes */
#define LOCK_CACHE_MAX    64u     /* locks that are kept parsed */

/* The remote that promises missing objects, or NULL if this is no partial clone. */
static char *promisor(const MlvRepo *repo)
{
	const char *remote = mlv_config_get(repo->config, "extensions.partialclone");

	if (remote && *remote)
		return g_strdup(remote);
	g_autoptr(GPtrArray) entries = mlv_config_list(repo->config, "remote.");
	for (guint i = 0; i < entries->len; i++) {
		const MlvConfigEntry *entry = entries->pdata[i];
		gboolean on = FALSE;
		if (g_str_has_suffix(entry->key, ".promisor") &&
		    mlv_config_parse_bool(entry->value ? entry->value : "true", &on) && on)
			return g_strndup(entry->key + 7,
					 strlen(entry->key) - 7 - strlen(".promisor"));
	}
	return NULL;
}

gboolean mlv_git_fetch_missing(MlvRepo *repo, const GArray *oids, GError **error)
{
	g_autofree char *remote = promisor(repo);
	git_odb *odb = mlv_git_odb(repo, error);

	if (!odb)
		return FALSE;
	if (!remote)
		return TRUE;
	g_autoptr(GString) wanted = g_string_new(NULL);
	for (guint i = 0; i < oids->len; i++) {
		const git_oid *oid = &g_array_index(oids, git_oid, i);
		char hex[MLV_OID_HEX + 1];
		if (git_odb_exists_ext(odb, oid, GIT_ODB_LOOKUP_NO_REFRESH))
			continue;
		git_oid_tostr(hex, sizeof hex, oid);
		g_string_append_printf(wanted, "%s\n", hex);
	}
	if (wanted->len == 0)
		return TRUE;
	const char *argv[] = { "-c",
			       "fetch.negotiationAlgorithm=noop",
			       "fetch",
			       remote,
			       "--no-tags",
			       "--quiet",
			       "--no-write-fetch-head",
			       "--recurse-submodules=no",
			       "--no-auto-maintenance",
			       "--filter=blob:none",
			       "--stdin",
			       NULL };
	g_autoptr(GBytes) input = g_string_free_to_bytes(g_steal_pointer(&wanted));
	g_autoptr(GBytes) output = NULL;
	if (!mlv_git_capture(repo, argv, input, &output, NULL, error)) {
		g_prefix_error(error, "cannot fetch what this partial clone has left out: ");
		return FALSE;
	}
	git_odb_refresh(odb);
	return TRUE;
}

git_odb_object *mlv_git_read_object(MlvRepo *repo, const git_oid *oid, GError **error)
{
	git_odb *odb = mlv_git_odb(repo, error);
	git_odb_object *object = NULL;

	if (!odb)
		return NULL;
	int code = git_odb_read(&object, odb, oid);
	if (code == GIT_ENOTFOUND) {
		g_autoptr(GArray) one = g_array_new(FALSE, FALSE, sizeof(git_oid));
		g_array_append_val(one, *oid);
		if (!mlv_git_fetch_missing(repo, one, error))
			return NULL;
		code = git_odb_read(&object, odb, oid);
	}
	if (code < 0) {
		mlv_git_fail(error, code, "cannot read git's object %.12s (see 'git fsck')",
			     git_oid_tostr_s(oid));
		return NULL;
	}
	return object;
}

/* Makes sure that the object is here, then looks it up as `type`. */
static git_object *lookup(MlvRepo *repo, const git_oid *oid, git_object_t type, const char *what,
			  GError **error)
{
	git_object *object = NULL;
	int code = git_object_lookup(&object, repo->git, oid, type);

	if (code == GIT_ENOTFOUND) {
		g_autoptr(git_odb_object) raw = mlv_git_read_object(repo, oid, error);
		if (!raw)
			return NULL;
		code = git_object_lookup(&object, repo->git, oid, type);
	}
	if (code < 0) {
		mlv_git_fail(error, code, "cannot read %s %.12s", what, git_oid_tostr_s(oid));
		return NULL;
	}
	return object;
}

git_commit *mlv_git_lookup_commit(MlvRepo *repo, const MlvOid *oid, GError **error)
{
	git_oid id;

	mlv_oid_to_git(oid, &id);
	return (git_commit *)lookup(repo, &id, GIT_OBJECT_COMMIT, "commit", error);
}

git_tree *mlv_git_lookup_tree(MlvRepo *repo, const git_oid *oid, GError **error)
{
	return (git_tree *)lookup(repo, oid, GIT_OBJECT_TREE, "tree", error);
}

GBytes *mlv_git_read_blob(MlvRepo *repo, const MlvOid *blob, gsize max, GError **error)
{
	git_oid id;

	mlv_oid_to_git(blob, &id);
	g_autoptr(git_odb_object) object = mlv_git_read_object(repo, &id, error);
	if (!object)
		return NULL;
	if (git_odb_object_type(object) != GIT_OBJECT_BLOB || git_odb_object_size(object) > max) {
		mlv_fail(error, MLV_ERROR_FAILED, "git's object %.12s is %s", git_oid_tostr_s(&id),
			 git_odb_object_type(object) == GIT_OBJECT_BLOB ? "too long" : "no file");
		return NULL;
	}
	return g_bytes_new(git_odb_object_data(object), git_odb_object_size(object));
}

/* --- pointers --------------------------------------------------------------------------------- */

/* Reads and parses into `tracked`; FALSE only where the database fails. */
static gboolean fill_pointer(MlvRepo *repo, MlvTracked *tracked, const git_oid *blob,
			     GError **error)
{
	g_autofree char *label = mlv_pointer_path(tracked->path);
	git_odb *odb = mlv_git_odb(repo, error);
	size_t length;
	git_object_t type;

	if (!odb)
		return FALSE;
	if (git_odb_read_header(&length, &type, odb, blob) == 0 && length > MLV_POINTER_MAX)
		return mlv_fail(&tracked->error, MLV_ERROR_CORRUPT,
				"'%s' in git is not a pointer: it is longer than 1024 bytes",
				label) ||
		       TRUE;
	git_error_clear();
	g_autoptr(git_odb_object) object = mlv_git_read_object(repo, blob, error);
	if (!object)
		return FALSE;
	if (!mlv_pointer_parse(git_odb_object_data(object), git_odb_object_size(object), label,
			       &tracked->pointer, &tracked->error))
		return TRUE;
	if (g_hash_table_size(repo->pointers) < POINTER_CACHE_MAX)
		g_hash_table_insert(repo->pointers, g_memdup2(&tracked->blob, sizeof tracked->blob),
				    g_memdup2(&tracked->pointer, sizeof tracked->pointer));
	return TRUE;
}

MlvTracked *mlv_git_read_pointer(MlvRepo *repo, const char *path, const git_oid *blob,
				 GError **error)
{
	MlvTracked *tracked = g_new0(MlvTracked, 1);

	tracked->path = g_strdup(path);
	mlv_oid_from_git(blob, &tracked->blob);
	if (!mlv_target_check_path(path, &tracked->error))
		return tracked;
	if (!repo->pointers)
		repo->pointers =
			g_hash_table_new_full(mlv_oid_hash, mlv_oid_equal_key, g_free, g_free);
	const MlvPointer *known = g_hash_table_lookup(repo->pointers, &tracked->blob);
	if (known) {
		tracked->pointer = *known;
	} else if (!fill_pointer(repo, tracked, blob, error)) {
		mlv_tracked_free(tracked);
		return NULL;
	}
	return tracked;
}

/* Parses a lock; FALSE only where the database fails. */
static gboolean read_lock(MlvRepo *repo, const char *file, const git_oid *blob, GPtrArray *targets,
			  GError **error)
{
	git_odb *odb = mlv_git_odb(repo, error);
	GError *why = NULL;
	size_t length;
	git_object_t type;
	MlvOid id;

	if (!odb)
		return FALSE;
	mlv_oid_from_git(blob, &id);
	if (git_odb_read_header(&length, &type, odb, blob) == 0 &&
	    length > mlv_target_max(MLV_TARGET_LOCK)) {
		mlv_fail(&why, MLV_ERROR_CORRUPT, "'%s' in git is too long", file);
		mlv_target_unread(file, &id, why, targets);
		return TRUE;
	}
	git_error_clear();
	g_autoptr(git_odb_object) object = mlv_git_read_object(repo, blob, error);
	if (!object)
		return FALSE;
	mlv_target_parse(file, git_odb_object_data(object), git_odb_object_size(object), &id,
			 targets);
	return TRUE;
}

/* What a lock names, parsed once: HEAD's and the index's are one most of the time. Borrowed. */
static GPtrArray *known_lock(MlvRepo *repo, const char *file, const git_oid *blob, GError **error)
{
	g_autofree char *key = g_strdup_printf("%s %s", git_oid_tostr_s(blob), file);

	if (!repo->locks)
		repo->locks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						    (GDestroyNotify)g_ptr_array_unref);
	GPtrArray *known = g_hash_table_lookup(repo->locks, key);
	if (known)
		return known;
	known = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_tracked_free);
	if (!read_lock(repo, file, blob, known, error)) {
		g_ptr_array_unref(known);
		return NULL;
	}
	if (g_hash_table_size(repo->locks) >= LOCK_CACHE_MAX)
		g_hash_table_remove_all(repo->locks);
	g_hash_table_insert(repo->locks, g_steal_pointer(&key), known);
	return known;
}

gboolean mlv_git_read_targets(MlvRepo *repo, const char *file, const git_oid *blob,
			      GPtrArray *targets, GError **error)
{
	if (mlv_target_file(file) == MLV_TARGET_POINTER) {
		g_autofree char *path = mlv_pointer_data_path(file);
		MlvTracked *tracked = mlv_git_read_pointer(repo, path, blob, error);
		if (tracked)
			g_ptr_array_add(targets, tracked);
		return tracked != NULL;
	}
	const GPtrArray *known = known_lock(repo, file, blob, error);
	for (guint i = 0; known && i < known->len; i++)
		g_ptr_array_add(targets, mlv_tracked_copy(known->pdata[i]));
	return known != NULL;
}
