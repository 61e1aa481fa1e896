/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/completion.h"

#include <string.h>

static const char bash_script[] =
	"# bash completion for mlv; made by 'mlv completion bash'\n"
	"_mlv()\n"
	"{\n"
	"	local line current=${COMP_WORDS[COMP_CWORD]}\n"
	"	[ \"$current\" = = ] && current=\n"
	"	COMPREPLY=()\n"
	"	while IFS= read -r line; do\n"
	"		case $line in\n"
	"		:files)\n"
	"			compopt -o filenames 2>/dev/null || :\n"
	"			while IFS= read -r line; do\n"
	"				COMPREPLY+=(\"$line\")\n"
	"			done < <(compgen -f -- \"$current\")\n"
	"			;;\n"
	"		*) COMPREPLY+=(\"${line%%$'\\t'*}\") ;;\n"
	"		esac\n"
	"	done < <(\"${COMP_WORDS[0]}\" completion --candidates -- \\\n"
	"		\"${COMP_WORDS[@]:0:COMP_CWORD}\" \"$current\" 2>/dev/null)\n"
	"}\n"
	"complete -F _mlv mlv\n";

static const char zsh_script[] =
	"#compdef mlv\n"
	"# zsh completion for mlv; made by 'mlv completion zsh'\n"
	"_mlv()\n"
	"{\n"
	"	local line files=\n"
	"	local -a candidates\n"
	"	local answer\n"
	"	answer=$($words[1] completion --candidates -- \"${(@)words[1,CURRENT]}\" 2>/dev/null)\n"
	"	for line in \"${(@f)answer}\"; do\n"
	"		case $line in\n"
	"		('') ;;\n"
	"		(:files) files=1 ;;\n"
	"		(*$'\\t'*) candidates+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
	"		(*) candidates+=(\"${line//:/\\\\:}\") ;;\n"
	"		esac\n"
	"	done\n"
	"	(( $#candidates )) && _describe mlv candidates\n"
	"	[[ -z $files ]] || _files\n"
	"}\n"
	"if [[ $funcstack[1] = _mlv ]]; then\n"
	"	_mlv \"$@\"\n"
	"else\n"
	"	compdef _mlv mlv\n"
	"fi\n";

static const char fish_script[] =
	"# fish completion for mlv; made by 'mlv completion fish'\n"
	"function __mlv_candidates\n"
	"	set -l words (commandline -opc)\n"
	"	set -l current (commandline -ct)\n"
	"	for line in (command mlv completion --candidates -- $words \"$current\" 2>/dev/null)\n"
	"		if test \"$line\" = :files\n"
	"			__fish_complete_path \"$current\"\n"
	"		else\n"
	"			echo $line\n"
	"		end\n"
	"	end\n"
	"end\n"
	"complete -c mlv -f -a '(__mlv_candidates)'\n";

gboolean mlv_cmd_completion(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean candidates = FALSE;
	const GOptionEntry entries[] = {
		{ "candidates", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &candidates,
		  "for the scripts: what may stand at the last word", NULL },
		{ NULL },
	};
	const char *shell;

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "bash | zsh | fish\n. <(mlv completion bash)", error))
		return FALSE;
	if (candidates) {
		mlv_completion_candidates(cmd, argc - 1, argv + 1);
		return TRUE;
	}
	if (!mlv_options_count(cmd, argc, 1, 1, error))
		return FALSE;
	shell = argv[1];
	if (strcmp(shell, "bash") == 0)
		fputs(bash_script, stdout);
	else if (strcmp(shell, "zsh") == 0)
		fputs(zsh_script, stdout);
	else if (strcmp(shell, "fish") == 0)
		fputs(fish_script, stdout);
	else
		return mlv_fail(error, MLV_ERROR_USAGE,
				"no completion for '%s': bash, zsh and fish have one", shell);
	return TRUE;
}
