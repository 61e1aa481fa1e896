/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/yaml_private.h"

static MlvValue *read_stream(MlvYamlReader *reader, GError **error)
{
	g_autoptr(MlvValue) root = NULL;
	gboolean any = FALSE;

	for (;;) {
		MlvYamlEvent *event = mlv_yaml_next_event(reader, error);
		if (!event)
			return NULL;
		enum fy_event_type type = event->type;
		gboolean ok = TRUE;
		if (type == FYET_DOCUMENT_START && any) {
			mlv_yaml_fail_event(reader, event, error,
					    "a second document, and one is expected");
			ok = FALSE;
		} else if (type == FYET_DOCUMENT_START) {
			any = TRUE;
		} else if (type != FYET_STREAM_START && type != FYET_STREAM_END &&
			   type != FYET_DOCUMENT_END) {
			root = mlv_yaml_build(reader, event, error);
			ok = root != NULL;
		}
		mlv_yaml_event_free(reader, event);
		if (!ok)
			return NULL;
		if (type == FYET_STREAM_END)
			return root ? g_steal_pointer(&root) : mlv_value_new_null();
	}
}

MlvValue *mlv_yaml_parse(const char *data, gsize length, const char *label, GError **error)
{
	MlvYamlReader reader;

	if (length > MLV_YAML_MAX) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' is larger than %u MiB", label,
			 MLV_YAML_MAX >> 20);
		return NULL;
	}
	if (g_str_has_suffix(label, ".json"))
		return mlv_value_parse_json(data, length, label, error);
	if (!mlv_value_check_text(data, length, label, error))
		return NULL;
	/* With a NUL behind it, so that looking ahead ends. */
	g_autofree char *text = g_strndup(data, length);
	mlv_yaml_reader_open(&reader, text, length, label);
	MlvValue *root = read_stream(&reader, error);
	mlv_yaml_reader_close(&reader);
	return root;
}

MlvValue *mlv_yaml_parse_word(const char *word, GError **error)
{
	if (!*word)
		return mlv_value_new_string("");
	g_autoptr(GError) problem = NULL;
	MlvValue *value = mlv_yaml_parse(word, strlen(word), "value", &problem);
	if (!value)
		mlv_fail(error, MLV_ERROR_USAGE, "'%s' is no value: %s", word, problem->message);
	return value;
}

gboolean mlv_yaml_check_name(const char *path, GError **error)
{
	if (g_str_has_suffix(path, ".toml"))
		return mlv_fail(error, MLV_ERROR_UNSUPPORTED,
				"'%s' is TOML, for which there is no C library in Debian 12: keep "
				"the parameters in a YAML or JSON file",
				path);
	if (g_str_has_suffix(path, ".py"))
		return mlv_fail(error, MLV_ERROR_UNSUPPORTED,
				"'%s' is a Python program, which is not run to read parameters: "
				"keep them in a YAML or JSON file, which the program can load",
				path);
	return TRUE;
}
