/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs programs: git itself where git's own semantics are wanted, editors, hooks, signers. Always
 * by argument vectors, never through a shell (but for an editor, which git documents as a shell
 * command).
 */
#ifndef MLV_CORE_GIT_RUN_H
#define MLV_CORE_GIT_RUN_H

#include "core/repo.h"

/* The variable that tells `mlv hook` that mlv itself runs this git and will do the hook's work. */
#define MLV_HOOK_SKIP_VARIABLE "MLV_HOOK_SKIP"

/* Runs `git argv...` (argv without "git", NULL-terminated) in start_dir with our stdin, stdout and
 * stderr; a status other than 0 is an error with the status in its text. mlv's own hooks do nothing
 * meanwhile; others run. `repo` may be NULL (clone). */
gboolean mlv_git_run(const MlvRepo *repo, const char *const *argv, GError **error);
/* The same, `input` (may be NULL) to its stdin and its stdout into *output. *status (may be NULL:
 * then not 0 is an error with what git said on stderr) is the exit status. */
gboolean mlv_git_capture(const MlvRepo *repo, const char *const *argv, GBytes *input,
			 GBytes **output, int *status, GError **error);

/* Likewise for any program: words[0] is looked up on PATH. */
gboolean mlv_program_capture(const MlvRepo *repo, char **words, GBytes *input, GBytes **output,
			     int *status, GError **error);

/* Lets the user edit a file with git's editor (GIT_EDITOR, core.editor, VISUAL, EDITOR, vi). */
gboolean mlv_git_edit_file(const MlvRepo *repo, const char *file, GError **error);

#endif
