/* SPDX-License-Identifier: Apache-2.0 */
#include "core/git_blobs.h"

#include "core/git_run.h"
#include "storage/file.h"

#define FILE_MAX (1u << 20)  /* bytes of a file that is taken */
#define HELD_MAX (32u << 20) /* bytes that are held in memory */
#define PACK_MIN 32u         /* files that make a pack worth its while */

typedef struct {
	git_oid oid;
	GBytes *data;
} Blob;

struct MlvGitBlobs {
	MlvRepo *repo;
	GArray *held; /* of Blob: none is there yet */
	gsize size;   /* bytes of them */
	GError *error;
};

static void blob_clear(gpointer data)
{
	g_bytes_unref(((Blob *)data)->data);
}

MlvGitBlobs *mlv_git_blobs_new(MlvRepo *repo)
{
	MlvGitBlobs *blobs = g_new0(MlvGitBlobs, 1);

	blobs->repo = repo;
	blobs->held = g_array_new(FALSE, FALSE, sizeof(Blob));
	g_array_set_clear_func(blobs->held, blob_clear);
	return blobs;
}

void mlv_git_blobs_free(MlvGitBlobs *blobs)
{
	if (!blobs)
		return;
	g_array_unref(blobs->held);
	g_clear_error(&blobs->error);
	g_free(blobs);
}

/* --- writing ---------------------------------------------------------------------------------- */

static gboolean write_each(MlvGitBlobs *blobs, GError **error)
{
	git_odb *odb = mlv_git_odb(blobs->repo, error);

	for (guint i = 0; odb && i < blobs->held->len; i++) {
		const Blob *blob = &g_array_index(blobs->held, Blob, i);
		gsize length;
		const void *data = g_bytes_get_data(blob->data, &length);
		git_oid oid;
		int code = git_odb_write(&oid, odb, data ? data : "", length, GIT_OBJECT_BLOB);
		if (code < 0)
			return mlv_git_fail(error, code, "cannot store a file in git");
	}
	return odb != NULL;
}

/* git's own way of making a pack of nothing but bytes. Like libgit2's single files it is not
 * synced. */
static gboolean write_pack(MlvGitBlobs *blobs)
{
	static const char *const argv[] = { "-c",          "fastimport.unpackLimit=1",
					    "-c",          "core.fsync=none",
					    "fast-import", "--quiet",
					    NULL };
	GString *input = g_string_sized_new(blobs->size + 64 * blobs->held->len);
	g_autoptr(GBytes) output = NULL;

	for (guint i = 0; i < blobs->held->len; i++) {
		gsize length;
		const char *data =
			g_bytes_get_data(g_array_index(blobs->held, Blob, i).data, &length);
		g_string_append_printf(input, "blob\ndata %" G_GSIZE_FORMAT "\n", length);
		g_string_append_len(input, data, (gssize)length);
		g_string_append_c(input, '\n');
	}
	g_autoptr(GBytes) bytes = g_string_free_to_bytes(input);
	return mlv_git_capture(blobs->repo, argv, bytes, &output, NULL, NULL);
}

gboolean mlv_git_blobs_flush(MlvGitBlobs *blobs, GError **error)
{
	gboolean ok =
		(blobs->held->len >= PACK_MIN && write_pack(blobs)) || write_each(blobs, error);

	g_array_set_size(blobs->held, 0);
	blobs->size = 0;
	if (ok && blobs->error) {
		g_propagate_error(error, g_steal_pointer(&blobs->error));
		return FALSE;
	}
	return ok;
}

/* --- taking ----------------------------------------------------------------------------------- */

static gboolean has_filters(MlvRepo *repo, const char *path)
{
	git_filter_list *filters = NULL;
	int code = git_filter_list_load(&filters, repo->git, NULL, path, GIT_FILTER_TO_ODB, 0);
	gboolean has = code < 0 || filters;

	git_filter_list_free(filters);
	git_error_clear();
	return has;
}

/* What is there already is made young, so that no collection takes it. */
static gboolean is_there(MlvGitBlobs *blobs, const Blob *blob)
{
	git_odb *odb = mlv_git_odb(blobs->repo, NULL);
	gsize length;
	const void *data = g_bytes_get_data(blob->data, &length);
	git_oid oid;

	return odb && git_odb_exists_ext(odb, &blob->oid, GIT_ODB_LOOKUP_NO_REFRESH) &&
	       git_odb_write(&oid, odb, data ? data : "", length, GIT_OBJECT_BLOB) == 0;
}

gboolean mlv_git_blobs_add(MlvGitBlobs *blobs, const char *path, const git_oid *known, git_oid *oid)
{
	g_autoptr(GBytes) data = mlv_repo_read_file(blobs->repo, path, FILE_MAX, NULL);
	Blob blob = { .data = data };
	gsize length;

	if (!data)
		return FALSE;
	const void *bytes = g_bytes_get_data(data, &length);
	if (git_odb_hash(&blob.oid, bytes ? bytes : "", length, GIT_OBJECT_BLOB) < 0 ||
	    !(known ? git_oid_equal(known, &blob.oid) : !has_filters(blobs->repo, path)))
		return FALSE;
	*oid = blob.oid;
	if (is_there(blobs, &blob))
		return TRUE;
	g_bytes_ref(data);
	g_array_append_val(blobs->held, blob);
	blobs->size += length;
	if (blobs->size >= HELD_MAX && !blobs->error)
		mlv_git_blobs_flush(blobs, &blobs->error);
	return TRUE;
}
