/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Switching to another revision: git's branch or commit and the data with it. Git itself
 * switches (its own rules on local changes hold); what it will do to the pointers is foretold,
 * so that data that is unsaved or not here is refused before anything has changed.
 *
 * Main thread.
 */
#ifndef MLV_CORE_SWITCH_H
#define MLV_CORE_SWITCH_H

#include "core/checkout.h"
#include "core/local.h"

typedef struct {
	GPtrArray *before; /* pointers of the work tree now */
	GPtrArray *after;  /* what they will be; elements borrowed from the others */
	GPtrArray *target; /* the revision's */
	GPtrArray *gone;   /* those that will be gone; borrowed from before */
	GPtrArray *taken;  /* of these, those whose path git itself has in the revision; borrowed */
	/* Of `after`, those whose path is not git's now: what is there can be judged before git
	 * switches. Borrowed. */
	GPtrArray *sure;
} MlvSwitch;

/* Whether `word` is something that `git checkout` switches to: a revision, "-", or a branch that
 * exactly one remote has. No is success with *found FALSE. */
gboolean mlv_switch_find(MlvRepo *repo, const char *word, MlvOid *commit, gboolean *found,
			 GError **error);

MlvSwitch *mlv_switch_new(MlvRepo *repo, const MlvOid *commit, gboolean force, GError **error);
void mlv_switch_free(MlvSwitch *change);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvSwitch, mlv_switch_free)

/* Runs git. `quiet` keeps it from saying what it did. */
gboolean mlv_switch_run(MlvRepo *repo, const char *word, gboolean force, gboolean quiet,
			GError **error);
/* Whether the pointers are as foretold now. */
gboolean mlv_switch_holds(const MlvSwitch *change, MlvRepo *repo, gboolean *holds, GError **error);

#endif
