/* SPDX-License-Identifier: Apache-2.0 */
#include "core/yaml_splice.h"

#include <string.h>

#include "core/value_private.h"

/* What is to be done: bytes [start, end) become `with`. */
typedef struct {
	gsize start, end;
	char *with;
} Cut;

static gboolean cut(Cut *to, gsize start, gsize end, char *with)
{
	to->start = start;
	to->end = end;
	to->with = with;
	return TRUE;
}

/* --- places in the text ----------------------------------------------------------------------- */

static gsize line_start(const MlvYamlSplice *splice, gsize at)
{
	while (at > 0 && splice->text[at - 1] != '\n')
		at--;
	return at;
}

/* Behind the line's end, or the end of the text. */
static gsize line_end(const MlvYamlSplice *splice, gsize at)
{
	const char *end = memchr(splice->text + at, '\n', splice->length - at);
	return end ? (gsize)(end - splice->text) + 1 : splice->length;
}

static const char *newline(const MlvYamlSplice *splice)
{
	const char *end = memchr(splice->text, '\n', splice->length);
	return end && end > splice->text && end[-1] == '\r' ? "\r\n" : "\n";
}

/* Whether only blanks stand before it on its line; *indent counts them. */
static gboolean begins_line(const MlvYamlSplice *splice, gsize at, guint *indent)
{
	gsize start = line_start(splice, at);
	*indent = (guint)(at - start);
	return start + strspn(splice->text + start, " \t") >= at;
}

/* Behind the colon that follows a key. */
static gsize behind_colon(const MlvYamlSplice *splice, const MlvValue *key)
{
	gsize at = key->end + strspn(splice->text + key->end, " \t");
	return splice->text[at] == ':' ? at + 1 : key->end;
}

/* --- rendering -------------------------------------------------------------------------------- */

static char *render(const MlvYamlSplice *splice, const MlvValue *value)
{
	return splice->json ? mlv_value_json(value) : mlv_yaml_flow(value);
}

static char *render_key(const MlvYamlSplice *splice, const char *key)
{
	g_autoptr(MlvValue) value = mlv_value_new_string(key);
	return render(splice, value);
}

/* Block lines with the file's line ends, without the first line's indentation and the last's end.
 * */
static char *render_block(const MlvYamlSplice *splice, const MlvValue *value, guint indent)
{
	g_autofree char *block = mlv_yaml_block(value, indent);
	g_auto(GStrv) lines = g_strsplit(block + indent, "\n", -1);
	g_autofree char *joined = g_strjoinv(newline(splice), lines);

	return g_strndup(joined, strlen(joined) - strlen(newline(splice)));
}

static gboolean is_block(const MlvValue *value)
{
	return !mlv_value_is_scalar(value) && value->length > 0;
}

/* " value", or a line end and the value as a block that is indented. */
static char *render_after_colon(const MlvYamlSplice *splice, const MlvValue *value, guint indent)
{
	if (splice->json || !is_block(value)) {
		g_autofree char *flow = render(splice, value);
		return g_strconcat(" ", flow, NULL);
	}
	g_autofree char *block = render_block(splice, value, indent);
	return g_strdup_printf("%s%*s%s", newline(splice), (int)indent, "", block);
}

/* What the keys from `keys` on make of the value: maps around it. */
static MlvValue *wrap(const char *const *keys, const MlvValue *value)
{
	if (!*keys)
		return mlv_value_ref(value);
	GArray *entries = mlv_value_new_entries();
	mlv_value_add(entries, *keys, wrap(keys + 1, value));
	return mlv_value_new_map(entries);
}

/* --- replacing -------------------------------------------------------------------------------- */

/* The '|' or '>' before the lines of a block scalar: at the end of the last line before it that is
 * not empty. */
static gboolean find_header(const MlvYamlSplice *splice, const MlvValue *value, gsize *header)
{
	gsize end = line_start(splice, value->start);

	while (end > 0) {
		gsize start = line_start(splice, end - 1);
		for (gsize at = end; at > start; at--) {
			const char *mark = splice->text + at - 1;
			gsize behind = 1 + strspn(mark + 1, "0123456789+-");
			behind += strspn(mark + behind, " \t\r");
			if ((*mark == '|' || *mark == '>') &&
			    (mark[behind] == '\n' || mark[behind] == '#')) {
				*header = at - 1;
				return TRUE;
			}
		}
		end = start;
	}
	return FALSE;
}

/* `key` (of a map's entry) NULL: the value is an item, or the document. */
static gboolean replace(const MlvYamlSplice *splice, const MlvValue *old, const MlvValue *key,
			const MlvValue *value, Cut *to)
{
	gsize header;
	guint indent = old->where.column - 1;

	switch (old->style) {
	case MLV_STYLE_PLAIN:
	case MLV_STYLE_FLOW:
	case MLV_STYLE_ALIAS:
		return cut(to, old->start, old->end, render(splice, value));
	case MLV_STYLE_TEXT: {
		if (!find_header(splice, old, &header))
			return FALSE;
		g_autofree char *flow = render(splice, value);
		return cut(to, header, old->end, g_strconcat(flow, newline(splice), NULL));
	}
	case MLV_STYLE_BLOCK:
		if (is_block(value))
			return cut(to, old->start, old->end, render_block(splice, value, indent));
		if (!key)
			return cut(to, old->start, old->end, render(splice, value));
		return cut(to, behind_colon(splice, key), old->end,
			   render_after_colon(splice, value, 0));
	default:
		if (!key || old->start == 0)
			return FALSE;
		begins_line(splice, key->start, &indent);
		return cut(to, old->start, old->end, render_after_colon(splice, value, indent + 2));
	}
}

/* --- adding ----------------------------------------------------------------------------------- */

/* Where the last element of a flow collection ends, and the indentation of its line if it begins
 * one. */
static gsize last_element(const MlvYamlSplice *splice, const MlvValue *value, gboolean *own_line,
			  guint *indent)
{
	const MlvValue *last, *first;

	if (value->type == MLV_VALUE_LIST) {
		first = last = value->items[value->length - 1];
	} else {
		first = value->entries[value->length - 1].key;
		last = value->entries[value->length - 1].value;
	}
	*own_line = begins_line(splice, first->start, indent);
	return MAX(last->end, first->end);
}

/* `element` is "key: value" or an item; taken. */
static gboolean add_flow(const MlvYamlSplice *splice, const MlvValue *collection, char *element,
			 Cut *to)
{
	g_autofree char *taken = element;
	gboolean own_line;
	guint indent;

	if (collection->length == 0)
		return cut(to, collection->start + 1, collection->end - 1, g_steal_pointer(&taken));
	gsize at = last_element(splice, collection, &own_line, &indent);
	if (!own_line)
		return cut(to, at, at, g_strconcat(", ", taken, NULL));
	return cut(to, at, at,
		   g_strdup_printf(",%s%.*s%s", newline(splice), (int)indent,
				   splice->text + line_start(splice, at), taken));
}

/* A line behind the one where a block ends. `line` is taken. */
static gboolean add_line(const MlvYamlSplice *splice, gsize end, char *line, Cut *to)
{
	g_autofree char *taken = line;

	if (end == 0 || splice->text[end - 1] != '\n')
		end = line_end(splice, end);
	gboolean ended = end == 0 || splice->text[end - 1] == '\n';
	return cut(to, end, end,
		   g_strconcat(ended ? "" : newline(splice), taken, newline(splice), NULL));
}

static gboolean add_entry(const MlvYamlSplice *splice, const MlvValue *map, const char *name,
			  const MlvValue *value, Cut *to)
{
	g_autofree char *key = render_key(splice, name);

	if (map->style == MLV_STYLE_FLOW) {
		g_autofree char *flow = render(splice, value);
		return add_flow(splice, map, g_strconcat(key, ": ", flow, NULL), to);
	}
	guint indent = map->where.column - 1;
	g_autofree char *after = render_after_colon(splice, value, indent + 2);
	return add_line(splice, map->end, g_strdup_printf("%*s%s:%s", (int)indent, "", key, after),
			to);
}

static gboolean add_item(const MlvYamlSplice *splice, const MlvValue *list, const MlvValue *value,
			 Cut *to)
{
	if (list->style == MLV_STYLE_FLOW)
		return add_flow(splice, list, render(splice, value), to);
	guint indent = list->where.column - 1;
	g_autofree char *block = render_block(splice, value, indent + 2);
	return add_line(splice, list->end, g_strdup_printf("%*s- %s", (int)indent, "", block), to);
}

/* The first value of a document that has none. */
static gboolean add_document(const MlvYamlSplice *splice, const MlvValue *value, Cut *to)
{
	if (splice->json)
		return cut(to, 0, splice->length, mlv_value_json(value));
	return add_line(splice, splice->length, render_block(splice, value, 0), to);
}

/* --- removing --------------------------------------------------------------------------------- */

/* The comments right above a line, as far as they are indented like it. */
static gsize with_comments(const MlvYamlSplice *splice, gsize start, guint indent)
{
	while (start > 0) {
		gsize above = line_start(splice, start - 1);
		if (strspn(splice->text + above, " ") != indent ||
		    splice->text[above + indent] != '#')
			break;
		start = above;
	}
	return start;
}

/* An element of a collection: where it begins (its key or dash), where it ends. */
static gboolean element_span(const MlvYamlSplice *splice, const MlvValue *collection, gsize index,
			     gsize *start, gsize *end)
{
	if (collection->type == MLV_VALUE_MAP) {
		const MlvEntry *entry = &collection->entries[index];
		if (entry->merged || entry->key->where.line == 0)
			return FALSE;
		*start = entry->key->start;
		*end = MAX(entry->value->end, behind_colon(splice, entry->key));
		return TRUE;
	}
	const MlvValue *item = collection->items[index];
	if (item->where.line == 0)
		return FALSE;
	*start = item->start;
	*end = item->end;
	if (collection->style != MLV_STYLE_BLOCK)
		return TRUE;
	while (*start > 0 && strchr(" \t", splice->text[*start - 1]))
		--*start;
	return *start > 0 && splice->text[--*start] == '-';
}

static gboolean remove_flow(const MlvYamlSplice *splice, const MlvValue *collection, gsize index,
			    Cut *to)
{
	gsize start, end, other_start, other_end;

	if (!element_span(splice, collection, index, &start, &end))
		return FALSE;
	if (index + 1 < collection->length) {
		if (!element_span(splice, collection, index + 1, &other_start, &other_end))
			return FALSE;
		return cut(to, start, other_start, g_strdup(""));
	}
	if (index == 0)
		return cut(to, start, end, g_strdup(""));
	if (!element_span(splice, collection, index - 1, &other_start, &other_end))
		return FALSE;
	return cut(to, other_end, end, g_strdup(""));
}

static gboolean remove_block(const MlvYamlSplice *splice, const MlvValue *collection, gsize index,
			     Cut *to)
{
	gsize start, end, next, next_end;
	guint indent;

	if (!element_span(splice, collection, index, &start, &end))
		return FALSE;
	if (begins_line(splice, start, &indent)) {
		if (splice->text[end - 1] != '\n')
			end = line_end(splice, end);
		return cut(to, with_comments(splice, start - indent, indent), end, g_strdup(""));
	}
	/* The first of a map that begins behind a dash: the next takes its place. */
	return index + 1 < collection->length &&
	       element_span(splice, collection, index + 1, &next, &next_end) &&
	       cut(to, start, next, g_strdup(""));
}

/* --- the way there ---------------------------------------------------------------------------- */

/* Which element a key means, or -1. */
static gint64 index_of(const MlvValue *collection, const char *key)
{
	gint64 index;

	if (collection->type == MLV_VALUE_MAP) {
		const MlvEntry *entry = mlv_value_entry(collection, key);
		return entry && !entry->merged ? entry - collection->entries : -1;
	}
	if (collection->type != MLV_VALUE_LIST ||
	    !g_ascii_string_to_signed(key, 10, G_MININT32, G_MAXINT32, &index, NULL))
		return -1;
	if (index < 0)
		index += (gint64)collection->length;
	return index >= 0 && index < (gint64)collection->length ? index : -1;
}

static gboolean remove_element(const MlvYamlSplice *splice, const MlvValue *collection,
			       const MlvValue *key, gint64 index, Cut *to)
{
	if (collection->style == MLV_STYLE_FLOW)
		return remove_flow(splice, collection, (gsize)index, to);
	if (collection->length > 1)
		return remove_block(splice, collection, (gsize)index, to);
	/* The last of a block leaves empty brackets. */
	g_autoptr(MlvValue) empty = collection->type == MLV_VALUE_MAP
					    ? mlv_value_new_map(mlv_value_new_entries())
					    : mlv_value_new_list(g_ptr_array_new());
	return replace(splice, collection, key, empty, to);
}

static gboolean plan(const MlvYamlSplice *splice, const MlvValue *root, const char *const *keys,
		     const MlvValue *value, Cut *to)
{
	const MlvValue *at = root, *key = NULL;

	for (;; keys++) {
		if (!at || (at->type == MLV_VALUE_NULL && *keys)) {
			g_autoptr(MlvValue) whole = wrap(keys, value);
			return at && key ? replace(splice, at, key, whole, to)
					 : add_document(splice, whole, to);
		}
		if (!*keys)
			return replace(splice, at, key, value, to);
		if (at->style == MLV_STYLE_ALIAS || mlv_value_is_scalar(at))
			return FALSE;
		gint64 index = index_of(at, *keys);
		if (index >= 0 && !keys[1] && !value)
			return remove_element(splice, at, key, index, to);
		if (index < 0 && !value)
			return FALSE;
		if (index < 0) {
			g_autoptr(MlvValue) rest = wrap(keys + 1, value);
			return at->type == MLV_VALUE_MAP ? add_entry(splice, at, *keys, rest, to)
							 : add_item(splice, at, rest, to);
		}
		key = at->type == MLV_VALUE_MAP ? at->entries[index].key : NULL;
		at = at->type == MLV_VALUE_MAP ? at->entries[index].value : at->items[index];
	}
}

GString *mlv_yaml_splice(const MlvYamlSplice *splice, const MlvValue *root, const char *const *keys,
			 const MlvValue *value)
{
	Cut to = { .with = NULL };

	if (!plan(splice, root, keys, value, &to))
		return NULL;
	GString *text = g_string_new_len(splice->text, (gssize)to.start);
	g_string_append(text, to.with);
	g_string_append_len(text, splice->text + to.end, (gssize)(splice->length - to.end));
	g_free(to.with);
	return text;
}
