/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs that nobody has touched since this program wrote or verified them: their stat data are
 * remembered, so that blocks can be shared with the work tree without reading them first. The
 * file <store>/untouched is a cache: whatever is wrong with it or a pack's stat data only means
 * that bytes are read and checked. Not for remotes.
 *
 * The file: records of 72 bytes, appended: the pack's name[32]; size, inode u64, mtime, ctime
 * i64 (nanoseconds since 1970), little-endian; the first 8 bytes of the SHA-256 of the record so
 * far. The last of a name counts.
 */
#ifndef MLV_STORAGE_UNTOUCHED_H
#define MLV_STORAGE_UNTOUCHED_H

#include "storage/id.h"

typedef struct MlvUntouched MlvUntouched;

/* `store` is the store's directory, borrowed. Never fails. */
MlvUntouched *mlv_untouched_open(int store);
void mlv_untouched_close(MlvUntouched *untouched);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvUntouched, mlv_untouched_close)

/* Whether the open pack is in the state that was noted. Thread safe. */
gboolean mlv_untouched_holds(const MlvUntouched *untouched, const MlvId *pack, int fd);
/* Notes the state of a pack that was just written and published, or verified as a whole. Failure
 * is not told: it costs time only. Any number of processes. */
void mlv_untouched_note(int store, const MlvId *pack, int fd);

#endif
