/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command's words: options, sub-commands, and what stands before and after "--".
 *
 * Options are GOption entries on the stack that point into a local struct. Differences from
 * GOption: values are bytes (ARG_STRING is taken as ARG_FILENAME, so a name that is not UTF-8
 * survives), `-j4` is `-j 4`, and usage, completion and the common options (-h, --help, -q, -v,
 * -j, --no-color) come with them. An entry with the same letter or name as a common option
 * replaces it.
 */
#ifndef MLV_CMD_OPTIONS_H
#define MLV_CMD_OPTIONS_H

#include <stdio.h>

#include <glib.h>

typedef struct MlvCmd MlvCmd;
typedef struct MlvOptions MlvOptions;

/* Parses and removes the options: then argv[0] is the name as before and argv[1] .. argv[argc -
 * 1] the other words, which `cmd` keeps. `synopsis` is what follows the options in the usage line
 * ("PATH...", "" for nothing); lines after its first are examples for -h. FALSE: the words are
 * wrong (MLV_ERROR_USAGE), or -h or --help has been answered (MLV_ERROR_SILENT). */
gboolean mlv_options_parse(MlvCmd *cmd, const GOptionEntry *entries, int *argc, char ***argv,
			   const char *synopsis, GError **error);

/* The same for a command that is given another program's words: from the first plain word on
 * nothing is an option of ours. */
gboolean mlv_options_parse_before(MlvCmd *cmd, const GOptionEntry *entries, int *argc, char ***argv,
				  const char *synopsis, GError **error);

/* The words that mlv_options_parse() left, argv[0] not among them. Borrowed from argv. */
typedef struct {
	char **before; /* before "--", or all where there is none */
	guint n_before;
	char **after; /* after "--" */
	guint n_after;
	gboolean separator; /* there was a "--" */
} MlvWords;

MlvWords mlv_options_words(const MlvCmd *cmd, int argc, char **argv);
/* Checks the number of words (before and after "--" together); `max` -1 is no limit. */
gboolean mlv_options_count(const MlvCmd *cmd, int argc, int min, int max, GError **error);

/* A command that is made of others: `mlv remote add`. The last row has no name. */
typedef struct {
	const char *name;
	gboolean (*run)(MlvCmd *cmd, int argc, char **argv, GError **error);
	const char *summary;
} MlvSubcommand;

/* Runs the row that argv[1] names with the words from there on. Without a word it runs `fallback`
 * (a name of a row), or fails with MLV_ERROR_USAGE if that is NULL. Each row's function calls
 * mlv_options_parse() as a command does. */
gboolean mlv_options_dispatch(MlvCmd *cmd, const MlvSubcommand *rows, const char *fallback,
			      int argc, char **argv, GError **error);

/* --- for main, help and completion ------------------------------------------------------------ */

/* What was seen of a command instead of running it. */
typedef struct {
	char *name; /* "add", "remote add" */
	char *summary;
	char *synopsis;  /* without the examples; NULL for a command that is made of others */
	GArray *entries; /* GOptionEntry, common ones included; their texts are static */
} MlvOptionsSeen;

/* Calls the command only to see its options, and those of its sub-commands: GPtrArray of
 * MlvOptionsSeen, to be freed by the caller with g_ptr_array_unref. */
GPtrArray *mlv_options_see(MlvCmd *cmd);
/* "usage: mlv add [OPTION...] PATH..." of the command as far as it was parsed; NULL if it never
 * was. Caller frees. */
char *mlv_options_usage_line(const MlvCmd *cmd);
/* Parses program-wide options, which end at the first other word. Returns the index of that word,
 * 0 on error. */
int mlv_options_parse_leading(const GOptionEntry *entries, int argc, char **argv, GError **error);
/* The name among `names` (NULL-ended) that is nearest to `word`, or NULL where none is near. */
const char *mlv_options_nearest(const char *word, const char *const *names);
/* Writes the options as two columns. */
void mlv_options_print(FILE *out, const GOptionEntry *entries);
MlvOptions *mlv_options_new(void);
void mlv_options_free(MlvOptions *options);

#endif
