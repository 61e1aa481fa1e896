/* SPDX-License-Identifier: Apache-2.0 */
#include "core/elsewhere.h"

#include <string.h>

#include "core/chain.h"
#include "core/git_run.h"
#include "core/remove_tree.h"
#include "core/sync.h"
#include "core/work_folder.h"
#include "storage/file.h"
#include "storage/format.h"
#include "storage/http/http_url.h"
#include "storage/store.h"

/* Names in the temporary repository. */
#define HEAD_THERE "refs/mlv/head"
#define REV_THERE  "refs/mlv/rev"
#define HEADS      "+refs/heads/*:refs/heads/*"
#define TAGS       "+refs/tags/*:refs/tags/*"
#define CONFIG_MAX (1u << 20) /* bytes of a .mlvconfig */

struct MlvElsewhere {
	MlvRepo *repo;
	gboolean borrowed; /* it is the caller's */
	char *temporary;   /* a bare repository of ours; NULL: none */
	MlvFd held;        /* its lock; -1 */
	MlvOid commit;
	MlvStore *store;         /* NULL: not near, or nothing is in it */
	MlvRemoteConfig *config; /* of the remote; NULL: the repository's default one */
	MlvSync *sync;           /* once it is needed */
	MlvSource *chain;
};

/* --- the source ------------------------------------------------------------------------------- */

/* A folder that is named relative to a repository that was fetched lies nowhere. */
static gboolean check_remote(const MlvElsewhere *there, const MlvRemoteConfig *config,
			     GError **error)
{
	return !there->temporary || !config->directory || config->url[0] == '/' ||
	       config->url[0] == '~' || strstr(config->url, "://") ||
	       mlv_fail(error, MLV_ERROR_FAILED,
			"the data of that repository are on the remote '%s' at '%s', a path that "
			"is relative to its clones; give the path of a clone, or name the remote",
			config->name, config->url);
}

static MlvSource *open_remote(gpointer user, GError **error)
{
	MlvElsewhere *there = user;
	MlvRemoteConfig *config = g_steal_pointer(&there->config);

	if (!config)
		config = mlv_remote_config_find(there->repo, NULL, error);
	if (!config || !check_remote(there, config, error)) {
		mlv_remote_config_free(config);
		return NULL;
	}
	there->sync = mlv_sync_open_config(there->repo, config, error);
	if (!there->sync || !mlv_remote_refresh(there->sync->remote, error))
		return NULL;
	return mlv_remote_source(there->sync->remote);
}

static gboolean open_source(MlvElsewhere *there, GError **error)
{
	g_autoptr(GError) failed = NULL;

	if (!there->temporary)
		there->store =
			mlv_store_open(mlv_repo_store_dir(there->repo), FALSE, NULL, NULL, &failed);
	if (failed && !g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&failed));
		return FALSE;
	}
	there->chain = mlv_chain_new(there->store ? mlv_store_source(there->store) : NULL);
	mlv_chain_set_fallback(there->chain, open_remote, there, NULL);
	return TRUE;
}

MlvSource *mlv_elsewhere_source(MlvElsewhere *there)
{
	return there->chain;
}

/* --- a remote --------------------------------------------------------------------------------- */

static gboolean is_remote_folder(const char *path)
{
	g_autofree char *file = g_build_filename(path, MLV_FORMAT_NAME, NULL);
	g_autofree char *text = NULL;
	gsize length;

	if (!g_file_get_contents(file, &text, &length, NULL))
		return FALSE;
	g_autoptr(GBytes) bytes = g_bytes_new(text, length);
	return mlv_format_check(bytes, MLV_ROLE_REMOTE, path, NULL);
}

/* A remote that is not configured: its address alone is known. */
static MlvRemoteConfig *bare_config(const char *url)
{
	MlvRemoteConfig *config = g_new0(MlvRemoteConfig, 1);

	config->name = g_strdup(url);
	config->url = g_strdup(url);
	if (g_ascii_strncasecmp(url, "s3://", 5) != 0)
		config->directory = g_canonicalize_filename(url, NULL);
	config->addressing = g_strdup("auto");
	config->tls_verify = TRUE;
	return config;
}

/* *is: `place` is a remote, and the repository around says what lies where on it. */
static gboolean take_remote(MlvElsewhere *there, MlvRepo *here, const char *place, gboolean *is,
			    GError **error)
{
	gboolean named = here && mlv_remote_config_exists(here, place);
	gboolean address =
		!named && (g_ascii_strncasecmp(place, "s3://", 5) == 0 || is_remote_folder(place));

	*is = named || address;
	if (!*is)
		return TRUE;
	if (!here)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' is a remote, which knows data by their ids alone; run this "
				"in a repository, or name the repository instead",
				place);
	there->repo = here;
	there->borrowed = TRUE;
	there->config = named ? mlv_remote_config_find(here, place, error) : bare_config(place);
	return there->config != NULL;
}

/* --- a repository ----------------------------------------------------------------------------- */

/* The git directory of a path, or NULL if there is no repository right there. */
static char *find_git_dir(const char *path)
{
	const char *const endings[] = { "/.git", "", ".git" };

	for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
		g_autofree char *try = g_strconcat(path, endings[i], NULL);
		const char *const argv[] = { "rev-parse", "--resolve-git-dir", try, NULL };
		g_autoptr(GBytes) output = NULL;
		int status = 1;

		if (!g_file_test(try, G_FILE_TEST_EXISTS) ||
		    !mlv_git_capture(NULL, argv, NULL, &output, &status, NULL) || status != 0)
			continue;
		gsize length;
		const char *text = g_bytes_get_data(output, &length);
		char *git_dir = g_strndup(text ? text : "", length);
		return g_strchomp(git_dir);
	}
	return NULL;
}

/* A bare repository has its .mlvconfig in a commit: in the newest one, since where the data are may
 * have changed; in the one that is wanted, if there is none. */
static gboolean read_config(MlvElsewhere *there, const char *newest, GError **error)
{
	g_autoptr(GError) failed = NULL;
	g_autoptr(GBytes) bytes = NULL;
	MlvOid commit;

	if (mlv_repo_root(there->repo))
		return TRUE;
	if (mlv_git_resolve(there->repo, newest, &commit, NULL))
		bytes = mlv_git_read_file(there->repo, &commit, MLV_CONFIG_FILE, CONFIG_MAX, NULL);
	if (!bytes)
		bytes = mlv_git_read_file(there->repo, &there->commit, MLV_CONFIG_FILE, CONFIG_MAX,
					  &failed);
	if (!bytes && !g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&failed));
		return FALSE;
	}
	return !bytes || mlv_repo_set_committed_config(there->repo, bytes, error);
}

static gboolean open_near(MlvElsewhere *there, const char *git_dir, const char *rev, GError **error)
{
	there->repo = mlv_repo_open_git_dir(git_dir, error);
	return there->repo &&
	       mlv_git_resolve(there->repo, rev ? rev : "HEAD", &there->commit, error) &&
	       read_config(there, "HEAD", error);
}

/* `git` in the temporary repository. */
static gboolean run_git(const MlvElsewhere *there, const char *const *words, GBytes **output,
			GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autofree char *git_dir = g_strconcat("--git-dir=", there->temporary, NULL);
	g_autoptr(GBytes) ignored = NULL;

	g_ptr_array_add(argv, git_dir);
	for (; *words; words++)
		g_ptr_array_add(argv, (char *)*words);
	g_ptr_array_add(argv, NULL);
	return mlv_git_capture(NULL, (const char *const *)argv->pdata, NULL,
			       output ? output : &ignored, NULL, error);
}

/* What the fetch has brought. */
static gboolean take_fetched(MlvElsewhere *there, const char *rev, GError **error)
{
	const char *const words[] = { "rev-parse",        "--verify", "--quiet",
				      "--end-of-options", rev,        NULL };
	g_autoptr(GBytes) output = NULL;
	g_autofree char *hex = NULL;
	gsize length;
	const char *text;

	if (!run_git(there, words, &output, error))
		return FALSE;
	text = g_bytes_get_data(output, &length);
	hex = g_strndup(text ? text : "", MIN(length, MLV_OID_HEX));
	return mlv_oid_parse(hex, &there->commit) ||
	       mlv_fail(error, MLV_ERROR_MISSING, "there is no revision '%s' there", rev);
}

/* A server that only serves files can leave nothing out, and must not be asked for what was. */
static gboolean fetch_plainly(const MlvElsewhere *there, GError **error)
{
	static const char *const keys[] = { "remote.origin.promisor",
					    "remote.origin.partialclonefilter",
					    "extensions.partialclone" };
	const char *const words[] = { "fetch", "--quiet", "--no-filter",       "origin",
				      HEADS,   TAGS,      "+HEAD:" HEAD_THERE, NULL };

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		const char *const unset[] = { "config", "--unset-all", keys[i], NULL };

		run_git(there, unset, NULL, NULL);
	}
	return run_git(there, words, NULL, error);
}

/* One commit if a name leads to it; else all of history, without files, to look it up in. The depth
 * of the second means all, and is refused where nothing could be left out. */
static gboolean fetch(MlvElsewhere *there, const char *rev, GError **error)
{
	const char *name = rev ? rev : "HEAD";
	g_autofree char *wanted = g_strconcat("+", name, ":" REV_THERE, NULL);
	const char *const one[] = {
		"fetch",  "--quiet", "--depth=1",         "--no-tags", "--filter=blob:none",
		"origin", wanted,    "+HEAD:" HEAD_THERE, NULL
	};
	const char *const all[] = { "fetch",
				    "--quiet",
				    "--depth=2147483647",
				    "--filter=blob:none",
				    "origin",
				    HEADS,
				    TAGS,
				    "+HEAD:" HEAD_THERE,
				    NULL };
	const char *const ask[] = { "ls-remote", "--quiet", "origin", "HEAD", NULL };
	g_autofree char *commit = NULL;

	if (run_git(there, one, NULL, NULL))
		return take_fetched(there, REV_THERE "^{commit}", error);
	/* Where nobody answers there is no use in asking in other ways. */
	if (!run_git(there, ask, NULL, error) ||
	    (!run_git(there, all, NULL, NULL) && !fetch_plainly(there, error)))
		return FALSE;
	commit = g_strconcat(strcmp(name, "HEAD") == 0 ? HEAD_THERE : name, "^{commit}", NULL);
	return take_fetched(there, commit, NULL) ||
	       mlv_fail(error, MLV_ERROR_MISSING, "there is no revision '%s' there", name);
}

static gboolean open_far(MlvElsewhere *there, const char *url, const char *rev, GError **error)
{
	const char *const make[] = { "init", "--quiet", "--bare", NULL };
	const char *const name[] = { "config", "remote.origin.url", url, NULL };
	g_autofree char *shown = mlv_http_url_shown(url);

	if (url[0] == '-' || (rev && rev[0] == '-'))
		return mlv_fail(error, MLV_ERROR_USAGE, "'%s' begins with a '-'",
				url[0] == '-' ? url : rev);
	there->held = mlv_work_folder_open(g_get_tmp_dir(), "mlv-get-", &there->temporary, error);
	if (there->held < 0)
		return FALSE;
	if (!run_git(there, make, NULL, error) || !run_git(there, name, NULL, error))
		return FALSE;
	if (!fetch(there, rev, error)) {
		g_prefix_error(error, "cannot fetch from '%s': ", shown);
		return FALSE;
	}
	there->repo = mlv_repo_open_git_dir(there->temporary, error);
	return there->repo && read_config(there, HEAD_THERE, error);
}

/* --- all of it -------------------------------------------------------------------------------- */

/* file:///path is a path: what lies beside the repository can be found then. */
static char *plain_path(const char *place)
{
	g_autofree char *decoded = NULL;

	if (g_ascii_strncasecmp(place, "file:///", 8) != 0)
		return strstr(place, "://") ? NULL : g_strdup(place);
	decoded = g_uri_unescape_string(place + 7, NULL);
	return g_steal_pointer(&decoded);
}

MlvElsewhere *mlv_elsewhere_open(MlvRepo *here, const char *place, const char *rev, GError **error)
{
	g_autoptr(MlvElsewhere) there = g_new0(MlvElsewhere, 1);
	g_autofree char *path = plain_path(place);
	g_autofree char *git_dir = NULL;
	gboolean remote, ok;

	there->held = -1;
	if (!take_remote(there, here, place, &remote, error))
		return NULL;
	if (!remote && path)
		git_dir = find_git_dir(path);
	if (remote)
		ok = mlv_git_resolve(here, rev ? rev : "HEAD", &there->commit, error);
	else if (git_dir)
		ok = open_near(there, git_dir, rev, error);
	else
		ok = open_far(there, place, rev, error);
	return ok && open_source(there, error) ? g_steal_pointer(&there) : NULL;
}

void mlv_elsewhere_close(MlvElsewhere *there)
{
	if (!there)
		return;
	mlv_chain_free(there->chain);
	mlv_sync_close(there->sync);
	mlv_remote_config_free(there->config);
	mlv_store_close(there->store);
	if (!there->borrowed)
		mlv_repo_free(there->repo);
	if (there->temporary)
		mlv_remove_tree(there->temporary);
	g_free(there->temporary);
	mlv_fd_clear(&there->held);
	g_free(there);
}

MlvRepo *mlv_elsewhere_repo(const MlvElsewhere *there)
{
	return there->repo;
}

const MlvOid *mlv_elsewhere_commit(const MlvElsewhere *there)
{
	return &there->commit;
}
