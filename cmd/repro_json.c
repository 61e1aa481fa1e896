/* SPDX-License-Identifier: Apache-2.0 */
/* What `mlv repro --json` prints. */
#include "cmd/repro_tell.h"

static const char *const results[] = {
	[MLV_REPRO_KEPT] = "unchanged",
	[MLV_REPRO_FROZEN] = "frozen",
	[MLV_REPRO_RAN] = "ran",
	[MLV_REPRO_RESTORED] = "restored",
	[MLV_REPRO_FAILED] = "failed",
	[MLV_REPRO_SKIPPED] = "skipped",
	[MLV_REPRO_INTERRUPTED] = "interrupted",
};

static json_t *reasons_json(const GPtrArray *reasons)
{
	json_t *array = json_array();

	for (guint i = 0; reasons && i < reasons->len; i++) {
		const MlvReason *reason = reasons->pdata[i];
		g_autofree char *text = mlv_reason_text(reason);
		json_t *row = json_object();
		mlv_json_set_text(row, "reason", mlv_reason_name(reason->type));
		if (reason->what)
			mlv_json_set_path(row, "what", reason->what);
		if (reason->old)
			mlv_json_set_text(row, "old", reason->old);
		if (reason->new)
			mlv_json_set_text(row, "new", reason->new);
		mlv_json_set_text(row, "text", text);
		json_array_append_new(array, row);
	}
	return array;
}

static json_t *outs_json(const MlvLockStage *block)
{
	json_t *array = json_array();

	for (guint i = 0; block && i < block->outs->len; i++) {
		const MlvLockPath *out = block->outs->pdata[i];
		char hex[MLV_ID_HEX + 1];
		json_t *row = json_object();
		mlv_id_format(&out->held.ref.id, hex);
		g_autofree char *id = g_strconcat("sha256:", hex, NULL);
		mlv_json_set_path(row, "path", out->path);
		mlv_json_set_text(row, "id", id);
		mlv_json_set_size(row, "bytes", out->held.bytes);
		json_array_append_new(array, row);
	}
	return array;
}

void mlv_repro_json_add(const MlvReproTell *tell, const MlvReproOutcome *outcome)
{
	json_t *row = json_object();

	mlv_json_set_text(row, "stage", outcome->stage->address);
	mlv_json_set_text(row, "result", results[outcome->result]);
	json_object_set_new(row, "reasons", reasons_json(outcome->reasons));
	if (outcome->why)
		mlv_json_set_text(row, "why", outcome->why);
	if (outcome->status)
		json_object_set_new(row, "status", json_integer(outcome->status));
	if (outcome->duration > 0)
		json_object_set_new(row, "seconds",
				    json_real((double)outcome->duration / G_USEC_PER_SEC));
	if (!tell->dry_run)
		json_object_set_new(row, "outs", outs_json(outcome->block));
	if (outcome->trace)
		json_object_set_new(row, "trace", mlv_repro_trace_json(outcome->trace));
	json_array_append_new(tell->stages, row);
}

gboolean mlv_repro_json_print(const MlvReproTell *tell, const char *run,
			      const MlvReproTotals *totals, GError **error)
{
	json_t *document, *counts;

	document = mlv_json_new(tell->cmd);
	counts = json_object();
	mlv_json_set_bool(document, "dry_run", tell->dry_run);
	if (!tell->dry_run)
		mlv_json_set_text(document, "run", run);
	json_object_set(document, "stages", tell->stages);
	mlv_json_set_size(counts, "ran", totals->ran);
	mlv_json_set_size(counts, "restored", totals->restored);
	mlv_json_set_size(counts, "unchanged", totals->kept);
	mlv_json_set_size(counts, "frozen", totals->frozen);
	mlv_json_set_size(counts, "failed", totals->failed);
	mlv_json_set_size(counts, "skipped", totals->skipped);
	json_object_set_new(document, "totals", counts);
	return mlv_json_print(tell->cmd, document, error);
}
