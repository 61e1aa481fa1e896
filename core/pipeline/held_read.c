/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what the stat cache cannot answer for: small files at once, and whatever lies outside of
 * the root. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/pipeline/held_private.h"
#include "storage/chunker.h"
#include "storage/ingest.h"

#define TRIES     3
#define DEPTH_MAX 100 /* folders in folders outside of the root */

static gboolean stat_fd(int fd, MlvStat *st)
{
	struct statx stx;

	return statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx) == 0 &&
	       mlv_stat_from_statx(&stx, st);
}

static gboolean same_stat(const MlvStat *a, const MlvStat *b)
{
	return a->mtime == b->mtime && a->ctime == b->ctime && a->size == b->size &&
	       a->inode == b->inode;
}

/* All of a file of at most `room` bytes; -1 with errno. */
static gssize read_all(int fd, guint8 *buffer, gsize room)
{
	gsize length = 0;

	while (length < room) {
		ssize_t got = pread(fd, buffer + length, room - length, (off_t)length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		length += (gsize)got;
	}
	return (gssize)length;
}

gboolean mlv_held_read_small(int root, const char *path, gboolean follow, MlvStoreWriter *writer,
			     MlvHeld *held, gboolean *done, GError **error)
{
	int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	g_auto(MlvFd) fd =
		follow ? openat(root, path, flags) : mlv_file_open_beneath(root, path, flags, 0);
	g_autofree guint8 *buffer = NULL;
	MlvStat before, after;

	*done = FALSE;
	if (fd < 0)
		return TRUE;
	for (int i = 0; i < TRIES; i++) {
		if (!stat_fd(fd, &before) || before.size > MLV_CHUNK_MAX)
			return TRUE;
		g_free(buffer);
		buffer = g_malloc(before.size + 1);
		gssize length = read_all(fd, buffer, before.size + 1);
		if (length < 0 || !stat_fd(fd, &after))
			return TRUE;
		if ((guint64)length != before.size || !same_stat(&before, &after))
			continue;
		MlvRef ref = { .kind = MLV_KIND_BLOB, .size = before.size };
		mlv_id_of(buffer, (gsize)length, &ref.id);
		if (writer && length > 0 &&
		    !mlv_store_writer_put(MLV_KIND_BLOB, &ref.id, buffer, (gsize)length, writer,
					  error))
			return FALSE;
		held->type = MLV_HELD_HERE;
		held->pointer = (MlvPointer){
			.ref = ref, .mode = before.mode, .files = 1, .bytes = ref.size
		};
		held->single = TRUE;
		held->stat = before;
		*done = TRUE;
		return TRUE;
	}
	return TRUE;
}

/* --- outside of the root ---------------------------------------------------------------------- */

typedef struct {
	MlvHeldSet *set;
	const char *path;
	gint64 now;
	MlvTreeEntry entry;
	GError *error;
} Hashed;

static void take_file(MlvIngested *result, gpointer user)
{
	Hashed *hashed = user;
	MlvStat st;

	if (result->error) {
		hashed->error = g_steal_pointer(&result->error);
		return;
	}
	if (!mlv_stat_from_statx(&result->stat, &st))
		return;
	hashed->entry.mode = st.mode;
	hashed->entry.ref = result->ref;
	hashed->entry.files = 1;
	hashed->entry.bytes = result->ref.size;
	mlv_held_note(hashed->set, hashed->path, &st, &result->ref, hashed->now, FALSE);
}

/* As the stat cache knows it. */
static gboolean known_file(MlvHeldSet *set, const char *path, MlvTreeEntry *entry)
{
	const MlvStatRecord *record = mlv_held_record(set, path);
	struct statx stx;
	MlvStat st;

	if (!record || statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &stx) < 0 ||
	    !mlv_stat_from_statx(&stx, &st) || !mlv_stat_matches(record, &st))
		return FALSE;
	entry->mode = record->mode;
	entry->ref =
		(MlvRef){ .kind = MLV_KIND_BLOB, .depth = record->depth, .size = record->size };
	memcpy(entry->ref.id.b, record->id, MLV_ID_SIZE);
	entry->files = 1;
	entry->bytes = record->size;
	return TRUE;
}

static gboolean hash_file(MlvHeldSet *set, const char *path, guint64 size, MlvTreeEntry *entry,
			  GError **error)
{
	g_auto(MlvFd) root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	Hashed hashed = { .set = set, .path = path };
	g_autoptr(MlvIngest) ingest =
		mlv_ingest_new(NULL, set->options.threads, set->options.cancel, take_file, &hashed);

	if (known_file(set, path, entry))
		return TRUE;
	if (root < 0)
		return mlv_fail_errno(error, "cannot open '/'");
	hashed.now = mlv_stat_fs_now(set->options.local->repo);
	if (!mlv_ingest_file(ingest, root, path + 1, size, NULL, error) ||
	    !mlv_ingest_finish(ingest, error))
		return FALSE;
	if (hashed.error) {
		g_propagate_error(error, hashed.error);
		return FALSE;
	}
	*entry = hashed.entry;
	return TRUE;
}

static gboolean keep_nothing(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
			     gpointer user, GError **error)
{
	return TRUE;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gboolean hash_path(MlvHeldSet *set, const char *path, gboolean follow, guint depth,
			  MlvTreeEntry *entry, GError **error);

static gboolean hash_folder(MlvHeldSet *set, const char *path, guint depth, MlvTreeEntry *entry,
			    GError **error)
{
	g_autoptr(GPtrArray) names = mlv_file_list(AT_FDCWD, path, error);
	g_autoptr(MlvTreeBuilder) builder = mlv_tree_builder_new(keep_nothing, NULL);

	if (!names)
		return FALSE;
	if (depth > DEPTH_MAX)
		return mlv_fail(error, MLV_ERROR_FAILED, "'%s' lies too deep", path);
	g_ptr_array_sort(names, by_name);
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *below = g_build_filename(path, name, NULL);
		MlvTreeEntry one = { 0 };
		if (!mlv_name_allowed(name, strlen(name)))
			continue;
		if (!hash_path(set, below, FALSE, depth + 1, &one, error))
			return FALSE;
		one.name = name;
		one.name_length = (guint8)strlen(name);
		if (one.mode != 0 && !mlv_tree_builder_add(builder, &one, error))
			return FALSE;
	}
	entry->mode = MLV_MODE_DIRECTORY;
	return mlv_tree_builder_finish(builder, &entry->ref, &entry->files, &entry->bytes, error);
}

static gboolean hash_symlink(const char *path, MlvTreeEntry *entry, GError **error)
{
	char text[4096];
	ssize_t length = readlink(path, text, sizeof(text));

	if (length <= 0 || length == (ssize_t)sizeof(text))
		return mlv_fail_errno(error, "cannot read the symlink '%s'", path);
	entry->mode = MLV_MODE_SYMLINK;
	entry->ref = (MlvRef){ .kind = MLV_KIND_BLOB, .size = (guint64)length };
	entry->files = 1;
	entry->bytes = (guint64)length;
	mlv_id_of(text, (gsize)length, &entry->ref.id);
	return TRUE;
}

/* Sockets and the like are left out: mode 0. */
static gboolean hash_path(MlvHeldSet *set, const char *path, gboolean follow, guint depth,
			  MlvTreeEntry *entry, GError **error)
{
	struct stat st;

	if (set->options.cancel && *set->options.cancel)
		return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
	if ((follow ? stat(path, &st) : lstat(path, &st)) < 0)
		return mlv_fail_errno(error, "cannot examine '%s'", path);
	if (S_ISLNK(st.st_mode))
		return hash_symlink(path, entry, error);
	if (S_ISDIR(st.st_mode))
		return hash_folder(set, path, depth, entry, error);
	return !S_ISREG(st.st_mode) || hash_file(set, path, (guint64)st.st_size, entry, error);
}

gboolean mlv_held_read_outside(MlvHeldSet *set, const char *path, MlvHeld *held, GError **error)
{
	g_autofree char *real = realpath(path, NULL);
	g_autoptr(GError) why = NULL;
	MlvTreeEntry entry = { 0 };

	held->type = MLV_HELD_NOTHING;
	if (!real && (errno == ENOENT || errno == ENOTDIR))
		return TRUE;
	if (!real)
		mlv_fail_errno(&why, "it cannot be found");
	if (real && hash_path(set, real, TRUE, 0, &entry, &why) && entry.mode == 0)
		mlv_fail(&why, MLV_ERROR_FAILED, "it is neither a file nor a folder");
	if (g_error_matches(why, MLV_ERROR, MLV_ERROR_CANCELLED)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	held->type = why ? MLV_HELD_UNREAD : MLV_HELD_HERE;
	held->why = why ? g_strdup(why->message) : NULL;
	return why || mlv_pointer_from_entry(&entry, &held->pointer);
}
