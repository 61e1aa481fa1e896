/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/run_where.h"

#include <math.h>
#include <string.h>

#define DEPTH_MAX 200u

typedef enum {
	OP_OR,
	OP_AND,
	OP_NOT,
	OP_HAS,
	OP_EQUAL,
	OP_UNEQUAL,
	OP_LESS,
	OP_LESS_EQUAL,
	OP_MORE,
	OP_MORE_EQUAL,
	OP_CONTAINS,
	OP_LACKS,
} Op;

struct MlvRunWhere {
	Op op;
	MlvRunWhere *left, *right; /* of or, and; of not the left */
	char *name, *text;
	double number; /* of the text; NaN if it is none */
};

void mlv_run_where_free(MlvRunWhere *where)
{
	/* lists lean to the left, as long as they are */
	while (where) {
		MlvRunWhere *left = where->left;
		mlv_run_where_free(where->right);
		g_free(where->name);
		g_free(where->text);
		g_free(where);
		where = left;
	}
}

typedef struct {
	const char *text, *at;
	guint depth;
} Parser;

static MlvRunWhere *new_node(Op op, MlvRunWhere *left, MlvRunWhere *right)
{
	MlvRunWhere *node = g_new0(MlvRunWhere, 1);

	node->op = op;
	node->left = left;
	node->right = right;
	node->number = NAN;
	return node;
}

static MlvRunWhere *fail_here(const Parser *parser, const char *expected, GError **error)
{
	if (*parser->at)
		mlv_fail(error, MLV_ERROR_USAGE, "condition '%s': expected %s at '%.20s'",
			 parser->text, expected, parser->at);
	else
		mlv_fail(error, MLV_ERROR_USAGE, "condition '%s': expected %s at its end",
			 parser->text, expected);
	return NULL;
}

static void skip_blanks(Parser *parser)
{
	parser->at += strspn(parser->at, " \t\r\n");
}

static gboolean is_name_byte(char c)
{
	return g_ascii_isalnum(c) || (c & 0x80) || (c && strchr("_.-/:@%+[]", c));
}

/* A word of letters, taken if it is this one. */
static gboolean take_word(Parser *parser, const char *word)
{
	gsize length = strlen(word);

	skip_blanks(parser);
	if (g_ascii_strncasecmp(parser->at, word, length) != 0 || is_name_byte(parser->at[length]))
		return FALSE;
	parser->at += length;
	return TRUE;
}

static gboolean take_sign(Parser *parser, const char *sign)
{
	skip_blanks(parser);
	if (!g_str_has_prefix(parser->at, sign))
		return FALSE;
	parser->at += strlen(sign);
	return TRUE;
}

/* A name or value, in quotes or of name bytes; NULL if there is none. */
static char *take_text(Parser *parser)
{
	skip_blanks(parser);
	char quote = *parser->at;
	if (quote == '\'' || quote == '"') {
		const char *end = strchr(parser->at + 1, quote);
		if (!end)
			return NULL;
		char *text = g_strndup(parser->at + 1, (gsize)(end - parser->at) - 1);
		parser->at = end + 1;
		return text;
	}
	const char *end = parser->at;
	while (is_name_byte(*end))
		end++;
	if (end == parser->at)
		return NULL;
	char *text = g_strndup(parser->at, (gsize)(end - parser->at));
	parser->at = end;
	return text;
}

static double number_of(const char *text)
{
	char *end;
	double number = g_ascii_strtod(text, &end);
	return *text && !*end ? number : NAN;
}

static MlvRunWhere *parse_comparison(Parser *parser, GError **error)
{
	/* the longer ones first */
	static const struct {
		const char *sign;
		Op op;
	} signs[] = {
		{ "==", OP_EQUAL },      { "!=", OP_UNEQUAL },    { "!~", OP_LACKS },
		{ "<=", OP_LESS_EQUAL }, { ">=", OP_MORE_EQUAL }, { "=", OP_EQUAL },
		{ "<", OP_LESS },        { ">", OP_MORE },        { "~", OP_CONTAINS },
	};
	g_autofree char *name = take_text(parser);

	if (!name)
		return fail_here(parser, "the name of a field", error);
	g_autoptr(MlvRunWhere) node = new_node(OP_HAS, NULL, NULL);
	node->name = g_steal_pointer(&name);
	for (gsize i = 0; i < G_N_ELEMENTS(signs); i++) {
		if (!take_sign(parser, signs[i].sign))
			continue;
		node->op = signs[i].op;
		node->text = take_text(parser);
		if (!node->text)
			return fail_here(parser, "a value", error);
		node->number = number_of(node->text);
		break;
	}
	return g_steal_pointer(&node);
}

static MlvRunWhere *parse_or(Parser *parser, GError **error);

static MlvRunWhere *parse_factor(Parser *parser, GError **error)
{
	MlvRunWhere *node;

	if (++parser->depth > DEPTH_MAX)
		return fail_here(parser, "less nesting", error);
	if (take_word(parser, "not") ||
	    (!g_str_has_prefix(parser->at, "!=") && take_sign(parser, "!"))) {
		node = parse_factor(parser, error);
		if (node)
			node = new_node(OP_NOT, node, NULL);
	} else if (take_sign(parser, "(")) {
		node = parse_or(parser, error);
		if (node && !take_sign(parser, ")")) {
			mlv_run_where_free(node);
			node = fail_here(parser, "')'", error);
		}
	} else {
		node = parse_comparison(parser, error);
	}
	parser->depth--;
	return node;
}

/* What stands between `word`s: the left one deepest, so that length makes no depth. */
static MlvRunWhere *parse_list(Parser *parser, Op op, GError **error)
{
	const char *word = op == OP_OR ? "or" : "and", *sign = op == OP_OR ? "||" : "&&";
	MlvRunWhere *node =
		op == OP_OR ? parse_list(parser, OP_AND, error) : parse_factor(parser, error);

	while (node && (take_word(parser, word) || take_sign(parser, sign))) {
		MlvRunWhere *right = op == OP_OR ? parse_list(parser, OP_AND, error)
						 : parse_factor(parser, error);
		if (!right) {
			mlv_run_where_free(node);
			return NULL;
		}
		node = new_node(op, node, right);
	}
	return node;
}

static MlvRunWhere *parse_or(Parser *parser, GError **error)
{
	return parse_list(parser, OP_OR, error);
}

MlvRunWhere *mlv_run_where_parse(const char *text, GError **error)
{
	Parser parser = { .text = text, .at = text };

	if (strlen(text) > MLV_WHERE_MAX) {
		mlv_fail(error, MLV_ERROR_USAGE, "the condition is too long");
		return NULL;
	}
	g_autoptr(MlvRunWhere) node = parse_or(&parser, error);
	if (!node)
		return NULL;
	skip_blanks(&parser);
	if (*parser.at)
		return fail_here(&parser, "'and', 'or' or the end", error);
	return g_steal_pointer(&node);
}

/* --- asking ----------------------------------------------------------------------------------- */

static gboolean amount(const MlvValue *value, double *number)
{
	if (mlv_value_is(value, MLV_VALUE_INT))
		*number = value->big ? number_of(value->text) : (double)value->integer;
	else if (mlv_value_is(value, MLV_VALUE_FLOAT))
		*number = value->real;
	else
		return FALSE;
	return TRUE;
}

static gboolean compare(Op op, double order)
{
	switch (op) {
	case OP_EQUAL:
		return order == 0;
	case OP_UNEQUAL:
		return order != 0;
	case OP_LESS:
		return order < 0;
	case OP_LESS_EQUAL:
		return order <= 0;
	case OP_MORE:
		return order > 0;
	default:
		return order >= 0;
	}
}

static gboolean ask(const MlvRunWhere *where, const MlvRun *run)
{
	g_autoptr(MlvValue) value = mlv_run_field(run, where->name);
	double number;

	if (where->op == OP_HAS)
		return value != NULL;
	if (!value)
		return where->op == OP_UNEQUAL || where->op == OP_LACKS;
	if (where->op != OP_CONTAINS && where->op != OP_LACKS && !isnan(where->number) &&
	    amount(value, &number))
		return isnan(number) ? where->op == OP_UNEQUAL
				     : compare(where->op, number < where->number   ? -1
							  : number > where->number ? 1
										   : 0);
	g_autofree char *text = mlv_value_text(value);
	if (where->op == OP_CONTAINS || where->op == OP_LACKS)
		return (strstr(text, where->text) != NULL) == (where->op == OP_CONTAINS);
	return compare(where->op, strcmp(text, where->text));
}

gboolean mlv_run_where_matches(const MlvRunWhere *where, const MlvRun *run)
{
	switch (where->op) {
	case OP_OR:
	case OP_AND: {
		/* Long lists lean to the left: down that side without recursion. */
		const MlvRunWhere *node = where;
		gboolean stop = where->op == OP_OR;
		for (; node->op == where->op; node = node->left)
			if (mlv_run_where_matches(node->right, run) == stop)
				return stop;
		return mlv_run_where_matches(node, run);
	}
	case OP_NOT:
		return !mlv_run_where_matches(where->left, run);
	default:
		return ask(where, run);
	}
}

int mlv_run_value_order(const MlvValue *a, const MlvValue *b)
{
	double x = 0, y = 0;

	if (!a || !b)
		return a ? -1 : b ? 1 : 0;
	gboolean first = amount(a, &x), second = amount(b, &y);
	if (first && second) {
		if (isnan(x) || isnan(y))
			return isnan(x) - isnan(y);
		return x < y ? -1 : x > y;
	}
	if (first != second)
		return first ? -1 : 1;
	g_autofree char *left = mlv_value_text(a);
	g_autofree char *right = mlv_value_text(b);
	int order = strcmp(left, right);
	return order < 0 ? -1 : order > 0;
}
