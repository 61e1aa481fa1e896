/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's own options, which stand before the command: what they are, and their effect.
 */
#ifndef MLV_CMD_PROGRAM_H
#define MLV_CMD_PROGRAM_H

#include "cmd/cmd.h"

typedef struct {
	char **folders;  /* -C, in order */
	char **settings; /* -c */
	gboolean quiet, verbose, no_color, version, usage, help;
	int jobs;
} MlvProgramOptions;

void mlv_program_options_clear(MlvProgramOptions *opt);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MlvProgramOptions, mlv_program_options_clear)

/* The entries that fill `opt`; `opt` must live as long as they do. Caller unrefs. */
GArray *mlv_program_options_entries(MlvProgramOptions *opt);
/* Changes the folder, sets up `ui`, and hands -c on: to the configuration reader and to every git
 * that is started, in git's own variables. Before any thread is started. */
gboolean mlv_program_options_apply(const MlvProgramOptions *opt, MlvUi *ui, GError **error);

#endif
