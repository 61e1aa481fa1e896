/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping a copy of what a program made while it runs, as it is at that moment, in the run's
 * folder. Needs neither git nor a repository.
 */
#ifndef MLV_CORE_MEASURE_ARTIFACT_H
#define MLV_CORE_MEASURE_ARTIFACT_H

#include "storage/error.h"

/* Folders within folders that are followed. */
#define MLV_ARTIFACT_DEPTH_MAX 64

/* Copies (or, where the file system can, clones) a file, or a folder with all that is in it, to
 * `name` below the folder `dir`: each file appears whole, in the place of what was there. Symbolic
 * links in a folder stay what they are; the folder `dir` itself is passed over, and so is what is
 * neither file, folder nor link. `path` is as the user wrote it; `name` a relative path without "."
 * and ".." parts. */
gboolean mlv_artifact_keep(int dir, const char *name, const char *path, GError **error);

#endif
