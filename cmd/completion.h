/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may stand at a place of a command line, for the shells. The shells' scripts only ask; all
 * that is known comes from the table of commands and from the options and synopses that the
 * commands themselves give.
 */
#ifndef MLV_CMD_COMPLETION_H
#define MLV_CMD_COMPLETION_H

#include "cmd/cmd.h"

/* Prints the candidates for the last of `words` (words[0] is "mlv"), one a line: the word, and,
 * where there is one, a tab and what it means. A line ":files" says that names of files may stand
 * there too. */
void mlv_completion_candidates(MlvCmd *cmd, int count, char **words);

#endif
