/* SPDX-License-Identifier: Apache-2.0 */
#include "core/switch.h"

#include <string.h>

#include "core/git_run.h"
#include "core/git_staging.h"

/* The commit of the one remote branch of that name, as `git checkout NAME` looks for it. */
static gboolean find_remote_branch(MlvRepo *repo, const char *word, MlvOid *commit, gboolean *found,
				   GError **error)
{
	g_autoptr(GPtrArray) refs = mlv_git_refs(repo, "refs/remotes/", error);
	guint count = 0;

	if (!refs)
		return FALSE;
	for (guint i = 0; i < refs->len; i++) {
		const MlvGitRef *ref = refs->pdata[i];
		const char *slash = strchr(ref->name + strlen("refs/remotes/"), '/');

		if (!slash || strcmp(slash + 1, word) != 0)
			continue;
		*commit = ref->commit;
		count++;
	}
	*found = count == 1;
	return TRUE;
}

gboolean mlv_switch_find(MlvRepo *repo, const char *word, MlvOid *commit, gboolean *found,
			 GError **error)
{
	*found = mlv_git_resolve(repo, strcmp(word, "-") == 0 ? "@{-1}" : word, commit, NULL);
	return *found || find_remote_branch(repo, word, commit, found, error);
}

static const MlvTracked *usable(const MlvTracked *tracked)
{
	return tracked && !tracked->error && tracked->stage == 0 ? tracked : NULL;
}

static gboolean same_pointer(const MlvTracked *a, const MlvTracked *b)
{
	return a && b ? mlv_pointer_equal(&a->pointer, &b->pointer) : a == b;
}

static gboolean note_entry(const char *path, guint32 mode, const MlvOid *oid, gboolean *descend,
			   gpointer user, GError **error)
{
	*(gboolean *)user |= mode != 040000;
	*descend = !*(gboolean *)user;
	return TRUE;
}

/* What becomes of one pointer of the work tree that the revision has not: git takes away what is
 * HEAD's, and with force what is staged. */
static gboolean foretell_gone(MlvSwitch *change, MlvRepo *repo, const MlvOid *commit,
			      const MlvTracked *now, GError **error)
{
	gboolean taken = FALSE;
	g_autoptr(GError) local = NULL;

	g_ptr_array_add(change->gone, (gpointer)now);
	if (!mlv_git_walk_tree(repo, commit, now->path, note_entry, &taken, &local) &&
	    !g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	if (taken)
		g_ptr_array_add(change->taken, (gpointer)now);
	return TRUE;
}

static gboolean foretell(MlvSwitch *change, MlvRepo *repo, const MlvOid *commit,
			 const GPtrArray *head, gboolean force, GError **error)
{
	for (guint i = 0; i < change->target->len; i++) {
		const MlvTracked *next = change->target->pdata[i];
		const MlvTracked *now = usable(mlv_tracked_find(change->before, next->path));
		const MlvTracked *was = usable(mlv_tracked_find(head, next->path));
		/* Git carries a local change along where the two commits agree. */
		gboolean carried =
			!force && now && same_pointer(was, usable(next)) && !same_pointer(now, was);

		g_ptr_array_add(change->after, (gpointer)(carried ? now : next));
	}
	for (guint i = 0; i < change->before->len; i++) {
		const MlvTracked *now = change->before->pdata[i];

		if (mlv_tracked_find(change->target, now->path))
			continue;
		if (!force && !mlv_tracked_find(head, now->path))
			g_ptr_array_add(change->after, (gpointer)now);
		else if (!foretell_gone(change, repo, commit, now, error))
			return FALSE;
	}
	return TRUE;
}

static gint by_path(gconstpointer a, gconstpointer b)
{
	const MlvTracked *first = *(const MlvTracked *const *)a,
			 *second = *(const MlvTracked *const *)b;

	return strcmp(first->path, second->path);
}

MlvSwitch *mlv_switch_new(MlvRepo *repo, const MlvOid *commit, gboolean force, GError **error)
{
	g_autoptr(MlvSwitch) change = g_new0(MlvSwitch, 1);

	change->after = g_ptr_array_new();
	change->gone = g_ptr_array_new();
	change->sure = g_ptr_array_new();
	change->taken = g_ptr_array_new();
	change->before = mlv_git_pointers_in_workspace(repo, FALSE, error);
	change->target = change->before ? mlv_git_pointers_in_commit(repo, commit, error) : NULL;
	g_autoptr(GPtrArray) head = change->target ? mlv_git_pointers_in_head(repo, error) : NULL;
	if (!head || !foretell(change, repo, commit, head, force, error))
		return NULL;
	g_ptr_array_sort(change->after, by_path);
	for (guint i = 0; i < change->after->len; i++) {
		MlvTracked *tracked = change->after->pdata[i];
		gboolean tracks;
		if (!mlv_git_tracks(repo, tracked->path, &tracks, NULL, error))
			return NULL;
		/* A lock that cannot be read stands under its own path. */
		if (!tracks || (tracked->lock && tracked->error))
			g_ptr_array_add(change->sure, tracked);
	}
	return g_steal_pointer(&change);
}

void mlv_switch_free(MlvSwitch *change)
{
	if (!change)
		return;
	g_clear_pointer(&change->before, g_ptr_array_unref);
	g_clear_pointer(&change->target, g_ptr_array_unref);
	g_ptr_array_unref(change->after);
	g_ptr_array_unref(change->gone);
	g_ptr_array_unref(change->sure);
	g_ptr_array_unref(change->taken);
	g_free(change);
}

gboolean mlv_switch_run(MlvRepo *repo, const char *word, gboolean force, gboolean quiet,
			GError **error)
{
	const char *argv[6] = { "checkout" };
	guint count = 1;

	if (force)
		argv[count++] = "--force";
	if (quiet)
		argv[count++] = "--quiet";
	argv[count++] = word;
	argv[count++] = "--";
	mlv_staging_recover(repo);
	/* Without its output on our stdout, which is for results. */
	g_autoptr(GBytes) output = NULL;
	return quiet ? mlv_git_capture(repo, argv, NULL, &output, NULL, error)
		     : mlv_git_run(repo, argv, error);
}

gboolean mlv_switch_holds(const MlvSwitch *change, MlvRepo *repo, gboolean *holds, GError **error)
{
	g_autoptr(GPtrArray) now = mlv_git_pointers_in_workspace(repo, FALSE, error);

	if (!now)
		return FALSE;
	*holds = now->len == change->after->len;
	for (guint i = 0; *holds && i < now->len; i++) {
		const MlvTracked *a = now->pdata[i], *b = change->after->pdata[i];
		*holds = strcmp(a->path, b->path) == 0 && same_pointer(usable(a), usable(b));
	}
	return TRUE;
}
