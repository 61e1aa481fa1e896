/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that differ in case only, where a folder cannot hold both: a case-insensitive file system
 * (FAT, exFAT, many network shares), or a folder of ext4 or f2fs with the attribute for it. One
 * would be written over the other, so the plan refuses them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "core/checkout_private.h"
#include "storage/file.h"

#define PROBE ".GIT" /* by that name ".git" is found where case does not count */

static gboolean lists(int fd, const char *wanted)
{
	g_autoptr(GPtrArray) names = mlv_file_list(fd, ".", NULL);

	for (guint i = 0; names && i < names->len; i++)
		if (strcmp(names->pdata[i], wanted) == 0)
			return TRUE;
	return !names;
}

/* Whether the whole work tree is such a place. */
static gboolean root_folds(MlvCheckout *checkout)
{
	struct stat st;

	if (!checkout->root_probed)
		checkout->root_folds =
			fstatat(checkout->root, PROBE, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			!lists(checkout->root, PROBE);
	checkout->root_probed = TRUE;
	return checkout->root_folds;
}

static gboolean has_attribute(MlvCheckout *checkout, const char *path)
{
	g_auto(MlvFd) fd = -1;
	long flags = 0;

	if (checkout->no_attributes)
		return FALSE;
	fd = mlv_file_open_beneath(checkout->root, *path ? path : ".", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return FALSE;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		checkout->no_attributes = TRUE;
	return (flags & FS_CASEFOLD_FL) != 0;
}

void mlv_checkout_find_fold(MlvCheckout *checkout, CheckoutDir *dir)
{
	if (root_folds(checkout))
		dir->folds = TRUE;
	else if (dir->on_disk)
		dir->folds = has_attribute(checkout, dir->path);
	else
		dir->folds = dir->parent && dir->parent->folds; /* a new folder takes it over */
}

static char *fold(const char *name)
{
	if (!g_utf8_validate(name, -1, NULL))
		return g_ascii_strdown(name, -1);
	g_autofree char *lower = g_utf8_casefold(name, -1);
	return g_utf8_normalize(lower, -1, G_NORMALIZE_NFD);
}

gboolean mlv_checkout_fold_name(GHashTable **names, const CheckoutDir *dir, const char *name,
				GError **error)
{
	char *folded = fold(name);

	if (!*names)
		*names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	const char *twin = g_hash_table_lookup(*names, folded);
	if (!twin) {
		g_hash_table_insert(*names, folded, g_strdup(name));
		return TRUE;
	}
	g_free(folded);
	return mlv_fail(
		error, MLV_ERROR_FAILED,
		"'%s' and '%s' differ in upper and lower case only, and the folder '%s' "
		"cannot hold both; nothing was changed: name other paths, or use a work tree "
		"where case counts",
		twin, name, *dir->path ? dir->path : ".");
}

gboolean mlv_checkout_lists_twin(GHashTable **names, const MlvScanDir *disk, const char *name)
{
	g_autofree char *folded = fold(name);

	if (!*names) {
		*names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		for (gsize i = 0; i < disk->count; i++)
			g_hash_table_add(*names, fold(disk->entries[i].name));
	}
	return g_hash_table_contains(*names, folded);
}
