/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/run_record.h"

#include <math.h>
#include <string.h>

#define VERSION   1
#define WORDS_MAX 100000u

static const char *const state_names[] = {
	[MLV_RUN_QUEUED] = "queued", [MLV_RUN_RUNNING] = "running",         [MLV_RUN_DONE] = "done",
	[MLV_RUN_FAILED] = "failed", [MLV_RUN_INTERRUPTED] = "interrupted",
};

static MlvValue *empty_map(void)
{
	return mlv_value_new_map(g_array_new(FALSE, FALSE, sizeof(MlvEntry)));
}

MlvRun *mlv_run_new(const char *name)
{
	MlvRun *run = g_new0(MlvRun, 1);

	run->name = g_strdup(name);
	run->words = g_ptr_array_new_with_free_func(g_free);
	run->folder = g_strdup("");
	run->status = MLV_RUN_STATUS_NONE;
	run->changes = empty_map();
	run->params = empty_map();
	run->metrics = empty_map();
	run->outs = empty_map();
	return run;
}

void mlv_run_free(MlvRun *run)
{
	if (!run)
		return;
	g_free(run->name);
	g_ptr_array_unref(run->words);
	g_free(run->folder);
	g_free(run->base);
	g_free(run->machine);
	g_free(run->boot);
	g_clear_pointer(&run->changes, mlv_value_unref);
	g_clear_pointer(&run->params, mlv_value_unref);
	g_clear_pointer(&run->metrics, mlv_value_unref);
	g_clear_pointer(&run->outs, mlv_value_unref);
	g_free(run);
}

const char *mlv_run_state_name(MlvRunState state)
{
	return state_names[state];
}

gboolean mlv_run_state_parse(const char *name, MlvRunState *state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(state_names); i++)
		if (strcmp(name, state_names[i]) == 0) {
			*state = (MlvRunState)i;
			return TRUE;
		}
	return FALSE;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void put_key(GString *out, const char *key)
{
	g_string_append_printf(out, ",\n \"%s\": ", key);
}

static void put_text(GString *out, const char *key, const char *text)
{
	if (!text)
		return;
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	put_key(out, key);
	mlv_value_append_json_string(out, valid, strlen(valid));
}

static void put_int(GString *out, const char *key, gint64 number)
{
	put_key(out, key);
	g_string_append_printf(out, "%" G_GINT64_FORMAT, number);
}

static void put_value(GString *out, const char *key, const MlvValue *value)
{
	g_autofree char *json = mlv_value_json(value);
	put_key(out, key);
	g_string_append(out, json);
}

static void put_words(GString *out, const MlvRun *run)
{
	put_key(out, run->stages ? "stages" : "command");
	g_string_append_c(out, '[');
	for (guint i = 0; i < run->words->len; i++) {
		g_autofree char *valid = g_utf8_make_valid(run->words->pdata[i], -1);
		if (i > 0)
			g_string_append(out, ", ");
		mlv_value_append_json_string(out, valid, strlen(valid));
	}
	g_string_append_c(out, ']');
}

char *mlv_run_time_text(gint64 milliseconds)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(milliseconds / 1000);
	g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S") : NULL;

	return text ? g_strdup_printf("%s.%03dZ", text, (int)(milliseconds % 1000)) : g_strdup("");
}

static void put_time(GString *out, const char *key, gint64 milliseconds)
{
	g_autofree char *text = mlv_run_time_text(milliseconds);
	put_text(out, key, text);
}

char *mlv_run_format(const MlvRun *run)
{
	g_autoptr(GString) out = g_string_new(NULL);

	g_string_append_printf(out, "{\"mlv-run\": %d", VERSION);
	put_text(out, "name", run->name);
	put_text(out, "state", mlv_run_state_name(run->state));
	put_words(out, run);
	put_text(out, "folder", run->folder);
	put_text(out, "base", run->base);
	put_time(out, "created", run->created);
	if (run->started > 0)
		put_time(out, "started", run->started);
	if (run->state >= MLV_RUN_DONE) {
		put_int(out, "milliseconds", run->duration);
		if (run->status != MLV_RUN_STATUS_NONE)
			put_int(out, "status", run->status);
	}
	put_text(out, "machine", run->machine);
	if (run->state == MLV_RUN_RUNNING) {
		put_int(out, "pid", run->pid);
		put_text(out, "boot", run->boot);
	}
	put_value(out, "changes", run->changes);
	put_value(out, "params", run->params);
	put_value(out, "metrics", run->metrics);
	put_value(out, "outs", run->outs);
	g_string_append(out, "}\n");
	return g_string_free(g_steal_pointer(&out), FALSE);
}

/* --- reading ---------------------------------------------------------------------------------- */

static gboolean bad(GError **error, const char *label, const char *what)
{
	return mlv_fail(error, MLV_ERROR_CORRUPT, "%s is no record of a run: %s", label, what);
}

static char *get_text(const MlvValue *root, const char *key)
{
	const MlvValue *value = mlv_value_get(root, key);
	return mlv_value_is(value, MLV_VALUE_STRING) ? g_strdup(value->text) : NULL;
}

static gint64 get_int(const MlvValue *root, const char *key, gint64 fallback)
{
	const MlvValue *value = mlv_value_get(root, key);
	return mlv_value_is(value, MLV_VALUE_INT) && !value->big ? value->integer : fallback;
}

static gint64 get_time(const MlvValue *root, const char *key)
{
	g_autofree char *text = get_text(root, key);
	g_autoptr(GTimeZone) zone = g_time_zone_new_utc();
	g_autoptr(GDateTime) time = text ? g_date_time_new_from_iso8601(text, zone) : NULL;

	if (!time)
		return 0;
	return g_date_time_to_unix(time) * 1000 + g_date_time_get_microsecond(time) / 1000;
}

/* A map, as it is; absent is an empty one, as it was before. */
static gboolean take_map(const MlvValue *root, const char *key, MlvValue **map)
{
	const MlvValue *value = mlv_value_get(root, key);

	if (!value)
		return TRUE;
	if (!mlv_value_is(value, MLV_VALUE_MAP))
		return FALSE;
	mlv_value_unref(*map);
	*map = mlv_value_ref(value);
	return TRUE;
}

static gboolean take_words(const MlvValue *root, MlvRun *run)
{
	const MlvValue *words = mlv_value_get(root, "command");

	if (!words) {
		words = mlv_value_get(root, "stages");
		run->stages = TRUE;
	}
	if (!mlv_value_is(words, MLV_VALUE_LIST) || words->length > WORDS_MAX)
		return FALSE;
	for (gsize i = 0; i < words->length; i++) {
		if (!mlv_value_is(words->items[i], MLV_VALUE_STRING))
			return FALSE;
		g_ptr_array_add(run->words, g_strdup(words->items[i]->text));
	}
	return TRUE;
}

static gboolean take_base(const MlvValue *root, MlvRun *run)
{
	run->base = get_text(root, "base");
	return !run->base ||
	       (strlen(run->base) == 40 && strspn(run->base, "0123456789abcdef") == 40);
}

/* A folder below the root, without steps out of it. */
static gboolean take_folder(const MlvValue *root, MlvRun *run)
{
	char *folder = get_text(root, "folder");

	if (!folder)
		return TRUE;
	g_free(run->folder);
	run->folder = folder;
	g_auto(GStrv) parts = g_strsplit(folder, "/", -1);
	for (char **part = parts; *part; part++)
		if (strcmp(*part, "..") == 0 || strcmp(*part, ".git") == 0)
			return FALSE;
	return *folder != '/';
}

static gboolean take_members(const MlvValue *root, MlvRun *run, const char *label, GError **error)
{
	g_autofree char *state = get_text(root, "state");

	if (!state || !mlv_run_state_parse(state, &run->state))
		return bad(error, label, "its state is none that there is");
	if (!take_words(root, run))
		return bad(error, label, "it has no list 'command' or 'stages' of strings");
	if (!take_base(root, run))
		return bad(error, label, "'base' is no name of a commit");
	if (!take_folder(root, run))
		return bad(error, label, "'folder' leads out of the repository");
	if (!take_map(root, "changes", &run->changes) || !take_map(root, "params", &run->params) ||
	    !take_map(root, "metrics", &run->metrics) || !take_map(root, "outs", &run->outs))
		return bad(error, label, "'changes', 'params', 'metrics' and 'outs' must be maps");
	run->created = get_time(root, "created");
	run->started = get_time(root, "started");
	run->duration = MAX(get_int(root, "milliseconds", 0), 0);
	run->status = (int)CLAMP(get_int(root, "status", MLV_RUN_STATUS_NONE), -1, 255);
	run->machine = get_text(root, "machine");
	run->pid = get_int(root, "pid", 0);
	run->boot = get_text(root, "boot");
	return TRUE;
}

MlvRun *mlv_run_parse(const char *text, gsize length, const char *label, GError **error)
{
	if (length > MLV_RUN_RECORD_MAX) {
		bad(error, label, "it is too long");
		return NULL;
	}
	g_autoptr(MlvValue) root = mlv_value_parse_json(text, length, label, error);
	if (!root)
		return NULL;
	gint64 version = get_int(root, "mlv-run", 0);
	g_autofree char *name = get_text(root, "name");
	if (version > VERSION) {
		mlv_fail(error, MLV_ERROR_UNSUPPORTED,
			 "%s was written by a later mlv (version %" G_GINT64_FORMAT
			 " of the record): this one reads version %d",
			 label, version, VERSION);
		return NULL;
	}
	if (version != VERSION || !name || !mlv_run_check_name(name, NULL)) {
		bad(error, label, "it does not say which, or its name is none");
		return NULL;
	}
	g_autoptr(MlvRun) run = mlv_run_new(name);
	return take_members(root, run, label, error) ? g_steal_pointer(&run) : NULL;
}

/* --- names ------------------------------------------------------------------------------------ */

gboolean mlv_run_check_name(const char *name, GError **error)
{
	gsize length = strlen(name);
	gboolean ok = length > 0 && length <= MLV_RUN_NAME_MAX && *name != '.' && *name != '-' &&
		      name[length - 1] != '.' && !strstr(name, "..") &&
		      !g_str_has_suffix(name, ".lock");

	for (const char *at = name; ok && *at; at++)
		ok = g_ascii_isalnum(*at) || strchr("-_.", *at);
	return ok ||
	       mlv_fail(error, MLV_ERROR_USAGE,
			"'%s' is no name for a run: write letters, digits, '-', '_' and '.', at "
			"most %u, beginning with a letter or digit",
			name, MLV_RUN_NAME_MAX);
}

char *mlv_run_make_name(const char *what)
{
	g_autoptr(GString) name = g_string_new(NULL);

	for (; *what && name->len < 40; what++)
		if (g_ascii_isalnum(*what))
			g_string_append_c(name, *what);
		else if (name->len > 0 && name->str[name->len - 1] != '-')
			g_string_append_c(name, '-');
	while (name->len > 0 && name->str[name->len - 1] == '-')
		g_string_truncate(name, name->len - 1);
	if (name->len == 0)
		g_string_append(name, "run");
	g_string_append_printf(name, "-%08x", g_random_int());
	return g_string_free(g_steal_pointer(&name), FALSE);
}

char *mlv_run_command_text(const MlvRun *run)
{
	g_autoptr(GString) out = g_string_new(NULL);

	for (guint i = 0; i < run->words->len; i++) {
		const char *word = run->words->pdata[i];
		gboolean plain = *word && !word[strcspn(word, " \t\n'\"\\$`|&;<>()*?[]{}~#!")];
		g_autofree char *quoted = plain ? g_strdup(word) : g_shell_quote(word);
		g_string_append_printf(out, "%s%s", i > 0 ? " " : "", quoted);
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

/* --- members by name -------------------------------------------------------------------------- */

static MlvValue *take_text(char *text)
{
	MlvValue *value = text ? mlv_value_new_string(text) : NULL;
	g_free(text);
	return value;
}

static MlvValue *own_field(const MlvRun *run, const char *name)
{
	if (strcmp(name, "name") == 0)
		return mlv_value_new_string(run->name);
	if (strcmp(name, "state") == 0)
		return mlv_value_new_string(mlv_run_state_name(run->state));
	if (strcmp(name, "status") == 0)
		return run->status < 0 ? NULL : mlv_value_new_int(run->status);
	if (strcmp(name, "seconds") == 0)
		return run->state < MLV_RUN_DONE
			       ? NULL
			       : mlv_value_new_float((double)run->duration / 1000.0);
	if (strcmp(name, "created") == 0)
		return take_text(mlv_run_time_text(run->created));
	if (strcmp(name, "started") == 0)
		return run->started > 0 ? take_text(mlv_run_time_text(run->started)) : NULL;
	if (strcmp(name, "command") == 0)
		return take_text(mlv_run_command_text(run));
	if (strcmp(name, "machine") == 0)
		return run->machine ? mlv_value_new_string(run->machine) : NULL;
	if (strcmp(name, "base") == 0)
		return run->base ? mlv_value_new_string(run->base) : NULL;
	return NULL;
}

/* A run that has not begun has no parameters yet, only what is set for it. */
static MlvValue *changed_field(const MlvRun *run, const char *name)
{
	MlvValue *own = own_field(run, name);

	if (own)
		return own;
	if (g_str_has_prefix(name, "params."))
		name += strlen("params.");
	for (gsize i = 0; i < run->changes->length; i++) {
		const char *key = run->changes->entries[i].key->text, *colon = strrchr(key, ':');
		if (colon && strcmp(colon + 1, name) == 0)
			return mlv_value_ref(run->changes->entries[i].value);
	}
	return NULL;
}

MlvValue *mlv_run_field(const MlvRun *run, const char *name)
{
	const MlvValue *found = NULL;

	if (g_str_has_prefix(name, "metrics."))
		found = mlv_value_get(run->metrics, name + strlen("metrics."));
	else if (g_str_has_prefix(name, "params."))
		found = mlv_value_get(run->params, name + strlen("params."));
	if (!found)
		found = mlv_value_get(run->metrics, name);
	if (!found)
		found = mlv_value_get(run->params, name);
	return found ? mlv_value_ref(found) : changed_field(run, name);
}
