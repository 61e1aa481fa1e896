/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a source into an archive: entries are given in their order, workers read the chunks ahead,
 * and the giving thread writes them, in order again. Memory is bounded by the number of threads,
 * whatever the sizes.
 *
 *	pump = mlv_archive_pump_new(writer, source, threads, cancel, moved, user);
 *	mlv_archive_pump_directory(pump, "data", error)
 *	mlv_archive_pump_entry(pump, "data/x", &entry, error) ...
 *	mlv_archive_pump_finish(pump, error)
 */
#ifndef MLV_CORE_ARCHIVE_PUMP_H
#define MLV_CORE_ARCHIVE_PUMP_H

#include <signal.h>

#include "core/archive_writer.h"
#include "storage/source.h"

/* So many more bytes of content and files have gone into the archive. */
typedef void (*MlvArchiveMoved)(guint64 bytes, guint64 files, gpointer user);

typedef struct MlvArchivePump MlvArchivePump;

/* Writer and source are borrowed; the source must be thread safe. threads 0: one a core.
 * `cancel` and `moved` may be NULL. */
MlvArchivePump *mlv_archive_pump_new(MlvArchiveWriter *writer, MlvSource *source, guint threads,
				     const volatile sig_atomic_t *cancel, MlvArchiveMoved moved,
				     gpointer user);
void mlv_archive_pump_free(MlvArchivePump *pump);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvArchivePump, mlv_archive_pump_free)

gboolean mlv_archive_pump_directory(MlvArchivePump *pump, const char *path, GError **error);
/* A file or symlink; its content is read from the source and checked. */
gboolean mlv_archive_pump_entry(MlvArchivePump *pump, const char *path, const MlvTreeEntry *entry,
				GError **error);
/* The same from memory; takes a reference. `mode` is no directory's. */
gboolean mlv_archive_pump_bytes(MlvArchivePump *pump, const char *path, MlvMode mode, GBytes *bytes,
				GError **error);
/* Waits until all is written, and ends the archive. */
gboolean mlv_archive_pump_finish(MlvArchivePump *pump, GError **error);

#endif
