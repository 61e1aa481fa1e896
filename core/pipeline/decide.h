/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a stage has to run, and why: what it consists of now against what its lock recorded.
 *
 *	mlv_decide_ask(&context, number, error);          for many stages, then once:
 *	mlv_held_look(context.held, error);
 *	g_autoptr(MlvStageNow) now = mlv_decide(&context, number, error);
 *	if (now->reasons->len > 0) ...
 *
 * Main thread.
 */
#ifndef MLV_CORE_PIPELINE_DECIDE_H
#define MLV_CORE_PIPELINE_DECIDE_H

#include "core/pipeline/graph.h"
#include "core/pipeline/held.h"
#include "core/pipeline/lock.h"

typedef enum {
	MLV_REASON_FORCED,
	MLV_REASON_NEVER,       /* its lock knows nothing of it */
	MLV_REASON_CONFLICT,    /* a merge left two versions there */
	MLV_REASON_ALWAYS,      /* always_changed */
	MLV_REASON_NO_INPUTS,   /* it has neither dependencies nor outputs */
	MLV_REASON_CMD,         /* changed */
	MLV_REASON_DEP_NEW,     /* it is a dependency only now: declared, or matched by a pattern */
	MLV_REASON_DEP_GONE,    /* it is none any more */
	MLV_REASON_DEP_CHANGED, /* its content, or executable bit */
	MLV_REASON_DEP_MISSING, /* it is not here, and nothing says what it was */
	MLV_REASON_DEP_MADE,    /* another stage is about to make it anew (only without running) */
	MLV_REASON_PARAM_NEW,
	MLV_REASON_PARAM_GONE,
	MLV_REASON_PARAM_CHANGED,
	MLV_REASON_OUT_NEW, /* declared, and not recorded */
	MLV_REASON_OUT_MISSING,
	MLV_REASON_OUT_CHANGED,
} MlvReasonType;

typedef struct {
	MlvReasonType type;
	char *what; /* a path, "FILE:KEY" of a parameter, a stage's address; or NULL */
	char *old;  /* the first digits of an id, or a value; NULL: nothing */
	char *new;
} MlvReason;
void mlv_reason_free(MlvReason *reason);
/* "dep-changed": for programs. */
const char *mlv_reason_name(MlvReasonType type);
/* "'data.csv' has changed (1a2b3c4d5e6f -> ...)": for people. Caller frees. */
char *mlv_reason_text(const MlvReason *reason);

/* What a stage consists of now. */
typedef struct {
	guint number;
	GPtrArray *deps;    /* of MlvLockPath *, sorted: those that are known */
	GPtrArray *params;  /* of MlvParam *, sorted */
	GPtrArray *missing; /* of char *: dependencies that are not here, or not wholly */
	GPtrArray
		*made; /* of char *: those that another stage is about to make (without running) */
	GPtrArray *reasons; /* of MlvReason *; none: there is nothing to do */
	gboolean only_outs; /* it has all it had, and its outputs alone are not as recorded */
} MlvStageNow;
void mlv_stage_now_free(MlvStageNow *now);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvStageNow, mlv_stage_now_free)

typedef struct {
	const MlvPipeline *pipeline;
	MlvHeldSet *held;
	MlvParamsCache *params;
	/* The lock's block of a stage, or NULL. Borrowed. */
	const MlvLockStage *(*recorded)(const MlvStage *stage, gpointer user);
	/* What a URL's ETag is now; caller frees. NULL with *error. */
	char *(*etag)(const char *url, gpointer user, GError **error);
	/* Whether the stage is about to run (without running); may be NULL. */
	gboolean (*about_to_run)(guint number, gpointer user);
	gpointer user;
	gboolean force;
} MlvDecideContext;

/* Asks context->held for whatever the stage's state is made of. Errors: a pattern without a
 * match, a dependency that is no folder and should be. */
gboolean mlv_decide_ask(const MlvDecideContext *context, guint number, GError **error);
/* The same but for its outputs. */
gboolean mlv_decide_ask_inputs(const MlvDecideContext *context, guint number, GError **error);
/* What it is now, and why it has to run. */
MlvStageNow *mlv_decide(const MlvDecideContext *context, guint number, GError **error);
/* The same without a word on reasons: after the stage ran, to see whether its inputs are what they
 * were. */
MlvStageNow *mlv_decide_inputs(const MlvDecideContext *context, guint number, GError **error);
/* The first input that differs, or NULL. Caller frees. */
char *mlv_decide_difference(const MlvStageNow *before, const MlvStageNow *after);

#endif
