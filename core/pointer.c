/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pointer.h"

#include <string.h>

#define ID_PREFIX "sha256:"

/* The keys of version 1, in the order in which they stand. */
typedef enum {
	KEY_BYTES,
	KEY_DEPTH,
	KEY_FILES,
	KEY_ID,
	KEY_KIND,
	KEY_MODE,
	KEY_SIZE,
	N_KEYS
} Key;

static const char *const key_names[N_KEYS] = { "bytes", "depth", "files", "id",
					       "kind",  "mode",  "size" };

static gboolean has_conflict_markers(const char *text)
{
	return g_str_has_prefix(text, "<<<<<<< ") || strstr(text, "\n<<<<<<< ") ||
	       strstr(text, "\n=======\n") || strstr(text, "\n>>>>>>> ");
}

static gboolean fail_corrupt(const char *label, const char *why, GError **error)
{
	return mlv_fail(error, MLV_ERROR_CORRUPT, "pointer '%s' is damaged: %s", label, why);
}

/* A decimal number as printf writes it: no sign, no leading zero. */
static gboolean parse_number(const char *text, guint64 *value)
{
	guint64 sum = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return FALSE;
	for (; *text; text++) {
		if (!g_ascii_isdigit(*text))
			return FALSE;
		guint64 digit = (guint64)(*text - '0');
		if (sum > (G_MAXUINT64 - digit) / 10)
			return FALSE;
		sum = sum * 10 + digit;
	}
	*value = sum;
	return TRUE;
}

/* Splits "key value" lines into one value a key. `text` is cut up in place. */
static gboolean split_lines(char *text, const char *values[N_KEYS], const char *label,
			    GError **error)
{
	char *line = text;
	int last = -1;

	while (*line) {
		char *end = strchr(line, '\n');
		if (!end)
			return fail_corrupt(label, "the last line has no end", error);
		*end = '\0';
		char *space = strchr(line, ' ');
		if (!space)
			return fail_corrupt(label, "a line is not 'key value'", error);
		*space = '\0';
		int key = 0;
		while (key < N_KEYS && strcmp(line, key_names[key]) != 0)
			key++;
		if (key == N_KEYS)
			return fail_corrupt(label, "it has a key that version 1 does not know",
					    error);
		if (key <= last)
			return fail_corrupt(label, "its keys are not in order, or stand twice",
					    error);
		values[key] = space + 1;
		last = key;
		line = end + 1;
	}
	return TRUE;
}

static gboolean fill_directory(const char *const values[N_KEYS], MlvPointer *pointer)
{
	pointer->mode = MLV_MODE_DIRECTORY;
	pointer->ref.kind = MLV_KIND_TREE;
	return !values[KEY_MODE] && values[KEY_FILES] && values[KEY_BYTES] &&
	       parse_number(values[KEY_FILES], &pointer->files) &&
	       parse_number(values[KEY_BYTES], &pointer->bytes);
}

static gboolean fill_file(const char *const values[N_KEYS], MlvPointer *pointer)
{
	if (!values[KEY_MODE] || values[KEY_FILES] || values[KEY_BYTES])
		return FALSE;
	if (strcmp(values[KEY_MODE], "644") == 0)
		pointer->mode = MLV_MODE_FILE;
	else if (strcmp(values[KEY_MODE], "755") == 0)
		pointer->mode = MLV_MODE_EXECUTABLE;
	else
		return FALSE;
	pointer->ref.kind = MLV_KIND_BLOB;
	pointer->files = 1;
	pointer->bytes = pointer->ref.size;
	return TRUE;
}

static gboolean fill(const char *const values[N_KEYS], MlvPointer *pointer, const char *label,
		     GError **error)
{
	guint64 depth;

	if (!values[KEY_ID] || !g_str_has_prefix(values[KEY_ID], ID_PREFIX) ||
	    !mlv_id_parse(values[KEY_ID] + strlen(ID_PREFIX), &pointer->ref.id))
		return fail_corrupt(label, "its id is not 'sha256:' and 64 hex digits", error);
	if (!values[KEY_SIZE] || !parse_number(values[KEY_SIZE], &pointer->ref.size))
		return fail_corrupt(label, "its size is not a number", error);
	if (!values[KEY_DEPTH] || !parse_number(values[KEY_DEPTH], &depth) ||
	    depth > MLV_REF_MAX_DEPTH)
		return fail_corrupt(label, "its depth is not a number from 0 to 8", error);
	pointer->ref.depth = (guint8)depth;

	gboolean ok = FALSE;
	if (values[KEY_KIND] && strcmp(values[KEY_KIND], "directory") == 0)
		ok = fill_directory(values, pointer);
	else if (values[KEY_KIND] && strcmp(values[KEY_KIND], "file") == 0)
		ok = fill_file(values, pointer);
	return ok || fail_corrupt(label, "kind, mode, files and bytes do not fit together", error);
}

/* The first line says the version, before anything else is judged. */
static gboolean check_version(const char *text, const char *label, GError **error)
{
	if (!g_str_has_prefix(text, "mlv "))
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"'%s' is not a pointer: it does not begin with 'mlv'", label);
	const char *end = strchr(text, '\n');
	if (!end)
		return fail_corrupt(label, "the last line has no end", error);
	g_autofree char *version = g_strndup(text + 4, (gsize)(end - text) - 4);
	if (strcmp(version, "1\r") == 0)
		return fail_corrupt(label,
				    "its lines end in CR LF; set '*.mlv -text' in .gitattributes",
				    error);
	guint64 number;
	if (!parse_number(version, &number))
		return fail_corrupt(label, "its version is not a number", error);
	if (number != 1)
		return mlv_fail(error, MLV_ERROR_UNSUPPORTED,
				"pointer '%s' has format version %s, and this mlv reads version 1: "
				"install a newer mlv",
				label, version);
	return TRUE;
}

gboolean mlv_pointer_parse(const void *data, gsize length, const char *label, MlvPointer *pointer,
			   GError **error)
{
	if (length == 0)
		return fail_corrupt(label, "it is empty", error);
	if (memchr(data, 0, MIN(length, MLV_POINTER_MAX)))
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"'%s' is not a pointer: it holds binary data", label);
	g_autofree char *text = g_strndup(data, MIN(length, 64 * MLV_POINTER_MAX));
	if (has_conflict_markers(text))
		return mlv_fail(
			error, MLV_ERROR_CHECK,
			"pointer '%s' has merge conflicts: choose one side with 'git checkout "
			"--ours' or '--theirs', or run 'mlv add' on the merged data",
			label);
	if (length > MLV_POINTER_MAX)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"'%s' is not a pointer: it is longer than 1024 bytes", label);
	if (!check_version(text, label, error))
		return FALSE;

	const char *values[N_KEYS] = { NULL };
	MlvPointer parsed = { .mode = 0 };
	if (!split_lines(strchr(text, '\n') + 1, values, label, error) ||
	    !fill(values, &parsed, label, error))
		return FALSE;
	*pointer = parsed;
	return TRUE;
}

char *mlv_pointer_format(const MlvPointer *pointer, gsize *length)
{
	g_autoptr(GString) text = g_string_new("mlv 1\n");
	gboolean directory = pointer->mode == MLV_MODE_DIRECTORY;
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(&pointer->ref.id, hex);
	if (directory)
		g_string_append_printf(text, "bytes %" G_GUINT64_FORMAT "\n", pointer->bytes);
	g_string_append_printf(text, "depth %u\n", pointer->ref.depth);
	if (directory)
		g_string_append_printf(text, "files %" G_GUINT64_FORMAT "\n", pointer->files);
	g_string_append_printf(text, "id " ID_PREFIX "%s\nkind %s\n", hex,
			       directory ? "directory" : "file");
	if (!directory)
		g_string_append_printf(text, "mode %s\n",
				       pointer->mode == MLV_MODE_EXECUTABLE ? "755" : "644");
	g_string_append_printf(text, "size %" G_GUINT64_FORMAT "\n", pointer->ref.size);
	if (length)
		*length = text->len;
	return g_string_free(g_steal_pointer(&text), FALSE);
}

gboolean mlv_pointer_equal(const MlvPointer *a, const MlvPointer *b)
{
	return mlv_ref_equal(&a->ref, &b->ref) && a->mode == b->mode && a->files == b->files &&
	       a->bytes == b->bytes;
}

gboolean mlv_pointer_from_entry(const MlvTreeEntry *entry, MlvPointer *pointer)
{
	if (entry->mode == MLV_MODE_SYMLINK)
		return FALSE;
	gboolean directory = entry->mode == MLV_MODE_DIRECTORY;
	*pointer = (MlvPointer){
		.ref = entry->ref,
		.mode = entry->mode,
		.files = directory ? entry->files : 1,
		.bytes = directory ? entry->bytes : entry->ref.size,
	};
	return TRUE;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

gboolean mlv_pointer_is_path(const char *path)
{
	const char *name = last_part(path);
	return strlen(name) > strlen(MLV_POINTER_SUFFIX) &&
	       g_str_has_suffix(name, MLV_POINTER_SUFFIX);
}

char *mlv_pointer_path(const char *data_path)
{
	return g_strconcat(data_path, MLV_POINTER_SUFFIX, NULL);
}

char *mlv_pointer_data_path(const char *pointer_path)
{
	return g_strndup(pointer_path, strlen(pointer_path) - strlen(MLV_POINTER_SUFFIX));
}

gboolean mlv_pointer_check_target(const char *data_path, GError **error)
{
	const char *name = last_part(data_path);

	if (!*name)
		return mlv_fail(
			error, MLV_ERROR_USAGE,
			"the repository's root cannot be tracked as one dataset: name folders or "
			"files in it");
	if (strlen(name) > MLV_POINTER_NAME_MAX)
		return mlv_fail(
			error, MLV_ERROR_USAGE,
			"'%s' cannot have a pointer: its name is longer than %d bytes; track the "
			"folder that holds it",
			data_path, MLV_POINTER_NAME_MAX);
	if (strchr(name, '\n'))
		return mlv_fail(
			error, MLV_ERROR_USAGE,
			"'%s' cannot have a pointer: its name has a newline; track the folder that "
			"holds it",
			data_path);
	if (g_str_has_suffix(name, MLV_POINTER_SUFFIX))
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' cannot have a pointer: its name ends in '" MLV_POINTER_SUFFIX
				"'; track the folder that holds it",
				data_path);
	return TRUE;
}
