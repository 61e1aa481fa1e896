/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every command has in its hands.
 *
 * A command is one file cmd/cmd_<name>.c with one function and one line in cmd/commands.def:
 *
 *	gboolean mlv_cmd_du(MlvCmd *cmd, int argc, char **argv, GError **error)
 *	{
 *		struct options opt = { 0 };
 *		const GOptionEntry entries[] = {
 *			{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print JSON", NULL },
 *			{ NULL },
 *		};
 *		MlvRepo *repo;
 *
 *		if (!mlv_options_parse(cmd, entries, &argc, &argv, "[[REV:]PATH...]", error))
 *			return FALSE;
 *		repo = mlv_cmd_open_repo(cmd, error);
 *		...
 *	}
 *
 * mlv_options_parse() comes first and before any effect: help and completion call a command only
 * to see its options. argv[0] is the command's name. FALSE means *error is set, and main prints
 * it, once; a command prints results to stdout with stdio and remarks with mlv_ui_note() and
 * mlv_ui_warn(). All of this is for the main thread.
 */
#ifndef MLV_CMD_CMD_H
#define MLV_CMD_CMD_H

#include <signal.h>

#include "cmd/options.h"
#include "cmd/ui.h"
#include "core/repo.h"

/* Exit statuses, as DESIGN section 8 has them. */
enum {
	MLV_EXIT_DONE = 0,
	MLV_EXIT_CHECK = 1, /* done, and a check failed or something is missing */
	MLV_EXIT_CANNOT = 128,
	MLV_EXIT_USAGE = 129,
};

typedef enum {
	MLV_GROUP_START,
	MLV_GROUP_WORK,
	MLV_GROUP_LOOK,
	MLV_GROUP_RUN,
	MLV_GROUP_SHARE,
	MLV_GROUP_KEEP,
	MLV_GROUP_HELP,
} MlvGroup;

/* Flags of a command. */
enum {
	MLV_CMD_HIDDEN = 1 << 0, /* called by git or by scripts: not listed, not completed */
};

typedef struct {
	const char *name;
	gboolean (*run)(MlvCmd *cmd, int argc, char **argv, GError **error);
	MlvGroup group;
	guint flags;
	const char *summary; /* lower case, no full stop */
} MlvCommand;

struct MlvCmd {
	const MlvCommand *command;
	char *name;        /* "add", "remote add": for messages. Owned */
	MlvUi *ui;         /* borrowed */
	guint jobs;        /* -j; 0: not said. Use mlv_cmd_jobs() */
	int status;        /* exit status of a command that returns TRUE; 0 unless it sets it */
	gboolean answered; /* -h was answered: MLV_ERROR_SILENT then exits 0 */
	const volatile sig_atomic_t
		*cancel;     /* not 0 once SIGINT or SIGTERM came; may be read in any thread */
	MlvOptions *options; /* what mlv_options_parse() keeps; owned */
	MlvRepo *repo;       /* what mlv_cmd_open_repo() keeps; owned */
};

/* All commands; the row after the last has no name. */
extern const MlvCommand mlv_commands[];
/* The row of that very name, or NULL. */
const MlvCommand *mlv_command_find(const char *name);
/* The listed command whose name is nearest to `name`, or NULL where none is near. */
const char *mlv_command_nearest(const char *name);
/* Prints the grouped list of commands and the program's options. */
void mlv_command_list(FILE *out);

/* The repository that the current folder is in, opened at the first call and then the same one;
 * `cmd` keeps it. NULL with *error outside of one. */
MlvRepo *mlv_cmd_open_repo(MlvCmd *cmd, GError **error);
/* Lets work on a repository's remotes be interrupted, and warn, as the command does. */
void mlv_cmd_serve(MlvCmd *cmd, MlvRepo *repo);
/* Threads to use: -j, else mlv.jobs of the repository if it is open, else 0, which means one a
 * core. */
gboolean mlv_cmd_jobs(MlvCmd *cmd, guint *jobs, GError **error);
/* For long loops: FALSE with MLV_ERROR_CANCELLED once the command was interrupted, or with
 * MLV_ERROR_FAILED once stdout cannot be written. */
gboolean mlv_cmd_keep_going(MlvCmd *cmd, GError **error);
/* Writes bytes to stdout; FALSE with *error once it cannot be written (a closed pipe is among
 * that). */
gboolean mlv_cmd_write(MlvCmd *cmd, const void *bytes, gsize length, GError **error);

void mlv_cmd_context_init(MlvCmd *cmd, const MlvCommand *command, MlvUi *ui,
			  const volatile sig_atomic_t *cancel);
void mlv_cmd_context_clear(MlvCmd *cmd);

#define ROW(function, name, group, flags, summary) \
	gboolean mlv_cmd_##function(MlvCmd *cmd, int argc, char **argv, GError **error);
#include "cmd/commands.def"
#undef ROW

#endif
