/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a command writes one large result: a file that appears under its name only when it is
 * whole, or the standard output.
 *
 *	g_autoptr(MlvOutputFile) out = mlv_output_file_open(cmd, opt.output, "an archive", error);
 *	mlv_output_file_write(data, length, out, error) ...
 *	mlv_output_file_close(out, TRUE, error)
 */
#ifndef MLV_CMD_OUTPUT_FILE_H
#define MLV_CMD_OUTPUT_FILE_H

#include "cmd/cmd.h"

typedef struct MlvOutputFile MlvOutputFile;

/* `file` NULL or "-" is the standard output, which must be no terminal; `what` is for that message.
 * Something that is no regular file (a device, a pipe) is written to as it is. */
MlvOutputFile *mlv_output_file_open(MlvCmd *cmd, const char *file, const char *what,
				    GError **error);
/* `user` is the MlvOutputFile: the shape of the sinks in core. */
gboolean mlv_output_file_write(const void *data, gsize length, gpointer user, GError **error);
/* Everything is written: `sync` makes it durable first. The file gets its name, replacing
 * another. */
gboolean mlv_output_file_close(MlvOutputFile *out, gboolean sync, GError **error);
/* Frees; the temporary file of one that was not closed is removed. */
void mlv_output_file_free(MlvOutputFile *out);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvOutputFile, mlv_output_file_free)

#endif
