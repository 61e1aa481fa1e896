/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/completion.h"
#include "cmd/program.h"
#include "core/config.h"

/* A place in a command line. */
typedef struct {
	MlvCmd *cmd;
	int count;
	char **words;
	const char *current; /* the word to be completed */
	const char *prefix;  /* of that word, before what is completed: "--output=" */
} Place;

static void offer(const Place *place, const char *word, const char *meaning)
{
	const char *typed = place->current + strlen(place->prefix);
	g_autofree char *shown = NULL;

	/* A candidate is one line; who names a branch with a newline types it. */
	if (!g_str_has_prefix(word, typed) || strpbrk(word, "\n\t"))
		return;
	shown = meaning ? mlv_ui_printable(meaning) : NULL;
	printf("%s%s%s%s\n", place->prefix, word, shown ? "\t" : "", shown ? shown : "");
}

static void offer_commands(const Place *place)
{
	for (const MlvCommand *command = mlv_commands; command->name; command++)
		if (!(command->flags & MLV_CMD_HIDDEN))
			offer(place, command->name, command->summary);
}

static void offer_options(const Place *place, const GOptionEntry *entries)
{
	for (; entries->long_name; entries++) {
		g_autofree char *name = g_strconcat("--", entries->long_name, NULL);
		char letter[] = { '-', entries->short_name, '\0' };

		if (entries->flags & G_OPTION_FLAG_HIDDEN)
			continue;
		offer(place, name, entries->description);
		if (entries->short_name)
			offer(place, letter, entries->description);
	}
}

/* References, by git itself: fast in a large repository, and whatever kind of repository it is. */
static gboolean offer_references(const Place *place, const char *const *argv)
{
	g_autofree char *output = NULL;
	g_auto(GStrv) names = NULL;

	if (!g_spawn_sync(NULL, (char **)argv, NULL,
			  G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output,
			  NULL, NULL, NULL))
		return FALSE;
	names = g_strsplit(output, "\n", -1);
	for (char **name = names; *name; name++)
		if (**name)
			offer(place, *name, NULL);
	return TRUE;
}

static void offer_revisions(const Place *place)
{
	static const char *const argv[] = {
		"git",        "for-each-ref", "--format=%(refname:short)",
		"refs/heads", "refs/tags",    "refs/remotes",
		NULL
	};
	if (offer_references(place, argv))
		offer(place, "HEAD", NULL);
}

static void offer_runs(const Place *place)
{
	static const char *const argv[] = { "git", "for-each-ref", "--format=%(refname:lstrip=3)",
					    "refs/mlv/runs", NULL };
	offer_references(place, argv);
}

static void offer_remotes(const Place *place)
{
	MlvRepo *repo = mlv_repo_open(".", NULL);
	g_autoptr(GPtrArray) entries =
		repo ? mlv_config_list(mlv_repo_config(repo), "mlv-remote.") : NULL;

	for (guint i = 0; entries && i < entries->len; i++) {
		const MlvConfigEntry *entry = entries->pdata[i];
		gsize before = strlen("mlv-remote."), after = strlen(".url");
		gsize length = strlen(entry->key);

		if (length > before + after && g_str_has_suffix(entry->key, ".url")) {
			g_autofree char *name =
				g_strndup(entry->key + before, length - before - after);

			offer(place, name, entry->value);
		}
	}
	if (repo)
		mlv_repo_free(repo);
}

/* What a placeholder of a synopsis or of an option stands for. */
static void offer_kind(const Place *place, const char *kind, gboolean first)
{
	if (first && strstr(kind, "REMOTE"))
		offer_remotes(place);
	if (strstr(kind, "REV"))
		offer_revisions(place);
	if (strstr(kind, "RUN"))
		offer_runs(place);
	if (strstr(kind, "COMMAND"))
		offer_commands(place);
	if (strstr(kind, "PATH") || strstr(kind, "FILE") || strstr(kind, "DIR"))
		puts(":files");
}

/* Words in lower case in a synopsis ("bash | zsh | fish") stand for themselves. */
static void offer_literals(const Place *place, const char *synopsis)
{
	g_auto(GStrv) words = g_strsplit_set(synopsis, " |[]().,", -1);

	for (char **word = words; *word; word++)
		if (g_ascii_islower(**word))
			offer(place, *word, NULL);
}

static const GOptionEntry *find_option(const GOptionEntry *entries, const char *word)
{
	gsize length = strlen(word);

	for (; entries->long_name; entries++) {
		if (g_str_has_prefix(word, "--")) {
			if (strcmp(entries->long_name, word + 2) == 0)
				return entries;
		} else if (word[0] == '-' && length > 1 &&
			   entries->short_name == word[length - 1]) {
			return entries;
		}
	}
	return NULL;
}

/* Whether the current word is an option's value; then it is dealt with. */
static gboolean offer_value(Place *place, const GOptionEntry *entries)
{
	const char *before = place->words[place->count - 2];
	const char *equals = strchr(place->current, '=');
	const GOptionEntry *entry;

	if (g_str_has_prefix(place->current, "--") && equals) {
		g_autofree char *name = g_strndup(place->current, (gsize)(equals - place->current));
		g_autofree char *prefix = g_strconcat(name, "=", NULL);

		entry = find_option(entries, name);
		if (entry && entry->arg_description) {
			place->prefix = prefix;
			offer_kind(place, entry->arg_description, TRUE);
		}
		return TRUE;
	}
	/* bash makes "--name=value" three words. */
	if (strcmp(before, "=") == 0 && place->count > 3)
		before = place->words[place->count - 3];
	entry = before[0] == '-' ? find_option(entries, before) : NULL;
	if (!entry || entry->arg == G_OPTION_ARG_NONE || !entry->arg_description)
		return FALSE;
	offer_kind(place, entry->arg_description, TRUE);
	return TRUE;
}

/* Plain words between `from` and the current one. */
static guint count_plain(const Place *place, const GOptionEntry *entries, int from,
			 gboolean *separator)
{
	guint plain = 0;

	*separator = FALSE;
	for (int i = from; i < place->count - 1; i++) {
		const GOptionEntry *entry;

		if (strcmp(place->words[i], "--") == 0)
			*separator = TRUE;
		else if (*separator || place->words[i][0] != '-')
			plain++;
		else if ((entry = find_option(entries, place->words[i])) &&
			 entry->arg != G_OPTION_ARG_NONE)
			i++;
	}
	return plain;
}

/* A flag that says what words are about has a description of them. */
static void offer_flag_words(const Place *place, const GOptionEntry *entries, int from)
{
	for (int i = from; i < place->count - 1; i++) {
		const GOptionEntry *entry =
			place->words[i][0] == '-' ? find_option(entries, place->words[i]) : NULL;
		if (entry && entry->arg == G_OPTION_ARG_NONE && entry->arg_description)
			offer_kind(place, entry->arg_description, FALSE);
	}
}

static void complete_words(Place *place, const MlvOptionsSeen *seen, int from)
{
	const GOptionEntry *entries = (const GOptionEntry *)(gpointer)seen->entries->data;
	gboolean separator;
	guint plain = count_plain(place, entries, from, &separator);

	if (separator) {
		puts(":files");
		return;
	}
	if (offer_value(place, entries))
		return;
	if (place->current[0] == '-') {
		offer_options(place, entries);
		return;
	}
	offer_flag_words(place, entries, from);
	offer_literals(place, seen->synopsis);
	offer_kind(place, seen->synopsis, plain == 0);
}

/* A command made of others: its sub-command's name, or what comes after it. */
static void complete_subcommand(Place *place, const GPtrArray *all, int from)
{
	const MlvOptionsSeen *first = all->pdata[0];
	gsize skip = strlen(first->name) + 1;

	for (guint i = 1; i < all->len; i++) {
		const MlvOptionsSeen *seen = all->pdata[i];

		if (from >= place->count - 1)
			offer(place, seen->name + skip, seen->summary);
		else if (strcmp(seen->name + skip, place->words[from]) == 0 && seen->entries)
			complete_words(place, seen, from + 1);
	}
}

static void complete_command(Place *place, const MlvCommand *command, int from)
{
	g_autoptr(GPtrArray) all = NULL;
	const MlvOptionsSeen *first;
	MlvCmd other;

	mlv_cmd_context_init(&other, command, place->cmd->ui, place->cmd->cancel);
	all = mlv_options_see(&other);
	mlv_cmd_context_clear(&other);
	if (all->len == 0)
		return;
	first = all->pdata[0];
	if (first->entries)
		complete_words(place, first, from);
	else
		complete_subcommand(place, all, from);
}

void mlv_completion_candidates(MlvCmd *cmd, int count, char **words)
{
	Place place = { .cmd = cmd, .count = count, .words = words, .prefix = "" };
	MlvProgramOptions opt = { 0 };
	g_autoptr(GArray) array = mlv_program_options_entries(&opt);
	const GOptionEntry *entries = (const GOptionEntry *)(gpointer)array->data;
	const MlvCommand *command;
	int i;

	if (count < 2)
		return;
	place.current = words[count - 1];
	/* The command is the first plain word that is no option's value. */
	for (i = 1; i < count - 1 && words[i][0] == '-'; i++) {
		const GOptionEntry *entry = find_option(entries, words[i]);

		if (entry && entry->arg != G_OPTION_ARG_NONE)
			i++;
	}
	if (i < count - 1) {
		command = mlv_command_find(words[i]);
		if (command)
			complete_command(&place, command, i + 1);
	} else if (!offer_value(&place, entries)) {
		if (place.current[0] == '-')
			offer_options(&place, entries);
		else
			offer_commands(&place);
	}
}
