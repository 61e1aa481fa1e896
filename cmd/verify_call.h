/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `mlv repro --verify`: a first mlv makes a clean work tree, starts a second one in it, and clears
 * away; that one runs the stages, compares, and tells.
 */
#ifndef MLV_CMD_VERIFY_CALL_H
#define MLV_CMD_VERIFY_CALL_H

#include "cmd/cmd.h"
#include "core/run/rebuild.h"

typedef struct {
	MlvCmd *cmd;
	const char *rev;    /* or a run */
	MlvWords targets;   /* before and after "--" */
	char **tolerances;  /* or NULL */
	const char *junit;  /* or NULL */
	const char *folder; /* of the worker: that of its work tree */
	gboolean json;
} MlvVerifyCall;

gboolean mlv_verify_call(const MlvVerifyCall *call, GError **error);
gboolean mlv_verify_call_worker(const MlvVerifyCall *call, GError **error);

/* What is verified. */
typedef struct {
	MlvRunEntry *run;             /* NULL: a commit */
	char commit[MLV_OID_HEX + 1]; /* the commit; of a run its record */
	char *begin;                  /* what is checked out */
	char *label;                  /* for people: "1a2b3c4", "run 'first'" */
} MlvVerifySubject;

/* Takes the word for a run's name or a revision; a run that has not ended well is an error. */
gboolean mlv_verify_subject_find(MlvVerifySubject *subject, MlvRepo *repo, const char *word,
				 GError **error);
void mlv_verify_subject_clear(MlvVerifySubject *subject);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MlvVerifySubject, mlv_verify_subject_clear)

/* --- verify_tell.c, verify_json.c, verify_junit.c --------------------------------------------- */

/* On stdout, for people. */
void mlv_verify_tell(const MlvVerifyCall *call, const MlvVerifySubject *subject,
		     const MlvRebuild *rebuild);
gboolean mlv_verify_json(const MlvVerifyCall *call, const MlvVerifySubject *subject,
			 const MlvRebuild *rebuild, GError **error);
/* Writes call->junit. */
gboolean mlv_verify_junit(const MlvVerifyCall *call, const MlvVerifySubject *subject,
			  const MlvRebuild *rebuild, GError **error);

/* "was 1a2b3c4d5e6f, is ...", "was not made": of one that differs. Caller frees. */
char *mlv_verify_out_text(const MlvRebuildOut *out);
/* "0.91 -> 0.93 (+0.02)". Caller frees. */
char *mlv_verify_metric_text(const MlvRebuildMetric *metric);
/* "the program is not deterministic: ...": what the layer means. Caller frees. */
char *mlv_verify_layer_text(const MlvRebuild *rebuild, MlvLayer layer, MlvRepeat repeat);

#endif
