/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bash takes longer to start than many a stage to run, and most commands of such stages are plain.
 * A small sh is used for these, and bash for all else.
 */
#include "core/pipeline/plain_command.h"

#include <string.h>

static const char letters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./,:=+@%-";

/* Builtins and words of the grammar, of either shell: all but a few that are the same in both. */
static const char *const special[] = {
	".",        "alias",   "bg",        "bind",     "break",    "builtin", "caller",   "case",
	"cd",       "chdir",   "command",   "compgen",  "complete", "compopt", "continue", "coproc",
	"declare",  "dirs",    "disown",    "do",       "done",     "elif",    "else",     "enable",
	"esac",     "eval",    "exec",      "export",   "fc",       "fg",      "fi",       "for",
	"function", "getopts", "hash",      "help",     "history",  "if",      "in",       "jobs",
	"kill",     "let",     "local",     "logout",   "mapfile",  "popd",    "printf",   "pushd",
	"pwd",      "read",    "readarray", "readonly", "return",   "select",  "set",      "shift",
	"shopt",    "source",  "suspend",   "test",     "then",     "time",    "times",    "trap",
	"type",     "typeset", "ulimit",    "umask",    "unalias",  "unset",   "until",    "wait",
	"while",    NULL
};

static gboolean is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* An operator at `at`: its length, or 0. *starts: a command's first word follows. */
static gsize operator_at(const char *at, gboolean *starts)
{
	static const struct {
		const char *text;
		gboolean starts;
	} operators[] = {
		{ "&&", TRUE }, { "||", TRUE }, { ">>", FALSE }, { ">", FALSE },
		{ "<", FALSE }, { "|", TRUE },  { ";", TRUE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(operators); i++) {
		gsize length = strlen(operators[i].text);
		if (strncmp(at, operators[i].text, length) != 0)
			continue;
		*starts = operators[i].starts;
		/* "<<", ">|", ">&", "|&", ";;" and the like are something else. */
		return strchr("<>|&;", at[length]) && at[length] ? 0 : length;
	}
	return 0;
}

/* Whether the first word of a command is plain; `next` is what follows it. */
static gboolean is_plain_name(const char *word, gsize length, const char *next)
{
	g_autofree char *name = g_strndup(word, length);

	while (is_blank(*next))
		next++;
	/* Assignments, and options of echo, are left to bash. */
	if (strchr(name, '=') || (strcmp(name, "echo") == 0 && *next == '-'))
		return FALSE;
	return !g_strv_contains(special, name);
}

gboolean mlv_command_is_plain(const char *command)
{
	gboolean first = TRUE; /* the next word is a command's name */
	gboolean file = FALSE; /* it is a redirection's file */

	for (const char *at = command; *at;) {
		gboolean starts;
		gsize length = strspn(at, letters);
		if (is_blank(*at)) {
			at++;
			continue;
		}
		if (length > 0) {
			/* "2>file" */
			if (strspn(at, "0123456789") == length && strchr("<>", at[length]) &&
			    at[length])
				return FALSE;
			if (first && !file && !is_plain_name(at, length, at + length))
				return FALSE;
			first &= file;
			file = FALSE;
			at += length;
			if (*at && !is_blank(*at) && !strchr("<>|&;", *at))
				return FALSE;
			continue;
		}
		length = operator_at(at, &starts);
		if (length == 0 || (starts && (first || file)) || (!starts && file))
			return FALSE;
		first = starts || first;
		file = !starts;
		at += length;
	}
	return !first && !file;
}

gboolean mlv_environ_is_plain(const char *const *variables)
{
	for (; *variables; variables++)
		if (g_str_has_prefix(*variables, "BASH_") ||
		    g_str_has_prefix(*variables, "POSIXLY_") ||
		    g_str_has_prefix(*variables, "SHELLOPTS=") ||
		    g_str_has_prefix(*variables, "ENV="))
			return FALSE;
	return TRUE;
}
