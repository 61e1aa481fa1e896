/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Git hooks: running them as git does, and installing those of mlv so that existing ones stay.
 *
 * A hook that was there before keeps its text: it is moved to "<hook>.mlv-chained" and run first,
 * with the same arguments and input; uninstalling moves it back. The scripts are plain sh and call
 * `mlv hook <name> "$@"`.
 */
#ifndef MLV_CORE_HOOK_H
#define MLV_CORE_HOOK_H

#include "core/repo.h"

typedef struct {
	const char *const *argv; /* without the hook's name, NULL-terminated; may be NULL */
	const char *index_file;  /* GIT_INDEX_FILE; may be NULL */
	GBytes *input;           /* its stdin; NULL: nothing */
	gboolean no_editor;      /* sets GIT_EDITOR=: */
} MlvHookCall;

/* Runs $GIT_COMMON_DIR/hooks/<name> (or that of core.hooksPath) if it is there and executable: in
 * the root, with stdout on stderr as git has it. *ran (may be NULL) tells. A status other than 0 is
 * MLV_ERROR_CHECK. */
gboolean mlv_hook_run(MlvRepo *repo, const char *name, const MlvHookCall *call, gboolean *ran,
		      GError **error);

/* The folder of hooks, absolute; *foreign (may be NULL) tells that core.hooksPath puts it outside
 * of the repository, where other repositories may share it. Caller frees. */
char *mlv_hook_dir(const MlvRepo *repo, gboolean *foreign);

typedef enum {
	MLV_HOOK_ABSENT,
	MLV_HOOK_INSTALLED,
	MLV_HOOK_CHAINED,  /* installed, and runs the one that was there before */
	MLV_HOOK_OTHER,    /* a hook of somebody else's, without ours */
	MLV_HOOK_OUTDATED, /* ours, from another version of mlv */
} MlvHookState;

/* "pre-commit", "post-checkout", "post-merge", "post-rewrite", "pre-push", NULL. */
const char *const *mlv_hook_names(void);
MlvHookState mlv_hook_state(const MlvRepo *repo, const char *name);
/* Installs all (idempotent), sets merge.mlv.driver ("mlv hook merge %O %A %B %P") and
 * diff.mlv.command ("mlv hook diff") in the local configuration, and adds "*.mlv merge=mlv diff=mlv
 * -text" to $GIT_COMMON_DIR/info/attributes. A folder that other repositories may share is refused
 * unless `allow_foreign`. */
gboolean mlv_hook_install(MlvRepo *repo, gboolean allow_foreign, GError **error);
/* Takes away exactly what install made; what was there before is as it was. */
gboolean mlv_hook_uninstall(MlvRepo *repo, GError **error);
/* Whether the drivers are configured. */
gboolean mlv_hook_drivers_installed(const MlvRepo *repo);

#endif
