/* SPDX-License-Identifier: Apache-2.0 */
/* How `mlv status` is printed: long, short or as JSON. */
#ifndef MLV_CMD_STATUS_PRINT_H
#define MLV_CMD_STATUS_PRINT_H

#include "cmd/cmd.h"
#include "cmd/ui_json.h"
#include "cmd/ui_progress.h"
#include "core/status.h"

typedef struct {
	MlvCmd *cmd;
	gboolean brief, zero, json;
	gboolean limited; /* paths were given */
	/* private */
	MlvRepo *repo;
	MlvProgress *progress;
	GPtrArray *rows; /* StatusRow */
	json_t *problems;
	guint64 not_remote; /* files or targets that are not on the remote */
	char *remote_name;
} MlvStatusPrint;

void mlv_status_print_init(MlvStatusPrint *print, MlvRepo *repo);
void mlv_status_print_take(MlvStatusPrint *print, MlvStatusPart part, const MlvChange *change,
			   const char *why);
/* Something that is not on the remote. */
void mlv_status_print_take_remote(MlvStatusPrint *print, const MlvChange *change);
void mlv_status_print_problem(MlvStatusPrint *print, const char *path, const char *why);
/* Asks the default remote which staged targets it lacks. */
gboolean mlv_status_print_remote(MlvStatusPrint *print, MlvLocal *local, const MlvPathspec *paths,
				 GError **error);
gboolean mlv_status_print_end(MlvStatusPrint *print, const MlvStatusResult *result, GError **error);
void mlv_status_print_clear(MlvStatusPrint *print);

#endif
