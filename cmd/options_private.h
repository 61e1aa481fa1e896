/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of cmd/options*.c share: splitting argv, the common entries, and seeing a
 * command without running it. Nobody else includes this.
 */
#ifndef MLV_CMD_OPTIONS_PRIVATE_H
#define MLV_CMD_OPTIONS_PRIVATE_H

#include "cmd/cmd.h"

struct MlvOptions {
	char *synopsis;   /* the first line of what the command gave; NULL before that */
	char *examples;   /* the lines after it, or NULL */
	GArray *entries;  /* GOptionEntry: the command's and the common ones */
	GPtrArray *words; /* argv[0] and the plain words; borrowed from argv, NULL-ended */
	guint separator;  /* how many of `words` stand before "--" */
	gboolean has_separator;
	GPtrArray *seen; /* being seen, not run: where to put it. Borrowed */
};

/* What a walk over the words gives: options, each a word of its own, and the rest. */
typedef struct {
	GPtrArray *options; /* owned strings */
	GPtrArray *words;   /* borrowed */
	int end;            /* index of the first word not looked at */
	guint separator;
	gboolean has_separator;
	gboolean rest; /* behind the first plain word there are no options: they are a command's */
} MlvOptionsSplit;

/* Parts options from words; the arrays of `split` are the caller's. With `leading` the first
 * plain word ends it. */
gboolean mlv_options_split(MlvOptionsSplit *split, const GOptionEntry *entries, gboolean leading,
			   int argc, char **argv, GError **error);
/* The entry of that name or letter, or NULL. */
const GOptionEntry *mlv_options_find_long(const GOptionEntry *entries, const char *name,
					  gsize length);
const GOptionEntry *mlv_options_find_short(const GOptionEntry *entries, char letter);

/* Keeps the first line as the synopsis, the others as examples. */
void mlv_options_set_synopsis(MlvOptions *options, const char *synopsis);
/* Notes a command in options->seen. `synopsis` and `entries` are NULL for one that is made of
 * others. */
void mlv_options_add_seen(MlvCmd *cmd, const char *summary, const char *synopsis, GArray *entries);

#endif
