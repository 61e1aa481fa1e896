/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of `mlv status`, shared by cmd/status_print.c and cmd/status_json.c. */
#ifndef MLV_CMD_STATUS_ROWS_H
#define MLV_CMD_STATUS_ROWS_H

#include "cmd/status_print.h"

#define PART_REMOTE 4 /* behind MlvStatusPart: not on the remote */
#define N_PARTS     5

typedef struct {
	guint part;
	MlvChangeKind kind;
	char *path, *from_path, *why;
	guint64 bytes, files;
	gboolean directory;
} StatusRow;

/* Prints all as one document. */
gboolean mlv_status_print_json(MlvStatusPrint *print, const MlvStatusResult *result,
			       GError **error);

#endif
