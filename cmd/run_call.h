/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the forms of `mlv run` share: one run from beginning to end, and many in clean work trees.
 */
#ifndef MLV_CMD_RUN_CALL_H
#define MLV_CMD_RUN_CALL_H

#include "cmd/cmd.h"
#include "core/run/recorder.h"
#include "core/run/run_grid.h"

typedef struct {
	MlvCmd *cmd;
	MlvRepo *repo;
	char *name;       /* -n, or NULL */
	gboolean stages;  /* `words` are targets, not a command */
	GPtrArray *words; /* of char *, borrowed */
	GPtrArray *axes;  /* of MlvGridAxis * */
	gboolean force;   /* stages run even if nothing changed */
	gboolean json;
	guint64 max_file, max_log;
	MlvValue *environment;
} MlvRunCall;

/* Reads what configuration has to say, and the environment. */
gboolean mlv_run_call_prepare(MlvRunCall *call, GError **error);
void mlv_run_call_clear(MlvRunCall *call);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MlvRunCall, mlv_run_call_clear)
void mlv_run_call_options(MlvRunCall *call, MlvRecorderOptions *options);

/* A record for combination `number`; its changes are set, its name is made unless given. */
MlvRun *mlv_run_call_new_run(MlvRunCall *call, guint number, MlvValue *changes);

/* In the work tree as it is; changed parameters stay. Sets cmd->status. */
gboolean mlv_run_call_here(MlvRunCall *call, GError **error);
/* A queued run, in the clean work tree that we stand in. Sets cmd->status. */
gboolean mlv_run_call_worker(MlvRunCall *call, const char *name, GError **error);
/* Queues each combination; *names are those of the runs, of char *. */
gboolean mlv_run_call_queue(MlvRunCall *call, GPtrArray *names, GError **error);
/* Runs queued ones, `jobs` at once, each in a clean work tree. Sets cmd->status. */
gboolean mlv_run_call_many(MlvRunCall *call, const GPtrArray *names, guint jobs, GError **error);

/* Says on stderr (or, with json, prints) how a run has ended. */
gboolean mlv_run_call_tell(MlvRunCall *call, const MlvRun *run, const MlvOid *record,
			   GError **error);

/* The program that is running: absolute path. Caller frees. */
char *mlv_run_call_self(void);

#endif
