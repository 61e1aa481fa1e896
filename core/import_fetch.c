/* SPDX-License-Identifier: Apache-2.0 */
#include "core/import_fetch_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "storage/file.h"
#include "storage/http/http_url.h"

#define BLOCK (1024 * 1024)
#define NANO  G_GINT64_CONSTANT(1000000000)
#define TRIES 3 /* of a file that changes while it is read */

/* --- a path ----------------------------------------------------------------------------------- */

/* Absolute; a relative path begins at the main work tree's root, as remotes' do. */
static char *local_path(const MlvImportFetch *fetch)
{
	const char *url = fetch->url;

	if (url[0] == '~' && (url[1] == '/' || !url[1]))
		return g_build_filename(g_get_home_dir(), url + 1, NULL);
	if (g_ascii_strncasecmp(url, "file://", 7) != 0)
		return g_canonicalize_filename(url, mlv_repo_main_root(fetch->repo));
	const char *path = url + 7;
	if (g_ascii_strncasecmp(path, "localhost/", 10) == 0)
		path += 9;
	g_autofree char *decoded = g_uri_unescape_string(path, NULL);
	return g_canonicalize_filename(decoded ? decoded : path, mlv_repo_main_root(fetch->repo));
}

static gint64 modified(const struct stat *st)
{
	return MAX(0, (gint64)st->st_mtim.tv_sec * NANO + st->st_mtim.tv_nsec);
}

static gboolean same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       modified(a) == modified(b);
}

static gboolean read_all(const MlvImportFetch *fetch, int fd, const char *path, guint64 *length,
			 GError **error)
{
	g_autofree guint8 *block = g_malloc(BLOCK);

	*length = 0;
	for (;;) {
		ssize_t got = read(fd, block, BLOCK);

		if (fetch->cancel && *fetch->cancel)
			return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return mlv_fail_errno(error, "cannot read '%s'", path);
		if (got == 0)
			return TRUE;
		*length += (guint64)got;
		if (!fetch->take(block, (gsize)got, fetch->user, error))
			return FALSE;
	}
}

/* *again: it was changed while it was read. */
static gboolean read_file(const MlvImportFetch *fetch, const char *path, gboolean *changed,
			  MlvImportStamp *stamp, int *executable, gboolean *again, GError **error)
{
	g_auto(MlvFd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const MlvImportStamp *known = fetch->known;
	struct stat before, after;
	guint64 length;

	*again = FALSE;
	if (fd < 0 || fstat(fd, &before) < 0)
		return mlv_fail_errno(error, "cannot open '%s'", path);
	if (!S_ISREG(before.st_mode))
		return mlv_fail(error, MLV_ERROR_FAILED, "'%s' is %s", path,
				S_ISDIR(before.st_mode)
					? "a folder; only files can be imported so, 'mlv add' "
					  "tracks folders"
					: "no regular file");
	*stamp = (MlvImportStamp){ .modified = modified(&before), .size = (guint64)before.st_size };
	*executable = (before.st_mode & 0111) != 0 ? 1 : 0;
	*changed = !known || known->modified != stamp->modified || known->size != stamp->size;
	if (!*changed || fetch->look)
		return TRUE;
	if (!fetch->begin(stamp->size, fetch->user, error) ||
	    !read_all(fetch, fd, path, &length, error))
		return FALSE;
	if (fstat(fd, &after) < 0)
		return mlv_fail_errno(error, "cannot read '%s'", path);
	*again = length != stamp->size || !same_file(&before, &after);
	return TRUE;
}

static gboolean fetch_path(const MlvImportFetch *fetch, gboolean *changed, MlvImportStamp *stamp,
			   int *executable, GError **error)
{
	g_autofree char *path = local_path(fetch);
	gboolean again = TRUE;

	for (int try = 0; again && try < TRIES; try++)
		if (!read_file(fetch, path, changed, stamp, executable, &again, error))
			return FALSE;
	return !again ||
	       mlv_fail(error, MLV_ERROR_FAILED,
			"'%s' is being changed; run the command again when it is still", path);
}

/* --- which ------------------------------------------------------------------------------------ */

gboolean mlv_import_fetch(const MlvImportFetch *fetch, gboolean *changed, MlvImportStamp *stamp,
			  int *executable, GError **error)
{
	*stamp = (MlvImportStamp){ 0 };
	*executable = -1;
	if (!mlv_import_url_check(fetch->url, error))
		return FALSE;
	if (mlv_http_url_is(fetch->url))
		return mlv_import_fetch_web(fetch, changed, stamp, error);
	if (g_ascii_strncasecmp(fetch->url, "s3://", 5) == 0)
		return mlv_import_fetch_s3(fetch, changed, stamp, error);
	return fetch_path(fetch, changed, stamp, executable, error);
}
