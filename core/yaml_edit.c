/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change is a splice of the text: some bytes out, some in. Where, the places of the parsed values
 * say; yaml_splice.c makes the splice. Whether it was right, reading the new text says: it must
 * be the old document with the change and nothing else. A splice that was not (an anchor's value,
 * a layout that was not thought of) is given up.
 */
#include "core/yaml_edit.h"

#include <string.h>

#include "core/value_private.h"
#include "core/yaml_splice.h"

struct MlvYamlEdit {
	char *label;
	char *text;
	gsize length;
	MlvValue *root;
	gboolean changed;
};

MlvYamlEdit *mlv_yaml_edit_new(const char *data, gsize length, const char *label, GError **error)
{
	MlvValue *root = mlv_yaml_parse(data, length, label, error);

	if (!root && !(length == 0 && g_str_has_suffix(label, ".json")))
		return NULL;
	MlvYamlEdit *edit = g_new0(MlvYamlEdit, 1);
	edit->label = g_strdup(label);
	edit->text = g_strndup(data, length);
	edit->length = length;
	edit->root = root;
	return edit;
}

void mlv_yaml_edit_free(MlvYamlEdit *edit)
{
	if (!edit)
		return;
	mlv_value_unref(edit->root);
	g_free(edit->label);
	g_free(edit->text);
	g_free(edit);
}

const MlvValue *mlv_yaml_edit_root(const MlvYamlEdit *edit)
{
	return edit->root;
}

const char *mlv_yaml_edit_text(const MlvYamlEdit *edit, gsize *length)
{
	if (length)
		*length = edit->length;
	return edit->text;
}

gboolean mlv_yaml_edit_changed(const MlvYamlEdit *edit)
{
	return edit->changed;
}

/* --- the document as it is to be -------------------------------------------------------------- */

/* The index that a key means in a list; `append`: one behind the last is possible too. -1: none. */
static gint64 list_index(const MlvValue *list, const char *key, gboolean append)
{
	gint64 index;

	if (!g_ascii_string_to_signed(key, 10, G_MININT32, G_MAXINT32, &index, NULL))
		return -1;
	if (index < 0)
		index += (gint64)list->length;
	return index >= 0 && index < (gint64)list->length + append ? index : -1;
}

/* What is under a key of a map or an index of a list, or NULL. */
static const MlvValue *child_of(const MlvValue *value, const char *key)
{
	if (!mlv_value_is(value, MLV_VALUE_LIST))
		return mlv_value_get(value, key);
	gint64 index = list_index(value, key, FALSE);
	return index < 0 ? NULL : value->items[index];
}

/* The value with what `keys` lead to replaced, added, or (to NULL) taken away. */
static MlvValue *with_change(const MlvValue *value, const char *const *keys, const MlvValue *to)
{
	if (!*keys)
		return mlv_value_ref(to);
	const MlvValue *child = child_of(value, *keys);
	gboolean last = !keys[1];
	MlvValue *changed = last && !to ? NULL : with_change(child, keys + 1, to);
	if (mlv_value_is(value, MLV_VALUE_LIST)) {
		GPtrArray *items = g_ptr_array_new();
		for (gsize i = 0; i < value->length; i++)
			if (value->items[i] != child ||
			    (gint64)i != list_index(value, *keys, FALSE))
				g_ptr_array_add(items, mlv_value_ref(value->items[i]));
			else if (changed)
				g_ptr_array_add(items, changed);
		if (!child && changed)
			g_ptr_array_add(items, changed);
		return mlv_value_new_list(items);
	}
	GArray *entries = mlv_value_new_entries();
	for (gsize i = 0; mlv_value_is(value, MLV_VALUE_MAP) && i < value->length; i++) {
		MlvEntry entry = value->entries[i];
		gboolean meant = strcmp(entry.key->text, *keys) == 0;
		if (meant && !changed)
			continue;
		mlv_value_ref(entry.key);
		entry.value = meant ? changed : mlv_value_ref(entry.value);
		g_array_append_val(entries, entry);
	}
	if (!child && changed)
		mlv_value_add(entries, *keys, changed);
	return mlv_value_new_map(entries);
}

/* --- making the change ------------------------------------------------------------------------ */

static gboolean fail_splice(const MlvYamlEdit *edit, const char *const *keys, GError **error)
{
	g_autofree char *path = g_strjoinv(".", (char **)keys);
	return mlv_fail(error, MLV_ERROR_UNSUPPORTED,
			"cannot change '%s' in '%s' and leave all else as it is (an alias or a "
			"merge key may have a part in it): edit the file by hand",
			path, edit->label);
}

/* Takes the new text if it is the document that is expected. */
static gboolean take(MlvYamlEdit *edit, GString *text, const MlvValue *expected,
		     const char *const *keys, GError **error)
{
	g_autoptr(MlvValue) root = mlv_yaml_parse(text->str, text->len, edit->label, NULL);
	gboolean ok = root && mlv_value_equal(root, expected);

	if (!ok) {
		g_string_free(text, TRUE);
		return fail_splice(edit, keys, error);
	}
	g_free(edit->text);
	mlv_value_unref(edit->root);
	edit->length = text->len;
	edit->text = g_string_free(text, FALSE);
	edit->root = g_steal_pointer(&root);
	edit->changed = TRUE;
	return TRUE;
}

static gboolean apply(MlvYamlEdit *edit, const char *const *keys, const MlvValue *value,
		      GError **error)
{
	MlvYamlSplice splice = { .text = edit->text,
				 .length = edit->length,
				 .json = g_str_has_suffix(edit->label, ".json") };
	g_autoptr(MlvValue) expected = with_change(edit->root, keys, value);
	g_autoptr(GString) text = mlv_yaml_splice(&splice, edit->root, keys, value);

	if (!text)
		return fail_splice(edit, keys, error);
	return take(edit, g_steal_pointer(&text), expected, keys, error);
}

/* How many keys lead to something. */
static guint reach(const MlvValue *root, const char *const *keys, const MlvValue **at)
{
	guint count = 0;

	*at = root;
	for (; keys[count]; count++) {
		const MlvValue *child = child_of(*at, keys[count]);
		if (!child)
			break;
		*at = child;
	}
	return count;
}

static gboolean fail_missing(const MlvYamlEdit *edit, const char *const *keys, GError **error)
{
	g_autofree char *path = g_strjoinv(".", (char **)keys);
	g_autoptr(GError) problem = NULL;

	if (!mlv_value_find(edit->root, path, &problem))
		return mlv_fail(error, MLV_ERROR_MISSING, "in '%s' %s", edit->label,
				problem->message);
	return mlv_fail(error, MLV_ERROR_MISSING, "in '%s' there is no '%s'", edit->label, path);
}

gboolean mlv_yaml_edit_set_keys(MlvYamlEdit *edit, const char *const *keys, const MlvValue *value,
				MlvEditMode mode, GError **error)
{
	const MlvValue *at;
	guint count = reach(edit->root, keys, &at);

	g_assert(keys[0]);
	if (!keys[count])
		return mlv_value_equal(at, value) || apply(edit, keys, value, error);
	if (mode == MLV_EDIT_MUST_EXIST)
		return fail_missing(edit, keys, error);
	if (mlv_value_is(at, MLV_VALUE_LIST) && list_index(at, keys[count], TRUE) < 0)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' in '%s' is no index of a list of %" G_GSIZE_FORMAT,
				keys[count], edit->label, at->length);
	if (mlv_value_is_scalar(at) && at->type != MLV_VALUE_NULL)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"cannot set '%s' in '%s': what leads there is %s and no map",
				keys[count], edit->label,
				mlv_value_type_name((MlvValueType)at->type));
	return apply(edit, keys, value, error);
}

gboolean mlv_yaml_edit_set(MlvYamlEdit *edit, const char *path, const MlvValue *value,
			   MlvEditMode mode, GError **error)
{
	g_auto(GStrv) keys = mlv_value_path_keys(edit->root, path, error);
	return keys && mlv_yaml_edit_set_keys(edit, (const char *const *)keys, value, mode, error);
}

gboolean mlv_yaml_edit_remove_keys(MlvYamlEdit *edit, const char *const *keys, GError **error)
{
	const MlvValue *at;
	guint count = reach(edit->root, keys, &at);

	g_assert(keys[0]);
	return keys[count] ? fail_missing(edit, keys, error) : apply(edit, keys, NULL, error);
}

gboolean mlv_yaml_edit_remove(MlvYamlEdit *edit, const char *path, GError **error)
{
	g_auto(GStrv) keys = mlv_value_path_keys(edit->root, path, error);
	return keys && mlv_yaml_edit_remove_keys(edit, (const char *const *)keys, error);
}
