# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

# complete WORD...: what bash offers for the last word, one a line, sorted.
complete_words()
{
	{ set +x; } 2>/dev/null
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_mlv
	[ ${#COMPREPLY[@]} = 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sort
}

# offered WORDS... = CANDIDATE...
offers()
{
	local candidate=$1
	shift
	complete_words "$@" >"$CASE/out"
	grep -qxF -e "$candidate" "$CASE/out" || {
		cat "$CASE/out"
		fail "'$candidate' is not offered for '$*'"
	}
}

test_case "each shell has a script that its parser accepts" <<'CASE'
	for shell in bash zsh fish; do
		expect_ok mlv completion $shell
		cp "$CASE/out" script
		if command -v $shell >/dev/null; then
			$shell -n script
		fi
	done
CASE

test_case "an unknown shell is a usage error" <<'CASE'
	expect_status 129 mlv completion tcsh
	expect_err "'tcsh'"
	expect_status 129 mlv completion
CASE

test_case "commands, options and literal words are completed" <<'CASE'
	. <(mlv completion bash)
	offers version mlv ve
	offers --json mlv version --
	offers -h mlv version -
	offers --directory mlv --
	offers zsh mlv completion z
	offers version mlv help ver
	offers version mlv -C / ver
CASE

test_case "every listed command is completed, hidden ones are not" <<'CASE'
	. <(mlv completion bash)
	complete_words mlv '' >offered
	mlv help | sed -n 's/^    \([a-z][a-z-]*\) .*/\1/p' | sort >listed
	expect_same offered listed
CASE

test_case "behind a flag that is about commits or runs these are offered" <<'CASE'
	. <(mlv completion bash)
	new_repo project
	git branch other
	mlv run -q -n first -- true
	offers other mlv repro --verify ot
	offers first mlv repro --verify fi
	offers first mlv runs show fi
	complete_words mlv repro ot >offered
	[ ! -s offered ] || fail "a branch is offered where none is meant"
CASE

test_case "an option with a value offers what the value may be" <<'CASE'
	. <(mlv completion bash)
	mkdir folder
	offers folder mlv -C fo
	offers folder mlv --directory = fo
	[ -z "$(complete_words mlv version -j '')" ]
CASE

test_case "every option that -h shows is offered" <<'CASE'
	. <(mlv completion bash)
	for name in $(mlv help | sed -n 's/^    \([a-z][a-z-]*\) .*/\1/p'); do
		mlv "$name" -h | sed -n 's/^    \(-., \|    \)\(--[a-z-]*\).*/\2/p' | sort >shown
		[ -s shown ] || continue
		complete_words mlv "$name" -- >offered
		expect_same offered shown
	done
CASE

test_case "files are offered behind two dashes only" <<'CASE'
	. <(mlv completion bash)
	touch version.txt
	complete_words mlv version -- ver >offered
	[ "$(cat offered)" = version.txt ]
CASE

test_case "zsh is given words with their meanings" <<'CASE'
	need_command zsh
	cat >asks <<-'ZSH'
		compdef() { : }
		_describe() { print -l -- $candidates }
		_files() { print files }
		. <(mlv completion zsh)
		words=(mlv completion '') CURRENT=3
		_mlv
		words=(mlv -C '') CURRENT=3
		_mlv
		words=(mlv versi) CURRENT=2
		_mlv
	ZSH
	expect_ok zsh -f asks
	expect_out_is "$(printf '%s\n' bash zsh fish files "version:say which version of mlv this is")"
CASE

test_case "fish is given words with their meanings" <<'CASE'
	need_command fish
	mlv completion fish >script
	expect_ok fish --no-config -c 'source script; complete -C "mlv versi"; complete -C "mlv completion z"'
	expect_out "version	say which version of mlv this is"
	expect_out "zsh"
CASE

test_done
