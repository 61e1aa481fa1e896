/* SPDX-License-Identifier: Apache-2.0 */
/* What fsck asks of the configured remotes. They are opened when the first question comes. For fsck
 * alone. */
#ifndef MLV_CORE_FSCK_REMOTE_H
#define MLV_CORE_FSCK_REMOTE_H

#include "core/repo.h"
#include "storage/id.h"

typedef enum {
	MLV_FSCK_HAS,
	MLV_FSCK_LACKS,   /* all of them do, or there is none */
	MLV_FSCK_UNKNOWN, /* one of them cannot be asked */
} MlvFsckAnswer;

typedef struct MlvFsckRemotes MlvFsckRemotes;
MlvFsckRemotes *mlv_fsck_remotes_new(MlvRepo *repo);
void mlv_fsck_remotes_free(MlvFsckRemotes *remotes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvFsckRemotes, mlv_fsck_remotes_free)

/* Whether a remote has the chunk, by its indexes. */
MlvFsckAnswer mlv_fsck_remotes_ask(MlvFsckRemotes *remotes, MlvKind kind, const MlvId *id);
/* The chunk from whichever has it, or NULL. An MlvCheckFetch with `user` the remotes. */
GBytes *mlv_fsck_remotes_fetch(MlvKind kind, const MlvId *id, gpointer user);
/* Why one could not be asked, or NULL. Borrowed. */
const char *mlv_fsck_remotes_trouble(const MlvFsckRemotes *remotes);

#endif
